"""M1 to M6: seeds, searches, ablations, learning curves, gradients, settings that matter."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.stats import t

from skywright.trust.rules.finding import Outcome, broken, decide, passed
from skywright.trust.rules.headline import paired_gain

__all__ = [
    "components_ablated",
    "gradients_alive",
    "learning_curve",
    "searches_recorded",
    "settings_matter",
    "several_seeds",
]

FEWEST_SEEDS = 3
DEAD = 1e-6  # of the largest term
NOT_TERMS = ("step", "fresh", "accumulated")
STALE = 0.05  # accumulated over fresh gradient, beyond 1


def several_seeds(seeds: list[float], metric: str) -> Outcome:
    """M1: three seeds or more, and how far they scatter.

    Parameters
    ----------
    seeds : list of float
        The headline metric of every seed.
    metric : str
        Its name.
    """
    n = len(seeds)
    mean = float(np.mean(seeds))
    if n < FEWEST_SEEDS:
        few = {"value": n, "low": n, "high": n, "limit": FEWEST_SEEDS}
        return broken(f"{n} seed{'s' * (n != 1)}: how far training scatters is not known", few)
    spread = float(np.std(seeds, ddof=1))
    if spread == 0:
        return broken(f"{n} seeds give the same {mean:.6g}: the seed changes nothing", mean)
    half = spread / np.sqrt(n) * float(t.ppf(0.975, n - 1))
    number = {"value": mean, "low": mean - half, "high": mean + half, "n": n}
    return passed(f"{metric} {mean:.3f} ± {spread:.3f} over {n} seeds", number, seeds=seeds)


def searches_recorded(
    fits: dict[str, dict[str, Any]], histories: dict[str, dict[str, list[Any]]]
) -> Outcome:
    """M2: of every search the settings, the metric that chose and all trials are kept.

    Parameters
    ----------
    fits : dict
        Node -> configuration of its model.
    histories : dict
        Node -> columns of its history: one row a trial, or an epoch.
    """
    lacking = []
    for node, config in fits.items():
        training, history = config.get("training", {}), histories.get(node, {})
        rows = len(next(iter(history.values()), []))
        chosen = any("validation" in name for name in history)
        trials = training.get("trials")
        if not training or (trials is not None and rows != trials) or (rows and not chosen):
            lacking.append(node)
    kept = len(fits) - len(lacking)
    text = f"{kept} of {len(fits)} models keep their settings, their trials and what chose"
    if lacking:
        text += f"; not {', '.join(lacking[:4])}"
    number = {"value": kept, "low": kept, "high": kept, "limit": len(fits)}
    return decide(not lacking, text, number)


def components_ablated(variants: dict[str, dict[str, Any]], headline: dict[str, Any]) -> Outcome:
    """M3: every part that the recipe calls its own was switched off once.

    Parameters
    ----------
    variants : dict
        ``without``: component -> headline metric of the run without it.
    headline : dict
        The headline metric of the run itself.
    """
    without = variants["without"]
    dead = [name for name, result in without.items() if result["value"] == headline["value"]]
    gains = {name: headline["value"] - result["value"] for name, result in without.items()}
    said = ", ".join(f"{name} {gain:+.3f}" for name, gain in gains.items())
    least = min(gains.values())
    number = {"value": least, "low": least, "high": least, "limit": 0}
    if dead:
        return broken(
            f"switching off {', '.join(dead)} changes nothing: the switch is dead", number
        )
    return passed(f"what each part gives: {said}", number, gains=gains)


def learning_curve(variants: dict[str, dict[str, Any]], headline: dict[str, Any]) -> Outcome:
    """M4: whether more data would still help.

    Parameters
    ----------
    variants : dict
        ``data``: share of the training set -> headline metric.
    headline : dict
        The headline metric with all of it.
    """
    shares = sorted(variants["data"].items(), key=lambda item: float(item[0]))
    share, half = shares[-1]
    number = {**paired_gain(headline, half), "limit": 0}
    curve = {name: result["value"] for name, result in shares} | {"1.0": headline["value"]}
    gain = f"{number['value']:+.3f} ({number['low']:+.3f} to {number['high']:+.3f})"
    text = f"from {float(share):.0%} to all of the training set {gain}"
    if half["value"] == headline["value"]:
        return broken(f"{text}: the switch is dead, or more data change nothing", number)
    if number["low"] > 0:
        return broken(f"{text}: still rising, more data would help", number, curve=curve)
    return passed(f"{text}: no clear rise", number, curve=curve)


def gradients_alive(fits: dict[str, dict[str, Any]]) -> Outcome:
    """M5: every term of a loss has a gradient, and gradients are set to zero at each step.

    Parameters
    ----------
    fits : dict
        Node -> configuration of its model; under ``training.gradients`` the norms at the noted
        steps: one list a term, and ``fresh`` and ``accumulated`` norms of one backward pass.
    """
    silent = [n for n, c in fits.items() if "net" in c and not _gradients(c)]
    if silent:
        return broken(f"{', '.join(silent[:4])}: the training did not note its gradients")
    noted = {node: _gradients(config) for node, config in fits.items() if _gradients(config)}
    if not noted:
        return passed(f"none of {len(fits)} models was trained by gradients")
    faults, stalest = [], 1.0
    for node, norms in noted.items():
        terms = {k: np.asarray(v, float) for k, v in norms.items() if k not in NOT_TERMS}
        for step in range(min(2, max((len(v) for v in terms.values()), default=0))):
            now = {name: float(v[step]) for name, v in terms.items() if len(v) > step}
            when = ("at the start", "half-way")[step]
            broken_off = [name for name, v in now.items() if not np.isfinite(v)]
            faults += [f"{node}: the gradient of the term {name} is no number {when}"
                       for name in broken_off]  # fmt: skip
            dead = [name for name, v in now.items() if v <= DEAD * max(now.values())]
            faults += [f"{node}: the term {name} has no gradient {when}" for name in dead]
        stale = _staleness(norms)
        stalest = max(stalest, stale)
        if stale > 1 + STALE:
            faults.append(f"{node}: gradients add up over steps ({stale:.1f} times the fresh one)")
    number = {"value": float(stalest), "low": float(stalest), "high": float(stalest), "limit": 1.05}
    if faults:
        return broken("; ".join(faults[:4]), number)
    text = f"{len(noted)} trainings noted their gradients; every term is alive, none adds up"
    return passed(text, number)


def _gradients(config: dict[str, Any]) -> dict[str, list[float]]:
    return config.get("training", {}).get("gradients") or {}


def _staleness(norms: dict[str, list[float]]) -> float:
    """Return the largest ratio of the accumulated to the fresh gradient, after the first step."""
    fresh, kept = (np.asarray(norms.get(k, []), float) for k in ("fresh", "accumulated"))
    if not len(fresh) or len(fresh) != len(kept):
        return 1.0
    return float(np.max(kept / np.maximum(fresh, 1e-30)))


def settings_matter(variants: dict[str, dict[str, Any]], headline: dict[str, Any]) -> Outcome:
    """M6: a setting that is changed changes the result.

    Parameters
    ----------
    variants : dict
        ``other``: setting -> headline metric of the run with another value of it.
    headline : dict
        The headline metric of the run itself.
    """
    other = variants["other"]
    dead = [name for name, result in other.items() if result["value"] == headline["value"]]
    moved = {name: result["value"] - headline["value"] for name, result in other.items()}
    largest = max((abs(v) for v in moved.values()), default=0.0)
    number = {"value": largest, "low": largest, "high": largest}
    if dead:
        return broken(f"changing {', '.join(dead)} changes nothing", number, moved=moved)
    said = ", ".join(f"{name} {value:+.3f}" for name, value in moved.items())
    return passed(f"change of the headline metric: {said}", number, moved=moved)
