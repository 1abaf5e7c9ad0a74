"""Whether two samples depend on each other at all: a permutation test."""

from __future__ import annotations

import numpy as np

from skywright.trust.information.expectation import fit_mixtures
from skywright.trust.information.mixtures import Mixtures

__all__ = ["independence_p_value"]

COMPONENTS = (2, 3)
ITERATIONS = 30
FLOOR = 1e-3


def independence_p_value(scores: np.ndarray, permutations: int, rng: np.random.Generator) -> float:
    """Return the chance that independent samples look as dependent as these.

    The statistic is the largest of the likelihood gains over independence, less the penalty of
    BIC, of mixtures of 1, 2 and 3 Gaussians of the normal scores. It is the same function of the
    data whether these are permuted or not, which makes the test exact: fits of many components
    that were chosen for the data at hand would not be.

    Parameters
    ----------
    scores : (n, 2)
        Normal scores: their margins do not change when they are permuted.
    permutations : int
        0: no test.
    rng : Generator
        For permutations and starts.

    Returns
    -------
    float
        Not below 1 / (permutations + 1); NaN without permutations.
    """
    if permutations == 0:
        return float("nan")
    n = len(scores)
    order = np.argsort(rng.random((permutations, n)), axis=1)
    second = np.vstack([scores[:, 1], scores[order, 1]])
    points = np.stack([np.broadcast_to(scores[:, 0], second.shape), second], axis=-1)
    gain = _gains(points, rng)
    # as many rank at or above the data as chance puts there
    return float((gain[1:] >= gain[0] - 1e-9).sum() + 1) / (permutations + 1)


def _gains(points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the statistic of each (member, n, 2); all begin at the same centres."""
    members, n, _ = points.shape
    variance = points[0, :, 0].var() * points[0, :, 1].var()
    square = (points[..., 0] * points[..., 1]).mean(axis=1) ** 2 / variance
    best = -0.5 * n * np.log1p(-np.minimum(square, 1 - 1e-12)) - 0.5 * np.log(n)
    independent = -n * (np.log(2 * np.pi) + 1) - 0.5 * n * np.log(variance)
    for components in COMPONENTS:
        angle = 2 * np.pi * (np.arange(components) / components + rng.random())
        begin = _ring(angle, members)
        _, likelihood = fit_mixtures(
            points, np.ones((members, n)), begin, floor=FLOOR, left=0.5, most=ITERATIONS
        )
        penalty = 0.5 * (6 * components - 5) * np.log(n)
        best = np.maximum(best, likelihood - independent - penalty)
    return np.asarray(best)


def _ring(angle: np.ndarray, members: int) -> Mixtures:
    """Return mixtures of round Gaussians around the origin."""
    centres = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    shape = (members, len(angle))
    return Mixtures(
        np.full(shape, 1 / len(angle)),
        np.broadcast_to(centres, (*shape, 2)).copy(),
        np.broadcast_to(0.5 * np.eye(2), (*shape, 2, 2)).copy(),
    )
