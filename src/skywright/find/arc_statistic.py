"""Matched filter for tangential arcs around a galaxy that has been subtracted."""

from __future__ import annotations

import numpy as np

from skywright.data import Images
from skywright.find.polar import ANGLES
from skywright.find.residuals import Residuals, subtract_galaxies

__all__ = ["HALF_WIDTHS", "arc_response", "arc_statistic", "best_arc", "ridges"]

HALF_WIDTHS = (3, 6, 10)
_THICKNESS = 1.2
_CLIP = 2.0
_INNER = 2
_BLOCK = 256


def arc_statistic(images: Images) -> np.ndarray:
    """Measure how significant the best tangential arc around each galaxy is.

    The galaxy's smooth model is subtracted, bands are co-added with more weight on blue ones,
    and arcs of every radius, angle and several lengths are tried. A pixel counts by its excess
    over what lies just inside and just outside of it, up to two standard deviations: a bright
    neighbour is no arc, a faint ridge along a circle is.

    Parameters
    ----------
    images : Images
        Cutouts centred on galaxies, sky subtracted; read in blocks.

    Returns
    -------
    (n,) float
        Largest signal over noise among all templates.
    """
    blocks = [best_arc(_response(block))["value"] for block in images.blocks(_BLOCK)]
    return np.concatenate([*blocks, np.empty(0)])


def _response(images: Images) -> np.ndarray:
    residuals: Residuals = subtract_galaxies(images)
    return arc_response(residuals.polar["blue"])


def ridges(polar: np.ndarray) -> np.ndarray:
    """Return how far each point of polar images of unit noise stands above both its flanks.

    Parameters
    ----------
    polar : (n, radius, angle)
        Residual signal over noise per pixel.

    Returns
    -------
    (n, radius, angle)
        Smoothed value minus the higher of the values 2.5 thicknesses further in and out,
        in units of the smoothed noise, within plus and minus two.
    """
    r = np.arange(polar.shape[1], dtype=np.float32)
    kernel = np.exp(-0.5 * ((r[:, None] - r) / _THICKNESS) ** 2)
    kernel /= np.sqrt((kernel**2).sum(1, keepdims=True))
    smooth = np.matmul(kernel.astype(np.float32), polar)
    step = round(2.5 * _THICKNESS)
    inside = np.concatenate([np.repeat(smooth[:, :1], step, 1), smooth[:, :-step]], axis=1)
    outside = np.concatenate([smooth[:, step:], np.repeat(smooth[:, -1:], step, 1)], axis=1)
    return np.asarray(np.clip(smooth - np.maximum(inside, outside), -_CLIP, _CLIP))


def arc_response(polar: np.ndarray) -> np.ndarray:
    """Average ridges along arcs of every radius and angle.

    Parameters
    ----------
    polar : (n, radius, angle)
        Residual signal over noise per pixel, on the grid of `skywright.find.polar.radii`.

    Returns
    -------
    (n, length, radius, angle)
        Mean ridge times the square root of the arc's length in pixels, 0 inside the second
        radius; half lengths are `HALF_WIDTHS` steps of the angle grid.
    """
    spectrum = np.fft.rfft(ridges(polar), axis=-1)
    r = np.arange(1, polar.shape[1] + 1, dtype=np.float32)
    steps = np.minimum(np.arange(ANGLES), ANGLES - np.arange(ANGLES))
    out = np.empty((len(polar), len(HALF_WIDTHS), *polar.shape[1:]), dtype=np.float32)
    for i, half in enumerate(HALF_WIDTHS):
        box = (steps <= half).astype(np.float32)
        mean = np.fft.irfft(spectrum * np.fft.rfft(box / box.sum()).real, n=ANGLES, axis=-1)
        length = box.sum() * np.float32(2 * np.pi / ANGLES) * r
        out[:, i] = mean * np.sqrt(length)[:, None]
    out[:, :, :_INNER] = 0
    return out


def best_arc(response: np.ndarray) -> dict[str, np.ndarray]:
    """Locate the largest response of each image.

    Parameters
    ----------
    response : (n, length, radius, angle)
        From `arc_response`.

    Returns
    -------
    dict of (n,) arrays
        ``value``, and the indices ``length``, ``radius`` and ``angle`` of the maximum.
    """
    flat = response.reshape(len(response), -1)
    best = flat.argmax(axis=1)
    length, radius, angle = np.unravel_index(best, response.shape[1:])
    value = flat[np.arange(len(flat)), best]
    return {"value": value, "length": length, "radius": radius, "angle": angle}
