"""A network taught with shuffled labels has to end at chance: then nothing leaks by another way.

Labels are shuffled over all rows; the network is trained, chosen and calibrated on those. It is
then judged on its test regions against the true labels and against the shuffled ones.
"""

from __future__ import annotations

import sys

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
    made = run("lens-search", "--preset", "small", "--only", "split", cwd=place)

    def node(name: str) -> object:
        return artefacts.load(place / made["run"] / node_folder(name))

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
