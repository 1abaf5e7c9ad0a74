"""The domain of validity of a model: the hull of its training rows, small enough to publish."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["fit_hull", "outside_hull"]

MARGIN = 0.05  # of the range of a feature, beyond which a value is strange


def fit_hull(features: np.ndarray, names: list[str]) -> dict[str, Any]:
    """Return the box and the ellipsoid that hold all training rows, as JSON.

    Parameters
    ----------
    features : (n, feature)
        Training rows; NaN where a value is missing.
    names : list of str
        Names of the features, in order.

    Returns
    -------
    dict
        ``features``, ``low``, ``high`` (box), ``mean``, ``whitening`` (component, feature) and
        ``radius``: the largest Mahalanobis distance of a training row.
    """
    low, high = np.nanmin(features, axis=0), np.nanmax(features, axis=0)
    mean = np.nanmean(features, axis=0)
    x = np.nan_to_num(features - mean)
    scale = np.where(x.std(axis=0) > 0, x.std(axis=0), 1.0)
    _, singular, axes = np.linalg.svd(x / scale, full_matrices=False)
    spread = singular / np.sqrt(max(len(x) - 1, 1))
    used = spread > 1e-6 * spread.max(initial=1e-12)
    whitening = axes[used] / spread[used, None] / scale
    radius = float(np.linalg.norm(x @ whitening.T, axis=1).max(initial=0.0))
    return {
        "features": list(names),
        "low": low.tolist(),
        "high": high.tolist(),
        "mean": mean.tolist(),
        "whitening": whitening.tolist(),
        "radius": radius,
    }


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
    margin = MARGIN * (high - low)
    box = ((features < low - margin) | (features > high + margin)).any(axis=1)
    distance = np.linalg.norm(
        np.nan_to_num(features - mean) @ np.asarray(hull["whitening"]).reshape(-1, len(low)).T,
        axis=1,
    )
    return np.asarray(box | (distance > (1 + MARGIN) * hull["radius"]))
