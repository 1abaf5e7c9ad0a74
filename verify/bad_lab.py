"""Every flawed project of tests/bad_lab with all its comparisons: the state of each rule.

Run ``python verify/bad_lab.py``; it writes docs/measured/bad_lab.json. Names of projects may be
given to run these alone: the others stay as they were measured before.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from record import ROOT, record

sys.path.insert(0, str(ROOT / "tests" / "bad_lab"))
KINDS = ("shuffled", "without", "data", "other")


def states(findings: list[Any]) -> dict[str, str]:
    """Return the state of each rule; a broken one with its severity."""
    return {f.rule: f.severity if f.state == "failed" else f.state for f in findings}


def evidence(findings: list[Any]) -> dict[str, str]:
    """Return the sentence of each rule that is broken."""
    return {f.rule: f.evidence for f in findings if f.state == "failed"}


def judge(label: str, file: Path, workspace: Path) -> dict[str, Any]:
    """Run a recipe with every comparison."""
    import lab

    start = time.perf_counter()
    findings = lab.judge_recipe(file, workspace, variants=KINDS)
    seconds = time.perf_counter() - start
    left = [f.rule for f in findings if f.state == "not computed"]
    found = {"errors": lab.failed(findings, "ERROR"), "warnings": lab.failed(findings, "WARN")}
    print(f"{label}: {found}, {seconds:.0f} s", flush=True)
    return {
        **found,
        "not_computed": left,
        "evidence": evidence(findings),
        "states": states(findings),
        "seconds": seconds,
    }


def project(name: str, workspace: Path) -> dict[str, Any]:
    """Run both twins of a project and compare them with what it says of itself."""
    import lab

    about = lab.plain(name)
    twins = {
        t: judge(f"{name}, {t}", lab.write_recipe(name, t, workspace), workspace)
        for t in ("flawed", "mended")
    }
    wanted = sorted([about["trips"], *about["lawful"]])
    right = sorted(twins["flawed"]["errors"]) == wanted and not twins["mended"]["errors"]
    return {**about, **twins, "right": right}


def main(names: list[str]) -> None:
    """Run all projects and the sound work, or some projects."""
    import lab

    start = time.perf_counter()
    measured = ROOT / "docs" / "measured" / "bad_lab.json"
    known = json.loads(measured.read_text("utf-8"))["figures"] if names else {}
    with tempfile.TemporaryDirectory(prefix="lab-") as folder:
        workspace = Path(folder)
        projects = {n: project(n, workspace) for n in names or lab.projects()}
        clean = {} if names else {n: judge(n, f, workspace) for n, f in lab.clean().items()}
    projects = known.get("projects", {}) | projects
    clean = known.get("clean", {}) | clean
    figures = {
        "projects": projects,
        "clean": clean,
        "right": sum(p["right"] for p in projects.values()),
        "clean_right": sum(not c["errors"] and len(c["warnings"]) <= 1 for c in clean.values()),
        "seconds": known.get("seconds", time.perf_counter() - start),
    }
    print(f"{figures['right']} of {len(projects)} projects as they should be")
    record("bad_lab", figures)


if __name__ == "__main__":
    main(sys.argv[1:])
