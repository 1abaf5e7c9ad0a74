"""Pairs of numbers whose mutual information is known, to judge estimators by."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import digamma

from skywright.trust.information.mixtures import Mixtures, log_density

__all__ = ["KNOWN", "draw_known", "known_information"]

Draw = Callable[[int, np.random.Generator], np.ndarray]


def _mixture(weights: list[float], parts: list[tuple[float, ...]]) -> Mixtures:
    """Return a mixture whose ``parts`` are two means, two variances and the covariance."""
    means = [[x, y] for x, y, *_ in parts]
    covariances = [[[a, c], [c, b]] for _, _, a, b, c in parts]
    return Mixtures(np.array([weights]), np.array([means]), np.array([covariances]))


# D1 to D5p of Piras et al. 2023 (MLST 4, 025006), after the values that were published with it; p
# has other means.
_SHAPES = [(1.0, 0.1, 0.0), (0.5, 0.5, 0.2), (0.1, 0.1, 0.05), (0.5, 0.9, -0.1), (0.2, 0.1, -0.05)]
_THREE, _FIVE = [0.3, 0.45, 0.25], [0.2, 0.35, 0.15, 0.12, 0.18]


def _at(means: list[tuple[float, float]]) -> list[tuple[float, ...]]:
    return [(*mean, *shape) for mean, shape in zip(means, _SHAPES, strict=False)]


MIXTURES = {
    "D1": _mixture([1.0], [(-1.0, 1.0, 0.5, 0.5, 0.2)]),
    "D3": _mixture(_THREE, _at([(-1, 1), (0, 2), (-1.5, 2)])),
    "D3p": _mixture(_THREE, _at([(-3, 3), (2, 4), (-2.5, 5)])),
    "D5": _mixture(_FIVE, _at([(-1, 1), (0, 2), (-1.5, 2), (2, 1), (-0.25, 0)])),
    "D5p": _mixture(_FIVE, _at([(-1, 1), (0, 2), (-1.5, 2), (3, 1), (-0.25, 0)])),
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
    >>> round(known_information("D1"), 5), round(known_information("weinman"), 5)
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
