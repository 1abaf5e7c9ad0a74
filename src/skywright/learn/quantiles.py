"""Boosted trees that predict quantiles: the classical baseline with an uncertainty."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from astropy.table import QTable
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.metrics import mean_pinball_loss
from threadpoolctl import threadpool_limits

from skywright.data import Model
from skywright.learn.card import write_card
from skywright.learn.domain import describe_rows, table_hull
from skywright.learn.estimators import dump_estimator
from skywright.learn.rows import check_values
from skywright.learn.tuning import feature_matrix

__all__ = ["LEVELS", "fit_quantiles"]

LEVELS = (0.025, 0.05, *(round(0.1 * i, 1) for i in range(1, 10)), 0.95, 0.975)
TRIED = (0.1, 0.5, 0.9)
MOST_TREES = 200


def fit_quantiles(
    features: QTable,
    values: np.ndarray,
    roles: np.ndarray,
    *,
    trials: int = 12,
    rng: np.random.Generator | None = None,
    progress: Callable[[float], None] | None = None,
) -> Model:
    """Fit gradient-boosted trees to 13 quantiles, with settings from a random search.

    Every trial fits three quantiles on the training rows and reads the pinball loss on the
    validation rows after every tree, so the number of trees is chosen there too: just what a net
    may do with its epochs. The best setting is then fitted to every quantile.

    Parameters
    ----------
    features : QTable
        One row an object; every column but ``object_id`` is a feature.
    values : (n,)
        What is to be predicted; a unit is dropped.
    roles : (n,) str
        Role of each row; only ``train`` and ``validation`` are read.
    trials : int
        Number of random settings.
    rng : Generator
        Draws the settings; None stands for a generator of seed 0.
    progress : callable, optional
        Called with the finished share after each trial.

    Returns
    -------
    Model
        For `skywright.find.predict_quantiles`; ``history`` holds one row a trial.

    References
    ----------
    Koenker & Bassett 1978, Econometrica 46, 33 (the pinball loss).
    """
    rng = np.random.default_rng(0) if rng is None else rng
    values = np.asarray(getattr(values, "value", values), dtype=float)
    rows = check_values(len(features), values, roles)
    names = [name for name in features.colnames if name != "object_id"]
    matrix = feature_matrix(features, names)
    fit, check = rows["train"], rows["validation"]
    history: list[dict[str, Any]] = []
    with threadpool_limits(1):
        for trial in range(trials):
            options = _draw(rng)
            history.append(options | _judge(matrix, values, fit, check, options))
            if progress is not None:
                progress((trial + 1) / (trials + 1))
        best = min(history, key=lambda row: row["validation_loss"])
        estimators = [_build(best, q).fit(matrix[fit], values[fit]) for q in LEVELS]
    config: dict[str, Any] = {
        "estimator": "sklearn.ensemble.HistGradientBoostingRegressor",
        "likelihood": "quantiles",
        "features": names,
        "levels": list(LEVELS),
        "options": {k: v for k, v in best.items() if k != "validation_loss"},
        "domain": {
            "values": [float(values[fit].min()), float(values[fit].max())],
            **table_hull(matrix[fit], names),
        },
        "training": describe_rows(rows, 1.0, int(best["seed"])) | {"trials": trials},
        "warnings": [],
    }
    columns = {name: [row[name] for row in history] for name in history[0]}
    return Model(config, {}, dump_estimator(estimators), columns, write_card(config))


def _draw(rng: np.random.Generator) -> dict[str, Any]:
    """Draw one setting."""
    return {
        "learning_rate": float(np.exp(rng.uniform(np.log(0.06), np.log(0.3)))),
        "max_leaf_nodes": int(np.exp(rng.uniform(np.log(4), np.log(64)))),
        "min_samples_leaf": int(np.exp(rng.uniform(np.log(10), np.log(200)))),
        "max_features": float(rng.uniform(0.2, 1.0)),
        "seed": int(rng.integers(2**31)),
    }


def _build(row: dict[str, Any], level: float) -> HistGradientBoostingRegressor:
    return HistGradientBoostingRegressor(
        loss="quantile",
        quantile=level,
        learning_rate=row["learning_rate"],
        max_leaf_nodes=row["max_leaf_nodes"],
        min_samples_leaf=row["min_samples_leaf"],
        max_features=row["max_features"],
        max_iter=row["max_iter"],
        early_stopping=False,
        random_state=row["seed"],
    )


def _judge(
    matrix: np.ndarray,
    values: np.ndarray,
    fit: np.ndarray,
    check: np.ndarray,
    options: dict[str, Any],
) -> dict[str, Any]:
    """Return the best number of trees of a setting, and its mean pinball loss there."""
    trees = int(np.clip(12 / options["learning_rate"], 60, MOST_TREES))
    losses = np.zeros(trees)
    for level in TRIED:
        tried = _build(options | {"max_iter": trees}, level).fit(matrix[fit], values[fit])
        losses += [
            mean_pinball_loss(values[check], stage, alpha=level) / len(TRIED)
            for stage in tried.staged_predict(matrix[check])
        ]
    best = int(np.argmin(losses))
    return {"max_iter": best + 1, "validation_loss": float(losses[best])}
