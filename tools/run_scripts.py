"""Run every script of a folder in turn, each with a time limit: ``run_scripts.py verify``."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LIMIT = 600.0


def main(folder: str) -> int:
    """Run all scripts, also after a failure; return how many failed."""
    scripts = [f for f in sorted((ROOT / folder).glob("*.py")) if "__main__" in f.read_text()]
    failed, lines = 0, []
    for script in scripts:
        name = f"{folder}/{script.name}"
        print(f"== {name}", flush=True)
        start = time.perf_counter()
        try:
            code = subprocess.run(
                [sys.executable, name], cwd=ROOT, timeout=LIMIT, check=False
            ).returncode
            end = f"FAILED ({code})" if code else "ok"
        except subprocess.TimeoutExpired:
            end = f"FAILED (more than {LIMIT:.0f} s)"
        failed += end != "ok"
        lines.append(f"{name:40}{time.perf_counter() - start:8.1f} s  {end}")
    print("\n".join(["", *lines]))
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
