"""The errors worth looking at."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import expit

from skywright.trust.sample import BRIGHT_SNR, BRIGHT_THETA, Sample

__all__ = ["worst_errors"]


def worst_errors(logits: np.ndarray, sample: Sample, n: int = 12) -> dict[str, Any]:
    """Return the highest scored negatives and the lowest scored bright lenses.

    Parameters
    ----------
    logits : (n,)
        At the survey's prevalence.
    sample : Sample
        The truth.
    n : int
        How many of each.

    Returns
    -------
    dict of list of dict
        ``false_positives`` and ``misses``, worst first; ``row`` counts in the sample.
    """
    bright = sample.labels & (sample.snr > BRIGHT_SNR) & (sample.theta > BRIGHT_THETA)
    order = np.argsort(logits, kind="stable")
    false = order[::-1][~sample.labels[order[::-1]]][:n]
    missed = order[bright[order]][:n]
    return {
        "false_positives": [_describe(int(row), logits, sample) for row in false],
        "misses": [_describe(int(row), logits, sample) for row in missed],
    }


def _describe(row: int, logits: np.ndarray, sample: Sample) -> dict[str, Any]:
    return {
        "row": row,
        "object_id": int(sample.object_id[row]),
        "kind": str(sample.kinds[row]),
        "probability": float(expit(logits[row])),
        "theta_e_fwhm": _number(sample.theta[row]),
        "snr": _number(sample.snr[row]),
    }


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
