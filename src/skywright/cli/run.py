"""``skywright run``: a recipe from its file to its report."""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from skywright.cli import lens_file
from skywright.cli.printing import printable

if TYPE_CHECKING:
    from skywright.flow import Plan, Run

__all__ = ["run"]


def run(
    recipe: Annotated[
        str, typer.Argument(help="A YAML file, or a name from [bold]skywright recipes[/bold].")
    ],
    output: Annotated[
        str | None, typer.Argument(help="The same as --out, as SkyPy has it.", metavar="OUT")
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--out",
            help="Run folder; or a file .fits, .hdf5, .parquet, .ecsv for the tables alone.",
        ),
    ] = None,
    preset: Annotated[
        str | None, typer.Option(help="One of the recipe's presets: tiny, small, full.")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="Change a parameter, or take a node from an earlier run: --set net=RUN. "
            "May be given again.",
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of everything that is drawn.")] = None,
    only: Annotated[
        str | None, typer.Option(metavar="NODE", help="This node and what it needs.")
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(min=0, help="Processes; as many as cores if not given, 0: all in this one."),
    ] = None,
    dask: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Scheduler of a Dask cluster to use.")
    ] = None,
    survey: Annotated[
        str | None,
        typer.Option(
            help="Conditions of des, delve, lsst, hst, euclid or ztf; deeplenstronomy's files only."
        ),
    ] = None,
    compat: Annotated[
        bool,
        typer.Option(
            "--compat",
            "--compat-0.0.1.7",
            help="Take what version 0.0.1.7 of deeplenstronomy took and later ones refuse.",
        ),
    ] = False,
    allow: Annotated[
        list[str] | None,
        typer.Option(metavar="PACKAGE", help="Let the recipe call this package: its code runs."),
    ] = None,
    graph: Annotated[
        bool, typer.Option("--graph", help="Print the nodes and edges as Graphviz, run nothing.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be computed, run nothing.")
    ] = False,
    workspace: Annotated[Path, typer.Option(help="Folder that keeps what was computed.")] = Path(
        ".skywright"
    ),
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object, and nothing else.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an existing table file.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("-v", "--verbose", help="A line per node; tracebacks of failures.")
    ] = False,
) -> None:
    """Run a recipe; what is unchanged since the last run is not computed again.

    A configuration of deeplenstronomy is run as well.

    [bold]skywright run lens-search --preset small[/bold]

    [bold]skywright run lens-search -o first --set image=mine.fits --set n=2000[/bold]

    [bold]skywright run mine.yml galaxies.fits --overwrite --seed 7[/bold]

    [bold]skywright run demo.yaml -o images --survey des --set DATASET.PARAMETERS.SIZE=50[/bold]

    Exit code: 0 done, 1 failed or an expectation broken, 2 the recipe or command is wrong,
    3 waiting for people.
    """
    changes = {"preset": preset, "set": set_ or [], "seed": seed, "allow": allow or []}
    options = {"out": out or output, "workers": workers, "dask": dask, "overwrite": overwrite}
    lenses: dict[str, Any] = {"survey": survey, "compat": compat, "out": out or output}
    with _errors(as_json), lens_file.as_recipe(recipe, changes, **lenses) as (file, changes):
        _check_out(output, out, compat)
        plan = _load(file, {**changes, "only": only})
        if graph:
            return typer.echo(_graphviz(plan))
        if dry_run:
            return _forecast(plan, workspace, as_json)
        done = _run(plan, {**options, "workspace": workspace}, as_json, verbose)
        whole = done.state == "done" and not (only or done.tables)
        trust = _judge(done, workspace) if whole else ""
    if as_json:
        typer.echo(json.dumps(_summary(done)))
    else:
        if trust:
            typer.echo(trust)
        _tell(done, plan, verbose)
        if done.tables:
            typer.echo(f"tables: {', '.join(str(file) for file in done.tables)}")
    raise typer.Exit(done.exit_code)


def _check_out(output: str | None, out: str | None, compat: bool) -> None:
    from skywright.flow import RecipeError

    if compat and output == "0.0.1.7":
        raise RecipeError("--compat takes no version: write --compat or --compat-0.0.1.7")

    if output is not None and out is not None:
        raise RecipeError(f"got {output} and --out {out}: name one place for the output")


def _load(recipe: str | Path, changes: dict[str, Any]) -> Plan:
    from skywright.flow import load

    with contextlib.redirect_stdout(sys.stderr):  # an import may print; JSON must stand alone
        return load(recipe, **changes)


def _run(plan: Plan, options: dict[str, Any], as_json: bool, verbose: bool) -> Run:
    from skywright import flow
    from skywright.cli.progress import Display

    with contextlib.redirect_stdout(sys.stderr), Display(as_json, verbose) as display:
        return flow.run(plan, **options, progress=display)


@contextlib.contextmanager
def _errors(as_json: bool) -> Any:
    """Turn what goes wrong outside the steps into one line and an exit code."""
    from skywright.flow import RecipeError, RunError

    try:
        yield
    except (RecipeError, RunError) as error:
        _stop(str(error), 2 if isinstance(error, RecipeError) else 1, as_json)
    except lens_file.LensFileError as error:
        _stop(str(error), 2, as_json)
    except OSError as error:
        _stop(f"{error.strerror or error}: {error.filename or 'no file named'}", 1, as_json)
    except KeyboardInterrupt:
        _stop(
            "stopped; what was finished is kept, the same command goes on from there", 130, as_json
        )


def _stop(text: str, code: int, as_json: bool) -> None:
    if as_json:
        empty: dict[str, Any] = {"nodes": {}, "results": {}, "expect": {}}
        typer.echo(json.dumps({"ok": False, "run": None, **empty, "error": text}))
    typer.echo("skywright: " + "\n".join(map(printable, text.split("\n"))), err=True)
    raise typer.Exit(code) from None


def _judge(done: Run, workspace: Path) -> str:
    """Apply the rule book to the run, and say in one line what it found."""
    from skywright.cli.trust import judge_run, one_line

    findings, page = judge_run(done.folder, workspace, False, None, quiet=True)
    return one_line(findings, page)


def _summary(done: Run) -> dict[str, Any]:
    """Return the object of ``--json``."""
    keep = ("state", "seconds", "digest", "message")
    nodes = {n: {k: v[k] for k in keep if k in v} for n, v in done.nodes.items()}
    return {
        "ok": done.ok,
        "run": str(done.folder),
        "nodes": nodes,
        "results": done.results,
        "expect": done.expect,
    }


def _tell(done: Run, plan: Plan, verbose: bool) -> None:
    """Say how it ended: what failed or waits and where, what is broken, where the report is."""
    for name, node in done.nodes.items():
        if node["state"] in ("failed", "waiting") and not node["message"].startswith("waits for"):
            mark = f" ({plan.nodes[name].mark})" if plan.nodes[name].mark else ""
            text = f"node {name}{mark} {_verb(node['state'])}: {node['message']}"
            typer.echo(printable(text), err=True)
    if done.state == "failed":
        if verbose:
            log = (done.folder / "run.log").read_text("utf-8", errors="backslashreplace")
            typer.echo(printable(log), err=True)
        typer.echo(f"the traceback is in {done.folder / 'run.log'}", err=True)
    for name, judged in done.expect.items():
        if not judged["met"]:
            value = done.results.get(name, done.results.get(name.partition(".")[2]))
            typer.echo(printable(f"expected {name} {judged['bound']}, got {value}"), err=True)
    states = [n["state"] for n in done.nodes.values()]
    counts = ", ".join(f"{states.count(s)} {s}" for s in sorted(set(states)))
    typer.echo(f"{done.state}: {counts}; {'report: ' if done.report else 'run: '}"
               f"{done.report or done.folder}")  # fmt: skip


def _verb(state: str) -> str:
    return "waits" if state == "waiting" else "failed"


def _graphviz(plan: Plan) -> str:
    lines = [f"  {json.dumps(a)} -> {json.dumps(b)};" for a, b in plan.graph.edges]
    alone = [f"  {json.dumps(n)};" for n in plan.graph if not plan.graph.degree(n)]
    return "\n".join(["digraph recipe {", "  rankdir=LR;", *alone, *lines, "}"])


def _forecast(plan: Plan, workspace: Path, as_json: bool) -> None:
    """Print what would be computed, and what it took the last time."""
    from skywright import flow

    states = {n: s.state for n, s in flow.forecast(plan, workspace=workspace).items()}
    last, costs = flow.measured(workspace, plan.file.stem)
    took = {n: costs.get(n.partition("[")[0]) for n, s in states.items() if s != "cached"}
    if as_json:
        nodes = {n: {"state": s, "took": took.get(n)} for n, s in states.items()}
        return typer.echo(json.dumps({"ok": True, "run": None, "last": last, "nodes": nodes}))
    for name, state in states.items():
        known = took.get(name)
        typer.echo(f"{state:9} {name:32}" + (f" took {known:.1f} s" if known is not None else ""))
    counts = {s: list(states.values()).count(s) for s in ("cached", "compute", "unknown")}
    typer.echo(
        f"{counts['cached']} cached, {counts['compute']} to compute, {counts['unknown']} after "
        "them (cached if what they need comes out unchanged)"
    )
    if last:
        seconds = sum(s for s in took.values() if s)
        typer.echo(f"at the rates of {last}: {seconds:.0f} s of one core")
    return None
