"""Perturbations by the detector: dead pixels and cosmic rays."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from skywright.data import Images
from skywright.sky.perturbations.electrons import electrons_per_unit

__all__ = ["add_cosmic_rays", "cosmic_rays_per_megapixel", "kill_pixels"]

# Most probable charge of a fast muon in silicon, 22,000 electrons in 300 um, and the scale of its
# Landau law, (K/2)(Z/A) rho = 17.8 eV/um at 3.67 eV an electron (Particle Data Group, Review of
# Particle Physics, "Passage of particles through matter" and "Particle detectors").
_CHARGE, _LANDAU = 73.0, 4.85  # electron/um
_STEPS = 4  # points per pixel or micrometre of a track
_LONGEST = 200.0  # pixels; what runs on leaves the cutout


def kill_pixels(images: Images, severity: float, *, rng: np.random.Generator) -> Images:
    """Lose pixels: each is set to the level of the sky, and no mask says so.

    Parameters
    ----------
    images : Images
        Above the level of the sky.
    severity : float
        Share of the pixels of each band, 0 to 1; bands have detectors of their own.
    rng : Generator
        Source of randomness.
    """
    if not 0 <= severity <= 1:
        raise ValueError(f"{severity} of the pixels dead; expected a share between 0 and 1")
    dead = rng.random(images.flux.shape) < severity
    return replace(images, flux=np.where(dead, np.float32(0), images.flux))


def add_cosmic_rays(
    images: Images,
    severity: float,
    *,
    rng: np.random.Generator,
    gain: float | np.ndarray | None = None,
    thickness: float = 100.0,
    pixel: float = 10.0,
) -> Images:
    """Let muons cross the detector and leave straight tracks of electrons.

    Directions follow the cosine law of a flat detector under an even sky, p(theta) ~ sin theta
    cos theta; the electrons of a track follow a Landau law (Moyal's form) in proportion to its
    length in silicon, and spread evenly along its projection.

    Parameters
    ----------
    images : Images
        Above the level of the sky.
    severity : float [1/megapixel]
        Mean number of hits in each band; `cosmic_rays_per_megapixel` gives it for an exposure.
    rng : Generator
        Source of randomness.
    gain : float or (band,) [electron per unit], optional
        Electrons per unit of flux.
    thickness, pixel : float [um]
        Of the detector and of its pixels: 100 and 10 are those of LSSTCam.

    Returns
    -------
    Images
        The energy of a hit stands in the pixels as flux; no mask says where.
    """
    if severity < 0:
        raise ValueError(f"{severity} cosmic rays per megapixel; expected none or more")
    electrons = electrons_per_unit(images, gain)
    n, bands, ny, nx = images.flux.shape
    hits = rng.poisson(severity * 1e-6 * ny * nx, (n, bands))
    flux = np.array(images.flux, dtype=np.float32)
    for i, band in np.argwhere(hits):
        charge = np.zeros((ny, nx))
        for _ in range(hits[i, band]):
            _draw_track(charge, rng, thickness, pixel)
        flux[i, band] += charge / electrons[band]
    return replace(images, flux=flux, quantised=False)


def cosmic_rays_per_megapixel(rate: float, exposure: float, pixel: float = 10.0) -> float:
    """Return the hits in a million pixels.

    Parameters
    ----------
    rate : float [1/cm2/s]
        Through the detector; muons at sea level 0.017 (one a minute and square centimetre).
    exposure : float [s]
        Time.
    pixel : float [um]
        Side of a pixel.

    Examples
    --------
    >>> round(cosmic_rays_per_megapixel(0.017, 30), 2)
    0.51
    """
    return rate * exposure * (pixel * 1e-4) ** 2 * 1e6


def _draw_track(
    charge: np.ndarray, rng: np.random.Generator, thickness: float, pixel: float
) -> None:
    """Add the electrons of one track to ``charge`` (y, x)."""
    sine = np.sqrt(rng.random())  # of the angle to the normal: p ~ sin cos
    cosine = np.sqrt(1 - sine**2)
    length = thickness / max(cosine, 1e-3)
    # Moyal's law: minus the logarithm of a squared normal number
    energy = length * (_CHARGE + _LANDAU * -np.log(rng.standard_normal() ** 2))
    across = min(length * sine / pixel, _LONGEST)
    count = int(np.ceil(_STEPS * (across + 1)))
    angle = rng.uniform(0, 2 * np.pi)
    along = (np.arange(count) + 0.5) / count * across
    ny, nx = charge.shape
    y = np.floor(rng.uniform(0, ny) + along * np.sin(angle)).astype(int)
    x = np.floor(rng.uniform(0, nx) + along * np.cos(angle)).astype(int)
    inside = (y >= 0) & (y < ny) & (x >= 0) & (x < nx)
    np.add.at(charge, (y[inside], x[inside]), max(energy, 0.0) / count)
