"""Leak tests: a clue that a classifier could use without seeing any arc.

Each returns a result with its interval and ``passed``, the decision.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.stats import t
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import StratifiedGroupKFold

from skywright.data import Images
from skywright.trust.ranking import auroc
from skywright.trust.resampling import bootstrap_groups, estimate

__all__ = ["background_rms_ratio", "separability", "shuffled_label_auroc"]


def shuffled_label_auroc(
    scores: np.ndarray,
    labels: np.ndarray,
    folds: np.ndarray,
    *,
    widest: float = 0.03,
    level: float = 0.95,
) -> dict[str, Any]:
    """Judge nets trained on shuffled labels: they must know nothing of the true ones.

    One net ends a little off chance in either direction, however many galaxies judge it. The
    interval is therefore that of the mean over shuffles (Student's t), not of galaxies. Scores are
    compared within folds: a fold with more positives was trained on fewer, which pulls an AUROC
    over all folds below a half.

    Parameters
    ----------
    scores : (shuffle, n)
        Out-of-fold scores of the nets of each shuffle, two or more.
    labels : (n,) or (shuffle, n)
        The true labels; or the shuffled ones, which out of fold are as unknown.
    folds : (n,)
        The fold that each row was held out in.
    widest : float
        Half an interval wider than this fails: it would hold 0.5 whatever leaks.
    level : float
        Coverage of the interval.

    Returns
    -------
    dict
        Mean AUROC with its interval; passed when the interval is narrow and holds 0.5.
    """
    if np.ndim(scores) != 2 or len(scores) < 2:
        raise ValueError(
            f"scores have shape {np.shape(scores)}; expected (shuffle, n) of at least two shuffles"
        )
    truth = np.broadcast_to(labels, np.shape(scores))
    parts = [np.asarray(folds) == fold for fold in np.unique(folds)]
    values = np.array(
        [
            np.mean([auroc(s[part], y[part]) for part in parts])
            for s, y in zip(np.asarray(scores), truth, strict=True)
        ]
    )
    error = values.std(ddof=1) / np.sqrt(len(values))
    half = float(error * t.ppf((1 + level) / 2, len(values) - 1))
    mean = float(values.mean())
    return {
        "value": mean,
        "low": mean - half,
        "high": mean + half,
        "n": int(np.shape(scores)[1]),
        "shuffles": len(values),
        "passed": bool(abs(mean - 0.5) <= half <= widest),
    }


def separability(
    features_a: np.ndarray,
    features_b: np.ndarray,
    groups_a: np.ndarray,
    groups_b: np.ndarray,
    rng: np.random.Generator,
    *,
    limit: float = 0.55,
    folds: int = 5,
    resamples: int = 1000,
) -> dict[str, Any]:
    """Ask gradient boosting to tell two sets apart, cross-fitted over galaxies.

    Parameters
    ----------
    features_a, features_b : (n, feature)
        Such as `pixel_features` of painted and of untouched cutouts.
    groups_a, groups_b : (n,)
        Galaxy behind each row; a galaxy is never on both sides of a fold.
    rng : Generator
        For boosting and bootstrap.
    limit : float
        Largest AUROC that passes.
    folds : int
        Cross-fitting folds.
    resamples : int
        Bootstrap resamples of the galaxies.

    Returns
    -------
    dict
        Out-of-fold AUROC with its interval; passed when the value is at most ``limit``.
    """
    features = np.concatenate([features_a, features_b])
    labels = np.repeat([0, 1], [len(features_a), len(features_b)])
    groups = np.concatenate([groups_a, groups_b])
    scores = np.empty(len(labels))
    # dealt out in the order of the groups, folds would keep step with what is periodic in it
    split = StratifiedGroupKFold(folds, shuffle=True, random_state=int(rng.integers(2**31)))
    for fit, held_out in split.split(features, labels, groups):
        booster = HistGradientBoostingClassifier(random_state=int(rng.integers(2**31)))
        booster.fit(features[fit], labels[fit])
        scores[held_out] = booster.decision_function(features[held_out])
    values = auroc(scores, labels, bootstrap_groups(groups, resamples, rng))
    result = estimate(values, n=len(labels), n_groups=len(np.unique(groups)))
    return {**result, "limit": limit, "passed": bool(result["value"] <= limit)}


def background_rms_ratio(
    painted: Images,
    untouched: Images,
    groups: np.ndarray,
    rng: np.random.Generator,
    *,
    radius: float | np.ndarray | None = None,
    tolerance: float = 0.02,
    resamples: int = 1000,
) -> dict[str, Any]:
    """Compare the background noise of painted cutouts with that of the same cutouts untouched.

    Far from the painted light painting must change nothing. The noise is the rms difference of
    neighbouring pixels over the square root of two, which smooth galaxy light leaves alone; noise
    counted twice raises it to 1.41.

    Parameters
    ----------
    painted, untouched : Images
        Row i of both shows the same galaxy.
    groups : (n,)
        Galaxy behind each row.
    rng : Generator
        For the bootstrap.
    radius : float or (n,) [pixel], optional
        Painted light ends here; by default at 0.8 of the half side, so that corners and rim stay.
    tolerance : float
        Allowed excess.
    resamples : int
        Bootstrap resamples of the galaxies.

    Returns
    -------
    dict
        Ratio with its interval; passed unless the interval lies wholly outside
        ``1 - tolerance`` to ``1 + tolerance``.
    """
    if painted.flux.shape != untouched.flux.shape:
        raise ValueError(
            f"painted has shape {painted.flux.shape}, untouched {untouched.flux.shape}; expected "
            "the same galaxies in the same order, as untouched = cutouts[systems['row']]"
        )
    half = painted.flux.shape[-1] / 2
    radii = np.broadcast_to(0.8 * half if radius is None else radius, len(painted))
    power = np.concatenate(
        [
            _neighbour_power(a.flux, b.flux, radii[start : start + len(a)])
            for start, a, b in zip(
                range(0, len(painted), 1024), painted.blocks(), untouched.blocks(), strict=True
            )
        ]
    )
    counts = bootstrap_groups(groups, resamples, rng).astype(float)
    summed = counts @ power
    ratio = np.sqrt(summed[:, 0] / summed[:, 1])
    result = estimate(ratio, n=len(power), n_groups=len(np.unique(groups)))
    passed = result["low"] <= 1 + tolerance and result["high"] >= 1 - tolerance
    return {**result, "tolerance": tolerance, "passed": bool(passed)}


def _neighbour_power(painted: np.ndarray, untouched: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """Return per cutout the mean squared neighbour difference, painted and untouched: (n, 2)."""
    ny, nx = painted.shape[-2:]
    distance = np.hypot(np.arange(ny)[:, None] - (ny - 1) / 2, np.arange(nx) - (nx - 1) / 2)
    far = (distance > radius[:, None, None])[:, None]
    far = far[..., 1:] & far[..., :-1]
    before = np.diff(np.asarray(untouched, dtype=float), axis=-1)
    after = np.diff(np.asarray(painted, dtype=float), axis=-1)
    # Neighbouring objects would drown the noise: leave out what is steep in the untouched image.
    level = np.abs(before).mean(axis=(2, 3), keepdims=True, where=far)
    calm = far & (np.abs(before) <= 5 * level)
    used = np.maximum(calm.sum(axis=(2, 3)), 1)
    # Bands count alike, whatever their unit.
    scale = (before**2 * calm).sum(axis=(2, 3)) / used
    scale = np.where(scale > 0, scale, np.inf)
    ratios = [((d**2 * calm).sum(axis=(2, 3)) / used / scale).sum(axis=1) for d in (after, before)]
    return np.stack(ratios, axis=1)
