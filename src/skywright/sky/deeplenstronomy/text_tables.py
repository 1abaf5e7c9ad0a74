"""Tables that a configuration names: whitespace text, or any table astropy or Parquet holds."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import astropy.units as u
import numpy as np

__all__ = ["find_file", "read_column", "read_text_table"]

LARGEST = 200_000_000  # bytes


def find_file(name: str, folder: Path) -> Path:
    """Return a file that is named relative to the configuration, or to where one works."""
    # os.path answers for names that are too long, or hold a zero byte; Path raises
    beside = folder / name
    return beside if os.path.exists(beside) or not os.path.exists(name) else Path(name)


def read_text_table(file: Path) -> tuple[tuple[str, ...], np.ndarray]:
    """Read a table of numbers in columns separated by blanks, whose first line names them.

    Returns
    -------
    names : tuple of str
    values : (row, column)

    Raises
    ------
    ValueError
        With the line, if there is no such file or it is no such table.
    """
    _check_file(file)
    try:
        lines = file.read_text("utf-8").splitlines()
    except UnicodeDecodeError:
        raise ValueError(f"{file}: this is no text file") from None
    rows = [(i, line.split()) for i, line in enumerate(lines, 1) if line.strip()]
    if len(rows) < 2:
        raise ValueError(f"{file}: has no rows, expected a line of names and lines of numbers")
    names = tuple(rows[0][1])
    double = {name for name in names if names.count(name) > 1}
    if double:
        raise ValueError(f"{file}:1: the column {min(double)!r:.80} is named twice")
    values = np.empty((len(rows) - 1, len(names)))
    for row, (line, fields) in enumerate(rows[1:]):
        if len(fields) != len(names):
            raise ValueError(f"{file}:{line}: has {len(fields)} values for {len(names)} columns")
        try:
            values[row] = [float(field) for field in fields]
        except ValueError:
            raise ValueError(
                f"{file}:{line}: expected numbers, got {' '.join(fields)!r:.60}"
            ) from None
    bad = ~np.isfinite(values)
    if bad.any():
        line = rows[1 + int(np.argmax(bad.any(axis=1)))][0]
        raise ValueError(f"{file}:{line}: holds NaN or infinity, expected finite numbers")
    return names, values


def read_column(file: Path, column: str, parameter: str) -> np.ndarray:
    """Read one column of numbers out of a Parquet, ECSV, CSV, FITS or text table.

    A column with a unit is brought to that of the parameter, whose name ends the path
    ``parameter``; one without is taken as it is.

    Returns
    -------
    (row,)

    Raises
    ------
    ValueError
        If there is no such file or column, or it does not hold finite numbers.
    """
    _check_file(file)
    if file.suffix == ".txt":
        names, table = read_text_table(file)
        columns = dict(zip(names, table.T, strict=True))
    else:
        columns = _columns(file)
    if column not in columns:
        raise ValueError(f"{file}: has no column {column!r:.60}; it has {', '.join(columns)[:300]}")
    try:
        values = _in_unit(columns[column], parameter)
    except u.UnitConversionError as error:
        raise ValueError(
            f"{file}: the column {column!r} is none for {parameter}: {error}"
        ) from None
    except (TypeError, ValueError):
        raise ValueError(f"{file}: the column {column!r} holds no numbers") from None
    if values.ndim != 1 or not len(values) or not np.isfinite(values).all():
        raise ValueError(f"{file}: the column {column!r} needs one finite number in every row")
    return values


def _columns(file: Path) -> dict[str, np.ndarray]:
    from astropy.table import Table

    from skywright.data.tables import read_table

    try:
        if file.suffix in (".parquet", ".pq"):
            table = read_table(file)
        else:
            table = Table.read(file, format=_FORMATS.get(file.suffix))
    except Exception as error:  # readers leak errors of every kind
        raise ValueError(f"{file}: cannot be read as a table: {str(error)[:200]}") from None
    return {name: table[name] for name in table.colnames if table[name].dtype.kind in "fiu"}


def _in_unit(column: Any, parameter: str) -> np.ndarray:
    """Return bare numbers, in the unit in which a file of deeplenstronomy has the parameter."""
    unit = getattr(column, "unit", None)
    values: np.ndarray = np.ma.filled(
        np.ma.asarray(getattr(column, "value", column), dtype=float), np.nan
    )
    if unit is None or unit == u.dimensionless_unscaled:
        return np.asarray(values, dtype=float)
    wanted = next((w for w, names in _UNITS.items() if parameter in names), "arcsec")
    return np.asarray(u.Quantity(values, unit).to_value(wanted), dtype=float)


# All other parameters are angles in arcsec, or shapes, whose columns have no unit
_UNITS = {
    "rad": ("angle", "phi", "phi_G", "psi_ext"),
    "km / s": ("sigma_v",),
    "mag": ("magnitude", "magnitude_zero_point"),
    "mag / arcsec2": ("sky_brightness",),
    "s": ("exposure_time",),
    "": ("REDSHIFT", "n_sersic", "e1", "e2", "gamma", "gamma1", "gamma2", "num_exposures"),
}


_FORMATS = {".ecsv": "ascii.ecsv", ".csv": "ascii.csv", ".fits": "fits"}


def _check_file(file: Path) -> None:
    if not os.path.isfile(file):
        raise ValueError(
            f"{str(file)[:200]}: there is no such file; names are relative to the configuration, "
            "or to the folder where one works"
        )
    if file.stat().st_size > LARGEST:
        raise ValueError(f"{file}: is larger than {LARGEST:,} bytes")
