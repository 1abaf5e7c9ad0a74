"""How far the noise of images is from independent between pixels and bands."""

from __future__ import annotations

import numpy as np

from skywright.data.background import Background
from skywright.data.survey import Tile

__all__ = ["measure_noise_excess", "spread_of_noise"]

ENOUGH = 400  # boxes, evenly over the tile
FEWEST = 200  # pixels that can be used in one box


def measure_noise_excess(tile: Tile, sky: Background, fwhm: float) -> float:
    """Measure the noise of the added bands on the scale of the point spread function.

    Each band of a box of the background mesh is divided by its noise, the bands are added and
    smoothed with a Gaussian as wide as the point spread function; the spread that is left is
    compared with the one of independent pixels and bands. Boxes lie evenly over the tile, wherever
    sources are, and their median counts.

    Parameters
    ----------
    tile : Tile
        Where the pixels come from; at most 400 boxes are read.
    sky : Background
        Its level and rms; a weight of the tile goes before the rms.
    fwhm : float [pixel]
        Width of the point spread function.

    Returns
    -------
    float
        The ratio, at least 1; 1 where no box has enough pixels.

    References
    ----------
    Casertano et al. 2000 (astro-ph/0010245), appendix A: noise of resampled images grows faster
    with the area than that of their single pixels.
    """
    rows, columns = sky.level.shape[1:]
    spreads = []
    for place in np.unique(np.linspace(0, rows * columns - 1, ENOUGH).astype(int)):
        row, column = divmod(int(place), columns)
        y, x = row * sky.box, column * sky.box
        y1, x1 = min(y + sky.box, tile.shape[0]), min(x + sky.box, tile.shape[1])
        flux, variance, bad = tile.read(y, y1, x, x1)
        if variance is None:
            variance = np.square(sky.rms[:, row, column])[:, None, None]
        with np.errstate(invalid="ignore", divide="ignore"):
            pulls = (flux - sky.level[:, row, column][:, None, None]) / np.sqrt(variance)
        spreads.append(spread_of_noise(pulls, bad, fwhm))
    known = [spread for spread in spreads if np.isfinite(spread)]
    return max(1.0, float(np.median(known))) if known else 1.0


def spread_of_noise(pulls: np.ndarray, bad: np.ndarray, fwhm: float) -> float:
    """Return the spread of the added bands, smoothed, in that of independent unit noise.

    Only what is fainter than the most frequent value counts: sources are brighter than the sky, and
    neither they nor their wings make noise.

    Parameters
    ----------
    pulls : (band, y, x) [standard deviation]
        Pixels above the sky over their noise.
    bad : (y, x) bool
        Pixels that must not be used.
    fwhm : float [pixel]
        Width of the Gaussian.

    Returns
    -------
    float
        NaN where fewer than 200 pixels are left.
    """
    from scipy.ndimage import gaussian_filter

    sigma = fwhm / np.sqrt(8 * np.log(2))
    edge = int(np.ceil(3 * sigma))  # beyond it the kernel sees pixels of its own making
    point = np.zeros((1 + 2 * int(np.ceil(5 * sigma)),) * 2)
    point[len(point) // 2, len(point) // 2] = 1
    independent = np.sqrt((gaussian_filter(point, sigma) ** 2).sum())
    added = np.where(bad, 0.0, pulls.sum(axis=0, dtype=float)) / np.sqrt(len(pulls))
    smooth = gaussian_filter(added, sigma) / independent
    clean = gaussian_filter((~bad).astype(float), sigma) > 0.99
    inner = (slice(edge, -edge), slice(edge, -edge))
    values = np.sort(smooth[inner][clean[inner]])
    if len(values) < FEWEST:
        return np.nan
    below = values - _mode(values)
    return float(np.sqrt(np.mean(below[below < 0] ** 2)))


def _mode(values: np.ndarray) -> float:
    """Return the half-sample mode of sorted values (Bickel & Fruehwirth 2006, section 2)."""
    while len(values) > 3:
        half = (len(values) + 1) // 2
        start = int(np.argmin(values[half - 1 :] - values[: len(values) - half + 1]))
        values = values[start : start + half]
    return float(values.mean())
