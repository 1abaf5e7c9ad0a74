"""The recipe ``pendulum``: does each method know what it does not know, judged by the exact answer.

Runs the preset ``small`` (three widths of the noise, two seeds) and keeps what the report says of
every method at each width. The ensemble has to reach everything that is asked at the widest noise;
what the other methods miss is written down, not hidden.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from record import ROOT, record
from run_recipe import run

KEYS = ("widest_0_05", "widest_0_1", "widest_0_2")
SHOWN = ("mse", "mse_ratio", "nll", "nll_gap", "nll_gap_normal", "crps", "coverage_90",
         "coverage_error", "conformal_error", "conformal_lowest", "conformal_highest", "spearman",
         "correlation", "pit_ks", "sharpness", "aleatoric", "epistemic", "halved_epistemic",
         "halved_aleatoric")  # fmt: skip
MUST = "ensemble"


def main() -> int:
    place = ROOT / ".skywright" / "verify"
    place.mkdir(parents=True, exist_ok=True)
    made = run("pendulum", "--preset", "small", cwd=place, check=False)
    report = json.loads((Path(made["run"]) / "report.json").read_text())
    results, evidence = report["results"], report["evidence"]
    methods = ["exact", "propagation", *evidence["methods"]]
    missed = [check for check in evidence["checks"] if not check["passed"]]
    figures: dict[str, Any] = {
        "verdict": report["verdict"],
        "wall_seconds": made["wall"],
        **{key: _table(results, methods, key) for key in KEYS},
        "beyond": {key: _beyond(results, methods, key) for key in KEYS},
        "missed": [{k: check[k] for k in check if k != "passed"} for check in missed],
        "published": _published(results, evidence["published"]),
        "warnings": evidence["warnings"] or {"none": "no fit warned of anything"},
    }
    print(json.dumps(figures, indent=1, default=float))
    record("pendulum", figures)
    faults = [c for c in missed if c["method"] == MUST and c["data"] == KEYS[-1]]
    alarm = results[f"alarm.{KEYS[-1]}.auroc.length 1.2-1.6"]["value"]
    print("missed by the ensemble:", faults, "alarm:", alarm)
    return len(faults) + (alarm < 0.95) + made["exit"]


def _table(results: dict[str, Any], methods: list[str], key: str) -> list[dict[str, Any]]:
    """Return a row a method."""
    return [
        {"method": m}
        | {n: results[f"{m}.{key}.{n}"]["value"] for n in SHOWN if f"{m}.{key}.{n}" in results}
        for m in methods
    ]


def _beyond(results: dict[str, Any], methods: list[str], key: str) -> list[dict[str, Any]]:
    """Return the coverage of 90 % intervals, and the alarm, in each set beyond the training."""
    start = f"alarm.{key}.auroc."
    return [
        {"set": name.removeprefix(start), "alarm_auroc": results[name]["value"]}
        | {
            m: results[f"{m}.{key}.coverage_90.{name.removeprefix(start)}"]["value"]
            for m in methods
            if m != "exact"
        }
        for name in results
        if name.startswith(start)
    ]


def _published(results: dict[str, Any], published: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the paper's figures beside ours and the exact ones."""
    rows = []
    for method, theirs in published.items():
        for name, value in theirs.items():
            key, _, what = name.partition(".")
            exact = results.get(f"exact.{name}")
            rows.append(
                {"method": method, "noise": key, "figure": what, "paper": value,
                 "ours": results[f"{method}.{name}"]["value"],
                 "exact": exact["value"] if exact else None}
            )  # fmt: skip
    return rows


if __name__ == "__main__":
    sys.exit(main())
