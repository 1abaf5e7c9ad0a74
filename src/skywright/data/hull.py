"""The domain of validity of a model: the hull of its training rows, small enough to publish."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["fit_hull", "outside_hull"]

MARGIN = 0.05  # of the range of a feature, beyond which a value is strange
STRAYED = 0.01  # share of training rows that may lie outside the hull of the others


def fit_hull(features: np.ndarray, names: list[str]) -> dict[str, Any]:
    """Return the box and the ellipsoid that hold all training rows, as JSON.

    With many features some value of every new row of the same kind is the largest ever seen.
    Margin and radius are therefore those of training rows that were left out one by one: few of
    them lie outside the hull of the others.

    Parameters
    ----------
    features : (n, feature)
        Training rows; NaN where a value is missing.
    names : list of str
        Names of the features, in order.

    Returns
    -------
    dict
        ``features``, ``low``, ``high`` (box), ``margin`` (beyond the box, of its sides), ``mean``,
        ``whitening`` (component, feature) and ``radius``: the largest Mahalanobis distance of a
        training row from the others.
    """
    low, high = np.nanmin(features, axis=0), np.nanmax(features, axis=0)
    mean = np.nanmean(features, axis=0)
    x = np.nan_to_num(features - mean)
    scale = np.where(x.std(axis=0) > 0, x.std(axis=0), 1.0)
    _, singular, axes = np.linalg.svd(x / scale, full_matrices=False)
    spread = singular / np.sqrt(max(len(x) - 1, 1))
    used = spread > 1e-6 * spread.max(initial=1e-12)
    whitening = axes[used] / spread[used, None] / scale
    square = ((x @ whitening.T) ** 2).sum(axis=1)
    return {
        "features": list(names),
        "low": low.tolist(),
        "high": high.tolist(),
        "margin": _margin(x),
        "mean": mean.tolist(),
        "whitening": whitening.tolist(),
        "radius": float(np.sqrt(_left_out(square).max(initial=0.0))),
    }


def _margin(x: np.ndarray) -> float:
    """Return the margin that leaves few rows outside the box of the others: (n, feature) -> ()."""
    if len(x) < 3:
        return MARGIN
    order = np.sort(x, axis=0)
    sides = np.maximum(order[-1] - order[0], 1e-300)
    gap = np.zeros(len(x))
    np.maximum.at(gap, x.argmax(axis=0), (order[-1] - order[-2]) / sides)
    np.maximum.at(gap, x.argmin(axis=0), (order[1] - order[0]) / sides)
    return max(MARGIN, float(np.quantile(gap, 1 - STRAYED)))


def _left_out(square: np.ndarray) -> np.ndarray:
    """Return squared Mahalanobis distances (n,) from the mean and covariance of the other rows.

    A row draws the mean and the covariance towards itself; the correction follows from the
    Sherman-Morrison formula for taking it out (Penny 1996, Appl. Statist. 45, 73).
    """
    n = len(square)
    if n < 3:
        return square
    part = square / (n - 1)
    return np.asarray(
        (n / (n - 1)) ** 2 * (n - 2) * part / np.maximum(1 - n / (n - 1) * part, 1e-9)
    )


def outside_hull(hull: dict[str, Any], features: np.ndarray) -> np.ndarray:
    """Tell which rows lie outside the box or the ellipsoid; NaN alone is not outside.

    Parameters
    ----------
    hull : dict
        From `fit_hull`.
    features : (m, feature)
        Rows with the same features in the same order.

    Raises
    ------
    ValueError
        When the number of features differs.

    Examples
    --------
    >>> train = np.random.default_rng(0).uniform(size=(500, 2))
    >>> outside_hull(fit_hull(train, ["a", "b"]), np.array([[0.5, 0.5], [0.5, 1.3]]))
    array([False,  True])
    """
    low, high, mean = (np.asarray(hull[key]) for key in ("low", "high", "mean"))
    if features.shape[1:] != low.shape:
        raise ValueError(
            f"{features.shape[1]} features for a domain of {len(low)}: expected "
            f"{', '.join(hull['features'][:6])}"
        )
    margin = hull["margin"] * (high - low)
    box = ((features < low - margin) | (features > high + margin)).any(axis=1)
    distance = np.linalg.norm(
        np.nan_to_num(features - mean) @ np.asarray(hull["whitening"]).reshape(-1, len(low)).T,
        axis=1,
    )
    return np.asarray(box | (distance > (1 + MARGIN) * hull["radius"]))
