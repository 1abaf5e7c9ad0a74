"""``skywright run`` on a file of deeplenstronomy: numbers of images, the same bits, two workers.

Reads the published demonstration from ``SKYWRIGHT_DATA``, under the conditions of DES.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import h5py
from record import record
from run_recipe import COMMAND, digests, run

from skywright import flow
from skywright.sky.deeplenstronomy import lens_recipe

DEMO = Path(os.environ["SKYWRIGHT_DATA"]) / "deeplenstronomy" / "demo.yaml"
FRACTIONS = dict.fromkeys((f"CONFIGURATION_{i}" for i in (1, 2, 3, 4)), 0.25)
SIZES = (7, 50, 97)
SIZE = 384  # of the runs whose bits are compared
TIMED, TURNS = 512, 2  # of the runs that are timed, and how often
LEAST_GAIN = 1.7  # of two workers over one


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        figures = {**count_images(place), **same_bits(place), **two_workers(place)}
    figures["load"] = os.getloadavg()[0]
    for name, value in figures.items():
        print(f"{name}: {value}")
    record("lens_dataset", figures)
    assert figures["two_workers_over_one"] >= LEAST_GAIN, figures["two_workers_over_one"]


def command(size: int, *others: str) -> list[str]:
    return [str(DEMO), "--survey", "des", "--set", f"DATASET.PARAMETERS.SIZE={size}", *others]


def fresh(place: Path, name: str) -> Path:
    folder = place / name
    folder.mkdir()
    return folder


def count_images(place: Path) -> dict[str, Any]:
    """Compare the images in the files of a run with int(SIZE * FRACTION)."""
    counted = 0
    for size in SIZES:
        here = fresh(place, f"count{size}")
        run(*command(size, "-o", "out"), cwd=here)
        for label, fraction in FRACTIONS.items():
            with h5py.File(here / "out" / "artefacts" / f"{label}_images" / "images.h5") as file:
                found = len(file["object_id"])
            assert found == int(size * fraction), (size, label, found)
            counted += found
    return {"data_sets_counted": len(SIZES), "images_counted": counted, "wrong_numbers": 0}


def same_bits(place: Path) -> dict[str, Any]:
    """Compare digests for no, one and two workers, after a kill, and for other blocks."""
    runs = {
        f"workers{n}": digests(run(*command(SIZE, "--workers", str(n)), cwd=fresh(place, f"w{n}")))
        for n in (0, 1, 2)
    }
    blocks, runs["killed"] = killed(fresh(place, "killed"))
    images = {name: {k: v for k, v in found.items() if k.endswith("_images")}
              for name, found in runs.items()}  # fmt: skip
    images["blocks_of_17"] = in_blocks(fresh(place, "blocks"), 17)
    assert all(found == images["workers0"] for found in images.values()), images
    tables = {name: {k: v for k, v in found.items() if "complete" in k}
              for name, found in runs.items()}  # fmt: skip
    assert all(found == tables["workers0"] for found in tables.values()), tables
    return {
        "runs_compared": len(images),
        "images_in_each": SIZE,
        "digests_that_differ": 0,
        "blocks_kept_when_killed": blocks,
    }


def killed(place: Path) -> tuple[int, dict[str, str]]:
    """Kill a run with signal 9 once some blocks are stored; return those, and how it ends then."""
    process = subprocess.Popen(
        [COMMAND, "run", *command(SIZE, "--workers", "1"), "--json"],
        cwd=place,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
    )
    while blocks_in(place) < 2:
        if process.poll() is not None:
            raise SystemExit("the run ended before it could be killed")
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    kept = blocks_in(place)
    return kept, digests(run(*command(SIZE, "--workers", "1"), cwd=place))


def blocks_in(place: Path) -> int:
    return len(list((place / ".skywright").rglob("images.h5")))


def in_blocks(place: Path, rows: int) -> dict[str, str]:
    """Return digests of the images in blocks of another size."""
    changes = {"DATASET.PARAMETERS.SIZE": SIZE}
    text = lens_recipe(DEMO, survey="des", changes=changes, rows=rows)
    (place / "blocks.yml").write_text(text)
    done = flow.run(flow.load(place / "blocks.yml"), workers=0, workspace=place / "store")
    return {k: v["digest"] for k, v in done.nodes.items() if k.endswith("_images")}


def two_workers(place: Path) -> dict[str, Any]:
    """Time one and two workers in turn, the best of each: others may use the machine.

    What a run of a few images takes is subtracted.
    """
    walls: dict[tuple[int, int], float] = {}
    for turn in range(TURNS):
        for workers in (1, 2):
            for size in (8, TIMED):
                here = fresh(place, f"{size}_{workers}_{turn}")
                took = run(*command(size, "--workers", str(workers)), cwd=here)["wall"]
                walls[size, workers] = min(took, walls.get((size, workers), took))
    rates = {n: (TIMED - 8) / (walls[TIMED, n] - walls[8, n]) for n in (1, 2)}
    return {
        "sets_per_second_of_one_worker": rates[1],
        "sets_per_second_of_two_workers": rates[2],
        "two_workers_over_one": rates[2] / rates[1],
    }


if __name__ == "__main__":
    main()
