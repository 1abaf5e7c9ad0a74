"""A rough Einstein radius from the light that is left around a galaxy."""

from __future__ import annotations

import numpy as np
from astropy.table import QTable

from skywright.data import Images
from skywright.find.arc_statistic import ridges
from skywright.find.residuals import subtract_galaxies

__all__ = ["einstein_radius", "tangential_profile"]

_BLOCK = 256
_INNER = 2


def einstein_radius(images: Images) -> QTable:
    """Estimate the radius of the circle along which most residual light lies.

    Parameters
    ----------
    images : Images
        Cutouts centred on galaxies, sky subtracted; read in blocks.

    Returns
    -------
    QTable
        ``object_id``, ``einstein_radius`` and ``einstein_radius_error`` [pixel]: first guesses
        for a lens model, not measurements, and without meaning where there is no lens.
    """
    parts = [tangential_profile(subtract_galaxies(b).polar["blue"]) for b in images.blocks(_BLOCK)]
    radius, error = (np.concatenate([part[i] for part in parts]) for i in (0, 1))
    return QTable(
        {
            "object_id": np.asarray(images.object_id),
            "einstein_radius": radius,
            "einstein_radius_error": error,
        }
    )


def tangential_profile(polar: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the radius of the peak of the tangential profile, and its width [pixel].

    Parameters
    ----------
    polar : (n, radius, angle)
        Residual signal over noise per pixel.
    """
    count = polar.shape[1]
    r = np.arange(1, count + 1, dtype=float)
    # light on opposite sides of one circle says more than as much light on one side
    ridge = np.maximum(ridges(polar), 0)
    opposite = np.roll(ridge, ridge.shape[-1] // 2, axis=-1)
    profile = (ridge + np.sqrt(ridge * opposite)).mean(axis=-1) * np.sqrt(r)
    profile[:, :_INNER] = 0
    best = profile.argmax(axis=1)
    near = np.exp(-0.5 * ((r - r[best][:, None]) / 2.5) ** 2)
    weight = np.maximum(profile - 0.5 * profile.max(axis=1, keepdims=True), 0) * near + 1e-9
    weight /= weight.sum(axis=1, keepdims=True)
    radius = (weight * r).sum(axis=1)
    spread = np.sqrt((weight * (r - radius[:, None]) ** 2).sum(axis=1))
    return radius, np.hypot(spread, 0.5)
