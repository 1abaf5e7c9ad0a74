"""Events in a light cone: when and how far, from a volumetric rate."""

from __future__ import annotations

import astropy.units as u
import numpy as np
from astropy.cosmology import FLRW
from astropy.table import QTable

from skywright.sky.populations.redshifts import (
    Parameter,
    at_redshift,
    redshifts_from_comoving_density,
)

__all__ = ["draw_events"]

_FINER = 16  # steps between two nodes of the caller's grid: the clock slows down between them


def draw_events(
    redshift: np.ndarray,
    rate: Parameter | u.Quantity,
    sky_area: u.Quantity,
    duration: u.Quantity | float,
    cosmology: FLRW,
    *,
    start: u.Quantity | float = 60000.0,
    noise: bool = True,
    rng: np.random.Generator,
) -> QTable:
    r"""Draw all events of one kind that peak in a part of the sky during a survey.

    .. math:: \frac{dN}{dz} = \frac{r(z)}{1 + z} \frac{dV}{dz} T

    The clock of the rest frame runs slower by :math:`1 + z`, so that fewer events are seen in a
    year of ours.

    Parameters
    ----------
    redshift : (node,)
        Grid, ascending; events lie between its ends.
    rate : number, (node,), Quantity or callable [1 / (Mpc3 yr)]
        Rate per comoving volume and time of the rest frame; bare numbers are in this unit. A
        function, such as `frohmaier19_ia_rate`, is followed between the nodes.
    sky_area : Quantity [solid angle]
        Area of the sky.
    duration : Quantity [time] or float [yr]
        Length of the survey for the observer.
    cosmology : FLRW
        For volumes.
    start : float [d]
        First day, as a modified Julian date.
    noise : bool
        Whether the number of events is a Poisson draw; else it is rounded down.
    rng : Generator
        Source of randomness.

    Returns
    -------
    QTable
        ``event_id``; ``z``; ``mjd_peak`` [d], uniform over the survey.

    Raises
    ------
    UnitConversionError
        When a quantity has another unit.
    ValueError
        When the grid does not ascend, or a rate or the duration is negative or not finite.

    Examples
    --------
    >>> from astropy.cosmology import Planck18
    >>> from skywright.sky import frohmaier19_ia_rate
    >>> events = draw_events(
    ...     [0, 0.3], frohmaier19_ia_rate, 10 * u.deg**2, 1 * u.yr, Planck18,
    ...     rng=np.random.default_rng(1),
    ... )
    >>> events.colnames
    ['event_id', 'z', 'mjd_peak']
    """
    years = float(u.Quantity(duration, u.yr).value)
    first = float(u.Quantity(start, u.d).value)
    if not (np.isfinite([years, first]).all() and years >= 0):
        raise ValueError(
            f"the survey starts at {start} and lasts {duration}; expected finite times, and a "
            "duration that is not negative"
        )
    grid = np.asarray(redshift, dtype=float)
    steps = len(grid) - 1
    fine = np.interp(np.arange(_FINER * steps + 1) / _FINER, np.arange(steps + 1), grid)
    law = rate if callable(rate) else u.Quantity(rate, "Mpc-3 yr-1").value
    per_year = u.Quantity(at_redshift(law, fine, grid), "Mpc-3 yr-1").value
    seen = per_year / (1 + fine) * years
    z = redshifts_from_comoving_density(fine, seen, sky_area, cosmology, noise, rng=rng)
    peak = first + rng.random(len(z)) * years * u.yr.to(u.d)
    return QTable({"event_id": np.arange(len(z)), "z": z, "mjd_peak": peak * u.d})
