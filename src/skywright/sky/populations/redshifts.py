"""Redshifts of galaxies: Smail's distribution, and counts of a population in a light cone."""

from __future__ import annotations

from collections.abc import Callable

import astropy.units as u
import numpy as np
from astropy.cosmology import FLRW
from scipy.special import gammaincinv

from skywright.sky.populations.bare_magnitudes import bare_magnitude
from skywright.sky.populations.distances import distance_modulus
from skywright.sky.populations.special import upper_gamma

__all__ = [
    "Parameter",
    "at_redshift",
    "redshifts_from_comoving_density",
    "schechter_lf_redshift",
    "schechter_smf_redshift",
    "smail",
]

# A number, values on the grid of redshifts, or a function of redshift.
Parameter = float | np.ndarray | Callable[[np.ndarray], np.ndarray]

_FINER = 16  # steps between two nodes of the caller's grid
_FAINTEST = 1e-30  # luminosity over the characteristic one


def smail(
    z_median: float | np.ndarray,
    alpha: float | np.ndarray,
    beta: float | np.ndarray,
    size: int | tuple[int, ...] | None = None,
    *,
    rng: np.random.Generator,
) -> np.ndarray:
    r"""Draw redshifts from :math:`p(z) \propto (z/z_0)^\alpha \exp[-(z/z_0)^\beta]`.

    Parameters
    ----------
    z_median : float or (…)
        Median redshift.
    alpha, beta : float or (…)
        Power law and exponent, positive.
    size : int or tuple, optional
        Shape of the result; by default that of the parameters.
    rng : Generator
        Source of randomness.

    References
    ----------
    Smail et al. 1994, MNRAS 270, 245; Amara & Refregier 2007, MNRAS 381, 1018, eq. 12.

    Examples
    --------
    >>> smail(1.2, 2.0, 1.5, size=10, rng=np.random.default_rng(0)).shape
    (10,)
    """
    if not (np.greater(z_median, 0) & np.greater(alpha, -1) & np.greater(beta, 0)).all():
        raise ValueError(
            f"got z_median {z_median}, alpha {alpha}, beta {beta}; expected positive numbers, and "
            "alpha above -1"
        )
    k = (np.asarray(alpha) + 1) / beta
    median = gammaincinv(k, 0.5)
    shape = np.broadcast_shapes(np.shape(k), np.shape(z_median)) if size is None else size
    ratio = rng.gamma(k, size=shape) / median
    redshift: np.ndarray = z_median * ratio ** (1 / np.asarray(beta))
    return redshift


def redshifts_from_comoving_density(
    redshift: np.ndarray,
    density: float | np.ndarray,
    sky_area: u.Quantity,
    cosmology: FLRW,
    noise: bool = True,
    *,
    rng: np.random.Generator,
) -> np.ndarray:
    r"""Draw the redshifts of all objects of a comoving density in a part of the sky.

    Between two nodes the density is a straight line, while the volume is followed in steps
    sixteen times as fine: a coarse grid makes no staircase of :math:`n(z)`. Inside a step
    :math:`dN/dz` is a straight line and its integral is inverted exactly.

    Parameters
    ----------
    redshift : (node,)
        Grid, ascending.
    density : float or (node,) [1 / Mpc3]
        Comoving number density; a bare array is taken in this unit.
    sky_area : Quantity [solid angle]
        Area of the sky.
    cosmology : FLRW
        For volumes.
    noise : bool
        Whether the number of objects is a Poisson draw; else it is rounded down.
    rng : Generator
        Source of randomness.

    Returns
    -------
    (n,)

    Raises
    ------
    TypeError
        When the area is no solid angle.
    ValueError
        When the grid does not ascend, or the density is negative or not finite.
    """
    grid = np.asarray(redshift, dtype=float)
    fine = _refined(grid)
    nodes = np.broadcast_to(u.Quantity(density, "Mpc-3").value, grid.shape)
    values = np.interp(fine, grid, nodes)
    return _draw(fine, values, sky_area, cosmology, noise, rng)


def schechter_lf_redshift(
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
) -> np.ndarray:
    r"""Draw redshifts of galaxies of a Schechter luminosity function above a limit.

    .. math:: n(z) = \phi_*(z) \, \Gamma\left(\alpha + 1, x_{\min}(z)\right), \quad
        x_{\min} = 10^{-0.4 (m_{\lim} - \mu(z) - K(z) - M_*)}

    Parameters
    ----------
    redshift : (node,)
        Grid, ascending; parameters given as arrays belong to its nodes.
    M_star : number, (node,) or callable [mag]
        Characteristic absolute magnitude.
    phi_star : number, (node,) or callable [1 / Mpc3]
        Normalisation per magnitude-free unit of luminosity, per Mpc3: no factor of h. From values
        in h3 / Mpc3, multiply with h3.
    alpha : number, (node,) or callable
        Slope at the faint end.
    m_lim : float [mag]
        Limit in apparent magnitude.
    sky_area, cosmology, noise, rng
        As for `redshifts_from_comoving_density`.
    k_correction : number, (node,) or callable [mag]
        Added to the distance modulus, so that the limit holds in the observed band. 0, as
        published, leaves the limit in the rest frame.

    Returns
    -------
    (n,)
    """
    grid = np.asarray(redshift, dtype=float)
    z = _refined(grid)
    faintest = bare_magnitude(m_lim, "m_lim")
    bright, k = (
        at_redshift(bare_magnitude(p, name), z, grid)
        for p, name in ((M_star, "M_star"), (k_correction, "k_correction"))
    )
    phi, slope = (at_redshift(p, z, grid) for p in (phi_star, alpha))
    x_min = 10 ** (-0.4 * (faintest - distance_modulus(z, cosmology) - k - bright))
    # where the distance vanishes so does the volume, whatever the density there
    density = np.asarray(phi) * upper_gamma(np.asarray(slope) + 1, np.maximum(x_min, _FAINTEST))
    return _draw(z, density, sky_area, cosmology, noise, rng)


def schechter_smf_redshift(
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
) -> np.ndarray:
    """Draw redshifts of galaxies of a Schechter stellar mass function between two masses.

    Parameters
    ----------
    redshift : (node,)
        Grid, ascending.
    m_star : number, (node,) or callable [Msun]
        Characteristic mass.
    phi_star : number, (node,) or callable [1 / Mpc3]
        Normalisation, per Mpc3: no factor of h.
    alpha : number, (node,) or callable
        Slope.
    m_min, m_max : number, (node,) or callable [Msun]
        Limits.
    sky_area, cosmology, noise, rng
        As for `redshifts_from_comoving_density`.

    Returns
    -------
    (n,)
    """
    grid = np.asarray(redshift, dtype=float)
    z = _refined(grid)
    mass, phi, slope, low, high = (
        np.asarray(at_redshift(p, z, grid)) for p in (m_star, phi_star, alpha, m_min, m_max)
    )
    between = upper_gamma(slope + 1, low / mass) - upper_gamma(slope + 1, high / mass)
    return _draw(z, phi * between, sky_area, cosmology, noise, rng)


def at_redshift(
    parameter: Parameter, redshift: np.ndarray, grid: np.ndarray | None = None
) -> float | np.ndarray:
    """Return a parameter at redshifts: called, interpolated from its grid, or as it is."""
    if callable(parameter):
        return np.asarray(parameter(redshift))
    if np.ndim(parameter) == 0 or grid is None:
        return parameter
    return np.asarray(np.interp(redshift, grid, np.asarray(parameter)))


def _refined(grid: np.ndarray) -> np.ndarray:
    if grid.ndim != 1 or len(grid) < 2 or not (np.diff(grid) > 0).all():
        raise ValueError("redshift has to be a grid of two ascending nodes or more")
    steps = np.linspace(grid[:-1], grid[1:], _FINER, endpoint=False)
    return np.append(steps.T.ravel(), grid[-1])


def _draw(
    z: np.ndarray,
    density: np.ndarray,
    sky_area: u.Quantity,
    cosmology: FLRW,
    noise: bool,
    rng: np.random.Generator,
) -> np.ndarray:
    """Draw redshifts of a density [1 / Mpc3] on a fine grid."""
    if not isinstance(sky_area, u.Quantity) or not sky_area.unit.is_equivalent(u.sr):
        # both a TypeError and a UnitsError
        raise u.UnitTypeError(f"sky_area is {sky_area}; expected a solid angle, such as 10 deg2")
    if not 0 <= sky_area.to_value("sr") <= 4 * np.pi * (1 + 1e-9):
        raise ValueError(f"sky_area is {sky_area}; expected from zero to the whole sky, 41253 deg2")
    if not np.isfinite(density).all() or (density < 0).any():
        raise ValueError("the density has to be finite and nowhere negative")
    volume = cosmology.differential_comoving_volume(z).to_value("Mpc3 / sr")
    rate = density * volume * sky_area.to_value("sr")
    steps = np.diff(z)
    counts = np.append(0.0, np.cumsum(0.5 * (rate[1:] + rate[:-1]) * steps))
    n = rng.poisson(counts[-1]) if noise else int(counts[-1])
    area = rng.random(n) * counts[-1]
    step = np.clip(np.searchsorted(counts, area, side="right") - 1, 0, len(steps) - 1)
    area -= counts[step]
    start = rate[step]
    slope = (rate[step + 1] - start) / steps[step]
    root = np.sqrt(np.maximum(start**2 + 2 * slope * area, 0.0))
    ahead = np.divide(2 * area, start + root, out=np.zeros(n), where=start + root > 0)
    return np.asarray(z[step] + np.minimum(ahead, steps[step]))
