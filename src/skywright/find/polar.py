"""Sampling of many images at once at arbitrary points, and the polar grids built on it."""

from __future__ import annotations

import numpy as np

__all__ = ["ANGLES", "bilinear", "radii", "to_polar"]

ANGLES = 64


def bilinear(stack: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Interpolate every channel of each image at the points of that image.

    Parameters
    ----------
    stack : (n, y, x, channel)
        Images with the channels last; points outside take the value of the nearest edge.
    x, y : (n, point) [pixel]
        Positions, the centre of the first pixel at 0.

    Returns
    -------
    (n, point, channel)
        Interpolated values.
    """
    n, ny, nx, channels = stack.shape
    flat = np.ascontiguousarray(stack).reshape(n * ny * nx, channels)
    x = np.clip(x, 0, nx - 1).astype(np.float32)
    y = np.clip(y, 0, ny - 1).astype(np.float32)
    left = np.minimum(x.astype(np.int64), nx - 2)
    low = np.minimum(y.astype(np.int64), ny - 2)
    fx = (x - left)[..., None]
    fy = (y - low)[..., None]
    first = (np.arange(n)[:, None] * ny + low) * nx + left
    bottom = flat[first] * (1 - fx) + flat[first + 1] * fx
    top = flat[first + nx] * (1 - fx) + flat[first + nx + 1] * fx
    return np.asarray(bottom * (1 - fy) + top * fy)


def radii(size: int) -> np.ndarray:
    """Return the radii [pixel] of the polar grid of cutouts of ``size``: 1, 2, … to the edge."""
    return np.arange(1, size // 2, dtype=np.float32)


def to_polar(stack: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Resample images around their own centres on circles one pixel apart.

    A turn of the image by 90 degrees only rolls the angle axis, since `ANGLES` is a multiple
    of four.

    Parameters
    ----------
    stack : (n, y, x, channel)
        Images with the channels last.
    x, y : (n,) [pixel]
        Centres.

    Returns
    -------
    (n, channel, radius, angle)
        Values at the radii of `radii` and at `ANGLES` angles from +x counter-clockwise.
    """
    r = radii(min(stack.shape[1:3]))
    angle = np.arange(ANGLES, dtype=np.float32) * np.float32(2 * np.pi / ANGLES)
    dx = (r[:, None] * np.cos(angle)).ravel()
    dy = (r[:, None] * np.sin(angle)).ravel()
    values = bilinear(stack, x[:, None] + dx, y[:, None] + dy)
    polar = values.reshape(len(stack), len(r), ANGLES, -1)
    return np.ascontiguousarray(polar.transpose(0, 3, 1, 2))
