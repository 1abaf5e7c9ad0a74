"""Cutouts of catalogued objects, without ever holding the mosaic."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
from astropy.table import QTable

from skywright.data.background import Background, measure_background
from skywright.data.footprints import corners, fits_inside
from skywright.data.images import Images
from skywright.data.noise import measure_noise_excess
from skywright.data.psf import Psf
from skywright.data.survey import Survey, Tile

__all__ = ["cut_out", "cutout_size"]

# Pixels are read in blocks of this height and width, and the cutouts in them taken together.
BLOCK = (512, 4096)
IN_MEMORY = 1 << 30
# Rms that leaves room in single precision for light that is far fainter, and far brighter.
NOISE = (1e-30, 1e30)


def cutout_size(psf: Psf, size: int | None = None) -> int:
    """Return the side of cutouts [pixel]: as asked for, or wide enough for the widest arcs.

    Parameters
    ----------
    psf : Psf
        Arcs reach out to eight times the width of its widest band.
    size : int, optional
        What was asked for; by default at least 48 pixels, and an even number.

    Examples
    --------
    >>> cutout_size(Psf(("g",), np.array([4.0]), np.array([np.inf]), "given"))
    64
    """
    return 2 * max(24, int(np.ceil(8 * np.max(psf.fwhm)))) if size is None else size


def cut_out(
    survey: Survey,
    catalog: QTable,
    *,
    psf: Psf | None = None,
    size: int = 48,
    scratch: Path | None = None,
) -> Images:
    """Cut a square around every object.

    The level of the sky around the object is subtracted, rounded where pixels are whole numbers, so
    that these stay whole. Pixels that must not be used become zero and are marked in ``mask``. The
    variance is that of the local sky, one number an object and band, or the map that the weight
    gives.

    Parameters
    ----------
    survey : Survey
        The images.
    catalog : QTable
        Columns ``object_id, tile, x, y``; row i becomes image i.
    psf : Psf, optional
        Its FWHM travels with the images, and so does the noise on its scale (``noise_excess``).
    size : int [pixel]
        Side of a cutout.
    scratch : Path, optional
        Folder for stacks over one gigabyte; without it they are held in memory.

    Returns
    -------
    Images
        One row per row of ``catalog``.

    Raises
    ------
    ValueError
        A cutout would leave its tile (`skywright.find.select_galaxies` removes such objects), or
        the sky has no noise that arithmetic can hold.
    """
    _check(survey, catalog, size)
    corner, tile = corners(catalog, size), np.asarray(catalog["tile"])
    shape = (len(catalog), len(survey.bands), size, size)
    flux = make_room(shape, np.dtype(np.float32), scratch, "flux")
    weighted = all(t.weight for t in survey.tiles)
    variance = (
        make_room(shape, np.dtype(np.float32), scratch, "variance")
        if weighted
        else np.zeros((*shape[:2], 1, 1))
    )
    mask = make_room((shape[0], size, size), np.dtype(bool), scratch, "mask")
    highest, excess = 0.0, np.ones(len(catalog))
    for number in np.unique(tile):
        source = survey.tiles[number]
        rows = np.flatnonzero(tile == number)
        sky = measure_background(source)
        level, rms = _around(sky, survey, source, catalog[rows])
        if psf is not None:
            excess[rows] = _excess(source, sky, float(np.mean(psf.fwhm)), weighted)
        highest = max(highest, float(level.max()))
        if not weighted:
            variance[rows] = (rms.T**2)[:, :, None, None]
        _fill(source, rows, corner[rows], (level.T, rms.T), size, (flux, variance, mask))
    return Images(
        flux=flux,
        bands=survey.bands,
        unit=survey.unit,
        scale=survey.scale,
        object_id=np.asarray(catalog["object_id"], dtype=np.int64),
        ra=np.asarray(catalog["ra"], dtype=float) if "ra" in catalog.colnames else None,
        dec=np.asarray(catalog["dec"], dtype=float) if "dec" in catalog.colnames else None,
        variance=variance,
        mask=mask,
        psf_fwhm=None if psf is None else np.asarray(psf.fwhm, dtype=float),
        noise_excess=None if psf is None else excess,
        quantised=survey.quantised,
        # One number for all: the sky is taken off it where that is brightest.
        saturation=None if survey.saturation is None else survey.saturation - highest,
        reason=survey.reason,
    )


def _around(
    sky: Background, survey: Survey, tile: Tile, objects: QTable
) -> tuple[np.ndarray, np.ndarray]:
    """Return level and rms (band, n) of the sky around objects."""
    level, rms = sky.at(np.asarray(objects["x"]), np.asarray(objects["y"]))
    _check_noise(rms, tile, survey.bands)
    return np.rint(level) if survey.quantised else level, rms


def _excess(tile: Tile, sky: Background, fwhm: float, weighted: bool) -> float:
    excess = measure_noise_excess(tile, sky, fwhm, weighted=weighted)
    if np.isfinite(excess):
        return excess
    warnings.warn(
        f"tile {tile.name!r}: too few good pixels lie together to measure how far its noise is "
        "shared between pixels; signal to noise takes them as independent",
        stacklevel=2,
    )
    return 1.0


def _check(survey: Survey, catalog: QTable, size: int) -> None:
    missing = {"object_id", "tile", "x", "y"} - set(catalog.colnames)
    if missing:
        raise ValueError(f"the catalogue lacks {sorted(missing)}; it has {catalog.colnames}")
    if size < 1:
        raise ValueError(f"size is {size} pixels; expected at least 1")
    corner = corners(catalog, size)
    for number in np.unique(np.asarray(catalog["tile"])):
        if not 0 <= number < len(survey.tiles):
            raise ValueError(f"the catalogue names tile {number} of {len(survey.tiles)}")
        rows = np.flatnonzero(np.asarray(catalog["tile"]) == number)
        outside = rows[~fits_inside(corner[rows], size, survey.tiles[number].shape)]
        if len(outside):
            raise ValueError(
                f"{len(outside)} cutouts of {size} pixels leave tile {number}, as that of object "
                f"{catalog['object_id'][outside[0]]}: leave out objects near the edge, as "
                "skywright.find.select_galaxies does"
            )


def _check_noise(rms: np.ndarray, source: Tile, bands: tuple[str, ...]) -> None:
    """Refuse a sky (band, n) without noise, or one that single precision cannot hold."""
    for band, values in zip(bands, rms, strict=True):
        if not values.all():
            raise ValueError(
                f"tile {source.name!r}: the sky of band {band!r} has no noise around "
                f"{int((values == 0).sum())} of {len(values)} objects, so signal to noise means "
                "nothing: give a mask where the image is padded or clipped at black"
            )
        if not NOISE[0] <= values.min() <= values.max() <= NOISE[1]:
            raise ValueError(
                f"tile {source.name!r}: the noise of band {band!r} is {np.median(values):.3g}; "
                f"expected {NOISE[0]:g} to {NOISE[1]:g}: multiply the pixels into a unit nearer to "
                "the noise"
            )


def make_room(
    shape: tuple[int, ...], dtype: np.dtype, scratch: Path | None, name: str
) -> np.ndarray:
    """Return an array to fill: in memory, or in a file of ``scratch`` when it is large."""
    if scratch is None or np.prod(shape) * dtype.itemsize <= IN_MEMORY:
        return np.zeros(shape, dtype=dtype)
    return np.lib.format.open_memmap(scratch / f"{name}.npy", "w+", dtype=dtype, shape=shape)


def _fill(
    source: Tile,
    rows: np.ndarray,
    corner: np.ndarray,
    sky: tuple[np.ndarray, np.ndarray],
    size: int,
    stacks: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    """Read the blocks of a tile that hold cutouts, in order, and copy the cutouts out of them."""
    flux, variance, mask = stacks
    level, rms = sky
    block = corner // BLOCK
    for place in np.unique(block, axis=0):
        members = np.flatnonzero((block == place).all(axis=1))
        low = corner[members].min(axis=0)
        high = corner[members].max(axis=0) + size
        pixels, noise, bad = source.read(low[0], high[0], low[1], high[1])
        for member in members:
            y, x = corner[member] - low
            window = (slice(y, y + size), slice(x, x + size))
            row, hidden = rows[member], bad[window]
            flux[row] = np.where(hidden, 0, pixels[(..., *window)] - level[member][:, None, None])
            mask[row] = hidden
            if noise is not None and variance.shape[-1] == size:
                flat = rms[member][:, None, None] ** 2
                variance[row] = np.where(hidden, flat, noise[(..., *window)])
