"""How far the noise of images is from independent between pixels and bands."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from skywright.data.background import clipped
from skywright.data.images import Images

__all__ = ["measure_noise_excess", "with_excess"]

ENOUGH = 1000  # images, evenly along the stack
FEWEST = 100  # pixels that have sky to measure in one image


def with_excess(images: Images) -> Images:
    """Return the images with their ``noise_excess``, where there is anything to measure it on."""
    if images.variance is None or images.psf_fwhm is None or not len(images):
        return images
    return replace(images, noise_excess=measure_noise_excess(images))


def measure_noise_excess(images: Images) -> float:
    """Measure the noise of the added bands on the scale of the point spread function.

    Each band is divided by its noise, the bands are added and smoothed with a Gaussian as wide as
    the point spread function; the spread of the sky that is left after clipping is compared with
    the one that independent pixels and bands would have. The median over the images counts.

    Parameters
    ----------
    images : Images
        With ``variance`` and ``psf_fwhm``; at most 1,000 of them are read.

    Returns
    -------
    float
        The ratio, at least 1.

    References
    ----------
    Casertano et al. 2000 (astro-ph/0010245), appendix A: noise of resampled images grows faster
    with the area than that of their single pixels.
    """
    from scipy.ndimage import gaussian_filter

    sigma = float(np.mean(np.asarray(images.psf_fwhm))) / np.sqrt(8 * np.log(2))
    point = np.zeros((1 + 2 * int(np.ceil(5 * sigma)),) * 2)
    point[len(point) // 2, len(point) // 2] = 1
    independent = np.sqrt((gaussian_filter(point, sigma) ** 2).sum())
    some = images[np.unique(np.linspace(0, len(images) - 1, ENOUGH).astype(int))]
    with np.errstate(invalid="ignore", divide="ignore"):
        pulls = np.asarray(some.flux, dtype=float) / np.sqrt(np.asarray(some.variance))
    added = pulls.sum(axis=1) / np.sqrt(len(images.bands))
    usable = np.isfinite(added)
    if some.mask is not None:
        usable &= ~np.asarray(some.mask, dtype=bool)
    smooth = gaussian_filter(np.where(usable, added, 0), (0, sigma, sigma)) / independent
    # where a bad pixel weighs in, the smoothed value means less
    clean = gaussian_filter(usable.astype(float), (0, sigma, sigma)) > 0.99
    spreads = [clipped(s[c])[1] for s, c in zip(smooth, clean, strict=True) if c.sum() > FEWEST]
    known = [spread for spread in spreads if np.isfinite(spread)]
    return max(1.0, float(np.median(known))) if known else 1.0
