"""How many Gaussians: by likelihood of rows that were held out, or by AIC or BIC."""

from __future__ import annotations

import numpy as np

from skywright.trust.information.expectation import fit_mixtures
from skywright.trust.information.mixtures import Mixtures

__all__ = ["CRITERIA", "choose_mixture", "draw_starts"]

CRITERIA = ("cv", "aic", "bic")
GAIN = 1e-5  # nats a row that one more component has to bring
PATIENCE = 2  # numbers of components without gain before the search ends
COARSE = 4e-4  # nats a row that a fit may lack while candidates are compared


def draw_starts(
    points: np.ndarray, components: int, count: int, floor: float, rng: np.random.Generator
) -> Mixtures:
    """Return mixtures centred on distant random rows, to begin fits with.

    Rows are drawn with a chance that grows with the squared distance from the centres so far
    (k-means++: Arthur & Vassilvitskii 2007).

    Parameters
    ----------
    points : (n, dimension)
        Of unit variance.
    components : int
        Of each mixture.
    count : int
        Mixtures.
    floor : float
        Added to variances.
    rng : Generator
        Source of randomness.
    """
    n, size = points.shape
    picked = rng.integers(n, size=(count, 1))
    for _ in range(components - 1):
        off = points[None, :, None] - points[picked][:, None]
        near = (off**2).sum(-1).min(-1)
        share = np.cumsum(near, axis=1)
        level = rng.random((count, 1)) * share[:, -1:]
        picked = np.hstack([picked, np.minimum((share < level).sum(1, keepdims=True), n - 1)])
    spread = np.cov(points.T).reshape(size, size) / components ** (2 / size) + floor * np.eye(size)
    return Mixtures(
        np.full((count, components), 1 / components),
        points[picked],
        np.broadcast_to(spread, (count, components, size, size)).copy(),
    )


def choose_mixture(
    points: np.ndarray,
    *,
    criterion: str,
    most: int,
    starts: int,
    folds: int,
    floor: float,
    rng: np.random.Generator,
) -> Mixtures:
    """Fit mixtures with 1, 2, … components and return the one that the criterion prefers.

    Parameters
    ----------
    points : (n, dimension)
        Of unit variance.
    criterion : str
        ``cv``: mean log likelihood of held-out folds; ``aic`` or ``bic``: of all rows, less the
        penalty, over 2 n.
    most : int
        Components at most.
    starts, folds : int
        Initialisations of each number of components, and parts of the cross-validation.
    floor : float
        Added to variances.
    rng : Generator
        For starts and folds.

    Returns
    -------
    Mixtures
        One, fitted to all rows.

    Raises
    ------
    ValueError
        There are more folds than rows.
    """
    n = len(points)
    if folds > n:
        raise ValueError(f"folds is {folds}, more than the {n} rows that they divide")
    fold = rng.permutation(np.arange(n) % folds)
    best, score, waited = None, -np.inf, 0
    for components in range(1, most + 1):
        tried = 1 if components == 1 else starts
        begin = draw_starts(points, components, tried, floor, rng)
        if criterion == "cv":
            found, quality = _held_out(points, fold, folds, begin, floor)
        else:
            found, likelihood = fit_mixtures(
                points, np.ones((tried, n)), begin, floor=floor, left=COARSE * n
            )
            quality = (likelihood - _penalty(criterion, components, points.shape)) / n
        if quality.max() > score + GAIN:
            score, waited = quality.max(), 0
            best = found if criterion == "cv" else found[[int(np.argmax(quality))]]
        else:
            waited += 1
            if waited == PATIENCE:
                break
    assert best is not None  # the first quality is finite
    fitted, likelihood = fit_mixtures(points, np.ones((len(best.weights), n)), best, floor=floor)
    return fitted[[int(np.argmax(likelihood))]]


def _held_out(
    points: np.ndarray, fold: np.ndarray, folds: int, begin: Mixtures, floor: float
) -> tuple[Mixtures, np.ndarray]:
    """Return the fits of the best start in each fold, and what rows left out make of each start."""
    starts = len(begin.weights)
    inside = (fold != np.arange(folds)[:, None]).astype(float)
    start = begin[np.repeat(np.arange(starts), folds)]
    weights = np.tile(inside, (starts, 1))
    found, _ = fit_mixtures(points, weights, start, floor=floor, left=COARSE * len(points))
    _, left_out = fit_mixtures(points, 1 - weights, found, floor=floor, most=1)
    quality = left_out.reshape(starts, folds).sum(1) / len(points)
    best = int(np.argmax(quality))
    return found[best * folds : (best + 1) * folds], quality


def _penalty(criterion: str, components: int, shape: tuple[int, ...]) -> float:
    n, size = shape
    free = components * (1 + size + size * (size + 1) / 2) - 1
    return free if criterion == "aic" else 0.5 * free * np.log(n)
