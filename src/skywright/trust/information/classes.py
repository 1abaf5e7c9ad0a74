"""Mutual information of a number and a class."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from skywright.trust.information.estimate import (
    TRANSFORMS,
    Settings,
    bootstrap_weights,
    choose,
    fold_weights,
    refit,
)
from skywright.trust.information.integrals import divergence
from skywright.trust.information.mixtures import Mixtures, log_density
from skywright.trust.information.result import Information, make_information, scale_of
from skywright.trust.information.samples import columns_of, normal_scores, seeded, spread_ties

__all__ = ["class_information"]

FEWEST = 15  # rows of a class


def class_information(
    x: Any,
    classes: Any,
    *,
    unit: str = "nat",
    transform: str = "auto",
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
    permutations : int
        For the p-value, which sees classes that differ in mean or variance of normal scores.
    unit, transform, criterion, components, folds, bootstraps, correct, seed, rng
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
    settings.check(permutations)
    rng = seeded(seed, rng)
    column = columns_of({"x": x})["x"]
    kinds = _kinds(classes, len(column))
    p_value = _p_value(normal_scores([column])[:, 0], kinds, permutations, rng)
    best = _best_fit(spread_ties(column, rng), kinds, settings, rng)
    everywhere = np.ones((1, len(kinds)))
    plain = _integral(best.mixtures, _shares(everywhere, kinds))[0]
    weights = bootstrap_weights(len(kinds), settings, rng)
    if correct:
        rows = _log_ratio(best.points, kinds, best.mixtures, everywhere)[0]
        value = 0.5 * float((rows + best.held_out).mean())
        resampled = _log_ratio(best.points, kinds, best.mixtures, weights) * weights
        error = resampled.mean(axis=1).std(ddof=1)
    else:
        value = plain
        again = _refit(best.points, kinds, best.mixtures, weights)
        error = _integral(again, _shares(weights, kinds)).std(ddof=1)
    return make_information(
        value, error, plain, p_value, unit, len(kinds),
        components=[mixture.weights.shape[1] for mixture in best.mixtures],
        transform=best.transform,
    )  # fmt: skip


class _Fit(NamedTuple):
    """Mixtures of the classes, and the log density ratio of rows that were held out."""

    points: np.ndarray
    mixtures: list[Mixtures]
    transform: str
    held_out: np.ndarray


def _best_fit(
    column: np.ndarray, kinds: np.ndarray, settings: Settings, rng: np.random.Generator
) -> _Fit:
    """Return the fit of the transform that tells the classes of held-out rows better."""
    left_out = fold_weights(len(kinds), rng)
    tried = []
    for name, transform in TRANSFORMS[settings.transform].items():
        points = transform([column])
        mixtures = [choose(points[kinds == k], settings, rng) for k in range(kinds.max() + 1)]
        held_out = np.zeros(len(kinds))
        if settings.correct or settings.transform == "auto":
            held_out = (_log_ratio(points, kinds, mixtures, 1 - left_out) * left_out).sum(axis=0)
        tried.append(_Fit(points, mixtures, name, held_out))
    return max(tried, key=lambda fit: fit.held_out.mean())


def _kinds(classes: Any, n: int) -> np.ndarray:
    """Return the classes as whole numbers from 0."""
    array = np.ma.asarray(getattr(classes, "value", classes))
    if array.ndim != 1:
        raise ValueError(f"classes have shape {array.shape}; expected one for each row")
    if len(array) != n:
        raise ValueError(f"samples have different lengths: {n} numbers and {len(array)} classes")
    # nothing else is unlike itself
    missing = [np.ma.is_masked(name) or name is None or name != name for name in array]  # noqa: PLR0124
    if any(missing):
        raise ValueError(
            f"{sum(missing)} of {n} classes are missing, the first in row {np.argmax(missing)}: "
            "leave such rows out of every sample, or give them a name"
        )
    names, kinds, count = np.unique(
        array.data.astype(str) if array.dtype.kind == "O" else array.data,
        return_inverse=True, return_counts=True,
    )  # fmt: skip
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
