"""By which number the logits of several classes would have to be multiplied."""

from __future__ import annotations

import numpy as np
from scipy.special import softmax

__all__ = ["class_logits", "class_slope"]


def class_logits(probability: np.ndarray) -> np.ndarray:
    """Return the logarithms of probabilities (n, class), kept finite at zero."""
    return np.asarray(np.log(np.maximum(probability, 1e-12)))


def class_slope(
    probability: np.ndarray, labels: np.ndarray, weights: np.ndarray, steps: int = 30
) -> np.ndarray:
    """Fit the slope that makes ``softmax(slope * log probability)`` likeliest; calibrated is 1.

    The inverse of the temperature of Guo et al. 2017 (arXiv:1706.04599, section 4.2): below one
    the probabilities are too sure of themselves. Newton's method, all resamples at once; the
    likelihood is concave in the slope.

    Parameters
    ----------
    probability : (n, class)
        Probabilities that sum to one.
    labels : (n,) int
        Class of each row.
    weights : (…, n)
        Weights of the rows.
    steps : int
        Most Newton steps.

    Returns
    -------
    (…)
        Within 0.001 to 100; NaN where all classes are always equally likely, or where no row with
        weight is wrong: then the steeper, the likelier.
    """
    logits = class_logits(probability)
    rows = np.atleast_2d(weights)
    if np.ptp(logits, axis=1).max() == 0:
        return np.full(np.shape(weights)[:-1], np.nan)
    truth = logits[np.arange(len(labels)), labels]
    slope = np.ones(len(rows))
    for _ in range(steps):
        gradient, curvature = np.empty(len(rows)), np.empty(len(rows))
        for i, value in enumerate(slope):
            p = softmax(value * logits, axis=1)
            mean = (p * logits).sum(axis=1)
            gradient[i] = rows[i] @ (truth - mean)
            curvature[i] = rows[i] @ ((p * logits**2).sum(axis=1) - mean**2)
        change = np.clip(gradient / np.maximum(curvature, 1e-300) / slope, -1, 1)
        # in the logarithm of the slope, which keeps it positive
        slope = np.clip(slope * np.exp(change), 1e-3, 100)
        if np.abs(change).max() < 1e-6:
            break
    right = truth >= logits.max(axis=1)
    slope[rows @ ~right == 0] = np.nan
    return slope.reshape(np.shape(weights)[:-1])
