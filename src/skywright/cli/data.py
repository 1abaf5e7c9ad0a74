"""``skywright data``: public data sets, by checksum."""

from __future__ import annotations

from typing import Annotated

import typer

__all__ = ["app"]

app = typer.Typer(
    help="Public data: what there is, fetch it once, where it lies.", no_args_is_help=True
)

Name = Annotated[str, typer.Argument(help="As listed by [bold]skywright data list[/bold].")]


@app.command("list")
def list_() -> None:
    """List the data sets that recipes can name, and whether they are on this machine."""
    from skywright.data import fetch

    for name, text in fetch.datasets().items():
        typer.echo(f"{name:28} {text}")


@app.command()
def fetch(name: Name) -> None:
    """Download a data set and check its sha256: [bold]skywright data fetch NAME[/bold]."""
    from skywright.data import fetch as public

    typer.echo(_or_exit(public.fetch, name))


@app.command()
def path(name: Name) -> None:
    """Print where a data set lies; nothing is downloaded."""
    from skywright.data import fetch as public

    typer.echo(_or_exit(public.path, name))


def _or_exit(function: object, name: str) -> object:
    """Return what a function says of a data set; what it raises becomes one line."""
    try:
        return function(name)  # type: ignore[operator]
    except (KeyError, ValueError) as error:
        typer.echo(f"skywright: {error.args[0] if error.args else error}", err=True)
        raise typer.Exit(2) from None
    except (OSError, RuntimeError) as error:
        typer.echo(f"skywright: {error}", err=True)
        raise typer.Exit(1) from None
