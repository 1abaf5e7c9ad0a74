"""Perturbations by storing images in fewer bits."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np

from skywright.data import Images
from skywright.sky.perturbations.electrons import background_rms

__all__ = ["compress_jpeg", "quantise"]

_DARK, _BRIGHT = -5.0, 200.0  # noise; what an 8-bit picture shows of a range of 10,000


def quantise(images: Images, severity: float, *, rng: np.random.Generator) -> Images:
    """Round pixels to whole steps, as lossy compression of FITS without dithering does.

    Parameters
    ----------
    images : Images
        Any.
    severity : float [rms of the background]
        Size of a step; 0 leaves the images alone.
    rng : Generator
        Not used.
    """
    del rng
    if severity < 0:
        raise ValueError(f"steps of {severity} rms; expected 0 or more")
    if severity == 0:
        return images
    step = severity * background_rms(images)
    flux = np.rint(np.asarray(images.flux) / step) * step
    return replace(images, flux=flux.astype(np.float32))


def compress_jpeg(images: Images, severity: float, *, rng: np.random.Generator) -> Images:
    """Make a JPEG of each image and read it back.

    Flux is shown from 5 rms below the sky to 200 above it, in the arcsinh of its signal to noise
    (Lupton et al. 2004, PASP 116, 133), in 8 bits: three bands as colours, others each in grey.
    What is brighter is cut.

    Parameters
    ----------
    images : Images
        Above the level of the sky.
    severity : float
        100 minus the quality of the JPEG: 0 hardly visible, 99 blocks.
    rng : Generator
        Not used.
    """
    from PIL import Image

    del rng
    if not 0 <= severity < 100:
        raise ValueError(f"JPEG at a severity of {severity}; expected 0 to 99, 100 minus quality")
    rms = background_rms(images)
    dark, bright = np.arcsinh(_DARK), np.arcsinh(_BRIGHT)
    shown = (np.arcsinh(np.asarray(images.flux) / rms) - dark) / (bright - dark)
    pixels = np.rint(255 * np.clip(shown, 0, 1)).astype(np.uint8)

    def stored(picture: np.ndarray) -> np.ndarray:
        file = io.BytesIO()
        Image.fromarray(picture).save(file, "JPEG", quality=100 - round(severity))
        return np.asarray(Image.open(file))

    if len(images.bands) == 3:
        read = np.stack([np.moveaxis(stored(np.moveaxis(p, 0, -1)), -1, 0) for p in pixels])
    else:
        read = np.stack([np.stack([stored(band) for band in p]) for p in pixels])
    flux = np.sinh(read / 255 * (bright - dark) + dark) * rms
    return replace(images, flux=flux.astype(np.float32), quantised=False)
