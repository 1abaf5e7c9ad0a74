"""Stacks of ready-made cutouts, opened as a survey of as many small tiles."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import astropy.units as u
from astropy.table import QTable

from skywright.data.fetch import datasets, path
from skywright.data.open_survey import by_band, check_pixels, parse_unit
from skywright.data.planes import Opened, open_planes
from skywright.data.survey import Survey, Tile

__all__ = ["central_positions", "open_cutouts"]


def open_cutouts(
    cutouts: str | Mapping[str, str] | None,
    *,
    scale: str | u.Quantity,
    unit: str | u.UnitBase = "ct",
    zero_point: Any = None,
    gain: Any = None,
    stand_in: Survey | None = None,
) -> Survey:
    """Open one stack of cutouts a band; every cutout becomes a tile of its own.

    What searches a survey then searches cutouts as well, and nothing of one tile reaches another.

    Parameters
    ----------
    cutouts : str, dict or None
        A dict band -> file with a cube (cutout, y, x), FITS or HDF5; or the name of public data
        that hold such files, ``des-backgrounds``. Without cutouts ``stand_in`` is returned.
    scale : str or Quantity [arcsec]
        Angular size of a pixel, as ``'0.263 arcsec'``.
    unit : str or Unit
        Of the pixels, ``ct`` for counts.
    zero_point : number, Quantity or dict [AB mag], optional
        Magnitude of one ``unit``, for all bands or by band. Recorded; the pixels stay as they are.
    gain : number or dict [electron / unit], optional
        For all bands or by band.
    stand_in : Survey, optional
        What is searched when there are no cutouts, so that a recipe runs without data.

    Returns
    -------
    Survey
        Tile i is cutout i.

    Raises
    ------
    FileNotFoundError
        A file or the public data are not on this machine.
    ValueError
        The stacks differ in number or size, a cutout is empty in a band, or nothing was given.
    """
    if cutouts is None:
        if stand_in is None:
            raise ValueError("no cutouts: give cutouts={g: g.fits, …}, or a stand_in for them")
        return stand_in
    opened = {band: open_planes(file) for band, file in _files(cutouts).items()}
    count, shape = _check(opened)
    tiles = []
    for index in range(count):
        flux = tuple(stack.planes[index] for stack in opened.values())
        for band, plane in zip(opened, flux, strict=True):
            check_pixels(plane, shape, f"{band} of cutout {index}")
        tiles.append(Tile(name=f"cutout {index}", shape=shape, flux=flux))
    bands = tuple(opened)
    return Survey(
        tiles=tuple(tiles),
        bands=bands,
        unit=parse_unit(unit, "unit"),
        scale=_scale(scale),
        zero_point=by_band(zero_point, bands, "zero_point", u.ABmag),
        gain=by_band(gain, bands, "gain", None),
        quantised=all(stack.whole for stack in opened.values()),
    )


def central_positions(survey: Survey) -> QTable:
    """Return the middle of every tile, where the galaxy of a cutout lies.

    Parameters
    ----------
    survey : Survey
        From `open_cutouts`.

    Returns
    -------
    QTable
        ``object_id`` and ``tile``, both counted from 0, ``x`` and ``y`` [pixel]: what
        `skywright.find.detect` measures in place of detection.

    Examples
    --------
    >>> import numpy as np
    >>> tile = Tile("one", (91, 91), np.zeros((1, 91, 91)))
    >>> survey = Survey((tile,), ("g",), u.ct, 0.263 * u.arcsec)
    >>> central_positions(survey)["x"].tolist()
    [45.0]
    """
    number = list(range(len(survey.tiles)))
    return QTable(
        {
            "object_id": number,
            "tile": number,
            "x": [(tile.shape[1] - 1) / 2 for tile in survey.tiles],
            "y": [(tile.shape[0] - 1) / 2 for tile in survey.tiles],
        }
    )


def _files(cutouts: str | Mapping[str, str]) -> dict[str, str]:
    """Return band -> file of what was given, or of public data whose files are named by band."""
    if isinstance(cutouts, Mapping):
        if not cutouts:
            raise ValueError("cutouts is an empty mapping: give band: file")
        return {str(band): str(file) for band, file in cutouts.items()}
    if cutouts not in datasets():
        raise ValueError(
            f"cutouts is {cutouts!r}; expected a mapping band: file, as {{g: g.fits, r: r.fits}}, "
            "or the name of public data (skywright data list)"
        )
    folder = path(cutouts)
    names = [name for name in datasets()[cutouts].files if name.endswith(".fits")]
    return {Path(name).stem: str(folder / name) for name in names}


def _check(opened: dict[str, Opened]) -> tuple[int, tuple[int, int]]:
    """Return number and shape of the cutouts, on which all bands have to agree."""
    first, stack = next(iter(opened.items()))
    for band, other in opened.items():
        if (len(other.planes), other.shape) != (len(stack.planes), stack.shape):
            raise ValueError(
                f"{other.planes[0].path}: band {band!r} has {len(other.planes)} cutouts of "
                f"{other.shape} pixels, band {first!r} {len(stack.planes)} of {stack.shape}; "
                "expected the same cutouts in every band"
            )
    return len(stack.planes), stack.shape


def _scale(scale: str | u.Quantity) -> u.Quantity:
    size = u.Quantity(scale)
    if not size.isscalar or not size.unit.is_equivalent(u.arcsec) or not size > 0 * u.arcsec:
        raise ValueError(f"scale is {scale}; expected an angle per pixel, as '0.263 arcsec'")
    return size.to(u.arcsec)
