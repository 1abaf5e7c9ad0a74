"""Results of queries as VOTables, with units and UCDs where they are known."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
from astropy.io.votable import from_table
from astropy.table import Column, MaskedColumn, Table

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["to_votable"]


def to_votable(answer: pa.Table) -> bytes:
    """Write a result of `skywright.serve.query` as VOTable.

    Parameters
    ----------
    answer : pyarrow.Table
        Numbers, truth values and text are written as such, everything else as text.
    """
    table = Table()
    ucds: dict[str, str] = {}
    for field, column in zip(answer.schema, answer.columns, strict=True):
        about = {k.decode(): v.decode() for k, v in (field.metadata or {}).items()}
        made = _column(column)
        made.unit = about.get("unit")
        made.description = about.get("description")
        table[field.name] = made
        ucds[field.name] = about.get("ucd", "")
    votable = from_table(table)
    for field in votable.get_first_table().fields:
        field.ucd = ucds.get(field.name) or None
    buffer = io.BytesIO()
    votable.to_xml(buffer)
    return buffer.getvalue()


def _column(values: pa.ChunkedArray) -> Column:
    import pyarrow as pa

    kind = values.type
    items: list[Any] = values.to_pylist()
    mask = np.array([item is None for item in items], dtype=bool)
    if pa.types.is_boolean(kind):
        array = np.array([bool(item) for item in items], dtype=bool)
    elif pa.types.is_integer(kind) and kind.bit_width <= 64 and kind != pa.uint64():
        array = np.array([item or 0 for item in items], dtype=np.int64)
    elif pa.types.is_floating(kind) or pa.types.is_decimal(kind) or pa.types.is_integer(kind):
        array = np.array([np.nan if item is None else float(item) for item in items], dtype=float)
        mask[:] = False
    else:
        array = np.array(["" if item is None else str(item) for item in items], dtype=str)
        mask[:] = False
    return MaskedColumn(array, mask=mask) if mask.any() else Column(array)
