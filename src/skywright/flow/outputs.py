"""The tables of a SkyPy-style recipe as one file: FITS, HDF5, Parquet or ECSV."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from astropy.io import fits
from astropy.table import Table

import skywright
from skywright.data.tables import write_table
from skywright.flow.events import RunError
from skywright.flow.plan import Plan, RecipeError
from skywright.flow.runs import Run

__all__ = ["check_output", "is_table_file", "write_tables"]

FORMATS = {
    "fits": (".fits", ".fit", ".fts"),
    "hdf5": (".hdf5", ".hd5", ".he5", ".h5"),
    "parquet": (".parquet",),
    "ecsv": (".ecsv",),
}
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
    names = [_table_name(n.name) for n in plan.nodes.values() if n.kind == "complete"]
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
    file, and several become ``out_<table>.parquet``. Seed, recipe and version are in the
    metadata of each table.

    Raises
    ------
    RunError
        If a table holds what a file of this kind cannot hold.
    """
    try:
        return _write_files(_tables(run, plan), path)
    except OSError:
        raise
    except Exception as error:  # every format has its own way of refusing a table
        text = error.args[0] if isinstance(error, KeyError) and error.args else error
        raise RunError(
            f"-o {path}: the tables are in {run.folder}, but cannot be written as such a file: "
            f"{text}"
        ) from error


def _tables(run: Run, plan: Plan) -> dict[str, Table]:
    tables = {}
    for name, node in plan.nodes.items():
        if node.kind == "complete" and name in run.nodes:
            table = Table(run[name])
            table.meta.update(
                {"RECIPE": plan.file.name, "SEED": plan.seed, "VERSION": skywright.__version__}
            )
            tables[_table_name(name)] = table
    return tables


def _write_files(tables: dict[str, Table], path: Path) -> list[Path]:
    """Write each file aside, then put it in its place."""
    files = _files(path, list(tables))
    for file in dict.fromkeys(files.values()):
        aside = file.with_name(f".{secrets.token_hex(4)}{file.name}")
        try:
            _write({n: tables[n] for n, f in files.items() if f == file}, aside)
            os.replace(aside, file)
        finally:
            aside.unlink(missing_ok=True)
    return list(dict.fromkeys(files.values()))


def _table_name(node: str) -> str:
    """Return ``galaxies`` for ``galaxies.complete``, with the sweep point if there is one."""
    return node.replace(".complete", "", 1)


def _format(path: Path) -> str | None:
    return next((k for k, suffixes in FORMATS.items() if path.suffix.lower() in suffixes), None)


def _files(path: Path, names: list[str]) -> dict[str, Path]:
    """Return table -> file."""
    if _format(path) in ("fits", "hdf5") or len(names) == 1:
        return dict.fromkeys(names, path)
    return {name: path.with_name(f"{path.stem}_{name}{path.suffix}") for name in names}


def _write(tables: dict[str, Table], path: Path) -> None:
    kind = _format(path)
    if kind == "fits":
        hdus = [fits.table_to_hdu(table, name=name) for name, table in tables.items()]
        primary = fits.PrimaryHDU()
        for key in ("RECIPE", "SEED", "VERSION"):
            primary.header[key] = next(iter(tables.values())).meta[key]
        fits.HDUList([primary, *hdus]).writeto(path)
    elif kind == "hdf5":
        for name, table in tables.items():
            table.write(
                path, format="hdf5", path=f"tables/{name}", append=True, serialize_meta=True
            )
    else:
        (table,) = tables.values()
        if kind == "parquet":
            write_table(table, path)
        else:
            table.write(path, format="ascii.ecsv")
