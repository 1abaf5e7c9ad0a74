"""Mergers of compact bodies: when, where, how heavy and how they are turned."""

from __future__ import annotations

from collections.abc import Callable

import astropy.units as u
import numpy as np
from astropy.cosmology import FLRW
from astropy.table import QTable

from skywright.sky.populations.redshifts import Parameter
from skywright.sky.transients.events import draw_events

__all__ = ["draw_directions", "draw_mergers"]

Masses = Callable[..., tuple[np.ndarray, np.ndarray]]


def draw_mergers(
    redshift: np.ndarray,
    rate: Parameter | u.Quantity,
    masses: Masses,
    duration: u.Quantity | float,
    cosmology: FLRW,
    *,
    ra: tuple[float, float] = (0.0, 360.0),
    dec: tuple[float, float] = (-90.0, 90.0),
    start: u.Quantity | float = 60000.0,
    noise: bool = True,
    rng: np.random.Generator,
) -> QTable:
    """Draw all mergers of one kind in a part of the sky.

    Parameters
    ----------
    redshift, rate, duration, cosmology, start, noise, rng
        As for `draw_events`; rates are `gwtc3_black_hole_rate` and `gwtc3_neutron_star_rate`.
    masses : callable
        ``masses(size, rng=…) -> (mass_1, mass_2)``, as `power_law_peak_masses`.
    ra, dec : (low, high) [deg]
        Part of the sky; the whole by default.

    Returns
    -------
    QTable
        ``event_id``; ``z``; ``mjd_peak`` [d], when the merger is seen; ``mass_1``, ``mass_2``
        [Msun] in the frame of the source; ``luminosity_distance`` [Mpc]; ``ra``, ``dec`` [deg];
        ``inclination`` [deg] of the orbital axis to the line of sight, 0 to 180.

    Raises
    ------
    ValueError
        As `draw_events`, and when the part of the sky is empty.

    Examples
    --------
    >>> from astropy.cosmology import Planck18
    >>> from skywright.sky import gwtc3_black_hole_rate, power_law_peak_masses
    >>> mergers = draw_mergers(
    ...     [0.0, 0.1], gwtc3_black_hole_rate, power_law_peak_masses, 1 * u.yr, Planck18,
    ...     noise=False, rng=np.random.default_rng(0),
    ... )
    >>> len(mergers)
    6
    """
    area = _area(ra, dec) * u.sr
    mergers = draw_events(
        redshift, rate, area, duration, cosmology, start=start, noise=noise, rng=rng
    )
    n = len(mergers)
    first, second = masses(n, rng=rng)
    mergers["mass_1"], mergers["mass_2"] = first * u.Msun, second * u.Msun
    distance = cosmology.luminosity_distance(mergers["z"]) if n else np.zeros(0) * u.Mpc
    mergers["luminosity_distance"] = distance.to(u.Mpc)
    mergers["ra"], mergers["dec"] = draw_directions(n, ra=ra, dec=dec, rng=rng)
    mergers["inclination"] = np.rad2deg(np.arccos(rng.uniform(-1, 1, n))) * u.deg
    return mergers


def draw_directions(
    size: int,
    *,
    ra: tuple[float, float] = (0.0, 360.0),
    dec: tuple[float, float] = (-90.0, 90.0),
    rng: np.random.Generator,
) -> tuple[u.Quantity, u.Quantity]:
    """Draw directions evenly over the sky, or over a part of it between meridians and parallels.

    Parameters
    ----------
    size : int
        Number of directions.
    ra, dec : (low, high) [deg]
        Limits; a right ascension below 0 stands for one below 360.
    rng : Generator
        Source of randomness.

    Returns
    -------
    ra, dec : Quantity (size,) [deg]

    Raises
    ------
    ValueError
        When the limits are not in order.

    Examples
    --------
    >>> ra, dec = draw_directions(2, ra=(350, 370), dec=(-5, 5), rng=np.random.default_rng(0))
    >>> ra.round(1)
    <Quantity [  2.7, 355.4] deg>
    """
    _area(ra, dec)
    longitude = rng.uniform(*ra, size) % 360
    low, high = np.sin(np.deg2rad(dec))
    latitude = np.rad2deg(np.arcsin(rng.uniform(low, high, size)))
    return longitude * u.deg, latitude * u.deg


def _area(ra: tuple[float, float], dec: tuple[float, float]) -> float:
    """Return the area [sr] between meridians and parallels."""
    if not (ra[0] < ra[1] <= ra[0] + 360 and -90 <= dec[0] < dec[1] <= 90):
        raise ValueError(
            f"ra {tuple(ra)}, dec {tuple(dec)}: expected two ascending limits each [deg], at most "
            "360 apart, and between -90 and 90"
        )
    low, high = np.sin(np.deg2rad(dec))
    return float(np.deg2rad(ra[1] - ra[0]) * (high - low))
