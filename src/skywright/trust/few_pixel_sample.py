"""The few-pixel attack on a sample of test images, and what it says over folds and seeds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import astropy.units as u
import numpy as np
from astropy.table import QTable

from skywright.data import Images, draw_groups
from skywright.trust.committee import column
from skywright.trust.few_pixel import attack_few_pixels
from skywright.trust.pixel_budget import pixel_budget

__all__ = ["attack_sample", "sum_attacks"]

LOOKED_AT = 20  # images at least, and four times as many as are attacked: some are wrong
SEARCHES = {"": "evolution", "_at_random": "ends"}  # the stronger of the two ways to draw


def attack_sample(
    scores: Callable[[Images], np.ndarray],
    images: Images,
    rng: np.random.Generator,
    *,
    truth: np.ndarray,
    roles: np.ndarray,
    groups: np.ndarray,
    n: int = 2,
    pixels: int = 3,
    snr: float = 10.0,
    gain: float | Mapping[str, float] | None = None,
    population: int = 16,
    generations: int = 9,
) -> QTable:
    """Attack a few test images that a classifier gets right, each of another object.

    Parameters
    ----------
    scores : callable
        From `Images` to logits (batch,), as from `skywright.find.make_scorer`.
    images : Images
        Cutouts.
    rng : Generator
        Chooses the images and searches.
    truth : (m,) int
        0 or 1.
    roles : (m,) str
        Only ``test``, which the classifier has not learned from, is attacked.
    groups : (m,)
        Object behind each image.
    n : int
        Images that are attacked.
    pixels : int
        Most pixels that change, in all bands.
    snr : float
        Largest change of a pixel in a band, over the noise of the background of that image: the
        root of its variance, or measured in its outer eighth. Pixels stay in the range of the
        images that were looked at.
    gain : float or {band: float} [electron per unit], optional
        To state the budget in electrons.
    population, generations : int
        As for `attack_few_pixels`; random search has as many queries.

    Returns
    -------
    QTable
        ``object_id, group``; ``fooled, queries`` by evolution, ``fooled_at_random,
        queries_at_random`` by random search; the budget: ``pixels``, ``snr``, and ``change``,
        its median over the bands, in electrons or in the unit of the images.
    """
    truth = np.asarray(truth)
    tested = np.flatnonzero(np.asarray(roles).astype(str) == "test")
    rows = draw_groups(tested, groups, max(4 * n, LOOKED_AT), rng)
    looked = images[rows]
    right = np.flatnonzero((scores(looked) > 0) == (truth[rows] > 0))[:n]
    rows, sample = rows[right], looked[right]
    flux, rms = np.asarray(sample.flux), _background_rms(sample)
    table = QTable({"object_id": sample.object_id, "group": np.asarray(groups)[rows]})
    found: dict[str, list[Any]] = {
        f"{k}{way}": [] for way in SEARCHES for k in ("fooled", "queries")
    }
    for i, row in enumerate(rows):
        budget = pixel_budget(looked.flux, pixels, snr=snr, rms=rms[i])
        judged = partial(_two_classes, scores, sample[i])
        for way, search in SEARCHES.items():
            result = attack_few_pixels(
                judged, flux[i : i + 1], truth[row : row + 1].astype(int), budget, rng,
                search=search, population=population, generations=generations,
            )  # fmt: skip
            for name in ("fooled", "queries"):
                found[f"{name}{way}"].append(result[name][0])
    for name, values in found.items():
        table[name] = np.array(values, dtype=bool if name.startswith("fooled") else int)
    table["pixels"], table["snr"] = np.full(len(rows), pixels), np.full(len(rows), float(snr))
    table["change"] = _in_detector_units(snr * rms, images, gain)
    return table


def sum_attacks(attacked: QTable) -> dict[str, Any] | None:
    """Count over folds and seeds how many objects fell.

    Parameters
    ----------
    attacked : QTable
        From `attack_sample`, as a sweep collects it. An object that several nets judged counts
        once, with the mean over them.

    Returns
    -------
    dict or None
        ``successes, random, n, pixels, budget`` for `skywright.trust.judge`, and ``queries``, the
        most for one image. None when the classifier got no image right.
    """
    if not len(attacked):
        return None
    objects, behind = np.unique(column(attacked, "group"), return_inverse=True)
    times = np.bincount(behind)
    fallen = {
        name: float((np.bincount(behind, column(attacked, name)) / times).sum())
        for name in ("fooled", "fooled_at_random")
    }
    change = np.median(u.Quantity(attacked["change"]))
    return {
        "successes": fallen["fooled"],
        "random": fallen["fooled_at_random"],
        "n": len(objects),
        "pixels": int(column(attacked, "pixels").max()),
        "budget": f"{column(attacked, 'snr').max():g} times the noise of a pixel ({change:.3g})",
        "queries": int(max(column(attacked, "queries").max(),
                           column(attacked, "queries_at_random").max())),
    }  # fmt: skip


def _two_classes(scores: Callable[[Images], np.ndarray], image: Images, flux: np.ndarray) -> Any:
    """Return scores (batch, 2) of changed versions (batch, band, y, x) of one image."""
    same = np.zeros(len(flux), dtype=int)
    logits = scores(replace(image[same], flux=flux, object_id=np.arange(len(flux))))
    return np.stack([np.zeros(len(flux)), logits], axis=1)


def _background_rms(images: Images) -> np.ndarray:
    """Return the noise of a pixel of the background, (n, band) [unit]."""
    if images.variance is not None:
        return np.asarray(np.sqrt(np.median(_flat(images.variance), axis=2)))
    edge = max(1, images.flux.shape[-1] // 8)
    rim = np.concatenate([images.flux[..., :edge], images.flux[..., -edge:]], axis=-1)
    sky = _flat(rim)
    middle = np.median(sky, axis=2, keepdims=True)
    return np.asarray(1.4826 * np.median(np.abs(sky - middle), axis=2))


def _flat(pixels: np.ndarray) -> np.ndarray:
    """Return all pixels of an image in one axis, (n, band, pixel); of no images, too."""
    ny, nx = pixels.shape[2:]
    return np.reshape(pixels, (*pixels.shape[:2], ny * nx)).astype(float)


def _in_detector_units(
    change: np.ndarray, images: Images, gain: float | Mapping[str, float] | None
) -> u.Quantity:
    """Return the median over bands of changes (n, band) [unit], in electrons if there is a gain."""
    if gain is None:
        return u.Quantity(np.median(change, axis=1), images.unit)
    known = gain if isinstance(gain, Mapping) else dict.fromkeys(images.bands, gain)
    electrons = change * np.array([float(known[band]) for band in images.bands])
    return u.Quantity(np.median(electrons, axis=1), u.electron)
