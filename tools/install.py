"""Build ``.venv`` from nothing, or see at once that it is complete: ``install.py demo|all``.

Needs nothing but Python. A note in ``.venv`` is written when everything is installed, so that an
installation that was broken off is done again.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
# What the main job needs; and every extra but those with licence traps.
EXTRAS = {"demo": "learn", "all": "learn,sky,scale,oracle,docs,dev"}


def main(group: str) -> None:
    """Install the extras of ``group``, unless that was done with these very pins."""
    if sys.version_info < (3, 11):  # noqa: UP036 - this runs under whatever python3 is
        sys.exit(
            f"skywright needs Python 3.11 or newer; {sys.executable} is "
            f"{sys.version.split()[0]}: make PYTHON=python3.12 {group}"
        )
    with open(__file__) as lock:  # two makes at once take turns
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted = {name: _state(name) for name in EXTRAS}
        done = {name for name, state in wanted.items() if _note(name) == state}
        if _usable() and done & {group, "all"}:
            return
        _install(group)
        (VENV / f"installed-{group}").write_text(wanted[group])


def _state(group: str) -> str:
    """Return a digest of everything the installation depends on."""
    digest = hashlib.sha256(f"{ROOT} {EXTRAS[group]}".encode())
    for name in ("pyproject.toml", "constraints.txt"):
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def _note(group: str) -> str:
    path = VENV / f"installed-{group}"
    return path.read_text() if path.exists() else ""


def _usable() -> bool:
    test = "import sys, pip; sys.exit(sys.version_info < (3, 11))"
    return PYTHON.exists() and subprocess.run([PYTHON, "-c", test], check=False).returncode == 0


def _install(group: str) -> None:
    if not _usable():
        shutil.rmtree(VENV, ignore_errors=True)
        print("making .venv", flush=True)
        _run(sys.executable, "-m", "venv", str(VENV))
    for group_note in EXTRAS:
        (VENV / f"installed-{group_note}").unlink(missing_ok=True)
    print(f"installing skywright[{EXTRAS[group]}]; this takes minutes, once", flush=True)
    _pip("--upgrade", "pip")
    # First and by itself: whichever build of torch pip is set up to find, CPU or CUDA, stays.
    _pip("-c", "constraints.txt", "torch")
    _pip("-c", "constraints.txt", "-e", f".[{EXTRAS[group]}]")
    _run(PYTHON, "-m", "pip", "check", quiet=True)


def _pip(*arguments: str) -> None:
    _run(PYTHON, "-m", "pip", "install", "--quiet", *arguments)


def _run(*command: str | Path, quiet: bool = False) -> None:
    environment = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    out = subprocess.DEVNULL if quiet else None
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=out, check=False)
    if done.returncode:
        text = " ".join(str(part) for part in command)
        advice = ": does this Python have venv? (Debian: apt install python3-venv)"
        sys.exit(f"{text} failed{advice if 'venv' in command else ''}")


if __name__ == "__main__":
    main(sys.argv[1])
