"""One table of what was drawn apart: for a judge that looks at all rows of a data set."""

from __future__ import annotations

import numpy as np
from astropy.table import QTable, vstack

__all__ = ["join_samples", "take_highest"]

LEARNED = ("train", "validation")


def join_samples(learned: QTable, tested: QTable, *, test: str = "test") -> QTable:
    """Join the rows that models learn from with those that they are tested on.

    Parameters
    ----------
    learned : QTable
        With ``object_id`` and ``role``, ``train`` or ``validation``. Its rows come first, so that
        they keep the numbers by which a fit has recorded them.
    tested : QTable
        The same columns.
    test : str
        The role in ``tested`` that is judged; it becomes ``test``. Others stay as they are.

    Returns
    -------
    QTable

    Raises
    ------
    ValueError
        When an identifier is in both tables, no row is to be judged, or a role is on the wrong
        side.
    """
    both = np.intersect1d(learned["object_id"], tested["object_id"])
    if len(both):
        raise ValueError(
            f"{len(both)} identifiers are in both tables, as {both[0]}: number the tested rows on"
        )
    first, second = (np.asarray(table["role"]).astype(str) for table in (learned, tested))
    wrong = set(first) - set(LEARNED) | set(second) & {*LEARNED}
    if wrong or not (second == test).any():
        raise ValueError(
            f"roles {sorted(set(first))} are learned and {sorted(set(second))} tested; expected "
            f"{' and '.join(LEARNED)} in the one, and {test} in the other"
        )
    joined = vstack([learned, tested], join_type="exact", metadata_conflicts="silent")
    joined["role"] = np.concatenate([first, np.where(second == test, "test", second)])
    return joined


def take_highest(table: QTable, column: str) -> QTable:
    """Return the rows of the highest value of a column: one point of a sweep.

    Examples
    --------
    >>> table = QTable({"noise": [0.1, 0.2, 0.2], "x": [1, 2, 3]})
    >>> take_highest(table, "noise")["x"].tolist()
    [2, 3]
    """
    if column not in table.colnames:
        raise ValueError(f"no column {column!r}; the table has {', '.join(table.colnames)}")
    values = table[column]
    return table[values == values.max()]
