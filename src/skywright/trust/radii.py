"""How far estimates of the Einstein radius can be believed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from astropy.table import QTable

from skywright.trust.committee import column
from skywright.trust.resampling import bootstrap_groups, estimate

__all__ = ["judge_radii"]

SNR_EDGES = (5.0, 20.0, 50.0, 200.0)
FAR = 0.3  # of the true radius: an estimate that far off is of something else
SIGMA = 1.4826  # standard deviation of a normal distribution, in median absolute deviations


def judge_radii(
    truth: QTable, radii: QTable, *, rng: np.random.Generator, resamples: int = 1000
) -> dict[str, dict[str, Any]]:
    """Compare estimated with true Einstein radii of the lenses of a painted sample.

    Parameters
    ----------
    truth : QTable
        ``object_id``, ``group`` (galaxy), ``label``, ``theta_e`` [pixel], ``snr``.
    radii : QTable
        ``object_id``, ``einstein_radius`` and ``einstein_radius_error`` [pixel], as
        `skywright.find.einstein_radius` gives.
    rng : Generator
        For the bootstrap, which resamples galaxies.
    resamples : int
        How often.

    Returns
    -------
    dict
        For all lenses (``all.``) and bins of arc S/N (``snr_20_50.``): ``bias`` (median of estimate
        over truth, minus 1), ``scatter`` (1.48 times the median absolute deviation of that ratio),
        ``outliers`` (share of estimates more than 30 % off), ``slope`` (of the logarithm of
        the estimate against that of the truth; 1 where it follows) and ``coverage`` (share of
        true radii within one quoted error, 0.68 if errors are honest).

    Raises
    ------
    ValueError
        An estimate is missing or not a positive number, or there is no lens.
    """
    lens = column(truth, "label").astype(bool)
    if not lens.any():
        raise ValueError("no lens in the truth; expected rows with label 1")
    ids, order = column(radii, "object_id"), column(truth, "object_id")
    sorted_rows = np.argsort(ids, kind="stable")
    place = np.minimum(np.searchsorted(ids[sorted_rows], order), len(ids) - 1)
    rows = sorted_rows[place][lens]
    guess, error = (column(radii, n)[rows] for n in ("einstein_radius", "einstein_radius_error"))
    if (ids[rows] != order[lens]).any() or not (np.isfinite(guess) & (guess > 0)).all():
        raise ValueError("some lens has no estimate above zero; expected one for each object_id")
    true, snr, group = (column(truth, n)[lens] for n in ("theta_e", "snr", "group"))
    counts = bootstrap_groups(group, resamples, rng)
    bins = {"all": np.ones(len(true), dtype=bool)}
    for low, high in zip(SNR_EDGES[:-1], SNR_EDGES[1:], strict=True):
        bins[f"snr_{low:g}_{high:g}"] = (snr >= low) & (snr < high)
    results = {}
    for name, some in bins.items():
        if some.sum() < 2:
            continue
        for key, figure in FIGURES.items():
            values = _resampled(figure, (guess[some], true[some], error[some]), counts[:, some])
            results[f"{name}.{key}"] = estimate(
                values, n=some.sum(), n_groups=len(np.unique(group[some]))
            )
    return results


def _resampled(
    figure: Callable[..., float], values: tuple[np.ndarray, ...], counts: np.ndarray
) -> np.ndarray:
    """Return a figure of the sample (first) and of every resample that has two rows."""
    found = np.full(len(counts), np.nan)
    for i, drawn in enumerate(counts):
        if np.count_nonzero(drawn) > 1:
            found[i] = figure(*(np.repeat(value, drawn) for value in values))
    return found


def _bias(guess: np.ndarray, true: np.ndarray, _: np.ndarray) -> float:
    return float(np.median(guess / true) - 1)


def _scatter(guess: np.ndarray, true: np.ndarray, _: np.ndarray) -> float:
    ratio = guess / true
    return float(SIGMA * np.median(np.abs(ratio - np.median(ratio))))


def _outliers(guess: np.ndarray, true: np.ndarray, _: np.ndarray) -> float:
    return float(np.mean(np.abs(guess / true - 1) > FAR))


def _slope(guess: np.ndarray, true: np.ndarray, _: np.ndarray) -> float:
    x, y = np.log(true), np.log(guess)
    x = x - x.mean()
    spread = float((x**2).sum())
    return float((x * y).sum() / spread) if spread > 0 else float("nan")


def _coverage(guess: np.ndarray, true: np.ndarray, error: np.ndarray) -> float:
    return float(np.mean(np.abs(guess - true) <= error))


FIGURES = {
    "bias": _bias,
    "scatter": _scatter,
    "outliers": _outliers,
    "slope": _slope,
    "coverage": _coverage,
}
