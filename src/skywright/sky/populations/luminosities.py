"""Absolute magnitudes and luminosities of galaxies that follow a Schechter function."""

from __future__ import annotations

import astropy.units as u
import numpy as np
from astropy.cosmology import FLRW

from skywright.sky.populations.bare_magnitudes import bare_magnitude
from skywright.sky.populations.distances import distance_modulus
from skywright.sky.populations.redshifts import Parameter, at_redshift, schechter_lf_redshift
from skywright.sky.populations.schechter import schechter_draws

__all__ = [
    "absolute_magnitude_from_luminosity",
    "luminosity_from_absolute_magnitude",
    "luminosity_in_band",
    "schechter_lf",
    "schechter_lf_magnitude",
]

# Absolute magnitude of the Sun [mag] in Johnson-Cousins bands, as SkyPy publishes them.
luminosity_in_band = {
    "Lsun_U": 6.33,
    "Lsun_B": 5.31,
    "Lsun_V": 4.80,
    "Lsun_R": 4.60,
    "Lsun_I": 4.51,
}


def schechter_lf(
    redshift: np.ndarray,
    M_star: Parameter,  # noqa: N803 - the published name
    phi_star: Parameter,
    alpha: Parameter,
    m_lim: float | u.Quantity,
    sky_area: u.Quantity,
    cosmology: FLRW,
    noise: bool = True,
    *,
    k_correction: Parameter = 0.0,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Draw redshifts and absolute magnitudes of a Schechter luminosity function.

    Parameters
    ----------
    redshift, M_star, phi_star, alpha, m_lim, sky_area, cosmology, noise, k_correction, rng
        As for `schechter_lf_redshift`.

    Returns
    -------
    z : (n,)
        Redshifts.
    M : (n,) [mag]
        Absolute magnitudes.

    Examples
    --------
    >>> import astropy.units as u, numpy as np
    >>> from astropy.cosmology import Planck18
    >>> z, M = schechter_lf(
    ...     np.linspace(0, 1, 11), -20.5, 3e-3, -1.3, 22.0, 0.1 * u.deg**2, Planck18,
    ...     rng=np.random.default_rng(0))
    >>> bool((M + Planck18.distmod(z).value <= 22).all())
    True
    """
    z = schechter_lf_redshift(
        redshift, M_star, phi_star, alpha, m_lim, sky_area, cosmology, noise,
        k_correction=k_correction, rng=rng,
    )  # fmt: skip
    grid = np.asarray(redshift, dtype=float)
    bright, k = (
        at_redshift(bare_magnitude(p, name), z, grid)
        for p, name in ((M_star, "M_star"), (k_correction, "k_correction"))
    )
    slope, limit = at_redshift(alpha, z, grid), np.asarray(bare_magnitude(m_lim, "m_lim") - k)
    M = schechter_lf_magnitude(z, bright, slope, limit, cosmology, rng=rng)  # noqa: N806
    return z, M


def schechter_lf_magnitude(
    redshift: np.ndarray,
    M_star: Parameter,  # noqa: N803 - the published name
    alpha: Parameter,
    m_lim: float | np.ndarray | u.Quantity,
    cosmology: FLRW,
    size: int | tuple[int, ...] | None = None,
    x_max: float = 1e3,
    resolution: int = 1000,
    *,
    rng: np.random.Generator,
) -> np.ndarray:
    """Draw absolute magnitudes of galaxies of known redshift, brighter than a limit.

    Parameters
    ----------
    redshift : (…)
        Redshifts.
    M_star, alpha : number, (…) or callable
        Characteristic magnitude [mag] and slope, which may differ from galaxy to galaxy.
    m_lim : float or (…) [mag]
        Limit in apparent magnitude, without K-correction.
    cosmology : FLRW
        For the distance modulus.
    size : int or tuple, optional
        Shape of the result.
    x_max : float
        Largest luminosity over the characteristic one.
    resolution : int
        Taken for the sake of published files; draws are exact.
    rng : Generator
        Source of randomness.

    Returns
    -------
    (…) [mag]
    """
    del resolution
    z = np.asarray(redshift, dtype=float)
    brightest, limit = bare_magnitude(M_star, "M_star"), bare_magnitude(m_lim, "m_lim")
    bright, slope = (np.asarray(at_redshift(p, z)) for p in (brightest, alpha))
    x_min = 10 ** (-0.4 * (np.asarray(limit) - distance_modulus(z, cosmology) - bright))
    x = schechter_draws(slope, x_min, x_max, size, rng)
    return np.asarray(bright - 2.5 * np.log10(x))


def luminosity_from_absolute_magnitude(
    absolute_magnitude: float | np.ndarray, zeropoint: float | str | None = None
) -> np.ndarray:
    """Return the luminosity, in units of the object whose absolute magnitude is the zero point.

    Parameters
    ----------
    absolute_magnitude : (…) [mag]
        Absolute magnitudes.
    zeropoint : float or str, optional
        A magnitude, or a name such as ``"Lsun_B"``; 0 by default.

    Examples
    --------
    >>> float(luminosity_from_absolute_magnitude(0.31, "Lsun_B"))
    100.0
    """
    return np.asarray(10.0 ** (-0.4 * (np.asarray(absolute_magnitude) - _zero_point(zeropoint))))


def absolute_magnitude_from_luminosity(
    luminosity: float | np.ndarray, zeropoint: float | str | None = None
) -> np.ndarray:
    """Return the absolute magnitude [mag] of a luminosity; the inverse of the above.

    Examples
    --------
    >>> float(absolute_magnitude_from_luminosity(100.0, "Lsun_B").round(12))
    0.31
    """
    return np.asarray(-2.5 * np.log10(luminosity) + _zero_point(zeropoint))


def _zero_point(zeropoint: float | str | None) -> float:
    if isinstance(zeropoint, str):
        if zeropoint not in luminosity_in_band:
            raise KeyError(
                f"no zero point {zeropoint!r}; expected a magnitude or one of "
                f"{', '.join(luminosity_in_band)}"
            )
        return luminosity_in_band[zeropoint]
    return 0.0 if zeropoint is None else float(zeropoint)
