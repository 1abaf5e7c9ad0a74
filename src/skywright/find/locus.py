"""Which sources are as small as the point spread function."""

from __future__ import annotations

import numpy as np

__all__ = ["locus_radius", "stand_alone"]


def locus_radius(radius: np.ndarray, snr: np.ndarray, saturated: np.ndarray) -> float:
    """Return the half-light radius of point sources, the lower edge of the size distribution.

    Stars have one size at every brightness and nothing is smaller: the size most frequent among
    the smallest half of the well-measured sources, in bins of a tenth, is theirs.

    Parameters
    ----------
    radius : (n,) [pixel]
        Half-light radii.
    snr : (n,)
        Signal to noise.
    saturated : (n,)
        Share of saturated pixels.

    Returns
    -------
    float
        Radius [pixel]; NaN when fewer than five sources are measured well enough.
    """
    for limit in (50, 30, 15):
        good = (snr >= limit) & (saturated == 0) & np.isfinite(radius) & (radius > 0)
        if good.sum() >= 5:
            break
    else:
        return np.nan
    size = np.sort(np.log(radius[good]))
    # A few blends and cosmic rays are smaller than a star can be.
    size = size[len(size) // 100 : max(5, len(size) // 2)]
    count = np.searchsorted(size, size + 0.1, side="right") - np.arange(len(size))
    start = int(np.argmax(count))
    return float(np.exp(np.median(size[start : start + count[start]])))


def stand_alone(x: np.ndarray, y: np.ndarray, tile: np.ndarray, distance: float) -> np.ndarray:
    """Return whether no other source of the same tile is nearer than ``distance`` [pixel]."""
    from scipy.spatial import KDTree

    alone = np.ones(len(x), dtype=bool)
    for number in np.unique(tile):
        rows = np.flatnonzero(tile == number)
        if len(rows) > 1:
            places = np.stack([x[rows], y[rows]], axis=-1)
            nearest = KDTree(places).query(places, k=2)[0][:, 1]
            alone[rows] = nearest >= distance
    return alone
