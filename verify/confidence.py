"""Rules U1 to U3 on predictors whose confidence is known: how often they decide right.

Run ``python verify/confidence.py``; it writes docs/measured/confidence.json.

Each rule sees 100 draws of a calibrated predictor, of one that is too sure of itself by a factor
1.5 and of one that is too careful by as much: logits times 1.5 or over 1.5, standard deviations and
widths of posteriors over 1.5 or times 1.5. At least 95 of 100 must be decided right. Milder factors
show the power, 1,000 calibrated draws the chance of a false alarm.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from record import record
from scipy.special import expit, softmax

from skywright.trust import (
    decide_classification,
    decide_posterior,
    decide_regression,
    sbc_ranks,
    tarp,
)
from skywright.trust.resampling import wilson

DRAWS, CALIBRATED = 100, 1000
WANTED = 95
FACTOR = 1.5
MILD = (1.3, 1.2, 1.1, 1.05)

Decide = Callable[[float, np.random.Generator], str]


def two_classes(objects: int, prevalence_logit: float) -> Decide:
    """Return the rule on binary logits that scatter by 2."""

    def decide(factor: float, rng: np.random.Generator) -> str:
        logits = rng.normal(prevalence_logit, 2, objects)
        labels = rng.random(objects) < expit(logits)
        return str(decide_classification(expit(factor * logits), labels)["decision"])

    return decide


def three_classes(factor: float, rng: np.random.Generator) -> str:
    logits = rng.normal(0, 2, (2000, 3))
    labels = (softmax(logits, axis=1).cumsum(axis=1) < rng.random((2000, 1))).sum(axis=1)
    return str(decide_classification(softmax(factor * logits, axis=1), labels)["decision"])


def grouped(factor: float, rng: np.random.Generator) -> str:
    """Five rows of each galaxy that share half of the variance of their error."""
    groups = np.repeat(np.arange(400), 5)
    error = (rng.normal(size=400)[groups] + rng.normal(size=2000)) / np.sqrt(2)
    sd = np.full(2000, 1 / factor)
    return str(decide_regression(error, np.zeros(2000), sd, groups=groups)["decision"])


def numbers(factor: float, rng: np.random.Generator) -> str:
    sd = rng.lognormal(0, 0.5, 2000)
    return str(decide_regression(rng.normal(0, sd), np.zeros(2000), sd / factor)["decision"])


def posteriors(factor: float, rng: np.random.Generator) -> str:
    """500 simulated data sets, 200 draws of three parameters, correlated by one half."""
    root = np.linalg.cholesky(0.5 + 0.5 * np.eye(3))
    centre = rng.normal(0, 2, (500, 1, 3))
    truth = centre[:, 0] + rng.normal(size=(500, 3)) @ root.T
    samples = centre + rng.normal(size=(500, 200, 3)) @ root.T / factor
    values = tarp(truth, samples, rng)
    return str(decide_posterior(sbc_ranks(truth, samples), 200, rng, tarp=values)["decision"])


RULES: dict[str, Decide] = {
    "U1, two classes, 2,000 objects, a third positive": two_classes(2000, -1.5),
    "U1, two classes, 20,000 objects, 1 in 50 positive": two_classes(20_000, -6.0),
    "U1, three classes, 2,000 objects": three_classes,
    "U2, 2,000 objects": numbers,
    "U2, 400 galaxies with five rows each": grouped,
    "U3, 500 posteriors of three parameters": posteriors,
}


def judge(decide: Decide, seed: int) -> dict[str, Any]:
    """Return how often a rule decides right, by factor, and its false alarms."""

    def count(factor: float, wanted: str, draws: int = DRAWS) -> int:
        return sum(
            decide(factor, np.random.default_rng([seed, round(1000 * factor), i])) == wanted
            for i in range(draws)
        )

    found: dict[str, Any] = {
        "calibrated": count(1.0, "calibrated"),
        "overconfident": count(FACTOR, "overconfident"),
        "underconfident": count(1 / FACTOR, "underconfident"),
    }
    alarms = 1 - count(1.0, "calibrated", CALIBRATED) / CALIBRATED
    low, high = wilson(alarms, CALIBRATED)
    found |= {"false_alarms": alarms, "false_alarms_low": low, "false_alarms_high": high}
    for factor in MILD:
        found[f"over by {factor}"] = count(factor, "overconfident")
        found[f"under by {factor}"] = count(1 / factor, "underconfident")
    return found


def main() -> None:
    rows = []
    for seed, (name, decide) in enumerate(RULES.items()):
        rows.append({"quantity": name, **judge(decide, seed)})
        print(rows[-1], flush=True)
    record("confidence", {"right_of_100": rows})
    bad = [
        f"{row['quantity']}: {kind} {row[kind]} of {DRAWS}"
        for row in rows
        for kind in ("calibrated", "overconfident", "underconfident")
        if row[kind] < WANTED
    ]
    if bad:
        sys.exit("decided right too seldom: " + "; ".join(bad))


if __name__ == "__main__":
    main()
