"""Bring the scores of a sweep back to the rows they are about."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy.table import QTable

__all__ = ["bare", "column", "committee", "member_logits"]


def bare(values: Any) -> np.ndarray:
    """Return values as a plain array, in whatever unit they have; a masked number is NaN.

    Raises
    ------
    ValueError
        When values are masked that are no numbers, and so cannot be NaN.
    """
    values = getattr(values, "value", values)
    mask = np.asarray(getattr(values, "mask", False))
    if not mask.any():
        return np.asarray(values)
    plain = np.asarray(getattr(values, "unmasked", values))
    if plain.dtype.kind not in "biuf":
        raise ValueError(f"{int(mask.sum())} of {plain.size} values are masked, and a {plain.dtype}"
                         " cannot be missing: fill them, or leave their rows out")  # fmt: skip
    return np.where(mask, np.nan, plain)


def column(table: QTable, name: str) -> np.ndarray:
    """Return a column as a plain array, in whatever unit it has; a masked number is NaN.

    Raises
    ------
    ValueError
        When the table has no such column, or text in it is masked.
    """
    if name not in table.colnames:
        raise ValueError(f"no column {name!r}; the table has {', '.join(table.colnames)}")
    return bare(table[name])


def committee(scores: QTable, object_id: np.ndarray) -> np.ndarray:
    """Return the mean logit of the members that never saw each object.

    Parameters
    ----------
    scores : QTable
        ``object_id`` and ``mean`` (logit); ``fold`` and ``seed`` where there was a sweep.
    object_id : (n,)
        Objects in the wanted order.

    Returns
    -------
    (n,)

    Raises
    ------
    ValueError
        When an object has no score, a score is not finite, or an object was a test row of two
        folds (then some network was judged on what it had learned).
    """
    ids, logits = column(scores, "object_id"), column(scores, "mean").astype(float)
    if not np.isfinite(logits).all():
        raise ValueError(f"{int((~np.isfinite(logits)).sum())} scores are not finite")
    rows = _rows(ids, object_id)
    count = np.bincount(rows, minlength=len(object_id))
    if (count == 0).any():
        raise ValueError(
            f"{int((count == 0).sum())} of {len(object_id)} objects have no score, as "
            f"{object_id[count == 0][0]}; expected an out-of-fold score for each: run every fold"
        )
    if "fold" in scores.colnames:
        _judged_once(column(scores, "fold"), rows, object_id)
    return np.bincount(rows, logits, minlength=len(object_id)) / count


def member_logits(scores: QTable, object_id: np.ndarray) -> dict[int, np.ndarray]:
    """Return the logits of each seed by itself, pooled over folds; empty without seeds."""
    if "seed" not in scores.colnames:
        return {}
    seeds = column(scores, "seed")
    return {int(s): committee(scores[seeds == s], object_id) for s in np.unique(seeds)}


def _rows(ids: np.ndarray, object_id: np.ndarray) -> np.ndarray:
    """Return the position in ``object_id`` of each of ``ids``."""
    order = np.argsort(object_id)
    where = np.searchsorted(object_id, ids, sorter=order)
    rows = order[np.minimum(where, len(order) - 1)]
    unknown = object_id[rows] != ids
    if unknown.any():
        raise ValueError(
            f"{int(unknown.sum())} scores are about objects that are not in the truth, as "
            f"{ids[unknown][0]}; expected scores of the sample that is judged"
        )
    return rows


def _judged_once(fold: np.ndarray, rows: np.ndarray, object_id: np.ndarray) -> None:
    pairs = np.unique(np.stack([rows, fold.astype(np.int64)], axis=1), axis=0)
    twice = np.flatnonzero(np.bincount(pairs[:, 0], minlength=len(object_id)) > 1)
    if len(twice):
        raise ValueError(
            f"{len(twice)} objects were test rows of more than one fold, as "
            f"{object_id[twice[0]]}; expected each object on one side of each split"
        )
