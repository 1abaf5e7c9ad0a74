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


def nearest_overlap(catalog: Table, rows: np.ndarray, others: np.ndarray, size: int) -> np.ndarray:
    """Return for each of ``rows`` one of ``others`` whose cutout shares sky with its own, or -1.

    Two squares of ``size`` pixels on one tile share a pixel when their corners differ by less than
    ``size`` in both directions, so a search by the larger difference in a k-d tree finds it.
    Tiles may overlap on the sky: where they have coordinates, cutouts of different tiles count as
    shared when their centres are nearer than a diagonal.

    Parameters
    ----------
    catalog : Table
        Columns ``tile, x, y``, and ``ra, dec`` [deg] if known.
    rows, others : (n,), (m,) int
        Rows of ``catalog``.
    size : int [pixel]
        Side of the cutouts.
    """
    found = np.full(len(rows), -1, dtype=np.int64)
    corner, tile, sky = corners(catalog, size), np.asarray(catalog["tile"]), _sky(catalog)
    reach = 0.0 if sky is None else np.sqrt(2) * size * _pixel_angle(corner, sky, tile)
    for number in np.unique(tile[rows]):
        mine = np.flatnonzero(tile[rows] == number)
        here = others[tile[others] == number]
        _nearest(found, mine, corner[rows[mine]], here, corner[here], size - 0.5, np.inf)
        away = others[tile[others] != number]
        if sky is not None and len(away):
            away = away[np.isfinite(sky[away]).all(axis=1)]
            known = mine[np.isfinite(sky[rows[mine]]).all(axis=1)]
            _nearest(found, known, sky[rows[known]], away, sky[away], reach, 2)
    return found


def _nearest(
    found: np.ndarray,
    mine: np.ndarray,
    places: np.ndarray,
    others: np.ndarray,
    goals: np.ndarray,
    reach: float,
    norm: float,
) -> None:
    """Fill ``found`` at ``mine`` with the nearest of ``others`` where it is within ``reach``."""
    if len(mine) == 0 or len(others) == 0:
        return
    distance, index = KDTree(goals).query(places, p=norm, distance_upper_bound=reach)
    near = np.isfinite(distance)
    found[mine[near]] = others[index[near]]


def _sky(catalog: Table) -> np.ndarray | None:
    """Return unit vectors of the positions, (n, 3), or None where no place is known."""
    if not {"ra", "dec"} <= set(catalog.colnames):
        return None
    ra, dec = (np.deg2rad(np.asarray(catalog[name], dtype=float)) for name in ("ra", "dec"))
    if not (np.isfinite(ra) & np.isfinite(dec)).any():
        return None
    return np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=-1)


def _pixel_angle(corner: np.ndarray, sky: np.ndarray, tile: np.ndarray) -> float:
    """Return the largest angle of a pixel [rad], from pairs far apart on each tile."""
    angles = [0.0]
    for number in np.unique(tile):
        rows = np.flatnonzero((tile == number) & np.isfinite(sky).all(axis=1))
        if len(rows) > 1:
            apart = np.linalg.norm(corner[rows] - corner[rows[0]], axis=1)
            far = int(np.argmax(apart))
            turn = np.linalg.norm(sky[rows[far]] - sky[rows[0]])
            angles.append(float(turn / max(apart[far], 1.0)))
    return max(angles)
