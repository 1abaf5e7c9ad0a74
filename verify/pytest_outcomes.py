"""Run tests of another project in a process of their own, and read how each ended."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

PLAIN = ["-v", "-p", "no:cacheprovider", "-W", "ignore", "-o", "addopts=", "-o", "filterwarnings="]


def outcomes(
    paths: Iterable[Path], folder: Path, *, cwd: Path | None = None, **environment: str
) -> dict[str, str]:
    """Return test -> PASSED, FAILED, SKIPPED or ERROR; refuse a run that did not end by itself.

    Parameters
    ----------
    paths : iterable of Path
        Modules, or folders of them.
    folder : Path
        Goes before all else on the path of imports.
    cwd : Path, optional
        Where the tests run; in ``folder`` if left out.
    **environment
        Variables beside those of this process.
    """
    imports = [str(folder), *filter(None, [os.environ.get("PYTHONPATH")])]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *PLAIN, "--rootdir", str(folder), *map(str, paths)],
        cwd=cwd or folder,
        env={**os.environ, **environment, "PYTHONPATH": os.pathsep.join(imports)},
        text=True,
        capture_output=True,
    )
    if done.returncode not in (0, 1, 2) or "collected 0 items" in done.stdout:
        raise RuntimeError(
            f"pytest ended with {done.returncode}: {(done.stdout + done.stderr)[-2000:]}"
        )
    found = dict(re.findall(r"(\S+::\S+) (PASSED|FAILED|SKIPPED|ERROR)", done.stdout))
    return found | dict.fromkeys(re.findall(r"ERROR (\S+\.py)", done.stdout), "ERROR")
