"""Stellar masses and velocity dispersions that follow a (modified) Schechter function."""

from __future__ import annotations

import astropy.units as u
import numpy as np
from astropy.cosmology import FLRW

from skywright.sky.populations.redshifts import Parameter, at_redshift, schechter_smf_redshift
from skywright.sky.populations.schechter import schechter_draws

__all__ = ["schechter_smf", "schechter_smf_mass", "schechter_vdf"]


def schechter_smf(
    redshift: np.ndarray,
    m_star: Parameter,
    phi_star: Parameter,
    alpha: Parameter,
    m_min: Parameter,
    m_max: Parameter,
    sky_area: u.Quantity,
    cosmology: FLRW,
    noise: bool = True,
    *,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Draw redshifts and stellar masses of a Schechter stellar mass function.

    Parameters
    ----------
    redshift, m_star, phi_star, alpha, m_min, m_max, sky_area, cosmology, noise, rng
        As for `schechter_smf_redshift`.

    Returns
    -------
    z : (n,)
        Redshifts.
    m : (n,) [Msun]
        Stellar masses.
    """
    z = schechter_smf_redshift(
        redshift, m_star, phi_star, alpha, m_min, m_max, sky_area, cosmology, noise, rng=rng
    )
    grid = np.asarray(redshift, dtype=float)
    star, slope, low, high = (at_redshift(p, z, grid) for p in (m_star, alpha, m_min, m_max))
    return z, schechter_smf_mass(z, slope, star, low, high, rng=rng)


def schechter_smf_mass(
    redshift: np.ndarray,
    alpha: Parameter,
    m_star: Parameter,
    m_min: Parameter,
    m_max: Parameter,
    size: int | tuple[int, ...] | None = None,
    resolution: int = 1000,
    *,
    rng: np.random.Generator,
) -> np.ndarray:
    """Draw stellar masses of galaxies of known redshift between two limits.

    Parameters
    ----------
    redshift : (…)
        Redshifts.
    alpha, m_star : number, (…) or callable
        Slope and characteristic mass [Msun].
    m_min, m_max : number, (…) or callable [Msun]
        Limits.
    size : int or tuple, optional
        Shape of the result.
    resolution : int
        Taken for the sake of published files; draws are exact.
    rng : Generator
        Source of randomness.

    Returns
    -------
    (…) [Msun]
    """
    del resolution
    z = np.asarray(redshift, dtype=float)
    slope, star, low, high = (np.asarray(at_redshift(p, z)) for p in (alpha, m_star, m_min, m_max))
    shape = np.broadcast_shapes(z.shape, slope.shape, star.shape) if size is None else size
    return np.asarray(star * schechter_draws(slope, low / star, high / star, shape, rng))


def schechter_vdf(
    alpha: float | np.ndarray,
    beta: float | np.ndarray,
    vd_star: float | np.ndarray,
    vd_min: float | np.ndarray,
    vd_max: float | np.ndarray,
    size: int | tuple[int, ...] | None = None,
    resolution: int = 1000,
    *,
    rng: np.random.Generator,
) -> np.ndarray:
    r"""Draw velocity dispersions of early-type galaxies.

    .. math:: \phi(\sigma) \propto (\sigma/\sigma_*)^{\alpha} \,
        \exp\left[-(\sigma/\sigma_*)^\beta\right] / \sigma

    Parameters
    ----------
    alpha, beta : float or (…)
        Slope and exponent.
    vd_star : float or (…) [km/s]
        Characteristic velocity dispersion.
    vd_min, vd_max : float or (…) [km/s]
        Limits.
    size : int or tuple, optional
        Shape of the result.
    resolution : int
        Taken for the sake of published files; draws are exact.
    rng : Generator
        Source of randomness.

    Returns
    -------
    (…) [km/s]

    References
    ----------
    Choi et al. 2007, ApJ 658, 884, eq. 4.
    """
    del resolution
    beta, star = np.asarray(beta, dtype=float), np.asarray(vd_star, dtype=float)
    low, high = ((np.asarray(v) / star) ** beta for v in (vd_min, vd_max))
    x = schechter_draws(np.asarray(alpha) / beta - 1, low, high, size, rng)
    return np.asarray(star * x ** (1 / beta))
