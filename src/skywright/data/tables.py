"""Tables in Parquet with units, UCDs and descriptions in the schema, readable by other tools."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import Column, MaskedColumn, QTable, Table
from astropy.time import Time
from astropy.utils.masked import Masked

from skywright.data.canonical import Hasher
from skywright.data.plainjson import plain
from skywright.data.units import read_unit, unit_text

__all__ = ["hash_table", "read_table", "stream_table", "write_table"]


def write_table(table: Table, path: Path) -> None:
    """Write ``table`` to one Parquet file with a checksum on every page.

    Every field carries ``unit``, ``ucd`` and ``description`` as its metadata. A masked value is a
    null, a multi-dimensional column a fixed-size list, a `Time` a struct of ``jd1`` and ``jd2``,
    an ICRS or Galactic `SkyCoord` a struct of its two angles in degrees.
    """
    stream_table([table], path)


def stream_table(parts: Iterable[Table], path: Path) -> None:
    """Write tables of the same columns one below the other; one at a time is in memory.

    Raises
    ------
    ValueError
        When a part has other columns, types or units than the first, or there is no part.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    with contextlib.ExitStack() as stack:
        writer = None
        for part in parts:
            arrow = _as_arrow(part)
            if writer is None:
                schema = arrow.schema
                text = [f.name for f in schema if pa.types.is_string(f.type)]
                writer = stack.enter_context(
                    pq.ParquetWriter(
                        path,
                        schema,
                        compression="snappy",  # what a catalogue gains by zstd is 7 % of its size
                        use_dictionary=text,  # of numbers that differ it only costs time
                        write_page_checksum=True,
                    )
                )
            elif not arrow.schema.equals(schema, check_metadata=False):
                raise ValueError(
                    f"parts of a table differ: {arrow.schema.names} of types "
                    f"{[str(t) for t in arrow.schema.types]} after {schema.names} of types "
                    f"{[str(t) for t in schema.types]}"
                )
            writer.write_table(arrow)
        if writer is None:
            raise ValueError("there is no part to write")


def _as_arrow(table: Table) -> Any:
    import pyarrow as pa

    arrays, fields = [], []
    for name in table.colnames:
        column = table[name]
        arrow, facts = _to_arrow(name, column)
        arrays.append(arrow)
        fields.append(pa.field(name, arrow.type, metadata={**_about(column), **facts}))
    head = {"class": type(_known(table)).__name__, "meta": plain(dict(table.meta))}
    schema = pa.schema(fields, metadata={"skywright": json.dumps(head)})
    return pa.Table.from_arrays(arrays, schema=schema)


def read_table(path: Path) -> Table:
    """Read what `write_table` wrote, or any Parquet file whose columns are plain."""
    import pyarrow.parquet as pq

    arrow = pq.read_table(path, page_checksum_verification=True, memory_map=False)
    head = json.loads((arrow.schema.metadata or {}).get(b"skywright", b"{}"))
    table = Table() if head.get("class") == "Table" else QTable()
    for position, field in enumerate(arrow.schema):
        facts = {k.decode(): v.decode() for k, v in (field.metadata or {}).items()}
        column = _from_arrow(arrow.column(position), facts)
        table.add_column(column, name=field.name, copy=False)
        info = table[field.name].info
        info.description = facts.get("description")
        if "format" in facts:
            info.format = facts["format"]
        meta = json.loads(facts.get("meta", "{}"))
        if meta:
            info.meta = meta
    table.meta.update(head.get("meta", {}))
    return table


def hash_table(table: Table, into: Hasher) -> None:
    """Add the content of ``table`` to a digest."""
    into.text("table", type(_known(table)).__name__, json.dumps(plain(dict(table.meta))))
    into.text(*table.colnames)
    for name in table.colnames:
        column = table[name]
        for key, value in sorted(_about(column).items()):
            into.text(key, value)
        kind, values, mask = _split(name, column)
        into.text(kind)
        if mask is not None:
            into.array(mask)
            values = np.where(mask, np.zeros((), dtype=values.dtype), values)
        into.array(values)


def _known(table: Table) -> Table:
    """Refuse subclasses, which would come back as something else."""
    if type(table) in (Table, QTable):
        return table
    raise TypeError(f"a {type(table).__name__} cannot be stored: return a QTable made from it")


def _about(column: Any) -> dict[str, str]:
    """Return what is said of a column beside its values, as text."""
    info = column.info
    facts: dict[str, str] = {}
    if not isinstance(column, (Time, SkyCoord)) and info.unit is not None:
        facts["unit"] = unit_text(info.unit)
    if info.description:
        facts["description"] = info.description
    if info.format:
        facts["format"] = str(info.format)
    meta = plain(dict(info.meta or {}))
    if meta:
        facts["meta"] = json.dumps(meta)
        if isinstance(meta.get("ucd"), str):
            facts["ucd"] = meta["ucd"]
    return facts


def _split(name: str, column: Any) -> tuple[str, np.ndarray, np.ndarray | None]:
    """Return (kind, bare values, mask or None) of any column that can be stored."""
    mask = None
    if isinstance(column, Time):
        if column.masked:
            raise TypeError(f"column {name!r} is a masked Time: store its mjd instead")
        kind = f"Time {column.format} {column.scale}"
        return kind, np.stack([column.jd1, column.jd2], axis=-1), None
    if isinstance(column, SkyCoord):
        if column.frame.name not in ("icrs", "galactic") or column.data.name != "unitspherical":
            raise TypeError(
                f"column {name!r}: a SkyCoord in frame {column.frame.name!r} with distance, "
                "velocity or epoch cannot be stored; transform it to ICRS and keep the rest in "
                "columns of their own"
            )
        angles = column.spherical
        return (
            f"SkyCoord {column.frame.name}",
            np.stack([angles.lon.to_value(u.deg), angles.lat.to_value(u.deg)], axis=-1),
            None,
        )
    if isinstance(column, (MaskedColumn, Masked)):
        mask = np.asarray(column.mask)
        column = column.unmasked if isinstance(column, Masked) else column.data.data
    kind = "Quantity" if isinstance(column, u.Quantity) else "Column"
    if not isinstance(column, (u.Quantity, Column, np.ndarray)):
        raise TypeError(
            f"column {name!r} is a {type(column).__name__}, which cannot be stored: use numbers, "
            "strings, Quantity, Time or SkyCoord"
        )
    values = column.value if isinstance(column, u.Quantity) else np.asarray(column)
    if values.dtype.kind == "T":
        values = values.astype(str)
    if values.dtype.kind in "OV" or values.dtype.hasobject:
        raise TypeError(
            f"column {name!r} holds {values.dtype}, which cannot be stored: use one type of "
            "number, or column.astype(str)"
        )
    return ("Masked " if mask is not None else "") + kind, values, mask


def _to_arrow(name: str, column: Any) -> tuple[Any, dict[str, str]]:
    import pyarrow as pa

    kind, values, mask = _split(name, column)
    if 0 in values.shape[1:]:
        raise TypeError(f"column {name!r} has an axis of length 0: drop it")
    facts = {"kind": kind, "dtype": values.dtype.newbyteorder("<").str}
    if kind.startswith(("Time", "SkyCoord")):
        parts = ["jd1", "jd2"] if kind.startswith("Time") else ["ra", "dec"]
        if "galactic" in kind:
            parts = ["l", "b"]
        if values.ndim != 2:
            raise TypeError(f"column {name!r} has {values.ndim - 1} axes: store one value a row")
        return pa.StructArray.from_arrays(
            [pa.array(np.ascontiguousarray(values[:, i])) for i in (0, 1)], names=parts
        ), facts
    if values.dtype.kind == "c":
        values = np.stack([values.real, values.imag], axis=-1)
        mask = None if mask is None else np.stack([mask, mask], axis=-1)
    sizes = values.shape[1:]
    flat = np.ascontiguousarray(values).ravel()
    flat = flat.astype(flat.dtype.newbyteorder("="), copy=False)
    arrow = pa.array(flat, mask=None if mask is None else np.ascontiguousarray(mask).ravel())
    for size in reversed(sizes):
        arrow = pa.FixedSizeListArray.from_arrays(arrow, size)
    return arrow, facts


def _from_arrow(chunked: Any, facts: dict[str, str]) -> Any:
    import pyarrow as pa

    arrow = chunked.combine_chunks() if isinstance(chunked, pa.ChunkedArray) else chunked
    kind = facts.get("kind", "")
    if kind.startswith(("Time", "SkyCoord")):
        first, second = (np.array(part) for part in arrow.flatten())
        if kind.startswith("SkyCoord"):
            return SkyCoord(first * u.deg, second * u.deg, frame=kind.split()[1])
        _, form, scale = kind.split()
        time = Time(first, second, format="jd", scale=scale)
        time.format = form
        return time
    sizes, rows = [], len(arrow)
    while pa.types.is_fixed_size_list(arrow.type):
        sizes.append(arrow.type.list_size)
        arrow = arrow.flatten()
    values, mask = _leaf(arrow)
    dtype = np.dtype(facts["dtype"]) if "dtype" in facts else values.dtype
    if dtype.kind == "O":
        dtype = np.dtype("U")
    values = values.reshape((rows, *sizes))
    if dtype.kind == "c":
        values, mask = values[..., 0] + 1j * values[..., 1], mask.reshape((rows, *sizes))[..., 0]
    mask = mask.reshape(values.shape)
    values = values.astype(dtype, copy=False)
    masked = kind.startswith("Masked") or (not kind and bool(mask.any()))
    unit = read_unit(facts["unit"]) if "unit" in facts else None
    if kind.endswith("Quantity"):
        unit = unit if unit is not None else u.dimensionless_unscaled
        whole = u.Quantity(values, unit, dtype=dtype, subok=True)
        return Masked(whole, mask=mask) if masked else whole
    column = MaskedColumn(values, mask=mask) if masked else Column(values)
    column.unit = unit
    return column


def _leaf(arrow: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return values and mask of a flat Arrow array; what hides under the mask is zero."""
    import pyarrow as pa

    mask = np.array(arrow.is_null().to_numpy(zero_copy_only=False), dtype=bool)
    if arrow.null_count:
        is_text = pa.types.is_string(arrow.type) or pa.types.is_large_string(arrow.type)
        is_bytes = pa.types.is_binary(arrow.type)
        zero: Any = "" if is_text else b"" if is_bytes else pa.scalar(0).cast(arrow.type)
        arrow = arrow.fill_null(zero)
    return np.array(arrow.to_numpy(zero_copy_only=False)), mask
