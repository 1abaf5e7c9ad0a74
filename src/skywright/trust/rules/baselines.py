"""B1 to B3: the method beside what is cheaper, on the same rows, with the same effort."""

from __future__ import annotations

import math
from typing import Any

from skywright.trust.rules.finding import Outcome, broken, decide, passed

__all__ = ["baselines_run_and_tuned", "cost_beside_accuracy", "gain_over_best_baseline"]

KINDS = ("trivial", "simple", "domain")
FEWEST_TRIALS = 5


def baselines_run_and_tuned(
    baselines: dict[str, dict[str, Any]], method: list[str], behind: dict[str, list[str]],
    fits: dict[str, dict[str, Any]],
) -> Outcome:  # fmt: skip
    """B1: a trivial, a simple and a domain baseline were judged, and the simple one was tuned.

    Parameters
    ----------
    baselines : dict
        Kind -> the headline metric with its interval.
    method : list of str
        Models behind the scores that are judged.
    behind : dict
        Kind -> models behind the scores of that baseline.
    fits : dict
        Node -> configuration of its model.
    """
    missing = [kind for kind in KINDS if kind not in baselines]
    have = len(KINDS) - len(missing)
    number = {"value": have, "low": have, "high": have, "limit": len(KINDS)}
    if missing:
        return broken(f"there is no {' and no '.join(missing)} baseline", number)
    wanted = max([FEWEST_TRIALS, *(_trials(fits[node]) for node in method if node in fits)])
    tried: dict[str, int] = {}
    for node in (node for node in behind.get("simple", []) if node in fits):
        name, trials = node.partition("[")[0], _trials(fits[node])
        tried[name] = min(trials, tried.get(name, trials))
    # of models that stand on each other, as when the score of one is a feature of the next
    number["trials"] = max(tried.values(), default=0)
    if number["trials"] < wanted:
        text = (
            f"the simple baseline was given {number['trials']} trials of its settings, expected at "
            f"least {wanted}: as many as the method, and {FEWEST_TRIALS} or more"
        )
        return broken(text, {**number, "value": number["trials"], "limit": wanted})
    return passed(
        f"three baselines; the simple one was tuned with {number['trials']} trials", number
    )


def _trials(config: dict[str, Any]) -> int:
    return int(config.get("training", {}).get("trials", 1))


def gain_over_best_baseline(gain: dict[str, Any]) -> Outcome:
    """B2: the gain over the best baseline has a paired interval, and it is said what it holds.

    Parameters
    ----------
    gain : dict
        ``value``, ``low``, ``high`` of the headline metric minus that of the baseline ``over``.
    """
    over = gain["over"]
    figure = f"{gain['value']:+.3f} ({gain['low']:+.3f} to {gain['high']:+.3f})"
    number = {**gain, "limit": 0}
    if not all(math.isfinite(gain[key]) for key in ("value", "low", "high")):
        return broken(f"the gain over the {over} baseline is no number: {figure}", number)
    if gain["high"] < 0:
        return broken(f"the {over} baseline beats the method: {figure}", number)
    if gain["low"] <= 0:
        text = f"no evidence of gain over the {over} baseline: {figure}"
        return broken(text, number, severity="WARN")
    return passed(f"gain over the {over} baseline: {figure}", number)


def cost_beside_accuracy(costs: dict[str, dict[str, float]], headline: dict[str, Any]) -> Outcome:
    """B3: what each model costs stands beside what it gives.

    Parameters
    ----------
    costs : dict
        Node -> ``seconds`` of one core, and ``numbers`` that its model holds.
    headline : dict
        The headline metric.
    """
    unknown = [node for node, cost in costs.items() if not cost.get("seconds")]
    total = sum(cost.get("seconds") or 0.0 for cost in costs.values())
    largest = max((cost.get("numbers", 0) for cost in costs.values()), default=0)
    text = (
        f"{headline['metric']} {headline['value']:.3f} for {total:.1f} core seconds of fitting; "
        f"{len(costs)} models, {largest:,.0f} numbers in the largest"
    )
    return decide(not unknown, text, total, costs=costs)
