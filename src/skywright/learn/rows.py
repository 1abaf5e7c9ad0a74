"""Which rows a fit may use: checks of labels and roles, and shares of the galaxies."""

from __future__ import annotations

import numpy as np

__all__ = ["check_rows", "check_values", "take_share"]


def check_rows(count: int, labels: np.ndarray, roles: np.ndarray) -> dict[str, np.ndarray]:
    """Return the row numbers of each role after checking that a classifier can be fitted.

    Parameters
    ----------
    count : int
        Number of rows of the data.
    labels : (n,)
        0 or 1.
    roles : (n,) str
        ``train``, ``validation``; other roles (``test``, ``margin``) are left alone.

    Raises
    ------
    ValueError
        When lengths differ, labels are not 0 and 1, or a role lacks rows or a class.
    """
    labels, roles = np.asarray(labels), np.asarray(roles).astype(str)
    for name, value in (("labels", labels), ("roles", roles)):
        if len(value) != count:
            raise ValueError(f"{len(value)} {name} for {count} rows of data: give one for each row")
    if not np.isin(labels, (0, 1)).all():
        raise ValueError(f"labels hold {np.unique(labels)[:5]}; expected 0 and 1 alone")
    rows = _rows_of(roles)
    for role, chosen in rows.items():
        if len(np.unique(labels[chosen])) < 2:
            raise ValueError(
                f"labels of one class only ({labels[chosen][0]}) among the {len(chosen)} {role} "
                "rows: a classifier needs both classes"
            )
    return rows


def check_values(count: int, values: np.ndarray, roles: np.ndarray) -> dict[str, np.ndarray]:
    """Return the row numbers of each role after checking that a regression can be fitted.

    Parameters
    ----------
    count : int
        Number of rows of the data.
    values : (n,)
        What is to be predicted, finite where it is used.
    roles : (n,) str
        As for `check_rows`.

    Raises
    ------
    ValueError
        When lengths differ, a role lacks rows, a value is not finite, or all are the same.
    """
    values, roles = np.asarray(values), np.asarray(roles).astype(str)
    for name, value in (("values", values), ("roles", roles)):
        if value.shape != (count,):
            raise ValueError(
                f"{name} of shape {value.shape} for {count} rows of data: give one for each row"
            )
    rows = _rows_of(roles)
    used = np.concatenate(list(rows.values()))
    bad = used[~np.isfinite(values[used])]
    if len(bad):
        raise ValueError(
            f"{len(bad)} values are NaN or infinite (first: row {bad[0]}); expected finite "
            "numbers: give these rows another role"
        )
    if np.ptp(values[rows["train"]]) == 0:
        raise ValueError(f"all training values are {values[rows['train'][0]]}: nothing to learn")
    return rows


def _rows_of(roles: np.ndarray) -> dict[str, np.ndarray]:
    """Return the rows that train and those that validate."""
    rows = {role: np.flatnonzero(roles == role) for role in ("train", "validation")}
    for role, chosen in rows.items():
        if len(chosen) == 0:
            raise ValueError(
                f"no row has the role {role!r}; got {sorted(set(roles.tolist()))}: both 'train' "
                "and 'validation' are needed (see data.cross_fit)"
            )
    return rows


def take_share(
    rows: np.ndarray, groups: np.ndarray | None, fraction: float, seed: int
) -> np.ndarray:
    """Keep the rows of a random share of the groups, so that a galaxy is kept or left whole.

    The groups of a smaller share are among those of a larger one with the same seed.

    Parameters
    ----------
    rows : (m,) int
        Row numbers to choose from.
    groups : (n,) or None
        Group (galaxy) of every row; None makes each row a group.
    fraction : float
        Share of the groups, above 0 and at most 1.
    seed : int
        Decides which groups are kept.
    """
    if not 0 < fraction <= 1:
        raise ValueError(f"fraction is {fraction}; expected a share above 0 and at most 1")
    if fraction == 1:
        return rows
    group = rows if groups is None else np.asarray(groups)[rows]
    names = np.unique(group)
    order = np.random.default_rng([seed, 20]).permutation(len(names))
    kept = names[order[: max(1, round(fraction * len(names)))]]
    return np.asarray(rows[np.isin(group, kept)])
