"""A network taught with shuffled labels has to end at chance: then nothing leaks by another way.

Labels are shuffled over all rows; the network is trained, chosen and calibrated on those. It is
then judged on its test regions against the true labels and against the shuffled ones.
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
from skywright.nets import ResNet
from skywright.trust import shuffled_label_auroc


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
    rng = np.random.default_rng(1)
    truth, groups = np.asarray(systems["label"]), np.asarray(systems["group"])
    shuffled = rng.permutation(truth)
    rows, scores = [], []
    for fold in range(4):
        roles = np.asarray(node(f"split[fold={fold}]")["role"])
        model = fit(ResNet, images=painted, labels=shuffled, roles=roles, epochs=8, seed=fold)
        rows.append(np.flatnonzero(roles == "test"))
        scores.append(predict(model, painted, roles=roles).mean)
    tested, logits = np.concatenate(rows), np.concatenate(scores)
    figures = {
        name: shuffled_label_auroc(logits, labels[tested], groups[tested], rng=rng)
        for name, labels in (("against_shuffled", shuffled), ("against_true", truth))
    }
    for name, figure in figures.items():
        print(name, figure)
    record("shuffled-labels", figures)
    return int(not figures["against_shuffled"]["passed"])


if __name__ == "__main__":
    sys.exit(main())
