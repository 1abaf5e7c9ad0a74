"""The headline metric, its interval, and the paired gain over the best baseline."""

from __future__ import annotations

from typing import Any

import numpy as np

from skywright.trust.ranking import auroc
from skywright.trust.resampling import estimate

__all__ = ["CHANCE", "METRICS", "compare", "losses", "measure", "r_squared"]

METRICS = {"classification": "auroc", "regression": "r2", "posterior": "r2"}
CHANCE = {"classification": 0.5, "regression": 0.0, "posterior": 0.0}


def r_squared(answers: np.ndarray, truth: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the share of the variance that is explained; 0 is no better than the mean.

    Parameters
    ----------
    answers, truth : (n,)
        Predicted and true values.
    weights : (…, n)
        Weights of the rows.
    """
    w = np.asarray(weights, dtype=float)
    total = w.sum(axis=-1)
    mean = w @ truth / total
    spread = w @ truth**2 / total - mean**2
    return np.asarray(1 - (w @ (truth - answers) ** 2 / total) / spread)


def measure(task: str, answers: np.ndarray, truth: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return the headline metric of every resample; higher is better."""
    if task == "classification":
        return auroc(answers, truth, counts)
    return r_squared(answers, truth, counts)


def compare(
    task: str, answers: np.ndarray, baselines: dict[str, np.ndarray], truth: np.ndarray,
    counts: np.ndarray, groups: np.ndarray,
) -> dict[str, Any]:  # fmt: skip
    """Return the headline, that of every baseline, and the gain over the best of them.

    Parameters
    ----------
    task : str
        ``classification``, ``regression``, or ``posterior``, of whose means one is judged.
    answers : (n,)
        Of the method.
    baselines : dict
        Kind -> (n,).
    truth, groups : (n,)
        Truth and independent unit of each row.
    counts : (1 + resample, n)
        From `bootstrap_groups`; all are judged on the same resamples.

    Returns
    -------
    dict
        ``headline``, ``baselines`` and ``gain``.
    """
    about: dict[str, Any] = {"n": len(truth), "n_groups": len(np.unique(groups))}
    values = {kind: measure(task, found, truth, counts) for kind, found in baselines.items()}
    own = measure(task, answers, truth, counts)
    best = max(values, key=lambda kind: float(values[kind][0]))
    name = {"metric": METRICS[task], "chance": CHANCE[task]}
    return {
        "headline": {**estimate(own, **about), **name},
        "baselines": {kind: estimate(value, **about) for kind, value in values.items()},
        "gain": {**estimate(own - values[best], **about), "over": best},
    }


def losses(
    task: str, answers: np.ndarray, truth: np.ndarray, spread: np.ndarray | None
) -> np.ndarray:
    """Return the loss of each answer: cross entropy [nat], or the error over its deviation."""
    if task == "classification":
        return np.asarray(np.logaddexp(0.0, np.where(truth > 0, -answers, answers)))
    return np.asarray(np.abs(answers - truth) / (np.std(truth) if spread is None else spread))
