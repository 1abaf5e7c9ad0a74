"""Who does the work: processes here, replaced when they die, or a Dask cluster."""

from __future__ import annotations

import contextlib
import json
import math
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection, Pipe, wait
from pathlib import Path
from typing import Any

from skywright.flow.evaluate import Job
from skywright.flow.events import RunError
from skywright.flow.jobs import THREAD_LIMITS, State, execute

__all__ = ["Backend", "Cluster", "Here", "Pool", "serve"]

TIMEOUT = 20  # seconds to wait for a scheduler of Dask
START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[2]);"
    "from skywright.flow.workers import serve; serve(int(sys.argv[1]))"
)


class _Worker:
    """One process and the job it is at; it does not import the caller's main module."""

    def __init__(self, log: Path) -> None:
        self.pipe, theirs = Pipe()
        # -P: a json.py in the current folder must not stand in for the library's
        command = [sys.executable, "-P", "-c", START, str(theirs.fileno()), json.dumps(sys.path)]
        with open(log, "ab") as out:
            self.process = subprocess.Popen(
                command,
                env={**os.environ, **THREAD_LIMITS, "PYTHONHASHSEED": "0"},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                pass_fds=[theirs.fileno()],
            )
        theirs.close()
        self.job: Job

    def stop(self) -> None:
        """End the process at once; the store does not mind."""
        self.process.kill()
        self.process.wait()
        self.pipe.close()


class Pool:
    """Worker processes.

    A worker that dies (out of memory, a crash in compiled code) takes only its own job with it:
    the job is tried once more, then reported as failed.

    Parameters
    ----------
    slots : int
        Largest number of processes; each is started when there is work for it.
    log : Path
        File that gets what the steps print.
    progress : callable
        Called with a job and the fraction done.
    """

    def __init__(self, slots: int, log: Path, progress: Callable[[Job, float], None]) -> None:
        self.slots, self._log, self._progress = slots, log, progress
        self._idle: list[_Worker] = []
        self._busy: dict[Any, _Worker] = {}  # by pipe
        self._died: set[str] = set()

    def submit(self, job: Job) -> None:
        """Hand a job to a worker."""
        message = pickle.dumps(job)
        worker = self._idle.pop() if self._idle else _Worker(self._log)
        worker.job = job
        self._busy[worker.pipe] = worker
        with contextlib.suppress(OSError):  # it is dead: reading from it will tell
            worker.pipe.send_bytes(message)

    def next(self) -> tuple[Job, State]:
        """Wait for a job to end; return it and how it ended."""
        while True:
            for pipe in wait(list(self._busy)):
                worker = self._busy[pipe]
                try:
                    message = worker.pipe.recv()
                except (EOFError, OSError):
                    message = self._bury(worker)
                if isinstance(message, State):
                    if self._busy.pop(pipe, None):
                        self._idle.append(worker)
                    return worker.job, message
                if message is not None:
                    self._progress(worker.job, message)

    def close(self) -> None:
        """End all workers."""
        for worker in [*self._idle, *self._busy.values()]:
            worker.stop()

    def _bury(self, worker: _Worker) -> State | None:
        """Remove a worker that died, and have another one try its job unless two died of it."""
        worker.stop()
        del self._busy[worker.pipe]
        if worker.job.key not in self._died:
            self._died.add(worker.job.key)
            self.submit(worker.job)
            return None
        code = worker.process.returncode
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"
        text = f"its worker process died twice ({how}): is there enough memory?"
        return State("failed", message=text)


class Here:
    """No worker but this process: no start-up, a debugger sees all, a crash ends the run.

    Parameters
    ----------
    progress : callable
        Called with a job and the fraction done.
    """

    slots = 1

    def __init__(self, progress: Callable[[Job, float], None]) -> None:
        # a library that a step loads later starts with as many threads as in a worker
        os.environ.update(THREAD_LIMITS)
        self._progress = progress

    def submit(self, job: Job) -> None:
        """Keep a job for `next`."""
        self._job = job

    def next(self) -> tuple[Job, State]:
        """Do the job."""
        job = self._job
        return job, execute(job, lambda fraction: self._progress(job, fraction))

    def close(self) -> None:
        """Do nothing: there is nobody to end."""


class Cluster:
    """Workers of a Dask scheduler; Dask sends a job elsewhere when a worker dies.

    Parameters
    ----------
    address : str
        Of the scheduler, as ``tcp://host:8786``, or the file it wrote.
    """

    slots = math.inf

    def __init__(self, address: str) -> None:
        try:
            from distributed import Client, as_completed
        except ImportError:
            raise RunError("--dask needs Dask: pip install 'skywright[scale]'") from None
        try:
            where = {"scheduler_file": address} if os.path.exists(address) else {"address": address}
            self._client: Any = Client(**where, timeout=TIMEOUT, set_as_default=False)  # type: ignore[no-untyped-call]
        except (OSError, ValueError, TimeoutError) as error:
            raise RunError(f"no Dask scheduler answers at {address}: {error}") from None
        self._jobs: dict[str, Job] = {}
        self._done: Any = as_completed(loop=self._client.loop)  # type: ignore[no-untyped-call]

    def submit(self, job: Job) -> None:
        """Send a job."""
        future = self._client.submit(
            _remote, pickle.dumps(job), os.getcwd(), sys.path, key=f"skywright-{job.key}"
        )
        self._jobs[future.key] = job
        self._done.add(future)

    def next(self) -> tuple[Job, State]:
        """Wait for a job to end; return it and how it ended."""
        future = next(self._done)
        job = self._jobs.pop(future.key)
        error = future.exception()
        if error is not None:
            return job, State("failed", message=f"on the Dask cluster: {error}")
        return job, future.result()

    def close(self) -> None:
        """Leave the cluster; jobs that nobody waits for are dropped."""
        self._done.clear()
        self._client.close()


def serve(handle: int) -> None:
    """Work on jobs from a pipe until it closes; what a worker process runs."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when to stop
    pipe = Connection(handle)
    jobs: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def listen() -> None:
        try:
            while True:
                jobs.put(pipe.recv_bytes())
        except (EOFError, OSError):
            os._exit(0)  # the parent is gone: so are we, even in the middle of a node

    threading.Thread(target=listen, daemon=True).start()
    while True:
        try:
            state = execute(pickle.loads(jobs.get()), lambda f: pipe.send(float(f)))
        except Exception as error:  # the job itself could not be read
            state = State("failed", message=f"{type(error).__name__}: {error}")
        pipe.send(state)


def _remote(job: bytes, folder: str, path: list[str]) -> State:
    os.chdir(folder)  # relative file names mean the same here as where the run was started
    sys.path.extend(p for p in path if p not in sys.path)
    os.environ.update(THREAD_LIMITS)
    return execute(pickle.loads(job))


Backend = Pool | Here | Cluster
