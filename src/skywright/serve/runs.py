"""The tables that the runs of a workspace have left on disk."""

from __future__ import annotations

import datetime
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from skywright.data.plainjson import read_json

__all__ = ["StoredRun", "StoredTable", "find_runs", "latest_tables"]

# Names that mean something else in SQL; a run folder of that name cannot be a schema.
RESERVED = {"main", "temp", "system", "memory", "information_schema", "pg_catalog"}
LONGEST = 255
FACTS = ("unit", "ucd", "description")


@dataclass(frozen=True)
class StoredTable:
    """One table of a run; a swept node has a file for every sweep point.

    Parameters
    ----------
    parts : list of (dict, Path)
        Sweep values and Parquet file.
    rows : int
        Rows of all parts.
    columns : dict
        Column -> ``{"type", "unit", "ucd", "description"}``, sweep values first.
    """

    parts: list[tuple[dict[str, Any], Path]]
    rows: int
    columns: dict[str, dict[str, str]]


@dataclass(frozen=True)
class StoredRun:
    """A run that has ended, with the tables in it."""

    run: str
    recipe: str
    started: str
    folder: Path
    ok: bool
    tables: dict[str, StoredTable] = field(default_factory=dict)


def find_runs(workspace: Path) -> list[StoredRun]:
    """Return the runs of a workspace, newest first; one that cannot be read warns and is left out.

    Parameters
    ----------
    workspace : Path
        Holds ``runs/``: run folders, or ``NAME.json`` naming a folder elsewhere.

    Raises
    ------
    FileNotFoundError
        There is no such workspace.
    """
    folder = Path(workspace) / "runs"
    if not folder.is_dir():
        raise FileNotFoundError(
            f"{workspace} is no workspace with runs: run a recipe first, or name another one "
            "with --workspace"
        )
    found: dict[str, StoredRun] = {}
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        try:
            run = _read_run(path)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
            warnings.warn(f"{path} is skipped: {_reason(error)}", stacklevel=2)
            continue
        if run is None:
            continue
        if run.run.lower() in found or run.run.lower() in RESERVED:
            warnings.warn(f"{path} is skipped: its name {run.run!r} is taken", stacklevel=2)
            continue
        found[run.run.lower()] = run
    return sorted(found.values(), key=lambda run: (run.started, run.run), reverse=True)


def latest_tables(runs: list[StoredRun]) -> dict[str, str]:
    """Return node -> the newest run that has a table of it; names differ by more than case."""
    latest: dict[str, tuple[str, str]] = {}
    for run in runs:
        for name in run.tables:
            latest.setdefault(name.lower(), (name, run.run))
    return dict(latest.values())


def _reason(error: Exception) -> str:
    text = f"no {error}" if isinstance(error, KeyError) else str(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _read_run(path: Path) -> StoredRun | None:
    """Return the run registered at ``path``, None while it is not finished."""
    folder = path
    if path.suffix == ".json" and path.is_file():
        folder = Path(read_json(path)["path"])
        if not folder.is_dir():
            raise FileNotFoundError(f"{folder} is gone")
    elif not path.is_dir():
        return None
    record = folder / "provenance.json"
    if not record.exists() and (folder / "recipe.yml").exists():
        return None
    about = read_json(record)
    _check_name(about["run"])
    tables: dict[str, dict[str, tuple[dict[str, Any], Path]]] = {}
    for name, node in about["nodes"].items():
        place = node.get("folder")
        if not place or not _is_table(folder, place):
            continue
        base, point = _sweep_point(name)
        _check_name(base, *point)
        tables.setdefault(base, {})[name] = (point, folder / place / "table.parquet")
    ended = datetime.datetime.fromisoformat(about["ended"])
    started = ended - datetime.timedelta(seconds=float(about["seconds"]))
    met = all(judged["met"] for judged in about.get("expect", {}).values())
    return StoredRun(
        run=str(about["run"]),
        recipe=Path(about["recipe"]["file"]).stem,
        started=started.isoformat(timespec="seconds"),
        folder=folder.absolute(),
        ok=about["state"] == "done" and met,
        tables=_read_tables(tables, folder),
    )


def _is_table(folder: Path, place: str) -> bool:
    """Whether an artefact is a table; a record must not lead out of its run folder."""
    artefact = (folder / place).resolve()
    if not artefact.is_relative_to(folder.resolve()):
        raise ValueError(f"its record names {place!r}, which is outside of it")
    table = artefact / "table.parquet"
    if table.is_symlink():
        raise ValueError(f"{place}/table.parquet is a link")
    return table.is_file()


def _check_name(*names: object) -> None:
    """Refuse what can be no name in SQL, or would play with a terminal."""
    for name in names:
        if not (isinstance(name, str) and 0 < len(name) <= LONGEST and name.isprintable()):
            raise ValueError(f"{str(name)[:40]!r} can be no name")


def _sweep_point(name: str) -> tuple[str, dict[str, Any]]:
    """Split ``scores[fold=0,seed=1]`` into the name and the sweep values."""
    base, _, inside = name.partition("[")
    pairs = (item.partition("=") for item in inside.removesuffix("]").split(",") if item)
    return base, {key: _value(text) for key, _, text in pairs}


def _value(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _read_tables(
    tables: dict[str, dict[str, tuple[dict[str, Any], Path]]], folder: Path
) -> dict[str, StoredTable]:
    """Read the footers of the files; a damaged table warns and is left out."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    out: dict[str, StoredTable] = {}
    for base, parts in tables.items():
        columns: dict[str, dict[str, str]] = {}
        rows = 0
        try:
            for point, path in parts.values():
                meta = pq.read_metadata(path)
                rows += meta.num_rows
                columns |= {k: {"type": _type_name(v)} for k, v in point.items()}
                columns |= {f.name: _facts(f) for f in meta.schema.to_arrow_schema()}
        except (OSError, pa.ArrowException) as error:
            warnings.warn(f"table {base!r} of {folder} is skipped: {error}", stacklevel=2)
            continue
        if columns:
            out[base] = StoredTable(list(parts.values()), rows, columns)
    return out


def _type_name(value: Any) -> str:
    return {int: "int64", float: "double"}.get(type(value), "string")


def _facts(arrow_field: Any) -> dict[str, str]:
    known = {k.decode(): v.decode() for k, v in (arrow_field.metadata or {}).items()}
    return {"type": str(arrow_field.type), **{k: known[k] for k in FACTS if k in known}}
