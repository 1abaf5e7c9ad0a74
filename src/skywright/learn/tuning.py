"""Random search for the best gradient boosting on a table of features."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from astropy.table import QTable
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import average_precision_score
from threadpoolctl import threadpool_limits

from skywright.data import Model
from skywright.learn.calibration import cross_entropy, temperature
from skywright.learn.card import write_card
from skywright.learn.domain import describe_training, table_hull
from skywright.learn.estimators import dump_estimator
from skywright.learn.rows import check_rows, take_share

__all__ = ["feature_matrix", "tune_classifier"]

_MOST_TREES = 200


def tune_classifier(
    features: QTable,
    labels: np.ndarray,
    roles: np.ndarray,
    *,
    trials: int = 50,
    rng: np.random.Generator | None = None,
    groups: np.ndarray | None = None,
    fraction: float = 1.0,
    progress: Callable[[float], None] | None = None,
) -> Model:
    """Fit gradient-boosted trees with the best of many random settings.

    Each trial is fitted on the training rows and judged by the cross entropy on the validation
    rows after every tree, so the number of trees is chosen there too: just what a net may do
    with its epochs. The best setting is refitted, and its temperature is fitted as for a net.

    Parameters
    ----------
    features : QTable
        One row an object; every column but ``object_id`` is a feature.
    labels : (n,) int
        1 for the positive class, 0 otherwise.
    roles : (n,) str
        Role of each row; only ``train`` and ``validation`` are read.
    trials : int
        Number of random settings.
    rng : Generator
        Draws the settings; None stands for a generator of seed 0.
    groups : (n,), optional
        Galaxy of each row, for ``fraction``.
    fraction : float
        Share of the training galaxies to use, for learning curves.
    progress : callable, optional
        Called with the finished share after each trial.

    Returns
    -------
    Model
        With ``estimator`` in skops format; ``history`` holds one row a trial.

    Raises
    ------
    ValueError
        When lengths differ, or a class or role is missing.
    """
    rng = np.random.default_rng(0) if rng is None else rng
    labels = np.asarray(labels)
    rows = check_rows(len(features), labels, roles)
    rows["whole"] = rows["train"]
    rows["train"] = take_share(rows["whole"], groups, fraction, int(rng.integers(2**31)))
    names = [name for name in features.colnames if name != "object_id"]
    matrix = feature_matrix(features, names)
    history: list[dict[str, float]] = []
    with threadpool_limits(1):
        for trial in range(trials):
            options = _draw(rng)
            history.append(options | _judge(matrix, labels, rows, options))
            if progress is not None:
                progress((trial + 1) / trials)
        best = min(history, key=lambda row: row["validation_loss"])
        estimator = _build(best).fit(matrix[rows["train"]], labels[rows["train"]])
        logits = estimator.decision_function(matrix[rows["validation"]])
    config: dict[str, Any] = {
        "estimator": "sklearn.ensemble.HistGradientBoostingClassifier",
        "features": names,
        "options": _options(best),
        "temperature": temperature(logits, labels[rows["validation"]]),
        "domain": {"features": len(names), **table_hull(matrix[rows["train"]], names)},
        "training": describe_training(rows, labels, fraction, int(best["seed"]))
        | {"trials": trials},
    }
    columns = {name: [row[name] for row in history] for name in history[0]}
    return Model(config, {}, dump_estimator(estimator), columns, write_card(config))


def feature_matrix(features: QTable, names: list[str]) -> np.ndarray:
    """Return the columns ``names`` as a matrix (n, feature) without units; NaN stays NaN.

    Raises
    ------
    ValueError
        When a column is missing.
    """
    missing = [name for name in names if name not in features.colnames]
    if missing:
        raise ValueError(f"the table lacks the features {missing[:5]}: it has {features.colnames}")
    columns = [np.asarray(getattr(features[n], "value", features[n]), float) for n in names]
    matrix = np.stack(columns, axis=1)
    return np.where(np.isfinite(matrix), matrix, np.nan)


def _draw(rng: np.random.Generator) -> dict[str, float]:
    """Draw one setting."""
    return {
        "learning_rate": float(np.exp(rng.uniform(np.log(0.02), np.log(0.3)))),
        "max_leaf_nodes": int(np.exp(rng.uniform(np.log(3), np.log(48)))),
        "min_samples_leaf": int(np.exp(rng.uniform(np.log(4), np.log(100)))),
        "l2_regularization": float(np.exp(rng.uniform(np.log(1e-3), np.log(30)))),
        "max_features": float(rng.uniform(0.1, 1.0)),
        "seed": int(rng.integers(2**31)),
    }


def _build(row: dict[str, float]) -> HistGradientBoostingClassifier:
    """Return the unfitted model of a setting."""
    return HistGradientBoostingClassifier(
        early_stopping=False,
        random_state=int(row["seed"]),
        **_options(row),
    )


def _options(row: dict[str, float]) -> dict[str, Any]:
    """Return the part of a trial's row that is scikit-learn's."""
    names = ("learning_rate", "max_leaf_nodes", "min_samples_leaf", "l2_regularization")
    options: dict[str, Any] = {name: row[name] for name in (*names, "max_features")}
    return options | {"max_iter": int(row.get("max_iter", _MOST_TREES))}


def _judge(
    matrix: np.ndarray, labels: np.ndarray, rows: dict[str, np.ndarray], options: dict[str, float]
) -> dict[str, float]:
    """Fit one setting and return its best number of trees and its scores there."""
    fit, check = rows["train"], rows["validation"]
    # slow settings need all trees, fast ones overfit long before: time is spent accordingly
    trees = int(np.clip(12 / options["learning_rate"], 60, _MOST_TREES))
    estimator = _build(options | {"max_iter": trees}).fit(matrix[fit], labels[fit])
    stages = [
        np.log(np.maximum(p[:, 1], 1e-12)) - np.log(np.maximum(p[:, 0], 1e-12))
        for p in estimator.staged_predict_proba(matrix[check])
    ]
    losses = [cross_entropy(logits, labels[check]) for logits in stages]
    best = int(np.argmin(losses))
    return {
        "max_iter": best + 1,
        "validation_loss": losses[best],
        "validation_average_precision": float(average_precision_score(labels[check], stages[best])),
    }
