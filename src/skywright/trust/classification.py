"""Every figure of a classifier with its interval: is it right, and does it know how often."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from scipy.special import logit

from skywright.trust.budget import expected_against_true, survey_weights
from skywright.trust.calibration import LOWEST_PREVALENCE, brier_skill, calibration_slope
from skywright.trust.measures import TOP, Values, over_blocks
from skywright.trust.probability_scores import (
    brier,
    brier_decomposition,
    calibration_gap,
    check_probability,
    equal_mass_bins,
    equal_width_bins,
    log_loss,
)
from skywright.trust.ranking import auroc, average_precision
from skywright.trust.resampling import bootstrap_groups, estimate
from skywright.trust.temperatures import class_slope

__all__ = ["judge_classification"]

_BINS = 15
_FLOOR = 200  # resamples of the labels under which the calibration error of a perfect score lies


def judge_classification(
    probability: np.ndarray,
    labels: np.ndarray,
    *,
    rng: np.random.Generator,
    groups: np.ndarray | None = None,
    prevalence: float | None = None,
    top: Sequence[float] = TOP,
    resamples: int = 1000,
) -> dict[str, dict[str, Any]]:
    """Judge the probabilities of a classifier of two or more classes.

    Parameters
    ----------
    probability : (n,) or (n, class)
        Of the positive class, or of every class.
    labels : (n,) int
        Class of each row, from 0.
    rng : Generator
        For the bootstrap.
    groups : (n,), optional
        Independent unit behind each row (the galaxy); by default each row is one.
    prevalence : float, optional
        Share of positives in the survey, to which two classes are weighted; by default that of
        the rows.
    top : sequence of float
        Shares of the list, from the top, whose promised and true number of positives are counted.
    resamples : int
        Bootstrap resamples of the groups.

    Returns
    -------
    dict
        Name -> ``value, low, high`` (95 %), ``n``, ``n_groups``. Two classes: ``accuracy`` at one
        half, ``auroc``, ``average_precision``, ``log_loss`` [nat], ``brier`` with ``reliability``,
        ``resolution`` and ``uncertainty``, ``brier_skill``, ``calibration_slope`` and
        ``calibration_intercept``, ``ece`` (bins of equal width), ``adaptive_ece`` (of equal
        weight), and ``top_…_expected`` and ``_true`` per 1,000 rows. Each calibration error says
        under ``calibrated`` what a perfectly calibrated score would reach at most (95 %). Several
        classes: ranks and errors averaged over the classes, Brier terms summed, the calibration
        error that of the likeliest class, and per class the promised and the true share.

    Notes
    -----
    Where positives hold less than 5 % of the weight there is no calibration error: a constant near
    zero would score almost perfectly. Look at the top counts, the slope and the Brier skill.
    """
    p = check_probability(probability, labels)
    labels = np.asarray(labels).astype(int)
    groups = np.arange(len(labels)) if groups is None else np.asarray(groups)
    counts = bootstrap_groups(groups, resamples, rng)
    two = p.shape[1] == 2
    if prevalence is not None and not two:
        raise ValueError("prevalence given for several classes; expected None: it is for two")
    block = _two_classes(p[:, 1], labels, prevalence, top) if two else _many_classes(p, labels)
    values = over_blocks(block, counts)
    n_groups = len(np.unique(groups))
    results = {
        name: estimate(v, n=len(labels), n_groups=n_groups, proportion=name == "accuracy")
        for name, v in values.items()
        if np.isfinite(v[0])
    }
    weights = _weights(labels, prevalence, np.ones((1, len(labels))))[0]
    if two and float(weights @ labels / weights.sum()) < LOWEST_PREVALENCE:
        del results["ece"], results["adaptive_ece"]
        return results
    sure, right = (p[:, 1], labels) if two else (p.max(axis=1), p.argmax(axis=1) == labels)
    return results | _calibration_errors(sure, right, weights, results, values, rng)


def _weights(labels: np.ndarray, prevalence: float | None, counts: np.ndarray) -> np.ndarray:
    if prevalence is None:
        return counts.astype(float)
    return survey_weights(labels, prevalence, counts)


def _two_classes(
    p: np.ndarray, y: np.ndarray, prevalence: float | None, top: Sequence[float]
) -> Callable[[np.ndarray], Values]:
    sample = _weights(y, prevalence, np.ones((1, len(y))))[0]
    wide, even = equal_width_bins(p, _BINS), equal_mass_bins(p, sample, _BINS)
    logits = logit(np.clip(p, 1e-12, 1 - 1e-12))
    columns = np.stack([1 - p, p], axis=1)

    def block(counts: np.ndarray) -> Values:
        w = _weights(y, prevalence, counts)
        slope, intercept = calibration_slope(logits, y, w)
        reliability, resolution, uncertainty = brier_decomposition(p, y, w, even)
        values = {
            "accuracy": w @ ((p > 0.5) == y) / w.sum(axis=-1),
            "auroc": auroc(p, y, w),
            "average_precision": average_precision(p, y, w),
            "log_loss": log_loss(columns, y, w),
            "brier": brier(p, y, w),
            "reliability": reliability,
            "resolution": resolution,
            "uncertainty": uncertainty,
            "brier_skill": brier_skill(p, y, w),
            "calibration_slope": slope,
            "calibration_intercept": intercept,
            "ece": calibration_gap(p, y, w, wide),
            "adaptive_ece": calibration_gap(p, y, w, even),
        }
        counted = expected_against_true(p, y, w, top)
        for kind, share in zip(("expected", "true"), counted, strict=True):
            for i, part in enumerate(top):
                values[f"top_{100 * part:g}_percent_{kind}"] = 1000 * share[:, i]
        return values

    return block


def _many_classes(p: np.ndarray, labels: np.ndarray) -> Callable[[np.ndarray], Values]:
    classes = range(p.shape[1])
    truth = np.eye(p.shape[1])[labels]
    sure, right = p.max(axis=1), p.argmax(axis=1) == labels
    wide, even = equal_width_bins(sure, _BINS), equal_mass_bins(sure, bins=_BINS)
    bins = [equal_mass_bins(p[:, c], bins=_BINS) for c in classes]

    def block(counts: np.ndarray) -> Values:
        w = counts.astype(float)
        each = partial(_over_classes, p, truth)
        parts = [brier_decomposition(p[:, c], truth[:, c], w, bins[c]) for c in classes]
        reliability, resolution, uncertainty = (sum(part) for part in zip(*parts, strict=True))
        score = each(lambda q, y: brier(q, y, w)).sum(axis=0)
        promised, true = w @ p / w.sum(axis=-1)[:, None], w @ truth / w.sum(axis=-1)[:, None]
        values = {
            "accuracy": w @ right / w.sum(axis=-1),
            "auroc": np.nanmean(each(lambda q, y: auroc(q, y, w)), axis=0),
            "average_precision": np.nanmean(each(lambda q, y: average_precision(q, y, w)), axis=0),
            "log_loss": log_loss(p, labels, w),
            "brier": score,
            "reliability": reliability,
            "resolution": resolution,
            "uncertainty": uncertainty,
            "brier_skill": 1 - score / uncertainty,
            "calibration_slope": class_slope(p, labels, w),
            "ece": calibration_gap(sure, right, w, wide),
            "adaptive_ece": calibration_gap(sure, right, w, even),
        }
        for c in classes:
            values |= {f"class_{c}_expected": promised[:, c], f"class_{c}_true": true[:, c]}
        return values

    return block


def _over_classes(p: np.ndarray, truth: np.ndarray, metric: Any) -> np.ndarray:
    """Return a metric of one class against the rest for each class: (class, resample)."""
    return np.stack([metric(p[:, c], truth[:, c]) for c in range(p.shape[1])])


def _calibration_errors(
    p: np.ndarray,
    y: np.ndarray,
    weights: np.ndarray,
    results: dict[str, dict[str, Any]],
    values: Values,
    rng: np.random.Generator,
) -> dict[str, dict[str, Any]]:
    """Return both calibration errors, centred, beside those of a perfectly calibrated score.

    A resample adds noise to every bin, so that replicates of the error lie above its value: they
    are moved down by that much. What chance alone gives is found with labels drawn from the
    probabilities themselves (Broecker & Smith 2007, Weather and Forecasting 22, 651, section 3).
    """
    drawn = rng.random((_FLOOR, len(p))) < p
    found = {}
    for name, index in (
        ("ece", equal_width_bins(p, _BINS)),
        ("adaptive_ece", equal_mass_bins(p, weights, _BINS)),
    ):
        value, replicates = values[name][0], values[name][1:]
        centred = np.maximum(replicates - replicates.mean() + value, 0.0)
        result = estimate(
            np.append(value, centred), n=results[name]["n"], n_groups=results[name]["n_groups"]
        )
        chance = [calibration_gap(p, labels, weights, index) for labels in drawn]
        found[name] = {**result, "calibrated": float(np.quantile(chance, 0.95))}
    return found
