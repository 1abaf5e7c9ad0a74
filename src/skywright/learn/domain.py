"""What data a model was fitted on, in JSON scalars: the ground of its domain of validity."""

from __future__ import annotations

from typing import Any

import numpy as np

from skywright.data import Images, fit_hull, image_summary
from skywright.data.splits import digest_rows

__all__ = ["describe_images", "describe_rows", "describe_training", "image_hull", "table_hull"]

MOST = 5000  # images behind a hull
WIDEST = 64  # features of a hull


def describe_images(images: Images) -> dict[str, Any]:
    """Return bands, unit, pixel scale [arcsec], size [pixel] and PSF [pixel] of images."""
    ny, nx = (int(v) for v in images.flux.shape[-2:])
    scale = None if images.scale is None else float(images.scale.to_value("arcsec"))
    psf = None if images.psf_fwhm is None else [float(v) for v in np.asarray(images.psf_fwhm)]
    return {
        "bands": list(images.bands),
        "unit": images.unit.to_string(),
        "scale_arcsec": scale,
        "size": [ny, nx],
        "psf_fwhm_pixel": psf,
    }


def image_hull(images: Images, rows: np.ndarray) -> dict[str, Any]:
    """Return the hull of the training images in the few numbers of `image_summary`."""
    some = rows[:: max(1, len(rows) // MOST)]  # a hull needs no more, and images may be on disk
    return fit_hull(*image_summary(images[some]))


def table_hull(matrix: np.ndarray, names: list[str]) -> dict[str, Any]:
    """Return under ``hull`` that of training rows (n, feature), in features that were ever known.

    Nothing of more than `WIDEST` features: its size goes with their square, and with so many
    every row is strange in some way.
    """
    known = np.isfinite(matrix).any(axis=0)
    if not 0 < known.sum() <= WIDEST:
        return {}
    kept = [name for name, one in zip(names, known, strict=True) if one]
    return {"hull": fit_hull(matrix[:, known], kept)}


def describe_training(
    rows: dict[str, np.ndarray], labels: np.ndarray, fraction: float, seed: int
) -> dict[str, Any]:
    """Return numbers and fingerprints of the rows that a fit used, and their prevalence."""
    prevalence = float(np.mean(np.asarray(labels)[rows["train"]]))
    return {**describe_rows(rows, fraction, seed), "prevalence": prevalence}


def describe_rows(rows: dict[str, np.ndarray], fraction: float, seed: int) -> dict[str, Any]:
    """Return numbers and fingerprints of the rows that a fit used.

    Of a share of the training rows (``rows["whole"]``), also that of the whole: a fingerprint does
    not tell whether it is of a part of them.
    """
    return {
        "rows": len(rows["train"]),
        "validation_rows": len(rows["validation"]),
        "rows_sha256": digest_rows(rows["train"]),
        "whole_sha256": digest_rows(rows.get("whole", rows["train"])),
        "validation_sha256": digest_rows(rows["validation"]),
        "fraction": float(fraction),
        "seed": int(seed),
    }
