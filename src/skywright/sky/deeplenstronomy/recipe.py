"""A configuration of deeplenstronomy as a recipe: `lens_recipe`."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from skywright.sky.deeplenstronomy.drawing import draw_lens_configuration
from skywright.sky.deeplenstronomy.model import Configuration
from skywright.sky.deeplenstronomy.reading import read_lens_configuration

__all__ = ["lens_recipe"]

ROWS = 128  # images in a block: a second or two of work, which is what a kill can lose
FEWEST = 32  # of a small set, so that workers have blocks to share; reading the file costs as well
TABLE_ROWS = 4096
BLOCKS = 5000  # of a node, at most


def lens_recipe(
    config: str | Path,
    *,
    seed: int | None = None,
    survey: str | None = None,
    compat: bool = False,
    changes: Mapping[str, Any] | None = None,
    images: bool = True,
    rows: int | None = None,
) -> str:
    """Translate a configuration into a recipe, after all that can be checked was checked.

    Each configuration becomes a table of what was drawn and, in blocks, its images.

    Parameters
    ----------
    config : path
        The file.
    seed : int, optional
        Stands in for SEED of the file; 0 where neither is given.
    survey, compat, changes
        As for `read_lens_configuration`.
    images : bool
        Whether images are made, or the tables alone.
    rows : int, optional
        Images in a block, 32 to 128 if left out. They do not depend on it.

    Returns
    -------
    text : str
        YAML in the grammar of recipes.

    Raises
    ------
    ConfigurationError
        The file is wrong.
    ValueError
        A configuration can never be drawn.

    Examples
    --------
    >>> lens_recipe("no such file")
    Traceback (most recent call last):
    skywright.sky.deeplenstronomy.document.ConfigurationError: no such file:1: ...
    """
    simulation = read_lens_configuration(config, survey=survey, compat=compat, changes=changes)
    if seed is None:
        seed = simulation.seed or 0
    for found in simulation.configurations:
        draw_lens_configuration(simulation, found.label, range(1), seed=seed)
    options: dict[str, Any] = {"config": str(config), "seed": seed}
    given = {"survey": survey, "compat": compat, "changes": dict(changes or {})}
    options |= {name: value for name, value in given.items() if value}
    lines = ["# Made from a configuration of deeplenstronomy, which is where to change it.",
             "recipe:", f"  title: {_yaml(simulation.name or 'Lens images')}",
             '  cite: ["Morgan et al. 2021, JOSS 6, 2854"]', "tables:"]  # fmt: skip
    for found in simulation.configurations:
        lines += [
            f"  {found.label}:",
            f"    .init: {_call('draw_lens_configuration', found, options, rows)}",
        ]
    for found in simulation.configurations:
        lines.append(f"{found.label}_numbers: !numpy.arange [{found.size}]")
        if images:
            call = _call("simulate_lenses", found, options, rows)
            lines.append(f"{found.label}_images: {call}")
    return "\n".join(lines) + "\n"


def _call(step: str, found: Configuration, options: Mapping[str, Any], rows: int | None) -> str:
    least = TABLE_ROWS
    if step == "simulate_lenses":
        least = rows or min(ROWS, max(FEWEST, found.size // 8))
    own = {"configuration": found.label, **options}
    pairs = [f"{name}: {_yaml(value)}" for name, value in own.items()]
    pairs += [f"images: ${found.label}_numbers", ".map: images",
              f".rows: {max(least, math.ceil(found.size / BLOCKS))}"]  # fmt: skip
    return f"!skywright.sky.{step} {{{', '.join(pairs)}}}"


def _yaml(value: Any) -> str:
    """Return a plain value as JSON, which is YAML: text in quotes is never anything else."""
    return json.dumps(value, ensure_ascii=False)
