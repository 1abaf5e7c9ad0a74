"""The other runs that some rules compare with: they are made from the recipe of a finished run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import typer

__all__ = ["compare_with_others", "count_openings", "known_variants"]

FOLDER = "trust"  # of the workspace: runs in it are comparisons, not new looks at the test rows
RERUN = "rerun"


def compare_with_others(
    folder: Path, record: dict[str, Any], workspace: Path, empty: Path, workers: int | None,
    quiet: bool,
) -> None:  # fmt: skip
    """Make every run that the recipe names under ``trust: variants``, and the same run again.

    Parameters
    ----------
    folder : Path
        The finished run.
    record : dict
        Its record.
    workspace : Path
        Where runs are kept.
    empty : Path
        An empty folder: the same run is made there from nothing.
    workers : int or None
        Processes.
    quiet : bool
        Whether to show no progress.
    """
    from skywright.flow import load_again

    variants = record["recipe"]["head"].get("trust", {}).get("variants", {})
    named = [(kind, label, settings) for kind, labels in variants.items()
             for label, settings in labels.items()]  # fmt: skip
    known = _read(_file(record, workspace))
    done = 0
    for kind, label, settings in named:
        done += 1
        if label in known.get(kind, {}):
            continue
        if not quiet:
            typer.echo(f"{done} of {len(named) + 1}: {kind}, {label}: {settings}", err=True)
        out = _file(record, workspace).parent / f"{kind}-{label}"
        run = _run(load_again(folder, settings), workspace, out, workers, quiet)
        known.setdefault(kind, {})[label] = _headline(run, record)
        _write(_file(record, workspace), known)
    if RERUN not in known:
        if not quiet:
            typer.echo(f"{len(named) + 1} of {len(named) + 1}: the same again", err=True)
        again = _run(load_again(folder), empty, empty / "run", workers, quiet)
        known[RERUN] = _differences(record["nodes"], again.nodes)
        _write(_file(record, workspace), known)


def known_variants(record: dict[str, Any], workspace: Path) -> dict[str, Any]:
    """Return what was compared before, kind -> label -> headline metric."""
    return _read(_file(record, workspace))


def count_openings(folder: Path, record: dict[str, Any], workspace: Path) -> int:
    """Return how many different runs, of any recipe, were judged on the test rows of this one.

    A run that gives the same scores, as a repetition does, is no new look; nor is a comparison, nor
    one whose report cannot be read any more.
    """
    from skywright import flow
    from skywright.trust.rules.assess import judged_report

    own = judged_report(folder, record)
    if own is None or "splits" not in own.evidence["facts"]:
        return 1
    rows = _tested(own)
    seen = {_judge_digest(record)}
    for other, its in flow.finished(workspace.absolute()):
        if FOLDER in other.parts[:-1] and other.is_relative_to(workspace.absolute() / FOLDER):
            continue
        try:
            report = judged_report(other, its)
        except OSError:
            continue
        if report is not None and _tested(report) == rows:
            seen.add(_judge_digest(its))
    return len(seen)


def _tested(report: Any) -> list[str]:
    splits = report.evidence.get("facts", {}).get("splits", [])
    return [split.get("judged_sha256", "") for split in splits]


def _judge_digest(record: dict[str, Any]) -> str:
    return str(record["nodes"][record["recipe"]["head"]["trust"]["judge"]]["digest"])


def _run(plan: Any, workspace: Path, out: Path, workers: int | None, quiet: bool) -> Any:
    from skywright import flow
    from skywright.cli.progress import Display

    with Display(quiet, False) as display:
        return flow.run(plan, workspace=workspace, out=out, workers=workers, progress=display)


def _headline(run: Any, record: dict[str, Any]) -> dict[str, Any]:
    """Return the headline metric of a comparison, and that of each of its seeds.

    Raises
    ------
    RunError
        When it failed.
    """
    from skywright.flow import RunError, read_record
    from skywright.trust.rules.assess import judged_report

    if run.state != "done":
        raise RunError(f"a run to compare with is {run.state}: see {run.folder / 'run.log'}")
    report = judged_report(run.folder, read_record(run.folder))
    if report is None:
        raise RunError(f"the recipe of {record['run']} names no judge: there is nothing to compare")
    facts = report.evidence["facts"]
    return {**facts["headline"], "seeds": facts["seeds"]}


def _differences(first: dict[str, Any], again: dict[str, Any]) -> dict[str, Any]:
    known = {name: node["digest"] for name, node in first.items() if node["digest"]}
    different = [n for n, d in known.items() if again.get(n, {}).get("digest") != d]
    return {"nodes": len(known), "different": different}


def _file(record: dict[str, Any], workspace: Path) -> Path:
    # by the identifier: two runs may stand in folders of one name
    return workspace.absolute() / FOLDER / str(record["run"]) / "variants.json"


def _read(file: Path) -> dict[str, Any]:
    return dict(json.loads(file.read_text("utf-8"))) if file.is_file() else {}


def _write(file: Path, content: dict[str, Any]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content, indent=1) + "\n", "utf-8")
