"""How far the noise of images is from independent between pixels and bands."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from skywright.data.background import Background
from skywright.data.survey import Tile

__all__ = ["measure_noise_excess", "spread_of_noise"]

ENOUGH = 400  # windows, evenly over the tile
FEWEST = 200  # pixels that can be used in one window
WIDE = 24  # side of a window in FWHM: a narrower one holds too few independent patches


def measure_noise_excess(
    tile: Tile, sky: Background, fwhm: float, *, weighted: bool = False
) -> float:
    """Measure the noise of the added bands on the scale of the point spread function.

    Each band of a window is divided by its noise, the bands are added and smoothed with a Gaussian
    as wide as the point spread function; the spread that is left is compared with the one of
    independent pixels and bands. Windows lie evenly over the tile, wherever sources are, and their
    median counts.

    Parameters
    ----------
    tile : Tile
        Where the pixels come from; at most 400 windows are read.
    sky : Background
        Its level and rms.
    fwhm : float [pixel]
        Width of the point spread function.
    weighted : bool
        Whether the noise is the one that the weight of the tile claims, and not the rms.

    Returns
    -------
    float
        The ratio, at least 1; NaN where no window has enough pixels.

    References
    ----------
    Casertano et al. 2000 (astro-ph/0010245), appendix A: noise of resampled images grows faster
    with the area than that of their single pixels.
    """
    rows, columns = sky.level.shape[1:]
    side = max(sky.box, int(np.ceil(WIDE * fwhm)))
    spreads = []
    for place in np.unique(np.linspace(0, rows * columns - 1, ENOUGH).astype(int)):
        row, column = divmod(int(place), columns)
        y1 = min(row * sky.box + side, tile.shape[0])
        x1 = min(column * sky.box + side, tile.shape[1])
        y, x = max(y1 - side, 0), max(x1 - side, 0)
        flux, variance, bad = tile.read(y, y1, x, x1)
        mesh = (slice(None), slice(y // sky.box, -(-y1 // sky.box)),
                slice(x // sky.box, -(-x1 // sky.box)))  # fmt: skip
        if variance is None or not weighted:
            variance = np.square(sky.rms[mesh].mean(axis=(1, 2), keepdims=True))
        level = sky.level[mesh].mean(axis=(1, 2), keepdims=True)
        pulls = np.full(flux.shape, np.nan)
        np.divide(flux - level, np.sqrt(variance), out=pulls, where=variance > 0)
        spreads.append(spread_of_noise(pulls, bad, fwhm))
    known = [spread for spread in spreads if np.isfinite(spread)]
    return max(1.0, float(np.median(known))) if known else float("nan")


def spread_of_noise(pulls: np.ndarray, bad: np.ndarray, fwhm: float) -> float:
    """Return the spread of the added bands, smoothed, in that of independent unit noise.

    Only what is fainter than the most frequent value counts: sources are brighter than the sky, and
    neither they nor their wings make noise.

    Parameters
    ----------
    pulls : (band, y, x) [standard deviation]
        Pixels above the sky over their noise.
    bad : (y, x) bool
        Pixels that must not be used; so must those that are not finite.
    fwhm : float [pixel]
        Width of the Gaussian.

    Returns
    -------
    float
        NaN where fewer than 200 pixels have half of the Gaussian on good pixels, or all are equal.
    """
    sigma = fwhm / np.sqrt(8 * np.log(2))
    point = np.zeros((1 + 2 * int(np.ceil(5 * sigma)),) * 2)
    point[len(point) // 2, len(point) // 2] = 1
    independent = (gaussian_filter(point, sigma) ** 2).sum()
    good = ~bad & np.isfinite(pulls).all(axis=0)
    added = np.where(good, pulls.sum(axis=0, dtype=float), 0.0) / np.sqrt(len(pulls))
    # nothing is known beyond the rim: there the kernel finds as little as on bad pixels
    weight = gaussian_filter(good.astype(float), sigma, mode="constant")
    # a Gaussian squared is one narrower by the root of two
    share = gaussian_filter(good.astype(float), sigma / np.sqrt(2), mode="constant")
    smooth = gaussian_filter(added, sigma, mode="constant")
    usable = good & (weight > 0.5)
    if usable.sum() < FEWEST:
        return float("nan")
    values = np.sort(smooth[usable] / np.sqrt(independent * share[usable]))
    below = values - _mode(values)
    below = below[below < 0]
    return float(np.sqrt(np.mean(below**2))) if len(below) else float("nan")


def _mode(values: np.ndarray) -> float:
    """Return the half-sample mode of sorted values (Bickel & Fruehwirth 2006, section 2)."""
    while len(values) > 3:
        half = (len(values) + 1) // 2
        start = int(np.argmin(values[half - 1 :] - values[: len(values) - half + 1]))
        values = values[start : start + half]
    return float(values.mean())
