"""A smooth model of the galaxy in the middle of each cutout, and what is left without it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skywright.find.polar import bilinear

__all__ = ["Shape", "measure_shape", "smooth_model"]

_STEP = 0.5
_ANGLES = 48


@dataclass(frozen=True)
class Shape:
    """Centre and adaptive second moments of the central galaxies.

    Parameters
    ----------
    x, y : (n,) [pixel]
        Centre.
    q : (n,)
        Axis ratio.
    theta : (n,) [rad]
        Position angle of the long axis, counter-clockwise from +x.
    radius : (n,) [pixel]
        Geometric mean of the rms semi-axes.
    """

    x: np.ndarray
    y: np.ndarray
    q: np.ndarray
    theta: np.ndarray
    radius: np.ndarray


def measure_shape(coadd: np.ndarray, iterations: int = 6, reach: float = 2.5) -> Shape:
    """Measure centre, axis ratio and size with an elliptical Gaussian weight that adapts.

    The weight follows the galaxy, so that arcs and neighbours far outside it hardly count.

    Parameters
    ----------
    coadd : (n, y, x)
        Images, in any unit, on a subtracted sky.
    iterations : int
        Rounds of the adaptation.
    reach : float [pixel]
        Largest distance that a centre may move from the middle of the cutout.

    References
    ----------
    Bernstein & Jarvis 2002, AJ 123, 583, section 3.1 (adaptive moments).
    """
    n, ny, nx = coadd.shape
    gx, gy = np.meshgrid(np.arange(nx, dtype=np.float32), np.arange(ny, dtype=np.float32))
    middle_x, middle_y = (nx - 1) / 2, (ny - 1) / 2
    x = np.full(n, middle_x, dtype=np.float32)
    y = np.full(n, middle_y, dtype=np.float32)
    xx = np.full(n, 4.0, dtype=np.float32)
    yy, xy = xx.copy(), np.zeros(n, dtype=np.float32)
    light = np.maximum(coadd, 0)
    for _ in range(iterations):
        dx, dy = gx - x[:, None, None], gy - y[:, None, None]
        det = (xx * yy - xy**2)[:, None, None]
        r2 = yy[:, None, None] * dx**2 - 2 * xy[:, None, None] * dx * dy
        r2 = (r2 + xx[:, None, None] * dy**2) / det
        weight = light * np.exp(-0.5 * np.minimum(r2, 60))
        total = np.maximum(weight.sum((1, 2)), 1e-6)
        # a Gaussian times its own weight has half the variance, hence the factors of two
        mx, my = (weight * dx).sum((1, 2)) / total, (weight * dy).sum((1, 2)) / total
        x = np.clip(x + 2 * mx, middle_x - reach, middle_x + reach)
        y = np.clip(y + 2 * my, middle_y - reach, middle_y + reach)
        xx, yy, xy = _bounded(
            2 * ((weight * dx**2).sum((1, 2)) / total - mx**2),
            2 * ((weight * dy**2).sum((1, 2)) / total - my**2),
            2 * ((weight * dx * dy).sum((1, 2)) / total - mx * my),
            largest=(min(ny, nx) / 6) ** 2,
        )
    major, minor, theta = _axes(xx, yy, xy)
    return Shape(x, y, np.sqrt(minor / major), theta, (major * minor) ** 0.25)


def smooth_model(stack: np.ndarray, shape: Shape) -> np.ndarray:
    """Model each galaxy by the median along its ellipses, falling outwards and never negative.

    The median ignores what fills less than half of an ellipse, and a profile that may only fall
    ignores closed rings as well: both stay in the residual.

    Parameters
    ----------
    stack : (n, y, x, channel)
        Images with the channels last.
    shape : Shape
        Centres and ellipses.

    Returns
    -------
    (n, y, x, channel)
        The model; subtract it from ``stack`` for the residual.
    """
    n, ny, nx, channels = stack.shape
    steps = int(max(ny, nx) / 2 / _STEP)
    angle = np.arange(_ANGLES, dtype=np.float32) * np.float32(2 * np.pi / _ANGLES)
    a = np.arange(steps, dtype=np.float32)[:, None] * _STEP
    root = np.sqrt(shape.q)[:, None]
    u, v = (a * np.cos(angle)).ravel() / root, (a * np.sin(angle)).ravel() * root
    cos, sin = np.cos(shape.theta)[:, None], np.sin(shape.theta)[:, None]
    values = bilinear(
        stack, shape.x[:, None] + cos * u - sin * v, shape.y[:, None] + sin * u + cos * v
    )
    profile = np.median(values.reshape(n, steps, _ANGLES, channels), axis=2)
    profile = np.maximum(np.minimum.accumulate(profile, axis=1), 0)
    return _evaluate(profile, shape, ny, nx)


def _evaluate(profile: np.ndarray, shape: Shape, ny: int, nx: int) -> np.ndarray:
    """Spread profiles (n, step, channel) over the pixels of their ellipses."""
    n, steps, channels = profile.shape
    gx, gy = np.meshgrid(np.arange(nx, dtype=np.float32), np.arange(ny, dtype=np.float32))
    dx, dy = gx - shape.x[:, None, None], gy - shape.y[:, None, None]
    cos, sin = np.cos(shape.theta)[:, None, None], np.sin(shape.theta)[:, None, None]
    root = np.sqrt(shape.q)[:, None, None]
    a = np.hypot((cos * dx + sin * dy) * root, (cos * dy - sin * dx) / root) / _STEP
    a = np.minimum(a, steps - 1.001)
    below = a.astype(np.int64)
    fraction = (a - below)[..., None]
    flat = profile.reshape(n * steps, channels)
    index = below + np.arange(n)[:, None, None] * steps
    return np.asarray(flat[index] * (1 - fraction) + flat[index + 1] * fraction)


def _bounded(
    xx: np.ndarray, yy: np.ndarray, xy: np.ndarray, largest: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Keep moments within sane sizes and axis ratios, so that no weight collapses or runs off."""
    major, minor, theta = _axes(xx, yy, xy)
    major = np.clip(major, 0.6, largest)
    minor = np.clip(minor, np.maximum(0.6, 0.04 * major), major)
    cos2, sin2 = np.cos(2 * theta), np.sin(2 * theta)
    mean, half = (major + minor) / 2, (major - minor) / 2
    return mean + half * cos2, mean - half * cos2, half * sin2


def _axes(
    xx: np.ndarray, yy: np.ndarray, xy: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the variances along the long and short axis, and the angle of the long one."""
    mean, half = (xx + yy) / 2, np.hypot((xx - yy) / 2, xy)
    theta = 0.5 * np.arctan2(2 * xy, xx - yy)
    return mean + half, np.maximum(mean - half, 1e-3), theta
