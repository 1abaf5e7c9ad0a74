"""Mutual information of a number and a class."""

from __future__ import annotations

from typing import Any

import numpy as np

from skywright.trust.information.estimate import (
    Settings,
    bootstrap_weights,
    choose,
    fold_weights,
    refit,
)
from skywright.trust.information.integrals import divergence
from skywright.trust.information.mixtures import Mixtures, log_density
from skywright.trust.information.result import Information, make_information, scale_of
from skywright.trust.information.samples import columns_of, normal_scores, seeded, standardise

__all__ = ["class_information"]

FEWEST = 15  # rows of a class


def class_information(
    x: Any,
    classes: Any,
    *,
    unit: str = "nat",
    transform: str = "none",
    criterion: str = "cv",
    components: int = 10,
    folds: int = 2,
    bootstraps: int = 50,
    permutations: int = 199,
    correct: bool = True,
    seed: int = 0,
    rng: np.random.Generator | None = None,
) -> Information:
    """Estimate how much a number says about a class: a mixture of Gaussians for each class.

    Parameters
    ----------
    x : (n,)
        Numbers.
    classes : (n,)
        Names or whole numbers, row by row.
    transform : str
        ``none`` or ``copula``.
    unit, criterion, components, folds, bootstraps, permutations, correct, seed, rng
        As in `mutual_information`.

    Returns
    -------
    Information

    Raises
    ------
    ValueError
        A sample or a setting cannot be used; there is one class only, or a class is too small.

    Examples
    --------
    >>> draw = np.random.default_rng(0)
    >>> kind = draw.integers(2, size=400)
    >>> found = class_information(10 * kind + draw.normal(size=400), kind, unit="bit")
    >>> round(found.value, 1)
    1.0
    """
    scale_of(unit)
    settings = Settings(transform, criterion, components, folds, bootstraps, correct)
    settings.check()
    if transform == "auto":
        raise ValueError("transform is 'auto'; for classes expected none or copula")
    rng = seeded(seed, rng)
    column = columns_of({"x": x})["x"]
    kinds = _kinds(classes, len(column))
    points = (normal_scores if transform == "copula" else standardise)([column])
    fitted = [choose(points[kinds == k], settings, rng) for k in range(kinds.max() + 1)]
    everywhere = np.ones((1, len(kinds)))
    plain = _integral(fitted, _shares(everywhere, kinds))[0]
    value = plain
    if correct:
        left_out = fold_weights(len(kinds), rng)
        held_out = _log_ratio(points, kinds, fitted, 1 - left_out) * left_out
        value = 0.5 * (held_out.sum() + _log_ratio(points, kinds, fitted, everywhere).sum())
        value /= len(kinds)
    weights = bootstrap_weights(len(kinds), settings, rng)
    if correct:
        resampled = (_log_ratio(points, kinds, fitted, weights) * weights).mean(axis=1)
    else:
        resampled = _integral(_refit(points, kinds, fitted, weights), _shares(weights, kinds))
    return make_information(
        value,
        resampled.std(ddof=1),
        plain,
        _p_value(normal_scores([column])[:, 0], kinds, permutations, rng),
        unit,
        len(kinds),
        components=[mixture.weights.shape[1] for mixture in fitted],
        transform=transform,
    )


def _kinds(classes: Any, n: int) -> np.ndarray:
    """Return the classes as whole numbers from 0."""
    names, kinds, count = np.unique(np.asarray(classes), return_inverse=True, return_counts=True)
    if len(kinds) != n:
        raise ValueError(f"samples have different lengths: {n} numbers and {len(kinds)} classes")
    if len(names) < 2:
        raise ValueError(f"there is one class only ({names[0]}): it can hold no information")
    if count.min() < FEWEST:
        raise ValueError(
            f"class {names[np.argmin(count)]} has {count.min()} rows; expected at least {FEWEST}"
        )
    return kinds


def _shares(weights: np.ndarray, kinds: np.ndarray) -> np.ndarray:
    """Return the share of each class: (resample, class)."""
    share = weights @ np.eye(kinds.max() + 1)[kinds]
    return np.asarray(share / share.sum(axis=1, keepdims=True))


def _refit(
    points: np.ndarray, kinds: np.ndarray, fitted: list[Mixtures], weights: np.ndarray
) -> list[Mixtures]:
    return [refit(points[kinds == k], weights[:, kinds == k], one) for k, one in enumerate(fitted)]


def _joined(mixtures: list[Mixtures], shares: np.ndarray) -> Mixtures:
    """Return the mixtures of all classes together."""
    return Mixtures(
        np.concatenate([m.weights * shares[:, [k]] for k, m in enumerate(mixtures)], axis=1),
        np.concatenate([m.means for m in mixtures], axis=1),
        np.concatenate([m.covariances for m in mixtures], axis=1),
    )


def _integral(mixtures: list[Mixtures], shares: np.ndarray) -> np.ndarray:
    whole = _joined(mixtures, shares)
    return np.asarray(sum(shares[:, k] * divergence(one, whole) for k, one in enumerate(mixtures)))


def _log_ratio(
    points: np.ndarray, kinds: np.ndarray, fitted: list[Mixtures], weights: np.ndarray
) -> np.ndarray:
    """Return log p(x | class) - log p(x) of each row under the fits to each set of weights."""
    mixtures = _refit(points, kinds, fitted, weights)
    whole = _joined(mixtures, _shares(weights, kinds))
    within = np.empty((len(weights), len(kinds)))
    for k, one in enumerate(mixtures):
        within[:, kinds == k] = log_density(one, points[kinds == k])
    return np.asarray(within - log_density(whole, points))


def _p_value(
    scores: np.ndarray, kinds: np.ndarray, permutations: int, rng: np.random.Generator
) -> float:
    """Return the chance that classes without meaning differ as much in mean or variance."""
    if permutations == 0:
        return float("nan")
    order = np.argsort(rng.random((permutations, len(kinds))), axis=1)
    shuffled = np.vstack([scores, scores[order]])
    gain = np.zeros(len(shuffled))
    for k in range(kinds.max() + 1):
        inside = shuffled[:, kinds == k]
        gain -= 0.5 * inside.shape[1] * np.log(np.maximum(inside.var(axis=1), 1e-12))
    return float((gain[1:] >= gain[0] - 1e-9).sum() + 1) / (permutations + 1)
