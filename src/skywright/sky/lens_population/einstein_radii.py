"""Einstein radii of many pairs of lens and source."""

from __future__ import annotations

import astropy.units as u
import numpy as np
from astropy.constants import c
from astropy.cosmology import FLRW

from skywright.sky.populations.distances import transverse_distance

__all__ = ["RADIAN", "distance_ratio", "einstein_radius", "isothermal_angle"]

RADIAN = np.rad2deg(3600.0)  # in arcsec
_LIGHT = c.to_value("km/s")


def isothermal_angle(sigma_v: np.ndarray) -> np.ndarray:
    """Return the Einstein radius (…) [arcsec] for sources infinitely far behind the lens."""
    return np.asarray(4 * np.pi * (np.asarray(sigma_v) / _LIGHT) ** 2 * RADIAN)


def distance_ratio(z_l: np.ndarray, z_s: np.ndarray, cosmology: FLRW) -> np.ndarray:
    """Return the distance from lens to source over that to the source; 0 where it is in front.

    Parameters
    ----------
    z_l, z_s : (…)
        Redshifts; they broadcast.
    cosmology : FLRW
        For the distances, flat or not.

    Returns
    -------
    (…) [1]

    References
    ----------
    Hogg 1999, astro-ph/9905116, eq. 19; Peebles 1993, Principles of Physical Cosmology, p. 336.
    """
    near, far = transverse_distance(z_l, cosmology), transverse_distance(z_s, cosmology)
    curvature = cosmology.Ok0 / cosmology.hubble_distance.to_value("Mpc") ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.sqrt(1 + curvature * near**2) - near / far * np.sqrt(1 + curvature * far**2)
    return np.where(np.asarray(z_s) > np.asarray(z_l), ratio, 0.0)


def einstein_radius(
    sigma_v: np.ndarray, z_l: np.ndarray, z_s: np.ndarray, cosmology: FLRW
) -> u.Quantity:
    r"""Return Einstein radii of isothermal lenses, :math:`4\pi (\sigma/c)^2 D_{ls} / D_s`.

    Parameters
    ----------
    sigma_v : (…) [km/s]
        Velocity dispersions; a bare array is taken in this unit.
    z_l, z_s : (…)
        Redshifts of lenses and sources.
    cosmology : FLRW
        For the distances.

    Returns
    -------
    Quantity (…) [arcsec]
        0 where the source is in front of the lens.

    References
    ----------
    Schneider, Kochanek & Wambsganss 2006, Gravitational Lensing, part 1, eq. 46.

    Examples
    --------
    >>> from astropy.cosmology import FlatLambdaCDM
    >>> einstein_radius(250.0, 0.5, 2.0, FlatLambdaCDM(H0=70, Om0=0.3)).round(3)
    <Quantity 1.145 arcsec>
    """
    sigma = u.Quantity(sigma_v, "km/s").value
    if not (sigma >= 0).all():
        raise ValueError("velocity dispersions must not be negative or NaN")
    return isothermal_angle(sigma) * distance_ratio(z_l, z_s, cosmology) * u.arcsec
