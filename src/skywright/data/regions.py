"""Regions of the sky with equal numbers of objects, to hold whole regions out of training."""

from __future__ import annotations

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable

__all__ = ["sky_regions"]


def sky_regions(catalog: QTable, *, n: int) -> QTable:
    """Cut the field into ``n`` compact regions that hold equal numbers of objects.

    The field is halved again and again across its longer side. Neighbours in number are mostly
    neighbours on the sky.

    Parameters
    ----------
    catalog : QTable
        Columns ``object_id, tile, x, y``, and ``ra, dec`` when there are several tiles on one sky.
    n : int
        Number of regions.

    Returns
    -------
    QTable
        Columns ``object_id`` and ``region`` (0 … n - 1), row by row as ``catalog``.

    Raises
    ------
    ValueError
        There are fewer objects than regions.

    Examples
    --------
    >>> t = QTable({"object_id": [0, 1, 2, 3], "tile": [0] * 4, "x": [0, 1, 8, 9], "y": [0.0] * 4})
    >>> sky_regions(t, n=2)["region"].tolist()
    [0, 0, 1, 1]
    """
    if not 1 <= n <= len(catalog):
        raise ValueError(
            f"{n} regions of {len(catalog)} objects: give at least one region and one object for "
            "each, or a larger field"
        )
    region = np.zeros(len(catalog), dtype=np.int64)
    places = _places(catalog)
    identity = np.asarray(catalog["object_id"])
    parts = [(np.arange(len(catalog)), 0, n)]
    while parts:
        rows, first, count = parts.pop()
        if count == 1:
            region[rows] = first
            continue
        half = count // 2
        axis = int(np.argmax(np.ptp(places[rows], axis=0)))
        order = rows[np.lexsort((identity[rows], places[rows, axis]))]
        cut = round(len(rows) * half / count)
        parts += [(order[:cut], first, half), (order[cut:], first + half, count - half)]
    return QTable({"object_id": identity, "region": region})


def _places(catalog: QTable) -> np.ndarray:
    """Return positions on one plane, (n, 2): pixels, the sky of several tiles, or side by side."""
    x, y = np.asarray(catalog["x"], dtype=float), np.asarray(catalog["y"], dtype=float)
    tile = np.asarray(catalog["tile"])
    if len(np.unique(tile)) == 1:
        return np.stack([x, y], axis=-1)
    if {"ra", "dec"} <= set(catalog.colnames):
        ra, dec = np.asarray(catalog["ra"], float), np.asarray(catalog["dec"], float)
        if np.isfinite(ra).all() and np.isfinite(dec).all():
            sky = SkyCoord(ra * u.deg, dec * u.deg)
            middle = SkyCoord(sky.cartesian.mean(), frame="icrs").spherical
            centre = SkyCoord(middle.lon, middle.lat)
            east, north = centre.spherical_offsets_to(sky)
            return np.stack([east.to_value(u.deg), north.to_value(u.deg)], axis=-1)
    return np.stack([x + tile * (np.ptp(x) + np.ptp(y) + 1), y], axis=-1)
