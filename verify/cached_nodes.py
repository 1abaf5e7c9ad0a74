"""What the engine adds to a node whose result is in the store, beside joblib's memory of calls.

A chain of additions to a small array, a hundred and a thousand nodes long, is loaded and run until
all is in the store, and then once more. The seconds of the second run, thousand less hundred, are
what a cached node costs: its key, the look into the store, the digest, its line in the run folder.
joblib, which scikit-learn brings, answers the same chain of calls from its own folder.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from joblib import Memory
from record import record

from skywright.flow import load, run

LENGTHS = (100, 1000)
REPEATS = 5
LIMIT_MS = 2.0  # frozen after the first run, with room for a slower machine


def chain(folder: Path, nodes: int) -> Path:
    lines = ["node0: !numpy.arange [10.0]"]
    lines += [f"node{i}: !numpy.add [$node{i - 1}, 1.0]" for i in range(1, nodes)]
    path = folder / f"chain{nodes}.yml"
    path.write_text("\n".join(lines) + "\n")
    return path


def engine_seconds(recipe: Path, workspace: Path) -> tuple[float, list[float]]:
    """Return the seconds of the first run, and those of the repeats."""

    def once() -> float:
        start = time.perf_counter()
        done = run(load(recipe), workspace=workspace, workers=1)
        assert done.state == "done"
        return time.perf_counter() - start

    return once(), [once() for _ in range(REPEATS)]


def joblib_seconds(folder: Path, nodes: int) -> list[float]:
    add = Memory(folder, verbose=0).cache(np.add)

    def once() -> float:
        start = time.perf_counter()
        value = np.arange(10.0)
        for _ in range(1, nodes):
            value = add(value, 1.0)
        return time.perf_counter() - start

    once()
    return [once() for _ in range(REPEATS)]


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        first, again, peer = {}, {}, {}
        for nodes in LENGTHS:
            first[nodes], repeats = engine_seconds(chain(folder, nodes), folder / "workspace")
            again[nodes] = min(repeats)
            peer[nodes] = min(joblib_seconds(folder / f"joblib{nodes}", nodes))

    def each(seconds: dict[int, float]) -> float:
        short, long = LENGTHS
        return 1000 * (seconds[long] - seconds[short]) / (long - short)

    figures = {
        "computed_node_ms": each(first),
        "cached_node_ms": each(again),
        "joblib_cached_call_ms": each(peer),
        "ratio_to_joblib": each(again) / each(peer),
        "run_of_100_cached_nodes_s": again[LENGTHS[0]],
    }
    for key, value in figures.items():
        print(f"{key}: {value:.3f}")
    record("cached-nodes", figures)
    return int(figures["cached_node_ms"] > LIMIT_MS)


if __name__ == "__main__":
    sys.exit(main())
