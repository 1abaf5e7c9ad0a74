"""Level and rms of the sky on a mesh of boxes, from pixels read a strip at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skywright.data.survey import Tile

__all__ = ["Background", "measure_background"]

# Cutting a normal distribution at 3 sigma leaves this share of its standard deviation.
CLIPPED = 0.9866
ENOUGH = 4096


@dataclass(frozen=True)
class Background:
    """Sky of one tile.

    Parameters
    ----------
    level, rms : (band, box, box) [unit]
        Level and pixel-to-pixel rms of the sky in every box.
    box : int [pixel]
        Side of a box.
    """

    level: np.ndarray
    rms: np.ndarray
    box: int

    def window(self, y0: int, y1: int, x0: int, x1: int) -> tuple[np.ndarray, np.ndarray]:
        """Return level and rms of every pixel of a window, (band, y, x) float32, bilinear."""
        return (
            self._between(self.level, np.arange(y0, y1), np.arange(x0, x1)),
            self._between(self.rms, np.arange(y0, y1), np.arange(x0, x1)),
        )

    def at(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return level and rms at pixel positions, (band, n), of the box that holds each."""
        row = np.clip(np.asarray(y).astype(int) // self.box, 0, self.level.shape[1] - 1)
        column = np.clip(np.asarray(x).astype(int) // self.box, 0, self.level.shape[2] - 1)
        return self.level[:, row, column], self.rms[:, row, column]

    def _between(self, mesh: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
        rows, down = _bracket(y, self.box, mesh.shape[1])
        columns, right = _bracket(x, self.box, mesh.shape[2])
        below = np.minimum(rows + 1, mesh.shape[1] - 1)
        lines = mesh[:, rows] * (1 - down)[:, None] + mesh[:, below] * down[:, None]
        after = np.minimum(columns + 1, mesh.shape[2] - 1)
        values = lines[:, :, columns] * (1 - right) + lines[:, :, after] * right
        return values.astype(np.float32)


def measure_background(tile: Tile, box: int = 64) -> Background:
    """Measure the sky of ``tile`` in boxes of ``box`` pixels.

    In every box pixels are clipped at 3 sigma around their middle until nothing changes. A box
    with fewer than a tenth of its pixels takes its values from its neighbours, and a median over
    3 x 3 boxes removes those that a large galaxy fills.

    Parameters
    ----------
    tile : Tile
        Where the pixels come from.
    box : int [pixel]
        Larger than the galaxies, smaller than the structure of the sky.

    Returns
    -------
    Background
        Finite everywhere.
    """
    from scipy.ndimage import generic_filter

    height, width = tile.shape
    rows, columns = -(-height // box), -(-width // box)
    mesh = np.full((2, len(tile.flux), rows, columns), np.nan)
    for row in range(rows):
        y0, y1 = row * box, min((row + 1) * box, height)
        flux, _, bad = tile.read(y0, y1, 0, width)
        flux[:, bad] = np.nan
        for column in range(columns):
            part = flux[:, :, column * box : (column + 1) * box].reshape(len(flux), -1)
            for band in range(len(flux)):
                mesh[:, band, row, column] = _clipped(part[band])
    for plane in mesh.reshape(-1, rows, columns):
        if np.isnan(plane).all():
            raise ValueError(f"tile {tile.name!r}: no box of {box} pixels has sky to measure")
        while np.isnan(plane).any():
            spread = generic_filter(plane, _nanmedian, size=3, mode="nearest")
            plane[...] = np.where(np.isnan(plane), spread, plane)
        plane[...] = generic_filter(plane, np.median, size=3, mode="nearest")
    return Background(mesh[0], mesh[1], box)


def _nanmedian(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if known.size else np.nan


def _clipped(values: np.ndarray) -> tuple[float, float]:
    """Return (level, rms) of what is left after clipping at 3 sigma."""
    total = values.size
    values = values[np.isfinite(values)]
    if values.size < max(16, total // 10):
        return np.nan, np.nan
    values = np.sort(values[:: max(1, values.size // ENOUGH)].astype(float))
    # The lower half knows least of sources: start from it.
    middle = values[values.size // 2]
    sigma = middle - values[int(0.1587 * values.size)]
    low, high = 0, values.size
    for _ in range(20):
        reach = max(3 * sigma, 1e-12 * abs(middle))
        start = int(np.searchsorted(values, middle - reach))
        stop = int(np.searchsorted(values, middle + reach, side="right"))
        if (start, stop) == (low, high):
            break
        low, high = start, stop
        # The mean of the middle half is as robust as the median, and not coarse where pixels
        # are whole numbers.
        quarter = (high - low) // 4
        middle = float(values[low + quarter : high - quarter].mean())
        sigma = float(values[low:high].std()) / CLIPPED
    return middle, sigma


def _bracket(position: np.ndarray, box: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the box below each position and how far it is towards the next, by box centres."""
    where = np.clip((position + 0.5) / box - 0.5, 0, count - 1)
    below = np.minimum(where.astype(int), count - 1)
    return below, where - below
