"""What a model says of each object: the artefact `Predictions`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from astropy.table import QTable

__all__ = ["Predictions"]


@dataclass(frozen=True)
class Predictions:
    """Predictions with the index of the data they are about.

    Parameters
    ----------
    object_id : (n,) int64
        Same identifiers, same order as the data.
    mean : (n,) or (n, output)
        Point prediction; for a classifier the calibrated logit.
    aleatoric, epistemic : like ``mean``, optional
        Standard deviations that add in quadrature.
    samples : (n, sample) or (n, sample, output), optional
        Draws from the predictive distribution.
    in_domain : (n,) bool, optional
        Whether each object lies in the hull of the training data; elsewhere nothing is claimed.
    """

    object_id: np.ndarray
    mean: np.ndarray
    aleatoric: np.ndarray | None = None
    epistemic: np.ndarray | None = None
    samples: np.ndarray | None = None
    in_domain: np.ndarray | None = None

    def __post_init__(self) -> None:
        for name in ("mean", "aleatoric", "epistemic", "samples", "in_domain"):
            value = getattr(self, name)
            if value is not None and len(value) != len(self.object_id):
                raise ValueError(
                    f"{name} has {len(value)} rows for {len(self.object_id)} object_id"
                )

    def __len__(self) -> int:
        return len(self.object_id)

    def to_table(self) -> QTable:
        """Return one row per object, a column per part that is present."""
        names = ("object_id", "mean", "aleatoric", "epistemic", "samples", "in_domain")
        return QTable({n: getattr(self, n) for n in names if getattr(self, n) is not None})
