"""Start ``skywright`` as a user does, and read what it prints."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

COMMAND = str(Path(sys.executable).parent / "skywright")


def run(*arguments: str, cwd: Path, check: bool = True) -> dict[str, Any]:
    """Run a recipe with ``--json``; the object it prints gains ``wall`` [s] and ``exit``."""
    start = time.perf_counter()
    done = subprocess.run(
        [COMMAND, "run", *arguments, "--json"], cwd=cwd, stdout=subprocess.PIPE, text=True
    )
    if check and done.returncode != 0:
        raise SystemExit(f"skywright run {' '.join(arguments)} ended with {done.returncode}")
    result = json.loads(done.stdout) if done.stdout.strip() else {}
    return {**result, "wall": time.perf_counter() - start, "exit": done.returncode}


def digests(result: dict[str, Any]) -> dict[str, str]:
    """Return node -> digest of a run."""
    return {name: node["digest"] for name, node in result["nodes"].items()}
