"""Units as text that astropy reads back, those of cosmology included."""

from __future__ import annotations

from typing import Any

import astropy.units as u

__all__ = ["read_unit", "unit_text"]


def unit_text(unit: Any) -> str:
    """Return the name of ``unit``, or raise a TypeError when nobody could read it back."""
    text = str(unit.to_string())
    try:
        same = read_unit(text) == unit
    except ValueError:
        same = False
    if not same:
        raise TypeError(
            f"the unit {text!r} cannot be stored: convert to a unit that astropy.units.Unit reads"
        )
    return text


def read_unit(text: str) -> Any:
    """Return the unit called ``text``.

    >>> read_unit("nJy")
    Unit("nJy")
    """
    try:
        return u.Unit(text)
    except ValueError:
        import astropy.cosmology.units as cosmology_units

        with u.add_enabled_units([cosmology_units]):
            return u.Unit(text)
