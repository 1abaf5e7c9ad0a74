"""Boosted trees that estimate a positive number, with an error that was measured."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy.table import QTable
from sklearn.ensemble import HistGradientBoostingRegressor
from threadpoolctl import threadpool_limits

from skywright.data import Model
from skywright.learn.card import write_card
from skywright.learn.domain import describe_training, table_hull
from skywright.learn.estimators import dump_estimator
from skywright.learn.rows import check_rows
from skywright.learn.tuning import feature_matrix

__all__ = ["fit_regressor"]

MOST_TREES = 300
OPTIONS = {"learning_rate": 0.05, "max_leaf_nodes": 15, "min_samples_leaf": 10}
ONE_SIGMA = 0.6827


def fit_regressor(
    features: QTable, values: np.ndarray, labels: np.ndarray, roles: np.ndarray, *, seed: int = 0
) -> Model:
    """Fit gradient-boosted trees to the logarithm of a positive number.

    The validation rows choose the number of trees, and the half width in ln(value) that holds
    68 % of their residuals becomes the error of every estimate.

    Parameters
    ----------
    features : QTable
        One row an object; every column but ``object_id`` is a feature.
    values : (n,)
        What is estimated, above zero where ``labels`` is 1.
    labels : (n,) int
        1 where an object has a value, 0 for those to leave out.
    roles : (n,) str
        Role of each row; only ``train`` and ``validation`` are read.
    seed : int
        Seeds the choice of features in the trees.

    Returns
    -------
    Model
        For `skywright.find.predict_values`.

    Raises
    ------
    ValueError
        When lengths differ, a role is missing, or a value is not above zero.
    """
    values, labels = np.asarray(getattr(values, "value", values), float), np.asarray(labels)
    if len(values) != len(features):
        raise ValueError(f"{len(values)} values for {len(features)} rows: give one for each row")
    rows = check_rows(len(features), labels, roles)
    rows = {role: some[labels[some] == 1] for role, some in rows.items()}
    used = np.concatenate(list(rows.values()))
    if not (np.isfinite(values[used]) & (values[used] > 0)).all():
        raise ValueError("some values of label 1 are not above zero: an estimate needs all of them")
    names = [name for name in features.colnames if name != "object_id"]
    matrix, target = feature_matrix(features, names), np.log(np.where(labels == 1, values, 1.0))
    fit, check = rows["train"], rows["validation"]
    with threadpool_limits(1):
        tried = _build(MOST_TREES, seed).fit(matrix[fit], target[fit])
        stages = [np.abs(p - target[check]) for p in tried.staged_predict(matrix[check])]
        losses = [float(np.mean(miss**2)) for miss in stages]
        trees = int(np.argmin(losses)) + 1
        estimator = _build(trees, seed).fit(matrix[fit], target[fit])
    config: dict[str, Any] = {
        "estimator": "sklearn.ensemble.HistGradientBoostingRegressor",
        "features": names,
        "options": OPTIONS | {"max_iter": trees},
        "error": float(np.quantile(stages[trees - 1], ONE_SIGMA)),
        "domain": {
            "features": len(names),
            "values": [float(np.min(values[used])), float(np.max(values[used]))],
            **table_hull(matrix[fit], names),
        },
        "training": describe_training(rows, labels, 1.0, seed),
    }
    history: dict[str, list[Any]] = {
        "trees": list(range(1, MOST_TREES + 1)),
        "validation_loss": losses,
    }
    return Model(config, {}, dump_estimator(estimator), history, write_card(config))


def _build(trees: int, seed: int) -> HistGradientBoostingRegressor:
    return HistGradientBoostingRegressor(
        max_iter=trees, early_stopping=False, max_features=0.5, random_state=seed, **OPTIONS
    )
