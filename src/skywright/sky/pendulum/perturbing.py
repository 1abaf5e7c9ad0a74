"""What goes wrong in a laboratory: another ruler, another clock, a swing that was missed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from astropy.table import QTable, vstack

from skywright.sky.pendulum.drawing import SWINGS, pendulum_inputs

__all__ = ["perturb_pendulums", "reverse_swings"]

SEVERITIES = {
    "ruler": (0.01, 0.05),
    "clock": (0.01, 0.05),
    "timing": (0.05, 0.1),
    "missed": (1, 2),
}


def perturb_pendulums(
    pendulums: QTable,
    rng: np.random.Generator,
    *,
    role: str = "inside",
    n: int = 1000,
    severities: Mapping[str, Sequence[float]] = SEVERITIES,
) -> dict[str, Any]:
    """Measure some pendulums again with every fault, at every severity.

    Parameters
    ----------
    pendulums : QTable
        From `draw_pendulum_tests`.
    rng : Generator
        Chooses pendulums and draws noise.
    role : str
        The set that they are chosen from.
    n : int
        How many of them; all when there are fewer.
    severities : mapping
        Kind -> severities: ``ruler`` and ``clock``, the share by which every length or period
        reads too long; ``timing``, relative scatter that is added to each period; ``missed``, how
        many of the ten periods are twice as long, because a swing was not counted.

    Returns
    -------
    dict
        ``inputs``: what an observer knows, numbered from 0 in ``object_id``; ``key``: table with
        ``object_id``, ``original`` (identifier of the pendulum), ``kind`` and ``severity``.
    """
    rows = np.flatnonzero(np.asarray(pendulums["role"]) == role)
    chosen = pendulums[np.sort(rng.permutation(rows)[:n])]
    inputs, keys = [], []
    for kind, steps in severities.items():
        for severity in steps:
            inputs.append(_measure_again(pendulum_inputs(chosen), kind, float(severity), rng))
            original = np.asarray(chosen["object_id"])
            keys.append(QTable({"original": original, "kind": np.full(len(chosen), kind),
                                "severity": np.full(len(chosen), float(severity))}))  # fmt: skip
    table, key = vstack(inputs), vstack(keys)
    table["object_id"] = np.arange(len(table))
    key.add_column(np.arange(len(table)), index=0, name="object_id")
    return {"inputs": table, "key": key}


def _measure_again(
    pendulums: QTable, kind: str, severity: float, rng: np.random.Generator
) -> QTable:
    periods = [f"period_{i}" for i in range(SWINGS)]
    if kind == "ruler":
        pendulums["length"] = pendulums["length"] * (1 + severity)
        return pendulums
    if kind == "missed":
        factor = np.where(np.arange(SWINGS) < severity, 2.0, 1.0)
        factors = rng.permuted(np.tile(factor, (len(pendulums), 1)), axis=1)
    elif kind == "clock":
        factors = np.full((len(pendulums), SWINGS), 1 + severity)
    elif kind == "timing":
        factors = 1 + severity * rng.normal(size=(len(pendulums), SWINGS))
    else:
        raise ValueError(f"kind is {kind!r}; expected one of {', '.join(SEVERITIES)}")
    for name, factor in zip(periods, factors.T, strict=True):
        pendulums[name] = pendulums[name] * factor
    return pendulums


def reverse_swings(pendulums: QTable) -> QTable:
    """Return the same measurements, written down from the last swing to the first."""
    turned = pendulums.copy()
    for i in range(SWINGS):
        turned[f"period_{i}"] = pendulums[f"period_{SWINGS - 1 - i}"]
    return turned
