"""``skywright trust`` and ``skywright release``: the rule book on a finished run."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from skywright.cli.printing import printable

if TYPE_CHECKING:
    from skywright.trust.rules.finding import Finding

__all__ = ["judge_run", "one_line", "release", "tell", "trust"]

Workspace = Annotated[Path, typer.Option(help="Folder that keeps what was computed.")]


def trust(
    run: Annotated[
        str | None, typer.Argument(metavar="RUN", help="Folder of a finished run, or its name.")
    ] = None,
    complete: Annotated[
        bool,
        typer.Option(
            "--complete",
            help="Make the other runs that some rules compare with: shuffled labels, parts left "
            "out, half the data, other settings, and the same again.",
        ),
    ] = False,
    explain: Annotated[
        str | None, typer.Option(metavar="RULE", help="Teach a rule, such as L2.")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=0, help="Processes, as for run.")] = None,
    workspace: Workspace = Path(".skywright"),
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Judge a finished run by the rule book, and (re)build its trust report.

    [bold]skywright trust .skywright/runs/lens-search-…[/bold]

    [bold]skywright trust RUN --complete[/bold] computes what takes more runs; what is unchanged
    between them is not computed again.

    [bold]skywright trust --explain L2[/bold]

    Exit code: 0 nothing stands in the way of a release, 1 something does, 2 there is no such run.
    """
    if explain is not None:
        return _explain(explain)
    if run is None:
        _stop("name a run: skywright trust RUN, or ask for a rule: skywright trust --explain L2")
    folder = _find(str(run), workspace)
    with _errors():
        findings, page = judge_run(folder, workspace, complete, workers, quiet=as_json)
    if as_json:
        typer.echo((folder / "trust.json").read_text("utf-8"))
    else:
        tell(findings, page)
    raise typer.Exit(1 if any(finding.stops for finding in findings) else 0)


def release(
    run: Annotated[str, typer.Argument(metavar="RUN", help="Folder of a finished run, or name.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder to write; must be new.")],
    workspace: Workspace = Path(".skywright"),
) -> None:
    """Write the model folder with its card, if no enforced rule is broken or left out.

    [bold]skywright trust RUN --complete && skywright release RUN -o my-model[/bold]
    """
    from skywright.flow import read_record
    from skywright.trust.rules.assess import judged_report
    from skywright.trust.rules.record import read_models
    from skywright.trust.rules.release import write_release

    folder = _find(run, workspace)
    with _errors():
        findings, _ = judge_run(folder, workspace, False, None, quiet=False)
    record = read_record(folder)
    report = judged_report(folder, record)
    hull = report.evidence["facts"].get("hull") if report else None
    try:
        with _errors():
            models = read_models(folder, record)
            made = write_release(folder, record, findings, models, hull, out.absolute())
    except ValueError as error:
        typer.echo(printable(f"skywright: {error}"), err=True)
        raise typer.Exit(1) from None
    typer.echo(f"released: {made}")


def judge_run(
    folder: Path, workspace: Path, complete: bool, workers: int | None, *, quiet: bool
) -> tuple[list[Finding], Path]:
    """Return the findings of a run and the page that was written.

    Other runs that were made before count, whether ``complete`` is asked for or not.
    """
    from skywright.cli.comparisons import compare_with_others, count_openings, known_variants
    from skywright.flow import read_record
    from skywright.trust.rules.assess import assess, write_findings
    from skywright.trust.rules.page import trust_page

    record = read_record(folder)
    if complete:
        with tempfile.TemporaryDirectory(prefix="skywright-") as empty:
            compare_with_others(folder, record, workspace, Path(empty), workers, quiet)
    variants = known_variants(record, workspace)
    openings = count_openings(folder, record, workspace)
    findings = assess(folder, record, variants=variants, openings=openings)
    write_findings(findings, folder)
    page = folder / "trust.html"
    page.write_text(trust_page(findings, record), "utf-8")
    return findings, page


def tell(findings: list[Finding], page: Path) -> None:
    """Print what stands in the way, what is warned of, and where the page is."""
    for finding in findings:
        if finding.state == "failed":
            line = f"{finding.severity:5} {finding.rule} {finding.title}: {finding.evidence}"
            typer.echo(printable(line))
            typer.echo(printable(f"      {finding.mend}"))
    open_ = [finding.rule for finding in findings if finding.state == "not computed"]
    if open_:
        typer.echo(f"not computed: {', '.join(open_)}")
    typer.echo(one_line(findings, page))


def one_line(findings: list[Finding], page: Path) -> str:
    """Return how many rules hold, which are broken, and where the page is."""
    states = [finding.state for finding in findings]
    broken = [f.rule for f in findings if f.state == "failed" and f.severity == "ERROR"]
    said = f"{states.count('passed')} rules hold"
    said += f", broken: {', '.join(broken)}" if broken else ", none enforced is broken"
    left = states.count("not computed")
    said += f", {left} not computed" if left else ""
    return f"trust: {said}: {page}"


def _explain(rule: str) -> None:
    from skywright.trust.rules.pages import read_page

    try:
        typer.echo(read_page(rule.strip().upper()))
    except KeyError as error:
        _stop(str(error.args[0]))


@contextlib.contextmanager
def _errors() -> Iterator[None]:
    """Turn what goes wrong into one line and an exit code; what was compared before is kept."""
    from skywright.flow import RecipeError, RunError

    try:
        yield
    except (RecipeError, RunError) as error:
        typer.echo(printable(f"skywright: {error}"), err=True)
        raise typer.Exit(2 if isinstance(error, RecipeError) else 1) from None
    except OSError as error:
        text = f"{error.strerror}: {error.filename}" if error.filename else str(error)
        typer.echo(printable(f"skywright: {text}"), err=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        typer.echo("skywright: stopped; runs that ended are kept, and are not made again", err=True)
        raise typer.Exit(130) from None


def _find(run: str, workspace: Path) -> Path:
    """Return the folder of a run that is named by its folder or by its name in the workspace."""
    named = workspace / "runs" / run
    moved = workspace / "runs" / f"{run}.json"
    if moved.is_file():
        named = Path(json.loads(moved.read_text("utf-8"))["path"])
    for folder in (Path(run), named):
        if (folder / "provenance.json").is_file():
            return folder.absolute()
    _stop(f"{run} is no run: give the folder that skywright run has printed")
    raise AssertionError


def _stop(text: str) -> Any:
    typer.echo(printable(f"skywright: {text}"), err=True)
    raise typer.Exit(2)
