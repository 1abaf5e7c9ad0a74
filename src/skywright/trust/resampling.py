"""Intervals that resample galaxies, never cutouts.

Many cutouts are painted on one galaxy, so rows are not independent: resampling them pretends to
know more than was measured. Every metric of this room takes weights with leading axes, so one
matrix of resampled counts gives the point estimate and all its replicates in one call, and two
scorers judged on the same matrix are paired.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.stats import chi2, norm

__all__ = [
    "bootstrap_groups",
    "estimate",
    "percentile_interval",
    "poisson_interval",
    "share_of",
    "wilson",
]

SHARES = 1000  # resamples of a share


def bootstrap_groups(groups: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Resample whole groups with replacement and return how often each row is drawn.

    Parameters
    ----------
    groups : (row,)
        Identifier of the independent unit (the galaxy) behind each row.
    n : int
        Number of resamples.
    rng : Generator
        Source of randomness.

    Returns
    -------
    (n + 1, row) uint16
        Counts to multiply weights with. Row 0 is all ones: the sample itself, so that replicate 0
        of any metric is its point estimate.

    Examples
    --------
    >>> counts = bootstrap_groups(np.array([7, 7, 9]), 100, np.random.default_rng(0))
    >>> counts.shape, bool((counts[:, 0] == counts[:, 1]).all())
    ((101, 3), True)
    """
    names, index = np.unique(groups, return_inverse=True)
    drawn = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=n)
    counts = np.concatenate([np.ones((1, len(names)), dtype=np.int64), drawn])
    return counts.astype(np.uint16)[:, index]


def percentile_interval(values: np.ndarray, level: float = 0.95) -> tuple[float, float]:
    """Return the central interval of bootstrap replicates, leaving out undefined ones.

    Parameters
    ----------
    values : (resample,)
        Replicates; NaN where a resample left the metric undefined.
    level : float
        Share of the replicates inside.
    """
    defined = np.asarray(values)[np.isfinite(values)]
    if len(defined) == 0:
        return float("nan"), float("nan")
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def wilson(share: float, n: int, level: float = 0.95) -> tuple[float, float]:
    """Return the score interval of a binomial share (Wilson 1927, JASA 22, 209).

    Unlike a bootstrap it stays honest at 0 and 1, where every resample agrees.

    Parameters
    ----------
    share : float
        Observed share of successes.
    n : int
        Independent trials: galaxies, not cutouts.
    level : float
        Coverage.

    Examples
    --------
    >>> [round(end, 3) for end in wilson(1.0, 20)]
    [0.839, 1.0]
    """
    z = norm.ppf((1 + level) / 2)
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    # Rounding must not push the share itself out of its interval.
    return max(float(min(centre - half, share)), 0.0), min(float(max(centre + half, share)), 1.0)


def poisson_interval(count: int, level: float = 0.95) -> tuple[float, float]:
    """Return the exact interval of a Poisson mean (Gehrels 1986, ApJ 303, 336).

    Examples
    --------
    >>> [round(end, 1) for end in poisson_interval(20)]
    [12.2, 30.9]
    """
    tail = (1 - level) / 2
    low = chi2.ppf(tail, 2 * count) / 2 if count else 0.0
    return float(low), float(chi2.ppf(1 - tail, 2 * count + 2) / 2)


def estimate(
    values: np.ndarray, *, n: int, n_groups: int, proportion: bool = False, level: float = 0.95
) -> dict[str, Any]:
    """Return a result with its interval from replicates whose first one is the sample itself.

    Parameters
    ----------
    values : (1 + resample,)
        A metric over the rows of `bootstrap_groups`.
    n : int
        Rows behind the figure.
    n_groups : int
        Independent galaxies behind the figure.
    proportion : bool
        Whether the value is a share of rows. At 0 or 1 all resamples agree and their interval has
        no width; then the Wilson interval for ``n_groups`` trials stands in.
    level : float
        Coverage of the interval.
    """
    value = float(values[0])
    low, high = percentile_interval(values[1:], level)
    if proportion and low == high and n_groups:
        low, high = wilson(min(max(value, 0.0), 1.0), n_groups, level)
    return {"value": value, "low": low, "high": high, "n": int(n), "n_groups": int(n_groups)}


def share_of(
    good: np.ndarray,
    groups: np.ndarray | None = None,
    rng: np.random.Generator | None = None,
    level: float = 0.95,
) -> dict[str, Any]:
    """Return the share of rows that are good, with its interval.

    Parameters
    ----------
    good : (n,) bool
        Rows that count.
    groups : (n,), optional
        What rows fail together in: image, parent simulation, night. Whole groups are resampled.
        None: rows are independent, whose resamples are binomial; Wilson's interval stands for them.
    rng : Generator, optional
        Resamples; needed with ``groups``.
    level : float
        Coverage of the interval.

    Returns
    -------
    dict
        ``value, low, high, n``, and ``n_groups`` with groups. Without rows the first three are
        None.

    Raises
    ------
    ValueError
        When there are groups and nothing to resample them by, or not one for each row.

    Examples
    --------
    >>> share_of(np.array([True, True, False, True]))["value"]
    0.75
    """
    good = np.asarray(good, dtype=bool)
    if not len(good):
        return {"value": None, "low": None, "high": None, "n": 0}
    if groups is None:
        low, high = wilson(float(good.mean()), len(good), level)
        return {"value": float(good.mean()), "low": low, "high": high, "n": len(good)}
    if rng is None or len(groups) != len(good):
        raise ValueError(
            f"{len(groups)} groups for {len(good)} rows, rng is {rng}; expected a group for each "
            "row, and a generator to resample them"
        )
    names, index = np.unique(groups, return_inverse=True)
    drawn = bootstrap_groups(np.arange(len(names)), SHARES, rng)
    rows = drawn @ np.bincount(index).astype(float)
    values = (drawn @ np.bincount(index, good)) / rows
    return estimate(values, n=len(good), n_groups=len(names), proportion=True, level=level)
