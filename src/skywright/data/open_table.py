"""A table that somebody else made."""

from __future__ import annotations

from pathlib import Path

from astropy.table import Table

from skywright.data.tables import read_table

__all__ = ["open_table"]


def open_table(file: str | Path) -> Table:
    """Read a table: Parquet, FITS, HDF5, VOTable, ECSV, CSV, or plain columns.

    Parameters
    ----------
    file : path
        The kind is told by the end of the name, and by what is inside.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        It is no table.
    """
    path = Path(file)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: there is no such table")
    try:
        return read_table(path) if path.suffix == ".parquet" else Table.read(path)
    except Exception as error:
        # Every format of astropy fails in its own way.
        raise ValueError(f"{path}: cannot be read as a table: {error}") from error
