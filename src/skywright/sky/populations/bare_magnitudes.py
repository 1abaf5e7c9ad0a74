"""Magnitudes as bare numbers."""

from __future__ import annotations

from typing import Any

import astropy.units as u
import numpy as np

__all__ = ["bare_magnitude"]


def bare_magnitude(value: Any, name: str) -> Any:
    """Return magnitudes [mag] without their unit; what has none, or is a function, stays.

    Raises
    ------
    UnitTypeError
        The unit is none of magnitudes; both a TypeError and a UnitsError.

    Examples
    --------
    >>> bare_magnitude(22 * u.mag, "m_lim"), bare_magnitude(22.0, "m_lim")
    (22.0, 22.0)
    """
    unit = getattr(value, "unit", None)
    if unit is None:
        return value
    if unit not in (u.mag, u.ABmag):
        raise u.UnitTypeError(f"{name} is {value}; expected AB magnitudes, as 22 mag")
    bare = np.asarray(value.value, dtype=float)
    return float(bare) if bare.ndim == 0 else bare
