"""Cutouts without their central galaxies, in the combinations and grids that filters need."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skywright.data import Images
from skywright.find.colour import combine
from skywright.find.galaxy_model import Shape, measure_shape, smooth_model
from skywright.find.polar import bilinear, to_polar
from skywright.learn.scaling import signal_to_noise

__all__ = ["Residuals", "subtract_galaxies"]


@dataclass(frozen=True)
class Residuals:
    """One block of cutouts, taken apart; all in signal over noise per pixel.

    Parameters
    ----------
    snr, model : (n, y, x, band)
        The images, and the smooth models of their galaxies.
    combined : dict of (n, y, x)
        Co-added residuals, see `skywright.find.colour.combine`.
    polar : dict of (n, radius, angle)
        The same, and ``raw`` (co-added images with their galaxies), on circles.
    band_polar : (n, band, radius, angle)
        Residual of each band on circles.
    shape : Shape
        Centres and ellipses.
    core : (n, band)
        Signal over noise in the middle of the galaxy.
    """

    snr: np.ndarray
    model: np.ndarray
    combined: dict[str, np.ndarray]
    polar: dict[str, np.ndarray]
    band_polar: np.ndarray
    shape: Shape
    core: np.ndarray


def subtract_galaxies(images: Images) -> Residuals:
    """Subtract a smooth model from each galaxy and resample what is left.

    Parameters
    ----------
    images : Images
        One block of cutouts centred on galaxies, sky subtracted.
    """
    snr = np.ascontiguousarray(signal_to_noise(images).transpose(0, 2, 3, 1))
    coadd = snr.sum(-1) / np.float32(np.sqrt(snr.shape[-1]))
    shape = measure_shape(coadd)
    model = smooth_model(snr, shape)
    residual = snr - model
    angle = np.arange(8) * (np.pi / 4)
    around = bilinear(
        snr, shape.x[:, None] + 0.7 * np.cos(angle), shape.y[:, None] + 0.7 * np.sin(angle)
    )
    core = around.mean(axis=1)
    combined = combine(residual, images.bands, core)
    maps = [*combined.values(), coadd]
    stack = np.concatenate([np.stack(maps, axis=-1), residual], axis=-1)
    polar = to_polar(stack, shape.x, shape.y)
    names = [*combined, "raw"]
    named = {name: polar[:, i] for i, name in enumerate(names)}
    return Residuals(snr, model, combined, named, polar[:, len(names) :], shape, core)
