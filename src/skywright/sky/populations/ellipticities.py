"""Axis ratios and ellipticities of galaxies."""

from __future__ import annotations

import numpy as np
from scipy.stats import truncnorm

__all__ = ["beta_ellipticity", "ryden04_ellipticity", "triaxial_axis_ratio"]


def beta_ellipticity(
    e_ratio: float | np.ndarray,
    e_sum: float | np.ndarray,
    size: int | tuple[int, ...] | None = None,
    *,
    rng: np.random.Generator,
) -> np.ndarray:
    """Draw ellipticities from a beta distribution.

    Parameters
    ----------
    e_ratio : float or (…)
        ``a / (a + b)`` of the distribution, which is its mean; between 0 and 1.
    e_sum : float or (…)
        ``a + b``; larger is narrower.
    size : int or tuple, optional
        Shape of the result.
    rng : Generator
        Source of randomness.

    Raises
    ------
    ValueError
        When a mean is not between 0 and 1, or a sum not positive.

    References
    ----------
    Kacprzak et al. 2020, PRD 101, 082003, section III.
    """
    e_ratio, e_sum = np.asarray(e_ratio, dtype=float), np.asarray(e_sum, dtype=float)
    if not ((e_ratio > 0) & (e_ratio < 1)).all() or not ((e_sum > 0) & (e_sum < np.inf)).all():
        raise ValueError(
            f"e_ratio is {e_ratio}, e_sum {e_sum}; expected a mean between 0 and 1 and a positive "
            "number"
        )
    drawn: np.ndarray = rng.beta(e_sum * e_ratio, e_sum * (1 - e_ratio), size=size)
    return drawn


def ryden04_ellipticity(
    mu_gamma: float | np.ndarray,
    sigma_gamma: float | np.ndarray,
    mu: float | np.ndarray,
    sigma: float | np.ndarray,
    size: int | tuple[int, ...] | None = None,
    *,
    rng: np.random.Generator,
) -> np.ndarray:
    r"""Draw ellipticities :math:`(1 - q) / (1 + q)` of triaxial discs seen from all sides.

    Parameters
    ----------
    mu_gamma, sigma_gamma : float or (…)
        Mean and scatter of the axis ratio C / A, a normal truncated to [0, 1].
    mu, sigma : float or (…)
        Mean and scatter of ln(1 - B / A), a normal truncated to negative values.
    size : int or tuple, optional
        Shape of the result.
    rng : Generator
        Source of randomness.

    References
    ----------
    Ryden 2004, ApJ 601, 214, section 4; Binney 1985, MNRAS 212, 767, eq. 11-12.
    """
    parameters = (mu_gamma, sigma_gamma, mu, sigma)
    shape = np.broadcast_shapes(*map(np.shape, parameters)) if size is None else size
    gamma = _truncated(mu_gamma, sigma_gamma, 0.0, 1.0, shape, rng)
    epsilon = np.exp(_truncated(mu, sigma, -np.inf, 0.0, shape, rng))
    q = triaxial_axis_ratio(1 - epsilon, gamma, rng=rng)
    ellipticity: np.ndarray = (1 - q) / (1 + q)
    return ellipticity


def triaxial_axis_ratio(
    zeta: float | np.ndarray,
    xi: float | np.ndarray,
    size: int | tuple[int, ...] | None = None,
    *,
    rng: np.random.Generator,
) -> np.ndarray:
    """Draw the axis ratio of an ellipsoid that is seen from a random side.

    Parameters
    ----------
    zeta : float or (…)
        Axis ratio B / A.
    xi : float or (…)
        Axis ratio C / A.
    size : int or tuple, optional
        Shape of the result.
    rng : Generator
        Source of randomness.

    Returns
    -------
    (…)
        Apparent axis ratio, at most 1.

    References
    ----------
    Binney 1985, MNRAS 212, 767, eq. 11 and 12.

    Examples
    --------
    >>> float(triaxial_axis_ratio(1.0, 1.0, rng=np.random.default_rng(0)))
    1.0
    """
    zeta, xi = np.asarray(zeta, dtype=float), np.asarray(xi, dtype=float)
    shape = np.broadcast_shapes(zeta.shape, xi.shape) if size is None else size
    cos = rng.uniform(-1, 1, size=shape)
    phi = rng.uniform(0, 2 * np.pi, size=shape)
    sin2_phi = np.sin(phi) ** 2
    # Binney's A, B and C, each times the squares of both axis ratios
    a = cos**2 * (zeta**2 * sin2_phi + 1 - sin2_phi) + xi**2 * (1 - cos**2)
    b = (zeta**2 - 1) * cos * np.sin(2 * phi)
    c = sin2_phi + zeta**2 * (1 - sin2_phi)
    root = np.hypot(a - c, b)
    q: np.ndarray = np.sqrt(np.maximum(a + c - root, 0.0) / (a + c + root))
    return q


def _truncated(
    mean: float | np.ndarray,
    scatter: float | np.ndarray,
    low: float,
    high: float,
    shape: int | tuple[int, ...],
    rng: np.random.Generator,
) -> np.ndarray:
    """Draw from normals that are cut off at both ends."""
    mean, scatter = np.asarray(mean, dtype=float), np.asarray(scatter, dtype=float)
    ends = (low - mean) / scatter, (high - mean) / scatter
    return np.asarray(truncnorm.rvs(*ends, mean, scatter, size=shape, random_state=rng))
