"""Units as text that astropy reads back, those of cosmology included."""

from __future__ import annotations

import math
import re
from typing import Any

import astropy.units as u

__all__ = ["check_unit", "read_unit", "unit_text"]

_POWER = re.compile(r"(?:\*\*|\^|[A-Za-z)])[\s(]*[-+]?\s*(\d+)")
_HIGHEST = 1_000_000


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


def check_unit(text: str) -> None:
    """Refuse a unit whose powers would take for ever: astropy works them out in whole numbers.

    >>> check_unit("10**999999999 m")
    Traceback (most recent call last):
    ValueError: '10**999999999 m' is no unit: its powers are too high
    """
    powers = [int(number[:9]) for number in _POWER.findall(text)]
    if math.prod(max(power, 1) for power in powers) > _HIGHEST:
        raise ValueError(f"{text[:40]!r} is no unit: its powers are too high")


def read_unit(text: str) -> Any:
    """Return the unit called ``text``.

    >>> read_unit("nJy")
    Unit("nJy")
    """
    check_unit(text)
    try:
        return u.Unit(text)
    except ValueError:
        import astropy.cosmology.units as cosmology_units

        with u.add_enabled_units([cosmology_units]):
            return u.Unit(text)
