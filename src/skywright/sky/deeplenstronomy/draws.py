"""Inverse distribution functions of the laws that a value may be drawn from.

Each takes uniform numbers of shape (n,) and gives as many draws, so that a draw depends on nothing
but its own uniform number.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable

import numpy as np
from scipy.special import ndtri

__all__ = ["LAWS", "law_parameters", "why_not"]


def uniform(u: np.ndarray, minimum: float, maximum: float) -> np.ndarray:
    """Draw evenly between two ends."""
    return np.asarray(minimum + (maximum - minimum) * u)


def uniform_int(u: np.ndarray, minimum: float, maximum: float) -> np.ndarray:
    """Draw whole numbers, each end as often as those between."""
    low, high = np.ceil(minimum), np.floor(maximum)
    return np.asarray(np.floor(low + (high - low + 1) * u))


def normal(u: np.ndarray, mean: float, std: float) -> np.ndarray:
    """Draw from a normal distribution."""
    return np.asarray(mean + std * ndtri(u))


def lognormal(u: np.ndarray, mean: float, sigma: float) -> np.ndarray:
    """Draw numbers whose logarithm is normal with ``mean`` and ``sigma``."""
    return np.asarray(np.exp(mean + sigma * ndtri(u)))


def loguniform(u: np.ndarray, minimum: float, maximum: float) -> np.ndarray:
    """Draw numbers whose logarithm is uniform."""
    return np.asarray(minimum * (maximum / minimum) ** u)


def delta_function(u: np.ndarray, value: float) -> np.ndarray:
    """Return the value."""
    return np.full(u.shape, value)


def symmetric_uniform_annulus(u: np.ndarray, r1: float, r2: float) -> np.ndarray:
    """Draw evenly from [-r2, -r1] and [r1, r2]."""
    signed = 2 * u - 1
    return np.asarray(np.where(signed < 0, -1.0, 1.0) * (r1 + (r2 - r1) * np.abs(signed)))


LAWS: dict[str, Callable[..., np.ndarray]] = {
    law.__name__: law
    for law in (
        uniform,
        uniform_int,
        normal,
        lognormal,
        loguniform,
        delta_function,
        symmetric_uniform_annulus,
    )
}


def law_parameters(name: str) -> tuple[str, ...]:
    """Return the names of the parameters of a law.

    >>> law_parameters("normal")
    ('mean', 'std')
    """
    return tuple(inspect.signature(LAWS[name]).parameters)[1:]


def why_not(name: str, parameters: dict[str, float]) -> str:
    """Return what is wrong with the numbers of a law, or an empty string."""
    values = tuple(parameters.values())
    if name == "uniform_int" and np.ceil(values[0]) > np.floor(values[1]):
        return f"there is no whole number between {values[0]:g} and {values[1]:g}"
    if name in ("uniform", "uniform_int", "loguniform") and values[0] > values[1]:
        return f"minimum {values[0]:g} lies above maximum {values[1]:g}"
    if name == "loguniform" and values[0] <= 0:
        return f"minimum is {values[0]:g}, expected a positive number"
    if name in ("normal", "lognormal") and values[1] < 0:
        return f"the width is {values[1]:g}, expected zero or a positive number"
    if name == "symmetric_uniform_annulus" and not 0 <= values[0] <= values[1]:
        return f"got r1 = {values[0]:g} and r2 = {values[1]:g}, expected 0 <= r1 <= r2"
    return ""
