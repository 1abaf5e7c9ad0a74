"""Positions on the sky: a footprint is a set of HEALPix cells, in nested order."""

from __future__ import annotations

import astropy.units as u
import numpy as np
from astropy_healpix import HEALPix, healpix_to_lonlat

__all__ = ["cell_area", "cells_in_cone", "checked_cells", "uniform_positions"]


def cell_area(nside: int, cells: int | np.ndarray = 0) -> u.Quantity:
    """Return the area [deg2] of a cell, or of several: all are of one size.

    Parameters
    ----------
    nside : int
        Resolution of HEALPix, a power of two; there are 12 nside**2 cells.
    cells : int or (cell,)
        Which.

    References
    ----------
    Gorski et al. 2005, ApJ 622, 759, section 4.

    Examples
    --------
    >>> cell_area(32).round(3), cell_area(32, [0, 1, 2]).round(3)
    (<Quantity 3.357 deg2>, <Quantity 10.072 deg2>)
    """
    count = len(checked_cells(cells, nside))
    return (count * 4 * np.pi / (12 * nside**2) * u.sr).to(u.deg**2)


def cells_in_cone(ra: u.Quantity, dec: u.Quantity, radius: u.Quantity, nside: int) -> np.ndarray:
    """Return the cells that touch a cone around a position, ascending.

    Parameters
    ----------
    ra, dec, radius : Quantity [angle]
        Centre and opening.
    nside : int
        See `cell_area`.
    """
    return np.sort(HEALPix(nside, order="nested").cone_search_lonlat(ra, dec, radius))


def uniform_positions(
    size: int, cells: int | np.ndarray, nside: int, *, rng: np.random.Generator
) -> tuple[u.Quantity, u.Quantity]:
    """Draw positions that are uniform over a footprint.

    Parameters
    ----------
    size : int
        How many.
    cells : int or (cell,)
        Cells of the footprint, nested.
    nside : int
        See `cell_area`.
    rng : Generator
        Source of randomness.

    Returns
    -------
    ra, dec : (size,) [deg]

    Examples
    --------
    >>> ra, dec = uniform_positions(3, 7, 32, rng=np.random.default_rng(0))
    >>> ra.shape, dec.unit
    ((3,), Unit("deg"))
    """
    cell = rng.choice(checked_cells(cells, nside), size)
    return positions_in(cell, nside, rng)


def positions_in(
    cell: np.ndarray, nside: int, rng: np.random.Generator
) -> tuple[u.Quantity, u.Quantity]:
    """Draw one position in each cell (n,); HEALPix keeps areas, inside a cell too."""
    dx, dy = rng.random((2, len(cell)))
    ra, dec = healpix_to_lonlat(cell, nside, dx, dy, order="nested")
    return ra.to(u.deg), dec.to(u.deg)


def checked_cells(cells: int | np.ndarray, nside: int) -> np.ndarray:
    """Return cells (cell,) of which each exists, and once.

    Raises
    ------
    ValueError
        When ``nside`` is no power of two, or a cell does not exist or is named twice.
    """
    if nside < 1 or nside & (nside - 1):
        raise ValueError(f"nside is {nside}; expected a power of two")
    found = np.atleast_1d(np.asarray(cells))
    if found.dtype.kind not in "iu" or found.ndim != 1 or not len(found):
        raise ValueError(f"cells are {cells!r:.60}; expected whole numbers, one or more")
    if found.min() < 0 or found.max() >= 12 * nside**2:
        raise ValueError(
            f"cells reach from {found.min()} to {found.max()}; at nside {nside} they are numbered "
            f"from 0 to {12 * nside**2 - 1}"
        )
    if len(np.unique(found)) < len(found):
        raise ValueError("a cell of the footprint is named twice")
    return found
