"""A table of classical features of cutouts: the baseline that a net has to beat."""

from __future__ import annotations

import numpy as np
from astropy.table import QTable, vstack

from skywright.data import Images, Predictions
from skywright.find.annuli import measure_annuli, measure_arcs
from skywright.find.einstein import tangential_profile
from skywright.find.morphology import measure_morphology
from skywright.find.peaks import measure_peaks
from skywright.find.residuals import subtract_galaxies

__all__ = ["append_scores", "features"]

_BLOCK = 256


def features(images: Images) -> QTable:
    """Measure each galaxy and whatever is left when a smooth model of it is subtracted.

    Rings, arcs, separate pieces of light, colours, form and pixel statistics; nothing is fitted
    to labels, and a cutout turned by 90 degrees gives the same numbers.

    Parameters
    ----------
    images : Images
        Cutouts centred on galaxies, sky subtracted; read in blocks.

    Returns
    -------
    QTable
        One row an image: ``object_id``, ``flux`` [unit] of the central galaxy,
        ``arc_statistic``, ``einstein_radius`` and its error [pixel], and the features; NaN
        where there is nothing to measure.
    """
    blocks = [_measure(block) for block in images.blocks(_BLOCK)]
    if not blocks:
        raise ValueError("no images: features need at least one cutout")
    return vstack(blocks, metadata_conflicts="silent") if len(blocks) > 1 else blocks[0]


def append_scores(features: QTable, scores: Predictions, *, name: str = "score") -> QTable:
    """Give a table of features one column more: what another model says of the same objects.

    Parameters
    ----------
    features : QTable
        With ``object_id``.
    scores : Predictions
        One an object, in the same order; of a model that was fitted on other objects, or labels
        leak.
    name : str
        Of the column.

    Raises
    ------
    ValueError
        The scores are those of other objects, or the column is there already.
    """
    if name in features.colnames:
        raise ValueError(f"the features have a column {name!r} already: choose another name")
    if not np.array_equal(scores.object_id, np.asarray(features["object_id"])):
        raise ValueError(
            f"{len(scores.object_id)} scores and {len(features)} rows of features are not of the "
            "same objects in the same order: score this very table"
        )
    joined = features.copy()
    joined[name] = np.asarray(scores.mean)
    return joined


def _measure(images: Images) -> QTable:
    """Return the features of one block."""
    residuals = subtract_galaxies(images)
    columns = measure_arcs(residuals, images.bands)
    columns |= measure_annuli(residuals, images.bands)
    columns |= measure_peaks(residuals, images.bands)
    columns |= measure_morphology(residuals, images.bands)
    radius, error = tangential_profile(residuals.polar["blue"])
    table = QTable({"object_id": np.asarray(images.object_id)})
    table["flux"] = _galaxy_flux(images, residuals.shape.x, residuals.shape.y) * images.unit
    table["einstein_radius"], table["einstein_radius_error"] = radius, error
    for name, value in columns.items():
        table[name] = np.asarray(value, dtype=np.float32)
    return table


def _galaxy_flux(images: Images, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the flux within an eighth of the cutout around each centre, summed over bands."""
    flux = np.nan_to_num(np.asarray(images.flux, dtype=np.float64)).sum(axis=1)
    ny, nx = flux.shape[-2:]
    gx, gy = np.meshgrid(np.arange(nx), np.arange(ny))
    near = np.hypot(gx - x[:, None, None], gy - y[:, None, None]) < min(ny, nx) / 8
    return np.asarray((flux * near).sum(axis=(1, 2)))
