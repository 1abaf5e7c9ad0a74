"""From the mass and concentration of a halo to the angles of an NFW lens."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from astropy import constants
from astropy import units as u
from astropy.cosmology import FLRW

from skywright.sky.distances import angular_distances

__all__ = ["nfw_angles"]

OVERDENSITY = 200.0
ARCSEC = np.pi / 180 / 3600


def nfw_angles(
    mass: u.Quantity, concentration: Any, z_lens: Any, z_source: Any, cosmology: FLRW
) -> tuple[np.ndarray, np.ndarray]:
    """Return what the profile NFW takes: scale radius and the deflection there.

    Parameters
    ----------
    mass : (system,) [Msun]
        Within the radius inside which the mean density is 200 times the critical one at
        ``z_lens``.
    concentration : (system,) [1]
        That radius over the scale radius.
    z_lens, z_source : (system,) or number
        Redshifts.
    cosmology : FLRW
        Distances and the critical density.

    Returns
    -------
    radius_s, alpha_s : (system,) [arcsec]
        ``Rs`` and ``alpha_Rs`` of NFW.

    Raises
    ------
    ValueError
        If a value is not positive, or the source is not behind the lens.

    References
    ----------
    Navarro, Frenk & White 1997, ApJ 490, 493, eqs. 1 and 2; Meneghetti 2021, Introduction to
    Gravitational Lensing, eq. 5.112.

    Examples
    --------
    >>> from astropy.cosmology import FlatLambdaCDM
    >>> angles = nfw_angles(1e13 * u.Msun, 5.0, 0.5, 1.5, FlatLambdaCDM(70, 0.3))
    >>> [round(float(angle), 2) for angle in angles]
    [12.17, 0.97]
    """
    z_lens, z_source = np.asarray(z_lens, dtype=float), np.asarray(z_source, dtype=float)
    c = np.asarray(concentration, dtype=float)
    solar = np.asarray(u.Quantity(mass).to_value(u.Msun))
    if not bool(((z_lens > 0) & (c > 0) & (solar > 0)).all()):
        raise ValueError("mass, concentration or redshift is not positive; expected all > 0")
    if bool((z_source <= z_lens).any()):
        raise ValueError("the source is not behind the lens; expected z_source > z_lens")
    density = OVERDENSITY * cosmology.critical_density(z_lens).to_value("Msun / Mpc3")
    radius_s = (3 * solar / (4 * np.pi * density)) ** (1 / 3) / c
    enclosed = np.log1p(c) - c / (1 + c)
    # Mass within the cylinder of radius_s: 4 pi rho_s radius_s^3 (1 - ln 2).
    inside = solar / enclosed * (1 - math.log(2))
    near, far, between = angular_distances(z_lens, z_source, cosmology)
    strength = float((4 * constants.G * u.Msun / constants.c**2).to_value(u.Mpc))
    alpha_s = strength * inside / radius_s * between / far
    return radius_s / near / ARCSEC, alpha_s / ARCSEC
