"""Estimates of information that is known, again and again."""

from __future__ import annotations

import itertools

import numpy as np
from astropy.table import QTable

from skywright.trust.information.known import KNOWN, draw_known, known_information
from skywright.trust.information.neighbours import neighbour_information
from skywright.trust.information.pairs import mutual_information

__all__ = ["estimate_known", "plan_estimates"]


def plan_estimates(trials: int, rows: list[int], distributions: list[str] | None = None) -> QTable:
    """Return one row for each sample to be drawn.

    Parameters
    ----------
    trials : int
        Samples of each size.
    rows : list of int
        Sizes of the samples.
    distributions : list of str, optional
        Names; by default all whose information is known.

    Returns
    -------
    QTable
        ``distribution``, ``n``, ``trial`` and ``true`` [nat].
    """
    names = list(distributions or KNOWN)
    true = {name: known_information(name) for name in names}
    every = [
        {"distribution": name, "n": n, "trial": trial, "true": true[name]}
        for name, n, trial in itertools.product(names, rows, range(trials))
    ]
    return QTable(every)


def estimate_known(
    plan: QTable,
    *,
    transform: str = "auto",
    bootstraps: int = 50,
    permutations: int = 99,
    rng: np.random.Generator,
) -> QTable:
    """Draw and estimate each sample of a plan.

    Parameters
    ----------
    plan : QTable
        From `plan_estimates`.
    transform, bootstraps, permutations
        See `mutual_information`.
    rng : Generator
        Source of randomness.

    Returns
    -------
    QTable
        The plan with ``value``, ``error``, ``p_value`` and ``neighbours`` (Kraskov's estimate).
    """
    table = plan.copy()
    found = []
    for row in plan:
        x, y = draw_known(str(row["distribution"]), int(row["n"]), rng).T
        one = mutual_information(
            x, y, transform=transform, bootstraps=bootstraps, permutations=permutations, rng=rng
        )
        other = neighbour_information(x, y, subsamples=2, rng=rng).value
        found.append((one.value, one.error, one.p_value, other))
    names = ("value", "error", "p_value", "neighbours")
    for name, column in zip(names, np.array(found).reshape(-1, 4).T, strict=True):
        table[name] = column
    return table
