"""Apply fitted models to data, row by row."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import astropy.units as u
import numpy as np
import torch
from astropy.table import QTable

from skywright.data import Images, Model, Predictions, image_summary, outside_hull
from skywright.learn.calibration import correct_prior
from skywright.learn.estimators import load_estimator
from skywright.learn.nets_as_models import load_net, logits_of
from skywright.learn.scaling import noise_source, scale_images
from skywright.learn.tuning import feature_matrix

__all__ = ["check_domain", "chosen_rows", "convert", "predict", "predict_table", "predict_values"]

_SCALE_TOLERANCE = 0.02


def predict(
    model: Model,
    images: Images,
    *,
    roles: np.ndarray | None = None,
    role: str = "test",
    batch: int = 256,
    prior: float | None = None,
) -> Predictions:
    """Judge images with a net.

    Images are read ``batch`` at a time and the last batch is padded, so that every image goes
    through the same arithmetic wherever it stands: blocks joined equal the whole bit for bit.

    Parameters
    ----------
    model : Model
        Made by `skywright.learn.fit`.
    images : Images
        Cutouts with the bands, pixel scale and size of the training; units are converted.
    roles : (n,) str, optional
        Role of each image; None judges all of them.
    role : str
        The role to judge.
    batch : int
        Images per inner batch.
    prior : float, optional
        Prevalence of the survey; None keeps the prevalence of the training sample.

    Returns
    -------
    Predictions
        Calibrated logits of the chosen rows, in their order; ``in_domain`` is false outside the
        hull of the training images.

    Raises
    ------
    ValueError
        When the images are not those the model was made for, or lengths differ.
    """
    factor = check_domain(model, images)
    rows = chosen_rows(len(images), roles, role)
    net, views = load_net(model), int(model.config["views"])
    softening = float(model.config["scaling"]["softening"])
    logits, inside = np.empty(len(rows)), np.ones(len(rows), dtype=bool)
    for start in range(0, len(rows), batch):
        part = rows[start : start + batch]
        block = convert(images[part], factor)
        inside[start : start + batch] = is_inside(model, block)
        scaled = scale_images(block, softening)
        padded = np.zeros((batch, *scaled.shape[1:]), dtype=np.float32)
        padded[: len(part)] = scaled
        logits[start : start + batch] = logits_of(net, torch.from_numpy(padded), views)[: len(part)]
    found = _calibrated(model, images.object_id[rows], logits, prior)
    return replace(found, in_domain=inside)


def convert(images: Images, factor: float) -> Images:
    """Return images in the unit of a model, ``factor`` of theirs, in single precision."""
    flux = np.asarray(images.flux, dtype=np.float32) * np.float32(factor)
    variance = None if images.variance is None else np.asarray(images.variance) * factor**2
    return replace(images, flux=flux, variance=variance)


def is_inside(model: Model, images: Images) -> np.ndarray:
    """Tell which images lie in the hull of those of the training; all, where no hull was drawn."""
    hull = model.config["domain"].get("hull")
    if hull is None:
        return np.ones(len(images), dtype=bool)
    return ~outside_hull(hull, image_summary(images)[0])


def predict_table(
    model: Model,
    features: QTable,
    *,
    roles: np.ndarray | None = None,
    role: str = "test",
    prior: float | None = None,
) -> Predictions:
    """Judge rows of a feature table with a classical model.

    Parameters
    ----------
    model : Model
        Made by `skywright.learn.tune_classifier`.
    features : QTable
        With ``object_id`` and the features the model was fitted on.
    roles, role, prior
        As in `predict`.

    Returns
    -------
    Predictions
        Calibrated logits of the chosen rows, in their order; ``in_domain`` is false outside the
        hull of the training rows, and absent where none was drawn.
    """
    if not _holds(model, "Classifier"):
        raise ValueError(
            "the model holds no classical classifier (find.predict applies nets, "
            "find.predict_values regressors); expected one made by skywright.learn.tune_classifier"
        )
    rows = chosen_rows(len(features), roles, role)
    object_id = np.asarray(features["object_id"])[rows]
    if len(rows) == 0:
        return Predictions(object_id, np.empty(0))
    matrix = feature_matrix(features[rows], model.config["features"])
    logits = load_estimator(model.estimator).decision_function(matrix)
    found = _calibrated(model, object_id, logits, prior)
    return replace(found, in_domain=rows_inside(model, features[rows]))


def rows_inside(model: Model, features: QTable) -> np.ndarray | None:
    """Tell which rows lie in the hull of those of the training; None, where no hull was drawn."""
    hull = model.config["domain"].get("hull")
    return None if hull is None else ~outside_hull(hull, feature_matrix(features, hull["features"]))


def predict_values(
    model: Model, features: QTable, *, roles: np.ndarray | None = None, role: str = "test"
) -> Predictions:
    """Estimate a positive number from rows of a feature table.

    Parameters
    ----------
    model : Model
        Made by `skywright.learn.fit_regressor`.
    features : QTable
        With ``object_id`` and the features the model was fitted on.
    roles, role
        As in `predict`.

    Returns
    -------
    Predictions
        ``mean`` in the unit of the values that were fitted, ``aleatoric`` the error of each, and
        ``in_domain`` as in `predict_table`.
    """
    if not _holds(model, "Regressor"):
        raise ValueError(
            "the model holds no regressor; expected one made by skywright.learn.fit_regressor"
        )
    rows = chosen_rows(len(features), roles, role)
    object_id = np.asarray(features["object_id"])[rows]
    if len(rows) == 0:
        return Predictions(object_id, np.empty(0), np.empty(0))
    matrix = feature_matrix(features[rows], model.config["features"])
    estimate = np.exp(load_estimator(model.estimator).predict(matrix))
    inside = rows_inside(model, features[rows])
    return Predictions(
        object_id, estimate, estimate * float(model.config["error"]), in_domain=inside
    )


def _holds(model: Model, kind: str) -> bool:
    return bool(model.estimator) and str(model.config["estimator"]).endswith(kind)


def _calibrated(
    model: Model, object_id: np.ndarray, logits: np.ndarray, prior: float | None
) -> Predictions:
    """Divide by the temperature and shift to the prevalence of the survey."""
    calibrated = logits / float(model.config["temperature"])
    prevalence = float(model.config["training"]["prevalence"])
    return Predictions(np.asarray(object_id), correct_prior(calibrated, prevalence, prior))


def chosen_rows(count: int, roles: np.ndarray | None, role: str) -> np.ndarray:
    """Return the rows with a role, all without roles."""
    if roles is None:
        return np.arange(count)
    if len(roles) != count:
        raise ValueError(f"{len(roles)} roles for {count} rows: give one for each row")
    return np.flatnonzero(np.asarray(roles).astype(str) == role)


def check_domain(model: Model, images: Images) -> float:
    """Refuse images the model was not made for; return the factor to the model's unit."""
    domain: dict[str, Any] = model.config["domain"]
    _expect("bands", list(images.bands), domain["bands"], "select or rename the bands")
    size = [int(v) for v in images.flux.shape[-2:]]
    _expect("size [pixel]", size, domain["size"], "cut them out in that size")
    _expect(
        "source of the noise",
        noise_source(images),
        model.config["scaling"]["noise"],
        "give Images.variance, or train without it",
    )
    scale = None if images.scale is None else float(images.scale.to_value("arcsec"))
    wanted = domain["scale_arcsec"]
    known = scale is not None and wanted is not None
    if (scale is None) != (wanted is None) or (
        known and abs(scale / wanted - 1) > _SCALE_TOLERANCE
    ):
        _expect("pixel scale [arcsec]", scale, wanted, "resample them, or train on such images")
    try:
        return float(images.unit.to(u.Unit(domain["unit"])))
    except u.UnitConversionError:
        _expect("unit", images.unit.to_string(), domain["unit"], "calibrate them to that unit")
        raise


def _expect(name: str, got: Any, expected: Any, advice: str) -> None:
    """Raise when what the images bring is not what the model was fitted on."""
    if got != expected:
        raise ValueError(f"images with {name} {got}; the model was fitted on {expected}: {advice}")
