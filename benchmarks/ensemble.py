"""Time an ensemble trained in one pass beside the same nets trained one after the other.

    python benchmarks/ensemble.py

Both in one process on one core, with the same rows, epochs and batches; each the best of three.
Ours runs through `torch.func.vmap`; the members one by one run through the same loop with one
member each, and through a bare loop of torch without Lightning, the fastest there is.
"""

from __future__ import annotations

import importlib
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from skywright.learn import fit_regression
from skywright.learn.likelihoods import LIKELIHOODS
from skywright.nets import MLP
from skywright.sky import draw_pendulums, pendulum_inputs

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "verify")]
record: Any = importlib.import_module("record").record

ROWS, EPOCHS, BATCH = 9_000, 4, 256
MEMBERS = (1, 5, 10)


def best(work: Callable[[], object]) -> float:
    """Return the seconds of the fastest of three."""
    found = []
    for _ in range(3):
        start = time.perf_counter()
        work()
        found.append(time.perf_counter() - start)
    return min(found)


def bare(inputs: torch.Tensor, targets: torch.Tensor) -> None:
    """Train one net in a loop without anything around it."""
    net, terms = MLP(inputs.shape[1]), LIKELIHOODS["normal"].terms
    optimizer = torch.optim.AdamW(net.parameters(), lr=3e-3)
    for _ in range(EPOCHS):
        for part in torch.randperm(len(inputs)).split(BATCH):
            optimizer.zero_grad()
            terms(net(inputs[part]), targets[part])["nll"].backward()
            optimizer.step()


def main() -> None:
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    drawn = draw_pendulums(round(ROWS / 0.9), rng=np.random.default_rng(0))
    inputs = pendulum_inputs(drawn)
    given: dict[str, Any] = {
        "data": inputs, "values": drawn["gravity"], "roles": drawn["role"],
        "epochs": EPOCHS, "batch": BATCH,
    }  # fmt: skip
    fit_regression(MLP, **given | {"epochs": 1})  # imports Lightning
    columns = [np.asarray(inputs[name].value) for name in inputs.colnames[1:]]
    matrix = torch.from_numpy(np.stack(columns, axis=1)[drawn["role"] == "train"]).float()
    targets = torch.from_numpy(drawn["gravity"].value[drawn["role"] == "train"]).float()
    rows = []
    for members in MEMBERS:
        together = best(lambda m=members: fit_regression(MLP, members=m, **given))
        alone = best(lambda m=members: [fit_regression(MLP, seed=s, **given) for s in range(m)])
        loop = best(lambda m=members: [bare(matrix, targets) for _ in range(m)])
        rows.append(
            {"members": members, "one_pass_seconds": together, "one_by_one_seconds": alone,
             "bare_loop_seconds": loop, "times_faster": alone / together,
             "times_faster_than_bare": loop / together}
        )  # fmt: skip
        print(rows[-1])
    record("ensemble", {"rows": ROWS, "epochs": EPOCHS, "batch": BATCH, "members": rows})


if __name__ == "__main__":
    main()
