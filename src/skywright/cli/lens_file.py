"""``skywright run`` on a configuration of deeplenstronomy: it becomes a recipe for the engine."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

__all__ = ["LensFileError", "as_recipe"]


class LensFileError(Exception):
    """A configuration, or a command on it, that is wrong: one problem a line."""


@contextlib.contextmanager
def as_recipe(
    file: str, changes: dict[str, Any], *, survey: str | None, compat: bool, out: str | None
) -> Iterator[tuple[str | Path, dict[str, Any]]]:
    """Yield a recipe and its changes; that of a configuration lasts as long as the context.

    Raises
    ------
    LensFileError
        If a configuration, or what is to be changed in it, is wrong.
    """
    if not Path(file).is_file() or not _recognised(file):
        if survey or compat:
            name = "--survey" if survey else "--compat"
            raise LensFileError(f"{name} is for configurations of deeplenstronomy, and {file} is "
                                "none")  # fmt: skip
        yield file, changes
        return
    text, others = _translate(file, changes, survey, compat, out)
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / f"{Path(file).stem}.yml"
        made.write_text(text, "utf-8")
        yield made, {**changes, "set": others}


def _recognised(file: str) -> bool:
    from skywright.sky.deeplenstronomy.recognise import is_lens_configuration

    return is_lens_configuration(file)


def _translate(
    file: str, changes: dict[str, Any], survey: str | None, compat: bool, out: str | None
) -> tuple[str, list[str]]:
    """Return the recipe, and the settings that are none of the configuration."""
    from skywright.flow.outputs import is_table_file
    from skywright.flow.settings import read_settings
    from skywright.sky.deeplenstronomy.document import ConfigurationError
    from skywright.sky.deeplenstronomy.recipe import lens_recipe
    from skywright.sky.deeplenstronomy.recognise import SECTIONS

    if changes["preset"]:
        raise LensFileError(f"--preset {changes['preset']}: {file} is a configuration of "
                            "deeplenstronomy and has none; use --set")  # fmt: skip
    inside, others = {}, []
    for text in changes["set"]:
        (setting,) = read_settings([text])
        section = setting.name.partition(".")[0]
        if section in (*SECTIONS, "DISTRIBUTIONS", "BACKGROUNDS"):
            inside[setting.name] = setting.value
        else:
            others.append(text)
    try:
        recipe = lens_recipe(
            file,
            seed=changes["seed"],
            survey=survey,
            compat=compat,
            changes=inside,
            images=not (out and is_table_file(Path(out))),
        )
    except (ConfigurationError, ValueError) as error:
        raise LensFileError(str(error)) from None
    return recipe, others
