"""What a simulated training set holds, whether its noise is right, and how easy it is."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy.table import Table
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import StratifiedKFold

from skywright.data import Images, Report
from skywright.trust.image_set_page import image_set_page
from skywright.trust.leaks import separability
from skywright.trust.pixel_features import pixel_features
from skywright.trust.ranking import auroc
from skywright.trust.resampling import bootstrap_groups, estimate

__all__ = ["images_report"]

FOLDS = 5
FEWEST = 10  # images of a class, for a cross-validated score
CORNER = 6  # of the side: what counts as empty sky, in each corner
STEEP = 6.0  # standard deviations: the edge of some galaxy
SNR = (0.0, 25.0, 50.0, 100.0, np.inf)
LEAK = 0.55  # AUROC of what must not tell the classes apart
SHOWN = 7  # pictures of a configuration


def images_report(
    images: Images,
    systems: Table,
    snr: np.ndarray,
    *,
    resamples: int = 1000,
    rng: np.random.Generator,
) -> Report:
    """Judge a simulated training set before anything is trained on it.

    Boosted trees that see no shape (histograms, lowest bits and power spectra of pixels) score
    every image out of fold: what they can do, a network does not need to learn about arcs for.
    Trees on single trivial numbers look for clues that a training set must not hold.

    Parameters
    ----------
    images : Images
        With ``variance``, that of empty sky, where the noise is to be checked.
    systems : Table
        Row by row: ``object_id``, ``label`` (1: lens), ``configuration`` and its ``name``,
        ``theta_e``, ``z_lens``, ``z_source``, ``mag_lens_…``.
    snr : (n,)
        Signal to noise of what is lensed, 0 where nothing is.
    resamples : int
        Of the bootstrap.
    rng : Generator
        For trees and bootstrap.

    Returns
    -------
    Report

    Raises
    ------
    ValueError
        Images and systems do not belong together, or a class is too small to be judged.
    """
    labels = _check(images, systems, snr)
    scores = _out_of_fold(pixel_features(images), labels, rng)
    counts = bootstrap_groups(np.arange(len(labels)), resamples, rng)
    results = _holdings(systems, labels, counts)
    results |= _noise(images, counts)
    results |= _ease(scores, labels, systems, snr, counts)
    results |= _clues(images, labels, rng, resamples)
    off = [abs(v["value"] - 1) for k, v in results.items() if k.startswith("noise_ratio.")]
    evidence = _evidence(systems, labels, snr) | {"noise_off": max(off, default=None)}
    report = Report(results, _verdict(results, evidence["noise_off"]), evidence)
    return Report(results, report.verdict, evidence, image_set_page(report, images))


def _check(images: Images, systems: Table, snr: np.ndarray) -> np.ndarray:
    if not np.array_equal(np.asarray(systems["object_id"]), np.asarray(images.object_id)):
        raise ValueError(
            f"{len(systems)} systems and {len(images)} images do not have the same object_id row "
            "by row; expected the images that were made of these systems"
        )
    if np.shape(snr) != (len(systems),):
        raise ValueError(f"snr has shape {np.shape(snr)}, expected one number for each system")
    labels = np.asarray(systems["label"]).astype(int)
    fewest = min(int((labels == 0).sum()), int((labels == 1).sum()))
    if fewest < FEWEST:
        raise ValueError(
            f"there are {int(labels.sum())} lenses among {len(labels)} images; expected at least "
            f"{FEWEST} of each class: raise the size of the data set"
        )
    return labels


def _out_of_fold(features: np.ndarray, labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return scores of boosted trees, each image scored by trees that never saw it."""
    scores = np.empty(len(labels))
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=int(rng.integers(2**31)))
    for fit, held_out in folds.split(features, labels):
        trees = HistGradientBoostingClassifier(
            max_iter=60, early_stopping=False, random_state=int(rng.integers(2**31))
        )
        trees.fit(features[fit], labels[fit])
        scores[held_out] = trees.decision_function(features[held_out])
    return scores


def _holdings(systems: Table, labels: np.ndarray, counts: np.ndarray) -> dict[str, Any]:
    n = len(labels)
    share = (counts * labels).sum(1) / counts.sum(1)
    found: dict[str, Any] = {
        "images": _exact(n),
        "prevalence": estimate(share, n=n, n_groups=n, proportion=True),
    }
    names = np.asarray(systems["name"])
    for name in _names(systems):
        found[f"images.{name}"] = _exact(int((names == name).sum()))
    return found


def _names(systems: Table) -> list[str]:
    """Return the names of the configurations in the order of the file, those of lenses first."""
    labels, names = np.asarray(systems["label"]), np.asarray(systems["name"])
    which = np.asarray(systems["configuration"])
    order = np.lexsort((which, -labels))
    return list(dict.fromkeys(names[order].tolist()))


def _exact(value: float) -> dict[str, Any]:
    return {"value": value, "low": value, "high": value}


def _noise(images: Images, counts: np.ndarray) -> dict[str, Any]:
    """Return the rms of pixels in the corners over that of the variance, band by band.

    Differences of neighbours are taken, which smooth light leaves alone, but for steep ones.
    """
    if images.variance is None:
        return {}
    ratios = []
    for block in images.blocks():
        size = max(block.flux.shape[-1] // CORNER, 2)
        ends = (slice(None, size), slice(-size, None))
        corners = [np.asarray(block.flux[..., a, b], dtype=float) for a in ends for b in ends]
        steps = np.stack([np.diff(corner, axis=-1) for corner in corners], axis=2)
        expected = 2 * np.mean(np.asarray(block.variance, dtype=float), axis=(2, 3))
        power = steps**2 / expected[:, :, None, None, None]
        ratios.append(np.mean(power, axis=(2, 3, 4), where=power < STEEP**2))
    ratio = np.concatenate(ratios)
    n = len(ratio)
    return {
        f"noise_ratio.{band}": estimate(
            np.sqrt(counts @ ratio[:, i] / counts.sum(1)), n=n, n_groups=n
        )
        for i, band in enumerate(images.bands)
    }


def _ease(
    scores: np.ndarray, labels: np.ndarray, systems: Table, snr: np.ndarray, counts: np.ndarray
) -> dict[str, Any]:
    """Return how well trees that see no shape tell lenses from all, and from each negative."""

    def judge(rows: np.ndarray) -> dict[str, Any]:
        values = auroc(scores[rows], labels[rows], counts[:, rows])
        return estimate(values, n=len(rows), n_groups=len(rows))

    found = {"auroc": judge(np.arange(len(labels)))}
    names = np.asarray(systems["name"])
    for name in [n for n in _names(systems) if not labels[names == n].any()]:
        found[f"auroc.{name}"] = judge(np.flatnonzero((labels == 1) | (names == name)))
    for low, high in zip(SNR[:-1], SNR[1:], strict=True):
        inside = (labels == 1) & (snr >= low) & (snr < high)
        if inside.sum() >= FEWEST:
            end = "" if np.isinf(high) else f"{high:g}"
            found[f"auroc_snr.{low:g}-{end}"] = judge(np.flatnonzero((labels == 0) | inside))
    return found


def _clues(
    images: Images, labels: np.ndarray, rng: np.random.Generator, resamples: int
) -> dict[str, Any]:
    """Ask single numbers that should know nothing, and some that may know a little."""
    flux, rms = [], []
    for block in images.blocks():
        pixels = np.asarray(block.flux, dtype=float)
        flux.append(pixels.sum(axis=(2, 3)))
        rms.append(np.median(np.abs(np.diff(pixels, axis=-1)), axis=(2, 3)))
    total, background = np.concatenate(flux), np.concatenate(rms)
    asked = {
        "order": np.asarray(images.object_id, dtype=float)[:, None],
        "background rms": background,
        "total flux": total,
    }
    found = {}
    for name, values in asked.items():
        a, b = (values[labels == k] for k in (0, 1))
        groups = np.arange(len(labels))
        found[f"clue.{name}"] = separability(
            a, b, groups[: len(a)], groups[len(a) :], rng, limit=LEAK, resamples=resamples
        )
    return found


def _evidence(systems: Table, labels: np.ndarray, snr: np.ndarray) -> dict[str, Any]:
    """Return what is drawn on the page: values by class, and rows of pictures."""
    magnitude = next(name for name in reversed(systems.colnames) if name.startswith("mag_lens_"))
    columns = {"theta_e": "theta_e", "z_lens": "z_lens", "z_source": "z_source"}
    columns["mag_lens"] = magnitude
    values = {
        key: [np.asarray(systems[name], dtype=float)[labels == k].tolist() for k in (1, 0)]
        for key, name in columns.items()
    }
    names = np.asarray(systems["name"])
    shown = {name: np.flatnonzero(names == name)[:SHOWN] for name in _names(systems)}
    return {
        "values": values | {"snr": snr[labels == 1].tolist()},
        "magnitude": magnitude.removeprefix("mag_lens_"),
        "gallery": {
            name: [
                {
                    "row": int(row),
                    "label": int(labels[row]),
                    "theta_e": float(np.asarray(systems["theta_e"], dtype=float)[row]),
                    "z_lens": float(systems["z_lens"][row]),
                    "z_source": float(systems["z_source"][row]),
                    "snr": float(snr[row]),
                }
                for row in rows
            ]
            for name, rows in shown.items()
        },
    }


def _verdict(results: dict[str, Any], noise_off: float | None) -> str:
    ease = results["auroc"]
    kinds = {k.partition(".")[2]: v for k, v in results.items() if k.startswith("auroc.")}
    hardest = min(kinds, key=lambda k: kinds[k]["value"])
    easiest = max(kinds, key=lambda k: kinds[k]["value"])
    text = (
        f"{results['images']['value']:,} images, {100 * results['prevalence']['value']:.0f} % of "
        f"them lenses. Trees that see no shape tell lenses from the rest with an AUROC of "
        f"{ease['value']:.2f} ({ease['low']:.2f} to {ease['high']:.2f}): best from {easiest} "
        f"({kinds[easiest]['value']:.2f}), worst from {hardest} ({kinds[hardest]['value']:.2f}). "
        "A network has to beat that before it can be said to know arcs. "
    )
    leaks = [k.partition(".")[2] for k, v in results.items()
             if k.startswith("clue.") and not v["passed"]]  # fmt: skip
    if leaks:
        text += f"A single number tells the classes apart: {', '.join(leaks)}. "
    else:
        text += "There is no evidence that total flux, background or order alone give them away. "
    if noise_off is not None:
        text += f"Noise is that of its formula within {100 * noise_off:.1f} %."
    else:
        text += "Nothing is known of the noise, so it was not checked."
    return text
