"""Bring the tables of a regression into one order: truth and what each method said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from astropy.table import QTable

__all__ = ["Said", "Truth", "key_of", "level_of", "read_predictions", "read_truth"]


@dataclass(frozen=True)
class Truth:
    """The true values of all sets of one level.

    Parameters
    ----------
    object_id, values, roles : (n,)
        Identifier, true value and set of each row.
    """

    object_id: np.ndarray
    values: np.ndarray
    roles: np.ndarray

    @property
    def inside(self) -> dict[str, Any]:
        """Return identifiers and values of the rows that are like the training."""
        rows = self.roles == "inside"
        return {"object_id": self.object_id[rows], "value": self.values[rows]}

    @property
    def beyond(self) -> list[str]:
        """Return the names of the sets that are not like the training."""
        return [n for n in dict.fromkeys(self.roles.tolist()) if n not in ("inside", "calibration")]


@dataclass(frozen=True)
class Said:
    """What one seed of a method said, in the order of the truth.

    Parameters
    ----------
    mean, aleatoric, epistemic : (n,)
        The two parts add in quadrature.
    samples : (n, sample), optional
        Of the predicted distribution.
    """

    mean: np.ndarray
    aleatoric: np.ndarray
    epistemic: np.ndarray
    samples: np.ndarray | None

    @property
    def sd(self) -> np.ndarray:
        """Return the total standard deviation."""
        return np.asarray(np.hypot(self.aleatoric, self.epistemic))

    def of(self, rows: np.ndarray) -> Said:
        """Return what was said of some rows."""
        samples = None if self.samples is None else self.samples[rows]
        return Said(self.mean[rows], self.aleatoric[rows], self.epistemic[rows], samples)


def key_of(by: str, level: float) -> str:
    """Return the name of a data set in results.

    Examples
    --------
    >>> key_of("widest", 0.05)
    'widest_0_05'
    """
    return f"{by}_{level:g}".replace(".", "_")


def level_of(table: QTable, by: str, level: float) -> QTable:
    """Return the rows of one data set."""
    return table[np.asarray(table[by], dtype=float) == level]


def read_truth(truth: QTable, value: str, by: str, level: float) -> Truth:
    """Return the truth of one data set.

    Raises
    ------
    ValueError
        When an object occurs twice, or the sets ``inside`` and ``calibration`` are not there.
    """
    table = level_of(truth, by, level)
    object_id, roles = np.asarray(table["object_id"]), np.asarray(table["role"]).astype(str)
    if len(np.unique(object_id)) < len(object_id):
        raise ValueError(f"object_id of the truth is not unique at {by} {level:g}")
    missing = {"inside", "calibration"} - set(roles.tolist())
    if missing:
        raise ValueError(f"role {sorted(missing)[0]!r} has no rows at {by} {level:g}")
    return Truth(object_id, np.asarray(getattr(table[value], "value", table[value]), float), roles)


def read_predictions(table: QTable, by: str, level: float, rows: Truth) -> list[Said]:
    """Return what each seed said of the rows of the truth, in their order.

    Raises
    ------
    ValueError
        When a prediction is missing or has no uncertainty.
    """
    table = level_of(table, by, level)
    seeds = np.asarray(table["seed"]) if "seed" in table.colnames else np.zeros(len(table))
    found = []
    for seed in np.unique(seeds):
        part = table[seeds == seed]
        identity = np.asarray(part["object_id"])
        order = np.argsort(identity, kind="stable")
        place = np.clip(np.searchsorted(identity[order], rows.object_id), 0, len(identity) - 1)
        wanted = order[place]
        if not (identity[wanted] == rows.object_id).all():
            raise ValueError(
                f"predictions lack some of the {len(rows.object_id)} objects of the truth at "
                f"{by} {level:g}: predict all of them"
            )
        part = part[wanted]
        sd = np.asarray(part["aleatoric" if "aleatoric" in part.colnames else "sd"], float)
        has = "epistemic" in part.colnames
        epistemic = np.asarray(part["epistemic"], float) if has else np.zeros(len(part))
        samples = np.asarray(part["samples"]) if "samples" in part.colnames else None
        found.append(Said(np.asarray(part["mean"], float), sd, epistemic, samples))
    if not found:
        raise ValueError(f"no predictions at {by} {level:g}")
    return found
