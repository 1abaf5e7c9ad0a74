"""From a table or images to what a regression net sees, and the scaling that was fitted for it."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from astropy.table import QTable
from torch import Tensor

from skywright.data import Images
from skywright.data.splits import digest_rows
from skywright.learn.batches import Batches
from skywright.learn.domain import describe_images, image_hull, table_hull
from skywright.learn.row_batches import RowBatches
from skywright.learn.scaling import SOFTENING, noise_source
from skywright.learn.tuning import feature_matrix

__all__ = ["describe_data", "make_batches", "scale_rows"]


def describe_data(data: QTable | Images, values: np.ndarray, train: np.ndarray) -> dict[str, Any]:
    """Fit the scaling on the training rows; return it with what says which data may be judged.

    Parameters
    ----------
    data : QTable or Images
        Every column of a table but ``object_id`` is a feature. An image is divided by its own
        noise, so only the target of images is scaled by what was fitted.
    values : (n,)
        What is to be predicted.
    train : (m,) int
        The training rows.

    Returns
    -------
    dict
        ``scaling``, ``domain``, the first options of the net, and the ``features`` of a table.
    """
    used = values[train]
    target = {"mean": float(used.mean()), "sd": float(used.std())}
    scaling: dict[str, Any] = {"target": target, "rows_sha256": digest_rows(train)}
    span = [float(used.min()), float(used.max())]
    if isinstance(data, Images):
        scaling |= {"softening": SOFTENING, "noise": noise_source(data)}
        domain = describe_images(data) | {"values": span, "hull": image_hull(data, train)}
        return {"scaling": scaling, "domain": domain, "first": {"bands": len(data.bands)}}
    names = [name for name in data.colnames if name != "object_id"]
    matrix = feature_matrix(data[train], names)
    bad = ~np.isfinite(matrix).all(axis=0)
    if bad.any():
        missing = [name for name, wrong in zip(names, bad, strict=True) if wrong]
        raise ValueError(
            f"features {missing[:5]} are NaN or infinite in training rows; a net needs finite "
            "numbers: fill them, or leave these rows out"
        )
    sd = matrix.std(axis=0)
    scaling["inputs"] = {
        "mean": matrix.mean(axis=0).tolist(),
        "sd": np.where(sd > 0, sd, 1.0).tolist(),
    }
    ranges = {
        name: [float(low), float(high)]
        for name, low, high in zip(names, matrix.min(axis=0), matrix.max(axis=0), strict=True)
    }
    return {
        "scaling": scaling,
        "features": names,
        "domain": {"ranges": ranges, "values": span, **table_hull(matrix, names)},
        "first": {"inputs": len(names)},
    }


def make_batches(
    data: QTable | Images,
    values: np.ndarray,
    rows: np.ndarray,
    config: dict[str, Any],
    batch: int,
    generator: torch.Generator | None = None,
) -> RowBatches | Batches:
    """Return scaled batches of some rows; with a generator they are shuffled, images turned."""
    target = config["scaling"]["target"]
    scaled = (values - target["mean"]) / target["sd"]
    if isinstance(data, Images):
        shift = config["training"]["shift"]
        return Batches(data, rows, scaled, batch, generator, shift)
    inputs = scale_rows(data[rows], config)
    targets = torch.from_numpy(scaled[rows].astype(np.float32))
    return RowBatches(inputs, targets, batch, generator)


def scale_rows(table: QTable, config: dict[str, Any]) -> Tensor:
    """Return the rows (n, feature) of a table as a net sees them."""
    inputs = config["scaling"]["inputs"]
    matrix = feature_matrix(table, config["features"])
    scaled = (matrix - np.array(inputs["mean"])) / np.array(inputs["sd"])
    return torch.from_numpy(scaled.astype(np.float32))
