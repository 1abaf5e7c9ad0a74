"""BACKGROUNDS: real images to which simulated ones are added."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits

from skywright.sky.deeplenstronomy.document import Item, Problems, guess, show, words
from skywright.sky.deeplenstronomy.model import Backgrounds, Configuration
from skywright.sky.deeplenstronomy.text_tables import find_file, read_text_table
from skywright.sky.deeplenstronomy.values import text

__all__ = ["fit_to", "load_backgrounds", "read_backgrounds"]


def read_backgrounds(
    item: Item | None,
    configurations: tuple[Configuration, ...],
    bands: tuple[str, ...],
    folder: Path,
    problems: Problems,
) -> Backgrounds | None:
    """Return what the section says, after a look at each file."""
    if item is None or not problems.mapping(item, "a mapping of PATH and CONFIGURATIONS"):
        return None
    problems.known(item, ("PATH", "CONFIGURATIONS", "ITERATE"), "BACKGROUNDS")
    labels = _labels(item, [c.label for c in configurations], problems)
    name = text(problems.need(item, "PATH", "a folder"), "a folder", problems)
    if name is None:
        return None
    path = find_file(name, folder)
    where = item.value["PATH"]
    if not os.path.isdir(path):
        problems.add(where, f"there is no folder {name!r:.80} beside the configuration, "
                            "nor where one works")  # fmt: skip
        return None
    counts = {band: _count(path / f"{band}.fits", where, problems) for band in bands}
    names, values = _map(path / "map.txt", where, problems)
    if values is not None:
        counts["map.txt"] = len(values)
    known = {key: count for key, count in counts.items() if count is not None}
    if len(set(known.values())) > 1:
        numbers = ", ".join(f"{key}: {count}" for key, count in known.items())
        problems.add(where, f"the files hold different numbers of images ({numbers})")
    if None in counts.values() or not known:
        return None
    count = min(known.values())
    return Backgrounds(path, labels, count, "ITERATE" in item.value, names, values)


def _labels(item: Item, known: list[str], problems: Problems) -> tuple[str, ...]:
    child = problems.need(item, "CONFIGURATIONS", "a list as [CONFIGURATION_1]")
    if child is None:
        return ()
    if not isinstance(child.value, list) or not child.value:
        problems.add(child, f"got {show(child.value)}, expected a list as [CONFIGURATION_1]")
        return ()
    for entry in child.value:
        if entry.value not in known:
            problems.add(
                entry, f"got {show(entry.value)}, expected one of {words(known)}"
                f"{guess(str(entry.value), known)}"
            )  # fmt: skip
    return tuple(entry.value for entry in child.value if entry.value in known)


def _count(file: Path, where: Item, problems: Problems) -> int | None:
    if not os.path.isfile(file):
        problems.add(where, f"the folder has no {file.name}, expected a cube for each band")
        return None
    try:
        cube = _cube(file)
    except ValueError as error:
        problems.add(where, str(error))
        return None
    return len(cube)


def _cube(file: Path) -> np.ndarray:
    try:
        with fits.open(file, memmap=False) as hdus:
            data: Any = hdus[0].data
    except Exception as error:  # astropy leaks errors of every kind for files that are cut short
        raise ValueError(f"{file}: cannot be read as FITS: {str(error)[:120]}") from None
    shape = getattr(data, "shape", ())
    if len(shape) != 3:
        raise ValueError(f"{file}: has shape {shape}, expected (image, y, x)")
    cube = np.asarray(data, dtype=float)
    if not np.isfinite(cube).all():
        raise ValueError(f"{file}: holds NaN or infinity, expected finite pixels")
    return cube


def _map(file: Path, where: Item, problems: Problems) -> tuple[tuple[str, ...], np.ndarray | None]:
    if not file.exists():
        return (), None
    try:
        names, values = read_text_table(file)
    except ValueError as error:
        problems.add(where, str(error))
        return (), None
    keep = [i for i, name in enumerate(names) if name != "WEIGHT"]
    return tuple(names[i] for i in keep), values[:, keep]


def load_backgrounds(backgrounds: Backgrounds, bands: tuple[str, ...]) -> np.ndarray:
    """Return all background images, (image, band, y, x) [count/s]."""
    cubes = [_cube(backgrounds.folder / f"{band}.fits") for band in bands]
    shapes = {cube.shape for cube in cubes}
    if len(shapes) > 1:
        raise ValueError(f"{backgrounds.folder}: bands have different shapes {sorted(shapes)}")
    return np.stack(cubes, axis=1)


def fit_to(images: np.ndarray, pixels: int) -> np.ndarray:
    """Crop the middle of images, or pad them with zeros, to ``pixels`` rows and columns.

    >>> fit_to(np.ones((1, 3, 3)), 5).sum(), fit_to(np.ones((1, 3, 4)), 2).shape
    (np.float64(9.0), (1, 2, 2))
    """
    for axis in (-2, -1):
        have = images.shape[axis]
        start = max(have - pixels, 0) // 2
        images = np.take(images, range(start, start + min(have, pixels)), axis=axis)
        lacking = pixels - images.shape[axis]
        pads = [(0, 0)] * images.ndim
        pads[axis] = (lacking // 2, lacking - lacking // 2)
        images = np.pad(images, pads)
    return images
