"""The page of the rule book: one screen of verdicts, then what each rests on."""

from __future__ import annotations

from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING, Any

from skywright.trust.drawing import COLOURS, svg
from skywright.trust.markup import figure, table, text
from skywright.trust.rules.finding import Finding
from skywright.trust.rules.reforms import ITEMS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["trust_page"]

_GROUPS = {
    "broken": "What is broken",
    "open": "What was not computed",
    "passed": "What holds, and the number it rests on",
    "none": "What does not apply",
}


def trust_page(findings: list[Finding], record: dict[str, Any]) -> str:
    """Return the whole page.

    Parameters
    ----------
    findings : list of Finding
        Every rule, in the order of the book.
    record : dict
        Content of the run's ``provenance.json``.
    """
    package = files("skywright.trust")
    title = record["recipe"]["head"].get("title") or record["run"]
    stops = [f for f in findings if f.stops]
    errors = [f for f in stops if f.state == "failed"]
    tone = "bad" if errors else "doubt" if stops else "good"
    return Template(package.joinpath("rules", "page.html.in").read_text("utf-8")).substitute(
        title=text(f"Trust: {title}"),
        style=package.joinpath("report.css").read_text("utf-8"),
        tone=tone,
        eyebrow=text(f"{title} \u00b7 run {record['run']} \u00b7 seed {record['recipe']['seed']}"),
        headline=text(_headline(errors, stops)),
        verdict=text(_verdict(findings)),
        book="".join(_tile(finding) for finding in findings),
        sections="".join(_section(kind, findings) for kind in _GROUPS),
        figures=_figures({finding.rule: finding for finding in findings}),
        failures=_failures({finding.rule: finding for finding in findings}),
        reforms=_reforms(findings),
    )


def _headline(errors: list[Finding], stops: list[Finding]) -> str:
    if errors:
        return f"Not to be released: {', '.join(f.rule for f in errors)} broken"
    if stops:
        return f"Not yet to be released: {len(stops)} rules were not computed"
    return "Ready for release: no enforced rule is broken"


def _verdict(findings: list[Finding]) -> str:
    states = [finding.state for finding in findings]
    warned = [f.rule for f in findings if f.state == "failed" and f.severity == "WARN"]
    sentences = [
        f"Of {len(findings)} rules {states.count('passed')} hold; broken "
        f"{states.count('failed')}, not computed {states.count('not computed')}, without "
        f"application {states.count('not applicable')}."
    ]
    gain = next((f for f in findings if f.rule == "B2" and f.state != "not computed"), None)
    if gain and gain.evidence and gain.state != "not applicable":
        sentences.append(f"{gain.evidence[0].upper()}{gain.evidence[1:]}.")
    if warned:
        sentences.append(f"Warnings: {', '.join(warned)}.")
    return " ".join(sentences)


def _kind(finding: Finding) -> str:
    """Return the class of a tile."""
    if finding.state == "failed":
        return finding.severity.lower()
    return {"passed": "passed", "not computed": "open"}.get(finding.state, "none")


def _tile(finding: Finding) -> str:
    said = {"failed": finding.severity.lower(), "not applicable": "n/a", "not computed": "open"}
    state = said.get(finding.state, finding.state)
    return (
        f'<li><a class="{_kind(finding)}" href="#{finding.rule}" title="{text(finding.title)}">'
        f"<b>{finding.rule}</b><span>{text(state)}</span></a></li>"
    )


def _section(kind: str, findings: list[Finding]) -> str:
    kinds = {"broken": ("error", "warn")}.get(kind, (kind,))
    found = [finding for finding in findings if _kind(finding) in kinds]
    if not found:
        return ""
    found.sort(key=lambda finding: finding.severity != "ERROR")
    rules = "".join(_rule(finding) for finding in found)
    layout = "" if kind == "broken" else ' class="short"'
    return (
        f'<section id="{kind}"><h2>{text(_GROUPS[kind])} ({len(found)})</h2>'
        f"<div{layout}>{rules}</div></section>"
    )


def _rule(finding: Finding) -> str:
    mend = f'<p class="mend">{text(finding.mend)}</p>' if finding.mend else ""
    severity = finding.severity if finding.state in ("failed", "not computed") else ""
    said = f" <small>{severity}</small>" if severity else ""
    return (
        f'<div class="rule {_kind(finding)}" id="{finding.rule}">'
        f"<h3>{finding.rule} {text(finding.title)}{said}</h3>"
        f"<p>{text(finding.evidence)}</p>{mend}</div>"
    )


def _figures(findings: dict[str, Finding]) -> str:
    made = []
    shifts = findings["S1"].detail.get("shifts")
    if shifts:
        made.append(
            figure(
                svg(lambda axes: _draw_shifts(axes, shifts)),
                "What a shift costs",
                "Headline metric against the severity of each shift, in steps of its own unit, "
                "mildest first. Bars hold 95 % of the resamples, the band those of the data as "
                "they are.",
            )
        )
    subgroups = findings["U4"].detail.get("subgroups")
    if subgroups:
        made.append(
            figure(
                svg(lambda axes: _draw_subgroups(axes, subgroups)),
                "Calibration of every subgroup",
                "Value that the rule rests on, with its interval; wide ones know little.",
            )
        )
    if not made:
        return ""
    return f'<h2>Figures</h2><div class="figures">{"".join(made)}</div>'


def _draw_shifts(axes: Axes, shifts: list[dict[str, Any]]) -> None:
    colours = [COLOURS[name] for name in ("net", "boosting", "arc", "flux")]
    clean = next(row for row in shifts if row["kind"] == "clean")
    axes.axhspan(clean["low"], clean["high"], color=COLOURS["muted"], alpha=0.2, lw=0)
    kinds = sorted({row["kind"] for row in shifts} - {"clean"})
    for i, kind in enumerate(kinds):
        rows = sorted((r for r in shifts if r["kind"] == kind), key=lambda r: -r["change"])
        value = [row["value"] for row in rows]
        ends = [
            [row["value"] - row["low"] for row in rows],
            [row["high"] - row["value"] for row in rows],
        ]
        axes.errorbar(
            range(1, len(rows) + 1), value, ends,
            color=colours[i % 4], linestyle=("-", "--", ":")[i // 4 % 3],
            label=kind.replace("_", " ").replace("$", r"\$"), capsize=2, elinewidth=0.8,
        )  # fmt: skip
    axes.set_xlabel("step of severity")
    axes.set_ylabel("headline metric")
    axes.legend(fontsize=7, ncols=2)


def _draw_subgroups(axes: Axes, subgroups: dict[str, dict[str, Any]]) -> None:
    names = list(subgroups)
    for i, name in enumerate(names):
        found = subgroups[name]
        good = found["decision"] == "calibrated"
        colour = COLOURS["net" if good else "boosting"]
        axes.plot([found["low"], found["high"]], [i, i], color=colour)
        axes.plot(found["value"], i, "o" if good else "s", color=colour)
    # a dollar sign begins a formula
    axes.set_yticks(range(len(names)), [n.replace("$", r"\$") for n in names], fontsize=7)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xlabel("calibration")


def _failures(findings: dict[str, Finding]) -> str:
    worst = findings["I4"].detail.get("worst")
    if not worst:
        return ""
    rows = [
        [text(row["object_id"]), *(f"{row[key]:.3g}" for key in ("truth", "answer", "loss"))]
        for row in worst
    ]
    head = ["Object", "Truth", "Answer", "Loss"]
    return table(head, rows, "The worst answers, worst first: look at them before you believe it")


def _reforms(findings: list[Finding]) -> str:
    found = {finding.rule: finding for finding in findings}
    answers = found["P6"].detail.get("table", {})
    rows = [
        [item.id, text(item.asks), text(answers.get(item.id) or "open")[:300]] for item in ITEMS
    ]
    caption = "Kapoor et al. 2024, Sci. Adv. 10, eadk3452; items in our words"
    return table(["Item", "Asked", "Answered by"], rows, caption)
