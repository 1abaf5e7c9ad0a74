"""Find the sources of a survey and measure them, in blocks of bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import astropy.units as u
import numpy as np
from astropy.table import QTable
from scipy.spatial import KDTree

from skywright.data.background import Background, measure_background
from skywright.data.survey import Survey, Tile
from skywright.find.extraction import extract, measure, read_block, unfiltered
from skywright.find.locus import locus_radius
from skywright.find.positions import locate

__all__ = ["detect"]

OVERLAP = 192
# Two detections of one source in overlapping blocks differ by less.
SAME = 1.5
POINT_LIKE = 1.15

ABOUT = {
    "x": "pixel of the tile, 0 at the centre of the first",
    "y": "pixel of the tile, 0 at the centre of the first",
    "snr": "signal to noise in the Kron ellipse, all bands, pixels taken as independent",
    "a": "rms semi-major axis in pixels",
    "b": "rms semi-minor axis in pixels",
    "theta": "angle of the major axis in rad, counter-clockwise from +x",
    "q": "axis ratio b / a",
    "radius": "half-light radius in pixels",
    "saturated": "share of its pixels that are saturated",
    "edge": "pixels to the nearest edge of the tile",
    "point_like": "as small as the sources of the stellar locus",
}


def detect(
    survey: Survey,
    *,
    positions: Any = None,
    threshold: float = 2.0,
    min_area: int = 5,
    deblend_levels: int = 32,
    contrast: float = 0.005,
    box: int = 64,
    block: int = 2048,
) -> QTable:
    """Find the sources of every tile, or measure at given positions.

    All bands are added with weights of inverse variance, smoothed with a small Gaussian, cut at
    ``threshold`` and deblended. Tiles are read in blocks that overlap, and a source belongs to the
    block that holds its centre.

    Parameters
    ----------
    survey : Survey
        The images.
    positions : Table, str or Path, optional
        Positions to measure in place of detection, see
        `skywright.find.positions.locate`.
    threshold : float
        Of detection, in rms of the added bands.
    min_area : int [pixel]
        Smallest number of connected pixels.
    deblend_levels, contrast : int, float
        Levels of deblending, and the share of flux that makes a peak a source of its own.
    box : int [pixel]
        Side of the boxes in which the sky is measured.
    block : int [pixel]
        Side of the blocks that are read at once. Only sources on the seam of two blocks can
        depend on it.

    Returns
    -------
    QTable
        One row a source: ``object_id, tile, x, y, ra, dec, flux_<band>, snr, a, b, theta, q,
        radius, saturated, edge, point_like``; empty when there is nothing to see.
    """
    given = None if positions is None else locate(survey, positions)
    parts = []
    for number, tile in enumerate(survey.tiles):
        wanted = None if given is None else given[np.asarray(given["tile"]) == number]
        if wanted is not None and len(wanted) == 0:
            continue
        sky = measure_background(tile, box)
        options = {
            "threshold": threshold,
            "min_area": min_area,
            "deblend_levels": deblend_levels,
            "contrast": contrast,
        }
        rows = _tile(tile, sky, wanted, block, survey.saturation, options)
        rows["tile"] = np.full(len(rows["x"]), number)
        parts.append(rows)
    columns = {name: np.concatenate([part[name] for part in parts], axis=-1) for name in parts[0]}
    if given is None:
        columns["object_id"] = np.arange(len(columns["x"]))
    return _table(survey, columns)


def _tile(
    tile: Tile,
    sky: Background,
    wanted: Any,
    block: int,
    limit: float | None,
    options: dict[str, Any],
) -> dict[str, np.ndarray]:
    """Return the sources of one tile, in order of rows and columns."""
    parts = []
    for core, window in _windows(tile.shape, block):
        pixels = read_block(tile, sky, window)
        shapes, segments = extract(pixels, **options)
        top, left = pixels.corner
        if wanted is not None:
            mine = _in(core, np.asarray(wanted["x"]), np.asarray(wanted["y"]), 0)
            shapes = _matched(shapes, wanted[mine], top, left)
        else:
            mine = _in(core, shapes["x"] + left, shapes["y"] + top, SAME)
            shapes = {name: values[mine] for name, values in shapes.items()}
        found = {**shapes, **measure(pixels, shapes, segments, limit)}
        found["a"], found["b"] = unfiltered(found["a"]), unfiltered(found["b"])
        found["x"], found["y"] = found["x"] + left, found["y"] + top
        parts.append(found)
    whole = {name: np.concatenate([part[name] for part in parts], axis=-1) for name in parts[0]}
    if wanted is not None:
        order = np.argsort(whole["object_id"], kind="stable")
    else:
        order = np.lexsort((whole["x"], whole["y"]))
        order = order[_first_of_each(whole["x"][order], whole["y"][order])]
    whole = {name: values[..., order] for name, values in whole.items()}
    column, row = np.floor(whole["x"] + 0.5), np.floor(whole["y"] + 0.5)
    height, width = tile.shape
    nearest = np.minimum.reduce([column, row, width - 1 - column, height - 1 - row])
    whole["edge"] = nearest.astype(np.int64)
    whole["ra"], whole["dec"] = tile.sky(whole["x"], whole["y"])
    return whole


def _windows(
    shape: tuple[int, int], block: int
) -> Iterator[tuple[tuple[int, int, int, int], tuple[int, int, int, int]]]:
    """Yield (core, core with overlap) as (y0, y1, x0, x1); cores tile the image."""
    height, width = shape
    for y in range(0, height, block):
        for x in range(0, width, block):
            core = (y, min(y + block, height), x, min(x + block, width))
            window = (
                max(0, core[0] - OVERLAP),
                min(height, core[1] + OVERLAP),
                max(0, core[2] - OVERLAP),
                min(width, core[3] + OVERLAP),
            )
            yield core, window


def _in(core: tuple[int, int, int, int], x: np.ndarray, y: np.ndarray, margin: float) -> np.ndarray:
    low_y, high_y, low_x, high_x = core
    return (
        (y >= low_y - 0.5 - margin)
        & (y < high_y - 0.5 + margin)
        & (x >= low_x - 0.5 - margin)
        & (x < high_x - 0.5 + margin)
    )


def _first_of_each(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the rows left when one of every pair nearer than `SAME` pixels is dropped."""
    if len(x) < 2:
        return np.arange(len(x))
    pairs = KDTree(np.stack([x, y], axis=-1)).query_pairs(SAME, output_type="ndarray")
    dropped = np.zeros(len(x), dtype=bool)
    for first, second in pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]:
        if not dropped[first]:
            dropped[second] = True
    return np.flatnonzero(~dropped)


def _matched(
    shapes: dict[str, np.ndarray], wanted: Any, top: int, left: int
) -> dict[str, np.ndarray]:
    """Give each wanted position the shape of the source it lies on, or that of a small one."""
    x, y = np.asarray(wanted["x"]) - left, np.asarray(wanted["y"]) - top
    small = float(np.median(shapes["b"])) if len(shapes["b"]) else 1.0
    result = {
        "object_id": np.asarray(wanted["object_id"]),
        "x": x.astype(float),
        "y": y.astype(float),
        "a": np.full(len(x), small),
        "b": np.full(len(x), small),
        "theta": np.zeros(len(x)),
        "label": np.zeros(len(x), dtype=np.int32),
    }
    if len(shapes["x"]) and len(x):
        tree = KDTree(np.stack([shapes["x"], shapes["y"]], axis=-1))
        distance, index = tree.query(np.stack([x, y], axis=-1))
        near = distance <= np.maximum(2.0, shapes["a"][index])
        for name in ("a", "b", "theta", "label"):
            result[name][near] = shapes[name][index[near]]
    return result


def _table(survey: Survey, columns: dict[str, np.ndarray]) -> QTable:
    table = QTable()
    table["object_id"] = columns["object_id"].astype(np.int64)
    table["tile"] = columns["tile"].astype(np.int64)
    for name in ("x", "y"):
        table[name] = columns[name]
    for name in ("ra", "dec"):
        table[name] = columns[name] * u.deg
    for band, flux in zip(survey.bands, columns["flux"], strict=True):
        table[f"flux_{band}"] = flux * survey.unit
    table["snr"] = columns["snr"]
    for name in ("a", "b", "theta"):
        table[name] = columns[name]
    table["q"] = columns["b"] / columns["a"]
    for name in ("radius", "saturated", "edge"):
        table[name] = columns[name]
    point, _ = locus_radius(columns["radius"], columns["snr"], columns["saturated"])
    table["point_like"] = columns["radius"] <= POINT_LIKE * point
    for name, text in ABOUT.items():
        table[name].info.description = text
    return table
