"""Magnification of extended sources behind isothermal lenses, as an integral over their images."""

from __future__ import annotations

import numpy as np
from scipy.special import erf, roots_legendre

from skywright.sky.lens_population.isothermal import deflection, turned

__all__ = ["disc_magnification"]

LIGHT = 1.678347  # half-light radius of an exponential disc in scale lengths
GAUSSIANS = 8
WIDEST = 3.2  # of them, in sqrt(2) scale lengths: less than 2e-4 of the light is in wider ones
SMALLEST = 0.005  # half-light radius [Einstein radius]; for the sum smaller discs are this large
FLATTEST = 0.01
FEWEST, MOST = 64, 4096  # angles
SPACING = 24.0  # angles over a half-light radius
BLOCK = 1 << 18  # angles of all lenses at a time


def disc_magnification(
    x: np.ndarray,
    y: np.ndarray,
    size: np.ndarray,
    source_q: np.ndarray,
    source_phi: np.ndarray,
    *,
    q: np.ndarray,
    phi: np.ndarray,
    gamma1: np.ndarray,
    gamma2: np.ndarray,
) -> np.ndarray:
    r"""Return the flux of all images of exponential discs over that of the discs.

    Along a ray at angle a from an isothermal lens the source plane is crossed in a straight line,
    :math:`\beta = r A e(a) - d(a)`. The light of a Gaussian on it, times r, has a closed integral
    over r, and its sum over evenly spaced angles converges faster than any power. An exponential
    disc of scale length l is the mean of Gaussians of standard deviation :math:`\sqrt{2} l w` over
    :math:`p(w) \propto w^2 e^{-w^2}`, for which eight points stand (Gauss-Legendre).

    Parameters
    ----------
    x, y : (n,) [Einstein radius]
        Source positions relative to the lens.
    size : (n,) [Einstein radius]
        Half-light radii, the geometric mean of both axes.
    source_q, source_phi : (n,) [1], [rad]
        Axis ratios and position angles of the sources.
    q, phi : (n,) [1], [rad]
        Axis ratios and position angles of the masses.
    gamma1, gamma2 : (n,) [1]
        Shear.

    Returns
    -------
    (n,)

    References
    ----------
    Keeton, Mao & Witt 2000, ApJ 537, 697, section 2, for the lens equation along a ray; Andrews &
    Mallows 1974, J. R. Stat. Soc. B 36, 99, for the mixture.

    Examples
    --------
    >>> zero = np.zeros(1)
    >>> small = np.full(1, 0.01)
    >>> mu = disc_magnification(
    ...     zero + 0.5, zero, small, zero + 1, zero, q=zero + 1, phi=zero, gamma1=zero, gamma2=zero
    ... )
    >>> round(float(mu[0]), 3)
    4.001
    """
    cos, sin = np.cos(phi), np.sin(phi)
    g1, g2 = turned(gamma1, gamma2, phi)
    flat = np.maximum(source_q, FLATTEST)
    round_size = np.maximum(size, SMALLEST)
    given = (x * cos + y * sin, y * cos - x * sin, round_size / LIGHT, flat, source_phi - phi)
    rows = np.stack(np.broadcast_arrays(*given, q, g1, g2))
    wanted = SPACING * np.maximum(np.hypot(x, y), 1) / (round_size * np.sqrt(flat))
    number = np.clip(2 ** np.ceil(np.log2(wanted)), FEWEST, MOST).astype(int)
    found = np.empty(rows.shape[1])
    for angles in np.unique(number):
        chosen = np.flatnonzero(number == angles)
        for part in np.array_split(chosen, int(np.ceil(len(chosen) * angles / BLOCK))):
            found[part] = _sum_over_angles(int(angles), *rows[:, part, None])
    return found


def _sum_over_angles(
    angles: int,
    x: np.ndarray,
    y: np.ndarray,
    length: np.ndarray,
    flat: np.ndarray,
    turn: np.ndarray,
    q: np.ndarray,
    g1: np.ndarray,
    g2: np.ndarray,
) -> np.ndarray:
    """Return magnifications (n,), in the axes of the mass; arguments are (n, 1)."""
    angle = (np.arange(angles) + 0.5) * (2 * np.pi / angles)
    cos, sin = np.cos(angle), np.sin(angle)
    dx, dy, _ = deflection(cos, sin, q)
    step = _rounded((1 - g1) * cos - g2 * sin, (1 + g1) * sin - g2 * cos, flat, turn)
    start = _rounded(-dx - x, -dy - y, flat, turn)
    speed = np.hypot(*step)
    nearest = -(start[0] * step[0] + start[1] * step[1]) / speed  # along the line
    across = (start[0] * step[1] - start[1] * step[0]) / speed
    total = np.zeros(np.broadcast_shapes(speed.shape, length.shape))
    nodes, weights = roots_legendre(GAUSSIANS)
    widths = WIDEST * (nodes + 1) / 2
    weights = weights * widths**2 * np.exp(-(widths**2))
    for width, weight in zip(widths, weights / weights.sum(), strict=True):
        sigma = np.sqrt(2) * length * width
        ahead = nearest / (np.sqrt(2) * sigma)
        line = np.exp(-(ahead**2)) + np.sqrt(np.pi) * ahead * (1 + erf(ahead))
        total += weight * np.exp(-((across / sigma) ** 2) / 2) * line
    return np.asarray((total / speed**2).mean(axis=1))


def _rounded(
    x: np.ndarray, y: np.ndarray, flat: np.ndarray, turn: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return vectors where an ellipse of the same area is round."""
    cos, sin, root = np.cos(turn), np.sin(turn), np.sqrt(flat)
    return (x * cos + y * sin) * root, (y * cos - x * sin) / root
