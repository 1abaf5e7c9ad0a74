"""U1 to U7: whether stated confidence is earned, for everyone, and said of every number."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy.table import QTable
from scipy.special import expit
from scipy.stats import ks_2samp, norm

from skywright.trust.calibration import prior_correct
from skywright.trust.committee import column
from skywright.trust.confidence import (
    decide_classification,
    decide_posterior,
    decide_regression,
    decide_share,
)
from skywright.trust.posteriors import sbc_ranks, tarp
from skywright.trust.rules.finding import Outcome, broken, decide, passed

__all__ = [
    "classes_calibrated",
    "conformal_covers",
    "intervals_everywhere",
    "posteriors_calibrated",
    "predictions_calibrated",
    "spread_splits_rightly",
    "subgroups_calibrated",
]

SLOPE = 0.1  # how far a calibration slope may lie from one
COVERAGE = 0.02  # how far the mean coverage may lie from the nominal one
SUBGROUP = {"classification": 0.25, "regression": 0.05}
FEWEST = 50  # rows of a subgroup that is judged
LEVEL = 0.9
LEAST_P = 1e-4  # of exchangeability


def probabilities(logits: np.ndarray, labels: np.ndarray, prior: float | None) -> np.ndarray:
    """Return probabilities at the prevalence of these rows, of logits that hold at ``prior``."""
    if prior is not None:
        logits = prior_correct(logits, prior, float(np.mean(labels)))
    return np.asarray(expit(logits))


def classes_calibrated(
    answers: np.ndarray, truth: np.ndarray, groups: np.ndarray, prior: float | None = None
) -> Outcome:
    """U1: probabilities mean what they say.

    Parameters
    ----------
    answers : (n,)
        Logits of judged rows.
    truth : (n,) int
        0 or 1.
    groups : (n,)
        Independent unit behind each row.
    prior : float, optional
        Share of positives at which the logits are meant; by default that of the rows.
    """
    p = probabilities(answers, truth, prior)
    return _outcome(decide_classification(p, truth, groups=groups, tolerance=SLOPE))


def predictions_calibrated(
    answers: np.ndarray, spread: np.ndarray, truth: np.ndarray, groups: np.ndarray
) -> Outcome:
    """U2: errors are as large as they are said to be.

    Parameters
    ----------
    answers, spread, truth : (n,)
        Predicted mean and standard deviation, and the true value.
    groups : (n,)
        Independent unit behind each row.
    """
    if not (spread > 0).all():
        return broken(f"{int((~(spread > 0)).sum())} predicted deviations are not above zero", 0)
    found = decide_regression(truth, answers, spread, groups=groups, tolerance=COVERAGE)
    miss = np.abs(truth - answers) / spread
    limits = {0.5: 0.6745, 0.68: 0.9945, 0.9: 1.6449, 0.95: 1.96}
    table = {str(level): float(np.mean(miss <= z)) for level, z in limits.items()}
    return _outcome(found, coverage=table)


def posteriors_calibrated(posterior: dict[str, np.ndarray], rng: np.random.Generator) -> Outcome:
    """U3: posteriors cover the truth, each parameter alone and all together.

    Parameters
    ----------
    posterior : dict
        ``truth`` (n, parameter) and ``samples`` (n, draw, parameter).
    rng : Generator
        For the reference points of TARP.
    """
    truth, samples = posterior["truth"], posterior["samples"]
    ranks = sbc_ranks(truth, samples)
    found = decide_posterior(
        ranks, samples.shape[1], rng, tarp=tarp(truth, samples, rng), tolerance=COVERAGE
    )
    return _outcome(found)


def _outcome(found: dict[str, Any], **detail: Any) -> Outcome:
    """Return what a decision on confidence means for a rule."""
    low, high = found["limit"]
    wide = found["high"] - found["low"] > 2 * (high - low)
    said = "nothing wrong is seen, with little power" if wide else "calibrated"
    decision = said if found["decision"] == "calibrated" else found["decision"]
    text = (
        f"{decision}: {found['quantity']} {found['value']:.3f} "
        f"({found['low']:.3f} to {found['high']:.3f}), allowed {low:.2f} to {high:.2f}"
    )
    number = {key: found[key] for key in ("value", "low", "high")} | {"limit": [low, high]}
    return decide(found["decision"] == "calibrated", text, number, **detail)


def subgroups_calibrated(
    strata: QTable, task: str, answers: np.ndarray, truth: np.ndarray, groups: np.ndarray,
    spread: np.ndarray | None = None, prior: float | None = None,
) -> Outcome:  # fmt: skip
    """U4: calibration holds in every bin of magnitude, signal to noise, class or field.

    Parameters
    ----------
    strata : QTable
        One row a judged row; each column is cut into quarters, or into its few values.
    task : str
        ``classification`` or ``regression``.
    answers, truth, groups : (n,)
        As in U1 and U2.
    spread : (n,), optional
        Standard deviations, for a regression.
    prior : float, optional
        As in U1.
    """
    if task == "regression" and spread is None:
        return broken("no standard deviation was predicted: nothing is said of errors", 0)
    bins = {
        f"{name} {label}": rows
        for name in strata.colnames
        for label, rows in cut_into_bins(column(strata, name))
        if rows.sum() >= FEWEST
    }
    if not bins:
        return broken(f"no subgroup has {FEWEST} rows", 0)
    level = 1 - 0.01 / len(bins)
    found = {}
    p = probabilities(answers, truth, prior) if task == "classification" else None
    for name, rows in bins.items():
        options: dict[str, Any] = {"groups": groups[rows], "level": level}
        options["tolerance"] = SUBGROUP[task]
        if p is not None:
            found[name] = _bin_of_classes(p[rows], truth[rows], options)
        elif spread is not None:
            found[name] = decide_regression(truth[rows], answers[rows], spread[rows], **options)
    worst = max(found, key=lambda name: _beyond(found[name]))
    result = found[worst]
    text = (
        f"worst of {len(bins)} subgroups: {worst}, {result['decision']}, {result['quantity']} "
        f"{result['value']:.3f} ({result['low']:.3f} to {result['high']:.3f})"
    )
    number = {k: result[k] for k in ("value", "low", "high")} | {"limit": list(result["limit"])}
    table = {n: {k: r[k] for k in ("decision", "value", "low", "high", "n")}
             for n, r in found.items()}  # fmt: skip
    return decide(result["decision"] == "calibrated", text, number, subgroups=table)


def _bin_of_classes(p: np.ndarray, y: np.ndarray, options: dict[str, Any]) -> dict[str, Any]:
    judge = decide_classification if len(np.unique(y)) == 2 and np.ptp(p) > 0 else decide_share
    return judge(p, y, **options)


def _beyond(result: dict[str, Any]) -> float:
    """Return how many half intervals a value lies beyond its limits; of the wrong ones, more."""
    low, high = result["limit"]
    beyond = max(low - result["value"], result["value"] - high)
    half = max(result["high"] - result["low"], 1e-12) / 2
    wrong = result["decision"] != "calibrated"
    return float(beyond / half + 1000 * wrong)


def cut_into_bins(values: np.ndarray, most: int = 8) -> list[tuple[str, np.ndarray]]:
    """Return named subsets: each of a few values, or quarters; NaN is in none."""
    if values.dtype.kind in "fiu" and len(np.unique(values)) > most:
        known = np.isfinite(values)
        edges = np.quantile(values[known], [0, 0.25, 0.5, 0.75, 1])
        bins = [(edges[i], edges[i + 1]) for i in range(4)]
        return [
            (f"{a:.3g} to {b:.3g}", known & (values >= a) & ((values < b) | (b == edges[-1])))
            for a, b in bins
        ]
    return [(str(one), values == one) for one in np.unique(values)]


def spread_splits_rightly(variants: dict[str, dict[str, Any]], headline: dict[str, Any]) -> Outcome:
    """U5: with half the data the epistemic part grows and the aleatoric part stays.

    Parameters
    ----------
    variants : dict
        ``data``: of the share ``0.5``, ``epistemic`` and ``aleatoric`` means.
    headline : dict
        The same of the whole training set.
    """
    shares = {float(share): result for share, result in variants["data"].items()}
    half = shares.get(0.5, {})
    if not {"epistemic", "aleatoric"} <= set(half) & set(headline):
        return broken("there is no run with half the data that gives both parts", 0)
    grown = half["epistemic"] / headline["epistemic"]
    kept = half["aleatoric"] / headline["aleatoric"]
    text = f"with half the data epistemic x {grown:.2f} (1.2 or more), aleatoric x {kept:.3f}"
    number = {"value": grown, "low": grown, "high": grown, "limit": 1.2}
    return decide(grown >= 1.2 and abs(kept - 1) <= 0.05, text, number)


def conformal_covers(
    calibration: np.ndarray, conformal: np.ndarray, calibration_groups: np.ndarray,
    conformal_groups: np.ndarray,
) -> Outcome:  # fmt: skip
    """U6: a conformal set of 90 % holds 90 % of other rows, so the two are exchangeable.

    Parameters
    ----------
    calibration, conformal : (n,)
        Nonconformity of two sets that nothing was fitted on: ``1 - p(true class)``, or the
        absolute error over its standard deviation (Vovk et al. 2005; Lei et al. 2018, eq. 2).
    calibration_groups, conformal_groups : (n,)
        Independent unit behind each row.
    """
    rank = min(int(np.ceil((len(calibration) + 1) * LEVEL)), len(calibration))
    limit = np.sort(calibration)[rank - 1]
    share, error = _share(conformal <= limit, conformal_groups)
    _, own = _share(calibration <= limit, calibration_groups)  # its sample is finite, too
    half = float(norm.ppf(0.9995)) * float(np.hypot(error, own))
    p_value = float(ks_2samp(*(
        _one_a_group(*part)
        for part in ((calibration, calibration_groups), (conformal, conformal_groups))
    )).pvalue)  # fmt: skip
    text = (
        f"sets of {LEVEL:.0%} hold {share:.1%} ({share - half:.1%} to {share + half:.1%}) of "
        f"{len(conformal)} rows; exchangeable: p = {p_value:.2g}"
    )
    number = {"value": share, "low": share - half, "high": share + half, "limit": LEVEL}
    good = abs(share - LEVEL) <= half and p_value > LEAST_P
    return decide(good, text, number, p_value=p_value)


def _share(inside: np.ndarray, groups: np.ndarray) -> tuple[float, float]:
    """Return a share of rows and its standard error over independent groups, never zero."""
    share = float(inside.mean())
    _, index = np.unique(groups, return_inverse=True)
    sums = np.bincount(index, inside - share)
    n = len(sums)
    error = np.sqrt((sums**2).sum() * n / max(n - 1, 1)) / len(inside)
    return share, float(max(error, 1 / n / 4))


def _one_a_group(values: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Return the first value of every group: rows of one group are one row of evidence."""
    return np.asarray(values[np.unique(groups, return_index=True)[1]])


def intervals_everywhere(results: dict[str, dict[str, Any]]) -> Outcome:
    """U7: no number of the report stands without its interval.

    Parameters
    ----------
    results : dict
        Numbers of the report; whole numbers are counts and need none, and a value that is exact
        says so under ``interval``.
    """
    bare = [name for name, result in results.items() if _is_bare(result)]
    number = {"value": len(bare), "low": len(bare), "high": len(bare), "limit": 0}
    if bare:
        return broken(f"no interval: {', '.join(bare[:6])}", number)
    return passed(f"{len(results)} numbers, each a count or with its interval", number)


def _is_bare(result: dict[str, Any]) -> bool:
    value, low, high = (result[key] for key in ("value", "low", "high"))
    if value is None or str(result.get("interval", "")).startswith("exact"):
        return False
    known = all(end is not None and np.isfinite(end) for end in (low, high))
    return not known or (low == high and not float(value).is_integer())
