"""The point spread function: taken as given, or measured from the smallest sources."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import astropy.units as u
import numpy as np
from astropy.io import fits
from astropy.table import QTable
from scipy.optimize import least_squares

from skywright.data.background import measure_background
from skywright.data.psf import Psf
from skywright.data.survey import Survey
from skywright.find.locus import locus_radius, stand_alone

__all__ = ["fit_moffat", "measure_psf"]

HALF = 10
FEW, MANY = 3, 60


def measure_psf(survey: Survey, sources: QTable, *, psf: Any = None) -> Psf:
    """Return the point spread function of every band.

    Parameters
    ----------
    survey : Survey
        The images.
    sources : QTable
        From `skywright.find.detect`.
    psf : number, Quantity, str, dict or None
        FWHM in pixels, FWHM as an angle (``'0.9 arcsec'``), a FITS file with its image (one for
        all bands, or a cube), or a dict band -> any of these. None measures it.

    Returns
    -------
    Psf
        Width of the image of a point source, pixel included. Its ``origin`` says how it was
        found; ``upper_limit`` is true when the smallest sources may be galaxies.

    Raises
    ------
    ValueError
        What was given cannot be understood, or no source is good enough to measure.
    """
    if psf is not None:
        return _given(survey, psf)
    rows, isolated = _stars(sources)
    stamps = _stamps(survey, sources, rows)
    fits_ = [fit_moffat(*stamps[band]) for band in range(len(survey.bands))]
    _, stands_out = locus_radius(
        *(np.asarray(sources[name]) for name in ("radius", "snr", "saturated"))
    )
    certain = stands_out and len(rows) >= FEW
    origin = f"measured from {len(rows)} point-like sources"
    if not certain:
        origin += "; an upper limit, for no stellar locus stands out and some may be galaxies"
    if not isolated:
        origin += "; none stands alone"
    return Psf(
        bands=survey.bands,
        fwhm=np.array([fit[0] for fit in fits_]),
        beta=np.array([fit[1] for fit in fits_]),
        origin=origin,
        stars=len(rows),
        upper_limit=not certain,
    )


def fit_moffat(r2: np.ndarray, flux: np.ndarray) -> tuple[float, float]:
    """Fit a round Moffat profile through pixels of sources of unit flux.

    Parameters
    ----------
    r2 : (n,) [pixel^2]
        Squared distance of each pixel from its source.
    flux : (n,)
        Its value, over the flux of the source.

    Returns
    -------
    fwhm : float [pixel]
        Full width at half maximum.
    beta : float
        Index, between 1.5 and 20 (which is as good as a Gaussian).
    """
    scale = float(np.max(np.abs(flux)))

    def miss(p: np.ndarray) -> np.ndarray:
        fwhm, beta, peak, sky = p
        core = np.expm1(np.log(2) / beta) * 4 * r2 / fwhm**2
        return np.asarray(peak * (1 + core) ** -beta + sky - flux / scale)

    found = least_squares(
        miss,
        [3.0, 4.0, 1.0, 0.0],
        bounds=([0.3, 1.5, 0.0, -1.0], [4.0 * HALF, 20.0, 10.0, 1.0]),
        loss="soft_l1",
        f_scale=0.05,
    )
    return float(found.x[0]), float(found.x[1])


def _stars(sources: QTable) -> tuple[np.ndarray, bool]:
    """Return rows of bright, unsaturated, isolated point-like sources, and whether isolated."""
    snr = np.asarray(sources["snr"])
    inner = np.asarray(sources["edge"]) >= HALF
    point = np.asarray(sources["point_like"]) & inner & (np.asarray(sources["saturated"]) == 0)
    point &= np.asarray(sources["q"]) > 0.7
    x, y, tile = (np.asarray(sources[name]) for name in ("x", "y", "tile"))
    for limit, distance in ((50, HALF), (50, HALF / 2), (20, HALF / 2), (20, 0), (0, 0)):
        alone = stand_alone(x, y, tile, distance)
        rows = np.flatnonzero(point & alone & (snr >= limit))
        if len(rows) >= FEW:
            return rows[np.argsort(-snr[rows], kind="stable")][:MANY], distance > 0
    raise ValueError(
        f"no point-like source among {len(sources)} to measure the point spread function from: "
        "give psf, as psf='0.9 arcsec' or psf=3.2 pixels"
    )


def _stamps(
    survey: Survey, sources: QTable, rows: np.ndarray
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return for each band the squared distances and normalised values of all stars' pixels."""
    found: list[list[tuple[np.ndarray, np.ndarray]]] = [[] for _ in survey.bands]
    numbers = np.asarray(sources["tile"])[rows]
    for number in np.unique(numbers):
        tile = survey.tiles[number]
        sky = measure_background(tile)
        for row in rows[numbers == number]:
            x, y = float(sources["x"][row]), float(sources["y"][row])
            top, left = max(round(y) - HALF, 0), max(round(x) - HALF, 0)
            window = (
                top,
                min(round(y) + HALF + 1, tile.shape[0]),
                left,
                min(round(x) + HALF + 1, tile.shape[1]),
            )
            flux, _, bad = tile.read(*window)
            flux = flux - sky.window(*window)[0]
            for image, pixels in zip(flux, found, strict=True):
                pixels += _profile(image, bad, x - left, y - top)
    for band, pixels in zip(survey.bands, found, strict=True):
        if not pixels:
            raise ValueError(f"no point-like source shines in band {band!r}: give psf")
    return [
        (np.concatenate([p[0] for p in pixels]), np.concatenate([p[1] for p in pixels]))
        for pixels in found
    ]


def _profile(
    image: np.ndarray, bad: np.ndarray, x: float, y: float
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return distances and values of one star's pixels around its centre in this band, if any."""
    import sep

    wx, wy, flag = (
        float(np.ravel(v)[0]) for v in sep.winpos(np.ascontiguousarray(image), [x], [y], 1.0)
    )
    if flag == 0 and np.hypot(wx - x, wy - y) < 1:
        x, y = wx, wy
    line, column = np.indices(image.shape)
    r2: np.ndarray = np.asarray((column - x) ** 2 + (line - y) ** 2)
    total = float(image[r2 < (HALF / 2) ** 2].sum())
    use = ~bad & (r2 < HALF**2 / 2)
    return [(r2[use], image[use] / total)] if total > 0 else []


def _given(survey: Survey, psf: Any) -> Psf:
    if not isinstance(psf, Mapping):
        psf = dict.fromkeys(survey.bands, psf)
    if set(psf) != set(survey.bands):
        raise ValueError(f"psf has the bands {tuple(psf)}; expected {survey.bands}")
    images = [
        _kernel(Path(psf[band]), index, len(survey.bands)) if _is_file(psf[band]) else None
        for index, band in enumerate(survey.bands)
    ]
    shapes = [
        _shape(image) if image is not None else (_width(survey, psf[band]), np.inf)
        for image, band in zip(images, survey.bands, strict=True)
    ]
    known = [image for image in images if image is not None]
    return Psf(
        bands=survey.bands,
        fwhm=np.array([shape[0] for shape in shapes]),
        beta=np.array([shape[1] for shape in shapes]),
        origin="given",
        kernel=_stack(known) if len(known) == len(images) else None,
    )


def _is_file(value: Any) -> bool:
    return isinstance(value, Path) or (
        isinstance(value, str) and value.lower().endswith((".fits", ".fit", ".fits.gz"))
    )


def _width(survey: Survey, value: Any) -> float:
    width = u.Quantity(value)
    if width.unit.is_equivalent(u.arcsec):
        if survey.scale is None:
            raise ValueError(f"psf is {width}, but the pixel scale is unknown: give it in pixels")
        return float((width / survey.scale).to_value(u.dimensionless_unscaled))
    if width.unit not in (u.dimensionless_unscaled, u.pix):
        raise u.UnitsError(f"psf is {width}; expected an angle, pixels, or a FITS file")
    return float(width.value)


def _kernel(path: Path, index: int, bands: int) -> np.ndarray:
    """Read the image of a point source, normalised to unit flux, its sides odd."""
    try:
        image = np.asarray(fits.getdata(path), dtype=float)
    except (OSError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: cannot be read as an image of a point source: {error}") from None
    if image.ndim == 3 and len(image) == bands:
        image = image[index]
    if image.ndim != 2 or not np.isfinite(image).all() or not image.sum() > 0:
        raise ValueError(
            f"{path}: shape {image.shape}; expected a finite image (y, x) or (band, y, x) of "
            "positive flux"
        )
    if image.shape[0] % 2 == 0 or image.shape[1] % 2 == 0:
        raise ValueError(f"{path}: sides {image.shape} are even, so no pixel is the centre")
    return np.asarray(image / image.sum())


def _shape(image: np.ndarray) -> tuple[float, float]:
    line, column = np.indices(image.shape)
    inner = image.clip(min=0)
    y, x = (line * inner).sum() / inner.sum(), (column * inner).sum() / inner.sum()
    return fit_moffat(((line - y) ** 2 + (column - x) ** 2).ravel(), image.ravel())


def _stack(images: list[np.ndarray]) -> np.ndarray:
    """Bring kernels of several sizes to the largest by a border of zeros."""
    height, width = np.max([image.shape for image in images], axis=0)
    borders = [((height - i.shape[0]) // 2, (width - i.shape[1]) // 2) for i in images]
    return np.stack(
        [np.pad(i, ((y, y), (x, x))) for i, (y, x) in zip(images, borders, strict=True)]
    )
