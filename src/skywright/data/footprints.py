"""Which pixels a cutout covers, and which cutouts share pixels."""

from __future__ import annotations

import numpy as np
from astropy.table import Table
from scipy.spatial import KDTree

__all__ = ["corners", "fits_inside", "nearest_overlap"]


def corners(catalog: Table, size: int) -> np.ndarray:
    """Return the first row and column of the cutout of every object, (n, 2) int [pixel].

    The object's pixel, its centre rounded, lies at ``[size // 2, size // 2]`` of the cutout.
    """
    places = np.stack([np.asarray(catalog["y"], float), np.asarray(catalog["x"], float)], axis=-1)
    return np.floor(places + 0.5).astype(np.int64) - size // 2


def fits_inside(corner: np.ndarray, size: int, shape: tuple[int, int]) -> np.ndarray:
    """Return whether each cutout lies inside an image of ``shape``, (n,) bool."""
    return np.all((corner >= 0) & (corner + size <= np.asarray(shape)), axis=-1)


def nearest_overlap(
    corner: np.ndarray, tile: np.ndarray, others: np.ndarray, other_tile: np.ndarray, size: int
) -> np.ndarray:
    """Return for each cutout one of ``others`` that shares a pixel with it, or -1.

    Two squares of ``size`` pixels share one when their corners differ by less than ``size`` in
    both directions, so a search by the larger difference in a k-d tree finds it.

    Parameters
    ----------
    corner, others : (n, 2), (m, 2) int [pixel]
        First row and column of the cutouts.
    tile, other_tile : (n,), (m,) int
        Tile of each; cutouts of different tiles share nothing.
    size : int [pixel]
        Side of the cutouts.
    """
    found = np.full(len(corner), -1, dtype=np.int64)
    for name in np.intersect1d(tile, other_tile):
        mine, theirs = np.flatnonzero(tile == name), np.flatnonzero(other_tile == name)
        distance, index = KDTree(others[theirs]).query(
            corner[mine], p=np.inf, distance_upper_bound=size - 0.5
        )
        near = np.isfinite(distance)
        found[mine[near]] = theirs[index[near]]
    return found
