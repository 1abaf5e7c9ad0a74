"""Cutting a value into rows, joining blocks, and collecting the points of a sweep."""

from __future__ import annotations

import dataclasses
from typing import Any

import astropy.units as u
import numpy as np
from astropy.table import QTable, Table, vstack

from skywright.data import Images, Predictions

__all__ = ["collect", "cut", "join"]

BY_ROW = {
    Images: ("flux", "object_id", "ra", "dec", "variance", "mask", "noise_excess"),
    Predictions: ("object_id", "mean", "aleatoric", "epistemic", "samples", "in_domain"),
}


def cut(value: Any, rows: slice) -> Any:
    """Return some rows of a value."""
    if isinstance(value, dict):
        return {k: cut(v, rows) for k, v in value.items()}
    if isinstance(value, Predictions):
        whole = {n: getattr(value, n) for n in BY_ROW[Predictions]}
        parts: dict[str, Any] = {n: None if v is None else v[rows] for n, v in whole.items()}
        return dataclasses.replace(value, **parts)
    try:
        return value[rows]
    except TypeError:
        raise TypeError(
            f"a {type(value).__name__} cannot be cut into rows: .map takes a table, an array, "
            "Images or Predictions"
        ) from None


def join(blocks: list[Any]) -> Any:
    """Return the whole of which ``blocks`` are the rows.

    Examples
    --------
    >>> from skywright.flow.collect import join
    >>> join([np.array([1, 2]), np.array([3])]).tolist()
    [1, 2, 3]
    """
    first = blocks[0]
    if isinstance(first, Table):
        return vstack(blocks, metadata_conflicts="silent")
    if isinstance(first, np.ndarray) and first.ndim > 0:
        return np.concatenate(blocks)
    if isinstance(first, dict):
        return {key: join([b[key] for b in blocks]) for key in first}
    if isinstance(first, list):
        return [item for block in blocks for item in block]
    if isinstance(first, tuple):
        return tuple(join(list(parts)) for parts in zip(*blocks, strict=True))
    names = BY_ROW.get(type(first))
    if names is None:
        raise TypeError(f"blocks of {type(first).__name__} cannot be joined; return a table")
    parts = {n: [getattr(b, n) for b in blocks] for n in names}
    return dataclasses.replace(first, **{n: _stack(n, v) for n, v in parts.items()})


def _stack(name: str, parts: list[Any]) -> Any:
    absent = [part is None for part in parts]
    if all(absent):
        return None
    if any(absent):
        raise ValueError(f"some blocks have {name}, others have not")
    if name in ("flux", "variance", "mask"):
        return _Stack(parts)
    return np.concatenate(parts)


class _Stack:
    """Pixels of several blocks, read from their files only where they are sliced."""

    def __init__(self, parts: list[Any]) -> None:
        self._parts = parts
        self._ends = np.cumsum([len(part) for part in parts])
        self.shape = (int(self._ends[-1]), *parts[0].shape[1:])
        self.dtype = parts[0].dtype

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice) -> np.ndarray:
        start, stop, _ = rows.indices(len(self))
        found = [self._parts[0][:0]]
        for part, end in zip(self._parts, self._ends, strict=True):
            first = int(end) - len(part)
            found.append(part[max(start - first, 0) : max(stop - first, 0)])
        return np.concatenate(found)


def collect(points: list[dict[str, Any]], values: list[Any]) -> QTable:
    """Return one table of a swept node, the values of the sweep in its leading columns.

    Parameters
    ----------
    points : list of dict
        Swept parameter -> value, for each copy of the node.
    values : list
        Tables, artefacts with ``to_table``, dicts of columns, dicts of scalars, or scalars.

    Examples
    --------
    >>> from skywright.flow.collect import collect
    >>> print(collect([{"seed": 0}, {"seed": 1}], [0.5, 0.7]))
    seed value
    ---- -----
       0   0.5
       1   0.7
    """
    tables = []
    for point, value in zip(points, values, strict=True):
        table = _table(value)
        for position, (name, swept) in enumerate(point.items()):
            if name in table.colnames:
                raise ValueError(f"column {name!r} is also the name of a swept parameter")
            text = swept if isinstance(swept, (bool, int, float, u.Quantity)) else str(swept)
            table.add_column(_repeated(text, len(table)), position, name)
        tables.append(table)
    return vstack(tables, metadata_conflicts="silent")


def _repeated(value: Any, rows: int) -> Any:
    """Return a column of one value; of no rows, too, it has the type of the value."""
    if isinstance(value, u.Quantity):
        return np.full(rows, value.value) * value.unit
    return np.full(rows, value)


def _table(value: Any) -> QTable:
    if hasattr(value, "to_table"):
        return QTable(value.to_table())
    if isinstance(value, Table):
        return QTable(value)
    columns = value if isinstance(value, dict) else {"value": value}
    if all(np.ndim(column) == 0 for column in columns.values()):
        columns = {k: u.Quantity([v]) if isinstance(v, u.Quantity) else [v]
                   for k, v in columns.items()}  # fmt: skip
    try:
        return QTable(columns)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"a {type(value).__name__} does not collect into a table: {error}"
        ) from None
