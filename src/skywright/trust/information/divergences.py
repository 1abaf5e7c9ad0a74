"""How far one distribution is from another."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from astropy.units import dimensionless_unscaled

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
from skywright.trust.information.samples import columns_of, seeded, spread_ties, standardise

__all__ = ["kullback_leibler"]

OUTSIDE = 0.1  # of x beyond the smallest and largest of y: a warning


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
        Two samples; rows do not belong together. Units, if any, are converted to that of ``x``.
    unit, criterion, components, folds, bootstraps, correct, seed, rng
        As in `mutual_information`.

    Returns
    -------
    Information
        Without a p-value. Its warning says where ``y`` has no rows to compare ``x`` with.

    Raises
    ------
    ValueError
        A sample or a setting cannot be used, or one unit is not the other's.

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
    samples = _samples(x, y, rng)
    # each in its own unit, because floors under variances are relative; then both in that of x
    points = [standardise([sample]) for sample in samples]
    scale = samples[1].std() / samples[0].std()
    shift = (samples[1].mean() - samples[0].mean()) / samples[0].std()
    first, second = (choose(sample, settings, rng) for sample in points)
    moved = second.moved(shift, scale)
    plain = value = float(divergence(first, moved)[0])
    if correct:
        value = _corrected(points[0], first, moved, rng)
    weights = [bootstrap_weights(len(sample), settings, rng) for sample in points]
    again = refit(points[0], weights[0], first)
    other = refit(points[1], weights[1], second).moved(shift, scale)
    if correct:
        rows = log_density(again, points[0]) - log_density(other, points[0])
        resampled = (rows * weights[0]).mean(axis=1)
    else:
        resampled = divergence(again, other)
    found = make_information(
        value, float(resampled.std(ddof=1)), plain, float("nan"), unit, len(samples[0]),
        components=[mixture.weights.shape[1] for mixture in (first, second)],
    )  # fmt: skip
    return replace(found, warning=_warning(*samples))


def _samples(x: Any, y: Any, rng: np.random.Generator) -> list[np.ndarray]:
    """Return both samples in the unit of ``x``, their repeated values spread alike."""
    first, second = (columns_of({name: v})[name] for name, v in (("x", x), ("y", y)))
    units = [getattr(v, "unit", None) or dimensionless_unscaled for v in (x, y)]
    both = np.concatenate([first, second * units[1].to(units[0])])
    return np.split(spread_ties(both, rng), [len(first)])


def _warning(x: np.ndarray, y: np.ndarray) -> str:
    outside = float(((x < y.min()) | (x > y.max())).mean())
    if outside <= OUTSIDE:
        return ""
    return (
        f"{100 * outside:.0f} % of x lies outside of all of y: the divergence depends on the "
        "tails of the Gaussians that were fitted to y"
    )


def _corrected(
    rows: np.ndarray, fitted: Mixtures, known: Mixtures, rng: np.random.Generator
) -> float:
    """Return the mean over fitted and held-out rows; the second fit judges rows it never saw."""
    left_out = fold_weights(len(rows), rng)
    held_out = log_density(refit(rows, 1 - left_out, fitted), rows) * left_out
    within = 0.5 * (log_density(fitted, rows)[0].mean() + held_out.sum() / len(rows))
    return float(within - log_density(known, rows)[0].mean())
