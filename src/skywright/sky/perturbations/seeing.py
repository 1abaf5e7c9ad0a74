"""Perturbation of the point spread function."""

from __future__ import annotations

from dataclasses import replace

import astropy.units as u
import numpy as np

from skywright.data import Images
from skywright.sky.perturbations.electrons import background_rms

__all__ = ["broaden_psf"]

_REACH = 4  # sigma of the kernel that the border is wider on each side


def broaden_psf(images: Images, severity: float, *, rng: np.random.Generator) -> Images:
    """Observe through more turbulent air, with the noise of the detector left white.

    The images are convolved with the Gaussian that leads from one Gaussian point spread function
    to the wider one. That smooths their noise too, which worse seeing would not: noise with the
    power that was lost is added, so that the background keeps its variance and stays white. The
    photon noise of bright pixels is smoothed and not replaced.

    Parameters
    ----------
    images : Images
        With a pixel scale, or else ``severity`` is in pixels.
    severity : float [arcsec, or pixel without a scale]
        Full width at half maximum that is added in quadrature to that of every band.
    rng : Generator
        Source of randomness.

    Returns
    -------
    Images
        ``psf_fwhm``, where it is known, grows in quadrature.
    """
    if severity < 0:
        raise ValueError(f"seeing broadened by {severity}; expected no less than 0")
    if severity == 0:
        return images
    scale = 1.0 if images.scale is None else images.scale.to_value(u.arcsec)
    width = severity / scale
    sigma = width / np.sqrt(8 * np.log(2))
    flux = np.asarray(images.flux, dtype=float)
    border = int(np.ceil(_REACH * sigma)) + 1
    # "symmetric" repeats as often as a wide border needs
    wide = np.pad(flux, ((0, 0), (0, 0), (border, border), (border, border)), "symmetric")
    kept = _gaussian(wide.shape[-2:], sigma)
    inner = (..., slice(border, -border), slice(border, -border))
    blurred = _filter(wide, kept)[inner]
    lost = _filter(rng.standard_normal(wide.shape), np.sqrt(1 - kept**2))[inner]
    fwhm = images.psf_fwhm
    return replace(
        images,
        flux=(blurred + background_rms(images) * lost).astype(np.float32),
        psf_fwhm=None if fwhm is None else np.hypot(fwhm, width),
        quantised=False,
    )


def _gaussian(shape: tuple[int, ...], sigma: float) -> np.ndarray:
    """Return the Fourier transform of a Gaussian on the half plane of ``rfft2``."""
    y, x = np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])
    return np.asarray(np.exp(-2 * (np.pi * sigma) ** 2 * (y**2 + x**2)))


def _filter(images: np.ndarray, transfer: np.ndarray) -> np.ndarray:
    return np.asarray(np.fft.irfft2(np.fft.rfft2(images) * transfer, s=images.shape[-2:]))
