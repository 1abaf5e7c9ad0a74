"""The headline metric, its interval, and the paired gain over the best baseline."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from skywright.trust.ranking import auroc
from skywright.trust.resampling import estimate, percentile_interval

__all__ = ["CHANCE", "METRICS", "compare", "losses", "measure", "paired_gain", "r_squared"]

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
        ``headline``, ``baselines``, ``gain``, and ``draws``: the headline metric of every resample,
        the rows themselves first, and a fingerprint of rows and resamples.
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
        "draws": {
            "values": own.tolist(),
            "sha256": hashlib.sha256(counts.tobytes() + np.asarray(truth).tobytes()).hexdigest(),
        },
    }


def paired_gain(whole: dict[str, Any], other: dict[str, Any]) -> dict[str, float]:
    """Return a headline metric minus that of another run, with a 95 % interval.

    Where both were judged on the same resamples of the same rows the interval is that of their
    paired difference; elsewhere that of two independent results, which it is at most by chance.

    Parameters
    ----------
    whole, other : dict
        ``value``, ``low``, ``high``; ``draws`` as from `compare`.
    """
    a, b = (result.get("draws") or {} for result in (whole, other))
    if a and a["sha256"] == b.get("sha256"):
        gains = np.array(a["values"], float) - np.array(b["values"], float)
        low, high = percentile_interval(gains[1:])
        return {"value": float(gains[0]), "low": low, "high": high}
    gain = whole["value"] - other["value"]
    error = np.hypot(whole["high"] - whole["low"], other["high"] - other["low"]) / 2
    return {"value": gain, "low": float(gain - error), "high": float(gain + error)}


def losses(
    task: str, answers: np.ndarray, truth: np.ndarray, spread: np.ndarray | None
) -> np.ndarray:
    """Return the loss of each answer: cross entropy [nat], or the error over its deviation."""
    if task == "classification":
        return np.asarray(np.logaddexp(0.0, np.where(truth > 0, -answers, answers)))
    return np.asarray(np.abs(answers - truth) / (np.std(truth) if spread is None else spread))
