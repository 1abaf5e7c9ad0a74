"""Do what a stranger does: clone, ``make demo``, ``make test``; keep seconds and peak memory.

    python tools/fresh_clone.py

Run by the Python of ``.venv``, on a quiet machine; about twenty minutes. It writes
``docs/measured/fresh-clone.json``. Memory is that of all processes at a time, each page counted
once (proportional set size), sampled twice a second.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "verify"))
from record import record  # noqa: E402 - found in the folder added above


def main() -> int:
    """Return how many of the two commands failed."""
    with tempfile.TemporaryDirectory() as name:
        clone = Path(name) / "skywright"
        subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
        figures = {command: timed(["make", command], clone) for command in ("demo", "test")}
    for command, figure in figures.items():
        print(f"make {command}: {figure}")
    record("fresh-clone", {f"make {command}": figure for command, figure in figures.items()})
    return sum(figure["exit"] != 0 for figure in figures.values())


def timed(command: list[str], folder: Path) -> dict[str, Any]:
    """Run a command and watch the memory of everything that it starts."""
    start, peak = time.perf_counter(), 0
    with subprocess.Popen(command, cwd=folder, env=environment()) as process:
        while process.poll() is None:
            peak = max(peak, memory(process.pid))
            time.sleep(0.5)
    seconds = time.perf_counter() - start
    return {"exit": process.returncode, "seconds": seconds, "peak_memory_mb": peak / 2**20}


def environment() -> dict[str, str]:
    """Return the environment without the virtual one that this script runs in."""
    return {k: v for k, v in os.environ.items() if k != "VIRTUAL_ENV"}


def memory(pid: int) -> int:
    """Return the bytes that a process and its descendants hold together."""
    total = 0
    try:
        family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0
    for process in family:
        try:
            total += process.memory_full_info().pss
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return total


if __name__ == "__main__":
    sys.exit(main())
