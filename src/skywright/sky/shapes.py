"""Shapes of impostors before they are grown to the area of an arc.

Every function takes rows of arcs and returns the columns that describe the impostor instead. What
they have in common with the arcs is the mean radius, the axis ratio and position angle of the
galaxy, and the clumps of the source.
"""

from __future__ import annotations

import numpy as np
from astropy.table import QTable

from skywright.sky.sources import CLUMPS

__all__ = ["companions", "rings", "satellites", "spirals"]

EDGE_ON = 0.6  # share of companions that are thin and lie along the circle
TILT = np.deg2rad(12)
ONE_ARM = 0.3  # share of spirals


def companions(
    twins: QTable, radius: np.ndarray, fwhm: float, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Put the source beside the galaxy, unlensed: often edge-on and lying along the circle.

    Parameters
    ----------
    twins : QTable
        Arcs; see `draw_systems`.
    radius : (n,) [pixel]
        Distance from the galaxy.
    fwhm : float [pixel]
        Width of the point spread function.
    rng : Generator
        Source of randomness.

    Returns
    -------
    dict of (n, clump)
        Columns ``clump_…``, in the plane of the image.
    """
    n = len(twins)
    azimuth = rng.uniform(0, 2 * np.pi, n)
    thin = rng.random(n) < EDGE_ON
    q = np.where(thin, rng.uniform(0.15, 0.35, n), rng.uniform(0.35, 1.0, n))
    along = azimuth + np.pi / 2 + TILT * rng.standard_normal(n)
    phi = np.where(thin, along, rng.uniform(0, np.pi, n))
    x, y = (np.asarray(twins[f"clump_{axis}"]) for axis in "xy")
    major, minor = (x - x[:, :1]) / np.sqrt(q)[:, None], (y - y[:, :1]) * np.sqrt(q)[:, None]
    cos, sin = np.cos(phi)[:, None], np.sin(phi)[:, None]
    centre_x = np.asarray(twins["x_galaxy"]) + radius * np.cos(azimuth)
    centre_y = np.asarray(twins["y_galaxy"]) + radius * np.sin(azimuth)
    flat, turned = (np.array(twins[f"clump_{name}"]) for name in ("q", "phi"))
    flat[:, 0], turned[:, 0] = q, phi % np.pi
    return {
        "clump_x": centre_x[:, None] + major * cos - minor * sin,
        "clump_y": centre_y[:, None] + major * sin + minor * cos,
        "clump_q": flat,
        "clump_phi": turned,
    }


def satellites(
    twins: QTable, radius: np.ndarray, fwhm: float, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Scatter two to four small galaxies around the circle; parameters as for `companions`."""
    n = len(twins)
    shape = (n, CLUMPS)
    count = rng.integers(2, CLUMPS + 1, n)
    distance = radius[:, None] * rng.uniform(0.7, 1.3, shape)
    # Even spacing with a large scatter: satellites on top of each other would be one companion.
    azimuth = rng.uniform(0, 2 * np.pi, (n, 1)) + 2 * np.pi / count[:, None] * (
        np.arange(CLUMPS) + 0.3 * rng.standard_normal(shape)
    )
    flux = np.exp(0.8 * rng.standard_normal(shape)) * (np.arange(CLUMPS) < count[:, None])
    return {
        "clump_x": np.asarray(twins["x_galaxy"])[:, None] + distance * np.cos(azimuth),
        "clump_y": np.asarray(twins["y_galaxy"])[:, None] + distance * np.sin(azimuth),
        "clump_radius": fwhm * rng.uniform(0.2, 0.6, shape),
        "clump_n": rng.uniform(0.5, 2.0, shape),
        "clump_q": rng.uniform(0.3, 1.0, shape),
        "clump_phi": rng.uniform(0, np.pi, shape),
        "clump_flux": flux / flux.sum(axis=1, keepdims=True),
    }


def rings(
    twins: QTable, radius: np.ndarray, fwhm: float, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Lay a ring with knots around the galaxy, elliptical like it; parameters as for `companions`.

    Returns
    -------
    dict of (n,)
        Columns ``arm_…``.
    """
    n = len(twins)
    return {
        "arm_radius": radius,
        "arm_spread": 0.35 * fwhm * rng.uniform(0.6, 1.4, n) / radius,
        # With one knot or two a ring would be an arc or a pair of arcs.
        "arm_arms": rng.integers(3, 7, n).astype(float),
        "arm_sharpness": rng.uniform(0.0, 1.0, n),
        "arm_pitch": np.full(n, np.pi / 2),
        "arm_turn": rng.uniform(0, 2 * np.pi, n),
        "arm_q": np.clip(np.asarray(twins["q_galaxy"]), 0.35, 1.0),
        "arm_phi": np.asarray(twins["phi_galaxy"]),
    }


def spirals(
    twins: QTable, radius: np.ndarray, fwhm: float, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Wind one or two logarithmic arms around the galaxy; parameters and columns as for `rings`."""
    n = len(twins)
    return rings(twins, radius, fwhm, rng) | {
        "arm_radius": radius * rng.uniform(0.85, 1.0, n),
        "arm_spread": rng.uniform(0.3, 0.55, n),
        "arm_arms": np.where(rng.random(n) < ONE_ARM, 1.0, 2.0),
        "arm_sharpness": rng.uniform(3.0, 8.0, n),
        "arm_pitch": np.deg2rad(rng.uniform(12, 30, n)) * rng.choice([-1.0, 1.0], n),
    }
