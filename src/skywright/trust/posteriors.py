"""Whether samples of posteriors are those of the posterior."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.stats import chi2

from skywright.trust.resampling import share_of

__all__ = [
    "expected_coverage",
    "parameter_coverage",
    "rank_uniformity",
    "sbc_ranks",
    "tarp",
]


def sbc_ranks(truth: np.ndarray, samples: np.ndarray) -> np.ndarray:
    """Return the rank of each true parameter among the draws of its posterior.

    Parameters
    ----------
    truth : (n, parameter)
        Drawn from the prior, one row for each simulated data set.
    samples : (n, draw, parameter)
        Independent draws from the posterior of each data set; thin a chain first.

    Returns
    -------
    (n, parameter) int
        From 0 to the number of draws; uniform when the posteriors are right.

    References
    ----------
    Talts et al. 2018, arXiv:1804.06788, algorithm 1.

    Examples
    --------
    >>> sbc_ranks(np.array([[0.5]]), np.array([[[0.1], [0.2], [0.9]]]))
    array([[2]])
    """
    truth, samples = _check(truth, samples)
    return np.asarray((samples < truth[:, None]).sum(axis=1))


def rank_uniformity(ranks: np.ndarray, draws: int, bins: int = 20) -> dict[str, Any]:
    """Test whether ranks are uniform, each parameter by chi-squared over bins.

    Parameters
    ----------
    ranks : (n, parameter) int
        From `sbc_ranks`.
    draws : int
        Posterior draws that were ranked against.
    bins : int
        Most bins; fewer when less than five ranks would fall into one.

    Returns
    -------
    dict
        ``p`` of the worst parameter after Bonferroni, ``p_each`` (parameter,), ``counts``
        (parameter, bin), ``expected`` (bin,).
    """
    ranks = np.atleast_2d(ranks)
    bins = int(max(2, min(bins, draws + 1, len(ranks) // 5)))
    of_rank = np.arange(draws + 1) * bins // (draws + 1)
    # bins may hold different numbers of ranks, and then expect different counts
    expected = np.bincount(of_rank, minlength=bins) * len(ranks) / (draws + 1)
    counts = np.stack([np.bincount(of_rank[r], minlength=bins) for r in ranks.T])
    p = chi2.sf(((counts - expected) ** 2 / expected).sum(axis=1), bins - 1)
    worst = float(min(1.0, p.min() * len(p)))
    return {"p": worst, "p_each": p.tolist(), "counts": counts, "expected": expected}


def tarp(
    truth: np.ndarray,
    samples: np.ndarray,
    rng: np.random.Generator,
    references: np.ndarray | None = None,
) -> np.ndarray:
    """Return the share of posterior draws that are closer to a random point than the truth is.

    Parameters
    ----------
    truth : (n, parameter)
        True parameters.
    samples : (n, draw, parameter)
        Draws from the posterior of each data set.
    rng : Generator
        Draws the points.
    references : (n, parameter), optional
        The points; by default uniform over the range of the true parameters. Points that depend on
        the data make the test sufficient; uniform ones let a posterior pass that equals the prior.

    Returns
    -------
    (n,)
        Uniform between 0 and 1 when the posteriors are right; ties between a draw and the truth
        are spread at random.

    References
    ----------
    Lemos et al. 2023, arXiv:2302.03026, algorithm 2: each parameter in units of its true range.
    """
    truth, samples = _check(truth, samples)
    low, high = truth.min(axis=0), truth.max(axis=0)
    width = np.where(high > low, high - low, 1.0)
    if references is None:
        references = rng.uniform(low, high, truth.shape)
    to_draws = (((samples - references[:, None]) / width) ** 2).sum(axis=-1)
    to_truth = (((truth - references) / width) ** 2).sum(axis=-1)
    closer = (to_draws < to_truth[:, None]).sum(axis=1)
    return np.asarray((closer + rng.random(len(truth))) / (samples.shape[1] + 1))


def expected_coverage(
    values: np.ndarray,
    levels: Sequence[float] = (0.5, 0.68, 0.9, 0.95),
    *,
    groups: np.ndarray | None = None,
    rng: np.random.Generator | None = None,
) -> list[dict[str, Any]]:
    """Return the share of TARP values up to each level, with 95 % intervals as of `share_of`.

    Parameters
    ----------
    values : (n,)
        From `tarp`.
    levels : sequence of float
        Credibilities; calibrated posteriors cover each as often as it says.
    groups : (n,), optional
        Parent simulation behind each data set, where some share one.
    rng : Generator, optional
        Resamples the groups.
    """
    return [
        {"level": level, **share_of(np.asarray(values) <= level, groups, rng)} for level in levels
    ]


def parameter_coverage(
    truth: np.ndarray,
    samples: np.ndarray,
    levels: Sequence[float] = (0.5, 0.68, 0.9, 0.95),
    *,
    groups: np.ndarray | None = None,
    rng: np.random.Generator | None = None,
) -> list[dict[str, Any]]:
    """Return how often the central interval of each parameter holds the truth.

    Parameters
    ----------
    truth : (n, parameter)
        True parameters.
    samples : (n, draw, parameter)
        Draws from the posterior of each data set.
    levels : sequence of float
        Nominal coverages.
    groups, rng
        As for `expected_coverage`.

    Returns
    -------
    list of dict
        ``parameter, level, value, low, high, n`` with 95 % intervals as of `share_of`.
    """
    truth, samples = _check(truth, samples)
    rows = []
    for level in levels:
        ends = np.quantile(samples, [(1 - level) / 2, (1 + level) / 2], axis=1)
        inside = (truth >= ends[0]) & (truth <= ends[1])
        rows += [
            {"parameter": i, "level": level, **share_of(held, groups, rng)}
            for i, held in enumerate(inside.T)
        ]
    return rows


def _check(truth: np.ndarray, samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    truth, samples = np.asarray(truth, dtype=float), np.asarray(samples, dtype=float)
    if truth.ndim != 2 or samples.ndim != 3 or samples.shape[::2] != truth.shape:
        raise ValueError(
            f"truth has shape {truth.shape}, samples {samples.shape}; expected (n, parameter) and "
            "(n, draw, parameter)"
        )
    if not (np.isfinite(truth).all() and np.isfinite(samples).all()):
        raise ValueError("truth or samples are not finite: leave failed posteriors out, and say so")
    return truth, samples
