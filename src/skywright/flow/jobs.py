"""One node or block, from its inputs in the store to its entry there: what a worker does."""

from __future__ import annotations

import contextlib
import resource
import sys
import time
import traceback
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import threadpoolctl
from astropy.utils import iers

from skywright.data import Waiting, artefacts
from skywright.flow.collect import join
from skywright.flow.evaluate import Job, Scope, node_value
from skywright.flow.events import is_disk_full
from skywright.flow.plan import Node, calls, parts
from skywright.flow.randomness import isolated
from skywright.flow.store import Entry, Store, digest_file

__all__ = ["THREADS", "THREAD_LIMITS", "State", "execute", "failure"]

THREADS = 1  # per node, whatever the machine: sums must not depend on it
# With this in its environment, every library starts single-threaded.
THREAD_LIMITS = {
    f"{library}_THREADS": str(THREADS)
    for library in ("OMP_NUM", "OPENBLAS_NUM", "MKL_NUM", "NUMEXPR_NUM", "BLIS_NUM", "NUMBA_NUM",
                    "VECLIB_MAXIMUM")
}  # fmt: skip
_UNFREED: list[Exception] = []  # HDF5 crashes when a file that met a full disk is freed


@dataclass(frozen=True)
class State:
    """Where a job or a node is, and how it ended.

    Parameters
    ----------
    state : str
        ``computed``, ``cached``, ``waiting``, ``failed`` or ``skipped``; before it ended
        ``running``, and in a forecast ``compute`` and ``unknown``.
    entry : Entry or None
        Its artefact in the store.
    seconds : float [s]
        Spent on it in this run.
    message, trace : str
        Why it waits or failed; the traceback.
    """

    state: str
    entry: Entry | None = None
    seconds: float = 0.0
    message: str = ""
    trace: str = ""


def execute(job: Job, progress: Callable[[float], None] = lambda fraction: None) -> State:
    """Make the entry of a job, or find that another run has made it meanwhile."""
    store = Store(job.workspace)
    try:
        with store.lock(job.key):
            entry = store.find(job.key)
            if entry is not None:
                return State("cached", entry)
            _check_source(job.files)
            # astropy would fetch tables of the Earth's rotation while a step runs
            iers.conf.auto_download = False
            entry = _make(job, store, progress)
        store.clear_scratch(job.key)
        return State("computed", entry)
    except Waiting as waiting:
        return State("waiting", message=str(waiting))
    except Exception as error:
        if is_disk_full(error):
            _UNFREED.append(error)
        return failure(error, store)


def _check_source(files: dict[str, str]) -> None:
    """Refuse to compute under a key that stands for other code than this process has read."""
    for file, digest in files.items():
        if digest_file(Path(file)) != digest:
            raise RuntimeError(f"{file} changed while the run was going on: run it again")


def _make(job: Job, store: Store, progress: Callable[[float], None]) -> Entry:
    scope = Scope(job, lambda: store.scratch(job.key), progress)
    _reset_peak()
    start = time.perf_counter()
    block = job.block and job.block[0]
    with _limited(job.node), isolated(job.seed, job.node.name, block):
        value = join([artefacts.load(p) for p in job.parts]) if job.parts else node_value(scope)
    seconds, memory = job.seconds + time.perf_counter() - start, max(job.memory, _peak())
    try:
        return store.put(job.key, value, seconds=seconds, memory=memory)
    except TypeError as error:
        if job.block or _is_unfit(value):
            raise TypeError(f"what the step returned cannot be stored: {error}") from error
        return store.put(job.key, value, kept=False, seconds=seconds, memory=memory)


def _is_unfit(value: Any) -> bool:
    """Tell whether a value can be neither saved nor made again alike: a lambda, an open file."""
    return any(
        "<" in getattr(part, "__qualname__", "")
        or isinstance(part, (types.GeneratorType, types.ModuleType))
        or hasattr(part, "fileno")
        or hasattr(part, "__next__")
        for part in parts(value)
    )


def failure(error: Exception, store: Store) -> State:
    """Return how a job ended in which this error was raised."""
    text = error.args[0] if isinstance(error, KeyError) and error.args else error
    message = f"{type(error).__name__}: {text}"
    if is_disk_full(error):
        message = (
            f"the disk of {store.workspace} is full: nothing of this node was kept, the store is "
            "sound; free some space, or point --workspace to another disk, and run again"
        )
    return State("failed", message=message, trace=traceback.format_exc())


@contextlib.contextmanager
def _limited(node: Node) -> Iterator[None]:
    """Hold every library to its threads while a step runs; where none runs, save the time."""
    if not any(calls(node.value)):
        yield
        return
    torch = sys.modules.get("torch")
    before = torch.get_num_threads() if torch else THREADS
    with _pools(len(sys.modules)).limit(limits=THREADS):
        if torch and before != THREADS:
            torch.set_num_threads(THREADS)
        try:
            yield
        finally:
            if torch and before != THREADS:
                torch.set_num_threads(before)


@lru_cache(maxsize=1)
def _pools(modules: int) -> threadpoolctl.ThreadpoolController:
    """Return the thread pools of this process; new ones come with new modules alone."""
    return threadpoolctl.ThreadpoolController()


def _reset_peak() -> None:
    """Start the kernel's count of peak memory anew, where it can."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _peak() -> int:
    """Return the peak resident memory of this process in bytes."""
    try:
        status = Path("/proc/self/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024
    except (OSError, IndexError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
