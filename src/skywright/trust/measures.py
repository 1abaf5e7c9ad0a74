"""Every figure of one scorer over all resamples at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from scipy.special import expit

from skywright.trust.budget import expected_against_true, selected, share, survey_weights
from skywright.trust.calibration import (
    brier_skill,
    calibration_slope,
    reliability,
    reliability_bins,
)
from skywright.trust.ranking import auroc, roc, tpr_at_false_positives
from skywright.trust.resampling import estimate
from skywright.trust.sample import Sample, impostors, lenses

__all__ = [
    "TOP",
    "calibration",
    "measure",
    "over_blocks",
    "reliability_curve",
    "roc_curve",
    "summarise",
]

TOP = (0.005, 0.01, 0.02, 0.05)
_CELLS = 4_000_000  # rows x resamples held at a time: some hundred MB at any sample size

Values = dict[str, np.ndarray]


def over_blocks(function: Callable[[np.ndarray], Values], counts: np.ndarray) -> Values:
    """Join a function's results over blocks of resamples, so that memory stays bounded.

    Parameters
    ----------
    function : callable
        From ``(block, n)`` counts to named ``(block, …)`` arrays.
    counts : (resample, n)
        From `bootstrap_groups`.
    """
    parts = [function(block) for block in _blocks(counts)]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def measure(scores: np.ndarray, sample: Sample, counts: np.ndarray) -> Values:
    """Return how a scorer ranks: recall of every subset, purity, AUROC, TPR0 and TPR10.

    Parameters
    ----------
    scores : (n,)
        Higher is more lens-like.
    sample : Sample
        The truth.
    counts : (resample, n)
        From `bootstrap_groups`; the same for every scorer, which pairs them.

    Returns
    -------
    dict of (resample,)
    """
    rows = lenses(sample) | impostors(sample)
    masks = np.stack(list(rows.values()))

    def block(counts: np.ndarray) -> Values:
        weights = survey_weights(sample.labels, sample.prevalence, counts)
        found = share(selected(scores, weights, sample.budget), weights, masks)
        values = dict(zip(rows, np.moveaxis(found, -1, 0), strict=True))
        return values | {
            "purity": values["recall"] * sample.prevalence / sample.budget,
            "auroc": auroc(scores, sample.labels, counts),
            "tpr0": tpr_at_false_positives(scores, sample.labels, 0, counts),
            "tpr10": tpr_at_false_positives(scores, sample.labels, 9, counts),
        }

    return over_blocks(block, counts)


def calibration(logits: np.ndarray, sample: Sample, counts: np.ndarray) -> Values:
    """Return how far probabilities can be believed at the survey's prevalence.

    Parameters
    ----------
    logits : (n,)
        At the survey's prevalence.
    sample, counts
        As for `measure`.

    Returns
    -------
    dict of (resample,)
        Slope, intercept, Brier skill; per top share the expected and the true number of lenses
        among 1,000 galaxies, and their ratio.
    """
    probability = expit(logits)

    def block(counts: np.ndarray) -> Values:
        weights = survey_weights(sample.labels, sample.prevalence, counts)
        slope, intercept = calibration_slope(logits, sample.labels, weights)
        expected, true = expected_against_true(probability, sample.labels, weights, TOP)
        values = {
            "calibration_slope": slope,
            "calibration_intercept": intercept,
            "brier_skill": brier_skill(probability, sample.labels, weights),
        }
        for i, top in enumerate(TOP):
            name = f"top_{100 * top:g}_percent"
            values[f"{name}_expected"] = 1000 * expected[:, i]
            values[f"{name}_true"] = 1000 * true[:, i]
            values[f"{name}_ratio"] = np.divide(
                expected[:, i], true[:, i], out=np.full(len(true), np.nan), where=true[:, i] > 0
            )
        return values

    return over_blocks(block, counts)


def summarise(values: Values, sample: Sample) -> dict[str, dict[str, Any]]:
    """Return each figure with its interval and the rows and galaxies behind it.

    A figure that the sample leaves undefined (promised over true where there is no true one) is
    left out.
    """
    rows = lenses(sample) | impostors(sample) | {"tpr0": sample.labels, "tpr10": sample.labels}
    everything = np.ones(len(sample.labels), dtype=bool)
    results = {}
    for name, replicates in values.items():
        if not np.isfinite(replicates[0]):
            continue
        behind = rows.get(name, everything)
        results[name] = estimate(
            replicates, n=behind.sum(), n_groups=sample.galaxies(behind), proportion=name in rows
        )
    for name in {"tpr0", "tpr10"} & set(results):
        results[name]["n_negatives"] = int((~sample.labels).sum())
    return results


def roc_curve(
    scores: np.ndarray, sample: Sample, counts: np.ndarray, points: int = 60
) -> dict[str, list[float]]:
    """Return the ROC curve with its band, from one false positive to all negatives.

    Parameters
    ----------
    scores, sample, counts
        As for `measure`.
    points : int
        False-positive rates, evenly spaced in their logarithm.
    """
    rates = np.geomspace(1 / (~sample.labels).sum(), 1.0, points)
    curves = over_blocks(lambda c: {"tpr": roc(scores, sample.labels, rates, c)}, counts)["tpr"]
    low, high = np.nanquantile(curves[1:], [0.025, 0.975], axis=0)
    return {
        "fpr": rates.tolist(),
        "tpr": curves[0].tolist(),
        "low": low.tolist(),
        "high": high.tolist(),
    }


def reliability_curve(
    logits: np.ndarray, sample: Sample, counts: np.ndarray
) -> list[dict[str, Any]]:
    """Return promised and observed share of lenses per bin; arguments as `calibration`."""
    probability = expit(logits)
    index = reliability_bins(probability, sample.labels)

    def block(counts: np.ndarray) -> Values:
        weights = survey_weights(sample.labels, sample.prevalence, counts)
        return {
            "true": reliability(sample.labels, weights, index),
            "predicted": reliability(probability, weights, index),
        }

    curves = over_blocks(block, counts)
    points = []
    for bin_ in range(index.max() + 1):
        rows = index == bin_
        result = estimate(curves["true"][:, bin_], n=rows.sum(), n_groups=sample.galaxies(rows))
        points.append({"predicted": float(curves["predicted"][0, bin_]), **result})
    return points


def _blocks(counts: np.ndarray) -> Iterator[np.ndarray]:
    rows = max(1, _CELLS // counts.shape[1])
    for start in range(0, len(counts), rows):
        yield counts[start : start + rows]
