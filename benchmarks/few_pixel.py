"""Time the few-pixel attack with whole populations in one pass, beside one image at a time.

    python benchmarks/few_pixel.py

Both run in one process on one thread with the same net (verify/small_galaxies.py), images, budget
and search (SciPy's differential evolution); queries are scored in one call a generation, or in one
call each, as torchattacks and ART do. On a graphics card the gap is wider. Seconds are those of the
processor, so that others on the machine do not count; turns alternate and the best of three counts.
"""

from __future__ import annotations

import importlib
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from skywright.trust import attack_few_pixels, pixel_budget

sys.path.insert(0, str(Path(__file__).parents[1] / "verify"))
record: Any = importlib.import_module("record").record
galaxies: Any = importlib.import_module("small_galaxies")

LEAST_RATIO = 3.0
IMAGES, GENERATIONS, POPULATION = 3, 10, 100


def one_by_one(net: torch.nn.Module, flux: np.ndarray) -> np.ndarray:
    return np.concatenate([galaxies.scores(net, image[None]) for image in flux])


def rate(classify: Any, flux: np.ndarray, kinds: np.ndarray, data: np.ndarray) -> float:
    """Return queries per second of attacks that cannot succeed, so that all are made."""
    budget = pixel_budget(data, 1, electrons=1.0, gain=1.0)
    start = time.process_time()
    result = attack_few_pixels(
        classify,
        flux,
        kinds,
        budget,
        np.random.default_rng(0),
        population=POPULATION,
        generations=GENERATIONS,
    )
    return float(result["queries"].sum() / (time.process_time() - start))


def main() -> None:
    torch.set_num_threads(1)
    images, kinds = galaxies.draw_galaxies(600, np.random.default_rng(0))
    net = galaxies.train(images, kinds, epochs=4)
    flux = np.asarray(images.flux)
    right = np.flatnonzero(galaxies.scores(net, flux).argmax(axis=1) == kinds)[:IMAGES]
    rates: dict[str, list[float]] = {"batched": [], "one_by_one": []}
    for _ in range(3):
        for name, function in (("batched", galaxies.scores), ("one_by_one", one_by_one)):
            done = rate(partial(function, net), flux[right], kinds[right], flux)
            rates[name].append(done)
    batched, single = max(rates["batched"]), max(rates["one_by_one"])
    figures: dict[str, Any] = {
        "queries_per_second": batched,
        "queries_per_second_one_by_one": single,
        "times_faster": batched / single,
        "times_faster_in_each_turn": [
            a / b for a, b in zip(rates["batched"], rates["one_by_one"], strict=True)
        ],
        "population": POPULATION,
    }
    for name, value in figures.items():
        print(f"{name}: {value}")
    record("few_pixel_speed", figures)
    assert figures["times_faster"] >= LEAST_RATIO, figures["times_faster"]


if __name__ == "__main__":
    main()
