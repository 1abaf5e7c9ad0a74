"""Whether a classifier can tell two samples apart."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import StratifiedKFold
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skywright.trust.resampling import wilson

__all__ = ["c2st"]


def c2st(
    a: np.ndarray,
    b: np.ndarray,
    rng: np.random.Generator,
    *,
    folds: int = 5,
    classifier: str = "net",
) -> dict[str, Any]:
    """Return how often a cross-validated classifier tells from which sample a row is.

    Parameters
    ----------
    a, b : (n, feature), (m, feature)
        Two samples; the larger one is cut to the size of the smaller.
    rng : Generator
        For the cut, the folds and the classifier.
    folds : int
        Each row is judged by a classifier that never saw it.
    classifier : {"net", "boosting"}
        A small neural network sees wrong correlations, gradient boosting anything in tables.

    Returns
    -------
    dict
        Accuracy ``value``, 0.5 for equal samples and 1 for disjoint ones, with its Wilson interval
        ``low, high`` (95 %), and ``n``. Rows of one fold share a classifier, which the interval
        leaves out of account.

    References
    ----------
    Lopez-Paz & Oquab 2017, arXiv:1610.06545, section 3.
    """
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1]:
        raise ValueError(f"samples of shapes {a.shape} and {b.shape}; expected (n, feature) both")
    n = min(len(a), len(b))
    if n < folds:
        raise ValueError(f"{n} rows for {folds} folds; expected at least one a fold")
    x = np.concatenate([a[rng.permutation(len(a))[:n]], b[rng.permutation(len(b))[:n]]])
    y = np.repeat([0, 1], n)
    right = np.zeros(2 * n, dtype=bool)
    splits = StratifiedKFold(folds, shuffle=True, random_state=_seed(rng)).split(x, y)
    for fit, held_out in splits:
        model = _classifier(classifier, x.shape[1], _seed(rng)).fit(x[fit], y[fit])
        right[held_out] = model.predict(x[held_out]) == y[held_out]
    share = float(right.mean())
    low, high = wilson(share, 2 * n)
    return {"value": share, "low": low, "high": high, "n": 2 * n}


def _classifier(kind: str, features: int, seed: int) -> Any:
    if kind == "boosting":
        return HistGradientBoostingClassifier(random_state=seed)
    if kind == "net":
        width = max(16, 10 * features)
        net = MLPClassifier((width, width), early_stopping=True, max_iter=500, random_state=seed)
        return make_pipeline(StandardScaler(), net)
    raise ValueError(f"classifier is {kind!r}; expected 'net' or 'boosting'")


def _seed(rng: np.random.Generator) -> int:
    return int(rng.integers(2**31))
