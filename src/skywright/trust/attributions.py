"""Whether attributions say anything about the model: sanity checks, deletion and insertion."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from astropy.table import QTable
from scipy.stats import rankdata

from skywright.trust.committee import column
from skywright.trust.resampling import bootstrap_groups, estimate

__all__ = [
    "compare_attributions",
    "deletion_curve",
    "judge_attributions",
    "pool_attributions",
    "rank_correlation",
]

MEASURES = (
    "randomisation", "randomisation_absolute", "deletion", "deletion_gain", "insertion",
    "insertion_gain",
)  # fmt: skip


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
    """Judge attributions of one model by what they must do if they explain it.

    Parameters
    ----------
    maps, randomised, scores, images, rng, fill, steps
        As for `compare_attributions`.
    limit, resamples
        As for `pool_attributions`.

    Returns
    -------
    dict of dict
        As from `pool_attributions`, every image on its own.
    """
    found = compare_attributions(maps, randomised, scores, images, rng, fill=fill, steps=steps)
    return pool_attributions(found, rng, limit=limit, resamples=resamples)


def compare_attributions(
    maps: np.ndarray,
    randomised: np.ndarray,
    scores: Callable[[np.ndarray], np.ndarray],
    images: np.ndarray,
    rng: np.random.Generator,
    *,
    groups: np.ndarray | None = None,
    fill: np.ndarray | float = 0.0,
    steps: int = 20,
) -> QTable:
    """Compare the attributions of each image with those of random weights, and of chance.

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
        For the random order of pixels that deletion is compared with.
    groups : (n,), optional
        Object behind each image; by default every image is its own.

    Returns
    -------
    QTable
        A row an image: ``group``; ``randomisation``, the rank correlation of both maps, and
        ``randomisation_absolute``, that of their absolute values; ``deletion`` and ``insertion``,
        the mean score over the curve; ``deletion_gain`` and ``insertion_gain``, by how much that
        is lower, higher than with pixels in random order.
    """
    maps, images = np.asarray(maps), np.asarray(images)
    found: dict[str, np.ndarray] = {
        "group": np.arange(len(images)) if groups is None else np.asarray(groups),
        "randomisation": rank_correlation(maps, randomised),
        "randomisation_absolute": rank_correlation(np.abs(maps), np.abs(randomised)),
    }
    importance = maps.sum(axis=1)
    for name, insertion in (("deletion", False), ("insertion", True)):
        means = np.empty((2, len(images)))
        for i, image in enumerate(images):
            noise = rng.random(image.shape[1:])
            for j, ranking in enumerate((importance[i], noise)):
                options: dict[str, Any] = {"fill": fill, "steps": steps, "insertion": insertion}
                means[j, i] = deletion_curve(scores, image, ranking, **options).mean()
        found[name] = means[0]
        found[f"{name}_gain"] = (means[0] - means[1]) * (1 if insertion else -1)
    return QTable(found)


def pool_attributions(
    found: QTable, rng: np.random.Generator, *, limit: float = 0.5, resamples: int = 1000
) -> dict[str, dict[str, Any]]:
    """Judge attributions over all images, folds and seeds.

    Parameters
    ----------
    found : QTable
        From `compare_attributions`, as a sweep collects it. Whole groups are resampled.
    rng : Generator
        For the bootstrap.
    limit : float
        Largest mean rank correlation with maps of random weights that passes.
    resamples : int
        Bootstrap resamples of the groups.

    Returns
    -------
    dict of dict
        ``randomisation``: mean rank correlation, ``passed`` when its interval lies below
        ``limit``; ``randomisation_absolute``, which stays high for maps that contain the image
        itself as a factor; ``deletion`` and ``insertion``; ``deletion_gain`` and
        ``insertion_gain``, ``passed`` when the whole interval is above 0.

    Raises
    ------
    ValueError
        Without any image.
    """
    if not len(found):
        raise ValueError("no image was explained: give one of a test row at least")
    groups = column(found, "group")
    counts = bootstrap_groups(groups, resamples, rng).astype(float)

    def over_images(name: str) -> dict[str, Any]:
        values = column(found, name)
        known = np.isfinite(values)
        total = counts @ np.where(known, values, 0.0) / np.maximum(counts @ known, 1)
        units = len(np.unique(groups[known]))
        return estimate(total, n=int(known.sum()), n_groups=units)

    results = {name: over_images(name) for name in MEASURES}
    alike = results["randomisation"]
    alike |= {"limit": limit, "passed": alike["high"] < limit}
    for name in ("deletion_gain", "insertion_gain"):
        results[name]["passed"] = results[name]["low"] > 0
    return results
