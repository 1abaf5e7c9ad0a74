"""Keep what a verification measured: ``docs/measured/NAME.json`` with commit and machine."""

from __future__ import annotations

import json
import os
import platform
import resource
import subprocess
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
LIBRARIES = (
    "numpy",
    "scipy",
    "astropy",
    "colossus",
    "torch",
    "lightning",
    "scikit-learn",
    "duckdb",
)


def record(name: str, figures: dict[str, Any]) -> Path:
    """Write ``figures`` with the commit, the machine and the versions they were measured on."""
    path = ROOT / "docs" / "measured" / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(
        {"figures": figures, "measured": _circumstances()}, indent=1, sort_keys=True, default=float
    )
    path.write_text(text + "\n")
    print(f"wrote {path.relative_to(ROOT)}")
    return path


def peak_memory_mb() -> float:
    """Return the peak resident memory of this process and its largest child in MB."""
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return max(own, children) / 1024


def _circumstances() -> dict[str, Any]:
    return {
        "commit": _git("rev-parse", "HEAD"),
        "dirty": bool(_git("status", "--porcelain", "--", "src", "verify", "benchmarks")),
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "machine": f"{platform.machine()}, {_processor()}, {_cores()} cores",
        "python": platform.python_version(),
        "versions": {name: v for name in LIBRARIES if (v := _version(name))},
    }


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True)
    return done.stdout.strip()


def _cores() -> int:
    return len(os.sched_getaffinity(0))


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown processor"
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else "unknown processor"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
