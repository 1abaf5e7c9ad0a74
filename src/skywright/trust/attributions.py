"""Whether attributions say anything about the model: sanity checks, deletion and insertion."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.stats import rankdata

from skywright.trust.resampling import bootstrap_groups, estimate

__all__ = ["deletion_curve", "judge_attributions", "rank_correlation"]


def rank_correlation(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return Spearman's correlation of two maps of each image.

    Parameters
    ----------
    a, b : (n, …)
        Attributions of the same images.

    Returns
    -------
    (n,)
        NaN where a map is constant.
    """
    ranks = [rankdata(np.reshape(m, (len(m), -1)), axis=1) for m in (a, b)]
    x, y = (r - r.mean(axis=1, keepdims=True) for r in ranks)
    size = np.sqrt((x**2).sum(axis=1) * (y**2).sum(axis=1))
    found = np.full(len(x), np.nan)
    np.divide((x * y).sum(axis=1), size, out=found, where=size > 0)
    return found


def deletion_curve(
    scores: Callable[[np.ndarray], np.ndarray],
    image: np.ndarray,
    importance: np.ndarray,
    *,
    fill: np.ndarray | float = 0.0,
    steps: int = 20,
    insertion: bool = False,
) -> np.ndarray:
    """Return the score while the most important pixels are taken away, or put in.

    Parameters
    ----------
    scores : callable
        From images (batch, band, y, x) to scores (batch,) of the class that is explained.
    image : (band, y, x)
        As the classifier takes it.
    importance : (y, x)
        Attribution of each pixel, added over bands.
    fill : (band, 1 or y, 1 or x) or float
        What stands for nothing: the level of the sky.
    steps : int
        Steps of equal numbers of pixels.
    insertion : bool
        Start from ``fill`` and put pixels in.

    Returns
    -------
    (steps + 1,)
        From none to all pixels. All steps are scored in one call.

    References
    ----------
    Petsiuk, Das & Saenko 2018, arXiv:1806.07421, section 4.2.
    """
    order = np.argsort(-importance.ravel(), kind="stable")
    rank = np.empty(order.size)
    rank[order] = np.arange(order.size)
    limit = np.linspace(0, order.size, steps + 1)
    gone = (rank.reshape(importance.shape) < limit[:, None, None])[:, None]
    empty = np.broadcast_to(fill, image.shape)
    return np.asarray(scores(np.where(gone != insertion, empty, image)), dtype=float)


def judge_attributions(
    maps: np.ndarray,
    randomised: np.ndarray,
    scores: Callable[[np.ndarray], np.ndarray],
    images: np.ndarray,
    rng: np.random.Generator,
    *,
    fill: np.ndarray | float = 0.0,
    limit: float = 0.5,
    steps: int = 20,
    resamples: int = 1000,
) -> dict[str, dict[str, Any]]:
    """Judge attributions by what they must do if they explain this model.

    Parameters
    ----------
    maps : (n, band, y, x)
        Attributions of the images.
    randomised : (n, band, y, x)
        The same of a model with random weights (Adebayo et al. 2018, arXiv:1810.03292, section 3).
    scores, fill, steps
        As for `deletion_curve`.
    images : (n, band, y, x)
        As the classifier takes them.
    rng : Generator
        For the random order of pixels that deletion is compared with, and the bootstrap.
    limit : float
        Largest mean rank correlation with ``randomised`` that passes.
    resamples : int
        Bootstrap resamples of the images.

    Returns
    -------
    dict of dict
        ``randomisation``: mean rank correlation, ``passed`` when its interval lies below
        ``limit``; ``randomisation_absolute``, that of the absolute values, which stays high for
        maps that contain the image itself as a factor. ``deletion`` and ``insertion``: mean score
        over the curve; ``deletion_gain`` and ``insertion_gain``: by how much that is lower, higher
        than with pixels in random order, ``passed`` when the whole interval is above 0.
    """
    maps, images = np.asarray(maps), np.asarray(images)
    counts = bootstrap_groups(np.arange(len(images)), resamples, rng).astype(float)

    def over_images(values: np.ndarray) -> dict[str, Any]:
        known = np.isfinite(values)
        total = counts @ np.where(known, values, 0.0) / np.maximum(counts @ known, 1)
        return estimate(total, n=int(known.sum()), n_groups=int(known.sum()))

    correlation = over_images(rank_correlation(maps, randomised))
    results = {
        "randomisation": {**correlation, "limit": limit, "passed": correlation["high"] < limit},
        "randomisation_absolute": over_images(rank_correlation(np.abs(maps), np.abs(randomised))),
    }
    importance = maps.sum(axis=1)
    for name, insertion in (("deletion", False), ("insertion", True)):
        means = np.empty((2, len(images)))
        for i, image in enumerate(images):
            noise = rng.random(image.shape[1:])
            for j, ranking in enumerate((importance[i], noise)):
                options: dict[str, Any] = {"fill": fill, "steps": steps, "insertion": insertion}
                means[j, i] = deletion_curve(scores, image, ranking, **options).mean()
        gain = over_images((means[0] - means[1]) * (1 if insertion else -1))
        results[name] = over_images(means[0])
        results[f"{name}_gain"] = {**gain, "passed": gain["low"] > 0}
    return results
