"""The profile of Navarro, Frenk & White: density, mass, surface density, and as a lens."""

from __future__ import annotations

import math

import astropy.units as u
import numpy as np
from astropy import constants
from astropy.cosmology import FLRW

from skywright.sky.halos.checks import checked_masses, checked_redshifts
from skywright.sky.halos.definitions import halo_radius, nfw_mass_shape

__all__ = ["nfw_density", "nfw_enclosed_mass", "nfw_lens", "nfw_surface_density"]


def nfw_density(
    radius: u.Quantity, mass: np.ndarray, concentration: np.ndarray, halo_radius: u.Quantity
) -> u.Quantity:
    r"""Return the density of NFW halos, :math:`\rho_s / [x (1 + x)^2]` with :math:`x = r / r_s`.

    Parameters
    ----------
    radius : Quantity (…) [length]
        Distance from the centre, physical and positive.
    mass : (…) [Msun]
        Mass inside the halo radius.
    concentration : (…)
        Halo radius over scale radius.
    halo_radius : Quantity (…) [length]
        As `skywright.sky.halo_radius` gives it.

    Returns
    -------
    Quantity (…) [Msun / kpc3]

    References
    ----------
    Navarro, Frenk & White 1997, ApJ 490, 493, eq. 1 to 3.

    Examples
    --------
    >>> nfw_density(20 * u.kpc, 1e12, 10.0, 200 * u.kpc).round(-4)
    <Quantity 1670000. solMass / kpc3>
    """
    x, scale, density = _scales(radius, mass, concentration, halo_radius)
    del scale
    return density / (x * (1 + x) ** 2) * u.Msun / u.kpc**3


def nfw_enclosed_mass(
    radius: u.Quantity, mass: np.ndarray, concentration: np.ndarray, halo_radius: u.Quantity
) -> u.Quantity:
    r"""Return the mass of NFW halos inside a sphere; the halo goes on beyond its radius.

    Parameters
    ----------
    radius, mass, concentration, halo_radius
        As for `nfw_density`.

    Returns
    -------
    Quantity (…) [Msun]

    Examples
    --------
    >>> bool(np.isclose(nfw_enclosed_mass(200 * u.kpc, 1e12, 10.0, 200 * u.kpc).value, 1e12))
    True
    """
    x, scale, density = _scales(radius, mass, concentration, halo_radius)
    return 4 * np.pi * density * scale**3 * nfw_mass_shape(x) * u.Msun


def nfw_surface_density(
    radius: u.Quantity, mass: np.ndarray, concentration: np.ndarray, halo_radius: u.Quantity
) -> u.Quantity:
    r"""Return the surface density of NFW halos, whole lines of sight added up.

    Parameters
    ----------
    radius : Quantity (…) [length]
        Projected distance from the centre, physical and positive.
    mass, concentration, halo_radius
        As for `nfw_density`.

    Returns
    -------
    Quantity (…) [Msun / kpc2]

    References
    ----------
    Bartelmann 1996, A&A 313, 697, eq. 5 to 7; Wright & Brainerd 2000, ApJ 534, 34, eq. 11.
    """
    x, scale, density = _scales(radius, mass, concentration, halo_radius)
    return 2 * density * scale * _surface_shape(x) * u.Msun / u.kpc**2


def nfw_lens(
    mass: np.ndarray,
    concentration: np.ndarray,
    z_lens: np.ndarray,
    z_source: np.ndarray,
    cosmology: FLRW,
    *,
    mass_definition: str = "200m",
) -> tuple[u.Quantity, u.Quantity]:
    r"""Return what the deflector `skywright.sky.nfw` takes for halos.

    :math:`\alpha_s = 4 (1 - \ln 2) \kappa_s r_s` with
    :math:`\kappa_s = \rho_s r_s / \Sigma_{cr}`.

    Parameters
    ----------
    mass : (…) [Msun]
        Halo masses.
    concentration : (…)
        Halo radius over scale radius.
    z_lens, z_source : (…)
        Redshifts; sources behind the lenses.
    cosmology : FLRW
        For distances and densities.
    mass_definition : str
        Of mass and concentration.

    Returns
    -------
    radius_s : Quantity (…) [arcsec]
        Scale radius.
    alpha_s : Quantity (…) [arcsec]
        Deflection at the scale radius.

    Raises
    ------
    ValueError
        When a source is not behind its lens, a lens is at redshift 0, or an argument makes no
        sense.

    References
    ----------
    Bartelmann 1996, A&A 313, 697, eq. 7 to 9.

    Examples
    --------
    >>> from astropy.cosmology import Planck18
    >>> radius_s, alpha_s = nfw_lens(1e15, 5.0, 0.3, 2.0, Planck18, mass_definition="200c")
    >>> radius_s.round(1), alpha_s.round(1)
    (<Quantity 82.6 arcsec>, <Quantity 25.6 arcsec>)
    """
    lens, source = checked_redshifts(z_lens), checked_redshifts(z_source)
    if not ((lens > 0) & (source > lens)).all():
        raise ValueError("lenses have to be beyond redshift 0 and sources behind their lenses")
    size = halo_radius(mass, lens, cosmology, mass_definition=mass_definition)
    _, scale, density = _scales(size, mass, concentration, size)
    strength = density * scale / _critical_surface_density(lens, source, cosmology)
    distance = cosmology.angular_diameter_distance(lens).to_value("kpc")
    radius_s = np.rad2deg(scale / distance) * 3600 * u.arcsec
    return radius_s, 4 * (1 - math.log(2)) * strength * radius_s


def _critical_surface_density(
    z_lens: np.ndarray, z_source: np.ndarray, cosmology: FLRW
) -> np.ndarray:
    """Return c^2 D_s / (4 pi G D_l D_ls) [Msun / kpc2]; Hogg 1999, eq. 19, for D_ls."""
    lens, source = (cosmology.comoving_transverse_distance(z) for z in (z_lens, z_source))
    curvature = cosmology.Ok0 / cosmology.hubble_distance**2
    ahead = source * np.sqrt(1 + curvature * lens**2)
    between = ahead - lens * np.sqrt(1 + curvature * source**2)
    # the factors 1 + z of D_s and D_ls cancel
    ratio = source * (1 + z_lens) / (lens * between)
    return np.asarray((constants.c**2 / (4 * np.pi * constants.G) * ratio).to_value("Msun / kpc2"))


def _scales(
    radius: u.Quantity, mass: np.ndarray, concentration: np.ndarray, halo_radius: u.Quantity
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return radius over scale radius, scale radius [kpc], density there times 4 [Msun / kpc3]."""
    c = np.asarray(concentration, dtype=float)
    if not (c > 0).all():
        raise ValueError("concentrations have to be positive numbers")
    r, whole = (u.Quantity(value).to_value("kpc") for value in (radius, halo_radius))
    if not ((r > 0).all() and (whole > 0).all()):
        raise ValueError("radii have to be positive lengths")
    scale = whole / c
    density = checked_masses(mass) / (4 * np.pi * scale**3 * nfw_mass_shape(c))
    return r / scale, scale, density


def _surface_shape(x: np.ndarray) -> np.ndarray:
    """Return 1 / (x^2 - 1) [1 - arccosh(1 / x) / sqrt(1 - x^2)] and its continuation beyond 1."""
    d = 1 - np.asarray(x, dtype=float) ** 2
    level = np.abs(d) < 1e-3
    root = np.sqrt(np.where(level, 1.0, np.abs(d)))
    inner = np.log((1 + root) / x) / root
    outer = np.arctan(root) / root
    plain = (np.where(d > 0, inner, outer) - 1) / np.where(level, 1.0, d)
    # arctanh(sqrt d) / sqrt d = 1 + d / 3 + d^2 / 5 + ...
    return np.where(level, 1 / 3 + d / 5 + d**2 / 7 + d**3 / 9, plain)
