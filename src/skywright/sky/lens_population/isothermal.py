"""Images behind a singular isothermal ellipsoid with shear, whose lens equation is one angle.

The deflection of an isothermal lens depends on the angle alone. Along a ray at angle a the lens
equation reads r A e(a) = s + d(a), with A = 1 - shear, e the direction, d the deflection and s the
source: the cross product of both sides has a root at every image, and their scalar product gives
its radius. No grid of pixels is needed, and a hundred thousand sources take seconds.

Lengths are in Einstein radii (on the intermediate axis, as in `skywright.sky.sie`).
"""

from __future__ import annotations

import numpy as np

__all__ = [
    "deflection",
    "isothermal_images",
    "multiple_image_area",
    "multiple_image_reach",
    "turned",
]

ANGLES = 120  # of the scan; two images closer than a step (3 degrees, on a fold) may be missed
STEPS = 60  # of Newton's method, kept in its bracket
BLOCK = 4096
OUTLINE = 64  # angles of the curves that bound multiple images, for their reach
FINE = 720  # the same, for their area


def isothermal_images(
    x: np.ndarray,
    y: np.ndarray,
    q: np.ndarray | float,
    phi: np.ndarray | float = 0.0,
    gamma1: np.ndarray | float = 0.0,
    gamma2: np.ndarray | float = 0.0,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    r"""Find all images of points behind singular isothermal ellipsoids with shear.

    The image in the singular centre, which has no light, is not counted.

    Parameters
    ----------
    x, y : (n,) [Einstein radius]
        Source positions relative to the lens.
    q, phi : (n,) or number [1], [rad]
        Axis ratio and position angle of the mass.
    gamma1, gamma2 : (n,) or number [1]
        Shear.

    Returns
    -------
    image_x, image_y : (n, image) [Einstein radius]
        Image positions, the brightest first; NaN where there is no such image.
    magnification : (n, image) [1]
        Signed magnification, 0 where there is no such image.

    References
    ----------
    Kormann, Schneider & Bartelmann 1994, A&A 284, 285, eq. 27a; Keeton, Mao & Witt 2000,
    ApJ 537, 697, section 2.

    Examples
    --------
    >>> _, _, mu = isothermal_images(np.array([0.2]), np.array([0.0]), 1.0)
    >>> [round(float(m), 3) for m in mu[0]]
    [6.0, -4.0]
    """
    given = np.broadcast_arrays(*(np.atleast_1d(v) for v in (x, y, q, phi, gamma1, gamma2)))
    x, y, q, phi, gamma1, gamma2 = (v.astype(float) for v in given)
    cos, sin = np.cos(phi), np.sin(phi)
    u, v = x * cos + y * sin, y * cos - x * sin
    g1, g2 = turned(gamma1, gamma2, phi)
    parts = [
        _images_of_block(*(w[i : i + BLOCK] for w in (u, v, q, g1, g2)))
        for i in range(0, len(u), BLOCK)
    ]
    most = max((part.shape[2] for part in parts), default=0)
    planes = np.full((3, len(u), most), np.nan)
    for i, part in enumerate(parts):
        planes[:, i * BLOCK : i * BLOCK + part.shape[1], : part.shape[2]] = part
    a, b, mu = planes
    return (
        a * cos[:, None] - b * sin[:, None],
        a * sin[:, None] + b * cos[:, None],
        np.nan_to_num(mu),
    )


def multiple_image_reach(
    q: np.ndarray, gamma1: np.ndarray, gamma2: np.ndarray, phi: np.ndarray
) -> np.ndarray:
    """Return how far from a lens a source with several images may be (n,) [Einstein radius].

    The largest distance of the cut and of the caustic, and 3 % for what lies between their points.
    """
    reach = np.empty(len(q))
    angle = np.linspace(0, np.pi, OUTLINE // 2, endpoint=False)  # both curves are symmetric
    g1, g2 = turned(gamma1, gamma2, phi)
    for i in range(0, len(q), BLOCK):
        rows = slice(i, i + BLOCK)
        cut, caustic = _curves(angle, q[rows, None], g1[rows, None], g2[rows, None])
        reach[rows] = np.sqrt(np.maximum((cut**2).sum(0), (caustic**2).sum(0)).max(axis=1))
    return 1.03 * reach


def multiple_image_area(
    q: np.ndarray | float,
    gamma1: np.ndarray | float = 0.0,
    gamma2: np.ndarray | float = 0.0,
) -> np.ndarray:
    """Return the area of sources that have several images, the cross-section.

    It is the union of what lies within the cut and within the caustic; both are followed in polar
    angle.

    Parameters
    ----------
    q : (n,) or number [1]
        Axis ratio; the major axis lies along x.
    gamma1, gamma2 : (n,) or number [1]
        Shear.

    Returns
    -------
    (n,) [Einstein radius^2]

    References
    ----------
    Keeton, Mao & Witt 2000, ApJ 537, 697, section 2.

    Examples
    --------
    >>> multiple_image_area(1.0).round(4)
    array([3.1416])
    """
    given = np.broadcast_arrays(*(np.atleast_1d(v) for v in (q, gamma1, gamma2)))
    q, g1, g2 = (v.astype(float) for v in given)
    angle = np.linspace(0, 2 * np.pi, FINE, endpoint=False)
    polar = np.linspace(0, 2 * np.pi, 4 * FINE, endpoint=False)
    area = np.empty(len(q))
    for i, row in enumerate(zip(q, g1, g2, strict=True)):
        radii = [_radius_at(polar, *curve) for curve in _curves(angle, *row)]
        area[i] = np.pi * np.mean(np.maximum(*radii) ** 2)
    return area


def _radius_at(polar: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.asarray(
        np.interp(polar, *_sorted(np.arctan2(y, x), np.hypot(x, y)), period=2 * np.pi)
    )


def _sorted(angle: np.ndarray, radius: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    order = np.argsort(angle)
    return angle[order], radius[order]


def turned(
    gamma1: np.ndarray, gamma2: np.ndarray, phi: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the shear in the axes of the mass."""
    cos, sin = np.cos(2 * phi), np.sin(2 * phi)
    return gamma1 * cos + gamma2 * sin, gamma2 * cos - gamma1 * sin


def deflection(
    cos: np.ndarray, sin: np.ndarray, q: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the deflection, and twice the convergence times radius, at an angle."""
    # the limit q -> 1 is reached through f = 3e-4, where the error is f^2 / 3 = 3e-8
    f = np.sqrt(np.maximum(1 - q * q, 1e-7))
    psi = np.sqrt(q * q * cos * cos + sin * sin)
    root = np.sqrt(q)
    scaled = f / psi
    return (
        root / f * np.arctan(scaled * cos),
        root / f * np.arctanh(scaled * sin),
        root / psi,
    )


def _curves(
    angle: np.ndarray, q: np.ndarray, g1: np.ndarray, g2: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the cut and the tangential caustic, (2, …) each."""
    cos, sin = np.cos(angle), np.sin(angle)
    dx, dy, strength = deflection(cos, sin, q)
    ax, ay = (1 - g1) * cos - g2 * sin, (1 + g1) * sin - g2 * cos
    critical = strength * (cos * ax + sin * ay) / (1 - g1**2 - g2**2)
    cut = np.stack(np.broadcast_arrays(-dx, -dy))
    return cut, np.stack(np.broadcast_arrays(critical * ax - dx, critical * ay - dy))


def _images_of_block(
    x: np.ndarray, y: np.ndarray, q: np.ndarray, g1: np.ndarray, g2: np.ndarray
) -> np.ndarray:
    """Return x, y and magnification of images (3, n, image) in the axes of the mass."""
    edges = np.linspace(-np.pi, np.pi, ANGLES + 1) + 0.003  # off the axes, where symmetry has roots
    columns = (w[:, None] for w in (x, y, q, g1, g2))
    value = _cross(edges, *columns)
    row, step = np.nonzero((value[:, :-1] < 0) != (value[:, 1:] < 0))
    mine = tuple(w[row] for w in (x, y, q, g1, g2))
    angle = _root(edges[step], edges[step + 1], value[row, step] < 0, mine)
    _, _, radius, magnification = _side(angle, *mine)
    keep = radius > 0
    row, angle, radius, mu = row[keep], angle[keep], radius[keep], magnification[keep]
    order = np.lexsort((-np.abs(mu), row))
    row, angle, radius, mu = row[order], angle[order], radius[order], mu[order]
    count = np.bincount(row, minlength=len(x))
    rank = np.arange(len(row)) - (np.cumsum(count) - count)[row]
    planes = np.full((3, len(x), int(count.max(initial=0))), np.nan)
    planes[:, row, rank] = radius * np.cos(angle), radius * np.sin(angle), mu
    return planes


def _cross(
    angle: np.ndarray, x: np.ndarray, y: np.ndarray, q: np.ndarray, g1: np.ndarray, g2: np.ndarray
) -> np.ndarray:
    """Return the cross product of both sides of the lens equation: `_side` without the rest."""
    cos, sin = np.cos(angle), np.sin(angle)
    dx, dy, _ = deflection(cos, sin, q)
    ax, ay = (1 - g1) * cos - g2 * sin, (1 + g1) * sin - g2 * cos
    return np.asarray(ax * (y + dy) - ay * (x + dx))


def _side(
    angle: np.ndarray, x: np.ndarray, y: np.ndarray, q: np.ndarray, g1: np.ndarray, g2: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the cross product, its derivative, the radius of an image, and its magnification."""
    cos, sin = np.cos(angle), np.sin(angle)
    dx, dy, strength = deflection(cos, sin, q)
    ax, ay = (1 - g1) * cos - g2 * sin, (1 + g1) * sin - g2 * cos
    wx, wy = x + dx, y + dy
    # e' is the direction across, and d' = strength e'
    bx, by = -(1 - g1) * sin - g2 * cos, (1 + g1) * cos + g2 * sin
    along = ax * cos + ay * sin
    radius = (ax * wx + ay * wy) / (ax**2 + ay**2)
    with np.errstate(divide="ignore", invalid="ignore"):
        magnification = 1 / (1 - g1**2 - g2**2 - strength / radius * along)
    return ax * wy - ay * wx, bx * wy - by * wx + strength * along, radius, magnification


def _root(
    low: np.ndarray, high: np.ndarray, below: np.ndarray, lens: tuple[np.ndarray, ...]
) -> np.ndarray:
    """Return the roots between two angles; ``below`` tells where the low end is negative."""
    found = np.asarray((low + high) / 2)
    left = np.arange(len(found))
    for _ in range(STEPS):
        angle = found[left]
        value, slope = _side(angle, *lens)[:2]
        above = (value < 0) != below
        low, high = np.where(above, low, angle), np.where(above, angle, high)
        with np.errstate(divide="ignore", invalid="ignore"):
            newton = angle - value / slope
        inside = (newton > low) & (newton < high)
        found[left] = np.where(inside, newton, (low + high) / 2)
        going = np.abs(found[left] - angle) > 1e-13
        if not going.any():
            break
        left, low, high, below = left[going], low[going], high[going], below[going]
        lens = tuple(w[going] for w in lens)
    return found
