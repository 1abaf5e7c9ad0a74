r"""Published volumetric rates of supernovae and mergers, as functions of redshift.

All are per comoving Mpc3 and per year of the rest frame. What was measured from counts was turned
into a density with H0 = 70 km/s/Mpc; for another, multiply with :math:`(H_0 / 70)^3`.
"""

from __future__ import annotations

import numpy as np

__all__ = [
    "core_collapse_rate",
    "dilday10_ia_rate",
    "frohmaier19_ia_rate",
    "gwtc3_black_hole_rate",
    "gwtc3_neutron_star_rate",
    "madau14_star_formation_rate",
]

_PER_GPC3 = 1e-9  # Gpc-3 in Mpc-3


def dilday10_ia_rate(redshift: float | np.ndarray) -> np.ndarray:
    r"""Return the rate of type Ia supernovae that SDSS-II measured to redshift 0.3.

    .. math:: r = 3.43 \times 10^{-5} \left(\frac{1 + z}{1.21}\right)^{2.04}

    Parameters
    ----------
    redshift : (…)
        Redshifts.

    Returns
    -------
    (…) [1 / (Mpc3 yr)]

    References
    ----------
    Dilday et al. 2010, ApJ 713, 1026 (arXiv:1001.4995), abstract.
    """
    return 3.43e-5 * ((1 + _checked(redshift)) / 1.21) ** 2.04


def frohmaier19_ia_rate(redshift: float | np.ndarray) -> np.ndarray:
    r"""Return the rate of type Ia supernovae, fitted to measurements below redshift 1.

    .. math:: r = 2.27 \times 10^{-5} (1 + z)^{1.70}

    Parameters
    ----------
    redshift : (…)
        Redshifts; beyond 1 the law is continued.

    Returns
    -------
    (…) [1 / (Mpc3 yr)]

    References
    ----------
    Frohmaier et al. 2019, MNRAS 486, 2308 (arXiv:1903.08580), section 6.

    Examples
    --------
    >>> float(frohmaier19_ia_rate(0.0))
    2.27e-05
    """
    return 2.27e-5 * (1 + _checked(redshift)) ** 1.70


def madau14_star_formation_rate(redshift: float | np.ndarray) -> np.ndarray:
    r"""Return the cosmic density of star formation, for a Salpeter initial mass function.

    .. math:: \psi = 0.015 \frac{(1 + z)^{2.7}}{1 + [(1 + z) / 2.9]^{5.6}}

    Parameters
    ----------
    redshift : (…)
        Redshifts.

    Returns
    -------
    (…) [Msun / (Mpc3 yr)]

    References
    ----------
    Madau & Dickinson 2014, ARA&A 52, 415 (arXiv:1403.0007), eq. 15.

    Examples
    --------
    >>> float(madau14_star_formation_rate(1.9).round(4))
    0.1329
    """
    stretch = 1 + _checked(redshift)
    return 0.015 * stretch**2.7 / (1 + (stretch / 2.9) ** 5.6)


def core_collapse_rate(
    redshift: float | np.ndarray, *, per_solar_mass: float = 0.0068
) -> np.ndarray:
    """Return the rate of core-collapse supernovae that follows the star formation at once.

    Parameters
    ----------
    redshift : (…)
        Redshifts.
    per_solar_mass : float [1 / Msun]
        Supernovae per mass of stars: by default all stars of 8 to 40 Msun of a Salpeter function
        from 0.1 to 100 Msun.

    Returns
    -------
    (…) [1 / (Mpc3 yr)]

    References
    ----------
    Madau & Dickinson 2014, ARA&A 52, 415 (arXiv:1403.0007), eq. 15 and 16.
    """
    return per_solar_mass * madau14_star_formation_rate(redshift)


def gwtc3_black_hole_rate(
    redshift: float | np.ndarray, *, rate: float = 28.3, kappa: float = 2.9
) -> np.ndarray:
    r"""Return the rate of mergers of two black holes of the third gravitational-wave catalogue.

    .. math:: R = R_{0.2} \left(\frac{1 + z}{1.2}\right)^\kappa

    Parameters
    ----------
    redshift : (…)
        Redshifts; the law was fitted below about 1 and is continued beyond.
    rate : float [1 / (Gpc3 yr)]
        At redshift 0.2; the 90 % interval over models is 17.9 to 44.
    kappa : float
        Exponent; 2.9 +1.7 -1.8.

    Returns
    -------
    (…) [1 / (Mpc3 yr)]

    References
    ----------
    Abbott et al. 2023, PRX 13, 011048 (arXiv:2111.03634): interval and exponent as of its abstract,
    the median not checked against the paper.
    """
    return rate * _PER_GPC3 * ((1 + _checked(redshift)) / 1.2) ** kappa


def gwtc3_neutron_star_rate(redshift: float | np.ndarray, *, rate: float = 105.5) -> np.ndarray:
    """Return the rate of mergers of two neutron stars, the same at all redshifts.

    Parameters
    ----------
    redshift : (…)
        Redshifts.
    rate : float [1 / (Gpc3 yr)]
        The 90 % interval over models is 10 to 1700: the least certain number here.

    Returns
    -------
    (…) [1 / (Mpc3 yr)]

    References
    ----------
    Abbott et al. 2023, PRX 13, 011048 (arXiv:2111.03634): interval as of its abstract, the median
    not checked against the paper.
    """
    return np.full(np.shape(_checked(redshift)), rate * _PER_GPC3)


def _checked(redshift: float | np.ndarray) -> np.ndarray:
    z = np.asarray(redshift, dtype=float)
    if not (np.isfinite(z).all() and (z >= 0).all()):
        raise ValueError(
            f"redshifts have to be finite and not negative; got {z.min()} to {z.max()}"
        )
    return z
