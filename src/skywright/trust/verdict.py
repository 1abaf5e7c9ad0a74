"""The verdict in plain words; a finding against the net is said as plainly as one for it."""

from __future__ import annotations

from typing import Any

__all__ = ["FAINT_LIMIT", "SCORERS", "percent", "search_verdict", "with_interval"]

SCORERS = {
    "net": "neural network",
    "boosting": "gradient boosting",
    "arc": "arc statistic",
    "flux": "flux alone",
}
FAINT_LIMIT = 0.2  # arcs of S/N 2-5 should be nearly lost

Results = dict[str, dict[str, Any]]


def with_interval(result: dict[str, Any], digits: int = 2) -> str:
    """Return ``value (low to high)``.

    Examples
    --------
    >>> with_interval({"value": 0.5, "low": 0.41, "high": 0.6})
    '0.50 (0.41 to 0.60)'
    """
    value, low, high = (f"{result[key]:.{digits}f}" for key in ("value", "low", "high"))
    return f"{value} ({low} to {high})"


def percent(share: float) -> str:
    """Return a share as per cent.

    Examples
    --------
    >>> percent(0.005)
    '0.5\u2009%'
    """
    return f"{100 * share:.4g}\u2009%"


def search_verdict(results: Results, baseline: str, prevalence: float, budget: float) -> str:
    """Return one paragraph: gain or no gain first, then recall, purity, and what limits belief.

    Parameters
    ----------
    results : dict
        Results of `judge_search`.
    baseline : str
        Best baseline, a key of `SCORERS`.
    prevalence, budget : float
        Lenses per galaxy, and share of the galaxies that is inspected.
    """
    sentences = [
        _gain(results["gain"], SCORERS[baseline]),
        f"Inspecting the top {percent(budget)} at one lens in {1 / prevalence:,.0f} galaxies, the "
        f"network finds {with_interval(results['recall'])} of all painted lenses with a purity of "
        f"{with_interval(results['purity'], 3)}.",
    ]
    if "recall_bright" in results:
        sentences.append(
            f"Of arcs with S/N above 20 and Einstein radius above 3 FWHM it finds "
            f"{with_interval(results['recall_bright'])}."
        )
    if "recall_faint" in results:
        sentences.append(_faint(results["recall_faint"]))
    if "calibration_slope" in results:
        sentences.append(_calibration(results["calibration_slope"]))
    if results.get("seeds.recall", {"n": 1})["n"] < 2:
        sentences.append("One seed only: how far training itself scatters is not known.")
    return " ".join(sentences)


def _gain(gain: dict[str, Any], baseline: str) -> str:
    figure = f"{gain['value']:+.2f} ({gain['low']:+.2f} to {gain['high']:+.2f})"
    if gain["low"] > 0:
        return f"Gain over the best baseline, {baseline}: {figure} in recall."
    if gain["high"] < 0:
        return f"The best baseline, {baseline}, beats the network: {figure} in recall."
    return f"No evidence of gain over the best baseline, {baseline}: {figure} in recall."


def _faint(recall: dict[str, Any]) -> str:
    found = f"Of arcs with S/N 2 to 5 it finds {with_interval(recall)}"
    if recall["value"] > FAINT_LIMIT:
        return f"{found}, more than {FAINT_LIMIT}: the test is too easy."
    return f"{found}, as it should be when arcs drown in noise."


def _calibration(slope: dict[str, Any]) -> str:
    found = f"calibration slope {with_interval(slope)}"
    if slope["low"] > 1:
        return f"Its probabilities are too cautious: {found}."
    if slope["high"] < 1:
        return f"Its probabilities are too sure of themselves: {found}."
    if slope["low"] <= 0:
        return f"Whether its probabilities can be believed cannot be told here: {found}."
    return f"Its probabilities agree with the outcome: {found}."
