"""The record of a run: what was run, on what, how long it took, and what came out."""

from __future__ import annotations

import datetime
import math
import os
import platform
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import skywright
from skywright.data import artefacts
from skywright.data.plainjson import plain
from skywright.flow.expect import met
from skywright.flow.jobs import THREADS, State
from skywright.flow.plan import Plan, as_json, calls
from skywright.flow.runs import RECORD, Run, link, link_artefact, node_folder, write_json
from skywright.flow.schedule import Schedule
from skywright.flow.store import digest_file

__all__ = ["finish"]


def finish(schedule: Schedule, run: Run, seconds: float) -> Run:
    """Link the artefacts into the run folder, judge the expectations, write the record.

    Parameters
    ----------
    schedule : Schedule
        With every node ended.
    run : Run
        The folder of one that was finished before is left as it is.
    seconds : float [s]
        Wall time of the run.
    """
    ended = {state.state for state in schedule.states.values()}
    state = "waiting" if "waiting" in ended else "done"
    state = "failed" if ended & {"failed", "skipped"} else state
    nodes = {name: _node(name, schedule.states[name]) for name in schedule.nodes}
    results, report = _results(schedule, run)
    expect = _expect(schedule.plan, results) if state == "done" else {}
    outcome: dict[str, Any] = {
        "state": state, "nodes": nodes, "results": results, "expect": expect
    }  # fmt: skip
    if not run.finished:
        for name, node in nodes.items():
            entry = schedule.states[name].entry
            if entry and node["folder"]:
                link_artefact(entry, run.folder / node["folder"])
        _write_log(schedule, run)
        record = {"run": run.run, **outcome, **_background(schedule, run, seconds)}
        write_json(run.folder / RECORD, {**record, "identity": run.identity})
    return replace(run, **outcome, report=report)


def _node(name: str, state: State) -> dict[str, Any]:
    """Return what is recorded of a node; ``cost`` is what computing it took, now or earlier."""
    entry = state.entry
    record: dict[str, Any] = {
        "state": state.state,
        "seconds": round(state.seconds, 4),
        "digest": entry.digest if entry else None,
        "key": entry.key if entry else None,
        "folder": node_folder(name) if entry and entry.kept else None,
    }
    if entry:
        record |= {"cost": entry.seconds, "memory": entry.memory}
    return record | ({"message": state.message} if state.message else {})


def _results(schedule: Schedule, run: Run) -> tuple[dict[str, Any], Path | None]:
    """Return the numbers of the recipe's report, its files put in front of the run folder."""
    entries = {n: s.entry for n, s in schedule.states.items() if s.entry}
    reports = [n for n, entry in entries.items() if (entry.folder / "report.json").is_file()]
    wanted = schedule.plan.head.get("report")
    if wanted:
        reports = [n for n in reports if wanted in (n, schedule.nodes[n].base)]
    if len(reports) != 1:
        return {}, None
    entry = entries[reports[0]]
    for file in ("report.json", "report.html"):
        if not run.finished and (entry.folder / file).is_file():
            link(entry.folder / file, run.folder / file)
    page = run.folder / "report.html"
    results = plain(artefacts.load(entry.folder).results)
    return results, page if page.is_file() else None


def _expect(plan: Plan, results: dict[str, Any]) -> dict[str, Any]:
    """Judge what the recipe expects of this preset, of nodes that ``--only`` did not leave out."""
    judged, made = {}, {node.base for node in plan.nodes.values()}
    for name, bound in plan.head.get("expect", {}).get(plan.preset, {}).items():
        if name.partition(".")[0] not in made:
            continue
        result = results.get(name) or results.get(name.partition(".")[2]) or {}
        ends = [result.get(end) for end in ("low", "high")]
        low, high = (math.nan if end is None else float(end) for end in ends)
        judged[name] = {"bound": bound, "met": met(bound, low, high)}
    return judged


def _write_log(schedule: Schedule, run: Run) -> None:
    """Append the tracebacks of failed nodes to the log."""
    with open(run.log, "a", encoding="utf-8", errors="backslashreplace") as log:
        for name, state in schedule.states.items():
            if state.state == "failed":
                log.write(f"\nnode {name} failed: {state.message}\n{state.trace}\n")


def _background(schedule: Schedule, run: Run, seconds: float) -> dict[str, Any]:
    """Return what else it takes to do the same again."""
    plan = schedule.plan
    found: dict[str, str] = {}
    for node in schedule.nodes.values():
        for call in calls(node.value):
            found |= schedule.sources.of(call)
    entries = [s.entry for s in schedule.states.values() if s.entry]
    return {
        "recipe": {
            "file": str(plan.file),
            "sha256": digest_file(run.folder / "recipe.yml"),
            "head": plan.head,
            "preset": plan.preset,
            "seed": plan.seed,
            "parameters": as_json(plan.parameters),
            "set": as_json(plan.settings),
            "cosmology": as_json(plan.cosmology),
            "nodes": {n: as_json(node.value) for n, node in schedule.nodes.items()},
            "reused": {n: str(p) for n, p in plan.reused.items()},
            "allow": list(plan.allow),
        },
        "versions": {
            "skywright": skywright.__version__,
            "python": platform.python_version(),
            **{name: v for name, v in found.items() if len(v) < 64},
        },
        "sources": {name: v for name, v in found.items() if len(v) >= 64},
        "git": _commit(),
        "ended": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "seconds": round(seconds, 3),
        "memory": max((e.memory for e in entries), default=0),
        "hardware": _hardware(),
        "threads": THREADS,
    }


@cache
def _commit() -> str | None:
    """Return the commit of the package's source, with a plus sign if it was changed since."""
    try:
        folder = Path(skywright.__file__).parent

        def git(*command: str) -> str:
            return subprocess.run(
                ["git", "-C", str(folder), *command],
                capture_output=True, text=True, timeout=5, check=True,
            ).stdout.strip()  # fmt: skip

        git("ls-files", "--error-unmatch", "__init__.py")  # a checkout of ours, not just around us
        return git("rev-parse", "HEAD") + ("+" if git("status", "--porcelain", ".") else "")
    except (OSError, subprocess.SubprocessError):
        return None


def _hardware() -> dict[str, Any]:
    """Return what the run was computed on."""
    model = platform.processor()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next(x.partition(":")[2].strip() for x in lines if x.startswith("model name"))
    except (OSError, StopIteration):
        pass
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    torch = sys.modules.get("torch")
    gpus = torch.cuda.device_count() if torch else 0
    return {
        "system": platform.platform(),
        "processor": model,
        "cores": os.cpu_count(),
        "memory": memory,
        "gpus": [torch.cuda.get_device_name(i) for i in range(gpus)] if torch else [],
    }
