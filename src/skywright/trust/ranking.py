"""How well a score ranks: AUROC, and the true-positive rate before the k-th false positive.

Weights may carry leading axes (one row a resample); results then carry them too. Rows with equal
scores are selected together, so a score full of ties cannot look better than it is.
"""

from __future__ import annotations

import numpy as np

__all__ = [
    "above",
    "auroc",
    "average_precision",
    "roc",
    "tie_groups",
    "tpr_at_false_positives",
]


def tie_groups(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the rank of each row's distinct score (0 = highest) and the descending order.

    Parameters
    ----------
    scores : (n,)
        Higher is more lens-like; NaN is refused.
    """
    if np.isnan(scores).any():
        raise ValueError(
            f"{int(np.isnan(scores).sum())} of {len(scores)} scores are NaN; expected a number "
            "for every row: give unscored rows the lowest score"
        )
    _, rank = np.unique(-np.asarray(scores), return_inverse=True)
    return rank, np.argsort(rank, kind="stable")


def above(scores: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the weight of the rows at or above each distinct score, from the highest down.

    Parameters
    ----------
    scores : (n,)
        One score a row.
    weights : (…, n)
        Weights of the rows.

    Returns
    -------
    (…, distinct score)

    Examples
    --------
    >>> above(np.array([0.1, 0.9, 0.9]), np.ones(3))
    array([2., 3.])
    """
    rank, order = tie_groups(scores)
    ends = np.cumsum(np.bincount(rank)) - 1
    return np.cumsum(np.asarray(weights, dtype=float)[..., order], axis=-1)[..., ends]


def auroc(scores: np.ndarray, labels: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """Return the chance that a positive outranks a negative; a tie counts one half.

    Parameters
    ----------
    scores : (n,)
        One score a row.
    labels : (n,)
        1 for positives, 0 for negatives.
    weights : (…, n), optional
        Weights of the rows.

    Returns
    -------
    (…)
        NaN where a class has no weight.

    Examples
    --------
    >>> float(auroc(np.array([0.9, 0.5, 0.5, 0.1]), np.array([1, 1, 0, 0])))
    0.875
    """
    true, false = _true_and_false(scores, labels, weights)
    before = np.concatenate([np.zeros_like(true[..., :1]), true[..., :-1]], axis=-1)
    steps = np.diff(false, axis=-1, prepend=0.0)
    area = (steps * (before + true)).sum(axis=-1) / 2
    return _ratio(area, true[..., -1] * false[..., -1])


def average_precision(
    scores: np.ndarray, labels: np.ndarray, weights: np.ndarray | None = None
) -> np.ndarray:
    """Return the mean precision over the positives, each at its own place in the ranking.

    The sum over thresholds of precision times the step of recall, without interpolation (Davis &
    Goadrich 2006, ICML, section 2: straight lines between points would be too good). It depends
    on the prevalence.

    Parameters
    ----------
    scores, labels, weights
        As for `auroc`.

    Returns
    -------
    (…)
        NaN where there is no positive.

    Examples
    --------
    >>> float(average_precision(np.array([0.9, 0.8, 0.1]), np.array([1, 0, 1]))) * 6
    5.0
    """
    true, false = _true_and_false(scores, labels, weights)
    precision = np.nan_to_num(_ratio(true, true + false))
    steps = np.diff(true, axis=-1, prepend=0.0)
    return _ratio((steps * precision).sum(axis=-1), true[..., -1])


def tpr_at_false_positives(
    scores: np.ndarray, labels: np.ndarray, k: int, weights: np.ndarray | None = None
) -> np.ndarray:
    """Return the largest true-positive rate that admits at most ``k`` false positives.

    TPR0 is ``k=0``, TPR10 (fewer than ten) is ``k=9`` (Metcalf et al. 2019, A&A 625, A119,
    section 4). Both depend on how many negatives were tried, so quote that number beside them.
    A negative that ties with the highest positive makes TPR0 zero.

    Parameters
    ----------
    scores, labels : (n,)
        As for `auroc`.
    k : int
        False positives that may be selected.
    weights : (…, n), optional
        How often each row was drawn (counts, not survey weights).

    Examples
    --------
    >>> scores, labels = np.array([0.9, 0.8, 0.8, 0.1]), np.array([1, 1, 0, 0])
    >>> float(tpr_at_false_positives(scores, labels, 0))
    0.5
    """
    true, false = _true_and_false(scores, labels, weights)
    best = np.where(false <= k, true, 0.0).max(axis=-1)
    return _ratio(best, true[..., -1])


def roc(
    scores: np.ndarray,
    labels: np.ndarray,
    false_positive_rate: np.ndarray,
    weights: np.ndarray | None = None,
) -> np.ndarray:
    """Return the true-positive rate at each false-positive rate, linear across ties.

    Parameters
    ----------
    scores, labels : (n,)
        As for `auroc`.
    false_positive_rate : (point,)
        Where to read the curve.
    weights : (…, n), optional
        Weights of the rows.

    Returns
    -------
    (…, point)
    """
    true, false = _true_and_false(scores, labels, weights)
    tpr = np.atleast_2d(_ratio(true, true[..., -1:]))
    fpr = np.atleast_2d(_ratio(false, false[..., -1:]))
    start = np.zeros(1)
    curves = [
        np.interp(false_positive_rate, np.append(start, x), np.append(start, y))
        for x, y in zip(fpr, tpr, strict=True)
    ]
    return np.reshape(curves, (*true.shape[:-1], len(false_positive_rate)))


def _true_and_false(
    scores: np.ndarray, labels: np.ndarray, weights: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    positive = np.asarray(labels).astype(bool)
    if weights is None:
        weights = np.ones(len(scores))
    return above(scores, weights * positive), above(scores, weights * ~positive)


def _ratio(value: np.ndarray, total: np.ndarray) -> np.ndarray:
    """Divide, with NaN where there is nothing to divide by."""
    value, total = np.broadcast_arrays(value, total)
    quotient = np.full(value.shape, np.nan)
    np.divide(value, total, out=quotient, where=total > 0)
    return quotient
