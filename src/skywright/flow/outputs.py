"""The tables of a SkyPy-style recipe as one file: FITS, HDF5, Parquet or ECSV."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from astropy.io import fits
from astropy.table import Table

import skywright
from skywright.data.plainjson import plain
from skywright.data.tables import stream_table
from skywright.flow.collect import collect
from skywright.flow.events import RunError
from skywright.flow.plan import Node, Plan, RecipeError
from skywright.flow.runs import RECORD, Run

__all__ = ["check_output", "is_table_file", "write_tables"]

FORMATS = {
    "fits": (".fits", ".fit", ".fts"),
    "hdf5": (".hdf5", ".hd5", ".he5", ".h5"),
    "parquet": (".parquet",),
    "ecsv": (".ecsv",),
}
CARD = 72  # characters of a line of HISTORY
OTHERS = (".csv", ".txt", ".dat", ".json", ".html", ".xml", ".vot", ".votable", ".npz", ".npy")


def is_table_file(path: Path) -> bool:
    """Tell whether ``-o`` names a file of tables rather than a run folder.

    Raises
    ------
    RecipeError
        If it names a file of a kind that is not written.
    """
    suffix = path.suffix.lower()
    if suffix in OTHERS and not path.is_dir():
        known = ", ".join(s for names in FORMATS.values() for s in names)
        raise RecipeError(f"-o {path}: {suffix} is not written; use {known}, or a folder")
    return _format(path) is not None and not path.is_dir()


def check_output(plan: Plan, path: Path, overwrite: bool) -> None:
    """Refuse a table file that cannot be written, before any work.

    Raises
    ------
    RecipeError
        If the recipe has no tables, the folder is not there, or a file would be replaced.
    """
    made = [n for n in plan.nodes.values() if n.kind == "complete"]
    names = list(dict.fromkeys(_table_name(n) for n in made))
    if not names:
        raise RecipeError(f"-o {path}: the recipe has no tables; give a folder for the run instead")
    if not path.absolute().parent.is_dir():
        raise RecipeError(f"-o {path}: there is no folder {path.parent}")
    exist = [f for f in _files(path, names).values() if f.exists()]
    if exist and not overwrite:
        raise RecipeError(f"{exist[0]} exists: add --overwrite to replace it")


def write_tables(run: Run, plan: Plan, path: Path) -> list[Path]:
    """Write the complete tables of a run; return the files.

    FITS gets one extension per table, HDF5 ``tables/<name>``; Parquet and ECSV hold one table a
    file, and several become ``out_<table>.parquet``. The copies of a swept table stand one below
    the other, the values of the sweep in the first columns; into Parquet they go one by one. Where
    the tables come from is in the metadata of each, and in FITS also in the first header.

    Raises
    ------
    RunError
        If a table holds what a file of this kind cannot hold.
    """
    try:
        return _write_files(_tables(run, plan), path, _origin(run, plan))
    except OSError:
        raise
    except Exception as error:  # every format has its own way of refusing a table
        text = error.args[0] if isinstance(error, KeyError) and error.args else error
        raise RunError(
            f"-o {path}: the tables are in {run.folder}, but cannot be written as such a file: "
            f"{text}"
        ) from error


@dataclass(frozen=True)
class _Tables:
    """All copies of one table, read when they are asked for."""

    run: Run
    nodes: list[Node]

    def __iter__(self) -> Iterator[Table]:
        for node in self.nodes:
            table = self.run[node.name]
            yield collect([node.point], [table]) if node.point else table

    def whole(self) -> Table:
        """Return the copies as one table."""
        if len(self.nodes) == 1:
            return next(iter(self))
        return collect([n.point for n in self.nodes], [self.run[n.name] for n in self.nodes])


def _tables(run: Run, plan: Plan) -> dict[str, _Tables]:
    found: dict[str, list[Node]] = {}
    for name, node in plan.nodes.items():
        if node.kind == "complete" and name in run.nodes:
            found.setdefault(_table_name(node), []).append(node)
    return {name: _Tables(run, nodes) for name, nodes in found.items()}


def _origin(run: Run, plan: Plan) -> dict[str, Any]:
    """Return what a table says of where it comes from, enough to make it again."""
    record = json.loads((run.folder / RECORD).read_text("utf-8"))
    kept = {k: record[k] for k in ("run", "recipe", "versions", "git", "ended")}
    brief = {"RECIPE": plan.file.name, "SEED": plan.seed, "VERSION": skywright.__version__}
    return {**brief, "PROVENANCE": json.dumps(plain(kept))}


def _write_files(tables: dict[str, _Tables], path: Path, origin: dict[str, Any]) -> list[Path]:
    """Write each file aside, then put it in its place."""
    files = _files(path, list(tables))
    for file in dict.fromkeys(files.values()):
        aside = file.with_name(f".{secrets.token_hex(4)}{file.name}")
        try:
            _write({n: tables[n] for n, f in files.items() if f == file}, aside, origin)
            os.replace(aside, file)
        finally:
            aside.unlink(missing_ok=True)
    return list(dict.fromkeys(files.values()))


def _table_name(node: Node) -> str:
    """Return ``galaxies`` for all copies of ``galaxies.complete``."""
    return node.name.partition("[")[0].removesuffix(".complete")


def _format(path: Path) -> str | None:
    return next((k for k, suffixes in FORMATS.items() if path.suffix.lower() in suffixes), None)


def _files(path: Path, names: list[str]) -> dict[str, Path]:
    """Return table -> file."""
    if _format(path) in ("fits", "hdf5") or len(names) == 1:
        return dict.fromkeys(names, path)
    return {name: path.with_name(f"{path.stem}_{name}{path.suffix}") for name in names}


def _write(tables: dict[str, _Tables], path: Path, origin: dict[str, Any]) -> None:
    kind = _format(path)
    if kind == "parquet":
        (parts,) = tables.values()
        stream_table((_signed(part, origin) for part in parts), path)
        return
    whole = {name: _signed(parts.whole(), origin) for name, parts in tables.items()}
    if kind == "fits":
        _write_fits(whole, path, origin)
    elif kind == "hdf5":
        for name, table in whole.items():
            table.write(
                path, format="hdf5", path=f"tables/{name}", append=True, serialize_meta=True
            )
    else:
        (table,) = whole.values()
        table.write(path, format="ascii.ecsv")


def _signed(table: Table, origin: dict[str, Any]) -> Table:
    table = Table(table, copy=False)
    table.meta.update(origin)
    return table


def _write_fits(tables: dict[str, Table], path: Path, origin: dict[str, Any]) -> None:
    primary = fits.PrimaryHDU()
    for key in ("RECIPE", "SEED", "VERSION"):
        primary.header[key] = origin[key]
    text = origin["PROVENANCE"]
    for line in (text[i : i + CARD] for i in range(0, len(text), CARD)):
        primary.header.add_history(line)
    hdus = []
    for name, table in tables.items():
        del table.meta["PROVENANCE"]  # too long for a card
        hdus.append(fits.table_to_hdu(table, name=name))
    fits.HDUList([primary, *hdus]).writeto(path)
