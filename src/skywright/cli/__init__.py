"""The command line: one Typer app; a room is imported only inside its command."""

from __future__ import annotations

from typing import Annotated

import typer

from skywright.cli.data import app as data
from skywright.cli.query import query
from skywright.cli.recipes import recipes
from skywright.cli.run import run
from skywright.cli.trust import release, trust

__all__ = ["app"]

app = typer.Typer(
    name="skywright",
    help="From a simulated sky to a catalogue that can be trusted.\n\n"
    "Start with [bold]skywright run lens-search --preset tiny[/bold]; "
    "[bold]skywright recipes[/bold] lists what else there is.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

# Commands, one file each; none of them imports a room before it is called.
app.command()(run)
app.command()(recipes)
app.command()(query)
app.command()(trust)
app.command()(release)
app.add_typer(data, name="data")


def _version(wanted: bool) -> None:
    if wanted:
        from skywright import __version__

        typer.echo(f"skywright {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Take part in no run: only the options before the command."""
