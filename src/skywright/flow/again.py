"""Run a finished run again, as it was or with some parameters changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from astropy.units import Quantity

from skywright.data.plainjson import read_json
from skywright.flow.loader import parse
from skywright.flow.plan import Plan, RecipeError
from skywright.flow.provenance import describe, digest_file
from skywright.flow.recipe import load
from skywright.flow.runs import RECORD

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
    options = {"preset": recipe["preset"] or None, "allow": recipe["allow"]}
    plain = load(file, **options)
    changes = dict(changes or {})
    seed = recipe["seed"]
    if "seed" in changes and "seed" not in plain.parameters:
        seed = changes.pop("seed")
    swept, usual = recipe["head"]["sweep"], plain.head["sweep"]
    kept = {
        name: value
        for name, value in recipe["parameters"].items()
        if describe(plain.parameters[name]) != value or swept.get(name) != usual.get(name)
    }
    settings = [f"{name}={_text(value)}" for name, value in {**kept, **changes}.items()]
    reused = {name.partition("[")[0]: path for name, path in recipe["reused"].items()}
    settings += [f"{name}={path}" for name, path in reused.items()]
    return load(file, **options, set=settings, seed=seed)


def _recipe_file(run: Path, recipe: dict[str, Any]) -> Path:
    """Return the file that holds the recipe as it was run: where it stood, or the run's copy."""
    copy, file = run / "recipe.yml", Path(recipe["file"])
    if not copy.is_file():
        raise RecipeError(f"{run} has lost its recipe.yml: what was run cannot be run again")
    # a run from before the digest was recorded has none
    if recipe.get("sha256", digest_file(copy)) != digest_file(copy):
        raise RecipeError(
            f"{copy} was edited after the run, so that it is not what was run: put it back, or run "
            "the new recipe with skywright run"
        )
    return file if file.is_file() and digest_file(file) == digest_file(copy) else copy


def _text(value: Any) -> str:
    """Return a value of the record as it is written after ``--set name=``.

    A quantity stands in the record as its text; any other text is quoted, so that it stays one.
    """
    if isinstance(value, dict):
        return f"{{{', '.join(f'{json.dumps(k)}: {_text(v)}' for k, v in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(_text(part) for part in value)}]"
    if isinstance(value, str):
        read = _read(value)
        if isinstance(read, Quantity) and describe(read) == value:
            return value
    return json.dumps(value, ensure_ascii=False)


def _read(text: str) -> Any:
    try:
        return parse(text, "record").plain()
    except RecipeError:
        return None  # a text that is no YAML by itself
