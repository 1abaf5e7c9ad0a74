"""Processes that work on one machine: started when needed, replaced when they die."""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable
from multiprocessing.connection import Connection, Pipe, wait
from pathlib import Path

from skywright.flow.jobs import Job, Outcome, environment, execute

__all__ = ["Here", "Pool", "serve"]

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
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                pass_fds=[theirs.fileno()],
            )
        theirs.close()
        self.job: Job | None = None

    def stop(self) -> None:
        """End the process at once; the store does not mind."""
        self.process.kill()
        self.process.wait()
        self.pipe.close()


class Pool:
    """Up to ``n`` worker processes.

    A worker that dies (out of memory, a crash in compiled code) takes only its own job with it:
    the job is tried once more, then reported as ``died``.

    Parameters
    ----------
    n : int
        Largest number of processes; each is started when there is work for it.
    log : Path
        File that gets what the steps print.
    progress : callable
        Called with a job and the fraction done.
    """

    def __init__(self, n: int, log: Path, progress: Callable[[Job, float], None]) -> None:
        self._n, self._log, self._progress = n, log, progress
        self._workers: list[_Worker] = []
        self._queue: deque[tuple[Job, bytes]] = deque()
        self._died: dict[str, int] = {}

    def submit(self, job: Job) -> None:
        """Line up a job."""
        self._queue.append((job, pickle.dumps(job)))

    def next(self) -> tuple[Job, Outcome]:
        """Wait for a job to end; return it and how it ended."""
        while True:
            self._hand_out()
            ready = wait([w.pipe for w in self._workers if w.job])
            for worker in [w for w in self._workers if w.pipe in ready]:
                done = self._receive(worker)
                if done:
                    return done

    def cancel(self) -> list[str]:
        """Drop the jobs that nobody has begun; return their keys."""
        dropped = [job.key for job, _ in self._queue]
        self._queue.clear()
        return dropped

    def close(self) -> None:
        """End all workers."""
        for worker in self._workers:
            worker.stop()
        self._workers.clear()

    def _hand_out(self) -> None:
        while self._queue:
            idle = next((w for w in self._workers if w.job is None), None)
            if idle is None and len(self._workers) < self._n:
                idle = _Worker(self._log)
                self._workers.append(idle)
            if idle is None:
                return
            idle.job, message = self._queue.popleft()
            with contextlib.suppress(OSError):  # it is dead: reading from it will tell
                idle.pipe.send_bytes(message)

    def _receive(self, worker: _Worker) -> tuple[Job, Outcome] | None:
        job = worker.job
        assert job is not None
        try:
            message = worker.pipe.recv()
        except (EOFError, OSError):
            return self._bury(worker, job)
        if isinstance(message, float):
            self._progress(job, message)
            return None
        worker.job = None
        return job, message

    def _bury(self, worker: _Worker, job: Job) -> tuple[Job, Outcome] | None:
        worker.stop()
        self._workers.remove(worker)
        self._died[job.key] = self._died.get(job.key, 0) + 1
        if self._died[job.key] == 1:
            self._queue.appendleft((job, pickle.dumps(job)))
            return None
        code = worker.process.returncode
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"
        text = f"its worker process died twice ({how}): is there enough memory?"
        return job, Outcome("died", message=text)


class Here:
    """No worker but this process: no start-up, a debugger sees all, a crash ends the run.

    Parameters
    ----------
    progress : callable
        Called with a job and the fraction done.
    """

    def __init__(self, progress: Callable[[Job, float], None]) -> None:
        # a library that a step loads later starts with as many threads as in a worker
        os.environ.update({k: v for k, v in environment().items() if k.endswith("_THREADS")})
        self._progress = progress
        self._queue: deque[Job] = deque()

    def submit(self, job: Job) -> None:
        """Line up a job."""
        self._queue.append(job)

    def next(self) -> tuple[Job, Outcome]:
        """Do the next job."""
        job = self._queue.popleft()
        return job, execute(job, lambda fraction: self._progress(job, fraction))

    def cancel(self) -> list[str]:
        """Drop the jobs that were not begun; return their keys."""
        dropped = [job.key for job in self._queue]
        self._queue.clear()
        return dropped

    def close(self) -> None:
        """Do nothing: there is nobody to end."""


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
            outcome = execute(pickle.loads(jobs.get()), lambda f: pipe.send(float(f)))
        except Exception as error:  # the job itself could not be read
            outcome = Outcome("failed", message=f"{type(error).__name__}: {error}")
        pipe.send(outcome)
