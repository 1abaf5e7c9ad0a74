"""What an inspection budget buys: recall, purity, and the number of lenses at the top.

A painted sample holds far more lenses than the sky. Importance weights bring it to the survey's
prevalence; a budget is then the weighted share of objects that people can look at. Rows that tie
at the edge of the budget share what is left of it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from skywright.trust.ranking import above, tie_groups

__all__ = [
    "expected_against_true",
    "purity_at_budget",
    "recall_at_budget",
    "selected",
    "share",
    "survey_weights",
]


def survey_weights(
    labels: np.ndarray, prevalence: float, counts: np.ndarray | None = None
) -> np.ndarray:
    """Return weights that sum to one and hold ``prevalence`` of positives.

    Parameters
    ----------
    labels : (n,)
        1 for positives, 0 for negatives.
    prevalence : float
        Positives per object of the survey.
    counts : (…, n), optional
        How often each row was drawn; each resample is brought to the prevalence by itself.

    Returns
    -------
    (…, n)

    Examples
    --------
    >>> survey_weights(np.array([1, 0, 0, 0]), 0.01)
    array([0.01, 0.33, 0.33, 0.33])
    """
    if not 0 < prevalence < 1:
        raise ValueError(f"prevalence is {prevalence}; expected a share between 0 and 1")
    positive = np.asarray(labels).astype(bool)
    counts = np.ones(len(positive)) if counts is None else counts
    weights = np.zeros(counts.shape)
    for rows, total in ((positive, prevalence), (~positive, 1 - prevalence)):
        drawn = counts[..., rows].sum(axis=-1, keepdims=True, dtype=float)
        np.divide(total, drawn, out=drawn, where=drawn > 0)
        weights[..., rows] = counts[..., rows] * drawn
    return weights


def selected(scores: np.ndarray, weights: np.ndarray, budget: float) -> np.ndarray:
    """Return which part of each row falls within the budget: 1, 0, or a shared fraction.

    Parameters
    ----------
    scores : (n,)
        Higher is inspected first.
    weights : (…, n)
        Weights of the rows; the budget is a share of their sum.
    budget : float
        Share that can be inspected.

    Returns
    -------
    (…, n)

    Examples
    --------
    >>> selected(np.array([3.0, 2.0, 2.0, 1.0]), np.ones(4), 0.5)
    array([1. , 0.5, 0.5, 0. ])
    """
    if not 0 < budget <= 1:
        raise ValueError(f"budget is {budget}; expected a share between 0 and 1")
    rank, _ = tie_groups(scores)
    inside = above(scores, weights)
    limit = budget * inside[..., -1:]
    edge = np.minimum((inside < limit).sum(axis=-1, keepdims=True), inside.shape[-1] - 1)
    before = np.concatenate([np.zeros_like(inside[..., :1]), inside[..., :-1]], axis=-1)
    lower = np.take_along_axis(before, edge, axis=-1)
    width = np.take_along_axis(inside, edge, axis=-1) - lower
    part = np.divide(limit - lower, width, out=np.zeros_like(width), where=width > 0)
    return np.where(rank < edge, 1.0, np.where(rank == edge, np.clip(part, 0.0, 1.0), 0.0))


def share(inside: np.ndarray, weights: np.ndarray, of: np.ndarray) -> np.ndarray:
    """Return the weighted share of each subset that is selected.

    Parameters
    ----------
    inside : (…, n)
        From `selected`.
    weights : (…, n)
        Weights of the rows.
    of : (subset, n) bool
        Rows of each subset.

    Returns
    -------
    (…, subset)
        NaN where a subset has no weight.
    """
    masks = np.asarray(of, dtype=float).T
    total = weights @ masks
    found = (inside * weights) @ masks
    part = np.full(total.shape, np.nan)
    np.divide(found, total, out=part, where=total > 0)
    return part


def recall_at_budget(
    scores: np.ndarray,
    labels: np.ndarray,
    prevalence: float,
    budget: float,
    counts: np.ndarray | None = None,
) -> np.ndarray:
    """Return the share of all positives that the budget finds.

    Parameters
    ----------
    scores, labels : (n,)
        Scores, and 1 for positives.
    prevalence : float
        Positives per object of the survey.
    budget : float
        Share of the objects that can be inspected.
    counts : (…, n), optional
        How often each row was drawn.
    """
    weights = survey_weights(labels, prevalence, counts)
    inside = selected(scores, weights, budget)
    return share(inside, weights, np.asarray(labels).astype(bool)[None])[..., 0]


def purity_at_budget(
    scores: np.ndarray,
    labels: np.ndarray,
    prevalence: float,
    budget: float,
    counts: np.ndarray | None = None,
) -> np.ndarray:
    """Return the share of positives among what is inspected; arguments as `recall_at_budget`."""
    return recall_at_budget(scores, labels, prevalence, budget, counts) * prevalence / budget


def expected_against_true(
    probability: np.ndarray,
    label: np.ndarray,
    weights: np.ndarray,
    fractions: Sequence[float] = (0.005, 0.01, 0.02, 0.05),
) -> tuple[np.ndarray, np.ndarray]:
    """Compare the promised with the true weight of positives among the highest probabilities.

    At low prevalence this is what calibration has to deliver: how many lenses the top of the list
    will hold.

    Parameters
    ----------
    probability : (n,)
        Probability at the survey's prevalence.
    label : (n,)
        1 for positives.
    weights : (…, n)
        Weights of the rows, as from `survey_weights`.
    fractions : sequence of float
        Shares of the list, from the top.

    Returns
    -------
    expected, true : (…, fraction)
        As shares of the total weight.
    """
    expected, true = [], []
    for fraction in fractions:
        inside = selected(probability, weights, fraction) * weights
        expected.append(inside @ probability)
        true.append(inside @ np.asarray(label, dtype=float))
    total = weights.sum(axis=-1)[..., None]
    return np.stack(expected, axis=-1) / total, np.stack(true, axis=-1) / total
