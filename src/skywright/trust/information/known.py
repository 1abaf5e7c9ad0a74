"""Pairs of numbers whose mutual information is known, to judge estimators by."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import digamma

from skywright.trust.information.mixtures import Mixtures, log_density

__all__ = ["KNOWN", "draw_known", "known_information"]

Draw = Callable[[int, np.random.Generator], np.ndarray]


def _mixture(weights: list[float], means: list[list[float]], shapes: list[list[float]]) -> Mixtures:
    """Return a mixture whose ``shapes`` are the two standard deviations and the correlation."""
    covariances = [[[a * a, r * a * b], [r * a * b, b * b]] for a, b, r in shapes]
    return Mixtures(
        np.array([weights]), np.array([means], dtype=float), np.array([covariances], dtype=float)
    )


# One Gaussian with a correlation of 0.4 has the 0.08718 nats that Piras et al. give for their D1.
# The others stand for their D3, D3', D5 and D5': as many components, but not those of the paper,
# which are defined in the notebooks of a package that must not be copied.
MIXTURES = {
    "gaussian": _mixture([1], [[0, 0]], [[1, 1, 0.4]]),
    "three": _mixture(
        [0.3, 0.3, 0.4], [[-2, 0], [2, 0], [0, 0]], [[0.7, 1.5, 0], [0.7, 1.5, 0], [1.5, 0.5, 0]]
    ),
    "three apart": _mixture(
        [0.3, 0.4, 0.3], [[-2, -1], [0, 1], [2, -1]], [[0.7, 0.7, 0], [0.8, 0.6, 0], [0.7, 0.7, 0]]
    ),
    "five": _mixture(
        [0.2] * 5,
        [[-2, -1], [-1, 1], [0, -1], [1, 1], [2, -1]],
        [[0.8, 0.8, 0.2], [0.8, 0.8, -0.2], [0.8, 0.8, 0], [0.8, 0.8, 0.2], [0.8, 0.8, -0.2]],
    ),
    "five apart": _mixture(
        [0.2] * 5,
        [[0, 0], [2, 2], [-2, 2], [2, -2], [-2, -2]],
        [[0.6, 0.6, 0], [0.8, 0.8, 0.5], [0.8, 0.8, -0.5], [0.8, 0.8, -0.5], [0.8, 0.8, 0.5]],
    ),
}


def _gamma_exponential(n: int, rng: np.random.Generator) -> np.ndarray:
    """X ~ gamma(1), y | x ~ exponential with rate x (Darbellay & Vajda 2000)."""
    x = rng.gamma(1.0, size=n)
    return np.column_stack([x, rng.exponential(size=n) / x])


def _weinman(n: int, rng: np.random.Generator) -> np.ndarray:
    """Ordered Weinman: x exponential with mean 1/2, y - x exponential with the same mean."""
    x = rng.exponential(0.5, size=n)
    return np.column_stack([x, x + rng.exponential(0.5, size=n)])


def _independent(n: int, rng: np.random.Generator) -> np.ndarray:
    return rng.normal(size=(n, 2))


OTHERS: dict[str, tuple[Draw, float]] = {
    # digamma(shape + 1) - log(shape)
    "gamma-exponential": (_gamma_exponential, float(digamma(2.0))),
    # E log(f(x, y) / f(x) / f(y)), with f(y) a gamma density of shape 2: Euler's constant
    "weinman": (_weinman, float(np.euler_gamma)),
    "independent": (_independent, 0.0),
}
KNOWN = (*MIXTURES, *OTHERS)


def draw_known(name: str, n: int, rng: np.random.Generator) -> np.ndarray:
    """Return ``n`` pairs of one of the distributions of ``KNOWN`` as (n, 2)."""
    _check(name)
    if name in OTHERS:
        return OTHERS[name][0](n, rng)
    mixture = MIXTURES[name]
    which = rng.choice(mixture.weights.shape[1], n, p=mixture.weights[0])
    root = np.linalg.cholesky(mixture.covariances[0])[which]
    return np.asarray(mixture.means[0][which] + (root @ rng.normal(size=(n, 2, 1)))[..., 0])


def known_information(name: str) -> float:
    """Return the mutual information in nats, exact or integrated on a fine grid.

    Examples
    --------
    >>> round(known_information("gaussian"), 5), round(known_information("weinman"), 5)
    (0.08718, 0.57722)
    """
    _check(name)
    if name in OTHERS:
        return OTHERS[name][1]
    mixture = MIXTURES[name]
    axis = np.linspace(-9, 9, 1201)  # far beyond all of them; sums are exact for smooth densities
    grid = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    joint = log_density(mixture, grid)[0].reshape(1201, 1201)
    first, second = (log_density(mixture.margin([i]), axis[:, None])[0] for i in (0, 1))
    ratio = joint - first[:, None] - second
    return float((np.exp(joint) * ratio).sum() * (axis[1] - axis[0]) ** 2)


def _check(name: str) -> None:
    if name not in KNOWN:
        raise ValueError(f"there is no distribution {name!r}; expected one of {', '.join(KNOWN)}")
