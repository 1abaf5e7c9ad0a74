"""Perturbations of how much light was collected: exposure time, sky, zero points."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from skywright.data import Images
from skywright.sky.perturbations.electrons import background_variance, electrons_per_unit

__all__ = ["raise_background", "shift_colour", "shift_zero_point", "shorten_exposure"]


def shorten_exposure(
    images: Images,
    severity: float,
    *,
    rng: np.random.Generator,
    gain: float | np.ndarray | None = None,
) -> Images:
    """Expose for a shorter time: every electron is kept with the same chance.

    Thinning Poisson counts gives Poisson counts, so that the noise of a bright pixel grows more
    than that of an empty one. Nothing is simulated anew: the electrons of the sky are those that
    the variance of the background stands for, its read noise counted among them.

    Parameters
    ----------
    images : Images
        Above the level of the sky.
    severity : float
        Exposure time over that of the images, above 0, at most 1.
    rng : Generator
        Source of randomness.
    gain : float or (band,) [electron per unit], optional
        Electrons per unit of flux.

    Returns
    -------
    Images
        In the same unit of flux (not of counts); the variance of the background grows by
        ``1 / severity``.
    """
    if not 0 < severity <= 1:
        raise ValueError(
            f"exposure time times {severity}; expected a share above 0 and at most 1: light that "
            "was not collected cannot be added"
        )
    if severity == 1:
        return images
    electrons = electrons_per_unit(images, gain)
    variance = background_variance(images)
    sky = variance * electrons**2
    counted = np.maximum(np.asarray(images.flux, dtype=float) * electrons + sky, 0.0)
    # the part below one electron is rounded at random, so that the mean stays
    whole = np.floor(counted + rng.random(counted.shape))
    kept = rng.binomial(whole.astype(np.int64), severity)
    flux = (kept / severity - sky) / electrons
    return _with(images, flux, variance=variance / severity)


def raise_background(
    images: Images,
    severity: float,
    *,
    rng: np.random.Generator,
    gain: float | np.ndarray | None = None,
) -> Images:
    """Add light of the sky that nobody subtracted, with its photon noise.

    Parameters
    ----------
    images : Images
        Above the level of the sky.
    severity : float [unit per pixel]
        Level that is added to every band.
    rng : Generator
        Source of randomness.
    gain : float or (band,) [electron per unit], optional
        Electrons per unit of flux.

    Returns
    -------
    Images
        Brighter by the level; the variance of the background grows by level over gain.
    """
    if severity < 0:
        raise ValueError(f"background of {severity} {images.unit}; expected none or more")
    electrons = electrons_per_unit(images, gain)
    drawn = rng.poisson(np.broadcast_to(severity * electrons, images.flux.shape))
    variance = background_variance(images) + severity / electrons
    return _with(images, np.asarray(images.flux) + drawn / electrons, variance=variance)


def shift_zero_point(images: Images, severity: float, *, rng: np.random.Generator) -> Images:
    """Calibrate all bands wrongly: everything, noise too, is fainter by ``severity`` [mag]."""
    del rng  # nothing is random here; all perturbations are called alike
    return _scale(images, np.full(len(images.bands), float(severity)))


def shift_colour(images: Images, severity: float, *, rng: np.random.Generator) -> Images:
    """Calibrate bands differently: the first is fainter, the last brighter.

    Parameters
    ----------
    images : Images
        Two bands or more.
    severity : float [mag]
        By how much the colour, first minus last band, grows; bands between lie on a line and the
        mean stays.
    rng : Generator
        Not used.
    """
    del rng
    if len(images.bands) < 2:
        raise ValueError(f"one band ({images.bands[0]}) has no colour; expected two or more")
    return _scale(images, severity * np.linspace(0.5, -0.5, len(images.bands)))


def _scale(images: Images, fainter: np.ndarray) -> Images:
    """Make each band fainter by magnitudes (band,)."""
    factor = (10 ** (-0.4 * fainter))[:, None, None]
    variance = None
    if images.variance is not None:
        variance = np.asarray(images.variance) * factor**2
    return _with(images, np.asarray(images.flux) * factor, variance=variance)


def _with(images: Images, flux: np.ndarray, variance: np.ndarray | None) -> Images:
    """Return the images with other pixels, single precision; no longer whole numbers."""
    if variance is not None:
        variance = variance.astype(np.float32)
    return replace(images, flux=flux.astype(np.float32), variance=variance, quantised=False)
