"""Decide whether stated confidence is right: rules U1 (classes), U2 (numbers), U3 (posteriors).

Each decision names the number, its interval and the limit on which it rests. The intervals are
those of sums over independent groups (Liang & Zeger 1986, Biometrika 73, 13), at 99 % for all that
a rule looks at together (Bonferroni): a rule that is run on every model must seldom cry wolf.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import expit, logit, softmax
from scipy.stats import norm

from skywright.trust.calibration import calibration_slope
from skywright.trust.probability_scores import check_probability
from skywright.trust.temperatures import class_logits, class_slope

__all__ = [
    "decide_classification",
    "decide_pit",
    "decide_posterior",
    "decide_regression",
    "decide_share",
    "spread_of_pit",
]

_LEVEL = 0.99
_CONFIDENCE = ("overconfident", "underconfident")  # below and above the limit


def decide_classification(
    probability: np.ndarray,
    labels: np.ndarray,
    *,
    groups: np.ndarray | None = None,
    tolerance: float = 0.0,
    level: float = _LEVEL,
) -> dict[str, Any]:
    """Decide by rule U1 whether the probabilities of a classifier mean what they say.

    The number is the slope of the logits: of a logistic regression with an intercept for two
    classes (Cox 1958, Biometrika 45, 562), the inverse temperature for more. Below one the
    probabilities are too extreme. Where the slope can pass, the mean excess of the promised over
    the true share of each class has to pass too, or else the decision is "biased".

    A slope off its limit needs Rao's score test to agree: with few errors or none any steep slope
    fits, and calibrated probabilities would be called underconfident.

    Parameters
    ----------
    probability : (n,) or (n, class)
        Of the positive class, or of every class.
    labels : (n,) int
        Class of each row, from 0.
    groups : (n,), optional
        Independent unit behind each row.
    tolerance : float
        By how much the slope may miss one, and the logits may lie too high or too low: with a
        million rows every slope misses one, and a training set of finite size has its own share.
    level : float
        1 minus the chance of a false alarm, shared by slope and bias.

    Returns
    -------
    dict
        ``decision`` ("calibrated", "overconfident", "underconfident", "biased"), ``quantity``,
        ``value``, ``low``, ``high``, ``limit`` (low, high), ``level``, ``n``.
    """
    p = check_probability(probability, labels)
    y = np.asarray(labels).astype(int)
    if len(np.unique(y)) < 2:
        raise ValueError("labels of one class only: calibration needs both outcomes")
    if np.ptp(p, axis=0).max() == 0:
        raise ValueError("all probabilities are equal: there is no slope to judge")
    two = p.shape[1] == 2
    value, error = _two_class_slope(p[:, 1], y, groups) if two else _slope(p, y, groups)
    shared = (1 + level) / 2
    result = _decision(
        "calibration slope", value, error, 1.0, tolerance, shared, len(y), _CONFIDENCE
    )
    if not np.isfinite(value) or result["decision"] != "calibrated":
        # without errors any slope fits, and its own error says nothing
        score = _decision(
            "score of the slope at its limit, in standard deviations",
            _score_of_slope(p, y, groups, 1.0 + np.sign(value - 1) * tolerance),
            1.0,
            0.0,
            0.0,
            shared,
            len(y),
            _CONFIDENCE,
        )
        result = score if score["decision"] == "calibrated" or not np.isfinite(value) else result
    if result["decision"] != "calibrated":
        return result
    excess = p - np.eye(p.shape[1])[y]
    excess = excess[:, 1:] if two else excess
    # logits that are off by the tolerance move a share by that times p (1 - p)
    allowed = tolerance * float(np.mean(p * (1 - p)))
    name = "promised minus true share of class"
    return _worst_bias(excess, groups, shared, name, result, allowed)


def decide_share(
    p: np.ndarray,
    labels: np.ndarray,
    *,
    groups: np.ndarray | None = None,
    tolerance: float = 0.0,
    level: float = _LEVEL,
) -> dict[str, Any]:
    """Decide whether as many rows are positive as was promised, where no slope can be fitted.

    The spread is the one that the probabilities promise, with all rows of a group alike.

    Parameters
    ----------
    p : (n,)
        Probabilities of the positive class.
    labels : (n,) int
        0 or 1; all of one class, or any where all probabilities are equal.
    groups, tolerance, level
        As in `decide_classification`.
    """
    variance = p * (1 - p)
    sums = _group_sums(np.sqrt(variance)[:, None], groups)
    error = float(np.sqrt((sums**2).sum())) / len(p)
    value, allowed = float(np.mean(p - labels)), tolerance * float(np.mean(variance))
    name = "promised minus true share"
    return _decision(name, value, error, 0.0, allowed, level, len(p), ("biased", "biased"))


def decide_regression(
    truth: np.ndarray,
    mean: np.ndarray,
    sd: np.ndarray,
    *,
    groups: np.ndarray | None = None,
    tolerance: float = 0.0,
    level: float = _LEVEL,
) -> dict[str, Any]:
    """Decide by rule U2 for normal predictions: `decide_pit` of their probability integral.

    Parameters
    ----------
    truth, mean, sd : (n,)
        True value, predicted mean and standard deviation, in one unit.
    groups, tolerance, level
        As in `decide_pit`.
    """
    sd = np.asarray(sd, dtype=float)
    if not (sd > 0).all():
        raise ValueError(f"{int((~(sd > 0)).sum())} of {len(sd)} sd are not positive")
    pit = norm.cdf((np.asarray(truth) - np.asarray(mean)) / sd)
    return decide_pit(pit, groups=groups, tolerance=tolerance, level=level)


def decide_pit(
    pit: np.ndarray,
    *,
    groups: np.ndarray | None = None,
    tolerance: float = 0.0,
    level: float = _LEVEL,
) -> dict[str, Any]:
    """Decide by rule U2 whether predictive distributions are as wide as the errors made.

    The number is the excess coverage of `spread_of_pit`. Where it can pass, the mean of the
    probability integral has to be one half, or else the decision is "biased".

    Parameters
    ----------
    pit : (n,)
        Predicted probability of a value up to the true one (Dawid 1984); uniform when calibrated.
    groups : (n,), optional
        Independent unit behind each row.
    tolerance : float
        By how much the excess coverage and the mean probability integral may miss zero.
    level : float
        1 minus the chance of a false alarm, shared by coverage and bias.

    Returns
    -------
    dict
        As for `decide_classification`.
    """
    pit = np.asarray(pit, dtype=float)
    if not ((pit >= 0) & (pit <= 1)).all():
        raise ValueError("pit has values that are not between 0 and 1, or NaN")
    value, error = _mean(spread_of_pit(pit), groups)
    shared = (1 + level) / 2
    result = _decision(
        "excess coverage", value, error, 0.0, tolerance, shared, len(pit), _CONFIDENCE
    )
    if result["decision"] != "calibrated":
        return result
    name = "mean pit minus one half"
    return _worst_bias(pit[:, None] - 0.5, groups, shared, name, result, tolerance)


def spread_of_pit(pit: np.ndarray) -> np.ndarray:
    """Return each row's part in the coverage in excess of the nominal one, of mean zero.

    The mean over all levels of observed minus nominal coverage of the central intervals. Since an
    interval of level a covers where abs(2 pit - 1) <= a, that mean is 1/2 - mean abs(2 pit - 1).
    Errors of a normal law that are s times as large as stated give 1/2 - (2 / pi) arctan(s).

    Parameters
    ----------
    pit : (…)
        Probability integral of the truth.

    Examples
    --------
    >>> spread_of_pit(np.array([0.0, 0.25, 0.5]))
    array([-0.5,  0. ,  0.5])
    """
    return np.asarray(0.5 - np.abs(2 * np.asarray(pit) - 1))


def decide_posterior(
    ranks: np.ndarray,
    draws: int,
    rng: np.random.Generator,
    *,
    tarp: np.ndarray | None = None,
    tolerance: float = 0.0,
    level: float = _LEVEL,
) -> dict[str, Any]:
    """Decide by rule U3 whether posteriors cover the truth, parameters alone and together.

    Ranks and TARP values are uniform when calibrated, and rise at both ends when posteriors are
    too narrow, so that the number of rule U2 serves for each. ``level`` is shared between them
    (Bonferroni), and the one that misses its limit by most decides.

    Parameters
    ----------
    ranks : (n, parameter) int
        From `skywright.trust.sbc_ranks`; one row for each simulated data set.
    draws : int
        Posterior draws that were ranked against.
    rng : Generator
        Spreads the whole numbers evenly, so that they can be compared with a uniform law.
    tarp : (n,), optional
        From `skywright.trust.tarp`: sees wrong correlations, which no rank of one parameter does.
    tolerance, level
        As in `decide_pit`.

    Returns
    -------
    dict
        As for `decide_classification`; ``quantity`` names the parameter, or TARP.
    """
    ranks = np.atleast_2d(ranks)
    if ranks.min() < 0 or ranks.max() > draws:
        raise ValueError(f"ranks from {ranks.min()} to {ranks.max()}; expected 0 to {draws}")
    pits = (ranks + rng.random(ranks.shape)) / (draws + 1)
    columns = {f"parameter {i}": pits[:, i] for i in range(pits.shape[1])}
    if tarp is not None:
        columns["TARP"] = np.asarray(tarp)
    shared = 1 - (1 - level) / len(columns)
    found = []
    for name, pit in columns.items():
        result = decide_pit(pit, tolerance=tolerance, level=shared)
        found.append({**result, "quantity": f"{result['quantity']} of {name}"})
    order = {"overconfident": 0, "underconfident": 0, "biased": 1, "calibrated": 2}
    return min(found, key=lambda r: (order[r["decision"]], -_distance(r)))


def _distance(result: dict[str, Any]) -> float:
    """Return how many half intervals the value lies beyond its limit."""
    low, high = result["limit"]
    beyond = max(low - result["value"], result["value"] - high, 0.0)
    return float(2 * beyond / (result["high"] - result["low"]))


def _decision(
    quantity: str,
    value: float,
    error: float,
    limit: float,
    tolerance: float,
    level: float,
    n: int,
    names: tuple[str, str],
) -> dict[str, Any]:
    """Decide by names (below, above): a fault needs the whole interval beyond the limit."""
    half = float(norm.ppf((1 + level) / 2)) * error
    low, high = value - half, value + half
    decision = "calibrated"
    if low > limit + tolerance:
        decision = names[1]
    elif high < limit - tolerance:
        decision = names[0]
    limits = (limit - tolerance, limit + tolerance)
    return {
        "decision": decision,
        "quantity": quantity,
        "value": float(value),
        "low": float(low),
        "high": float(high),
        "limit": limits,
        "level": level,
        "n": n,
    }


def _worst_bias(
    excess: np.ndarray,
    groups: np.ndarray | None,
    level: float,
    name: str,
    otherwise: dict[str, Any],
    tolerance: float,
) -> dict[str, Any]:
    """Return the decision "biased" for the worst column (n, column) whose mean misses zero."""
    shared = 1 - (1 - level) / excess.shape[1]
    found = []
    for i in range(excess.shape[1]):
        value, error = _mean(excess[:, i], groups)
        label = f"{name} {i}" if excess.shape[1] > 1 else name.removesuffix(" of class")
        found.append(
            _decision(
                label, value, error, 0.0, tolerance, shared, len(excess), ("biased", "biased")
            )
        )
    worst = max(found, key=_distance)
    return worst if worst["decision"] == "biased" else otherwise


def _mean(values: np.ndarray, groups: np.ndarray | None) -> tuple[float, float]:
    """Return the mean and its standard error over independent groups."""
    centre = values.mean()
    sums = _group_sums((values - centre)[:, None], groups)[:, 0]
    return float(centre), float(np.sqrt((sums**2).sum() * _small(len(sums))) / len(values))


def _two_class_slope(
    p: np.ndarray, y: np.ndarray, groups: np.ndarray | None
) -> tuple[float, float]:
    """Return the slope of the logits and its standard error over independent groups."""
    logits = logit(np.clip(p, 1e-12, 1 - 1e-12))
    slope, intercept = calibration_slope(logits, y, np.ones(len(y)))
    design = np.stack([np.ones_like(logits), logits], axis=1)
    fitted = expit(intercept + slope * logits)
    information = (design * (fitted * (1 - fitted))[:, None]).T @ design
    scores = _group_sums(design * (y - fitted)[:, None], groups)
    inverse = np.linalg.pinv(information)
    covariance = inverse @ (scores.T @ scores) @ inverse * _small(len(scores))
    return float(slope), float(np.sqrt(covariance[1, 1]))


def _slope(p: np.ndarray, y: np.ndarray, groups: np.ndarray | None) -> tuple[float, float]:
    """Return the inverse temperature and its standard error over independent groups."""
    slope = float(class_slope(p, y, np.ones(len(y))))
    if not np.isfinite(slope):
        return np.inf, 0.0
    logits = class_logits(p)
    fitted = softmax(slope * logits, axis=1)
    mean = (fitted * logits).sum(axis=1)
    information = ((fitted * logits**2).sum(axis=1) - mean**2).sum()
    scores = _group_sums((logits[np.arange(len(y)), y] - mean)[:, None], groups)
    return slope, float(np.sqrt((scores**2).sum() * _small(len(scores))) / information)


def _score_of_slope(p: np.ndarray, y: np.ndarray, groups: np.ndarray | None, slope: float) -> float:
    """Return by how much the likelihood wants a larger slope, over what chance gives.

    Rao's score test: the spread is that which the probabilities themselves promise, or that seen
    between groups where it is larger.
    """
    logits = class_logits(p)
    fitted = softmax(slope * logits, axis=1)
    mean = (fitted * logits).sum(axis=1)
    scores = logits[np.arange(len(y)), y] - mean
    promised = ((fitted * logits**2).sum(axis=1) - mean**2).sum()
    seen = (_group_sums(scores[:, None], groups) ** 2).sum()
    return float(scores.sum() / np.sqrt(max(promised, seen, 1e-300)))


def _group_sums(values: np.ndarray, groups: np.ndarray | None) -> np.ndarray:
    """Return the sums (group, column) of rows (n, column)."""
    if groups is None:
        return values
    _, index = np.unique(groups, return_inverse=True)
    sums = np.zeros((index.max() + 1, values.shape[1]))
    np.add.at(sums, index, values)
    return sums


def _small(groups: int) -> float:
    return groups / max(groups - 1, 1)
