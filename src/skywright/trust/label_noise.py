"""How many labels are wrong, judged by a model that never saw them."""

from __future__ import annotations

from typing import Any

import numpy as np

from skywright.trust.probability_scores import check_probability
from skywright.trust.resampling import bootstrap_groups, estimate

__all__ = ["estimate_label_noise"]


def estimate_label_noise(
    probability: np.ndarray,
    labels: np.ndarray,
    rng: np.random.Generator,
    *,
    groups: np.ndarray | None = None,
    resamples: int = 1000,
) -> dict[str, Any]:
    """Estimate the share of wrong labels by confident learning (rule D2).

    A row counts for class j when its probability of j reaches the mean probability that rows
    labelled j have of j; if several do, for the likeliest. Rows counted for another class than
    their label are wrong; counts are brought to the number of labels of each class.

    Parameters
    ----------
    probability : (n,) or (n, class)
        Out of fold: of a model that was not trained on the row.
    labels : (n,) int
        Labels as given, from 0.
    rng : Generator
        For the bootstrap.
    groups : (n,), optional
        Independent unit behind each row.
    resamples : int
        Bootstrap resamples.

    Returns
    -------
    dict
        Share of wrong labels ``value, low, high`` (95 %); ``joint`` (label, true class), shares;
        ``suspects`` (row,) int, the rows counted for another class, the surest first. Where
        classes overlap it is an upper limit: a rare look is taken for a wrong label.

    References
    ----------
    Northcutt, Jiang & Chuang 2021, arXiv:1911.00068, eqs. 1 to 3.
    """
    p = check_probability(probability, labels)
    y = np.asarray(labels).astype(int)
    classes = p.shape[1]
    missing = sorted(set(range(classes)) - set(y.tolist()))
    if missing:
        raise ValueError(f"no row is labelled {missing}; expected each class of probability")
    threshold = np.array([p[y == c, c].mean() for c in range(classes)])
    # the mean of equal numbers may exceed them by rounding
    reached = np.where(p >= threshold - 1e-9, p, -1.0)
    counted, sure = reached.argmax(axis=1), reached.max(axis=1) > 0
    cell = np.zeros((len(y), classes, classes))
    cell[np.arange(len(y)), y, counted] = sure
    groups = np.arange(len(y)) if groups is None else groups
    counts = bootstrap_groups(groups, resamples, rng).astype(float)
    confident = (counts @ cell.reshape(len(y), -1)).reshape(-1, classes, classes)
    rows = confident.sum(axis=2, keepdims=True)
    share = np.divide(confident, rows, out=np.zeros_like(confident), where=rows > 0)
    joint = share * (counts @ np.eye(classes)[y])[:, :, None]
    joint /= joint.sum(axis=(1, 2), keepdims=True)
    wrong = 1 - np.trace(joint, axis1=1, axis2=2)
    suspects = np.flatnonzero(sure & (counted != y))
    margin = p[suspects, counted[suspects]] - p[suspects, y[suspects]]
    return {
        **estimate(wrong, n=len(y), n_groups=len(np.unique(groups))),
        "joint": joint[0],
        "suspects": suspects[np.argsort(-margin)],
    }
