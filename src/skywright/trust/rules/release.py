"""What is published: the models, their card, and the domain that a server has to check."""

from __future__ import annotations

import json
import shutil
import tempfile
from html import escape
from pathlib import Path
from typing import Any

from skywright.data.plainjson import read_json
from skywright.trust.rules.finding import Finding
from skywright.trust.rules.reforms import ITEMS

__all__ = ["release_card", "write_release"]


def write_release(
    run: Path, record: dict[str, Any], findings: list[Finding], models: dict[str, Any],
    hull: dict[str, Any] | None, out: Path,
) -> Path:  # fmt: skip
    """Write the model folder: models as and where they are stored, card, domain, findings.

    Parameters
    ----------
    run : Path
        Folder of the run.
    record : dict
        Its record.
    findings : list of Finding
        Every rule; none of them may stop a release.
    models : dict
        Node -> model, from `read_models`; those that are released.
    hull : dict or None
        From `fit_hull`: what `skywright.data.outside_hull` checks.
    out : Path
        A folder that does not exist yet, or is empty.

    Raises
    ------
    ValueError
        When a rule stops the release.
    FileExistsError
        When the folder holds anything.
    """
    stops = [finding for finding in findings if finding.stops]
    if stops:
        said = "\n".join(f"  {f.rule} {f.title}: {f.state}: {f.evidence}" for f in stops)
        raise ValueError(f"not released, {len(stops)} rules stand in the way:\n{said}")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise FileExistsError(f"{out} is not empty: name a new folder")
    out.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        _fill(aside, run, record, findings, models, hull)
        if out.exists():
            out.rmdir()
        aside.chmod(0o755)  # a temporary folder is for its owner alone
        aside.rename(out)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    return out


def _fill(
    aside: Path, run: Path, record: dict[str, Any], findings: list[Finding],
    models: dict[str, Any], hull: dict[str, Any] | None,
) -> None:  # fmt: skip
    # where they stood in the run: skywright run --set NODE=FOLDER reads a release as it reads a run
    for node, state in record["nodes"].items():
        folder = state.get("folder")
        if node in models or (folder and _holds_models(run / folder)):
            shutil.copytree(run / folder, aside / folder)
    (aside / "README.md").write_text(release_card(record, findings, models), "utf-8")
    (aside / "domain.json").write_text(json.dumps(hull or {}, indent=1), "utf-8")
    for name in ("provenance.json", "recipe.yml", "trust.json", "trust.html"):
        if (run / name).is_file():
            shutil.copyfile(run / name, aside / name)


def _holds_models(folder: Path) -> bool:
    """Tell whether an artefact is a model, or gathers models and nothing else of any size."""
    kind = read_json(folder / "artefact.json")["kind"]
    parts = list(folder.glob("part*"))
    return kind == "model" or (kind == "value" and bool(parts) and all(map(_holds_models, parts)))


def release_card(record: dict[str, Any], findings: list[Finding], models: dict[str, Any]) -> str:
    """Return the model card in Markdown, filled from the run."""
    head = record["recipe"]["head"]
    card = head.get("trust", {}).get("card", {})
    by_rule = {finding.rule: finding for finding in findings}
    lines = [
        f"# {_line(head.get('title') or record['run'])}", "",
        f"Run {record['run']}, skywright {record['versions']['skywright']}.", "",
        "## Intended use", "", _line(card.get("use", "not said")), "",
        "## Not for", "", _line(card.get("not_for", "not said")), "",
        "## Domain of validity", "",
        "`domain.json` holds the hull of the training rows; "
        "`skywright.data.outside_hull` tells what lies outside, and nothing is claimed there. "
        "Models with a hull of their own training rows flag by it what they are asked about "
        "(`in_domain`); `--set NODE=FOLDER` of `skywright run` takes them from this folder.", "",
        "## Metrics", "",
        "| metric | value | 95 % interval |", "|---|---|---|",
        *(_row(name, result) for name, result in record["results"].items()), "",
        "## Limits", "",
        *(f"- {f.rule} {f.title}: {_line(f.evidence)}" for f in findings
          if f.state == "failed" or f.rule in ("B2", "U4", "S1")), "",
        "## Models", "", *(f"- {_line(node)}" for node in models), "",
        f"Licence: {_line(card.get('licence', 'not said'))}  ",
        f"Cite: {_line(', '.join(map(str, head.get('cite') or [])) or 'not said')}", "",
        "## REFORMS", "", "| item | asked | answered by |", "|---|---|---|",
        *_reforms(by_rule["P6"].detail.get("table", {})), "",
    ]  # fmt: skip
    return "\n".join(lines)


def _line(said: Any) -> str:
    """Return a text as one line of Markdown that is no HTML, no heading and no cell of a table."""
    return " ".join(escape(str(said), quote=False).split()).replace("|", "\\|")


def _row(name: str, result: dict[str, Any]) -> str:
    value, low, high = (result.get(key) for key in ("value", "low", "high"))
    return f"| {_line(name)} | {_figure(value)} | {_figure(low)} to {_figure(high)} |"


def _figure(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, (int, float)) else "unknown"


def _reforms(answers: dict[str, str]) -> list[str]:
    return [
        f"| {item.id} | {item.asks} | {_line(answers.get(item.id) or 'open')} |" for item in ITEMS
    ]
