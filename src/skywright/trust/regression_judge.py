"""Judge predicted uncertainties of a number, beside references that know more."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy.table import QTable
from scipy.stats import binom, norm, spearmanr

from skywright.data import Report
from skywright.trust.conformal import conformal_levels
from skywright.trust.ranking import auroc
from skywright.trust.regression import level_error, regression_figures, score_predictions
from skywright.trust.regression_page import regression_page
from skywright.trust.regression_rows import Said, key_of, level_of, read_predictions, read_truth
from skywright.trust.regression_verdict import AIMS, check_aims, regression_verdict
from skywright.trust.resampling import bootstrap_groups, estimate, wilson

__all__ = ["judge_regression"]

Results = dict[str, dict[str, Any]]
SPLITS = 20
BEYOND = 200  # resamples of sets that are unlike the training
Z90 = 1.6449
INSIDE, CALIBRATION = "inside", "calibration"


def judge_regression(
    truth: QTable,
    predictions: dict[str, QTable],
    *,
    value: str,
    by: str,
    exact: QTable,
    propagated: QTable,
    rng: np.random.Generator,
    bounds: tuple[float, float] | None = None,
    halved: dict[str, QTable] | None = None,
    surprise: QTable | None = None,
    published: dict[str, dict[str, float]] | None = None,
    warnings: dict[str, QTable] | None = None,
    resamples: int = 1000,
) -> Report:
    """Judge means and uncertainties against the truth, and against what can be known at all.

    Figures of a method are means over its seeds; intervals resample objects. ``mse_ratio`` and
    ``nll_gap`` compare with the exact posterior on the same resamples.

    Parameters
    ----------
    truth : QTable
        ``object_id``, ``role`` (``calibration``, ``inside``, and sets beyond the training), the
        columns ``value`` and ``by``.
    predictions : dict of QTable
        Method -> ``object_id``, ``mean``, ``aleatoric``, perhaps ``epistemic``, ``samples`` and
        ``seed``, and ``by``.
    value, by : str
        Column of the truth, and column that tells data sets apart that are judged separately.
    exact : QTable
        ``object_id``, ``by``, ``mean``, ``sd``, ``nll``, ``crps``, ``pit`` of ``inside`` rows.
    propagated : QTable
        ``object_id``, ``by``, ``mean``, ``sd``: propagation of errors.
    rng : Generator
        For the bootstrap and for draws of the calibration.
    bounds : (low, high), optional
        Range of the values in the sets that are like the training.
    halved : dict of QTable, optional
        Method -> its predictions when fitted on half of the rows.
    surprise : QTable, optional
        ``object_id``, ``by``, ``surprise``: higher where a row is unlike the training.
    published : dict of dict, optional
        Method -> figures of a paper, shown beside ours.
    warnings : dict of QTable, optional
        Method -> a table with a column ``warnings``: what its fit said.
    resamples : int
        Bootstrap resamples.

    Returns
    -------
    Report
    """
    results: Results = {}
    evidence: dict[str, Any] = {"by": by, "published": published or {}, "curves": {}, "aims": AIMS}
    evidence["warnings"] = _warnings(warnings or {})
    for level in sorted({float(v) for v in np.asarray(truth[by])}):
        key = key_of(by, level)
        rows = read_truth(truth, value, by, level)
        counts = bootstrap_groups(rows.inside["object_id"], resamples, rng)
        reference = _reference(level_of(exact, by, level), rows.inside)
        known = regression_figures(reference, counts)
        _add(results, f"exact.{key}", known, counts.shape[1])
        said = {"propagation": read_predictions(propagated, by, level, rows)}
        said |= {name: read_predictions(t, by, level, rows) for name, t in predictions.items()}
        curves = {}
        laboratory = said["propagation"][0].of(rows.roles == INSIDE)
        relative = laboratory.sd / laboratory.mean
        _correlate(results, f"exact.{key}", [reference["sd"] / reference["mean"]], relative, counts)
        for name, seeds in said.items():
            judged = [_judge(one, rows, reference, known, counts, bounds, rng) for one in seeds]
            figures = {k: np.mean([j[k] for j in judged], axis=0) for k in judged[0]}
            _add(results, f"{name}.{key}", figures, counts.shape[1])
            _spread(results, f"{name}.{key}", judged)
            _rank(results, f"{name}.{key}", seeds, reference["sd"], rows)
            _beyond(results, f"{name}.{key}", seeds, rows)
            inside = [one.of(rows.roles == INSIDE) for one in seeds]
            spreads = [one.aleatoric / one.mean for one in inside]
            _correlate(results, f"{name}.{key}", spreads, relative, counts)
            curves[name] = _curve(seeds, rows, bounds)
            if halved and name in halved:
                half = read_predictions(halved[name], by, level, rows)
                _split_test(results, f"{name}.{key}", seeds, half, rows, counts)
        evidence["curves"][key] = curves
        if surprise is not None:
            _alarm(results, key, level_of(surprise, by, level), rows)
    evidence["methods"] = list(predictions)
    evidence["checks"] = check_aims(results, list(predictions))
    report = Report(results, regression_verdict(evidence["checks"]), evidence)
    return Report(results, report.verdict, evidence, regression_page(report))


def _reference(exact: QTable, inside: dict[str, Any]) -> dict[str, np.ndarray]:
    """Return the scores of the exact posterior, row by row of the set inside."""
    place = {int(i): row for row, i in enumerate(np.asarray(exact["object_id"]))}
    rows = [place[int(i)] for i in inside["object_id"]]
    scores = {k: np.asarray(exact[k], float)[rows] for k in ("sd", "nll", "crps", "pit", "mean")}
    scores["square"] = (inside["value"] - scores["mean"]) ** 2
    return scores | {"nll_normal": scores["nll"]}


def _judge(
    said: Said,
    rows: Any,
    reference: dict[str, np.ndarray],
    known: dict[str, np.ndarray],
    counts: np.ndarray,
    bounds: tuple[float, float] | None,
    rng: np.random.Generator,
) -> dict[str, np.ndarray]:
    """Return all figures of one seed, each with its resamples."""
    inside = said.of(rows.roles == INSIDE)
    truth = rows.inside["value"]
    scores = score_predictions(truth, inside.mean, inside.sd, inside.samples, bounds)
    figures = regression_figures(scores, counts)
    figures["mse_ratio"] = figures["mse"] / known["mse"]
    figures["nll_gap"] = figures["nll"] - known["nll"]
    figures["nll_gap_normal"] = figures["nll_normal"] - known["nll"]
    figures["aleatoric"] = _weighted(inside.aleatoric, counts)
    figures["epistemic"] = _weighted(inside.epistemic, counts)
    return figures | _conformal(said, rows, counts, rng)


def _rank(results: Results, prefix: str, seeds: list[Said], exact: np.ndarray, rows: Any) -> None:
    """Add the rank correlation of sigma with the exact one (interval of Bonett & Wright 2000)."""
    n = len(exact)
    found = [float(spearmanr(s.of(rows.roles == INSIDE).sd, exact).statistic) for s in seeds]
    value = float(np.mean(found))
    half = 1.96 * np.sqrt((1 + value**2 / 2) / max(n - 3, 1))
    ends = np.tanh(np.arctanh(min(value, 1 - 1e-12)) + np.array([-half, half]))
    results[f"{prefix}.spearman"] = {
        "value": value, "low": float(ends[0]), "high": float(ends[1]), "n": n
    }  # fmt: skip


def _beyond(results: Results, prefix: str, seeds: list[Said], rows: Any) -> None:
    """Add how well plain intervals cover in the sets that are unlike the training."""
    for name in rows.beyond:
        some = rows.roles == name
        parts = [s.of(some) for s in seeds]
        share = float(np.mean([np.abs(rows.values[some] - p.mean) < Z90 * p.sd for p in parts]))
        low, high = wilson(share, int(some.sum()))
        results[f"{prefix}.coverage_90.{name}"] = {
            "value": share, "low": low, "high": high, "n": int(some.sum())
        }  # fmt: skip
        counts = bootstrap_groups(np.arange(some.sum()), BEYOND, np.random.default_rng(0))
        weight = counts / counts.sum(axis=1, keepdims=True)
        levels = [2 * norm.cdf(np.abs(rows.values[some] - p.mean) / p.sd) - 1 for p in parts]
        errors = np.mean([level_error(level, weight) for level in levels], axis=0)
        n = int(some.sum())
        results[f"{prefix}.coverage_error.{name}"] = estimate(
            errors, n=n, n_groups=n, proportion=True
        )


def _conformal(
    said: Said, rows: Any, counts: np.ndarray, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Return how well conformal intervals keep their promise, over draws of the calibration."""
    strange = np.abs(rows.values - said.mean) / said.sd
    calibration, inside = strange[rows.roles == CALIBRATION], strange[rows.roles == INSIDE]
    weight = counts / counts.sum(axis=1, keepdims=True)
    figures = {"conformal_error": level_error(conformal_levels(calibration, inside), weight)}
    # inside rows never calibrate: mixed, the coverage would be that of chance whatever was said
    halves = [rng.permutation(calibration)[: len(calibration) // 2] for _ in range(SPLITS)]
    covered = [np.mean(conformal_levels(half, inside) <= 0.9) for half in halves]
    for name, share in (("lowest", min(covered)), ("highest", max(covered))):
        figures[f"conformal_{name}"] = _of_samples(float(share), len(inside), len(counts))
    return figures


def _of_samples(share: float, n: int, samples: int) -> np.ndarray:
    """Return a share of n rows, then that of as many samples of n rows as there are resamples."""
    levels = (np.arange(samples - 1) + 0.5) / (samples - 1)
    return np.concatenate([[share], binom.ppf(levels, n, share) / n])


def _split_test(
    results: Results,
    prefix: str,
    full: list[Said],
    half: list[Said],
    rows: Any,
    counts: np.ndarray,
) -> None:
    """Add how the two parts change when the training set is halved."""
    for part in ("epistemic", "aleatoric"):
        means = [
            np.mean(
                [_weighted(getattr(s.of(rows.roles == INSIDE), part), counts) for s in seeds], 0
            )
            for seeds in (half, full)
        ]
        n = counts.shape[1]
        if means[1][0] > 0:
            results[f"{prefix}.halved_{part}"] = estimate(means[0] / means[1], n=n, n_groups=n)


def _correlate(
    results: Results,
    prefix: str,
    spreads: list[np.ndarray],
    relative: np.ndarray,
    counts: np.ndarray,
) -> None:
    """Add the published measure: relative aleatoric against relative propagated error."""
    found = [_pearson(spread, relative, counts) for spread in spreads]
    n = counts.shape[1]
    results[f"{prefix}.correlation"] = estimate(np.mean(found, axis=0), n=n, n_groups=n)


def _pearson(x: np.ndarray, y: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return the linear correlation in every resample, (1 + resample,); 0 of a constant."""
    x, y = x - x.mean(), y - y.mean()  # no digits are lost on the way
    mean_x, mean_y, square_x, square_y, product = (
        _weighted(one, counts) for one in (x, y, x * x, y * y, x * y)
    )
    size = np.sqrt((square_x - mean_x**2) * (square_y - mean_y**2))
    found = np.zeros(len(counts))
    np.divide(product - mean_x * mean_y, size, out=found, where=size > 0)
    return found


def _spread(results: Results, prefix: str, judged: list[dict[str, np.ndarray]]) -> None:
    """Add the scatter of a figure over seeds."""
    for name in ("mse_ratio", "nll_gap", "coverage_error"):
        found = [float(j[name][0]) for j in judged]
        if len(found) > 1:
            results[f"{prefix}.seeds.{name}"] = _range(found, len(found))


def _alarm(results: Results, key: str, surprise: QTable, rows: Any) -> None:
    """Add how well the alarm tells rows beyond the training from those inside."""
    place = {int(i): v for i, v in zip(surprise["object_id"], surprise["surprise"], strict=True)}
    strange = np.nan_to_num(np.array([place[int(i)] for i in rows.object_id]), posinf=1e300)
    for name in rows.beyond:
        some = (rows.roles == INSIDE) | (rows.roles == name)
        counts = bootstrap_groups(np.arange(some.sum()), BEYOND, np.random.default_rng(0))
        values = auroc(strange[some], rows.roles[some] == name, counts)
        n = int(some.sum())
        results[f"alarm.{key}.auroc.{name}"] = estimate(values, n=n, n_groups=n)


def _curve(
    seeds: list[Said], rows: Any, bounds: tuple[float, float] | None
) -> dict[str, list[float]]:
    """Return coverage against promise of the first seed."""
    inside = seeds[0].of(rows.roles == INSIDE)
    scores = score_predictions(rows.inside["value"], inside.mean, inside.sd, inside.samples, bounds)
    promised = np.linspace(0.02, 0.98, 49)
    level = np.abs(2 * scores["pit"] - 1)
    return {
        "promised": promised.tolist(),
        "covered": [float(np.mean(level <= x)) for x in promised],
    }


def _warnings(tables: dict[str, QTable]) -> dict[str, list[str]]:
    found = {}
    for name, table in tables.items():
        said = [str(text) for text in np.ravel(np.asarray(table["warnings"])) if str(text)]
        if said:
            found[name] = sorted(set(said))
    return found


def _add(results: Results, prefix: str, figures: dict[str, np.ndarray], n: int) -> None:
    for name, values in figures.items():
        if np.isfinite(values[0]):
            results[f"{prefix}.{name}"] = estimate(values, n=n, n_groups=n)


def _weighted(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    return np.asarray(counts @ values / counts.sum(axis=1))


def _range(found: list[float], n: int) -> dict[str, Any]:
    """Return a mean with the lowest and the highest."""
    return {"value": float(np.mean(found)), "low": min(found), "high": max(found), "n": n,
            "interval": "lowest and highest over seeds"}  # fmt: skip
