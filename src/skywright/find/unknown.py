"""Raise an alarm at rows unlike those that a model was trained on."""

from __future__ import annotations

import numpy as np
from astropy.table import QTable

from skywright.data import Model
from skywright.find.predict import chosen_rows
from skywright.learn.density import surprise_of
from skywright.learn.tuning import feature_matrix

__all__ = ["find_unknown"]


def find_unknown(
    model: Model,
    features: QTable,
    *,
    alarms: float = 0.01,
    roles: np.ndarray | None = None,
    role: str = "test",
) -> QTable:
    """Say of each row how unlike the training rows it is.

    Parameters
    ----------
    model : Model
        Made by `skywright.learn.fit_density`.
    features : QTable
        With ``object_id`` and the features that the density was fitted on.
    alarms : float
        Share of rows like those of the training at which the alarm goes off.
    roles, role
        As in `predict`: None looks at all rows.

    Returns
    -------
    QTable
        ``object_id``, ``surprise`` (minus the log density), ``as_surprising`` (the share of
        validation rows that are at least as surprising) and ``unknown``, true where that share is
        below ``alarms``.
    """
    if "density" not in model.config:
        raise ValueError(
            "the model holds no density; expected one made by skywright.learn.fit_density"
        )
    features = features[chosen_rows(len(features), roles, role)]
    matrix = feature_matrix(features, model.config["features"])
    surprise = surprise_of(model.weights, matrix)
    known = model.weights["known"]
    share = 1 - np.searchsorted(known, surprise, side="left") / len(known)
    return QTable(
        {
            "object_id": np.asarray(features["object_id"]),
            "surprise": surprise,
            "as_surprising": share,
            "unknown": share < alarms,
        }
    )
