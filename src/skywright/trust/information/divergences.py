"""How far one distribution is from another."""

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
from skywright.trust.information.samples import columns_of, seeded

__all__ = ["kullback_leibler"]


def kullback_leibler(
    x: Any,
    y: Any,
    *,
    unit: str = "nat",
    criterion: str = "cv",
    components: int = 10,
    folds: int = 2,
    bootstraps: int = 50,
    correct: bool = True,
    seed: int = 0,
    rng: np.random.Generator | None = None,
) -> Information:
    """Estimate the divergence of the distribution of ``x`` from that of ``y``.

    Parameters
    ----------
    x, y : (n,), (m,)
        Two samples; rows do not belong together.
    unit, criterion, components, folds, bootstraps, correct, seed, rng
        As in `mutual_information`.

    Returns
    -------
    Information
        Without a p-value.

    Raises
    ------
    ValueError
        A sample or a setting cannot be used.

    Examples
    --------
    >>> draw = np.random.default_rng(0)
    >>> found = kullback_leibler(draw.normal(size=2000), draw.normal(1, 1, size=2000))
    >>> bool(abs(found.value - 0.5) < 3 * found.error)
    True
    """
    scale_of(unit)
    settings = Settings("none", criterion, components, folds, bootstraps, correct)
    settings.check()
    rng = seeded(seed, rng)
    samples = [columns_of({name: v})[name] for name, v in (("x", x), ("y", y))]
    both = np.concatenate(samples)
    points = [((sample - both.mean()) / both.std())[:, None] for sample in samples]
    fitted = [choose(sample, settings, rng) for sample in points]
    plain = value = float(divergence(*fitted)[0])
    if correct:
        value = _corrected(points, fitted, rng)
    weights = [bootstrap_weights(len(sample), settings, rng) for sample in points]
    first, second = (refit(*triple) for triple in zip(points, weights, fitted, strict=True))
    if correct:
        rows = log_density(first, points[0]) - log_density(second, points[0])
        resampled = (rows * weights[0]).mean(axis=1)
    else:
        resampled = divergence(first, second)
    return make_information(
        value,
        float(resampled.std(ddof=1)),
        plain,
        float("nan"),
        unit,
        len(samples[0]),
        components=[mixture.weights.shape[1] for mixture in fitted],
    )


def _corrected(points: list[np.ndarray], fitted: list[Mixtures], rng: np.random.Generator) -> float:
    """Return the mean over fitted and held-out rows; the second fit judges rows it never saw."""
    rows, known = points[0], fitted[1]
    left_out = fold_weights(len(rows), rng)
    held_out = log_density(refit(rows, 1 - left_out, fitted[0]), rows) * left_out
    within = 0.5 * (log_density(fitted[0], rows)[0].mean() + held_out.sum() / len(rows))
    return float(within - log_density(known, rows)[0].mean())
