"""Halos in a light cone: how many, at which redshifts, of which masses."""

from __future__ import annotations

import astropy.units as u
import numpy as np
from astropy.cosmology import FLRW

from skywright.sky.halos.border import NS, SIGMA8, colossus_mass_function
from skywright.sky.halos.checks import checked_masses, checked_redshifts
from skywright.sky.halos.tabulated import cumulative, draw_from_rows
from skywright.sky.populations.redshifts import redshifts_from_comoving_density

__all__ = ["draw_halos"]

_MASS_STEP = 0.02  # in ln(mass)
_REDSHIFT_STEP = 0.02
MOST = 300_000_000  # halos of a draw


def draw_halos(
    redshift: np.ndarray,
    m_min: float,
    m_max: float,
    sky_area: u.Quantity,
    cosmology: FLRW,
    noise: bool = True,
    *,
    model: str = "tinker08",
    mass_definition: str = "200m",
    sigma8: float = SIGMA8,
    ns: float = NS,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    r"""Draw the redshifts and masses of all halos of a mass function in a part of the sky.

    The mass function is tabulated in steps of 0.02 in redshift and in :math:`\ln M`. Between the
    nodes it is a straight line in redshift and an exponential in :math:`\ln M`; of this both
    redshifts and masses are drawn exactly.

    Parameters
    ----------
    redshift : (node,)
        Grid, ascending; halos lie between its first and its last node.
    m_min, m_max : float [Msun]
        Limits of the halo mass.
    sky_area : Quantity [solid angle]
        Area of the sky.
    cosmology : FLRW
        For volumes and growth; as for `halo_mass_function`.
    noise : bool
        Whether the number of halos is a Poisson draw; else it is rounded down.
    model, mass_definition, sigma8, ns
        As for `halo_mass_function`.
    rng : Generator
        Source of randomness.

    Returns
    -------
    z : (n,)
        Redshifts.
    mass : (n,) [Msun]
        Halo masses.

    Raises
    ------
    TypeError
        When the area is no solid angle.
    ValueError
        When the grid does not ascend, the masses are not in order, an argument does not suit
        `halo_mass_function`, or more than 3e8 halos are expected: they take 16 bytes each, and
        several times that while they are drawn.

    Examples
    --------
    >>> import astropy.units as u
    >>> from astropy.cosmology import Planck18
    >>> rng = np.random.default_rng(1)
    >>> z, mass = draw_halos([0.0, 1.0], 1e14, 1e16, 100 * u.deg**2, Planck18, rng=rng)
    >>> len(z), bool(mass.min() > 1e14)
    (2060, True)
    """
    low, high = checked_masses(m_min), checked_masses(m_max)
    if low.ndim or high.ndim or not low < high:
        raise ValueError(f"m_min is {m_min} and m_max is {m_max}; expected two numbers, ascending")
    grid = _refined(checked_redshifts(redshift))
    steps = int(np.ceil(np.log(high / low) / _MASS_STEP))
    log_mass = np.linspace(np.log(low), np.log(high), steps + 1)
    density = colossus_mass_function(
        np.exp(log_mass), grid, cosmology, model, mass_definition, sigma8, ns
    )
    total = cumulative(log_mass, density)[:, -1]
    _check_number(grid, total, sky_area, cosmology, low)
    z = redshifts_from_comoving_density(grid, total, sky_area, cosmology, noise, rng=rng)
    return z, np.exp(_log_masses(z, grid, log_mass, density, total, rng))


def _check_number(
    grid: np.ndarray, total: np.ndarray, sky_area: u.Quantity, cosmology: FLRW, low: np.ndarray
) -> None:
    """Refuse a draw that no memory holds, before it begins."""
    if not isinstance(sky_area, u.Quantity) or not sky_area.unit.is_equivalent(u.sr):
        return  # which is refused where it is drawn
    volume = cosmology.differential_comoving_volume(grid).to_value("Mpc3 / sr")
    expected = float(np.trapezoid(total * volume, grid) * sky_area.to_value("sr"))
    if expected > MOST:
        raise ValueError(
            f"about {expected:.2g} halos above {low:.3g} Msun are expected, more than {MOST:.0e}; "
            "take a larger m_min, a smaller sky_area, or cells of the sky in a sweep"
        )


def _refined(grid: np.ndarray) -> np.ndarray:
    """Return the nodes of a grid and what lies between them in small steps."""
    if grid.ndim != 1 or len(grid) < 2 or not (np.diff(grid) > 0).all():
        raise ValueError("redshift has to be a grid of two ascending nodes or more")
    pieces = [
        np.linspace(a, b, int(np.ceil((b - a) / _REDSHIFT_STEP - 1e-9)), endpoint=False)
        for a, b in zip(grid[:-1], grid[1:], strict=True)
    ]
    return np.concatenate([*pieces, grid[-1:]])


def _log_masses(
    z: np.ndarray,
    grid: np.ndarray,
    log_mass: np.ndarray,
    density: np.ndarray,
    total: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Draw ln(mass) at redshifts: from one of the two nodes around, by the share it has there."""
    step = np.clip(np.searchsorted(grid, z, side="right") - 1, 0, len(grid) - 2)
    upper = (z - grid[step]) / (grid[step + 1] - grid[step])
    share = upper * total[step + 1]
    share = share / (share + (1 - upper) * total[step])
    row = step + (rng.random(len(z)) < share)
    return draw_from_rows(log_mass, density, row, rng.random(len(z)) * total[row])
