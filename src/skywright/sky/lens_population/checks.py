"""Columns of catalogues, checked at the door."""

from __future__ import annotations

import astropy.units as u
import numpy as np
from astropy.table import QTable

__all__ = ["check_columns", "checked_area", "checked_column", "checked_magnitudes"]


def check_columns(table: QTable, *names: str) -> None:
    """Refuse a table that lacks a column.

    Raises
    ------
    ValueError
        With the names of those that it has.
    """
    for name in names:
        if name not in table.colnames:
            raise ValueError(
                f"there is no column {name!r}; expected one beside {', '.join(table.colnames)}"
            )


def checked_column(
    table: QTable,
    name: str,
    unit: u.UnitBase = u.dimensionless_unscaled,
    *,
    low: float = -np.inf,
    high: float = np.inf,
) -> np.ndarray:
    """Return the values (n,) of a column in a unit; magnitudes alone may come without theirs.

    Raises
    ------
    ValueError
        The column is missing, its unit does not fit, or a value is not within the limits.
    """
    check_columns(table, name)
    column = table[name]
    known = getattr(column, "unit", None)
    if known is None and unit not in (u.dimensionless_unscaled, u.mag):
        raise ValueError(
            f"column {name!r} has no unit; expected {unit} or the like: say which, as "
            f"table[{name!r}].unit = {str(unit)!r}"
        )
    try:
        values = u.Quantity(column, known if known is not None else unit).to_value(unit)
    except (u.UnitConversionError, TypeError) as error:
        raise ValueError(f"column {name!r} is in {known}; expected {unit or 'no unit'}") from error
    values = np.asarray(np.ma.filled(values, np.nan), dtype=float)
    wrong = ~((values >= low) & (values <= high) & np.isfinite(values))
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise ValueError(
            f"column {name!r} holds {values[row]} in row {row}; expected finite numbers from "
            f"{low:g} to {high:g}: take such rows out first"
        )
    return values


def checked_magnitudes(table: QTable, name: str) -> np.ndarray:
    """Return the magnitudes (n,) of a column; infinite ones, of what has no light, are fine.

    Raises
    ------
    ValueError
        The column is missing, in another unit, or holds NaN.
    """
    check_columns(table, name)
    known = getattr(table[name], "unit", None)
    values = np.asarray(np.ma.filled(getattr(table[name], "value", table[name]), np.nan), float)
    if known not in (None, u.mag, u.ABmag) or np.isnan(values).any() or (values == -np.inf).any():
        raise ValueError(
            f"column {name!r} is in {known} or holds NaN; expected AB magnitudes, infinite where "
            "there is no light"
        )
    return values


def checked_area(area: u.Quantity, name: str) -> float:
    """Return a positive solid angle in steradian.

    Raises
    ------
    UnitTypeError
        It is no solid angle; both a TypeError and a UnitsError.
    ValueError
        It is not positive.
    """
    if not isinstance(area, u.Quantity) or not area.unit.is_equivalent(u.sr):
        raise u.UnitTypeError(f"{name} is {area}; expected a solid angle, such as 10 deg2")
    value = float(area.to_value("sr"))
    if not 0 < value < np.inf:
        raise ValueError(f"{name} is {area}; expected a positive area")
    return value
