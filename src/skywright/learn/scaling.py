"""From fluxes to the numbers that nets and features see: signal over noise, then asinh.

Nothing here is fitted, so no row of a test set can leak into the scaling of another.
"""

from __future__ import annotations

import numpy as np

from skywright.data import Images

__all__ = ["SOFTENING", "noise_source", "scale_images", "signal_to_noise"]

SOFTENING = 1.0


def signal_to_noise(images: Images) -> np.ndarray:
    """Divide every image by its background noise, band by band.

    The noise is the square root of ``images.variance``; without a variance it is measured in
    each image and band alone, as 1.4826 times the median absolute deviation of the outermost
    eighth on each side. Masked pixels become 0, and so do bands without any noise (all zeros).

    Parameters
    ----------
    images : Images
        Cutouts; all of them are read into memory.

    Returns
    -------
    (n, band, y, x) float32
        Flux in units of the noise per pixel.

    Raises
    ------
    ValueError
        When a pixel that is not masked is NaN or infinite.
    """
    flux = np.asarray(images.flux[:], dtype=np.float32)
    if images.mask is not None:
        flux = np.where(np.asarray(images.mask[:], dtype=bool)[:, None], np.float32(0), flux)
    bad = ~np.isfinite(flux).all(axis=(1, 2, 3))
    if bad.any():
        rows = np.flatnonzero(bad)
        raise ValueError(
            f"{len(rows)} of {len(flux)} images have NaN or infinite pixels (first: row {rows[0]}, "
            f"object_id {images.object_id[rows[0]]}); expected finite pixels: mark the bad ones in "
            "Images.mask or leave these images out"
        )
    variance = _border_variance(flux) if images.variance is None else images.variance[:]
    sigma = np.sqrt(np.asarray(variance)).astype(np.float32)
    good = np.isfinite(sigma) & (sigma > 0)
    room, where = np.zeros_like(flux), np.broadcast_to(good, flux.shape)
    return np.asarray(np.divide(flux, sigma, out=room, where=where))


def scale_images(images: Images, softening: float = SOFTENING) -> np.ndarray:
    """Compress signal over noise with asinh, linear near the sky and logarithmic far above it.

    Parameters
    ----------
    images : Images
        Cutouts; all of them are read into memory.
    softening : float
        Signal over noise at which the scale turns from linear to logarithmic.

    Returns
    -------
    (n, band, y, x) float32
        ``asinh(flux / noise / softening)``.

    References
    ----------
    Lupton et al. 2004, PASP 116, 133 (asinh scaling of images), eq. 1.
    """
    scaled: np.ndarray = np.arcsinh(signal_to_noise(images) / np.float32(softening))
    return scaled


def noise_source(images: Images) -> str:
    """Say where `signal_to_noise` takes the noise of these images from."""
    return "border" if images.variance is None else "variance"


def _border_variance(flux: np.ndarray) -> np.ndarray:
    """Return a robust variance (n, band, 1, 1) of the outer eighth of each cutout."""
    edge = max(1, min(flux.shape[-2:]) // 8)
    border = np.ones(flux.shape[-2:], dtype=bool)
    border[edge:-edge, edge:-edge] = False
    sky = flux[..., border]
    middle = np.median(sky, axis=-1, keepdims=True)
    spread = 1.4826 * np.median(np.abs(sky - middle), axis=-1)
    return np.asarray(spread[..., None, None].astype(float) ** 2)
