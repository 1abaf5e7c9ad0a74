"""A few rows of many, each of another object: for judges that take seconds a row."""

from __future__ import annotations

import numpy as np

__all__ = ["draw_groups"]


def draw_groups(
    rows: np.ndarray, groups: np.ndarray, n: int, rng: np.random.Generator
) -> np.ndarray:
    """Draw rows of different groups.

    Parameters
    ----------
    rows : (m,) int
        Rows to choose from.
    groups : (total,)
        Independent unit behind every row of the data.
    n : int
        How many rows; fewer where there are fewer groups.
    rng : Generator
        Source of randomness.

    Returns
    -------
    (n,) int
        In random order.

    Examples
    --------
    >>> rows, groups = np.array([0, 1, 2, 3]), np.array([7, 7, 7, 9])
    >>> sorted(groups[draw_groups(rows, groups, 5, np.random.default_rng(0))].tolist())
    [7, 9]
    """
    order = rng.permutation(rows)
    first = np.unique(np.asarray(groups)[order], return_index=True)[1]
    return np.asarray(order[np.sort(first)[:n]])
