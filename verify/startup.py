"""How light the package is to start: seconds of ``--help``, and what ``import skywright`` loads."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from record import record

COMMAND = Path(sys.executable).parent / "skywright"
HEAVY = ("torch", "matplotlib", "lightning", "sklearn", "astropy", "numpy")


def seconds_of_help() -> float:
    start = time.perf_counter()
    subprocess.run([COMMAND, "--help"], check=True, capture_output=True)
    return time.perf_counter() - start


def loaded_by_import() -> list[str]:
    code = f"import sys, skywright; print(*[m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return done.stdout.split()


def main() -> int:
    seconds_of_help()
    best = min(seconds_of_help() for _ in range(5))
    loaded = loaded_by_import()
    print(f"skywright --help: {best:.3f} s (best of five, warm); limit 0.3 s")
    print(f"import skywright loads of {', '.join(HEAVY)}: {', '.join(loaded) or 'none'}")
    record("startup", {"help_seconds": best, "heavy_modules_loaded": loaded})
    return int(best > 0.3 or "torch" in loaded or "matplotlib" in loaded)


if __name__ == "__main__":
    sys.exit(main())
