"""Tables of positions that stand in for detection."""

from __future__ import annotations

from typing import Any

import astropy.units as u
import numpy as np
from astropy.table import Table

from skywright.data.open_table import open_table
from skywright.data.survey import Survey

__all__ = ["locate"]

NAMES = {
    "x": ("x", "x_image", "xcentroid"),
    "y": ("y", "y_image", "ycentroid"),
    "ra": ("ra", "ra_deg", "raj2000", "alpha_j2000"),
    "dec": ("dec", "dec_deg", "dej2000", "delta_j2000"),
    "tile": ("tile",),
    "object_id": ("object_id", "id"),
}


def locate(survey: Survey, positions: Any, *, required: bool = True) -> Table | None:
    """Bring a table of positions to pixels of the survey's tiles.

    Parameters
    ----------
    survey : Survey
        The images.
    positions : Table, str, Path or None
        Columns ``x, y`` [pixel, 0 at the centre of the first] and ``tile`` when there are several,
        or ``ra, dec`` [deg]; ``object_id`` is kept. CSV, ECSV, FITS, VOTable or Parquet.
    required : bool
        Whether to refuse a table none of whose positions lies inside.

    Returns
    -------
    Table or None
        ``object_id, tile, x, y`` of those inside a tile; the first tile that holds one wins.
        None when no positions are given.
    """
    if positions is None:
        return None
    table = positions if isinstance(positions, Table) else open_table(positions)
    found = {key: _find(table, names) for key, names in NAMES.items()}
    if found["x"] is not None and found["y"] is not None:
        tile = found["tile"]
        if tile is None:
            if len(survey.tiles) > 1:
                raise ValueError("positions in pixels on several tiles: add a column 'tile'")
            tile = np.zeros(len(table))
        places = (tile.astype(np.int64), found["x"], found["y"])
    elif found["ra"] is not None and found["dec"] is not None:
        places = _from_sky(survey, found["ra"], found["dec"])
    else:
        raise ValueError(
            f"positions have the columns {table.colnames}; expected x and y in pixels, or ra and "
            "dec in degrees"
        )
    identity = found["object_id"]
    identity = np.arange(len(table)) if identity is None else identity.astype(np.int64)
    if len(np.unique(identity)) < len(identity):
        raise ValueError("object_id of the positions is not unique")
    keep = _inside(survey, *places)
    if required and not keep.any():
        raise ValueError(f"none of {len(table)} positions lies inside the survey")
    names = ("object_id", "tile", "x", "y")
    return Table(dict(zip(names, (v[keep] for v in (identity, *places)), strict=True)))


def _find(table: Table, names: tuple[str, ...]) -> np.ndarray | None:
    lower = {name.lower(): name for name in table.colnames}
    for name in names:
        if name in lower:
            column = table[lower[name]]
            unit = getattr(column, "unit", None)
            if unit is not None and u.Unit(unit).is_equivalent(u.deg):
                return np.asarray(u.Quantity(column, unit).to_value(u.deg), dtype=float)
            values = np.asarray(column)
            if values.dtype.kind not in "iuf":
                raise ValueError(f"column {lower[name]!r} of the positions is no number")
            return values if names[0] == "object_id" else values.astype(float)
    return None


def _from_sky(
    survey: Survey, ra: np.ndarray, dec: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    tile = np.full(len(ra), -1, dtype=np.int64)
    x, y = np.full(len(ra), np.nan), np.full(len(ra), np.nan)
    for number, source in enumerate(survey.tiles):
        px, py = source.pixel(ra, dec)
        # The gnomonic projection also shows the far side of the sky.
        back_ra, back_dec = source.sky(px, py)
        turn = np.abs((back_ra - ra + 180) % 360 - 180) * np.cos(np.deg2rad(dec))
        true = (turn < 0.01) & (np.abs(back_dec - dec) < 0.01)
        here = (tile < 0) & true & _within(source.shape, px, py)
        tile[here], x[here], y[here] = number, px[here], py[here]
    return tile, x, y


def _inside(survey: Survey, tile: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    keep = np.zeros(len(x), dtype=bool)
    for number, source in enumerate(survey.tiles):
        keep |= (tile == number) & _within(source.shape, x, y)
    return keep


def _within(shape: tuple[int, int], x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return (x >= -0.5) & (y >= -0.5) & (x < shape[1] - 0.5) & (y < shape[0] - 0.5)
