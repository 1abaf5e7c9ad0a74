"""Columns at the door: checked, of unit variance, and as normal scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.stats import norm, rankdata

__all__ = ["FEWEST", "columns_of", "normal_scores", "seeded", "spread_ties", "standardise"]

FEWEST = 30
SMALLEST = 1e-150
CELL = 0.75  # of the cell: where whole cells touch, no few Gaussians follow their edges


def seeded(seed: int, rng: np.random.Generator | None) -> np.random.Generator:
    """Return ``rng`` where there is one, else a generator of ``seed``."""
    return np.random.default_rng(seed) if rng is None else rng


def columns_of(named: dict[str, Any], fewest: int = FEWEST) -> dict[str, np.ndarray]:
    """Return samples as float arrays, or say what is wrong with them.

    Parameters
    ----------
    named : dict
        Name -> (n,) numbers, Quantity or column.
    fewest : int
        Rows needed.

    Raises
    ------
    ValueError
        Lengths differ, rows are too few, a value is not finite, a sample is constant or its
        unit makes numbers too large or small.
    """
    found = {name: _numbers(name, values) for name, values in named.items()}
    lengths = {name: len(values) for name, values in found.items()}
    n = next(iter(lengths.values()))
    for name, length in lengths.items():
        if length != n:
            raise ValueError(
                f"samples have different lengths: {next(iter(lengths))} has {n} rows and {name} "
                f"has {length}; give pairs, row by row"
            )
    for name, values in found.items():
        if len(values) < fewest:
            raise ValueError(f"{name} has {len(values)} rows; expected at least {fewest}")
        if not np.isfinite(values).all():
            bad = np.flatnonzero(~np.isfinite(values))
            raise ValueError(
                f"{len(bad)} of {len(values)} values of {name} are not finite, the first in row "
                f"{bad[0]}: leave such rows out of every sample"
            )
        if values.min() == values.max():
            raise ValueError(f"{name} is constant ({values[0]:g}): it can hold no information")
        size = float(np.abs(values).max())
        if not SMALLEST < size < 1 / SMALLEST:
            raise ValueError(
                f"the largest value of {name} is {size:.2g}, whose square a float cannot hold: "
                "change its unit"
            )
    return found


def _numbers(name: str, values: Any) -> np.ndarray:
    plain = getattr(values, "value", values)
    try:
        if np.iscomplexobj(plain):
            raise TypeError
        array: np.ndarray = np.asarray(np.ma.filled(np.ma.asarray(plain, dtype=float), np.nan))
    except (TypeError, ValueError, OverflowError):
        raise ValueError(
            f"{name} does not hold numbers; for classes use class_information"
        ) from None
    if array.ndim != 1:
        raise ValueError(
            f"{name} has shape {array.shape}; expected one number for each row. For many "
            "dimensions use skywright.learn.estimate_information"
        )
    return array


def spread_ties(column: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a column whose repeated values are spread evenly over a part of their cells.

    A value that repeats has no density: a Gaussian that shrinks around it gains without end. A
    cell reaches half way to the values beside it, so that the value can be read back, and all
    that the column says about others is kept. Where these are far, as beside a value that means
    "missing", it is as wide as most are. A column without repeats is returned as it is.

    Parameters
    ----------
    column : (n,)
        At least two different values.
    rng : Generator
        For places in the cells.
    """
    values, which, count = np.unique(column, return_inverse=True, return_counts=True)
    if len(values) == len(column):
        return column
    half = 0.5 * np.diff(values)
    half = CELL * np.minimum(half, np.median(half))
    below, above = np.append(half[0], half), np.append(half, half[-1])
    # its own stream: that of a seed may be the one that the data were drawn from
    place = rng.spawn(1)[0].uniform(-below[which], above[which])
    return np.asarray(np.where(count[which] > 1, column + place, column))


def standardise(columns: Sequence[np.ndarray]) -> np.ndarray:
    """Return columns of zero mean and unit variance as (n, column)."""
    table = np.column_stack(columns)
    return np.asarray((table - table.mean(axis=0)) / table.std(axis=0))


def normal_scores(columns: Sequence[np.ndarray]) -> np.ndarray:
    """Return the normal deviates of the ranks as (n, column); ties share their mean rank.

    What grows with a column has the same scores, so that whatever is estimated from scores is
    exactly the same for it.

    Examples
    --------
    >>> x = np.array([1.0, 5.0, 3.0])
    >>> bool((normal_scores([x]) == normal_scores([np.exp(x)])).all())
    True
    """
    table = np.column_stack(columns)
    return np.asarray(norm.ppf((rankdata(table, axis=0) - 0.5) / len(table)))
