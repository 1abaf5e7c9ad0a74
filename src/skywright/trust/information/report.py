"""How far estimates of mutual information can be believed, and what they say about a table."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy.table import QTable, Table
from scipy.stats import chi2

from skywright.data import Report
from skywright.trust.information.page import information_page
from skywright.trust.resampling import wilson

__all__ = ["information_report"]

LEVEL = 0.05


def information_report(trials: Table, table: Table | None = None) -> Report:
    """Judge the estimator by known information, and show that of a table.

    Parameters
    ----------
    trials : Table
        From `estimate_known`.
    table : Table, optional
        From `information_table`.

    Returns
    -------
    Report

    Raises
    ------
    ValueError
        There are no trials.
    """
    if len(trials) == 0:
        raise ValueError("there are no trials: raise the number of trials of the plan")
    results: dict[str, Any] = {}
    for name in dict.fromkeys(trials["distribution"]):
        for n in np.unique(trials["n"]):
            rows = trials[(trials["distribution"] == name) & (trials["n"] == n)]
            results |= _judge(rows, f"{name}.{n}")
    pairs = [] if table is None else [dict(zip(table.colnames, row, strict=True)) for row in table]
    unit = "nat" if table is None else table.meta.get("unit", "nat")
    for pair in pairs:
        numbers = {k: float(pair[k]) for k in ("value", "low", "high", "p_value", "q_value")}
        results[f"information.{pair['latent']}.{pair['quantity']}"] = numbers | {"unit": unit}
    evidence: dict[str, Any] = {
        "trials": {name: np.asarray(trials[name]).tolist() for name in trials.colnames},
        "pairs": [_plain(pair) for pair in pairs],
        "unit": unit,
        "level": LEVEL,
    }
    report = Report(results, _verdict(results, pairs), evidence)
    return Report(results, report.verdict, evidence, information_page(report))


def _plain(pair: dict[str, Any]) -> dict[str, Any]:
    words = ("latent", "quantity", "warning")
    return {k: str(v) if k in words else float(v) for k, v in pair.items()}


def _judge(rows: QTable, key: str) -> dict[str, Any]:
    """Return bias, coverage and rate of discoveries of one distribution and size."""
    true, n = float(rows["true"][0]), len(rows)
    value, error = np.asarray(rows["value"]), np.asarray(rows["error"])
    spread = value.std(ddof=1) if n > 1 else float("nan")
    half = 1.96 * spread / np.sqrt(n)
    mean = float(value.mean())
    found = {
        "mean": {"value": mean, "low": mean - half, "high": mean + half, "true": true},
        "scatter": _scatter(spread, n),
        "bias_sigma": _scaled(mean - true, half, float(error.mean())),
        "coverage": _share((np.abs(value - true) < error).mean(), n),
        "found": _share(_found(np.asarray(rows["p_value"])), n),
    }
    return {f"{what}.{key}": one | {"n": n} for what, one in found.items()}


def _scatter(spread: float, n: int) -> dict[str, float]:
    """Return a standard deviation with its interval of 95 % for normal estimates."""
    if n < 2:
        return {"value": spread, "low": float("nan"), "high": float("nan")}
    low, high = np.sqrt((n - 1) / chi2.ppf([0.975, 0.025], n - 1))
    return {"value": float(spread), "low": float(spread * low), "high": float(spread * high)}


def _scaled(bias: float, half: float, error: float) -> dict[str, float]:
    """Return the bias over the quoted error, with its interval."""
    unit = error if error > 0 else float("nan")
    return {"value": bias / unit, "low": (bias - half) / unit, "high": (bias + half) / unit}


def _found(p_values: np.ndarray) -> float:
    """Return the share of small p-values; NaN without tests."""
    return float("nan") if np.isnan(p_values).all() else float((p_values < LEVEL).mean())


def _share(share: float, n: int) -> dict[str, float]:
    low, high = wilson(float(share), n)
    return {"value": float(share), "low": low, "high": high}


def _verdict(results: dict[str, Any], pairs: list[dict[str, Any]]) -> str:
    covered = {
        k: v["value"] for k, v in results.items()
        if k.startswith("coverage.") and ".independent." not in k
    }  # fmt: skip
    text = ""
    if any(np.isfinite(pair["q_value"]) for pair in pairs):
        firm = sum(pair["q_value"] < LEVEL for pair in pairs)
        text = f"{firm} of {len(pairs)} pairs depend on each other. That is after correction for "
        text += "the number of pairs. "
    if covered:
        worst = min(covered, key=lambda k: covered[k])
        middle = 100 * float(np.median(list(covered.values())))
        text += (
            f"The quoted error held the truth in {middle:.0f} % of trials. It should be 68 %; the "
            f"lowest is {100 * covered[worst]:.0f} % for {worst.split('.')[1]} at "
            f"n = {worst.split('.')[2]}. "
        )
    false = [v for k, v in results.items() if k.startswith("found.independent.")]
    false = [v for v in false if np.isfinite(v["value"])]
    if false:
        shares = ", ".join(f"{100 * v['value']:.0f}" for v in false)
        text += f"Independent samples had p < 0.05 in {shares} % of trials."
    return text
