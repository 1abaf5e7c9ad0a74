"""The rule book: every rule, what it is called, how grave it is, and what it needs to be computed.

A rule is a pure function; the names of its parameters are the names of the facts it needs. A fact
that is missing leaves the rule *not computed*, which stops a release as a broken rule would.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from skywright.trust.rules import (
    baselines,
    data,
    insight,
    leaks,
    provenance,
    shifts,
    training,
    uncertainty,
)
from skywright.trust.rules.finding import Finding, Outcome
from skywright.trust.rules.pages import how_to_mend

__all__ = ["RULES", "Rule", "apply", "apply_all"]

FITTED = ("classification", "regression", "posterior")
ALL = (*FITTED, "simulation")


@dataclass(frozen=True)
class Rule:
    """One rule.

    Parameters
    ----------
    id : str
        ``L1`` to ``G1``.
    title : str
        What has to hold, in a few words.
    severity : str
        ``ERROR`` (enforced: stops a release) or ``WARN`` (reported) when it is broken.
    stage : str
        ``data``: computed inside the run by `skywright.trust.judge`; ``run``: from its record.
    check : callable
        Facts, by name -> `Outcome`.
    tasks : tuple of str
        Kinds of work it is about.
    only_with : tuple of str
        Facts without which it does not apply, as the time of observations.
    variant : str
        The kind of other runs that it compares with, made by ``skywright trust RUN --complete``.
    early : callable, optional
        The part of the check that can be broken before these runs were made.
    """

    id: str
    title: str
    severity: str
    stage: str
    check: Callable[..., Outcome]
    tasks: tuple[str, ...] = FITTED
    only_with: tuple[str, ...] = ()
    variant: str = ""
    early: Callable[..., Outcome] | None = None


E, W = "ERROR", "WARN"

RULES: dict[str, Rule] = {rule.id: rule for rule in (
    Rule("L1", "no copies across the split", E, "data", leaks.copies_across_splits),
    Rule("L2", "no group or patch of sky across the split", E, "data", leaks.groups_across_splits),
    Rule("L3", "scaling fitted on training rows alone", E, "run", leaks.fitted_on_training_alone),
    Rule("L4", "time kept in order", E, "data", leaks.time_kept_in_order, only_with=("time",)),
    Rule("L5", "test set opened once, and chose nothing", W, "run", leaks.test_set_opened),
    Rule("L6", "the answer is not among the features", E, "run", leaks.answer_among_features,
         variant="shuffled", early=leaks.single_feature),
    Rule("L7", "augmentation after the split", W, "data", leaks.turned_copies_across_splits,
         only_with=("pixels",)),
    Rule("D1", "data card", E, "run", data.data_card_complete, ALL),
    Rule("D2", "class balance and covariate shift", W, "data", data.balance_and_shift),
    Rule("D3", "simulated against real", W, "data", data.simulation_like_real, ALL,
         only_with=("real",)),
    Rule("D4", "deployment inside the training domain", W, "data", data.domain_covered),
    Rule("B1", "three baselines, tuned", E, "run", baselines.baselines_run_and_tuned),
    Rule("B2", "gain over the best baseline", E, "data", baselines.gain_over_best_baseline),
    Rule("B3", "cost beside accuracy", W, "run", baselines.cost_beside_accuracy),
    Rule("M1", "three seeds or more", E, "run", training.several_seeds),
    Rule("M2", "searches recorded", E, "run", training.searches_recorded),
    Rule("M3", "ablation of every part", E, "run", training.components_ablated,
         variant="without"),
    Rule("M4", "learning curve", W, "run", training.learning_curve, variant="data"),
    Rule("M5", "gradients alive, and set to zero", E, "run", training.gradients_alive),
    Rule("M6", "settings matter", W, "run", training.settings_matter, variant="other"),
    Rule("U1", "probabilities calibrated", E, "data", uncertainty.classes_calibrated,
         ("classification",)),
    Rule("U2", "predicted errors calibrated", E, "data", uncertainty.predictions_calibrated,
         ("regression",)),
    Rule("U3", "posteriors calibrated", E, "data", uncertainty.posteriors_calibrated,
         ("posterior",)),
    Rule("U4", "subgroups calibrated", E, "data", uncertainty.subgroups_calibrated,
         ("classification", "regression")),
    Rule("U5", "aleatoric and epistemic parts", W, "run", uncertainty.spread_splits_rightly,
         ("regression",), ("epistemic",), "data"),
    Rule("U6", "conformal sets cover", E, "data", uncertainty.conformal_covers,
         ("classification", "regression")),
    Rule("U7", "every number with its interval", E, "run", uncertainty.intervals_everywhere, ALL),
    Rule("S1", "shift suite", E, "data", shifts.shifts_measured),
    Rule("S2", "few-pixel attack", W, "data", shifts.attack_bounded, only_with=("pixels",)),
    Rule("S3", "outsiders recognised, doubt goes with error", E, "data",
         shifts.outsiders_recognised),
    Rule("S4", "adaptation blind to target labels", E, "run",
         shifts.adaptation_blind_to_target_labels, only_with=("domains",)),
    Rule("S5", "symmetries kept", E, "data", shifts.symmetries_kept, only_with=("symmetries",)),
    Rule("I1", "attributions pass their sanity checks", W, "data", insight.attributions_checked,
         only_with=("pixels",)),
    Rule("I2", "what latents know of physics", W, "data", insight.latents_mean_something,
         only_with=("information",)),
    Rule("I3", "known physics holds", E, "data", insight.physics_holds),
    Rule("I4", "failures shown", W, "data", insight.failures_shown),
    Rule("P1", "recorded so that it can be run again", E, "run", provenance.run_recorded, ALL),
    Rule("P2", "a second run gives the same", E, "run", provenance.rerun_equal, ALL,
         variant="rerun"),
    Rule("P3", "every number traced to a node", E, "run", provenance.numbers_traced, ALL),
    Rule("P4", "model card complete", E, "run", provenance.card_complete, ALL),
    Rule("P5", "safe weights, guarded domain", E, "run", provenance.safe_to_serve, ALL),
    Rule("P6", "REFORMS checklist", W, "run", provenance.reforms_filled, ALL),
    Rule("G1", "ethics and origin of labels", W, "run", provenance.ethics_said, ALL),
)}  # fmt: skip


def apply_all(stage: str, facts: Mapping[str, Any]) -> list[Finding]:
    """Return a finding for every rule of a stage, in the order of the book."""
    return [apply(rule, facts) for rule in RULES.values() if rule.stage == stage]


def apply(rule: Rule, facts: Mapping[str, Any]) -> Finding:
    """Return what a rule finds in the facts.

    Parameters
    ----------
    rule : Rule
        From `RULES`.
    facts : mapping
        Name -> value; ``task`` among them. None counts as missing.
    """
    task = facts.get("task")
    if task not in rule.tasks:
        return Finding(rule.id, rule.title, "not applicable", "INFO", f"the task is {task}")
    absent = [name for name in rule.only_with if facts.get(name) is None]
    if absent:
        text = f"there is no {' and no '.join(absent)}"
        return Finding(rule.id, rule.title, "not applicable", "INFO", text)
    missing = _not_compared(rule, facts) or _missing(rule.check, facts)
    if missing and rule.early and not _missing(rule.early, facts):
        early = _call(rule.early, facts)
        if not early.passed:
            return _finding(rule, early)
        missing += f"; so far: {early.evidence}"
    if missing:
        # a release needs every rule that compares runs, also those that are only reported
        severity = "ERROR" if rule.variant else rule.severity
        return Finding(rule.id, rule.title, "not computed", severity, missing, how_to_mend(rule.id))
    return _finding(rule, _call(rule.check, facts))


def _call(check: Callable[..., Outcome], facts: Mapping[str, Any]) -> Outcome:
    names = inspect.signature(check).parameters
    return check(**{name: facts[name] for name in names if name in facts})


def _finding(rule: Rule, outcome: Outcome) -> Finding:
    severity = outcome.severity or rule.severity
    return Finding(
        rule.id,
        rule.title,
        "passed" if outcome.passed else "failed",
        "INFO" if outcome.passed else severity,
        outcome.evidence,
        "" if outcome.passed else how_to_mend(rule.id),
        outcome.number,
        outcome.detail,
    )


def _not_compared(rule: Rule, facts: Mapping[str, Any]) -> str:
    """Say which other runs a rule lacks; nothing when they were made."""
    if rule.variant and not (facts.get("variants") or {}).get(rule.variant):
        return f"needs other runs ({rule.variant}): skywright trust RUN --complete makes them"
    return ""


def _missing(check: Callable[..., Outcome], facts: Mapping[str, Any]) -> str:
    """Say what a check lacks; nothing when it can be computed."""
    parameters = inspect.signature(check).parameters.values()
    needed = [p.name for p in parameters if p.default is inspect.Parameter.empty]
    lacking = [name for name in needed if name not in facts]
    if not lacking:
        return ""
    made = set(lacking) & set(facts.get("unmade", ()))
    how = ": skywright trust RUN --complete makes the runs that the recipe names" if made else ""
    return f"needs {', '.join(lacking)}{how}"
