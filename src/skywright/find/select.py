"""Choose the galaxies that a search can use."""

from __future__ import annotations

import numpy as np
from astropy.table import QTable

from skywright.data.psf import Psf

__all__ = ["select_galaxies"]


def select_galaxies(
    sources: QTable,
    *,
    psf: Psf,
    size: int,
    snr_min: float = 20.0,
    radius_min: float = 1.5,
    saturated_max: float = 0.2,
) -> QTable:
    """Keep the sources that are resolved, bright enough, and far enough from every edge.

    Parameters
    ----------
    sources : QTable
        From `skywright.find.detect`.
    psf : Psf
        Point spread function of the images.
    size : int [pixel]
        Side of the cutouts that have to lie inside the tile.
    snr_min : float
        Smallest signal to noise.
    radius_min : float
        Smallest half-light radius, in those of a point source in the sharpest band.
    saturated_max : float
        Largest share of saturated pixels.

    Returns
    -------
    QTable
        Rows of ``sources``, in order.

    Raises
    ------
    ValueError
        No source is left; the message counts what each cut took.
    """
    point = float(np.min(psf.half_light))
    cuts = {
        f"snr below {snr_min:g}": ~(np.asarray(sources["snr"]) >= snr_min),
        f"half-light radius below {radius_min:g} x {point:.2f} pixels": ~(
            np.asarray(sources["radius"]) >= radius_min * point
        ),
        f"cutout of {size} pixels outside the tile": np.asarray(sources["edge"]) < size // 2,
        "saturated": np.asarray(sources["saturated"]) > saturated_max,
    }
    left = ~np.any(list(cuts.values()), axis=0)
    if not left.any():
        counts = ", ".join(f"{int(cut.sum())} {name}" for name, cut in cuts.items())
        raise ValueError(
            f"no usable galaxy among {len(sources)} sources ({counts}): the field may be empty, or "
            "lower the threshold of detection, snr_min or radius_min"
        )
    galaxies = sources[left]
    galaxies["point_like"] = np.zeros(len(galaxies), dtype=bool)
    return galaxies
