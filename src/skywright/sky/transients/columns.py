"""Columns of tables that users give, as bare numbers in a known unit."""

from __future__ import annotations

import astropy.units as u
import numpy as np
from astropy.table import Table

__all__ = ["read_column"]


def read_column(table: Table, name: str, unit: str, what: str) -> np.ndarray:
    """Return a column as bare numbers.

    Parameters
    ----------
    table : Table
        What the column is of.
    name : str
        Its name.
    unit : str
        Unit of the numbers; a column without a unit is taken in it.
    what : str
        What the table is called in messages.

    Returns
    -------
    (row,) [unit]

    Raises
    ------
    ValueError
        When the column is missing, has another unit, or holds anything but finite numbers.

    Examples
    --------
    >>> read_column(Table({"mjd": [48.0] * u.hr}), "mjd", "d", "cadence")
    array([2.])
    """
    if name not in table.colnames:
        raise ValueError(f"the {what} has the columns {table.colnames}; {name!r} is missing")
    column = table[name]
    expected = f"column {name!r} of the {what} has to be finite numbers [{unit or '1'}]"
    if np.any(getattr(column, "mask", False)):
        raise ValueError(f"{expected}; some are masked")
    try:
        values = np.asarray(u.Quantity(column, unit).value, dtype=float)
    except (TypeError, ValueError) as error:  # a wrong unit is both an error of units and a type
        raise ValueError(f"{expected}; got {column.dtype} {column.unit or ''}") from error
    if not np.isfinite(values).all():
        raise ValueError(f"{expected}; got NaN or infinity")
    return values
