"""Whether the objects a model meets are those it was trained on."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist, pdist

from skywright.trust.leaks import separability
from skywright.trust.resampling import wilson

__all__ = ["covariate_shift", "mmd", "mmd_test", "outside_support"]

_MEDIAN_ROWS = 1000  # pairs of a thousand rows tell the median distance to a few per cent


def covariate_shift(
    train: np.ndarray,
    test: np.ndarray,
    rng: np.random.Generator,
    *,
    train_groups: np.ndarray | None = None,
    test_groups: np.ndarray | None = None,
    limit: float = 0.55,
) -> dict[str, Any]:
    """Ask gradient boosting to tell training rows from those met later (rules D2 and D3).

    Parameters
    ----------
    train, test : (n, feature), (m, feature)
        Features of both.
    rng : Generator
        For boosting and bootstrap.
    train_groups, test_groups : (n,), (m,), optional
        Independent unit behind each row.
    limit : float
        Largest AUROC that passes.

    Returns
    -------
    dict
        Out-of-fold AUROC ``value, low, high`` (95 %): 0.5 when they are alike, 1 when disjoint.
    """
    train, test = np.asarray(train, dtype=float), np.asarray(test, dtype=float)
    a = np.arange(len(train)) if train_groups is None else train_groups
    b = np.arange(len(test)) if test_groups is None else test_groups
    # names of groups in both samples need not mean the same unit: keep them apart
    a = np.unique(a, return_inverse=True)[1]
    b = np.unique(b, return_inverse=True)[1] + a.max() + 1
    return separability(train, test, a, b, rng, limit=limit)


def mmd(a: np.ndarray, b: np.ndarray, width: float | None = None) -> float:
    """Return the squared maximum mean discrepancy of two samples, without bias.

    Parameters
    ----------
    a, b : (n, feature), (m, feature)
        Samples, two rows or more each; features of one scale.
    width : float, optional
        Standard deviation of the Gaussian kernel; by default the median distance of all pairs.

    Returns
    -------
    float
        Its mean is 0 when both come from one law, so that it may be negative.

    References
    ----------
    Gretton et al. 2012, JMLR 13, 723, eq. 3 (unbiased), section 8 (median heuristic).
    """
    a, b = _samples(a, b)
    kernel = _kernel(np.concatenate([a, b]), width)
    return float(_mmd(kernel, np.arange(len(kernel)) < len(a)))


def mmd_test(
    a: np.ndarray,
    b: np.ndarray,
    rng: np.random.Generator,
    *,
    permutations: int = 200,
    width: float | None = None,
) -> dict[str, Any]:
    """Test with `mmd` whether two samples come from one law.

    Parameters
    ----------
    a, b, width
        As for `mmd`; time grows with the square of the rows.
    rng : Generator
        Draws the permutations.
    permutations : int
        How often the samples are mixed anew.

    Returns
    -------
    dict
        ``value``; ``p``, exact for any number of permutations (Phipson & Smyth 2010, arXiv:
        1603.05766); ``z``, the value in standard deviations of the mixed ones; ``width``.
    """
    a, b = _samples(a, b)
    rows = np.concatenate([a, b])
    width = _median_distance(rows) if width is None else width
    kernel = _kernel(rows, width)
    inside = np.arange(len(rows)) < len(a)
    value = _mmd(kernel, inside)
    mixed = np.array([_mmd(kernel, rng.permutation(inside)) for _ in range(permutations)])
    p = (1 + (mixed >= value).sum()) / (1 + permutations)
    spread = mixed.std(ddof=1)
    z = (value - mixed.mean()) / spread if spread > 0 else 0.0
    return {"value": float(value), "p": float(p), "z": float(z), "width": float(width)}


def outside_support(
    train: np.ndarray, deployed: np.ndarray, *, neighbours: int = 10, share: float = 0.99
) -> dict[str, Any]:
    """Return the share of rows met later that lie where the training set is thinner than it was.

    A row is outside when its ``neighbours``-th nearest training row is farther away than that of
    ``share`` of the training rows themselves (rule D4). Features are scaled by their spread in the
    training set. A convex hull would call a hole in the middle inside, and so does
    `skywright.data.fit_hull`, which is small enough to be published and needs no training rows.

    Parameters
    ----------
    train, deployed : (n, feature), (m, feature)
        Features of both.
    neighbours : int
        Which neighbour.
    share : float
        Of the training rows, that counts as inside.

    Returns
    -------
    dict
        ``value, low, high`` (Wilson, 95 %), ``n``; ``expected``, the share of new rows from the
        training law that are outside; ``outside`` (m,) bool.
    """
    train, deployed = _samples(train, deployed)
    if len(train) <= neighbours:
        raise ValueError(f"{len(train)} training rows; expected more than {neighbours} neighbours")
    spread = train.std(axis=0)
    spread[spread == 0] = 1.0
    tree = cKDTree(train / spread)
    # a training row is its own nearest one
    own = tree.query(train / spread, [neighbours + 1])[0][:, 0]
    far = tree.query(deployed / spread, [neighbours])[0][:, 0]
    outside = far > np.quantile(own, share)
    low, high = wilson(float(outside.mean()), len(outside))
    result = {"value": float(outside.mean()), "low": low, "high": high, "n": len(outside)}
    return {**result, "expected": 1 - share, "outside": outside}


def _samples(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1] or min(len(a), len(b)) < 2:
        raise ValueError(
            f"samples of shapes {a.shape} and {b.shape}; expected (n, feature) with two rows each"
        )
    return a, b


def _median_distance(rows: np.ndarray) -> float:
    step = -(-len(rows) // _MEDIAN_ROWS)
    distance = pdist(rows[::step])
    median = float(np.median(distance))
    return median if median > 0 else 1.0


def _kernel(rows: np.ndarray, width: float | None) -> np.ndarray:
    """Return the Gaussian kernel of all pairs with nothing on the diagonal."""
    width = _median_distance(rows) if width is None else width
    kernel = np.exp(-cdist(rows, rows, "sqeuclidean") / (2 * width**2))
    np.fill_diagonal(kernel, 0.0)
    return np.asarray(kernel)


def _mmd(kernel: np.ndarray, inside: np.ndarray) -> float:
    n, m = inside.sum(), (~inside).sum()
    to_a = kernel @ inside
    aa, ab = to_a[inside].sum(), to_a[~inside].sum()
    bb = kernel.sum() - aa - 2 * ab
    return float(aa / (n * (n - 1)) + bb / (m * (m - 1)) - 2 * ab / (n * m))
