"""Kill the first training of a search after two epochs; the next run ends with the same digests."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import torch
from record import ROOT, record
from run_recipe import COMMAND, digests, run

NODE = "net[fold=0,seed=0]"
ARGUMENTS = ("lens-search", "--preset", "small", "--only", NODE)


def epochs_done(place: Path) -> int:
    """Return how many epochs the checkpoint in a scratch folder holds."""
    for path in (place / ".skywright" / "scratch").glob("*/last.ckpt"):
        try:
            return int(torch.load(path, weights_only=True)["epoch"]) + 1
        except (OSError, RuntimeError, EOFError):
            return 0
    return 0


def start(place: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [COMMAND, "run", *ARGUMENTS], cwd=place, start_new_session=True, stderr=subprocess.DEVNULL
    )


def kill_after_epoch_two(place: Path) -> int:
    process = start(place)
    while epochs_done(place) < 2:
        if process.poll() is not None:
            raise SystemExit("the run ended before it could be killed")
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return epochs_done(place)


def first_epoch_after(place: Path, before: int) -> int:
    """Start again and return the first epoch that the resumed training finishes."""
    process = start(place)
    seen = before
    while process.poll() is None and seen <= before:
        seen = epochs_done(place) or seen
        if 0 < seen < before:
            break
        time.sleep(0.02)
    if process.wait() != 0:
        raise SystemExit("the resumed run failed")
    return seen


def main() -> int:
    places = [ROOT / ".skywright" / name for name in ("verify-whole", "verify-killed")]
    for place in places:
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
    whole, killed = places
    undisturbed = run(*ARGUMENTS, cwd=whole)
    at_kill = kill_after_epoch_two(killed)
    resumed_with = first_epoch_after(killed, at_kill)
    resumed = run(*ARGUMENTS, cwd=killed)
    same = digests(undisturbed) == digests(resumed)
    print(f"killed with {at_kill} epochs done, resumed run finished epoch {resumed_with} first")
    print(f"digests of all {len(undisturbed['nodes'])} nodes identical: {same}")
    record(
        "resume",
        {
            "command": "skywright run " + " ".join(ARGUMENTS),
            "epochs_done_at_kill": at_kill,
            "first_epoch_after": resumed_with,
            "digests_identical": same,
            "seconds_undisturbed": undisturbed["wall"],
        },
    )
    return int(not same or resumed_with <= at_kill)


if __name__ == "__main__":
    sys.exit(main())
