"""Networks taught with shuffled labels have to end at chance: then nothing leaks by another way.

Labels are shuffled over all rows, several times; networks are trained, chosen and calibrated on
those, and judged on their test regions against the shuffled and against the true labels.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from record import ROOT, record
from run_recipe import run

from skywright.data import artefacts
from skywright.find import predict
from skywright.flow.runs import node_folder
from skywright.learn import fit
from skywright.nets import PolarResNet
from skywright.trust import shuffled_label_auroc

SHUFFLES = 5


def main() -> int:
    place = ROOT / ".skywright" / "verify"
    place.mkdir(parents=True, exist_ok=True)
    made = {
        only: Path(run("lens-search", "--preset", "small", "--only", only, cwd=place)["run"])
        for only in ("painted", "split")
    }

    def node(name: str) -> object:
        home = made["split" if name.startswith("split") else "painted"]
        return artefacts.load(home / node_folder(name))

    systems, painted = node("systems"), node("painted")
    truth = np.asarray(systems["label"])
    shuffled = np.stack([np.random.default_rng(i).permutation(truth) for i in range(SHUFFLES)])
    scores, folds = np.full(shuffled.shape, np.nan), np.full(len(truth), -1)
    for i, labels in enumerate(shuffled):
        for fold in range(4):
            roles = np.asarray(node(f"split[fold={fold}]")["role"])
            model = fit(
                PolarResNet,
                images=painted,
                labels=labels,
                roles=roles,
                options={"width": 8},
                epochs=8,
                seed=i,
            )
            folds[roles == "test"] = fold
            scores[i, roles == "test"] = predict(model, painted, roles=roles).mean
    figures = {
        "against_shuffled": shuffled_label_auroc(scores, shuffled, folds),
        "against_true": shuffled_label_auroc(scores, truth, folds),
    }
    for name, figure in figures.items():
        print(name, figure)
    record("shuffled-labels", figures)
    return sum(not figure["passed"] for figure in figures.values())


if __name__ == "__main__":
    sys.exit(main())
