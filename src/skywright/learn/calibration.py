"""Make logits mean what they say: temperature scaling and change of prevalence."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize_scalar

__all__ = ["correct_prior", "cross_entropy", "temperature"]


def temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """Fit the one number by which logits are divided so that they are calibrated.

    Parameters
    ----------
    logits : (n,)
        Raw logits on rows that no weight was fitted on.
    labels : (n,)
        1 for the positive class, 0 otherwise; both have to occur.

    Returns
    -------
    float
        Temperature that minimises the cross entropy, within 0.02 to 50.

    References
    ----------
    Guo et al. 2017, arXiv:1706.04599, section 4.2.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> true = rng.normal(0, 2, 20000)
    >>> labels = rng.uniform(size=20000) < 1 / (1 + np.exp(-true))
    >>> round(temperature(3 * true, labels))
    3
    """
    logits, labels = np.asarray(logits, dtype=float), np.asarray(labels, dtype=float)
    if len(logits) != len(labels):
        raise ValueError(f"{len(logits)} logits for {len(labels)} labels")
    if len(np.unique(labels)) < 2:
        raise ValueError(
            "labels of one class only: a temperature needs both classes among the validation rows"
        )
    best = minimize_scalar(
        lambda log_t: cross_entropy(logits / np.exp(log_t), labels),
        bounds=(np.log(0.02), np.log(50.0)),
        method="bounded",
        options={"xatol": 1e-6},
    )
    return float(np.exp(best.x))


def cross_entropy(logits: np.ndarray, labels: np.ndarray) -> float:
    """Return the mean binary cross entropy [nat] of logits (n,) against labels (n,)."""
    return float(np.mean(np.logaddexp(0, logits) - np.asarray(labels) * logits))


def correct_prior(logits: np.ndarray, training: float, survey: float | None) -> np.ndarray:
    """Shift calibrated logits from the prevalence of the training sample to that of the survey.

    Parameters
    ----------
    logits : (n,) or (n, …)
        Calibrated logits at the prevalence ``training``.
    training, survey : float
        Fraction of positives in the two populations, between 0 and 1; without ``survey`` the
        logits are returned as they are.

    Returns
    -------
    like ``logits``
        Logits at the prevalence ``survey``.

    References
    ----------
    Elkan 2001, IJCAI, theorem 2; Saerens et al. 2002, Neural Computation 14, 21, eq. 2.4.

    Examples
    --------
    >>> odds = float(np.exp(correct_prior(np.array(0.0), 0.5, 0.01)))
    >>> round(odds / (1 + odds), 4)
    0.01
    """
    if survey is None:
        return np.asarray(logits)
    for name, value in (("training", training), ("survey", survey)):
        if not 0 < value < 1:
            raise ValueError(f"{name} prevalence is {value}; expected a number between 0 and 1")
    shift = np.log(survey / (1 - survey)) - np.log(training / (1 - training))
    return np.asarray(np.asarray(logits) + shift)
