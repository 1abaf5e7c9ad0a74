"""Run a plan: what is in the store is taken, the rest goes to workers as soon as it can."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

from skywright.flow.events import Listener, RunError, is_disk_full
from skywright.flow.jobs import State
from skywright.flow.outputs import check_output, is_table_file, write_tables
from skywright.flow.plan import Plan
from skywright.flow.provenance import finish
from skywright.flow.runs import Run, open_run
from skywright.flow.schedule import Schedule
from skywright.flow.store import Store
from skywright.flow.workers import Backend, Cluster, Here, Pool

__all__ = ["forecast", "run"]


def run(
    plan: Plan,
    *,
    workspace: str | Path = ".skywright",
    out: str | Path | None = None,
    workers: int | None = None,
    dask: str | None = None,
    overwrite: bool = False,
    progress: Listener | None = None,
) -> Run:
    """Run a plan and leave a run folder.

    Parameters
    ----------
    plan : Plan
        From `skywright.flow.load`.
    workspace : path
        Folder of the store and of the register of runs.
    out : path, optional
        Run folder; or a file ``.fits``, ``.hdf5``, ``.parquet``, ``.ecsv`` that gets the tables.
    workers : int, optional
        Processes on this machine; the number of cores when left out, and with 0 all is done in
        this process.
    dask : str, optional
        Address of a Dask scheduler to use instead.
    overwrite : bool
        Whether an existing table file may be replaced. Run folders never are.
    progress : callable, optional
        Gets an `Event` whenever a node starts, goes on or ends.

    Raises
    ------
    RecipeError
        If ``out`` cannot be meant.
    RunError
        If the disk is full or the cluster does not answer.
    """
    workspace = Path(workspace).absolute()
    file = Path(out) if out is not None and is_table_file(Path(out)) else None
    if file:
        check_output(plan, file, overwrite)
    try:
        begun = time.perf_counter()
        schedule = Schedule(plan, Store(workspace), progress)
        opened = open_run(plan, workspace, None if file else out, schedule.identity())
        backend = _backend(workers, dask, opened.log, schedule)
        try:
            schedule.work(backend)
        finally:
            backend.close()
        done = finish(schedule, opened, time.perf_counter() - begun)
        if file and done.state == "done":
            done = replace(done, tables=tuple(write_tables(done, plan, file)))
        return done
    except OSError as error:
        if not is_disk_full(error):
            raise
        raise RunError(
            f"the disk of {workspace} is full: the store is sound; free some space, or point "
            "--workspace to another disk, and run again"
        ) from error


def _backend(workers: int | None, dask: str | None, log: Path, schedule: Schedule) -> Backend:
    if dask:
        return Cluster(dask)
    if workers == 0:
        return Here(schedule.report_progress)
    return Pool(workers or os.cpu_count() or 1, log, schedule.report_progress)


def forecast(plan: Plan, *, workspace: str | Path = ".skywright") -> dict[str, State]:
    """Return what a run would do with each node; nothing is done or written.

    The states are ``cached``, ``compute``, and ``unknown`` for what comes after the first node
    to compute: it is cached too if that one gives what it gave before.
    """
    return Schedule(plan, Store(Path(workspace).absolute())).look()
