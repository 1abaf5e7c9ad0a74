"""Everything CI checks, in order, with the seconds each took: ``make test``."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
PYTHON = sys.executable

CHECKS = {
    "lint": [BIN / "ruff", "check", "."],
    "format": [BIN / "ruff", "format", "--check", "."],
    "types": [BIN / "mypy"],
    "layers": [BIN / "lint-imports"],
    "sizes": [PYTHON, "tools/check_sizes.py"],
    "licences": [PYTHON, "tools/check_licences.py"],
    "tests": [PYTHON, "-m", "pytest", "-n", "2", "--dist", "loadfile"],
    "docs": [BIN / "sphinx-build", "-W", "--keep-going", "-q", "docs", "docs/_build/html"],
}


def main() -> int:
    """Run all checks, also after a failure; return how many failed."""
    failed, lines = 0, []
    for name, command in CHECKS.items():
        print(f"== {name}", flush=True)
        start = time.perf_counter()
        # two processes of tests share two cores: a team of threads in each would wait for the other
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        code = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
        failed += code != 0
        lines.append(f"{name:10}{time.perf_counter() - start:8.1f} s  {'FAILED' if code else 'ok'}")
    print("\n".join(["", *lines]))
    return failed


if __name__ == "__main__":
    sys.exit(main())
