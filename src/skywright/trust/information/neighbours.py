"""Mutual information from distances to neighbours: a cross-check without any model."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.feature_selection import mutual_info_regression

from skywright.trust.information.result import Information, make_information, scale_of
from skywright.trust.information.samples import columns_of, seeded

__all__ = ["neighbour_information"]

PART = 0.5  # of the rows in a subsample


def neighbour_information(
    x: Any,
    y: Any,
    *,
    neighbours: int = 3,
    unit: str = "nat",
    subsamples: int = 50,
    seed: int = 0,
    rng: np.random.Generator | None = None,
) -> Information:
    """Estimate mutual information by Kraskov's neighbours (2004, PRE 69, 066138), with an error.

    A bootstrap would repeat rows, whose distance is zero; so the error is that of subsamples
    without replacement, scaled to all rows: half of the rows scatter around the estimate of all
    as these do around the truth.

    Parameters
    ----------
    x, y : (n,)
        Pairs, row by row.
    neighbours : int
        That a distance reaches to.
    unit : str
        ``nat`` or ``bit``.
    subsamples : int
        For the error.
    seed : int
        Without ``rng``.
    rng : Generator, optional
        Source of randomness.

    Returns
    -------
    Information
        Without a p-value.

    Raises
    ------
    ValueError
        A sample or a setting cannot be used.
    """
    scale_of(unit)
    rng = seeded(seed, rng)
    columns = list(columns_of({"x": x, "y": y}).values())
    n = len(columns[0])
    if not 1 <= neighbours < PART * n:
        raise ValueError(f"neighbours is {neighbours}; expected 1 to less than {PART * n:g}")
    if subsamples < 2:
        raise ValueError(f"subsamples is {subsamples}; expected at least 2")

    def information(rows: np.ndarray) -> float:
        first, second = (column[rows] for column in columns)
        found = mutual_info_regression(
            first[:, None],
            second,
            discrete_features=False,
            n_neighbors=neighbours,
            random_state=int(rng.integers(2**31)),
        )
        return float(found[0])

    value = information(np.arange(n))
    size = int(PART * n)
    parts = [information(rng.permutation(n)[:size]) for _ in range(subsamples)]
    error = float(np.std(parts, ddof=1) * np.sqrt(size / (n - size)))
    return make_information(value, error, value, float("nan"), unit, n, neighbours=neighbours)
