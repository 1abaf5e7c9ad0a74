"""Which sources are as small as the point spread function."""

from __future__ import annotations

import numpy as np

__all__ = ["locus_radius", "stand_alone"]

# Width in log size of the locus of stars, and how far it has to stand out.
BIN = 0.1
CONTRAST = 2.0


def locus_radius(radius: np.ndarray, snr: np.ndarray, saturated: np.ndarray) -> tuple[float, bool]:
    """Return the half-light radius of point sources, the lower edge of the size distribution.

    Stars have one size at every brightness, and nothing is smaller. The size most frequent among
    the smaller half of the well-measured sources is theirs when it is twice as frequent as the
    sizes just above; otherwise galaxies hide the stars, and the smallest twentieth stands for them.

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
    radius : float [pixel]
        NaN when fewer than five sources are measured well enough.
    certain : bool
        Whether a locus of stars stands out.
    """
    for limit in (50, 30, 15):
        good = (snr >= limit) & (saturated == 0) & np.isfinite(radius) & (radius > 0)
        if good.sum() >= 5:
            break
    else:
        return np.nan, False
    size = np.sort(np.log(radius[good]))
    # A few blends and cosmic rays are smaller than a star can be.
    low, half = len(size) // 100, len(size) // 2 + 1
    count = np.searchsorted(size, size + BIN, side="right") - np.arange(len(size))
    start = low + int(np.argmax(count[low:half]))
    stop = start + int(count[start])
    above = np.searchsorted(size, [size[start] + 1.5 * BIN, size[start] + 3.5 * BIN])
    if stop - start >= 5 and stop - start > CONTRAST * (above[1] - above[0]) / 2:
        return float(np.exp(np.median(size[start:stop]))), True
    return float(np.exp(np.quantile(size, 0.05))), False


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
