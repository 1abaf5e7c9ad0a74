"""Information of mixtures by a rule of fixed nodes: the same result every time, and no noise.

An expectation over a mixture is the weighted sum of those over its Gaussians, and each of these
is a sum over nodes that are moved and stretched to it: Gauss and Hermite's in up to two
dimensions, those of Sobol in more.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy.stats import norm, qmc

from skywright.trust.information.mixtures import Mixtures, log_density

__all__ = ["divergence", "mean_under", "nodes"]

ORDER = {1: 64, 2: 32}
SOBOL = 12  # 2**12 points


@cache
def nodes(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return nodes (node, size) and weights (node,) of the standard normal distribution."""
    if size in ORDER:
        x, w = np.polynomial.hermite_e.hermegauss(ORDER[size])
        grids = np.meshgrid(*[x] * size, indexing="ij")
        weight = np.prod(np.meshgrid(*[w / w.sum()] * size, indexing="ij"), axis=0).ravel()
        kept = weight > 1e-10  # what lies beyond cannot matter
        points = np.stack([g.ravel() for g in grids], axis=-1)[kept]
        return points, weight[kept] / weight[kept].sum()
    uniform = qmc.Sobol(size, scramble=True, rng=np.random.default_rng(0)).random_base2(SOBOL)
    points = norm.ppf(uniform)
    return points, np.full(len(points), 1 / len(points))


def mean_under(mixtures: Mixtures, terms: list[tuple[float, list[int]]]) -> np.ndarray:
    """Return the mean of a sum of log densities of margins, under each mixture.

    Parameters
    ----------
    mixtures : Mixtures
        Of all dimensions.
    terms : list of (float, list of int)
        Factor and dimensions of each margin.

    Returns
    -------
    (mixture,) nats

    Examples
    --------
    The mutual information of two normal deviates with a correlation of 0.6:

    >>> pair = Mixtures(np.ones((1, 1)), np.zeros((1, 1, 2)), np.array([[[[1, 0.6], [0.6, 1]]]]))
    >>> mean_under(pair, [(1, [0, 1]), (-1, [0]), (-1, [1])]).round(4)
    array([0.2231])
    """
    points, weight = _points(mixtures)
    total = np.zeros(points.shape[:2])
    for factor, axes in terms:
        total += factor * log_density(mixtures.margin(axes), points[..., axes])
    return np.asarray((total * weight).sum(axis=1))


def divergence(first: Mixtures, second: Mixtures) -> np.ndarray:
    """Return Kullback and Leibler's divergence of each first mixture from its second, in nats."""
    points, weight = _points(first)
    return np.asarray(
        ((log_density(first, points) - log_density(second, points)) * weight).sum(axis=1)
    )


def _points(mixtures: Mixtures) -> tuple[np.ndarray, np.ndarray]:
    """Return nodes of every mixture (mixture, component x node, d), and their weights."""
    at, weight = nodes(mixtures.means.shape[-1])
    members, components, size = mixtures.means.shape
    root = np.linalg.cholesky(mixtures.covariances)
    points = mixtures.means[:, :, None] + at @ np.swapaxes(root, -1, -2)
    weights = mixtures.weights[:, :, None] * weight
    return points.reshape(members, -1, size), weights.reshape(members, -1)
