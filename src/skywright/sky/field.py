"""The galaxies that are painted on, as bare arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from astropy.table import QTable

from skywright.data import Images
from skywright.data.footprints import corners

__all__ = ["PIXEL_FWHM", "Field", "bare", "read_field", "without_pixel"]

# A measured width contains the pixel, whose variance is 1/12: as a Gaussian, 0.68 pixels wide.
PIXEL_FWHM = np.sqrt(8 * np.log(2) / 12)
SHARPEST = 0.5


@dataclass(frozen=True)
class Field:
    """Galaxies with their cutouts, checked.

    Parameters
    ----------
    galaxies : QTable
        The galaxies.
    bands : (band,)
        Names.
    pixels : int
        Side of a cutout.
    fwhm : float [pixel]
        Width of the widest point spread function.
    sharp : float [pixel]
        Mean width over the bands, before the pixel integrates.
    object_id : (n,) int
        Identifiers.
    x, y : (n,) [pixel]
        Position in the cutout, from its centre.
    q, theta : (n,) [1], [rad]
        Axis ratio and position angle.
    flux : (n,) [unit of the images]
        Flux in all bands together.
    """

    galaxies: QTable
    bands: tuple[str, ...]
    pixels: int
    fwhm: float
    sharp: float
    object_id: np.ndarray
    x: np.ndarray
    y: np.ndarray
    q: np.ndarray
    theta: np.ndarray
    flux: np.ndarray


def read_field(galaxies: QTable, images: Images) -> Field:
    """Return the galaxies and their cutouts as arrays, refusing what does not fit together."""
    needed = ["object_id", "x", "y", "q", "theta", "radius", *(f"flux_{b}" for b in images.bands)]
    missing = sorted(set(needed) - set(galaxies.colnames))
    if missing:
        raise ValueError(f"the galaxies lack the columns {missing}; they have {galaxies.colnames}")
    if not len(galaxies):
        raise ValueError("there are no galaxies to paint on: the selection left none")
    ids = np.asarray(galaxies["object_id"])
    if len(ids) != len(images) or not np.array_equal(ids, images.object_id):
        raise ValueError(
            f"{len(ids)} galaxies and {len(images)} cutouts do not match row by row: give the "
            "cutouts made from this very table by skywright.data.cut_out"
        )
    if images.variance is None:
        raise ValueError("the cutouts have no variance: arc S/N needs the local background rms")
    if images.psf_fwhm is None:
        raise ValueError("the cutouts have no psf_fwhm: give psf to skywright.data.cut_out")
    pixels = images.flux.shape[-1]
    if images.flux.shape[-2] != pixels:
        raise ValueError(f"cutouts are {images.flux.shape[-2:]} pixels; expected squares")
    q, theta = bare(galaxies["q"]), bare(galaxies["theta"])
    offset = np.stack([bare(galaxies["y"]), bare(galaxies["x"])], axis=1)
    offset -= corners(galaxies, pixels) + (pixels - 1) / 2
    fwhm = float(np.max(images.psf_fwhm))
    return Field(
        galaxies=galaxies,
        bands=images.bands,
        pixels=pixels,
        fwhm=fwhm,
        sharp=float(without_pixel(np.mean(images.psf_fwhm))),
        object_id=ids.astype(np.int64),
        x=offset[:, 1],
        y=offset[:, 0],
        q=np.where(np.isfinite(q), np.clip(q, 0.05, 1.0), 1.0),
        theta=np.where(np.isfinite(theta), theta, 0.0),
        flux=np.sum([bare(galaxies[f"flux_{band}"]) for band in images.bands], axis=0),
    )


def without_pixel(fwhm: np.ndarray | float) -> np.ndarray:
    """Return the width before the pixel integrates of a width measured on pixels [pixel].

    Examples
    --------
    >>> round(float(without_pixel(2.0)), 3)
    1.881
    """
    squared = np.square(fwhm) - PIXEL_FWHM**2
    return np.asarray(np.sqrt(np.maximum(squared, SHARPEST**2)))


def bare(column: Any) -> np.ndarray:
    """Return a column as bare floats: radians for angles, pixels for lengths."""
    values = column
    if getattr(column, "unit", None) is not None and hasattr(column, "to_value"):
        unit = column.unit
        values = column.to_value("rad") if unit.physical_type == "angle" else column.value
    return np.array(values, dtype=float)
