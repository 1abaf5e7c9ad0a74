"""Paint arcs and impostors on cutouts of real galaxies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import torch
from astropy.table import QTable

from skywright.data import Images, Psf
from skywright.sky.field import without_pixel
from skywright.sky.photometry import scale_to_snr
from skywright.sky.psf import PointSpread, gaussian_psf, moffat_psf, pixel_psf
from skywright.sky.scene import painted_shapes

__all__ = ["add_light", "electrons_of", "paint", "painted_light", "point_spread"]

GAUSSIAN = 8.0  # from this exponent on a Moffat profile of given width is rendered as a Gaussian


def paint(
    images: Images,
    systems: QTable,
    *,
    psf: Psf | None = None,
    rng: np.random.Generator,
    gain: float | Mapping[str, float] | None = None,
    batch: int = 64,
    progress: Callable[[float], None] | None = None,
) -> Images:
    """Add the light of ``systems`` to the cutouts of their galaxies.

    The cutouts carry their noise already and none is added, but for the photon noise of the
    painted light itself where the gain is known. Display counts have no gain: nothing is added
    then, and no claim about photons is made. In images of whole numbers the painted light is
    rounded with subtractive dither, ``whole + floor(light + v)`` with v uniform in [0, 1): its
    mean is the light, and where there is no light a pixel stays what it was.

    Parameters
    ----------
    images : Images
        Cutouts; ``systems["row"]`` counts their rows.
    systems : QTable
        From `draw_systems` or `draw_forecast`, or any rows of it: rows are independent, but they
        use up ``rng`` in order, so the dither of a row depends on the rows before it in a call.
    psf : Psf, optional
        Point spread function; by default a Gaussian of ``images.psf_fwhm``.
    rng : Generator
        For dither and photon noise.
    gain : float or mapping, optional
        Electrons per unit of flux, for all bands or by band.
    batch : int
        Systems that are rendered at once.
    progress : callable, optional
        Is told the fraction done.

    Returns
    -------
    Images
        One row per system, ``object_id`` that of the system; untouched rows keep every bit.

    Raises
    ------
    ValueError
        The systems do not belong to the cutouts, or these lack variance or PSF.
    """
    _check(images, systems)
    electrons = electrons_of(gain, images.bands)
    spread = point_spread(images, psf)
    row = np.asarray(systems["row"])
    base = images[row]
    flux = np.array(base.flux)
    for start in range(0, len(systems), batch):
        part = slice(start, min(start + batch, len(systems)))
        touched = np.asarray(systems["snr"][part]) > 0
        rows = np.arange(part.start, part.stop)[touched]
        if rows.size:
            light = _light(systems[rows], base[rows], spread)
            flux[rows] = add_light(flux[rows], light, images, electrons, rng)
        if progress is not None:
            progress(part.stop / len(systems))
    return replace(base, flux=flux, object_id=np.array(systems["object_id"], dtype=np.int64))


def painted_light(images: Images, systems: QTable, *, psf: Psf | None = None) -> np.ndarray:
    """Return the noiseless light that `paint` adds, (n, band, y, x) [unit of ``images``]."""
    _check(images, systems)
    return _light(systems, images[np.asarray(systems["row"])], point_spread(images, psf))


def point_spread(images: Images, psf: Psf | None) -> PointSpread:
    """Return the point spread function of each band, in pixels, as the renderer takes it.

    A `Psf` and ``psf_fwhm`` are what point sources look like on the pixels; the renderer
    integrates over pixels itself, so the pixel is taken out of the width first.
    """
    if psf is None:
        return gaussian_psf(torch.as_tensor(without_pixel(np.asarray(images.psf_fwhm))))
    if tuple(psf.bands) != tuple(images.bands):
        raise ValueError(f"the PSF has bands {psf.bands}, the images have {images.bands}")
    if psf.kernel is not None:
        return pixel_psf(torch.as_tensor(np.array(psf.kernel)), 1.0)
    fwhm = torch.as_tensor(without_pixel(np.asarray(psf.fwhm)))
    if np.min(psf.beta) >= GAUSSIAN:
        return gaussian_psf(fwhm)
    return moffat_psf(fwhm, torch.as_tensor(np.minimum(psf.beta, 50.0)))


def _light(systems: QTable, images: Images, spread: PointSpread) -> np.ndarray:
    """Return the light of each system, row by row on its own cutout."""
    shapes = painted_shapes(systems, pixels=images.flux.shape[-1], psf=spread)
    share = np.nan_to_num(np.asarray(systems["share"], dtype=np.float32))
    light, snr = shapes * share[:, :, None, None], np.asarray(systems["snr"])
    return scale_to_snr(light, images.variance, snr, images.noise_excess)


def add_light(
    flux: np.ndarray,
    light: np.ndarray,
    images: Images,
    electrons: np.ndarray | None,
    rng: np.random.Generator,
) -> np.ndarray:
    """Add light to pixels of ``images`` as its detector would: photons, whole numbers, saturation.

    Parameters
    ----------
    flux, light : (n, band, y, x) [unit of ``images``]
        What is there, and what comes.
    images : Images
        Whether their pixels are whole numbers, and where they saturate.
    electrons : (band, 1, 1) or None
        From `electrons_of`; None adds no photon noise.
    rng : Generator
        For photons and dither.
    """
    if electrons is not None:
        light = (rng.poisson(light * electrons) / electrons).astype(np.float32)
    if images.quantised:
        light = np.floor(light + rng.random(light.shape, dtype=np.float32))
    total = flux + light
    if images.saturation is not None:
        # What was brighter before stays: only painted light is cut.
        total = np.minimum(total, np.maximum(flux, images.saturation))
    return np.asarray(total.astype(flux.dtype))


def electrons_of(
    gain: float | Mapping[str, float] | None, bands: tuple[str, ...]
) -> np.ndarray | None:
    """Return electrons per unit of flux as (band, 1, 1), or None where they are not known."""
    if gain is None:
        return None
    if not isinstance(gain, Mapping):
        gain = dict.fromkeys(bands, gain)
    if set(gain) != set(bands) or not all(value > 0 for value in gain.values()):
        raise ValueError(
            f"gain is {dict(gain)}; expected electrons per unit of flux, above 0, for {bands}"
        )
    return np.array([gain[band] for band in bands], dtype=float)[:, None, None]


def _check(images: Images, systems: QTable) -> None:
    row = np.asarray(systems["row"])
    if len(row) and (row.min() < 0 or row.max() >= len(images)):
        raise ValueError(
            f"systems name rows {row.min()} to {row.max()} of {len(images)} cutouts: paint on the "
            "cutouts they were drawn for"
        )
    if len(row) and not np.array_equal(images.object_id[row], np.asarray(systems["group"])):
        raise ValueError(
            "systems and cutouts name different galaxies: column group has to be the object_id of "
            "the cutout in column row"
        )
    if images.variance is None:
        raise ValueError("the cutouts have no variance: arc S/N needs the local background rms")
    if images.psf_fwhm is None:
        raise ValueError("the cutouts have no psf_fwhm: give psf to skywright.data.cut_out")
