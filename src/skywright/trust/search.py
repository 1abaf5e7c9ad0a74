"""Judge a lens search: the net beside its baselines, out of fold, at survey prevalence."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy.table import QTable

from skywright.data import Report
from skywright.trust.budget import selected, survey_weights
from skywright.trust.calibration import prior_correct
from skywright.trust.committee import column, committee, member_logits
from skywright.trust.completeness import completeness_map
from skywright.trust.curves import as_columns, judge_fractions
from skywright.trust.errors import worst_errors
from skywright.trust.forecast import judge_forecast
from skywright.trust.measures import (
    Values,
    calibration,
    measure,
    reliability_curve,
    roc_curve,
    summarise,
)
from skywright.trust.resampling import bootstrap_groups, estimate
from skywright.trust.sample import Sample, read_sample
from skywright.trust.verdict import SCORERS, search_verdict

__all__ = ["judge_search"]

_PROBABILISTIC = ("net", "boosting")


def judge_search(
    truth: QTable,
    net: QTable,
    boosting: QTable,
    features: QTable,
    *,
    prevalence: float,
    budget: float,
    rng: np.random.Generator,
    training_prevalence: float = 0.5,
    resamples: int = 1000,
    curves: QTable | None = None,
    fractions: dict[str, QTable] | None = None,
    forecast_truth: QTable | None = None,
    forecast_net: QTable | None = None,
) -> Report:
    """Judge out-of-fold scores of painted cutouts against the truth, beside three baselines.

    Results without prefix are the net's; ``boosting.``, ``arc.`` and ``flux.`` come before those
    of the baselines. ``gain`` is the net's recall at the budget minus that of the baseline with
    the highest recall, on the same resampled galaxies. A committee of seeds may beat one model for
    being a committee alone: ``gain_one_seed`` is the mean gain of its members, each by itself.

    Parameters
    ----------
    truth : QTable
        ``object_id``, ``group`` (galaxy), ``label``, ``kind``, ``theta_e_fwhm``, ``snr``.
    net, boosting : QTable
        ``fold``, ``object_id`` and ``mean`` (calibrated logit), and the net's ``seed``.
    features : QTable
        ``object_id``, ``arc_statistic``, ``flux``.
    prevalence : float
        Lenses per galaxy of the survey that rates are weighted to.
    budget : float
        Share of the survey's galaxies that people can inspect.
    rng : Generator
        For the bootstrap.
    training_prevalence : float
        Share of lenses at which the logits were calibrated.
    resamples : int
        Bootstrap resamples of the galaxies.
    curves : QTable, optional
        Learning curves: ``fold``, ``seed``, ``epoch``, ``train_loss``, ``validation_loss``.
    fractions : dict of QTable, optional
        Share of the training galaxies ("0.5") -> scores of nets trained on that share.
    forecast_truth, forecast_net : QTable, optional
        Like ``truth`` and ``net`` for lenses whose Einstein radius follows the galaxy's light.

    Returns
    -------
    Report
        Results, verdict and evidence, without a page.
    """
    sample = read_sample(truth, prevalence, budget)
    counts = bootstrap_groups(sample.groups, resamples, rng)
    scores = _scores(sample, net, boosting, features, training_prevalence)
    values = {name: measure(score, sample, counts) for name, score in scores.items()}
    for name in _PROBABILISTIC:
        values[name] |= calibration(scores[name], sample, counts)
    baseline = max((n for n in SCORERS if n != "net"), key=lambda n: values[n]["recall"][0])

    results = _results(values, sample, baseline)
    results |= _seeds(net, sample, counts, training_prevalence, values[baseline])
    if "gain_one_seed" in results:
        results["gain_one_seed"]["over"] = baseline
    evidence = _evidence(scores, sample, counts) | {
        "settings": _settings(sample, net, training_prevalence, resamples, baseline)
    }
    if curves is not None:
        evidence["curves"] = as_columns(curves)
    if fractions:
        results |= judge_fractions(fractions, net, sample, counts, training_prevalence)
    if forecast_truth is not None and forecast_net is not None:
        forecast = committee(forecast_net, column(forecast_truth, "object_id"))
        forecast = prior_correct(forecast, training_prevalence, prevalence)
        results |= judge_forecast(forecast_truth, forecast, sample, scores["net"], resamples, rng)
    verdict = search_verdict(results, baseline, prevalence, budget)
    return Report(results=results, verdict=verdict, evidence=evidence)


def _scores(
    sample: Sample, net: QTable, boosting: QTable, features: QTable, training: float
) -> dict[str, np.ndarray]:
    """Return one score per row and scorer; logits of the first two at survey prevalence."""
    scores = {
        name: prior_correct(committee(table, sample.object_id), training, sample.prevalence)
        for name, table in (("net", net), ("boosting", boosting))
    }
    for name, feature in (("arc", "arc_statistic"), ("flux", "flux")):
        raw = column(features, feature).astype(float)
        # A feature that could not be measured speaks for nothing: it ranks last.
        lowest = raw[np.isfinite(raw)].min(initial=0.0) - 1.0
        table = QTable(
            {
                "object_id": column(features, "object_id"),
                "mean": np.where(np.isfinite(raw), raw, lowest),
            }
        )
        scores[name] = committee(table, sample.object_id)
    return scores


def _results(values: dict[str, Values], sample: Sample, baseline: str) -> dict[str, dict[str, Any]]:
    results = summarise(values["net"], sample)
    for name in SCORERS:
        if name != "net":
            judged = summarise(values[name], sample)
            results |= {f"{name}.{key}": result for key, result in judged.items()}
    everything = np.ones(len(sample.labels), dtype=bool)
    for gain, metric, against in (
        ("gain", "recall", baseline),
        ("gain_bright", "recall_bright", baseline),
        ("gain_auroc", "auroc", baseline),
        *((f"gain_over_{name}", "recall", name) for name in SCORERS if name != "net"),
    ):
        if metric in values["net"]:
            difference = values["net"][metric] - values[against][metric]
            judged = estimate(difference, n=everything.sum(), n_groups=sample.galaxies(everything))
            results[gain] = {**judged, "over": against}
    return results


def _seeds(
    net: QTable, sample: Sample, counts: np.ndarray, training: float, baseline: Values
) -> dict[str, dict[str, Any]]:
    """Judge each seed alone: means with one standard deviation, and the mean gain."""
    members = [
        measure(prior_correct(logits, training, sample.prevalence), sample, counts)
        for logits in member_logits(net, sample.object_id).values()
    ]
    if not members:
        return {}
    results = {}
    for name in ("recall", "recall_bright", "auroc", "tpr10"):
        found = np.array([float(member[name][0]) for member in members if name in member])
        if len(found):
            spread = float(found.std(ddof=1)) if len(found) > 1 else 0.0
            results[f"seeds.{name}"] = {
                "value": float(found.mean()),
                "low": float(found.mean() - spread),
                "high": float(found.mean() + spread),
                "n": len(found),
                "interval": "one standard deviation over seeds",
            }
    everything = np.ones(len(sample.labels), dtype=bool)
    gain = np.mean([member["recall"] for member in members], axis=0) - baseline["recall"]
    results["gain_one_seed"] = estimate(
        gain, n=everything.sum(), n_groups=sample.galaxies(everything)
    )
    return results


def _evidence(scores: dict[str, np.ndarray], sample: Sample, counts: np.ndarray) -> dict[str, Any]:
    weights = survey_weights(sample.labels, sample.prevalence)
    inside = selected(scores["net"], weights, sample.budget)
    lens = sample.labels
    return {
        "roc": {name: roc_curve(score, sample, counts) for name, score in scores.items()},
        "reliability": {
            name: reliability_curve(scores[name], sample, counts) for name in _PROBABILISTIC
        },
        "completeness": completeness_map(
            inside[lens], sample.theta[lens], sample.snr[lens], sample.groups[lens]
        ),
        "worst": worst_errors(scores["net"], sample),
        "threshold_logit": float(scores["net"][inside > 0].min()),
    }


def _settings(
    sample: Sample, net: QTable, training: float, resamples: int, baseline: str
) -> dict[str, Any]:
    kinds, numbers = np.unique(sample.kinds, return_counts=True)
    return {
        "prevalence": sample.prevalence,
        "budget": sample.budget,
        "training_prevalence": training,
        "resamples": resamples,
        "level": 0.95,
        "rows": len(sample.labels),
        "galaxies": sample.galaxies(np.ones(len(sample.labels), dtype=bool)),
        "kinds": {str(k): int(n) for k, n in zip(kinds, numbers, strict=True)},
        "folds": len(np.unique(column(net, "fold"))) if "fold" in net.colnames else 1,
        "seeds": len(np.unique(column(net, "seed"))) if "seed" in net.colnames else 1,
        "baseline": baseline,
    }
