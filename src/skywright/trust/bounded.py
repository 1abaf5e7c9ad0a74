"""The distribution of most entropy for a mean, a standard deviation and a range of values."""

from __future__ import annotations

import numpy as np

__all__ = ["score_bounded"]

NODES = 241
REACH = 9.0  # standard deviations around the mean that are looked at
STEPS = 25
NARROWEST, WIDEST = 1.02, 0.25


def score_bounded(
    values: np.ndarray, mean: np.ndarray, sd: np.ndarray, bounds: tuple[float, float]
) -> dict[str, np.ndarray]:
    r"""Score means and standard deviations of values that are known to lie in a range.

    Of all distributions on the range with that mean and standard deviation, the one of most
    entropy is the normal one cut off at its ends, :math:`p(y) \propto e^{a y + b y^2}`. Its
    parameters are found by Newton's method on the convex potential :math:`\ln Z(a, b) - a\,m -
    b\,(m^2 + s^2)`. A standard deviation that no such distribution has is lowered to a quarter of
    the range, and a mean too near to an end is moved away from it by one standard deviation.

    Parameters
    ----------
    values : (n,)
        True values, in the range.
    mean, sd : (n,)
        What was predicted.
    bounds : (low, high)
        The range.

    Returns
    -------
    dict of (n,)
        ``nll`` [nat], ``crps`` in the unit of the values, ``pit``.

    References
    ----------
    Cover & Thomas 2006, Elements of Information Theory, theorem 12.1.1; Gneiting & Raftery 2007,
    JASA 102, 359, eq. 20 (CRPS).

    Examples
    --------
    >>> far = score_bounded(np.array([1.0]), np.array([0.0]), np.array([1.0]), (-50.0, 50.0))
    >>> round(float(far["nll"][0]), 3), round(float(far["pit"][0]), 3)
    (1.419, 0.841)
    """
    low, high = bounds
    if not ((values >= low) & (values <= high)).all():
        raise ValueError(
            f"values from {np.min(values):g} to {np.max(values):g}; expected all of them within "
            f"{low:g} to {high:g}: give no bounds where values may lie beyond"
        )
    sd = np.minimum(sd, WIDEST * (high - low))
    mean = np.clip(mean, low + NARROWEST * sd, high - NARROWEST * sd)
    left, right = np.maximum(low, mean - REACH * sd), np.minimum(high, mean + REACH * sd)
    share = np.linspace(0, 1, NODES)
    nodes = left[:, None] + (right - left)[:, None] * share
    weight = np.full(NODES, 1 / (NODES - 1))
    weight[[0, -1]] /= 2
    z = (nodes - mean[:, None]) / sd[:, None]
    density, log_norm, a, b = _solve(z, weight)
    width = right - left
    pieces = (density[:, 1:] + density[:, :-1]) / 2 / (NODES - 1)
    cdf = np.concatenate([np.zeros((len(mean), 1)), np.cumsum(pieces, axis=1)], axis=1)
    inside = np.clip(values, left, right)
    place = (inside - left) / width * (NODES - 1)
    cell, rows = np.minimum(place.astype(int), NODES - 2), np.arange(len(mean))
    pit = cdf[rows, cell] + (place - cell) * (cdf[rows, cell + 1] - cdf[rows, cell])
    # CRPS = int F2 + int_y (1 - 2F): no integrand jumps at the truth
    halves = (cdf[:, 1:] + cdf[:, :-1]) / 2 * width[:, None] / (NODES - 1)
    area = np.concatenate([np.zeros((len(mean), 1)), np.cumsum(halves, axis=1)], axis=1)
    step = (width / (NODES - 1)) * (place - cell)
    below = area[rows, cell] + step * (cdf[rows, cell] + pit) / 2
    crps = (cdf**2) @ weight * width + (right - inside) - 2 * (area[:, -1] - below)
    crps += np.abs(values - inside)
    at = (values - mean) / sd
    nll = -(a * at + b * at**2 - log_norm - np.log(width))
    return {"nll": nll, "crps": crps, "pit": np.clip(pit, 0, 1)}


def _solve(
    z: np.ndarray, weight: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return density (n, node) with mean 0 and mean square 1, its log norm, and a and b."""
    a, b = np.zeros(len(z)), np.full(len(z), -0.5)
    for _ in range(STEPS):
        density, _norm = _density(z, weight, a, b)
        first, second, third, fourth = ((density * z**k) @ weight for k in (1, 2, 3, 4))
        aa, ab, bb = second - first**2, third - first * second, fourth - second**2
        # near a degenerate end the curvature nearly vanishes: a little more of it keeps steps short
        aa, bb = aa + 1e-6, bb + 1e-6
        down_a, down_b = -first, 1 - second
        det = aa * bb - ab**2
        step_a, step_b = (bb * down_a - ab * down_b) / det, (aa * down_b - ab * down_a) / det
        short = np.minimum(1, 1 / np.maximum(np.abs(step_a) + np.abs(step_b), 1e-12))
        a, b = a + short * step_a, b + short * step_b
        if np.max(np.abs(down_a) + np.abs(down_b), initial=0) < 1e-9:
            break
    density, norm = _density(z, weight, a, b)
    return density, norm, a, b


def _density(
    z: np.ndarray, weight: np.ndarray, a: np.ndarray, b: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return exp(a z + b z2) over its integral on nodes that span 1, and the integral's log."""
    log = a[:, None] * z + b[:, None] * z**2
    peak = log.max(axis=1)
    raw = np.exp(log - peak[:, None])
    norm = raw @ weight
    return raw / norm[:, None], peak + np.log(norm)
