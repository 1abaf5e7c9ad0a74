"""Predict a distribution with the quantiles of boosted trees."""

from __future__ import annotations

import numpy as np
from astropy.table import QTable

from skywright.data import Model, Predictions
from skywright.find.predict import chosen_rows, rows_inside
from skywright.learn.estimators import load_estimators
from skywright.learn.tuning import feature_matrix

__all__ = ["predict_quantiles"]

SAMPLES = 64


def predict_quantiles(
    model: Model, features: QTable, *, roles: np.ndarray | None = None, role: str = "test"
) -> Predictions:
    """Predict a number for each row from a feature table, with its distribution.

    Parameters
    ----------
    model : Model
        Made by `skywright.learn.fit_quantiles`.
    features : QTable
        With ``object_id`` and the features the model was fitted on.
    roles, role
        As in `skywright.find.predict`.

    Returns
    -------
    Predictions
        ``samples`` are 64 quantiles at even levels, between and beyond the fitted ones on straight
        lines; ``mean`` and ``aleatoric`` are their mean and standard deviation. Trees know nothing
        of what they do not know: there is no ``epistemic``. ``in_domain`` as in `predict_table`.

    References
    ----------
    Chernozhukov et al. 2010, Econometrica 78, 1093 (sorting quantiles that cross).
    """
    if not model.estimator or "levels" not in model.config:
        raise ValueError(
            "the model holds no quantiles; expected one made by skywright.learn.fit_quantiles"
        )
    rows = chosen_rows(len(features), roles, role)
    matrix = feature_matrix(features[rows], model.config["features"])
    estimators = load_estimators(model.estimator)
    object_id = np.asarray(features["object_id"])[rows]
    if len(rows) == 0:
        return Predictions(object_id, np.empty(0), np.empty(0), samples=np.empty((0, SAMPLES)))
    fitted = np.sort(np.stack([e.predict(matrix) for e in estimators], axis=1), axis=1)
    samples = fitted @ _line(np.array(model.config["levels"]))
    inside = rows_inside(model, features[rows])
    return Predictions(
        object_id, samples.mean(axis=1), samples.std(axis=1), samples=samples, in_domain=inside
    )


def _line(levels: np.ndarray) -> np.ndarray:
    """Return the weights (level, sample) that draw straight lines through quantiles."""
    wanted = (np.arange(SAMPLES) + 0.5) / SAMPLES
    left = np.clip(np.searchsorted(levels, wanted) - 1, 0, len(levels) - 2)
    share = (wanted - levels[left]) / (levels[left + 1] - levels[left])
    weights = np.zeros((len(levels), SAMPLES))
    weights[left, np.arange(SAMPLES)] = 1 - share
    weights[left + 1, np.arange(SAMPLES)] += share
    return weights
