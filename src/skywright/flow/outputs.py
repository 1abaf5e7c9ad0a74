"""The tables of a SkyPy-style recipe as one file: FITS, HDF5, Parquet or ECSV."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from astropy.io import fits
from astropy.table import Table, vstack

import skywright
from skywright.data.plainjson import plain, read_json
from skywright.data.tables import stream_table
from skywright.flow.collect import collect
from skywright.flow.events import RunError
from skywright.flow.plan import Node, Plan, RecipeError
from skywright.flow.runs import RECORD, Run

__all__ = ["check_output", "is_table_file", "write_tables"]

FORMATS = {
    **dict.fromkeys((".fits", ".fit", ".fts"), "fits"),
    **dict.fromkeys((".hdf5", ".hd5", ".he5", ".h5"), "hdf5"),
    ".parquet": "parquet",
    ".ecsv": "ecsv",
}
OTHERS = (".csv", ".txt", ".dat", ".json", ".html", ".xml", ".vot", ".votable", ".npz", ".npy")
CARD = 72  # characters of a line of HISTORY


def is_table_file(path: Path) -> bool:
    """Tell whether ``-o`` names a file of tables rather than a run folder.

    Raises
    ------
    RecipeError
        If it names a file of a kind that is not written.
    """
    suffix = path.suffix.lower()
    if suffix in OTHERS and not path.is_dir():
        raise RecipeError(f"-o {path}: {suffix} is not written; use {', '.join(FORMATS)}, or a "
                          "folder")  # fmt: skip
    return suffix in FORMATS and not path.is_dir()


def check_output(plan: Plan, path: Path, overwrite: bool) -> None:
    """Refuse a table file that cannot be written, before any work.

    Raises
    ------
    RecipeError
        If the recipe has no tables, the folder is not there, or a file would be replaced.
    """
    files = _files(plan, path)
    if not files:
        raise RecipeError(f"-o {path}: the recipe has no tables; give a folder for the run instead")
    if not path.absolute().parent.is_dir():
        raise RecipeError(f"-o {path}: there is no folder {path.parent}")
    exist = [file for file in files if file.exists()]
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
    files = _files(plan, path)
    origin = _origin(run, plan)
    try:
        for file, tables in files.items():
            aside = file.with_name(f".{secrets.token_hex(4)}{file.name}")
            try:
                parts = {name: _copies(run, nodes, origin) for name, nodes in tables.items()}
                _write(parts, aside, origin)
                os.replace(aside, file)
            finally:
                aside.unlink(missing_ok=True)
    except OSError:
        raise
    except Exception as error:  # every format has its own way of refusing a table
        text = error.args[0] if isinstance(error, KeyError) and error.args else error
        raise RunError(
            f"-o {path}: the tables are in {run.folder}, but cannot be written as such a file: "
            f"{text}"
        ) from error
    return list(files)


def _files(plan: Plan, path: Path) -> dict[Path, dict[str, list[Node]]]:
    """Return file -> the tables in it -> the nodes of all copies of each."""
    tables: dict[str, list[Node]] = {}
    for node in plan.nodes.values():
        if node.kind == "complete":
            tables.setdefault(node.base, []).append(node)
    if not tables:
        return {}
    if FORMATS[path.suffix.lower()] in ("fits", "hdf5") or len(tables) == 1:
        return {path: tables}
    return {path.with_stem(f"{path.stem}_{name}"): {name: n} for name, n in tables.items()}


def _copies(run: Run, nodes: list[Node], origin: dict[str, Any]) -> Iterator[Table]:
    """Yield all copies of one table, each read when it is asked for."""
    for node in nodes:
        table = run[node.name]
        table = Table(collect([node.point], [table]) if node.point else table, copy=False)
        table.meta.update(origin)
        yield table


def _origin(run: Run, plan: Plan) -> dict[str, Any]:
    """Return what a table says of where it comes from, enough to make it again."""
    record = read_json(run.folder / RECORD)
    kept = {k: record[k] for k in ("run", "recipe", "versions", "git", "ended")}
    brief = {"RECIPE": plan.file.name, "SEED": plan.seed, "VERSION": skywright.__version__}
    return {**brief, "PROVENANCE": json.dumps(plain(kept))}


def _write(tables: dict[str, Iterator[Table]], path: Path, origin: dict[str, Any]) -> None:
    kind = FORMATS[path.suffix.lower()]
    if kind == "parquet":
        (parts,) = tables.values()
        stream_table(parts, path)
        return
    whole = {name: vstack(list(parts), metadata_conflicts="silent")
             for name, parts in tables.items()}  # fmt: skip
    if kind == "fits":
        _write_fits(whole, path, origin)
        return
    for name, table in whole.items():
        if kind == "ecsv":
            table.write(path, format="ascii.ecsv")
        else:
            where = {"path": f"tables/{name}", "append": True, "serialize_meta": True}
            table.write(path, format="hdf5", **where)


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
