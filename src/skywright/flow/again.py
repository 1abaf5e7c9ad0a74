"""Run a finished run again, as it was or with some parameters changed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from astropy.units import Quantity

from skywright.data.plainjson import read_json
from skywright.data.units import read_unit
from skywright.flow.plan import Plan, RecipeError
from skywright.flow.recipe import load
from skywright.flow.runs import RECORD
from skywright.flow.store import digest_file

__all__ = ["load_again", "read_record"]


def read_record(run: Path) -> dict[str, Any]:
    """Return the record of a finished run.

    Raises
    ------
    RecipeError
        When the folder holds no finished run.
    """
    try:
        record = read_json(run / RECORD)
    except (OSError, ValueError):
        raise RecipeError(f"{run} is no run folder: it has no readable {RECORD}") from None
    if record.get("state") != "done":
        raise RecipeError(
            f"the run in {run} is {record.get('state')}: only one that is done counts"
        )
    return dict(record)


def load_again(run: Path, changes: Mapping[str, Any] | None = None) -> Plan:
    """Return the plan of a finished run.

    Parameters
    ----------
    run : Path
        Run folder.
    changes : mapping, optional
        Parameters -> other values; ``seed`` that is no parameter is the seed of the recipe.

    Raises
    ------
    RecipeError
        When the folder holds no finished run, or its recipe cannot be read any more.
    """
    recipe = read_record(run)["recipe"]
    file = _recipe_file(run, recipe)
    others: dict[str, Any] = _value({**recipe["set"], **(changes or {})})
    seed = recipe["seed"] if "seed" in recipe["parameters"] else others.pop("seed", recipe["seed"])
    reused = {name.partition("[")[0]: path for name, path in recipe["reused"].items()}
    options = {"preset": recipe["preset"] or None, "allow": recipe["allow"]}
    return load(file, **options, set={**others, **reused}, seed=seed)


def _recipe_file(run: Path, recipe: dict[str, Any]) -> Path:
    """Return the file that holds the recipe as it was run: where it stood, or the run's copy."""
    copy, file = run / "recipe.yml", Path(recipe["file"])
    if not copy.is_file():
        raise RecipeError(f"{run} has lost its recipe.yml: what was run cannot be run again")
    if "set" not in recipe:
        raise RecipeError(f"{run} was made by an older version: run its recipe again")
    if recipe["sha256"] != digest_file(copy):
        raise RecipeError(
            f"{copy} was edited after the run, so that it is not what was run: put it back, or run "
            "the new recipe with skywright run"
        )
    return file if file.is_file() and digest_file(file) == digest_file(copy) else copy


def _value(recorded: Any) -> Any:
    """Return the value of a parameter that `as_json` made plain."""
    if isinstance(recorded, dict):
        if "!quantity" in recorded:
            number, unit = recorded["!quantity"]
            return Quantity(number, read_unit(unit))
        return {key.removeprefix("!"): _value(value) for key, value in recorded.items()}
    return [_value(value) for value in recorded] if isinstance(recorded, list) else recorded
