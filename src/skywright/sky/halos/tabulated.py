"""Functions of mass and redshift as tables: interpolated for each halo, and drawn from exactly.

A step about a million halos calls colossus on a grid alone, once.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.interpolate import RegularGridInterpolator

__all__ = ["at_halos", "cumulative", "draw_from_rows"]

_MASS_STEP = 0.05  # in ln(mass)
_REDSHIFT_STEP = 0.02
_SMALLEST = 1e-200  # stands for zero where logarithms are taken


def at_halos(
    table: Callable[[np.ndarray, np.ndarray], np.ndarray], mass: np.ndarray, redshift: np.ndarray
) -> np.ndarray:
    """Evaluate a positive function on a grid that spans the halos, and interpolate its logarithm.

    Parameters
    ----------
    table : callable
        Of masses (m,) [Msun] and redshifts (z,); returns (z, m).
    mass : (…) [Msun]
        Masses.
    redshift : (…)
        Redshifts; broadcast against the masses.

    Returns
    -------
    (…)
    """
    log_mass, z = np.broadcast_arrays(np.log(mass), redshift)
    if log_mass.size == 0:
        return np.empty(log_mass.shape)
    masses, redshifts = _grid(log_mass, _MASS_STEP), _grid(z, _REDSHIFT_STEP)
    values = np.log(np.maximum(table(np.exp(masses), redshifts), _SMALLEST))
    between = RegularGridInterpolator((redshifts, masses), values)
    points = np.stack([z.ravel(), log_mass.ravel()], axis=1)
    return np.asarray(np.exp(between(points)).reshape(z.shape))


def cumulative(nodes: np.ndarray, density: np.ndarray) -> np.ndarray:
    """Integrate densities from the first node up to each; between nodes they are exponentials.

    Parameters
    ----------
    nodes : (node,)
        Ascending.
    density : (row, node)
        Of each row its own, not negative.

    Returns
    -------
    (row, node)
    """
    safe = np.maximum(density, _SMALLEST)
    low, high = safe[:, :-1], safe[:, 1:]
    growth = np.log(high / low)
    mean = np.where(np.abs(growth) < 1e-8, low, (high - low) / np.where(growth == 0, 1, growth))
    areas = np.cumsum(mean * np.diff(nodes), axis=1)
    return np.concatenate([np.zeros((len(areas), 1)), areas], axis=1)


def draw_from_rows(
    nodes: np.ndarray,
    density: np.ndarray,
    row: np.ndarray,
    area: np.ndarray,
) -> np.ndarray:
    """Return where the integrals of densities reach given areas: the inverse of `cumulative`.

    Inside a step the exponential is inverted exactly, so that draws make no staircase.

    Parameters
    ----------
    nodes : (node,)
        Ascending.
    density : (row, node)
        Of each row its own, not negative.
    row : (n,) int
        The row of each draw.
    area : (n,)
        Between 0 and the integral of its row; uniform for draws.

    Returns
    -------
    (n,)
    """
    safe = np.maximum(density, _SMALLEST)
    integral = cumulative(nodes, density)
    # all rows one after the other, each from its number to the next: one search for all draws
    last = integral[:, -1:]
    keys = (np.arange(len(integral))[:, None] + integral / last).ravel()
    step = np.searchsorted(keys, row + area / last[row, 0], side="right") - 1
    step = np.clip(step - row * len(nodes), 0, len(nodes) - 2)
    width = np.diff(nodes)[step]
    rest = area - integral[row, step]
    low = safe[row, step]
    slope = np.log(safe[row, step + 1] / low) / width
    flat = np.abs(slope) * width < 1e-8
    reach = np.log1p(np.maximum(rest * slope / low, -1 + 1e-15)) / np.where(flat, 1, slope)
    ahead = np.where(flat, rest / low, reach)
    return np.asarray(nodes[step] + np.clip(ahead, 0, width))


def _grid(values: np.ndarray, step: float) -> np.ndarray:
    """Return nodes that span values, two at least."""
    low, high = float(values.min()), float(values.max())
    high = max(high, low + 1e-6)
    return np.linspace(low, high, max(2, int(np.ceil((high - low) / step)) + 1))
