"""What stands between the recall of bright arcs and its aim: training, galaxies, or impostors.

The same arcs and impostors are given to the same kind of network twice: on their galaxies, and as
painted light alone, on independent noise in which they have the S/N that they were painted for, as
if galaxies and neighbours had been taken away without a trace. Networks start from what lookalikes
teach, and on galaxies from random weights, too. Some learn from eight times as many arcs and
impostors on the same galaxies, in one of the folds. One network a fold, every figure out of fold;
each is judged with all negatives, of which two in five carry an impostor, with one in five, and
with none.
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

from skywright.data import Images, artefacts, cross_fit, sky_regions
from skywright.find import predict
from skywright.flow.runs import node_folder
from skywright.learn import fit
from skywright.nets import PolarResNet
from skywright.sky import painted_light
from skywright.trust import bootstrap_groups
from skywright.trust.measures import measure, summarise
from skywright.trust.sample import read_sample

FOLDS = 4
MANY = 40_000
FEWER = 0.375  # of the impostors: they are one in five negatives then, the share that was asked for
FOLDS_OF_MANY = 1  # time
ASKED = ("recall_bright", "recall_snr_50_100", "recall", "auroc")


def main() -> int:
    place = ROOT / ".skywright" / "verify"
    place.mkdir(parents=True, exist_ok=True)
    made = {
        only: run("lens-search", "--preset", "small", "--only", only, cwd=place)["run"]
        for only in ("painted", "pretrained")
    }
    more = run(
        "lens-search", "--preset", "small", "--set", f"n={MANY}", "--only", "painted", cwd=place
    )
    arms = {
        "many_pretrained": (more["run"], "on_galaxies", True),
        "many_light_alone_pretrained": (more["run"], "light_alone", True),
        "on_galaxies": (made["painted"], "on_galaxies", False),
        "on_galaxies_pretrained": (made["painted"], "on_galaxies", True),
        "light_alone_pretrained": (made["painted"], "light_alone", True),
    }
    jobs = [
        (name, *arm, made["pretrained"], fold)
        for name, arm in arms.items()
        for fold in range(FOLDS_OF_MANY if name.startswith("many") else FOLDS)
    ]
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        scored = list(pool.map(out_of_fold, *zip(*jobs, strict=True)))
    results: dict[str, dict[str, Any]] = {}
    for name, (folder, _, _) in arms.items():
        found = [part for (job, *_), part in zip(jobs, scored, strict=True) if job == name]
        results |= by_impostors(name, load(folder, "systems"), found)
    asked = {key: {name: found[key] for name, found in results.items()} for key in ASKED}
    record("recall-bound", {"many": MANY, **asked})
    # The easier task has to be the easier one, or the comparison says nothing.
    bright = asked["recall_bright"]
    return int(bright["light_alone_pretrained"]["low"] < bright["on_galaxies_pretrained"]["high"])


def by_impostors(
    name: str, systems: Any, found: list[tuple[np.ndarray, np.ndarray]]
) -> dict[str, dict[str, Any]]:
    """Judge the rows and logits of all folds with all impostors, with fewer, and with none."""
    scores = np.full(len(systems), np.nan)
    for rows, logits in found:
        scores[rows] = logits
    known = np.isfinite(scores)
    plain = np.asarray(systems["label"]).astype(bool) | (systems["kind"] == "untouched")
    some = plain | (np.random.default_rng(2).random(len(systems)) < FEWER)
    results = {}
    for share, kept in (("", known), ("_fewer_impostors", some), ("_without_impostors", plain)):
        results[f"{name}{share}"] = judged(scores[known & kept], systems[known & kept])
        print(f"{name}{share}", results[f"{name}{share}"]["recall_bright"], flush=True)
    return results


def out_of_fold(
    _: str, folder: str, light: str, warm: bool, teacher: str, fold: int
) -> tuple[np.ndarray, np.ndarray]:
    """Train one network, and return the rows that it never saw with their logits."""
    torch.set_num_threads(1)
    images, labels = sample(folder, light)
    roles = roles_of(folder, fold)
    model = fit(
        PolarResNet,
        images=images,
        labels=labels,
        roles=roles,
        options={"width": 8},
        epochs=12,
        start=load(teacher, "pretrained"),
        warm=warm,
    )
    return np.flatnonzero(roles == "test"), predict(model, images, roles=roles).mean


@functools.lru_cache(maxsize=1)
def sample(folder: str, light: str) -> tuple[Images, np.ndarray]:
    """Return the painted cutouts, or their painted light on noise as strong; and the labels."""
    systems, painted = load(folder, "systems"), load(folder, "painted")
    labels = np.asarray(systems["label"])
    if light == "on_galaxies":
        return painted, labels
    spread, cutouts = load(folder, "point_spread"), load(folder, "cutouts")
    variance = np.asarray(painted.variance[:]) * painted.noise_excess[:, None, None, None] ** 2
    noise = np.random.default_rng(0).standard_normal(painted.flux.shape, dtype=np.float32)
    flux = painted_light(cutouts, systems, psf=spread) + noise * np.sqrt(variance)
    return replace(painted, flux=flux.astype(np.float32), variance=variance), labels


def roles_of(folder: str, fold: int) -> np.ndarray:
    """Return the roles of the rows in a fold, as the recipe cuts the sky."""
    galaxies, systems = load(folder, "galaxies"), load(folder, "systems")
    regions = sky_regions(galaxies, n=8)["region"]
    size = load(folder, "painted").flux.shape[-1]
    split = cross_fit(systems["group"], galaxies, regions, fold=fold, folds=FOLDS, size=size)
    return np.asarray(split["role"])


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
