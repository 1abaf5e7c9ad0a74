"""`Model` as a folder: safetensors or skops, JSON, CSV and a card; nothing that can run code."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np

from skywright.data.canonical import Hasher
from skywright.data.model import Model
from skywright.data.plainjson import plain

__all__ = ["hash_model", "read_model", "write_model"]


def write_model(model: Model, folder: Path) -> None:
    """Write ``model`` into ``folder``."""
    (folder / "config.json").write_text(json.dumps(plain(model.config), indent=1), "utf-8")
    (folder / "README.md").write_text(model.card, "utf-8", newline="")
    if model.weights:
        from safetensors.numpy import save_file

        weights = {k: np.array(v, order="C") for k, v in model.weights.items()}
        save_file(weights, folder / "model.safetensors")
    if model.estimator:
        (folder / "estimator.skops").write_bytes(model.estimator)
    rows = zip(*model.history.values(), strict=True) if model.history else iter(())
    with (folder / "history.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(list(model.history))
        writer.writerows([_cell(value) for value in row] for row in rows)


def read_model(folder: Path, *, net: bool, estimator: bool) -> Model:
    """Read what `write_model` wrote; a part that is said to be there and is not is an error."""
    weights: dict[str, np.ndarray] = {}
    if net:
        from safetensors.numpy import load_file

        weights = load_file(folder / "model.safetensors")
    with (folder / "history.csv").open(encoding="utf-8", newline="") as file:
        names, *rows = list(csv.reader(file))
    return Model(
        config=json.loads((folder / "config.json").read_text("utf-8")),
        weights=weights,
        estimator=(folder / "estimator.skops").read_bytes() if estimator else b"",
        history={name: [_value(row[i]) for row in rows] for i, name in enumerate(names)},
        card=(folder / "README.md").read_bytes().decode("utf-8"),
    )


def hash_model(model: Model, into: Hasher) -> None:
    """Add the content of ``model`` to a digest."""
    into.text("model", json.dumps(plain(model.config)), json.dumps(plain(model.history)))
    into.text(model.card)
    into.data(model.estimator)
    for name in sorted(model.weights):
        into.text(name)
        into.array(np.asarray(model.weights[name]))


def _cell(value: Any) -> str:
    """Return the text of a cell: JSON, but strings bare when that cannot be misread."""
    value = plain(value)
    text = json.dumps(value)
    if isinstance(value, str) and value and _value(value) == value:
        return value
    return text


def _value(cell: str) -> Any:
    try:
        return json.loads(cell)
    except ValueError:
        return cell
