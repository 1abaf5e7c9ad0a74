"""Run folders: opened before any work, filled when all is done, never changed after that."""

from __future__ import annotations

import datetime
import glob
import json
import os
import secrets
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from skywright.data import artefacts
from skywright.data.plainjson import read_json
from skywright.flow.head import label
from skywright.flow.plan import Plan, RecipeError
from skywright.flow.store import LABEL, Entry

__all__ = ["Run", "finished", "measured", "node_folder", "open_run", "reused_entry"]

RECORD = "provenance.json"


@dataclass(frozen=True)
class Run:
    """A run, and what came out of it.

    Parameters
    ----------
    run : str
        Identifier.
    folder : Path
        The run folder: its artefacts, its log and its record.
    identity : dict
        Node -> what it is before it ran; equal for two runs that must give the same.
    finished : bool
        Whether an equal run was completed here before; then nothing in the folder is changed.
    state : str
        ``done``, ``waiting`` or ``failed``; nothing while it goes on.
    nodes : dict
        Name -> ``{"state", "seconds", "digest", …}``.
    results : dict
        Name -> ``{"value", "low", "high"}``, from the report of the recipe.
    expect : dict
        Name -> ``{"bound", "met"}``.
    report : Path or None
        ``report.html``.
    tables : tuple of Path
        Files of tables that ``out`` asked for.
    """

    run: str
    folder: Path
    identity: dict[str, str]
    finished: bool = False
    state: str = ""
    nodes: dict[str, dict[str, Any]] = field(default_factory=dict)
    results: dict[str, Any] = field(default_factory=dict)
    expect: dict[str, Any] = field(default_factory=dict)
    report: Path | None = None
    tables: tuple[Path, ...] = ()

    @property
    def log(self) -> Path:
        """Return the file for what steps print and for tracebacks."""
        return Path(os.devnull) if self.finished else self.folder / "run.log"

    @property
    def ok(self) -> bool:
        """Tell whether all nodes have a value and no expectation is broken."""
        return self.state == "done" and all(e["met"] for e in self.expect.values())

    @property
    def exit_code(self) -> int:
        """Return 0, 1 (failed, or an expectation is broken) or 3 (waiting for people)."""
        return 3 if self.state == "waiting" else 0 if self.ok else 1

    def __getitem__(self, node: str) -> Any:
        """Return the artefact of a node."""
        folder = self.nodes[node].get("folder")
        if folder is None:
            raise KeyError(f"node {node!r} has no stored value: {self.nodes[node]['state']}")
        return artefacts.load(self.folder / folder)


def open_run(plan: Plan, workspace: Path, out: str | Path | None, identity: dict[str, str]) -> Run:
    """Return a run that has a folder, new or the one of an unfinished run to go on with.

    Raises
    ------
    RecipeError
        If ``out`` holds a finished run of something else, or files that are not of a run.
    """
    time = datetime.datetime.now(datetime.UTC).strftime("%Y%m%d-%H%M%S")
    run = f"{label(plan.file.stem)}-{time}-{secrets.token_hex(2)}"
    path = Path(out).absolute() if out else workspace / "runs" / run
    record = _read(path / RECORD)
    run = record.get("run", run)
    if record.get("state") == "done":
        if record.get("identity") != identity:
            raise RecipeError(
                f"{path} holds a finished run of something else ({run}), and runs are never "
                "changed: choose another folder for -o"
            )
        return Run(run, path, identity, finished=True)
    if path.is_file() or (path.is_dir() and any(path.iterdir()) and not _is_run(path, run)):
        raise RecipeError(f"{path} exists and is no run folder: choose another one for -o")
    path.mkdir(parents=True, exist_ok=True)
    copy = path / "recipe.yml"
    if not (copy.exists() and copy.samefile(plan.file)):  # a recipe may be run where it was copied
        copy.unlink(missing_ok=True)  # it may be a second name of another file
        shutil.copyfile(plan.file, copy)
    (path / "run.log").touch()
    runs = workspace / "runs"
    if path.parent != runs:
        runs.mkdir(parents=True, exist_ok=True)
        write_json(runs / f"{run}.json", {"path": str(path)})
    return Run(run, path, identity)


def finished(workspace: Path, recipe: str = "") -> list[tuple[Path, dict[str, Any]]]:
    """Return folder and record of every finished run that the workspace knows.

    Parameters
    ----------
    workspace : Path
        Where runs are registered.
    recipe : str
        Name of the recipe's file without its suffix; of any recipe, if left out.
    """
    found = []
    named = f"{glob.escape(recipe)}-*" if recipe else "*"
    for path in (workspace / "runs").glob(named):
        folder = Path(str(_read(path).get("path", ""))) if path.suffix == ".json" else path
        record = _read(folder / RECORD)
        if record.get("state") == "done":
            found.append((folder, record))
    return found


def measured(workspace: Path, recipe: str) -> tuple[str, dict[str, float]]:
    """Return the newest finished run of a recipe, and what its nodes took [s].

    Parameters
    ----------
    workspace : Path
        Where runs are registered.
    recipe : str
        Name of the recipe's file without its suffix.
    """
    records = [record for _, record in finished(workspace, recipe)]
    newest = max(records, key=lambda record: str(record.get("ended")), default={})
    costs: dict[str, list[float]] = {}
    nodes = newest.get("nodes")
    for name, node in nodes.items() if isinstance(nodes, dict) else ():
        cost = node.get("cost") if isinstance(node, dict) else None
        known = cost if isinstance(cost, (int, float)) else 0.0
        costs.setdefault(name.partition("[")[0], []).append(known)
    return str(newest.get("run", "")), {name: sum(c) / len(c) for name, c in costs.items()}


def _read(path: Path) -> dict[str, Any]:
    """Return the content of a JSON file; nothing if it cannot be read."""
    try:
        record = read_json(path)
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def _is_run(path: Path, run: object) -> bool:
    """Tell whether a folder is one that a run of ours left: nothing in it leads elsewhere."""
    named = isinstance(run, str) and Path(run).name == run
    files = (path / "recipe.yml").is_file() and (path / "run.log").is_file()
    return named and files and _is_closed(path)


def _is_closed(folder: Path) -> bool:
    """Tell whether there are only files and folders below: no links, pipes or devices."""
    return all(not p.is_symlink() and (p.is_file() or p.is_dir()) for p in folder.rglob("*"))


def write_json(path: Path, content: Any) -> None:
    """Write a file at once, whole."""
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        aside.write_text(json.dumps(content, indent=1, default=str) + "\n")
        os.replace(aside, path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


def node_folder(name: str) -> str:
    """Return the folder of a node's artefact inside a run folder.

    Examples
    --------
    >>> from skywright.flow.runs import node_folder
    >>> node_folder("scores[fold=0,seed=1]")
    'artefacts/scores@fold=0,seed=1'
    """
    base, bracket, point = name.partition("[")
    text = f"{base}@{point.removesuffix(']')}" if bracket else base
    return "artefacts/" + "".join("_" if c in '/\\:*?"<>|' else c for c in text)


def link_artefact(entry: Entry, folder: Path) -> None:
    """Show the files of an entry in a run folder: as hard links where the disk allows it."""
    label = shutil.ignore_patterns(LABEL)
    shutil.copytree(entry.folder, folder, ignore=label, copy_function=link, dirs_exist_ok=True)


def link(file: str | Path, target: str | Path) -> None:
    """Make a file appear under a second name, by a copy if it cannot be the same file."""
    Path(target).unlink(missing_ok=True)
    try:
        os.link(file, target)
    except OSError:
        shutil.copyfile(file, target)


def reused_entry(run: Path, name: str) -> Entry:
    """Return the artefact of a node in an earlier run.

    Raises
    ------
    ValueError
        If that run has no such node, or its files are not what the run recorded.
    """
    try:
        node = read_json(run / RECORD)["nodes"][name]
        folder = run / node["folder"]
        if not folder.resolve().is_relative_to(run.resolve()) or not _is_closed(folder):
            raise ValueError(f"its record names {node['folder']!r}, which leads out of it")
        value, digest, key = artefacts.load(folder), node["digest"], node["key"]
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{run} has no artefact of node {name!r} to reuse: {error}") from error
    if artefacts.digest(value) != digest:
        raise ValueError(f"the artefact of {name!r} in {run} is damaged: run that recipe again")
    return Entry(key, folder, digest)
