"""Distances of many galaxies: a spline through those of a few redshifts."""

from __future__ import annotations

import numpy as np
from astropy.cosmology import FLRW
from scipy.interpolate import CubicSpline

__all__ = ["distance_modulus", "transverse_distance"]

_NODES = 1024  # even in ln(1 + z): errors stay below 1e-9 mag up to redshift 20


def transverse_distance(redshift: np.ndarray, cosmology: FLRW) -> np.ndarray:
    """Return transverse comoving distances.

    Astropy integrates for every redshift anew. Where there are more redshifts than nodes, the
    distance over the redshift, which is smooth down to zero, is interpolated.

    Parameters
    ----------
    redshift : (…)
        Redshifts, not negative.
    cosmology : FLRW
        For the distances.

    Returns
    -------
    (…) [Mpc]

    Raises
    ------
    ValueError
        When a redshift is negative or not finite.

    References
    ----------
    Hogg 1999, astro-ph/9905116, eq. 16.
    """
    z = np.asarray(redshift, dtype=float)
    if not np.isfinite(z).all() or (z < 0).any():
        raise ValueError("redshifts have to be finite and not negative")
    if z.size <= _NODES:
        return np.asarray(cosmology.comoving_transverse_distance(z).to_value("Mpc"))
    # the first node is not at zero, where distance over redshift is 0 / 0
    nodes = np.linspace(np.log1p(1e-6), np.log1p(max(float(z.max()), 1e-3)), _NODES)
    at = np.expm1(nodes)
    ratio = cosmology.comoving_transverse_distance(at).to_value("Mpc") / at
    return np.asarray(z * CubicSpline(nodes, ratio)(np.log1p(z)))


def distance_modulus(redshift: np.ndarray, cosmology: FLRW) -> np.ndarray:
    r"""Return :math:`5 \log_{10}(d_L / 10\,\mathrm{pc})`, minus infinity at redshift zero.

    Parameters
    ----------
    redshift : (…)
        Redshifts, not negative.
    cosmology : FLRW
        For the distances.

    Returns
    -------
    (…) [mag]

    Raises
    ------
    ValueError
        When a redshift is negative or not finite.

    References
    ----------
    Hogg 1999, astro-ph/9905116, eq. 25.

    Examples
    --------
    >>> from astropy.cosmology import Planck18
    >>> z = np.linspace(0.1, 2, 5000)
    >>> bool(np.allclose(distance_modulus(z, Planck18), Planck18.distmod(z).value, atol=1e-9))
    True
    """
    z = np.asarray(redshift, dtype=float)
    with np.errstate(divide="ignore"):
        return np.asarray(5 * np.log10((1 + z) * transverse_distance(z, cosmology)) + 25)
