"""Many Gaussian mixtures at once: their densities, margins and moments as matrix products.

The logarithm of a Gaussian is linear in (1, x_i, x_i x_j), so densities of all components of all
mixtures at all points are one matrix product, and so are the sums that a fit needs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Mixtures", "invert", "log_components", "log_density", "monomials"]


@dataclass(frozen=True)
class Mixtures:
    """Gaussian mixtures of equal size.

    Parameters
    ----------
    weights : (mixture, component)
        Each row sums to one.
    means : (mixture, component, dimension)
        Centres.
    covariances : (mixture, component, dimension, dimension)
        Positive definite.
    """

    weights: np.ndarray
    means: np.ndarray
    covariances: np.ndarray

    def __getitem__(self, index: np.ndarray | list[int] | slice) -> Mixtures:
        """Return some of the mixtures."""
        return Mixtures(self.weights[index], self.means[index], self.covariances[index])

    def margin(self, axes: list[int]) -> Mixtures:
        """Return the mixtures of some of the dimensions, which is exact."""
        block = self.covariances[:, :, axes][..., axes]
        return Mixtures(self.weights, self.means[..., axes], block)

    def moved(self, shift: float, scale: float) -> Mixtures:
        """Return the mixtures of points that are multiplied by ``scale`` and shifted."""
        return Mixtures(self.weights, self.means * scale + shift, self.covariances * scale**2)


def monomials(points: np.ndarray) -> np.ndarray:
    """Return 1, x_i and x_i x_j with i <= j of points (…, n, dimension) as (…, n, monomial)."""
    rows, columns = np.triu_indices(points.shape[-1])
    ones = np.ones((*points.shape[:-1], 1))
    return np.concatenate([ones, points, points[..., rows] * points[..., columns]], axis=-1)


def invert(matrices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return inverses and log determinants of small positive definite matrices (…, d, d).

    Gauss and Jordan's elimination without pivots, which positive definite matrices do not need;
    for thousands of 2 x 2 matrices many times faster than a call of LAPACK for each.
    """
    size = matrices.shape[-1]
    work, inverse = matrices.copy(), np.broadcast_to(np.eye(size), matrices.shape).copy()
    log_determinant = np.zeros(matrices.shape[:-2])
    for j in range(size):
        pivot = work[..., j, j].copy()
        log_determinant += np.log(pivot)
        for array in (work, inverse):
            array[..., j, :] /= pivot[..., None]
        factor = work[..., :, j].copy()
        factor[..., j] = 0
        inverse -= factor[..., None] * inverse[..., None, j, :]
        work -= factor[..., None] * work[..., None, j, :]
    return inverse, log_determinant


def log_components(mixtures: Mixtures) -> np.ndarray:
    """Return the coefficients of log(weight x density): (mixture, component, monomial)."""
    size = mixtures.means.shape[-1]
    precision, log_determinant = invert(mixtures.covariances)
    linear = (precision @ mixtures.means[..., None])[..., 0]
    # a component that died has weight 0; an infinite logarithm would spoil the product
    log_weight = np.log(np.maximum(mixtures.weights, np.finfo(float).tiny))
    constant = log_weight - 0.5 * (
        size * np.log(2 * np.pi) + log_determinant + (linear * mixtures.means).sum(-1)
    )
    rows, columns = np.triu_indices(size)
    quadratic = -precision[..., rows, columns] * np.where(rows == columns, 0.5, 1.0)
    return np.concatenate([constant[..., None], linear, quadratic], axis=-1)


def log_density(mixtures: Mixtures, points: np.ndarray) -> np.ndarray:
    """Return the log density of each mixture at points (n, d), or at its own (mixture, n, d).

    Returns
    -------
    (mixture, n)
    """
    logs = log_components(mixtures) @ np.swapaxes(monomials(points), -1, -2)
    top = logs.max(axis=1)
    return np.asarray(top + np.log(np.exp(logs - top[:, None]).sum(axis=1)))
