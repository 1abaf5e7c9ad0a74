"""Whether probabilities mean what they say when lenses are rare."""

from __future__ import annotations

import numpy as np
from scipy.special import expit, logit

__all__ = [
    "LOWEST_PREVALENCE",
    "brier_skill",
    "calibration_error",
    "calibration_slope",
    "prior_correct",
    "reliability",
    "reliability_bins",
]

# A normal prior around 0 on the slope of standardised logits (sd 10) keeps the fit finite when one
# class lies wholly above the other. Data with one positive in all outweigh it a hundredfold.
_PRIOR_PRECISION = np.array([1e-6, 0.01])
LOWEST_PREVALENCE = 0.05


def prior_correct(logits: np.ndarray, training: float, survey: float) -> np.ndarray:
    """Move logits from the prevalence of the training set to that of the survey.

    Parameters
    ----------
    logits : (n,)
        Calibrated at the training prevalence.
    training, survey : float
        Prevalences (Saerens et al. 2002, Neural Computation 14, 21, equation 2.4).

    Examples
    --------
    >>> prior_correct(np.array([0.0]), 0.5, 0.005).round(3)
    array([-5.293])
    """
    shift = float(logit(survey) - logit(training))
    return np.asarray(logits, dtype=float) + shift


def calibration_slope(
    logits: np.ndarray, labels: np.ndarray, weights: np.ndarray, steps: int = 25
) -> tuple[np.ndarray, np.ndarray]:
    """Fit ``logit P(label) = intercept + slope * logits``; calibrated means slope 1, intercept 0.

    A slope below one says that the scores are too sure of themselves (Cox 1958, Biometrika 45,
    562). Newton's method, all resamples at once.

    Parameters
    ----------
    logits, labels : (n,)
        Logits at the prevalence of the weights, and 1 for positives.
    weights : (…, n)
        Weights of the rows; only their ratios matter.
    steps : int
        Most Newton steps.

    Returns
    -------
    slope, intercept : (…)
        NaN where all logits are equal.
    """
    raw, y = np.asarray(logits, dtype=float), np.asarray(labels, dtype=float)
    w = np.atleast_2d(weights)
    w = w * (len(raw) / w.sum(axis=-1, keepdims=True))
    mean = w[0] @ raw / len(raw)
    spread = np.sqrt(w[0] @ (raw - mean) ** 2 / len(raw))
    if spread == 0:
        nothing = np.full(np.shape(weights)[:-1], np.nan)
        return nothing, nothing
    x = (raw - mean) / spread
    # Without slope Newton's method starts safely; the resamples then start from the sample's fit.
    constant = np.array([[logit(np.clip(w[0] @ y / len(x), 1e-9, 1 - 1e-9)), 0.0]])
    first = _newton(x, y, w[:1], constant, steps)
    beta = _newton(x, y, w, np.repeat(first, len(w), axis=0), steps)
    shape = np.shape(weights)[:-1]
    slope = beta[:, 1] / spread
    return slope.reshape(shape), (beta[:, 0] - slope * mean).reshape(shape)


def _newton(
    x: np.ndarray, y: np.ndarray, weights: np.ndarray, start: np.ndarray, steps: int
) -> np.ndarray:
    """Return intercept and slope of a weighted logistic regression per row of weights."""
    design = np.stack([np.ones_like(x), x], axis=1)
    outer = np.stack([np.ones_like(x), x, x**2], axis=1)

    def loss(beta: np.ndarray) -> np.ndarray:
        z = beta @ design.T
        penalty = 0.5 * beta**2 @ _PRIOR_PRECISION
        return np.asarray((weights * (np.logaddexp(0.0, z) - y * z)).sum(axis=1) + penalty)

    beta, lowest, size = start, loss(start), np.ones((len(start), 1))
    for _ in range(steps):
        p = expit(beta @ design.T)
        gradient = (weights * (y - p)) @ design - _PRIOR_PRECISION * beta
        a, b, c = ((weights * p * (1 - p)) @ outer).T
        a, c = a + _PRIOR_PRECISION[0], c + _PRIOR_PRECISION[1]
        step = (
            np.stack(
                [c * gradient[:, 0] - b * gradient[:, 1], a * gradient[:, 1] - b * gradient[:, 0]],
                1,
            )
            / (a * c - b**2)[:, None]
        )
        if np.abs(step).max() < 1e-5:
            break
        reached = loss(beta + size * step)
        better = (reached <= lowest)[:, None]
        beta = np.where(better, beta + size * step, beta)
        lowest = np.where(better[:, 0], reached, lowest)
        size = np.where(better, 1.0, size / 2)
    return beta


def brier_skill(probability: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return 1 minus the Brier score over that of the constant prevalence; 0 is no skill.

    Parameters
    ----------
    probability, labels : (n,)
        Probability at the prevalence of the weights, and 1 for positives.
    weights : (…, n)
        Weights of the rows.

    Examples
    --------
    >>> float(brier_skill(np.full(4, 0.25), np.array([1, 0, 0, 0]), np.ones(4)))
    0.0
    """
    y = np.asarray(labels, dtype=float)
    total = weights.sum(axis=-1)
    prevalence = weights @ y / total
    score = weights @ (probability - y) ** 2 / total
    return np.asarray(1 - score / (prevalence * (1 - prevalence)))


def reliability_bins(probability: np.ndarray, labels: np.ndarray, bins: int = 10) -> np.ndarray:
    """Return the bin of each row, from bins that hold equal numbers of positives.

    Bins of equal numbers of rows would put nearly all of them where no lens is.

    Parameters
    ----------
    probability, labels : (n,)
        Probability, and 1 for positives.
    bins : int
        Most bins.

    Returns
    -------
    (n,) int
        Rising with the probability, without gaps.
    """
    positive = np.asarray(labels).astype(bool)
    edges = np.quantile(probability[positive], np.linspace(0, 1, bins + 1)[1:-1])
    index = np.searchsorted(np.unique(edges), probability, side="right")
    return np.unique(index, return_inverse=True)[1]


def reliability(values: np.ndarray, weights: np.ndarray, index: np.ndarray) -> np.ndarray:
    """Return the weighted mean of ``values`` in each bin.

    With labels it is the observed share of positives, with probabilities the promised one; a
    calibrated score has them equal.

    Parameters
    ----------
    values : (n,)
        Labels or probabilities.
    weights : (…, n)
        Survey weights.
    index : (n,) int
        Bin of each row, from `reliability_bins`.

    Returns
    -------
    (…, bin)
        NaN in a bin without weight.
    """
    member = np.eye(index.max() + 1)[index]
    total = weights @ member
    hits = (weights * values) @ member
    mean = np.full(total.shape, np.nan)
    np.divide(hits, total, out=mean, where=total > 0)
    return mean


def calibration_error(
    probability: np.ndarray, labels: np.ndarray, weights: np.ndarray, bins: int = 15
) -> float:
    """Return the expected calibration error in bins of equal weight; refused for rare positives.

    Parameters
    ----------
    probability, labels, weights : (n,)
        Probability, 1 for positives, weight of the row.
    bins : int
        Number of bins.

    Raises
    ------
    ValueError
        When positives hold less than 5 % of the weight.
    """
    y = np.asarray(labels, dtype=float)
    prevalence = float(np.average(y, weights=weights))
    if prevalence < LOWEST_PREVALENCE:
        raise ValueError(
            f"calibration error at a prevalence of {prevalence:.2%}; expected at least "
            f"{LOWEST_PREVALENCE:.0%}: below it a constant near zero scores almost perfectly. "
            "Use expected_against_true, calibration_slope and brier_skill"
        )
    order = np.argsort(probability, kind="stable")
    position = np.cumsum(weights[order]) / weights.sum()
    index = np.minimum((position * bins).astype(int), bins - 1)
    gap = np.bincount(index, (weights * (probability - y))[order], minlength=bins)
    return float(np.abs(gap).sum() / weights.sum())
