"""How dense training rows lie around a row: what tells that a model is asked about the unknown."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy.table import QTable
from sklearn.mixture import GaussianMixture
from threadpoolctl import threadpool_limits

from skywright.data import Model
from skywright.data.splits import digest_rows
from skywright.learn.card import write_card
from skywright.learn.domain import describe_rows
from skywright.learn.tuning import feature_matrix

__all__ = ["fit_density", "surprise_of"]

MOST_ROWS = 20_000  # of training rows that the mixture is fitted on


def fit_density(
    features: QTable,
    roles: np.ndarray,
    *,
    components: int = 16,
    seed: int = 0,
) -> Model:
    """Fit the density of the training rows: a mixture of normal distributions in a soft box.

    A mixture alone has soft edges, so it misses a feature that is drawn evenly and then a little
    outside of its range. Beyond the outermost thousandth of each feature the density therefore
    falls like a normal distribution as wide as the step from the last hundredth to there.

    Parameters
    ----------
    features : QTable
        Every column but ``object_id`` is a feature: inputs of a net, or what it made of them.
    roles : (n,) str
        Role of each row. ``train`` fits the mixture, ``validation`` says which share of known
        rows is as surprising as a new one; no other row is read.
    components : int
        Normal distributions, each with a covariance of its own.
    seed : int
        Seeds their first places.

    Returns
    -------
    Model
        For `skywright.find.find_unknown`.

    Raises
    ------
    ValueError
        When a role is missing or a feature is not finite.
    """
    roles = np.asarray(roles).astype(str)
    rows = {role: np.flatnonzero(roles == role) for role in ("train", "validation")}
    names = [name for name in features.colnames if name != "object_id"]
    matrix = feature_matrix(features, names)
    if min(map(len, rows.values())) < 2 or not np.isfinite(matrix[rows["train"]]).all():
        raise ValueError(
            f"{len(rows['train'])} training and {len(rows['validation'])} validation rows, some "
            "perhaps not finite; expected at least 2 of each, with finite features"
        )
    used = matrix[rows["train"]]
    middle, spread = used.mean(axis=0), used.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    scaled = (used - middle) / spread
    order = np.random.default_rng(seed).permutation(len(used))[:MOST_ROWS]
    with threadpool_limits(1):
        mixture = GaussianMixture(components, random_state=seed, reg_covar=1e-4, max_iter=200)
        mixture.fit(scaled[order])
    far, edge = np.quantile(scaled, [[0.01, 0.99], [0.001, 0.999]], axis=0)
    weights = {
        "edge": edge,
        "softness": np.maximum(np.abs(edge - far), 1e-3),
        "middle": middle,
        "spread": spread,
        "log_share": np.log(mixture.weights_),
        "means": mixture.means_,
        "whitening": mixture.precisions_cholesky_,
    }
    known = np.sort(surprise_of(weights, matrix[rows["validation"]]))
    config: dict[str, Any] = {
        "estimator": "mixture of normal distributions",
        "density": {"components": components},
        "features": names,
        "scaling": {
            "rows_sha256": digest_rows(rows["train"]),
            "inputs": {"mean": middle.tolist(), "sd": spread.tolist()},
        },
        "domain": {"features": len(names)},
        "training": describe_rows(rows, 1.0, seed),
    }
    return Model(config, {**weights, "known": known}, card=write_card(config))


def surprise_of(weights: dict[str, np.ndarray], matrix: np.ndarray) -> np.ndarray:
    """Return minus the log density (n,) [nat] of rows (n, feature); infinite for NaN."""
    finite = np.isfinite(matrix).all(axis=1)
    scaled = (np.where(finite[:, None], matrix, 0) - weights["middle"]) / weights["spread"]
    logs = []
    for share, mean, whitening in zip(
        weights["log_share"], weights["means"], weights["whitening"], strict=True
    ):
        distance = (((scaled - mean) @ whitening) ** 2).sum(axis=1)
        logs.append(share - 0.5 * distance + np.log(np.diag(whitening)).sum())
    low, high = weights["edge"]
    beyond = np.stack([np.maximum(low - scaled, 0), np.maximum(scaled - high, 0)])
    box = 0.5 * ((beyond / weights["softness"][:, None]) ** 2).sum(axis=(0, 2))
    total = np.logaddexp.reduce(logs, axis=0) - 0.5 * matrix.shape[1] * np.log(2 * np.pi) - box
    return np.where(finite, -total, np.inf)
