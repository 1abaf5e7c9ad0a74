"""Galaxies as lenses: velocity dispersions, flattening and shear, with or without a catalogue."""

from __future__ import annotations

import astropy.units as u
import numpy as np
from astropy.cosmology import FLRW
from astropy.table import QTable
from scipy.special import gammaincc

from skywright.sky.lens_population.checks import checked_column
from skywright.sky.masses import draw_masses, draw_shears
from skywright.sky.populations.redshifts import redshifts_from_comoving_density
from skywright.sky.populations.stellar_masses import schechter_vdf

__all__ = ["draw_deflectors", "galaxy_deflectors", "velocity_dispersion"]

FLATTENING = 0.378, -0.000572  # scale of 1 - q at 0 km/s, and its slope; Collett 2015
FLATTEST = 0.2  # the same


def velocity_dispersion(magnitude: np.ndarray) -> np.ndarray:
    r"""Return the mean velocity dispersion of early-type galaxies of a luminosity.

    .. math:: \log_{10} \sigma = -2.97 - 0.37 M_r - 0.006 M_r^2

    Parameters
    ----------
    magnitude : (…) [mag]
        Absolute magnitude in r (AB), of redshift 0.

    Returns
    -------
    (…) [km/s]

    References
    ----------
    Hyde & Bernardi 2009, MNRAS 394, 1978 (V against M_r), with the coefficients that
    Collett 2015 (arXiv:1507.02657) uses.

    Examples
    --------
    >>> float(velocity_dispersion(-22.0).round(1))
    184.5
    """
    m = np.asarray(magnitude, dtype=float)
    return np.asarray(10 ** (-2.97 - 0.37 * m - 0.006 * m**2))


def galaxy_deflectors(
    galaxies: QTable,
    *,
    scatter: float = 0.07,
    evolution: float = 0.85,
    rng: np.random.Generator,
) -> QTable:
    """Give the galaxies of a catalogue the mass of a lens.

    Parameters
    ----------
    galaxies : QTable
        Early-type galaxies with ``z``, ``M_r`` [mag] (absolute, rest frame) and ``ellipticity``,
        (1 - q) / (1 + q). Further columns stay.
    scatter : float [dex]
        Of the velocity dispersion at given luminosity.
    evolution : float [mag]
        By which a galaxy fades from redshift 1 to 0, in proportion to redshift; the relation is
        that of today.
    rng : Generator
        Source of randomness.

    Returns
    -------
    QTable
        The galaxies with ``sigma_v`` [km/s], axis ratio ``q`` and position angle ``phi`` [rad] of
        the mass, shear ``gamma1``, ``gamma2``, and the position angle ``phi_light`` [rad] of the
        light, with its ellipticities ``e1_light``, ``e2_light``.

    Raises
    ------
    ValueError
        A column is missing or holds what is no such quantity.

    References
    ----------
    Bernardi et al. 2003, AJ 125, 1849 (astro-ph/0301624): scatter, and fading in r. Mass beside
    light: see `skywright.sky.masses.draw_masses`.

    Examples
    --------
    >>> red = QTable({"z": [0.3], "M_r": [-22.5] * u.mag, "ellipticity": [0.1]})
    >>> lenses = galaxy_deflectors(red, rng=np.random.default_rng(1))
    >>> lenses["sigma_v"].round()
    <Quantity [207.] km / s>
    """
    if not (0 <= scatter < np.inf and np.isfinite(evolution)):
        raise ValueError(
            f"scatter is {scatter}, evolution {evolution}; expected finite numbers [dex] and "
            "[mag], and a scatter from 0 up"
        )
    z = checked_column(galaxies, "z", low=0.0)
    magnitude = checked_column(galaxies, "M_r", u.mag, low=-30.0, high=0.0)
    e = checked_column(galaxies, "ellipticity", low=0.0, high=1.0)
    n = len(galaxies)
    sigma = velocity_dispersion(magnitude + evolution * z) * 10 ** (
        scatter * rng.standard_normal(n)
    )
    angle = rng.uniform(0, np.pi, n)
    masses = draw_masses((1 - e) / (1 + e), angle, rng)
    table = QTable(galaxies, copy=True)
    table["sigma_v"] = sigma * u.km / u.s
    table["q"], table["phi"] = masses["q_lens"], masses["phi_lens"] * u.rad
    table["gamma1"], table["gamma2"] = masses["gamma1"], masses["gamma2"]
    table["phi_light"] = angle * u.rad
    table["e1_light"], table["e2_light"] = e * np.cos(2 * angle), e * np.sin(2 * angle)
    return table


def draw_deflectors(
    redshift: np.ndarray,
    sky_area: u.Quantity,
    cosmology: FLRW,
    *,
    phi_star: float | None = None,
    sigma_star: float = 161.0,
    alpha: float = 2.32,
    beta: float = 2.67,
    sigma_min: float = 100.0,
    sigma_max: float = 450.0,
    rng: np.random.Generator,
) -> QTable:
    r"""Draw all early-type galaxies of a velocity dispersion function in a part of the sky.

    .. math:: \phi(\sigma) = \phi_* \left(\frac{\sigma}{\sigma_*}\right)^\alpha
        \exp\left[-\left(\frac{\sigma}{\sigma_*}\right)^\beta\right]
        \frac{\beta}{\Gamma(\alpha / \beta)} \frac{1}{\sigma}

    The comoving density does not change with redshift.

    Parameters
    ----------
    redshift : (node,)
        Grid, ascending; deflectors lie between its first and its last node.
    sky_area : Quantity [solid angle]
        Area of the sky.
    cosmology : FLRW
        For volumes.
    phi_star : float [1 / Mpc3], optional
        Density of all dispersions, no factor of h; by default 8.0e-3 h3 / Mpc3.
    sigma_star, sigma_min, sigma_max : float [km/s]
        Characteristic dispersion and limits.
    alpha, beta : float
        Slope and exponent.
    rng : Generator
        Source of randomness.

    Returns
    -------
    QTable
        ``z``, ``sigma_v`` [km/s], ``q``, ``phi`` [rad], ``gamma1``, ``gamma2`` as of
        `galaxy_deflectors`: these galaxies have a mass and no light.

    Raises
    ------
    ValueError
        When the limits are no two ascending numbers, or the grid does not ascend.

    References
    ----------
    Choi, Park & Vogeley 2007, ApJ 658, 884, eq. 4 and table 1; Collett 2015 (arXiv:1507.02657),
    eq. 4: axis ratios; Oguri & Marshall 2010 (arXiv:1001.2037): shear.

    Examples
    --------
    >>> from astropy.cosmology import FlatLambdaCDM
    >>> lenses = draw_deflectors(
    ...     np.linspace(0.05, 1.0, 20), 0.1 * u.deg**2, FlatLambdaCDM(H0=70, Om0=0.3),
    ...     rng=np.random.default_rng(1),
    ... )
    >>> lenses.colnames
    ['z', 'sigma_v', 'q', 'phi', 'gamma1', 'gamma2']
    """
    if not 0 < sigma_min < sigma_max:
        raise ValueError(
            f"sigma_min is {sigma_min} and sigma_max {sigma_max}; expected two ascending numbers"
        )
    density = 8.0e-3 * cosmology.h**3 if phi_star is None else phi_star
    low, high = ((s / sigma_star) ** beta for s in (sigma_min, sigma_max))
    share = gammaincc(alpha / beta, low) - gammaincc(alpha / beta, high)
    z = redshifts_from_comoving_density(redshift, density * share, sky_area, cosmology, rng=rng)
    sigma = schechter_vdf(alpha, beta, sigma_star, sigma_min, sigma_max, len(z), rng=rng)
    gamma1, gamma2 = draw_shears(len(z), rng)
    return QTable(
        {
            "z": z,
            "sigma_v": sigma * u.km / u.s,
            "q": _axis_ratios(sigma, rng),
            "phi": rng.uniform(0, np.pi, len(z)) * u.rad,
            "gamma1": gamma1,
            "gamma2": gamma2,
        }
    )


def _axis_ratios(sigma: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw 1 - q from Rayleigh's distribution, cut off where q is 0.2: rounder when heavier."""
    scale = np.maximum(FLATTENING[0] + FLATTENING[1] * sigma, 0.01)
    most = -np.expm1(-0.5 * ((1 - FLATTEST) / scale) ** 2)
    return np.asarray(1 - scale * np.sqrt(-2 * np.log1p(-rng.random(len(sigma)) * most)))
