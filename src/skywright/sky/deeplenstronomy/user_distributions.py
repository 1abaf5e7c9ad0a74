"""DISTRIBUTIONS: tables of a user, drawn from by rows or by interpolation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.interpolate import LinearNDInterpolator
from scipy.spatial import QhullError

from skywright.sky.deeplenstronomy.document import Item, Problems, guess, show, words
from skywright.sky.deeplenstronomy.model import UserDistribution
from skywright.sky.deeplenstronomy.text_tables import find_file, read_text_table
from skywright.sky.deeplenstronomy.values import Bounds, number, text

__all__ = ["parameter_of", "read_user_distributions"]

MODES = ("interpolate", "sample", "iterate")
STEP = Bounds(2, 10_000, whole=True)
NODES = 2_000_000  # of an interpolation grid


def read_user_distributions(
    item: Item | None, folder: Path, problems: Problems
) -> tuple[UserDistribution, ...]:
    """Return the tables in the order of their numbers."""
    if item is None or not problems.mapping(item, "a mapping of USERDIST_1"):
        if item is not None and item.value == {}:
            problems.add(item, "is empty, expected USERDIST_1")
        return ()
    for key, child in item.value.items():
        if not key.startswith("USERDIST_"):
            problems.add(child, f"is no distribution{guess(key, ['USERDIST_1'])}, expected "
                                "USERDIST_1")  # fmt: skip
    found = [_read(child, folder, problems) for child in problems.numbered(item, "USERDIST")]
    return tuple(distribution for distribution in found if distribution)


def _read(item: Item, folder: Path, problems: Problems) -> UserDistribution | None:
    before = len(problems.found)
    if not problems.mapping(item, "a mapping of FILENAME and MODE"):
        return None
    problems.known(item, ("FILENAME", "MODE", "STEP", "PARAMS"), "a USERDIST")
    name = text(problems.need(item, "FILENAME", "a file name"), "a file name", problems)
    mode = problems.need(item, "MODE", f"one of {words(MODES)}")
    if mode is not None and mode.value not in MODES:
        problems.add(mode, f"got {show(mode.value)}, expected one of {words(MODES)}"
                           f"{guess(str(mode.value), MODES)}")  # fmt: skip
    step = number(item.get("STEP"), STEP, problems) or 10
    table = None if name is None else _table(item, find_file(name, folder), problems)
    if table is None or mode is None or len(problems.found) > before:
        return None
    file, names, values, weights = table
    try:
        values, cumulative = _prepared(str(mode.value), int(step), values, weights)
    except ValueError as error:
        problems.add(item.value["FILENAME"], f"{file}: {error}")
        return None
    return UserDistribution(item.path.rpartition(".")[2], file, names, values, cumulative)


def _table(
    item: Item, file: Path, problems: Problems
) -> tuple[Path, tuple[str, ...], np.ndarray, np.ndarray] | None:
    try:
        names, values = read_text_table(file)
    except ValueError as error:
        problems.add(item.value["FILENAME"], str(error))
        return None
    if "WEIGHT" not in names:
        close = guess("WEIGHT", names)
        problems.add(item.value["FILENAME"], f"{file}:1: has no column WEIGHT{close}")
        return None
    heads = _heads(item.get("PARAMS"), names, problems)
    weight = names.index("WEIGHT")
    weights = values[:, weight]
    if (weights < 0).any() or weights.sum() <= 0:
        problems.add(item.value["FILENAME"], f"{file}: WEIGHT is negative, or zero in all rows")
        return None
    chosen = tuple(name for i, name in enumerate(heads) if i != weight)
    if not chosen:
        problems.add(item.value["FILENAME"], f"{file}:1: has no column beside WEIGHT")
        return None
    return file, chosen, np.delete(values, weight, axis=1), weights


def _heads(item: Item | None, names: tuple[str, ...], problems: Problems) -> tuple[str, ...]:
    """Return the names of the columns, PARAMS where that is given."""
    if item is None:
        return names
    if not isinstance(item.value, list) or not all(isinstance(i.value, str) for i in item.value):
        problems.add(item, f"got {show(item.value)}, expected a list of names of columns")
        return names
    heads = tuple(child.value for child in item.value)
    if len(heads) != len(names) or heads[names.index("WEIGHT")] != "WEIGHT":
        problems.add(
            item, f"has {len(heads)} names, expected one for each of the {len(names)} columns of "
            f"the file, WEIGHT in place {names.index('WEIGHT') + 1}"
        )  # fmt: skip
        return names
    return heads


def _prepared(
    mode: str, step: int, values: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the rows that may be drawn, and the sums of their weights."""
    if mode == "iterate":
        return values, None
    if mode == "interpolate":
        values, weights = _grid(values, weights, step)
    return values, np.cumsum(weights) / weights.sum()


def _grid(values: np.ndarray, weights: np.ndarray, step: int) -> tuple[np.ndarray, np.ndarray]:
    """Interpolate weights linearly on a grid of ``step`` nodes in each dimension."""
    dimensions = values.shape[1]
    if step**dimensions > NODES:
        raise ValueError(
            f"{step} steps in {dimensions} dimensions are {step**dimensions:,} nodes, expected at "
            f"most {NODES:,}: lower STEP, or use MODE: sample"
        )
    axes = [np.linspace(low, high, step) for low, high in zip(values.min(0), values.max(0),
                                                               strict=True)]  # fmt: skip
    nodes = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, dimensions)
    if dimensions == 1:
        order = np.argsort(values[:, 0], kind="stable")
        found = np.interp(nodes[:, 0], values[order, 0], weights[order])
    else:
        try:
            found = LinearNDInterpolator(values, weights, fill_value=0.0, rescale=True)(nodes)
        except QhullError:
            raise ValueError(
                f"its {len(values)} rows do not span {dimensions} dimensions: use MODE: sample"
            ) from None
    found = np.clip(found, 0.0, None)
    if found.sum() <= 0:
        raise ValueError("no node of the grid has any weight: raise STEP, or use MODE: sample")
    return nodes, found


def parameter_of(name: str, bands: tuple[str, ...]) -> tuple[str | None, str, str | None]:
    """Split ``[CONFIGURATION_k-]path[-band]`` of a column.

    >>> parameter_of("CONFIGURATION_1-PLANE_2-OBJECT_1-REDSHIFT-g", ("g", "r"))
    ('CONFIGURATION_1', 'PLANE_2-OBJECT_1-REDSHIFT', 'g')
    """
    label, rest = None, name
    if name.startswith("CONFIGURATION_"):
        label, _, rest = name.partition("-")
    path, _, last = rest.rpartition("-")
    return (label, path, last) if path and last in bands else (label, rest, None)
