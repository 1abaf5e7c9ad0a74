"""The same jobs on a Dask cluster that shares the file system."""

from __future__ import annotations

import math
import os
import pickle
import sys
from typing import Any

from skywright.flow.evaluate import Job
from skywright.flow.events import RunError
from skywright.flow.jobs import State, environment, execute

__all__ = ["Cluster"]

TIMEOUT = 20  # seconds to wait for a scheduler


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


def _remote(job: bytes, folder: str, path: list[str]) -> State:
    os.chdir(folder)  # relative file names mean the same here as where the run was started
    sys.path.extend(p for p in path if p not in sys.path)
    os.environ.update({k: v for k, v in environment().items() if k.endswith("_THREADS")})
    return execute(pickle.loads(job))
