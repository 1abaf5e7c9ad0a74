"""``skywright recipes``: what comes with the package."""

from __future__ import annotations

import re
from pathlib import Path

import typer

__all__ = ["find", "recipes"]

FOLDER = Path(__file__).parent.parent / "recipes"


def recipes() -> None:
    """List the recipes of the package: [bold]skywright run NAME[/bold] runs one.

    To change one, copy it: [bold]cp "$(skywright recipes --path NAME)" mine.yml[/bold]
    """
    for file in sorted(FOLDER.glob("*.yml")):
        title = re.search(r"^\s+title:\s*(.*?)\s*$", file.read_text(), re.MULTILINE)
        typer.echo(f"{file.stem:24} {title.group(1) if title else ''}")


def find(name: str) -> Path:
    """Return the file of a recipe: a path, or the name of one of the package.

    Raises
    ------
    FileNotFoundError
        If there is neither.
    """
    if Path(name).is_file():
        return Path(name)
    file = FOLDER / f"{name}.yml"
    if file.is_file() and file.parent == FOLDER:
        return file
    known = ", ".join(sorted(f.stem for f in FOLDER.glob("*.yml"))) or "none"
    raise FileNotFoundError(
        f"there is no file {name!r} and no such recipe; the package has {known}"
    )
