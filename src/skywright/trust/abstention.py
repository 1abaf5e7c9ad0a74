"""What a model gains when it may stay silent, and whether it knows what it never saw."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from skywright.trust.ranking import auroc
from skywright.trust.resampling import bootstrap_groups, estimate

__all__ = ["judge_abstention", "judge_outliers", "risk_at_coverage"]


def risk_at_coverage(
    confidence: np.ndarray, loss: np.ndarray, weights: np.ndarray, coverage: Sequence[float]
) -> np.ndarray:
    """Return the mean loss of the most confident part of the rows.

    Rows of equal confidence share what is left of the coverage, so that a constant confidence
    gives the mean loss everywhere.

    Parameters
    ----------
    confidence, loss : (n,)
        How sure the model is, and what each answer costs (1 for an error, or a squared error).
    weights : (…, n)
        Weights of the rows.
    coverage : (point,)
        Shares of the rows that are answered, above 0.

    Returns
    -------
    (…, point)

    References
    ----------
    El-Yaniv & Wiener 2010, JMLR 11, 1605 (risk-coverage curve).

    Examples
    --------
    >>> sure, wrong = np.array([3.0, 2.0, 1.0]), np.array([0, 0, 1])
    >>> risk_at_coverage(sure, wrong, np.ones(3), [0.5, 1.0]).round(2)
    array([0.  , 0.33])
    """
    rank = np.unique(-np.asarray(confidence), return_inverse=True)[1]
    rows = np.atleast_2d(np.asarray(weights, dtype=float))
    points = np.asarray(coverage, dtype=float)
    curves = []
    for row in rows:
        mass, cost = np.bincount(rank, row), np.bincount(rank, row * loss)
        sums = np.append(0, np.cumsum(mass)), np.append(0, np.cumsum(cost))
        wanted = points * sums[0][-1]
        curves.append(np.interp(wanted, *sums) / wanted)
    return np.reshape(curves, (*np.shape(weights)[:-1], len(points)))


def judge_abstention(
    confidence: np.ndarray,
    loss: np.ndarray,
    rng: np.random.Generator,
    *,
    coverage: Sequence[float] = (0.25, 0.5, 0.75, 0.9, 1.0),
    groups: np.ndarray | None = None,
    resamples: int = 1000,
) -> dict[str, Any]:
    """Judge the risk-coverage curve: the loss that is left when the least sure rows stay silent.

    Parameters
    ----------
    confidence, loss : (n,)
        As for `risk_at_coverage`.
    rng : Generator
        For the bootstrap.
    coverage : (point,)
        Shares of the rows that are answered.
    groups : (n,), optional
        Independent unit behind each row.
    resamples : int
        Bootstrap resamples.

    Returns
    -------
    dict
        ``curve``: list with ``coverage, value, low, high, n, n_groups``; ``aurc``: the mean risk
        over all coverages; ``gain``: how much lower that is than the risk of answering all. A gain
        whose interval reaches 0 says that confidence does not know where the errors are.
    """
    groups = np.arange(len(loss)) if groups is None else groups
    counts = bootstrap_groups(groups, resamples, rng)
    size: dict[str, Any] = {"n": len(loss), "n_groups": len(np.unique(groups))}
    grid = (np.arange(100) + 1) / 100
    at = risk_at_coverage(confidence, np.asarray(loss, dtype=float), counts, [*coverage, *grid])
    curve, area = at[:, : len(coverage)], at[:, len(coverage) :].mean(axis=1)
    return {
        "curve": [
            {"coverage": float(c), **estimate(curve[:, i], **size)} for i, c in enumerate(coverage)
        ],
        "aurc": estimate(area, **size),
        "gain": estimate(at[:, -1] - area, **size),
    }


def judge_outliers(
    inside: np.ndarray,
    outside: np.ndarray,
    rng: np.random.Generator,
    *,
    groups: np.ndarray | None = None,
    resamples: int = 1000,
) -> dict[str, Any]:
    """Judge how well a score of strangeness finds what the model never saw.

    Parameters
    ----------
    inside, outside : (n,), (m,)
        Score of known objects, and of a class held out of training or of broken images; higher is
        stranger.
    rng : Generator
        For the bootstrap.
    groups : (n + m,), optional
        Independent unit behind each row, those inside first.
    resamples : int
        Bootstrap resamples.

    Returns
    -------
    dict
        AUROC ``value, low, high`` (95 %); 0.5 is chance.
    """
    scores = np.concatenate([inside, outside])
    labels = np.repeat([0, 1], [len(inside), len(outside)])
    groups = np.arange(len(scores)) if groups is None else groups
    values = auroc(scores, labels, bootstrap_groups(groups, resamples, rng))
    return estimate(values, n=len(scores), n_groups=len(np.unique(groups)))
