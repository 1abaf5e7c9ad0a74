"""Masses that follow the light of the galaxies they are put on."""

from __future__ import annotations

import numpy as np

__all__ = ["draw_masses", "draw_shears"]

RATIO_SCATTER = 0.11  # rms of mass over light axis ratio; Koopmans et al. 2006
ANGLE_SCATTER = np.deg2rad(10)  # rms of mass minus light position angle; the same
SHEAR_MEDIAN = 0.05  # Oguri & Marshall 2010, section 2
SHEAR_SCATTER = 0.2  # dex; the same
ROUNDEST, FLATTEST = 0.98, 0.35  # a thin disc's halo is rounder than the disc


def draw_masses(
    q: np.ndarray, theta: np.ndarray, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Draw singular isothermal ellipsoids and external shears for galaxies of given shape.

    Parameters
    ----------
    q : (n,) [1]
        Measured axis ratio of the light.
    theta : (n,) [rad]
        Measured position angle, counter-clockwise from +x.
    rng : Generator
        Source of randomness.

    Returns
    -------
    dict of (n,)
        ``q_lens`` [1] and ``phi_lens`` [rad] of the mass, ``gamma1``, ``gamma2`` [1].

    References
    ----------
    Koopmans et al. 2006 (astro-ph/0601628): in lens galaxies of SLACS mass and light have the
    same axis ratio within 0.11 rms and the same position angle within 10 degrees rms.
    Oguri & Marshall 2010 (arXiv:1001.2037), section 2: external shear is log-normal about 0.05
    with 0.2 dex, its direction random.
    """
    n = len(q)
    ratio = np.clip(q * (1 + RATIO_SCATTER * rng.standard_normal(n)), FLATTEST, ROUNDEST)
    gamma1, gamma2 = draw_shears(n, rng)
    return {
        "q_lens": ratio,
        "phi_lens": (theta + ANGLE_SCATTER * rng.standard_normal(n)) % np.pi,
        "gamma1": gamma1,
        "gamma2": gamma2,
    }


def draw_shears(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw external shears; see `draw_masses`.

    Returns
    -------
    gamma1, gamma2 : (n,) [1]
    """
    shear = SHEAR_MEDIAN * 10 ** (SHEAR_SCATTER * rng.standard_normal(n))
    direction = rng.uniform(0, np.pi, n)
    return shear * np.cos(2 * direction), shear * np.sin(2 * direction)
