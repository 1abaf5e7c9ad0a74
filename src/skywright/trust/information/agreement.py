"""Whether distances to neighbours see information that the fitted mixtures do not."""

from __future__ import annotations

import numpy as np
from scipy.spatial import KDTree
from scipy.special import digamma

__all__ = ["neighbour_rows", "unseen_information"]

NEIGHBOURS = 5
CLEAR = 4.0  # standard errors of rows; those of neighbours share distances and scatter more


def neighbour_rows(scores: np.ndarray, neighbours: int = NEIGHBOURS) -> np.ndarray:
    """Return what each row adds to Kraskov's first estimate (2004, PRE 69, 066138, eq. 8).

    Parameters
    ----------
    scores : (n, 2)
        Without repeated values.
    neighbours : int
        That a distance reaches to.

    Returns
    -------
    (n,) nats
        Their mean is the estimate.
    """
    n = len(scores)
    reach = KDTree(scores).query(scores, neighbours + 1, p=np.inf)[0][:, -1]
    found = np.full(n, digamma(neighbours) + digamma(n))
    for column in scores.T:
        ordered = np.sort(column)
        inside = np.searchsorted(ordered, column + reach) - np.searchsorted(
            ordered, column - reach, side="right"
        )
        found -= digamma(np.maximum(inside, 1))  # strictly inside, with the row itself
    return found


def unseen_information(scores: np.ndarray, held_out: np.ndarray, value: float) -> float:
    """Return by how much neighbours see more than mixtures, in nats; 0 where that is not clear.

    Sharp edges and fine structure are missed by both, by mixtures more, and neither invents
    them. So only an excess counts.

    Parameters
    ----------
    scores : (n, 2)
        Normal scores. With repeated values there are no distances to judge by: 0.
    held_out : (n,)
        Log density ratio of the mixtures at rows that were held out.
    value : float
        Of the estimate.
    """
    if any(len(np.unique(column)) < len(column) for column in scores.T):
        return 0.0
    rows = neighbour_rows(scores)
    excess = float(rows.mean()) - value
    error = float((rows - held_out).std() / np.sqrt(len(rows)))
    return excess if excess > CLEAR * error else 0.0
