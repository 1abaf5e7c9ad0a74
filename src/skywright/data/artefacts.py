"""Save and load everything that flows between steps, in files that other programs open.

Nothing that is loaded can run code, and what could not be loaded again is refused when saved.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import Column, QTable, Table
from astropy.time import Time
from astropy.utils.masked import Masked

from skywright.data.canonical import Hasher
from skywright.data.images import Images
from skywright.data.model import Model
from skywright.data.models import hash_model, read_model, write_model
from skywright.data.plainjson import read_json
from skywright.data.report import Files, Report
from skywright.data.reports import (
    hash_files,
    hash_report,
    read_files,
    read_report,
    write_files,
    write_report,
)
from skywright.data.stacks import hash_images, read_images, write_images
from skywright.data.tables import hash_table, read_table, write_table
from skywright.data.trees import RECORDS, decode, encode, hash_tree, refuse
from skywright.data.units import read_unit, unit_text

__all__ = ["DamagedArtefact", "digest", "load", "save"]

PART = re.compile(r"part\d+")
COLUMNS = (Column, Masked, Time, SkyCoord)


class DamagedArtefact(OSError):
    """A file of an artefact is missing, truncated or altered: it has to be made again."""


def save(value: Any, folder: Path) -> None:
    """Write ``value`` into ``folder``, which is made when it does not exist.

    Parameters
    ----------
    value : artefact
        None, numbers, strings, bytes, lists, tuples and dicts with string keys; numpy arrays and
        `Quantity`; astropy units, cosmologies, columns and tables; `Images`, `Survey`, `Psf`,
        `Model`, `Predictions`, `Report`, `Files`.
    folder : Path
        Holds the value's files and ``artefact.json``, which names its kind.

    Raises
    ------
    TypeError
        The value could not be loaded again; the message says what to return instead.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    kind, head = _write(value, folder)
    text = json.dumps({"kind": kind, **head}, indent=1)
    (folder / "artefact.json").write_text(text, "utf-8")


def load(folder: Path) -> Any:
    """Read the value that `save` wrote into ``folder``; stacks of images are read lazily.

    Raises
    ------
    DamagedArtefact
        A file is missing, truncated or altered.
    """
    folder = Path(folder)
    try:
        return _read(read_json(folder / "artefact.json"), folder)
    except (DamagedArtefact, ImportError):
        raise
    except MemoryError as error:
        raise DamagedArtefact(f"{folder}: does not fit into memory ({error})") from error
    except Exception as error:  # a forged file makes its reader fail in any way, once it is read
        raise DamagedArtefact(
            f"{folder}: cannot be read ({type(error).__name__}: {str(error):.500}); delete it and "
            "run again"
        ) from error


def digest(value: Any) -> str:
    """Return the SHA-256 of the canonical content of ``value``, the same for every file format.

    >>> import numpy as np
    >>> digest(np.array([1.0, -0.0])) == digest(np.array([1.0, 0.0], dtype=">f8"))
    True
    """
    into = Hasher()
    _hash(value, into)
    return into.hexdigest()


def _write(value: Any, folder: Path) -> tuple[str, dict[str, Any]]:
    match value:
        case Images():
            write_images(value, folder / "images.h5")
            return "images", {}
        case Model():
            write_model(value, folder)
            return "model", {"net": bool(value.weights), "estimator": bool(value.estimator)}
        case Report():
            write_report(value, folder)
            return "report", {}
        case Files():
            write_files(value, folder)
            return "files", {"names": list(value.content)}
        case Table():
            write_table(value, folder / "table.parquet")
            return "table", {}
        case Masked() | Column() | Time() | SkyCoord():
            write_table(_one_column(value), folder / "table.parquet")
            return "column", {"scalar": value.ndim == 0, "name": getattr(value, "name", None)}
        case np.ndarray():
            return _write_array(value, folder)
    kinds = [kind for kind, record in RECORDS.items() if type(value) is record]
    return (kinds or ["value"])[0], {"value": encode(value, _saver(folder))}


def _read(head: dict[str, Any], folder: Path) -> Any:
    match head["kind"]:
        case "images":
            return read_images(folder / "images.h5")
        case "model":
            return read_model(folder, net=head["net"], estimator=head["estimator"])
        case "report":
            return read_report(folder)
        case "files":
            return read_files(folder, head["names"])
        case "table":
            return read_table(folder / "table.parquet")
        case "column":
            return _read_column(folder, head)
        case "array":
            return _read_array(folder, head)
    return decode(head["value"], lambda name: load(_part(folder, name)))


def _part(folder: Path, name: str) -> Path:
    """Return the folder of a part, as `_saver` names it; no other may be read."""
    if not PART.fullmatch(name):
        raise ValueError(f"{name!r} is no part of an artefact")
    return folder / name


def _hash(value: Any, into: Hasher) -> None:
    writers: dict[type, Callable[[Any, Hasher], None]] = {
        Images: hash_images,
        Model: hash_model,
        Report: hash_report,
        Files: hash_files,
        Table: hash_table,
    }
    for kind, write in writers.items():
        if isinstance(value, kind):
            write(value, into)
            return
    if isinstance(value, COLUMNS):
        into.text("column", str(getattr(value, "name", None)), str(value.ndim == 0))
        hash_table(_one_column(value), into)
    elif isinstance(value, np.ndarray):
        _storable(value)
        into.text("array", _unit_of(value))
        into.array(value.value if isinstance(value, u.Quantity) else value)
    else:
        hash_tree(value, into, _hash)


def _saver(folder: Path) -> Callable[[Any], str]:
    """Return what saves the next large part of a nested value and names its folder."""
    count = 0

    def part(value: Any) -> str:
        nonlocal count
        count += 1
        save(value, folder / f"part{count}")
        return f"part{count}"

    return part


def _unit_of(value: np.ndarray) -> str:
    return unit_text(value.unit) if isinstance(value, u.Quantity) else "none"


def _storable(value: np.ndarray) -> None:
    if value.dtype.hasobject or isinstance(value, np.ma.MaskedArray):
        refuse(value, "a numpy array of one plain type without a mask, as array.astype(str)")


def _write_array(value: np.ndarray, folder: Path) -> tuple[str, dict[str, Any]]:
    _storable(value)
    bare = value.value if isinstance(value, u.Quantity) else value
    if bare.dtype.kind == "T":
        bare = bare.astype(str)
    np.save(folder / "array.npy", np.asarray(bare), allow_pickle=False)
    return "array", {"unit": _unit_of(value)}


def _read_array(folder: Path, head: dict[str, Any]) -> np.ndarray:
    bare = np.load(folder / "array.npy", allow_pickle=False)
    if head["unit"] == "none":
        return np.asarray(bare)
    return u.Quantity(bare, read_unit(head["unit"]), dtype=bare.dtype, subok=True)


def _one_column(value: Any) -> Table:
    column = value.reshape(1) if value.ndim == 0 else value
    table = Table() if isinstance(column, Column) else QTable()
    table["value"] = column
    return table


def _read_column(folder: Path, head: dict[str, Any]) -> Any:
    column = read_table(folder / "table.parquet")["value"]
    if isinstance(column, Column):
        column = column.copy()
        column.name = head["name"]
    return column[0] if head["scalar"] else column
