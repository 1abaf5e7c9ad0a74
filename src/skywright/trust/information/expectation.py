"""Expectation and maximisation for many Gaussian mixtures at once, each with its own weights.

Initialisations, folds, bootstrap resamples and permutations are members of one batch. A resample
is the same data with other weights, so the monomials of the data are made once. A member leaves
the batch when it has converged.
"""

from __future__ import annotations

import numpy as np

from skywright.trust.information.mixtures import Mixtures, log_components, monomials

__all__ = ["LEFT", "fit_mixtures", "maximise"]

BLOCK = 1 << 16  # densities at a time: they stay in the cache
LEFT = 0.05  # log likelihood still to be gained when a member counts as converged
MOST = 300  # iterations
# what an iteration may gain, over what the one before gained. In the first iterations quick
# modes hide slow ones, and later ratios near one are noise; without bounds fits stop at plateaus
RATES = (0.5, 0.95)


def fit_mixtures(
    points: np.ndarray,
    weights: np.ndarray,
    start: Mixtures,
    *,
    floor: float,
    left: float = LEFT,
    most: int = MOST,
) -> tuple[Mixtures, np.ndarray]:
    """Maximise the weighted likelihood of each mixture.

    A fit stops when Aitken's extrapolation of its log likelihood (McLachlan & Krishnan 2008,
    section 4.9) leaves less than ``left`` to be gained. The likelihood of N rows changes by 1/2
    within one standard error, so ``left`` has the same meaning for every N.

    Parameters
    ----------
    points : (n, dimension) or (member, n, dimension)
        The same for all members, or their own.
    weights : (member, n)
        Of the rows: 0 leaves one out, 2 counts it twice.
    start : Mixtures
        One for each member.
    floor : float
        Added to the variances, in units of ``points`` squared.
    left : float
        Log likelihood that may be missing.
    most : int
        Iterations at most.

    Returns
    -------
    Mixtures, (member,)
        With their log likelihoods, in nats.
    """
    table = monomials(points)
    found = Mixtures(start.weights.copy(), start.means.copy(), start.covariances.copy())
    likelihood = np.full((3, len(weights)), -np.inf)  # the last three
    active = np.arange(len(weights))
    for _ in range(most):
        sums, gained = _expect(table, weights, found, active)
        likelihood[:, active] = np.vstack([likelihood[1:, active], gained])
        done = _converged(likelihood[:, active], left)
        if done.all():
            break
        active, sums = active[~done], sums[~done]
        new = maximise(sums, points.shape[-1], floor)
        found.weights[active], found.means[active] = new.weights, new.means
        found.covariances[active] = new.covariances
    return found, likelihood[2]


def _converged(likelihood: np.ndarray, left: float) -> np.ndarray:
    """Tell which members have less than ``left`` to gain, by their last three likelihoods."""
    if not np.isfinite(likelihood[0]).any():
        return np.zeros(likelihood.shape[1], dtype=bool)
    before, now = likelihood[1] - likelihood[0], likelihood[2] - likelihood[1]
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = np.clip(now / before, *RATES)
    remaining = now * rate / (1 - rate)
    # the floor under variances may cost likelihood: a fit that no longer climbs is at its end
    return np.asarray(~(remaining > left))


def _expect(
    table: np.ndarray, weights: np.ndarray, mixtures: Mixtures, active: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the weighted sums of the monomials by component, and the log likelihoods."""
    coefficients = log_components(mixtures[active])
    members, components, _ = coefficients.shape
    sums, likelihood = np.empty_like(coefficients), np.empty(members)
    step = max(1, BLOCK // (components * weights.shape[1]))
    for first in range(0, members, step):
        some = slice(first, first + step)
        rows = table if table.ndim == 2 else table[active[some]]
        share = _products(coefficients[some], rows)
        top = share.max(axis=1)
        share -= top[:, None]
        np.exp(share, out=share)
        total = share.sum(axis=1)
        weight = weights[active[some]]
        likelihood[some] = np.einsum("mn,mn->m", weight, top + np.log(total))
        share *= (weight / total)[:, None]
        sums[some] = (
            (share.reshape(-1, share.shape[-1]) @ rows).reshape(sums[some].shape)
            if rows.ndim == 2
            else share @ rows
        )
    return sums, likelihood


def _products(coefficients: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return (member, component, n) log densities; one flat product where members share rows."""
    if rows.ndim == 3:
        return np.asarray(coefficients @ np.swapaxes(rows, 1, 2))
    flat = coefficients.reshape(-1, coefficients.shape[-1]) @ rows.T
    return np.asarray(flat.reshape(*coefficients.shape[:2], -1))


def maximise(sums: np.ndarray, size: int, floor: float) -> Mixtures:
    """Return the mixtures whose moments are weighted sums of monomials (member, component, …)."""
    mass = sums[..., 0]
    safe = np.maximum(mass, 1e-12 * mass.sum(axis=1, keepdims=True))
    means = sums[..., 1 : size + 1] / safe[..., None]
    rows, columns = np.triu_indices(size)
    second = np.empty((*mass.shape, size, size))
    second[..., rows, columns] = sums[..., size + 1 :] / safe[..., None]
    second[..., columns, rows] = second[..., rows, columns]
    covariances = second - means[..., :, None] * means[..., None, :]
    diagonal = np.arange(size)
    covariances[..., diagonal, diagonal] = np.maximum(covariances[..., diagonal, diagonal], 0)
    covariances[..., diagonal, diagonal] += floor
    return Mixtures(mass / mass.sum(axis=1, keepdims=True), means, covariances)
