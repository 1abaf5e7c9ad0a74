"""What every step about halos asks of its masses and redshifts."""

from __future__ import annotations

import astropy.units as u
import numpy as np

SMALLEST = 1e3  # Msun: no step is asked for halos as small as this

__all__ = ["SMALLEST", "checked_masses", "checked_redshifts"]


def checked_masses(mass: np.ndarray | u.Quantity | float) -> np.ndarray:
    """Return masses in [Msun]; a bare number is taken in this unit."""
    values = np.asarray(u.Quantity(mass, "Msun").value, dtype=float)
    if not (np.isfinite(values) & (values > 0)).all():
        raise ValueError("halo masses have to be finite and positive, in Msun")
    if values.size and values.max() < SMALLEST:
        raise ValueError(
            f"the largest mass is {values.max():g} Msun; expected masses, not their logarithms"
        )
    return values


def checked_redshifts(redshift: np.ndarray | u.Quantity | float) -> np.ndarray:
    """Return redshifts as bare numbers."""
    values = np.asarray(u.Quantity(redshift, "").value, dtype=float)
    if not (np.isfinite(values) & (values >= 0)).all():
        raise ValueError("redshifts have to be finite and not negative")
    return values
