"""The halo occupation distribution of Zheng et al.: how many galaxies a halo has."""

from __future__ import annotations

import astropy.units as u
import numpy as np
from scipy.special import erf

from skywright.sky.halos.checks import SMALLEST, checked_masses

__all__ = ["draw_hod_galaxies", "hod_occupation"]


def hod_occupation(
    mass: np.ndarray,
    *,
    m_min: float,
    sigma_log_m: float,
    m_0: float,
    m_1: float,
    alpha: float,
) -> tuple[np.ndarray, np.ndarray]:
    r"""Return the mean numbers of central and of satellite galaxies of halos.

    .. math:: \langle N_c \rangle = \frac12 \left[1 + \mathrm{erf}\left(
        \frac{\log_{10} M - \log_{10} M_{\min}}{\sigma_{\log M}}\right)\right], \quad
        \langle N_s \rangle = \langle N_c \rangle \left(\frac{M - M_0}{M_1}\right)^\alpha

    There are no satellites below :math:`M_0`, and only halos with a central have any.

    Parameters
    ----------
    mass : (…) [Msun]
        Halo masses.
    m_min : float [Msun]
        Where half of the halos have a central.
    sigma_log_m : float [dex]
        Width of the step; at 0 the step is sharp.
    m_0 : float [Msun]
        Below it there are no satellites.
    m_1 : float [Msun]
        A halo of ``m_0 + m_1`` has one satellite.
    alpha : float
        Slope of the satellites.

    Returns
    -------
    central : (…)
        Between 0 and 1.
    satellites : (…)

    Raises
    ------
    ValueError
        When a mass is not positive, or a parameter negative.

    References
    ----------
    Zheng et al. 2005, ApJ 633, 791; Zheng, Coil & Zehavi 2007, ApJ 667, 760, eq. 2 for centrals.
    Satellites without the factor of the central's mean are found in the literature too.

    Examples
    --------
    >>> central, satellites = hod_occupation(
    ...     [1e12, 1e14], m_min=1e12, sigma_log_m=0.2, m_0=1e12, m_1=2e13, alpha=1.0
    ... )
    >>> central, satellites
    (array([0.5, 1. ]), array([0.  , 4.95]))
    """
    halo = checked_masses(mass)
    m_min, m_0, m_1 = (float(u.Quantity(m, "Msun").value) for m in (m_min, m_0, m_1))
    for name, value in {"m_min": m_min, "m_1": m_1}.items():
        if not (np.isfinite(value) and value > SMALLEST):
            raise ValueError(f"{name} is {value}; expected a mass in Msun, not its logarithm")
    for name, value in {"sigma_log_m": sigma_log_m, "m_0": m_0, "alpha": alpha}.items():
        if not (np.isfinite(value) and value >= 0):
            raise ValueError(f"{name} is {value}; expected a number that is not negative")
    above = np.log10(halo / m_min)
    if sigma_log_m:
        central = 0.5 * (1 + erf(above / sigma_log_m))
    else:
        central = np.where(above >= 0, 1.0, 0.0)
    excess = np.maximum(halo - m_0, 0.0) / m_1
    return central, central * np.where(excess > 0, excess**alpha, 0.0)


def draw_hod_galaxies(
    mass: np.ndarray,
    *,
    m_min: float,
    sigma_log_m: float,
    m_0: float,
    m_1: float,
    alpha: float,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Draw the galaxies of halos.

    A halo has a central with the probability that `hod_occupation` gives. If it has one, the
    number of its satellites is a Poisson draw of mean ``((M - m_0) / m_1)**alpha``, else zero.
    `draw_nfw_positions` places them.

    Parameters
    ----------
    mass : (halo,) [Msun]
        Halo masses.
    m_min, sigma_log_m, m_0, m_1, alpha
        As for `hod_occupation`.
    rng : Generator
        Source of randomness.

    Returns
    -------
    halo : (n,) int
        Index of the halo of each galaxy, ascending.
    central : (n,) bool
        Whether the galaxy is the central one; it is the first of its halo.

    Examples
    --------
    >>> halo, central = draw_hod_galaxies(
    ...     [1e11, 1e14], m_min=1e12, sigma_log_m=0.2, m_0=1e12, m_1=2e13, alpha=1.0,
    ...     rng=np.random.default_rng(0),
    ... )
    >>> halo, central.sum()
    (array([1, 1]), np.int64(1))
    """
    halos = np.atleast_1d(checked_masses(mass))
    mean, satellites = hod_occupation(
        halos, m_min=m_min, sigma_log_m=sigma_log_m, m_0=m_0, m_1=m_1, alpha=alpha
    )
    has_central = rng.random(len(halos)) < mean
    given_central = np.divide(satellites, mean, out=np.zeros(len(halos)), where=has_central)
    number = has_central + rng.poisson(given_central)
    halo = np.repeat(np.arange(len(halos)), number)
    first = np.cumsum(number) - number
    central = np.zeros(len(halo), dtype=bool)
    central[first[has_central]] = True
    return halo, central
