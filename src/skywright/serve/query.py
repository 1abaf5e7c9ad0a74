"""Read-only SQL over everything the runs of a workspace have left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skywright.serve.result_columns import describe_columns
from skywright.serve.runs import StoredRun, find_runs, latest_tables
from skywright.serve.statement import QueryError, check_statement

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["query", "tables"]

WORKER = Path(__file__).with_name("worker.py")
MEMORY = 1 << 30
LARGEST = 256 << 20
# Starting Python and opening the files is not the query's time.
START = 60.0


def query(
    sql: str,
    workspace: str | Path = ".skywright",
    *,
    max_rows: int = 10_000,
    timeout: float = 30.0,
) -> pa.Table:
    """Answer one SQL query over the tables of all runs.

    ``"<run>"."<node>"`` is the table a node of a run gave; ``<node>`` alone is that of the newest
    run that has one. The tables of a swept node are put together, with the sweep values in front.
    ``runs``, ``tables`` and ``columns`` say what there is. The query runs in a process of its own
    that can neither reach files nor settings, nor outlive the limits.

    Parameters
    ----------
    sql : str
        One SELECT, WITH, DESCRIBE or SHOW TABLES statement in DuckDB's dialect.
    workspace : str or Path
        Folder whose runs are searched.
    max_rows : int
        Longest result; what is cut off is told in a warning.
    timeout : float [s]
        Longest time the query may run.

    Returns
    -------
    pyarrow.Table
        Columns taken over unchanged keep ``unit``, ``ucd`` and ``description`` as metadata.

    Raises
    ------
    QueryError
        The query is wrong, not allowed, or exceeds a limit.
    FileNotFoundError
        There is no workspace.
    """
    import pyarrow as pa

    if max_rows < 0 or not 0 < timeout < 1e6:
        raise QueryError(f"limits are {max_rows} rows and {timeout} s; expected positive numbers")
    runs = find_runs(Path(workspace))
    inventory, facts = _inventory(runs), _facts(runs)
    tree = check_statement(sql, set(facts))
    if (tree.get("from_table") or {}).get("show_type") == "SHOW_SPECIAL":
        sql = "SELECT * FROM tables"
    job = {
        **_views(runs, inventory),
        "sql": sql,
        "rows": max_rows,
        "bytes": LARGEST,
        "seconds": timeout,
        "memory": MEMORY,
    }
    answer = pa.ipc.open_stream(_ask(job, timeout)).read_all()
    if answer.num_rows > max_rows:
        warnings.warn(
            f"only the first {max_rows} rows are shown; there are more (--limit, or LIMIT and "
            "OFFSET in the query)",
            stacklevel=2,
        )
        answer = answer.slice(0, max_rows)
    return describe_columns(answer, tree, facts)


def tables(workspace: str | Path = ".skywright") -> pa.Table:
    """Return what can be queried: one row per table, newest run first.

    Returns
    -------
    pyarrow.Table
        ``run``, ``node``, ``rows``, ``columns``, ``latest`` (whether the plain name means it).
    """
    import pyarrow as pa

    return pa.Table.from_pydict(_inventory(find_runs(Path(workspace)))["tables"])


def _ask(job: dict[str, Any], timeout: float) -> bytes:
    """Run the worker; what ends it becomes a message."""
    passed = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT")
    environment = {name: os.environ[name] for name in passed if name in os.environ}
    try:
        done = subprocess.run(
            [sys.executable, "-I", str(WORKER)],
            input=json.dumps(job).encode(),
            capture_output=True,
            timeout=timeout + START,
            env={**environment, "ARROW_DEFAULT_MEMORY_POOL": "system", "MALLOC_ARENA_MAX": "2"},
            check=False,
        )
    except subprocess.TimeoutExpired:
        done = subprocess.CompletedProcess([], -signal.SIGALRM, b"", b"")
    if done.returncode == 0:
        return done.stdout
    if done.returncode == -signal.SIGALRM:
        raise QueryError(f"the query was stopped after {timeout:g} s: ask for less, or --timeout")
    said = done.stderr.decode("utf-8", "replace").strip()
    starved = ("bad_alloc", "OutOfMemory", "Out of Memory", "MemoryError")
    if done.returncode < 0 or any(word in said for word in starved):
        raise QueryError(f"the query was stopped: it needs more than {MEMORY >> 20} MB of memory")
    kind, colon, text = said.partition(": ")
    raise QueryError(text if colon and kind.isidentifier() else said or "the query failed")


def _inventory(runs: list[StoredRun]) -> dict[str, dict[str, list[Any]]]:
    """Return the tables ``runs``, ``tables`` and ``columns``, column by column."""
    latest = latest_tables(runs)
    every = [(run, name, table) for run in runs for name, table in run.tables.items()]
    cells = [(r.run, n, c, facts) for r, n, t in every for c, facts in t.columns.items()]
    return {
        "runs": {
            "run": [r.run for r in runs],
            "recipe": [r.recipe for r in runs],
            "started": [r.started for r in runs],
            "folder": [str(r.folder) for r in runs],
            "ok": [r.ok for r in runs],
        },
        "tables": {
            "run": [r.run for r, _, _ in every],
            "node": [n for _, n, _ in every],
            "rows": [t.rows for _, _, t in every],
            "columns": [len(t.columns) for _, _, t in every],
            "latest": [latest.get(n) == r.run for r, n, _ in every],
        },
        "columns": {
            "run": [r for r, _, _, _ in cells],
            "node": [n for _, n, _, _ in cells],
            "name": [c for _, _, c, _ in cells],
            **{k: [f.get(k, "") for _, _, _, f in cells] for k in _ABOUT},
        },
    }


_ABOUT = ("type", "unit", "ucd", "description")


def _facts(runs: list[StoredRun]) -> dict[tuple[str, ...], dict[str, dict[str, str]]]:
    """Return path of a table -> column -> what is known of it."""
    facts: dict[tuple[str, ...], dict[str, dict[str, str]]] = {}
    newest = latest_tables(runs)
    for run in runs:
        for name, table in run.tables.items():
            facts.setdefault((run.run.lower(), name.lower()), table.columns)
            if newest.get(name) == run.run:
                facts[(name.lower(),)] = table.columns
    return facts | {(name,): {} for name in ("runs", "tables", "columns")}


def _views(runs: list[StoredRun], inventory: dict[str, dict[str, list[Any]]]) -> dict[str, Any]:
    """Return what the worker makes of the files."""
    views: dict[tuple[str, str], dict[str, Any]] = {}
    for run in runs:
        for name, table in run.tables.items():
            parts = [(point, str(path)) for point, path in table.parts]
            views.setdefault(
                (run.run, name.lower()), {"schema": run.run, "name": name, "parts": parts}
            )
    latest = {n: r for n, r in latest_tables(runs).items() if n.lower() not in inventory}
    return {
        "schemas": [run.run for run in runs],
        "tables": list(views.values()),
        "latest": latest,
        "inventory": inventory,
    }
