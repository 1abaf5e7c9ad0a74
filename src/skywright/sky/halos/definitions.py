"""Mass definitions of halos: the radius that goes with one, and from one to another.

A halo of definition ``200m`` (``200c``) ends where the mean density inside is 200 times the mean
matter (the critical) density at its redshift, one of ``vir`` where it is that of Bryan & Norman
1998. Masses in [Msun], radii are physical, nothing counts in h.
"""

from __future__ import annotations

import re

import astropy.units as u
import numpy as np
from astropy.cosmology import FLRW

from skywright.sky.halos.checks import checked_masses, checked_redshifts

__all__ = [
    "convert_halo_mass",
    "halo_radius",
    "is_overdensity",
    "nfw_mass_shape",
    "threshold_density",
]

_OVERDENSITY = re.compile(r"([1-9]\d*)([cm])")
_NEWTON_STEPS = 60


def is_overdensity(definition: str) -> bool:
    """Return whether a mass definition is a spherical overdensity: 200m, 500c, vir."""
    return definition == "vir" or _OVERDENSITY.fullmatch(definition) is not None


def threshold_density(redshift: np.ndarray, cosmology: FLRW, mass_definition: str) -> np.ndarray:
    """Return the mean density inside halos of a definition.

    Parameters
    ----------
    redshift : (…)
        Redshift.
    cosmology : FLRW
        For the critical density and the share of matter in it.
    mass_definition : str
        Such as ``200m``, ``500c`` or ``vir``.

    Returns
    -------
    (…) [Msun / kpc3]
        Physical density.

    Raises
    ------
    ValueError
        When the definition is no overdensity.

    References
    ----------
    Bryan & Norman 1998, ApJ 495, 80, eq. 6, for ``vir``.
    """
    critical = cosmology.critical_density(redshift).to_value("Msun / kpc3")
    matter = cosmology.Om(redshift)
    if mass_definition == "vir":
        x = matter - 1
        return np.asarray((18 * np.pi**2 + 82 * x - 39 * x**2) * critical)
    match = _OVERDENSITY.fullmatch(mass_definition)
    if match is None:
        raise ValueError(
            f"mass definition {mass_definition!r} has no radius; expected an overdensity such as "
            "200m, 200c or vir"
        )
    return np.asarray(int(match[1]) * critical * (matter if match[2] == "m" else 1.0))


def halo_radius(
    mass: np.ndarray,
    redshift: np.ndarray,
    cosmology: FLRW,
    *,
    mass_definition: str = "200m",
) -> u.Quantity:
    """Return the radius of halos.

    Parameters
    ----------
    mass : (…) [Msun]
        Halo mass.
    redshift : (…)
        Redshift.
    cosmology : FLRW
        For the densities.
    mass_definition : str
        Such as ``200m``, ``500c`` or ``vir``.

    Returns
    -------
    Quantity (…) [kpc]
        Physical radius.

    Examples
    --------
    >>> from astropy.cosmology import Planck18
    >>> halo_radius(1e12, 0.0, Planck18, mass_definition="200c").round(1)
    <Quantity 211. kpc>
    """
    mass, z = checked_masses(mass), checked_redshifts(redshift)
    density = threshold_density(z, cosmology, mass_definition)
    return np.cbrt(3 * mass / (4 * np.pi * density)) * u.kpc


def convert_halo_mass(
    mass: np.ndarray,
    concentration: np.ndarray,
    redshift: np.ndarray,
    cosmology: FLRW,
    mass_definition: str,
    to: str,
) -> tuple[np.ndarray, np.ndarray]:
    r"""Convert the masses and concentrations of NFW halos to another mass definition.

    The scale radius and the density inside it stay; the new concentration :math:`c'` solves
    :math:`\mu(c') / c'^3 = \mu(c) / c^3 \, \Delta' / \Delta` with
    :math:`\mu(x) = \ln(1 + x) - x / (1 + x)`.

    Parameters
    ----------
    mass : (…) [Msun]
        Masses in the definition ``mass_definition``.
    concentration : (…)
        Radius over scale radius, in the same definition.
    redshift : (…)
        Redshift.
    cosmology : FLRW
        For the densities.
    mass_definition, to : str
        The definition of the arguments and of the result, such as ``200m``.

    Returns
    -------
    mass : (…) [Msun]
        Masses in the definition ``to``.
    concentration : (…)
        Concentrations in that definition.

    Raises
    ------
    ValueError
        When a mass or a concentration is not positive, or a definition has no radius.

    References
    ----------
    Hu & Kravtsov 2003, ApJ 584, 702, appendix C.

    Examples
    --------
    >>> from astropy.cosmology import Planck18
    >>> m, c = convert_halo_mass(1e14, 5.0, 0.3, Planck18, "200m", "500c")
    >>> f"{m:.3e}, {c:.3f}"
    '5.323e+13, 2.363'
    """
    mass, z = checked_masses(mass), checked_redshifts(redshift)
    c = np.asarray(concentration, dtype=float)
    if not (c > 0).all():
        raise ValueError("concentrations have to be positive numbers")
    old, new = (threshold_density(z, cosmology, name) for name in (mass_definition, to))
    wanted = nfw_mass_shape(c) / c**3 * new / old
    # mu(x) / x**3 falls from infinity at 0 to nothing, as 1 / (2 x) at first
    found = _concentration_of(wanted, c * np.cbrt(old / new))
    return mass * nfw_mass_shape(found) / nfw_mass_shape(c), found


def nfw_mass_shape(x: np.ndarray) -> np.ndarray:
    r"""Return :math:`\ln(1 + x) - x / (1 + x)`: the mass inside x scale radii but for a factor."""
    x = np.asarray(x, dtype=float)
    series = x**2 * (1 / 2 - x * (2 / 3 - x * (3 / 4 - x * 4 / 5)))
    return np.where(x < 1e-3, series, np.log1p(x) - x / (1 + x))


def _concentration_of(wanted: np.ndarray, guess: np.ndarray) -> np.ndarray:
    """Solve mu(x) / x**3 = wanted by Newton's method in the logarithms of both."""
    log_wanted, log_x = np.log(wanted), np.log(guess)
    for _ in range(_NEWTON_STEPS):
        x = np.exp(log_x)
        shape = nfw_mass_shape(x)
        slope = x**2 / (1 + x) ** 2 / shape - 3
        step = (np.log(shape) - 3 * log_x - log_wanted) / slope
        log_x = log_x - step
        if (np.abs(step) < 1e-13).all():
            break
    return np.asarray(np.exp(log_x))
