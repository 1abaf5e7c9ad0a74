"""Run a finished run again, as it was or with some parameters changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from skywright.data.plainjson import read_json
from skywright.flow.plan import Plan, RecipeError
from skywright.flow.provenance import describe
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
    file = Path(recipe["file"])
    copy = run / "recipe.yml"
    # relative names inside it are meant from where it stood
    if not file.is_file() or file.read_bytes() != copy.read_bytes():
        file = copy
    options = {"preset": recipe["preset"] or None, "allow": recipe["allow"]}
    plain = load(file, **options)
    changes = dict(changes or {})
    seed = recipe["seed"]
    if "seed" in changes and "seed" not in plain.parameters:
        seed = changes.pop("seed")
    kept = {
        name: value
        for name, value in recipe["parameters"].items()
        if describe(plain.parameters[name]) != value
    }
    settings = [f"{name}={_text(value)}" for name, value in {**kept, **changes}.items()]
    reused = {name.partition("[")[0]: path for name, path in recipe["reused"].items()}
    settings += [f"{name}={path}" for name, path in reused.items()]
    return load(file, **options, set=settings, seed=seed)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
