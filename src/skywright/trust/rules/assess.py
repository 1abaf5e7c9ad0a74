"""The whole rule book on a finished run: what was computed inside it, and what its record says."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from skywright.data import Report, artefacts
from skywright.trust.rules.book import RULES, apply, apply_all
from skywright.trust.rules.finding import Finding
from skywright.trust.rules.pickles import pickled_files
from skywright.trust.rules.record import (
    models_behind,
    node_names,
    orphan_numbers,
    read_models,
    run_files,
)

__all__ = ["assess", "judged_report", "summary", "write_findings"]

FILE = "trust.json"


def judged_report(run: Path, record: dict[str, Any]) -> Report | None:
    """Return what `skywright.trust.judge` left in a run; None when its recipe has no judge."""
    judge = record["recipe"]["head"].get("trust", {}).get("judge")
    folder = record["nodes"].get(judge, {}).get("folder") if judge else None
    report = artefacts.load(run / folder) if folder else None
    return report if isinstance(report, Report) else None


def assess(
    run: Path, record: dict[str, Any], *, variants: dict[str, Any] | None = None, openings: int = 1
) -> list[Finding]:
    """Return a finding for every rule, in the order of the book.

    Parameters
    ----------
    run : Path
        Folder of a finished run.
    record : dict
        Content of its ``provenance.json``.
    variants : dict, optional
        Kind -> label -> headline metric of another run; ``rerun`` -> ``nodes``, ``different``.
    openings : int
        Runs that were judged on the same test rows.
    """
    report = judged_report(run, record)
    inside = report.evidence if report else {}
    models = read_models(run, record)
    fitted = sorted(set(models) - set(record["recipe"].get("reused", {})))
    facts = dict(inside.get("facts", {"task": "classification" if models else "simulation"}))
    called_simulation = bool(fitted) and facts["task"] == "simulation"
    if called_simulation:  # or the name of the task alone would let off all that was fitted
        inside, facts = {}, {"task": "classification"}
    facts |= _facts_of_run(run, record, models, facts)
    facts |= {"variants": variants or {}, "openings": openings}
    facts["rerun"] = (variants or {}).get("rerun")
    facts |= _seeds(facts, variants or {}, record)
    facts = {name: value for name, value in facts.items() if value is not None}

    findings = [Finding(**finding) for finding in inside.get("findings", [])]
    findings = findings or apply_all("data", {"task": facts["task"]})
    if called_simulation:
        said = f"the judge calls this a simulation, but {', '.join(fitted[:4])} was fitted"
        findings = [replace(f, evidence=f"{said}; {f.evidence}") if f.stops else f
                    for f in findings]  # fmt: skip
    findings += [f for f in apply_all("run", facts) if f.rule != "P6"]
    facts["states"] = {finding.rule: finding.state for finding in findings}
    findings.append(apply(RULES["P6"], facts))
    return sorted(findings, key=lambda finding: list(RULES).index(finding.rule))


def _seeds(
    facts: dict[str, Any], variants: dict[str, Any], record: dict[str, Any]
) -> dict[str, Any]:
    """Return the headline metric of every seed; nothing while seeds that are named have not run."""
    if "headline" not in facts:
        return {}
    named = record["recipe"]["head"].get("trust", {}).get("variants", {}).get("seeds", {})
    metric, others = facts["headline"]["metric"], variants.get("seeds", {})
    if set(named) - set(others):
        return {"metric": metric, "seeds": None, "unmade": ["seeds"]}
    own = facts.get("seeds") or [facts["headline"]["value"]]
    # a run of several seeds is as many values: their common answer scatters less than one does
    runs = [result.get("seeds") or [result["value"]] for result in others.values()]
    # one that gives the same as another has the seeds of that one
    apart = dict.fromkeys(tuple(values) for values in (own, *runs))
    return {"metric": metric, "seeds": [v for values in apart for v in values]}


def _facts_of_run(
    run: Path, record: dict[str, Any], models: dict[str, Any], facts: dict[str, Any]
) -> dict[str, Any]:
    head = record["recipe"]["head"]
    card = {"cite": head.get("cite"), **head.get("trust", {}).get("card", {})}
    orphans, traced, by_chance = orphan_numbers(run, record)
    found: dict[str, Any] = {
        "record": record,
        "card": card,
        "results": record["results"],
        "orphans": orphans,
        "traced": traced,
        "by_chance": by_chance,
        "files": run_files(run),
        "pickled": pickled_files(run),
        "fits": {node: model["config"] for node, model in models.items()},
        "histories": {node: model["history"] for node, model in models.items()},
        "costs": {
            node: {
                "seconds": record["nodes"][node].get("cost"),
                "numbers": model["numbers"],
            }
            for node, model in models.items()
        },
        "served": facts.get("served", {}),
        "transfer": facts.get("transfer") or {},
    }
    call = node_names(record).get(head.get("trust", {}).get("judge")) or {}
    arguments: Any = next(iter(call.values()), {}) if isinstance(call, dict) else {}
    if isinstance(arguments, dict) and "scores" in arguments:
        given = arguments.get("baselines") or {}
        found["method"] = models_behind(arguments["scores"], record, models)
        found["behind"] = {k: models_behind(v, record, models) for k, v in given.items()}
    return found


def summary(findings: list[Finding]) -> dict[str, Any]:
    """Return how many findings there are of each state, and which stop a release."""
    states = [finding.state for finding in findings]
    return {
        "release": not any(finding.stops for finding in findings),
        "errors": [f.rule for f in findings if f.state == "failed" and f.severity == "ERROR"],
        "warnings": [f.rule for f in findings if f.state == "failed" and f.severity == "WARN"],
        "not_computed": [f.rule for f in findings if f.state == "not computed"],
        "passed": states.count("passed"),
        "rules": len(findings),
    }


def write_findings(findings: list[Finding], run: Path) -> Path:
    """Write ``trust.json`` beside the report; return the file."""
    content = {"summary": summary(findings), "findings": [asdict(f) for f in findings]}
    file = run / FILE
    file.write_text(json.dumps(content, indent=1, default=_plain) + "\n", "utf-8")
    return file


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    return value.tolist() if isinstance(value, np.ndarray) else str(value)
