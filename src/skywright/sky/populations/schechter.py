"""Draws from Schechter functions: exact, for any slope and limits, of each galaxy its own."""

from __future__ import annotations

import numpy as np
from scipy.special import gammainccinv

from skywright.sky.populations.special import gammaincc

__all__ = ["schechter", "schechter_draws"]


def schechter(
    alpha: float | np.ndarray,
    x_min: float | np.ndarray,
    x_max: float | np.ndarray,
    resolution: int = 100,
    size: int | tuple[int, ...] | None = None,
    scale: float | np.ndarray = 1.0,
    *,
    rng: np.random.Generator,
) -> np.ndarray:
    r"""Draw from a Schechter function, :math:`x^\alpha e^{-x}` between two limits.

    Parameters
    ----------
    alpha : float or (…)
        Slope, any real number.
    x_min, x_max : float or (…)
        Limits in units of the scale, ``0 <= x_min < x_max``; zero only for slopes above -1.
    resolution : int
        Taken for the sake of published files; draws are exact, there is no table.
    size : int or tuple, optional
        Shape of the result; by default that of the parameters.
    scale : float or (…)
        Multiplies the draws.
    rng : Generator
        Source of randomness.

    Returns
    -------
    (size)

    Raises
    ------
    ValueError
        When the limits are in the wrong order, or the function has no finite integral.

    References
    ----------
    Schechter 1976, ApJ 203, 297, eq. 2.

    Examples
    --------
    >>> draws = schechter(-1.2, 0.01, 10.0, size=3, rng=np.random.default_rng(1))
    >>> bool(((draws > 0.01) & (draws < 10)).all())
    True
    """
    del resolution
    return np.asarray(schechter_draws(alpha, x_min, x_max, size, rng) * np.asarray(scale))


def schechter_draws(
    alpha: float | np.ndarray,
    x_min: float | np.ndarray,
    x_max: float | np.ndarray,
    size: int | tuple[int, ...] | None,
    rng: np.random.Generator,
) -> np.ndarray:
    """Draw ``x`` itself; parameters as for `schechter`."""
    shape = np.broadcast_shapes(np.shape(alpha), np.shape(x_min), np.shape(x_max))
    shape = shape if size is None else tuple(np.atleast_1d(size))
    a, low, high = (np.broadcast_to(v, shape).astype(float).ravel() for v in (alpha, x_min, x_max))
    if not (low < high).all():
        raise ValueError("x_min has to be below x_max")
    if ((low < 0) | ((low == 0) & (a <= -1))).any():
        raise ValueError("x_min has to be positive where the slope is -1 or steeper")
    draws = np.empty(a.shape)
    flat = a >= 0
    draws[flat] = _invert(a[flat], low[flat], high[flat], rng)
    draws[~flat] = _reject(a[~flat], low[~flat], high[~flat], rng)
    return draws.reshape(shape)


def _invert(
    a: np.ndarray, low: np.ndarray, high: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    upper, lower = gammaincc(a + 1, low), gammaincc(a + 1, high)
    if not (lower < upper).all():
        raise ValueError("x_min lies so far out that nothing of the function is left above it")
    drawn = gammainccinv(a + 1, lower + (upper - lower) * rng.random(len(a)))
    return np.asarray(np.clip(drawn, low, high))


def _reject(
    a: np.ndarray, low: np.ndarray, high: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Draw by rejection below a power law up to 1 and an exponential above it."""
    draws = np.empty(a.shape)
    left = np.arange(len(a))
    while left.size:
        slope, start, end = a[left], low[left], high[left]
        knee = np.clip(1.0, start, end)
        power = _power_integral(slope, start, knee)
        reach = np.expm1(knee - end)
        tail = -np.exp(-knee) * reach
        below = rng.random(len(left)) * (power + tail) < power
        v = rng.random(len(left))
        x = np.where(below, _power_inverse(slope, start, v * power), knee - np.log1p(v * reach))
        # above 1 the power law is at most what it is at the start: it must not rule far out there
        chance = np.where(below, np.exp(-x), (x / knee) ** slope)
        accepted = rng.random(len(left)) < chance
        draws[left[accepted]] = np.clip(x, start, end)[accepted]
        left = left[~accepted]
    return draws


def _power_integral(a: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return the integral of x**a; the logarithm where a is -1 is the limit of the power law."""
    b = a + 1
    with np.errstate(divide="ignore", invalid="ignore"):
        log_low, log_high = np.log(low), np.log(high)
        power = (np.exp(b * log_high) - np.exp(b * log_low)) / b
    return np.asarray(np.where(np.abs(b) < 1e-12, log_high - log_low, power))


def _power_inverse(a: np.ndarray, low: np.ndarray, area: np.ndarray) -> np.ndarray:
    """Return where the integral of x**a from ``low`` reaches ``area``."""
    b = a + 1
    flat = np.abs(b) < 1e-12
    safe = np.where(flat, 1.0, b)
    with np.errstate(divide="ignore", invalid="ignore"):
        power = np.maximum(low**b + b * area, 0.0) ** (1 / safe)
        exponential = low * np.exp(area)
    return np.asarray(np.where(flat, exponential, power))
