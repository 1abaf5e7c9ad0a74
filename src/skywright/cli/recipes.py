"""``skywright recipes``: what comes with the package."""

from __future__ import annotations

import typer

__all__ = ["recipes"]


def recipes() -> None:
    """List the recipes of the package; [bold]skywright run NAME[/bold] runs one."""
    from skywright.flow import recipes as shipped

    for name, title in shipped().items():
        typer.echo(f"{name:24} {title}")
