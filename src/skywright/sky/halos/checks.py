"""What every step about halos asks of its masses and redshifts."""

from __future__ import annotations

import astropy.units as u
import numpy as np

__all__ = ["checked_masses", "checked_redshifts"]


def checked_masses(mass: np.ndarray | u.Quantity | float) -> np.ndarray:
    """Return masses in [Msun]; a bare number is taken in this unit."""
    values = np.asarray(u.Quantity(mass, "Msun").value, dtype=float)
    if not (np.isfinite(values) & (values > 0)).all():
        raise ValueError("halo masses have to be finite and positive, in Msun")
    return values


def checked_redshifts(redshift: np.ndarray | u.Quantity | float) -> np.ndarray:
    """Return redshifts as bare numbers."""
    values = np.asarray(u.Quantity(redshift, "").value, dtype=float)
    if not (np.isfinite(values) & (values >= 0)).all():
        raise ValueError("redshifts have to be finite and not negative")
    return values
