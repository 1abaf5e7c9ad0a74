"""Where inside a halo: radii and positions that follow an NFW profile."""

from __future__ import annotations

import astropy.units as u
import numpy as np
from scipy.special import lambertw

from skywright.sky.halos.definitions import nfw_mass_shape

__all__ = ["draw_nfw_positions", "draw_nfw_radii"]


def draw_nfw_radii(concentration: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
    r"""Draw distances from the centres of NFW halos, in halo radii.

    The mass inside a radius is inverted exactly: :math:`x = -1 / W_0(-e^{-1 - u \mu(c)}) - 1`
    scale radii for a uniform u. Satellites and subhalos that are counted by the mass they fell in
    with follow the matter of their host.

    Parameters
    ----------
    concentration : (…)
        Halo radius over scale radius, one for each draw.
    rng : Generator
        Source of randomness.

    Returns
    -------
    (…)
        Between 0 and 1.

    References
    ----------
    Robotham & Howlett 2018, RNAAS 2, 55, for the inverse; Han et al. 2016, MNRAS 457, 1208, for
    subhalos of given mass at infall.

    Examples
    --------
    >>> draw_nfw_radii(np.full(3, 8.0), rng=np.random.default_rng(0)).round(3)
    array([0.519, 0.207, 0.052])
    """
    c = np.asarray(concentration, dtype=float)
    if not (c > 0).all():
        raise ValueError("concentrations have to be positive numbers")
    inside = rng.random(c.shape) * nfw_mass_shape(c)
    x = -1 / lambertw(-np.exp(-1 - inside)).real - 1
    # near the centre the branch point eats the digits: there the mass is x^2 / 2 - 2 x^3 / 3
    root = np.sqrt(2 * inside)
    small = root * (1 + 2 / 3 * root)
    return np.asarray(np.clip(np.where(inside < 1e-8, small, x) / c, 0.0, 1.0))


def draw_nfw_positions(
    halo_radius: u.Quantity, concentration: np.ndarray, *, rng: np.random.Generator
) -> tuple[u.Quantity, u.Quantity, u.Quantity]:
    """Draw positions in spherical NFW halos, relative to their centres.

    Parameters
    ----------
    halo_radius : Quantity (n,) [length]
        Radius of the host of each draw.
    concentration : (n,)
        Its concentration.
    rng : Generator
        Source of randomness.

    Returns
    -------
    x, y, z : Quantity (n,) [that of the radius]
        Any of them may be taken for the line of sight.

    Raises
    ------
    TypeError
        When the radius is no length.
    ValueError
        When a concentration is not positive.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x, y, z = draw_nfw_positions([200.0, 300.0] * u.kpc, np.array([8.0, 6.0]), rng=rng)
    >>> bool((np.sqrt(x**2 + y**2 + z**2) < [200, 300] * u.kpc).all())
    True
    """
    c = np.asarray(concentration, dtype=float)
    whole = u.Quantity(halo_radius)
    if not whole.unit.is_equivalent(u.kpc):
        raise u.UnitTypeError(f"halo_radius is {halo_radius}; expected a length, as 200 kpc")
    radius = whole * draw_nfw_radii(c, rng=rng)
    cosine = rng.uniform(-1.0, 1.0, c.shape)
    angle = rng.uniform(0.0, 2 * np.pi, c.shape)
    sine = np.sqrt(1 - cosine**2)
    return radius * sine * np.cos(angle), radius * sine * np.sin(angle), radius * cosine
