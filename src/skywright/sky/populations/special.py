"""The incomplete gamma function for any real order, as Schechter counts need it."""

from __future__ import annotations

import numpy as np
from scipy import special

__all__ = ["gammaincc", "upper_gamma"]

_FRACTION_FROM = 2.0  # in x: above it the continued fraction converges in some sixty steps
_STEPS = 80
_SMALLEST = 1e-300
_POLE = 1e-4  # |a| closer to a pole of the recurrence than this is interpolated across it


def upper_gamma(a: np.ndarray, x: np.ndarray) -> np.ndarray:
    r"""Return the upper incomplete gamma function, not divided by the gamma function.

    .. math:: \Gamma(a, x) = \int_x^\infty t^{a-1} e^{-t} \, dt

    Parameters
    ----------
    a : (…) real
        Order, also zero and negative.
    x : (…), positive for ``a <= 0``
        Lower end of the integral; broadcast against ``a``.

    Raises
    ------
    ValueError
        When ``x`` is negative, or zero where the integral diverges.

    References
    ----------
    DLMF 8.8.2 (recurrence), 8.9.2 (continued fraction), 8.19.1 (exponential integrals).

    Examples
    --------
    >>> float(upper_gamma(-0.5, 1.0).round(6))
    0.178148
    """
    a, x = np.broadcast_arrays(np.asarray(a, dtype=float), np.asarray(x, dtype=float))
    if (x < 0).any() or ((x == 0) & (a <= 0)).any():
        raise ValueError("x has to be positive, or zero where a is above zero")
    result = np.empty(a.shape)
    plain = a > 0
    result[plain] = special.gammaincc(a[plain], x[plain]) * special.gamma(a[plain])
    far = ~plain & (x >= _FRACTION_FROM)
    result[far] = _continued_fraction(a[far], x[far])
    near = ~plain & ~far
    result[near] = _descend(a[near], x[near])
    return result


def gammaincc(a: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return the upper incomplete gamma function over the gamma function, for any real order.

    Parameters
    ----------
    a, x
        As for `upper_gamma`, and ``x`` may be zero or infinite. Where ``a`` is zero or a negative
        whole number, the gamma function is infinite and the result zero.

    Examples
    --------
    >>> float(gammaincc(-0.3, 0.5).round(6))
    -0.132781
    """
    a, x = np.broadcast_arrays(np.asarray(a, dtype=float), np.asarray(x, dtype=float))
    inverse = special.rgamma(a)
    result = np.zeros(a.shape)  # also at infinity
    plain = (a > 0) & (x >= 0)
    result[plain] = special.gammaincc(a[plain], x[plain])
    inside = ~plain & np.isfinite(x) & (x != 0)
    result[inside] = upper_gamma(a[inside], x[inside]) * inverse[inside]
    pole = (x == 0) & (a <= 0) & (inverse != 0)
    result[pole] = np.copysign(np.inf, inverse[pole])
    found: np.ndarray = result[()]
    return found


def _continued_fraction(a: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Evaluate DLMF 8.9.2 by the modified Lentz method."""
    b = x + 1 - a
    c, d = np.full(x.shape, 1 / _SMALLEST), 1 / b
    h = d.copy()
    for i in range(1, _STEPS):
        factor = i * (a - i)
        b = b + 2
        d = 1 / (factor * d + b)
        c = b + factor / c
        h *= c * d
    result: np.ndarray = h * np.exp(-x + a * np.log(x))
    return result


def _descend(a: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Step down from an order in (0, 1] by the recurrence; across its poles, interpolate."""
    nearest = np.round(a)
    pole = np.abs(a - nearest) < _POLE
    result = np.empty(a.shape)
    result[~pole] = _recur(a[~pole], x[~pole])
    if pole.any():
        n, offset = -nearest[pole], a[pole] - nearest[pole]
        whole = x[pole] ** nearest[pole] * special.expn((n + 1).astype(int), x[pole])
        low, high = (_recur(nearest[pole] + side, x[pole]) for side in (-_POLE, _POLE))
        slope, bend = (high - low) / 2, (high + low) / 2 - whole
        share = offset / _POLE
        result[pole] = whole + slope * share + bend * share**2
    return result


def _recur(a: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return the function for orders below zero that are no whole numbers."""
    steps = np.floor(-a).astype(int) + 1
    order = a + steps
    value = special.gammaincc(order, x) * special.gamma(order)
    for step in range(int(steps.max(initial=0))):
        active = step < steps
        lower = order - 1
        stepped = (value - x**lower * np.exp(-x)) / lower
        value, order = np.where(active, stepped, value), np.where(active, lower, order)
    return np.asarray(value)
