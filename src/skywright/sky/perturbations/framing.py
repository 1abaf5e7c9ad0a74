"""Perturbations of how the object is framed: a smaller field, a turned one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.ndimage import rotate

from skywright.data import Images
from skywright.sky.perturbations.electrons import background_rms

__all__ = ["crop_border", "turn"]


def crop_border(images: Images, severity: float, *, rng: np.random.Generator) -> Images:
    """Cut a border away and fill it with noise of the sky, so that nets still get their size.

    Parameters
    ----------
    images : Images
        Above the level of the sky.
    severity : float [pixel]
        Width of the border; rounded.
    rng : Generator
        Source of randomness.
    """
    width = round(severity)
    if not 0 <= 2 * width < min(images.flux.shape[-2:]):
        raise ValueError(
            f"a border of {severity} pixels of images of {images.flux.shape[-2:]}; expected one "
            "that leaves some"
        )
    noise = background_rms(images) * rng.standard_normal(images.flux.shape)
    inner = (..., slice(width, noise.shape[-2] - width), slice(width, noise.shape[-1] - width))
    noise[inner] = np.asarray(images.flux)[inner]
    return replace(images, flux=noise.astype(np.float32))


def turn(images: Images, severity: float, *, rng: np.random.Generator) -> Images:
    """Turn images about their middle.

    Multiples of 90 degrees are exact for square images; others are cubic splines, which smooth the
    noise a little, with corners that mirror what is inside.

    Parameters
    ----------
    images : Images
        Any.
    severity : float [deg]
        Angle from the first axis of pixels to the second.
    rng : Generator
        Not used.
    """
    del rng
    square = images.flux.shape[-1] == images.flux.shape[-2]
    quarters, rest = divmod(severity, 90)

    def turned(values: np.ndarray, order: int) -> np.ndarray:
        if values.shape[-2:] == (1, 1):
            return values
        if rest == 0 and square:
            return np.rot90(values, int(quarters), axes=(-2, -1)).copy()
        axes = (values.ndim - 1, values.ndim - 2)
        kind = values.dtype if values.dtype != bool else np.uint8
        result = rotate(values.astype(kind), severity, axes, False, order=order, mode="mirror")
        return np.asarray(result.astype(values.dtype))

    return replace(
        images,
        flux=turned(np.asarray(images.flux, dtype=np.float32), 3),
        variance=None if images.variance is None else turned(np.asarray(images.variance), 1),
        mask=None if images.mask is None else turned(np.asarray(images.mask), 0),
        quantised=images.quantised and rest == 0 and square,
    )
