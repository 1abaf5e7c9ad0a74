"""How good predicted distributions of a number are: scores of each object, figures of all."""

from __future__ import annotations

import numpy as np
from scipy.stats import norm

from skywright.trust.bounded import score_bounded

__all__ = [
    "COVERAGES",
    "coverage_error",
    "level_error",
    "regression_figures",
    "score_normal",
    "score_predictions",
    "score_samples",
]

COVERAGES = (50, 68, 90, 95)  # [%]
LEVELS = np.arange(1, 101) / 101
FAR = 5.0  # sigmas
_CELLS = 20_000_000


def score_normal(values: np.ndarray, mean: np.ndarray, sd: np.ndarray) -> dict[str, np.ndarray]:
    """Score normal distributions.

    Parameters
    ----------
    values, mean, sd : (n,)
        True values, and what was predicted; every ``sd`` is above 0.

    Returns
    -------
    dict of (n,)
        ``nll`` [nat], ``crps`` in the unit of the values, ``pit``.

    References
    ----------
    Gneiting & Raftery 2007, JASA 102, 359, eq. 21 (CRPS of a normal distribution).

    Examples
    --------
    >>> one = score_normal(np.array([0.0]), np.array([0.0]), np.array([1.0]))
    >>> [round(float(one[k][0]), 4) for k in ("nll", "crps", "pit")]
    [0.9189, 0.2337, 0.5]
    """
    if not (np.asarray(sd) > 0).all():
        raise ValueError(f"a standard deviation is {np.min(sd):g}; expected all of them above 0")
    z = (values - mean) / sd
    pit = norm.cdf(z)
    crps = sd * (z * (2 * pit - 1) + 2 * norm.pdf(z) - 1 / np.sqrt(np.pi))
    return {"nll": -norm.logpdf(z) + np.log(sd), "crps": crps, "pit": pit}


def score_samples(values: np.ndarray, samples: np.ndarray) -> dict[str, np.ndarray]:
    """Score distributions that are given by samples (n, sample), or by evenly spaced quantiles.

    Returns
    -------
    dict of (n,)
        ``crps`` and ``pit``: the samples stand at levels (k + 1/2) / K, straight lines between.

    References
    ----------
    Gneiting & Raftery 2007, JASA 102, 359, eq. 20 (CRPS).
    """
    ordered = np.sort(samples, axis=1)
    k = ordered.shape[1]
    levels = (np.arange(k) + 0.5) / k
    pit = np.array(
        [np.interp(v, row, levels, 0.0, 1.0) for v, row in zip(values, ordered, strict=True)]
    )
    weight = (2 * np.arange(1, k + 1) - k - 1) / k**2
    return {"crps": np.abs(ordered - values[:, None]).mean(axis=1) - ordered @ weight, "pit": pit}


def score_predictions(
    values: np.ndarray,
    mean: np.ndarray,
    sd: np.ndarray,
    samples: np.ndarray | None = None,
    bounds: tuple[float, float] | None = None,
) -> dict[str, np.ndarray]:
    """Return everything that figures are made from, object by object.

    Parameters
    ----------
    values, mean, sd : (n,)
        True values, and what was predicted.
    samples : (n, sample), optional
        Of the predicted distribution; ``crps`` and ``pit`` then come from them.
    bounds : (low, high), optional
        Range in which the values are known to lie; the distribution is then the one of most
        entropy with that mean and standard deviation in the range.

    Returns
    -------
    dict of (n,)
        ``square`` (squared error), ``sd``, ``nll``, ``crps``, ``pit``, and ``nll_normal``, that of
        a normal distribution whatever the range.
    """
    scores = score_normal(values, mean, sd)
    normal = scores["nll"]
    if bounds is not None:
        # beyond some sigma the end of the range changes nothing, and the search for it costs time
        near = (mean - FAR * sd < bounds[0]) | (mean + FAR * sd > bounds[1])
        cut = score_bounded(values[near], mean[near], sd[near], bounds)
        for name, column in scores.items():
            scores[name] = column.copy()
            scores[name][near] = cut[name]
    if samples is not None:
        scores |= score_samples(values, samples)
    return {"square": (values - mean) ** 2, "sd": sd, **scores, "nll_normal": normal}


def regression_figures(scores: dict[str, np.ndarray], counts: np.ndarray) -> dict[str, np.ndarray]:
    """Return the figures of a set of objects, for the set itself and its resamples.

    Parameters
    ----------
    scores : dict of (n,)
        From `score_predictions`.
    counts : (resample, n)
        From `skywright.trust.bootstrap_groups`.

    Returns
    -------
    dict of (resample,)
        ``mse``, ``nll``, ``nll_normal``, ``crps``, ``sharpness`` (mean standard deviation),
        ``coverage_50`` … ``coverage_95``, ``coverage_error`` and ``pit_ks``.
    """
    names = {"square": "mse", "nll": "nll", "nll_normal": "nll_normal", "crps": "crps"}
    columns = np.stack([scores[name] for name in (*names, "sd")], axis=1)
    inside = np.abs(2 * scores["pit"] - 1)[:, None] <= [c / 100 for c in COVERAGES]
    order = np.argsort(scores["pit"], kind="stable")
    sorted_pit = scores["pit"][order]
    parts = []
    for block in _blocks(counts):
        weight = block / block.sum(axis=1, keepdims=True)
        means = weight @ columns
        found = dict(zip([*names.values(), "sharpness"], means.T, strict=True))
        shares = (weight @ inside.astype(float)).T
        found |= {f"coverage_{c}": share for c, share in zip(COVERAGES, shares, strict=True)}
        found["coverage_error"] = coverage_error(scores["pit"], weight)
        steps = np.cumsum(weight[:, order], axis=1)
        above, below = steps - sorted_pit, sorted_pit - (steps - weight[:, order])
        found["pit_ks"] = np.maximum(above.max(axis=1), below.max(axis=1))
        parts.append(found)
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def coverage_error(pit: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return the mean of |coverage - level| of central intervals over 100 levels.

    Parameters
    ----------
    pit : (n,)
        Predicted distribution functions at the true values.
    weight : (resample, n)
        Shares of the objects, each row with the sum 1.

    References
    ----------
    Caldeira & Nord 2020, arXiv:2004.10710, section 4.2.

    Examples
    --------
    >>> even = (np.arange(10000) + 0.5) / 10000
    >>> float(coverage_error(even, np.full((1, 10000), 1e-4))[0]) < 1e-4
    True
    """
    return level_error(np.abs(2 * pit - 1), weight)


def level_error(level: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return the same from the level (n,) of the smallest interval that holds each true value."""
    first = np.searchsorted(LEVELS, level, side="left")
    hot = np.zeros((len(level), len(LEVELS) + 1))
    hot[np.arange(len(level)), first] = 1
    covered = np.cumsum(weight @ hot, axis=1)[:, :-1]
    return np.asarray(np.abs(covered - LEVELS).mean(axis=1))


def _blocks(counts: np.ndarray) -> list[np.ndarray]:
    rows = max(1, _CELLS // max(counts.shape[1], 1))
    return [counts[i : i + rows] for i in range(0, len(counts), rows)]
