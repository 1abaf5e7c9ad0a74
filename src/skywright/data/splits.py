"""Splits by object and by region of the sky, with a margin: nothing is on both sides."""

from __future__ import annotations

import hashlib
from itertools import combinations
from typing import Any

import numpy as np
from astropy.table import QTable, Table

from skywright.data.footprints import nearest_overlap

__all__ = ["assert_disjoint", "cross_fit", "digest_rows", "split_groups"]

SIDES = ("train", "validation", "test")


def cross_fit(
    groups: Any, galaxies: Table, regions: Any, *, fold: int, folds: int, size: int
) -> QTable:
    """Give every row its role in one fold of a cross-fit.

    Region r of R is tested in fold ``r * folds // R``. One other region, the one that loses least
    to the margin, validates; the rest trains. A galaxy whose cutout shares a pixel with a tested
    one, or a training galaxy whose cutout shares one with a validating one, is ``margin`` and is
    used nowhere. Over all folds every galaxy is tested once.

    Parameters
    ----------
    groups : (n,) int
        ``object_id`` of the galaxy that each row is made from.
    galaxies : Table
        Columns ``object_id, tile, x, y``.
    regions : (galaxy,) int
        Region of each row of ``galaxies``, from `skywright.data.sky_regions`.
    fold : int
        Which fold, from 0.
    folds : int
        How many folds, at least 2.
    size : int [pixel]
        Side of the cutouts.

    Returns
    -------
    QTable
        Column ``role``: ``train``, ``validation``, ``test`` or ``margin``.

    Raises
    ------
    ValueError
        The regions are too few for the folds, a group is no galaxy, or the margin leaves a side
        empty.
    """
    region = np.asarray(regions)
    count = int(region.max()) + 1 if region.size else 0
    if len(region) != len(galaxies):
        raise ValueError(f"{len(region)} regions for {len(galaxies)} galaxies: give one a galaxy")
    if not 0 <= fold < folds or folds < 2:
        raise ValueError(f"fold {fold} of {folds}: expected at least 2 folds, counted from 0")
    if count < max(folds, 3):
        raise ValueError(f"{count} regions for {folds} folds: expected at least {max(folds, 3)}")
    tested = region * folds // count == fold
    every = np.arange(len(galaxies))

    def touches(some: np.ndarray) -> np.ndarray:
        return nearest_overlap(galaxies, every, every[some], size) >= 0

    lost = touches(tested)
    validating = region == _validation(region, tested, lost, count)
    role = np.where(tested, "test", np.where(validating, "validation", "train")).astype("<U10")
    role[~tested & lost] = "margin"
    role[(role == "train") & touches(role == "validation")] = "margin"
    rows = _rows(groups, galaxies)
    result = role[rows]
    empty = [side for side in SIDES if not (result == side).any()]
    if empty:
        raise ValueError(
            f"fold {fold} has nothing for {' and '.join(empty)}: cutouts of {size} pixels leave "
            "no room for a margin; use a larger field, fewer regions or smaller cutouts"
        )
    assert_disjoint(groups, galaxies, result, size=size)
    return QTable({"role": result})


def split_groups(groups: Any, rng: np.random.Generator, *, validation: float = 0.1) -> QTable:
    """Let a random share of the groups validate and the others train, where no sky ties them.

    Parameters
    ----------
    groups : (n,)
        Group of each row; it keeps its rows together.
    rng : Generator
        Source of randomness.
    validation : float
        Share of the groups, between 0 and 1.

    Returns
    -------
    QTable
        Column ``role``: ``train`` or ``validation``.

    Raises
    ------
    ValueError
        There are fewer than two groups, or the share is none.
    """
    names, index = np.unique(np.asarray(groups), return_inverse=True)
    if len(names) < 2 or not 0 < validation < 1:
        raise ValueError(
            f"{len(names)} groups and validation={validation}; expected at least 2 groups and a "
            "share between 0 and 1"
        )
    count = min(max(1, round(validation * len(names))), len(names) - 1)
    chosen = np.zeros(len(names), dtype=bool)
    chosen[rng.permutation(len(names))[:count]] = True
    return QTable({"role": np.where(chosen[index], "validation", "train")})


def assert_disjoint(groups: Any, galaxies: Table, roles: Any, *, size: int) -> None:
    """Raise a ValueError when a galaxy or a pixel is on two sides of a split.

    Parameters
    ----------
    groups : (n,) int
        ``object_id`` of the galaxy that each row is made from.
    galaxies : Table
        Columns ``object_id, tile, x, y``.
    roles : (n,) str
        ``train``, ``validation``, ``test`` or ``margin``.
    size : int [pixel]
        Side of the cutouts.
    """
    roles = np.asarray(roles).astype(str)
    unknown = set(np.unique(roles).tolist()) - {*SIDES, "margin"}
    if unknown:
        raise ValueError(f"role {sorted(unknown)[0]!r}; expected one of {(*SIDES, 'margin')}")
    rows = _rows(groups, galaxies)
    if len(rows) != len(roles):
        raise ValueError(f"{len(roles)} roles for {len(rows)} groups: give one a row")
    identity = np.asarray(galaxies["object_id"])
    members = {side: np.unique(rows[roles == side]) for side in SIDES}
    for one, other in combinations(SIDES, 2):
        mine, theirs = members[one], members[other]
        both = np.intersect1d(mine, theirs)
        if len(both):
            raise ValueError(f"galaxy {identity[both[0]]} is on both sides: {one} and {other}")
        found = nearest_overlap(galaxies, mine, theirs, size)
        leaks = np.flatnonzero(found >= 0)
        if len(leaks):
            first = leaks[0]
            raise ValueError(
                f"galaxies {identity[mine[first]]} ({one}) and "
                f"{identity[found[first]]} ({other}) share pixels: their cutouts of "
                f"{size} pixels overlap, as do {len(leaks) - 1} more"
            )


def _validation(region: np.ndarray, tested: np.ndarray, lost: np.ndarray, count: int) -> int:
    """Return the region that keeps most of its galaxies, from the far side of the field on."""
    first = (int(region[tested].max()) + count // 2) % count
    others = [
        r % count for r in range(first, first + count) if not tested[region == r % count].any()
    ]
    return min(others, key=lambda r: float(np.mean(lost[region == r])))


def _rows(groups: Any, galaxies: Table) -> np.ndarray:
    """Return the row of ``galaxies`` that each group names."""
    groups, identity = np.asarray(groups), np.asarray(galaxies["object_id"])
    order = np.argsort(identity, kind="stable")
    if len(np.unique(identity)) < len(identity):
        raise ValueError("object_id of the galaxies is not unique")
    place = np.clip(np.searchsorted(identity[order], groups), 0, len(identity) - 1)
    rows = order[place]
    wrong = np.flatnonzero(identity[rows] != groups)
    if len(wrong):
        raise ValueError(f"group {groups[wrong[0]]} of row {wrong[0]} is no galaxy's object_id")
    return np.asarray(rows)


def digest_rows(rows: np.ndarray) -> str:
    """Return a fingerprint of a set of row numbers: a fit records it, and its judge compares it."""
    return hashlib.sha256(np.sort(np.asarray(rows)).astype("<i8").tobytes()).hexdigest()
