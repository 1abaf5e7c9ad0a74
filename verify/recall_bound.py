"""What stands between the recall of bright arcs and its aim: training, galaxies, or impostors.

The same arcs and impostors are given to the same kind of network twice: on their galaxies, and as
painted light alone, on independent noise in which they have the S/N that they were painted for, as
if galaxies and neighbours had been taken away without a trace. Both are trained as long as the
preset trains, and with about three times the work; one network a fold, every figure out of fold.
Each is judged with all negatives, and without those that carry an impostor.
"""

from __future__ import annotations

import functools
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
from record import ROOT, record
from run_recipe import run

from skywright.data import Images, artefacts
from skywright.find import predict
from skywright.flow.runs import node_folder
from skywright.learn import fit
from skywright.nets import PolarResNet
from skywright.sky import painted_light
from skywright.trust import bootstrap_groups
from skywright.trust.measures import measure, summarise
from skywright.trust.sample import read_sample

FOLDS = 4
TRAININGS = {"preset": {"width": 8, "epochs": 12}, "long": {"width": 16, "epochs": 16}}
ASKED = ("recall_bright", "recall_snr_50_100", "recall", "auroc")


def main() -> int:
    place = ROOT / ".skywright" / "verify"
    place.mkdir(parents=True, exist_ok=True)
    made = {
        only: run("lens-search", "--preset", "small", "--only", only, cwd=place)["run"]
        for only in ("painted", "split")
    }
    jobs = [
        (made, light, training, fold)
        for training in reversed(TRAININGS)
        for light in ("on_galaxies", "light_alone")
        for fold in range(FOLDS)
    ]
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        scored = list(pool.map(out_of_fold, *zip(*jobs, strict=True)))
    systems = load(made["painted"], "systems")
    scores: dict[str, np.ndarray] = {}
    for (_, light, training, _), (rows, logits) in zip(jobs, scored, strict=True):
        scores.setdefault(f"{light}_{training}", np.full(len(systems), np.nan))[rows] = logits
    plain = np.asarray(systems["label"]).astype(bool) | (systems["kind"] == "untouched")
    results: dict[str, dict[str, Any]] = {}
    for name, values in scores.items():
        results[name] = judged(values, systems)
        results[f"{name}_without_impostors"] = judged(values[plain], systems[plain])
        print(name, *(results[n]["recall_bright"] for n in (name, f"{name}_without_impostors")))
    asked = {key: {name: found[key] for name, found in results.items()} for key in ASKED}
    record("recall-bound", {"trainings": TRAININGS, **asked})
    # The easier task has to be the easier one, or the comparison says nothing.
    bright = asked["recall_bright"]
    return int(bright["light_alone_long"]["low"] < bright["on_galaxies_long"]["high"])


def out_of_fold(
    made: dict[str, str], light: str, training: str, fold: int
) -> tuple[np.ndarray, np.ndarray]:
    """Train one network, and return the rows that it never saw with their logits."""
    torch.set_num_threads(1)
    options = TRAININGS[training]
    images, labels = sample(made["painted"], light)
    roles = np.asarray(load(made["split"], f"split[fold={fold}]")["role"])
    model = fit(
        PolarResNet,
        images=images,
        labels=labels,
        roles=roles,
        options={"width": options["width"]},
        epochs=options["epochs"],
    )
    return np.flatnonzero(roles == "test"), predict(model, images, roles=roles).mean


@functools.cache
def sample(painted_run: str, light: str) -> tuple[Images, np.ndarray]:
    """Return the painted cutouts, or their painted light on noise as strong; and the labels."""
    systems, painted = load(painted_run, "systems"), load(painted_run, "painted")
    labels = np.asarray(systems["label"])
    if light == "on_galaxies":
        return painted, labels
    spread, cutouts = load(painted_run, "point_spread"), load(painted_run, "cutouts")
    variance = np.asarray(painted.variance[:]) * painted.noise_excess[:, None, None, None] ** 2
    noise = np.random.default_rng(0).standard_normal(painted.flux.shape, dtype=np.float32)
    flux = painted_light(cutouts, systems, psf=spread) + noise * np.sqrt(variance)
    return replace(painted, flux=flux.astype(np.float32), variance=variance), labels


def judged(scores: np.ndarray, systems: Any) -> dict[str, Any]:
    """Return recalls at the budget of the recipe, with intervals that resample galaxies."""
    truth = read_sample(systems, prevalence=0.005, budget=0.02)
    counts = bootstrap_groups(truth.groups, 1000, np.random.default_rng(1))
    results = summarise(measure(scores, truth, counts), truth)
    return {name: results[name] for name in ASKED}


def load(folder: str, node: str) -> Any:
    return artefacts.load(Path(folder) / node_folder(node))


if __name__ == "__main__":
    sys.exit(main())
