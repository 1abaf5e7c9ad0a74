"""From the arguments of the judge to the plain arrays that rules ask for by name."""

from __future__ import annotations

import re
from typing import Any

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable

from skywright.data import Images
from skywright.data.image_summary import image_summary
from skywright.trust.committee import bare, column, committee, member_logits
from skywright.trust.pixel_features import pixel_features

__all__ = [
    "check_point",
    "fold_names",
    "like_items",
    "of_other_data",
    "read_domain",
    "read_items",
    "read_positions",
    "read_roles",
    "read_scores",
    "read_truth",
    "sides",
    "splits_of",
]

LEARNED = ("train", "validation")
CALIBRATION = "calibration"


def read_roles(roles: Any, n: int) -> np.ndarray:
    """Return the role of every row in every fold.

    Parameters
    ----------
    roles : (n,) str or QTable
        Of one split; or what a sweep over ``fold`` collects, with columns ``fold`` and ``role``.
    n : int
        Rows of the data.

    Returns
    -------
    (fold, n) str

    Raises
    ------
    ValueError
        When a fold does not have one role a row, or no row is tested.
    """
    if isinstance(roles, QTable):
        found = column(roles, "role").astype(str)
        fold = column(roles, "fold") if "fold" in roles.colnames else np.zeros(len(found), int)
        parts = [found[fold == one] for one in np.unique(fold)]
    else:
        parts = [np.asarray(roles).astype(str)]
    lengths = {len(part) for part in parts}
    if lengths != {n}:
        raise ValueError(f"folds of {sorted(lengths)} roles for {n} rows: give one role a row")
    stacked = np.stack(parts)
    if not (stacked == "test").any():
        raise ValueError(f"no row is a test row; got the roles {sorted(set(stacked.ravel()))}")
    return stacked


def fold_names(roles: Any) -> list[str]:
    """Return the names of the folds of `read_roles`, as they stand in names of nodes."""
    if isinstance(roles, QTable) and "fold" in roles.colnames:
        return [str(one) for one in np.unique(column(roles, "fold"))]
    return [""]


def splits_of(node: str, splits: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the split that a fit was made for; all, when its name tells no fold."""
    found = re.search(r"\bfold=([^,\]]+)", node)
    own = [split for split in splits if found and split.get("fold") == found[1]]
    return own or splits


def of_other_data(node: str, splits: list[dict[str, Any]]) -> bool:
    """Tell whether a fit is of another point of the sweep than the data that are judged."""
    point = (splits[0].get("point") or {}) if splits else {}
    for name, value in point.items():
        found = re.search(rf"\b{re.escape(name)}=([^,\]]+)", node)
        if found and not _is_same(found[1], value):
            return True
    return False


def check_point(point: dict[str, Any] | None, **tables: Any) -> None:
    """Refuse a point of a sweep that is not the one whose rows are judged.

    Models of other points are not held against the split: with another point than the judged one
    those that matter would be let off.

    Raises
    ------
    ValueError
        When a table has the column of a swept parameter, with other values.
    """
    for name, value in (point or {}).items():
        for what, table in tables.items():
            if not isinstance(table, QTable) or name not in table.colnames:
                continue
            others = [v for v in np.unique(column(table, name)) if not _is_same(str(v), value)]
            if others:
                raise ValueError(
                    f"point says {name} = {value}, but {what} are also of {name} = {others[0]}: "
                    f"name what made other data, or judge the rows of one {name}"
                )


def _is_same(text: str, value: Any) -> bool:
    try:
        return float(text) == float(value)
    except ValueError:
        return text == str(value)


def sides(roles: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return, for each fold, the rows that were learned from and those that are judged."""
    return [
        (np.flatnonzero(np.isin(fold, LEARNED)), np.flatnonzero(fold == "test")) for fold in roles
    ]


def read_items(items: Images | QTable) -> tuple[np.ndarray, list[str]]:
    """Return one row of numbers for each item: columns of a table, or statistics of pixels.

    Returns
    -------
    (n, feature)
        Without units; NaN where a value is missing.
    names : list of str
    """
    if isinstance(items, Images):
        matrix = pixel_features(items)
        return matrix, [f"pixel statistic {i}" for i in range(matrix.shape[1])]
    names = [name for name in items.colnames if name != "object_id" and _is_number(items, name)]
    if not names:
        raise ValueError(
            f"items have no column of numbers beside object_id; got {', '.join(items.colnames)}"
        )
    columns = [column(items, name).astype(float).reshape(len(items), -1) for name in names]
    repeated = [n for n, c in zip(names, columns, strict=True) for _ in range(c.shape[1])]
    return np.concatenate(columns, axis=1), repeated


def _is_number(table: QTable, name: str) -> bool:
    return column(table, name).dtype.kind in "biuf"


def like_items(others: Images | QTable, items: Images | QTable) -> Images | QTable:
    """Return the columns of another table that the items have, in their order and units.

    Raises
    ------
    ValueError
        When it lacks one of them, or gives it in a unit that cannot be converted.
    """
    if isinstance(items, Images) or isinstance(others, Images):
        return others
    wanted = [name for name in items.colnames if _is_number(items, name)]
    missing = [name for name in wanted if name not in others.colnames]
    if missing:
        raise ValueError(
            f"a table to compare with the items has no {', '.join(missing[:6])}; it has "
            f"{', '.join(others.colnames)}"
        )
    chosen = others[wanted]
    for name in wanted:
        if items[name].unit is not None and chosen[name].unit is not None:
            chosen[name] = chosen[name].to(items[name].unit)
    return chosen


def read_truth(truth: Any, task: str, roles: np.ndarray) -> np.ndarray:
    """Return the truth as plain numbers: 0 or 1 of classes.

    Parameters
    ----------
    truth : (n,)
        Numbers or booleans, with or without unit; what is masked is missing.
    task : str
        As of `skywright.trust.judge`.
    roles : (fold, n) str
        Rows that are neither learned nor judged, nor calibrate, may have any truth.

    Raises
    ------
    ValueError
        When a row that is learned or judged has none, or a class is neither 0 nor 1.
    """
    values = bare(truth)
    if values.dtype.kind not in "biuf":
        raise ValueError(f"truth is {values.dtype}, as {values[0]!r}; expected numbers: 0 and 1")
    values = values.astype(int) if values.dtype.kind == "b" else values
    used = values[np.isin(roles, (*LEARNED, CALIBRATION, "test")).any(axis=0)]
    if not np.isfinite(used).all():
        lacking = int((~np.isfinite(used)).sum())
        raise ValueError(
            f"{lacking} learned or judged rows have no finite truth: give them another role"
        )
    if task == "classification" and not np.isin(used, (0, 1)).all():
        raise ValueError(f"classes are {np.unique(used)[:6].tolist()}; expected 0 and 1")
    return values


def read_domain(items: Images | QTable) -> tuple[np.ndarray, list[str]]:
    """Return the few numbers of each item in which the domain of validity is drawn."""
    return image_summary(items) if isinstance(items, Images) else read_items(items)


def read_positions(positions: Any) -> np.ndarray | None:
    """Return unit vectors (n, 3) of positions on the sky: a SkyCoord, or a table with ra, dec."""
    if positions is None:
        return None
    if not isinstance(positions, SkyCoord):
        ra, dec = (u.Quantity(positions[name], u.deg) for name in ("ra", "dec"))
        positions = SkyCoord(ra, dec)
    return np.asarray(positions.cartesian.xyz.value).T


def read_scores(
    scores: QTable | dict[str, Any], object_id: np.ndarray
) -> tuple[np.ndarray, np.ndarray | None, dict[int, np.ndarray]]:
    """Return prediction, standard deviation where there is one, and the prediction of each seed.

    A score that is not finite, as of an object that could not be measured, ranks last.

    Returns
    -------
    mean : (n,)
        Mean over members; NaN for rows without a score.
    spread : (n,) or None
        Aleatoric and epistemic parts in quadrature.
    members : dict
        Seed -> (n,).
    """
    scores = QTable(scores)
    values = column(scores, "mean").astype(float)
    finite = np.isfinite(values)
    scores["mean"] = np.where(finite, values, values[finite].min(initial=0.0) - 1.0)
    scored = np.isin(object_id, column(scores, "object_id"))
    mean = np.full(len(object_id), np.nan)
    mean[scored] = committee(scores, object_id[scored])
    members = {}
    for seed, values in member_logits(scores, object_id[scored]).items():
        members[seed] = np.full(len(object_id), np.nan)
        members[seed][scored] = values
    parts = [name for name in ("aleatoric", "epistemic") if name in scores.colnames]
    if not parts:
        return mean, None, members
    total = np.sqrt(sum(column(scores, name).astype(float) ** 2 for name in parts))
    table = QTable({"object_id": column(scores, "object_id"), "mean": total})
    spread = np.full(len(object_id), np.nan)
    spread[scored] = committee(table, object_id[scored])
    return mean, spread, members
