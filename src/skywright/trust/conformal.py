"""Conformal prediction: intervals and sets that keep their promise whatever the model is worth.

MAPIE does the plain form. The weighted form, for objects that differ from those of the
calibration, it has not; both are the same few lines.
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

__all__ = [
    "conformal_classes",
    "conformal_interval",
    "conformal_levels",
    "conformal_threshold",
    "shift_weights",
]


def conformal_threshold(
    scores: np.ndarray,
    level: float,
    weights: np.ndarray | None = None,
    weight: np.ndarray | float = 1.0,
) -> np.ndarray:
    """Return the score below which a new object's lies with at least a chance of ``level``.

    Parameters
    ----------
    scores : (n,)
        Of the calibration objects; higher is stranger.
    level : float
        Promised coverage, between 0 and 1.
    weights : (n,), optional
        Ratio of densities, new over calibration, of each calibration object; 1 without a shift.
    weight : (m,) or float
        That ratio of the new objects.

    Returns
    -------
    () or (m,)
        Infinite where the calibration is too small for the promise.

    References
    ----------
    Vovk et al. 2005, Algorithmic learning in a random world, section 4.1; Tibshirani et al. 2019,
    arXiv:1904.06019, corollary 1 (weights).

    Examples
    --------
    >>> float(conformal_threshold(np.arange(1.0, 10.0), 0.9))
    9.0
    """
    if not 0 < level < 1:
        raise ValueError(f"level is {level}; expected a share between 0 and 1")
    order = np.argsort(scores, kind="stable")
    shares = np.ones(len(scores)) if weights is None else np.asarray(weights, dtype=float)
    if shares.shape != np.shape(scores) or (shares < 0).any():
        raise ValueError(
            f"weights of shape {shares.shape} for scores of shape {np.shape(scores)}; expected one "
            "number for each score, none below 0"
        )
    cumulated = np.cumsum(shares[order])
    total = cumulated[-1] + np.asarray(weight, dtype=float)
    # rounding must not ask for one more object than the promise does
    place = np.searchsorted(cumulated, level * total * (1 - 1e-12))
    return np.asarray(np.append(np.asarray(scores, dtype=float)[order], np.inf)[place])


def conformal_interval(
    values: np.ndarray,
    mean: np.ndarray,
    sd: np.ndarray,
    new_mean: np.ndarray,
    new_sd: np.ndarray,
    *,
    level: float = 0.9,
    weights: np.ndarray | None = None,
    weight: np.ndarray | float = 1.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Return intervals whose width follows the predicted standard deviation.

    Parameters
    ----------
    values, mean, sd : (n,)
        True values and predictions of the calibration objects.
    new_mean, new_sd : (m,)
        Predictions of the new objects.
    level, weights, weight
        As for `conformal_threshold`.

    Returns
    -------
    low, high : (m,)

    References
    ----------
    Lei et al. 2018, JASA 113, 1094, section 5.2 (residuals over their predicted scale).
    """
    reach = conformal_threshold(np.abs(values - mean) / sd, level, weights, weight)
    return new_mean - reach * new_sd, new_mean + reach * new_sd


def conformal_levels(scores: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Return the lowest level whose conformal interval holds each new value.

    Parameters
    ----------
    scores : (n,)
        Of the calibration objects.
    new : (m,)
        Scores of the new objects at their true values.
    """
    below = np.searchsorted(np.sort(scores), new, side="left")
    return (below + 1) / (len(scores) + 1)


def conformal_classes(
    probability: np.ndarray,
    labels: np.ndarray,
    new: np.ndarray,
    *,
    level: float = 0.9,
    weights: np.ndarray | None = None,
    weight: np.ndarray | float = 1.0,
) -> np.ndarray:
    """Return sets of classes that hold the true one with at least a chance of ``level``.

    Parameters
    ----------
    probability : (n, class)
        Predicted for the calibration objects.
    labels : (n,) int
        Their true classes, counted from 0.
    new : (m, class)
        Predicted for new objects.
    level, weights, weight
        As for `conformal_threshold`.

    Returns
    -------
    (m, class) bool
        True for the classes in the set. A set may be empty: then no class is like the calibration.

    References
    ----------
    Sadinle et al. 2019, JASA 114, 223, eq. 4 (least ambiguous sets).
    """
    strange = 1 - probability[np.arange(len(labels)), labels]
    reach = conformal_threshold(strange, level, weights, weight)
    return np.asarray(1 - new <= np.expand_dims(reach, -1))


def shift_weights(calibration: np.ndarray, new: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Estimate how much likelier each object is among the new ones than in the calibration.

    Parameters
    ----------
    calibration, new : (n, feature), (m, feature)
        Features of both; a logistic regression with squares tells them apart.

    Returns
    -------
    weights, weight : (n,), (m,)
        For `conformal_threshold`.

    References
    ----------
    Tibshirani et al. 2019, arXiv:1904.06019, section 2.3.
    """
    both = np.concatenate([calibration, new])
    scaled = StandardScaler().fit_transform(both)
    scaled = np.concatenate([scaled, scaled**2], axis=1)
    side = np.repeat([0, 1], [len(calibration), len(new)])
    odds = LogisticRegression(max_iter=2000).fit(scaled, side).decision_function(scaled)
    chance = np.clip(expit(odds), 1e-6, 1 - 1e-6)
    ratio = chance / (1 - chance) * len(calibration) / len(new)
    return ratio[: len(calibration)], ratio[len(calibration) :]
