"""``skywright data``: public data sets, by checksum."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["app"]

app = typer.Typer(
    help="Public data: what there is, fetch it once, where it lies.", no_args_is_help=True
)

Name = Annotated[str, typer.Argument(help="As listed by [bold]skywright data list[/bold].")]


@app.command("list")
def list_() -> None:
    """List the data sets that recipes can name; a star marks those on this machine."""
    from skywright.data.fetch import datasets, path

    for name, dataset in datasets().items():
        try:
            path(name)
            mark = "*"
        except (OSError, ValueError):
            mark = " "
        typer.echo(f"{mark} {name:20} {dataset.description}")


@app.command()
def fetch(name: Name) -> None:
    """Download a data set and check its sha256: [bold]skywright data fetch NAME[/bold]."""
    from skywright.data.fetch import fetch as get

    typer.echo(_or_exit(get, name))


@app.command()
def path(name: Name) -> None:
    """Print where a data set lies; nothing is downloaded."""
    from skywright.data.fetch import path as find

    typer.echo(_or_exit(find, name))


def _or_exit(function: Callable[[str], Path], name: str) -> Path:
    """Return what a function says of a data set; what it raises becomes one line."""
    try:
        return function(name)
    except (KeyError, ValueError) as error:
        typer.echo(f"skywright: {error.args[0] if error.args else error}", err=True)
        raise typer.Exit(2) from None
    except (OSError, RuntimeError) as error:
        typer.echo(f"skywright: {error}", err=True)
        raise typer.Exit(1) from None
