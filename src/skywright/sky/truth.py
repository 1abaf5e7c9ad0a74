"""The table that says what was painted where."""

from __future__ import annotations

import numpy as np
from astropy.table import QTable

from skywright.sky.field import Field

__all__ = ["assemble"]

ABOUT = {
    "object_id": "painted cutout",
    "group": "object_id of the galaxy under it",
    "row": "row of that galaxy and of its cutout",
    "label": "1 for a lens, 0 otherwise",
    "kind": "what was painted",
    "theta_e": "Einstein radius [pixel]; of an impostor that of its twin arc",
    "theta_e_fwhm": "Einstein radius over the width of the point spread function",
    "snr": "arc signal to noise, 0 when untouched",
    "magnification": "area of the lensed over that of the unlensed source",
    "area": "effective area of an impostor [pixel]",
    "twin_area": "effective area of the arc it was matched to [pixel]",
    "share": "share of each band in the painted light",
}


def assemble(field: Field, row: np.ndarray, kind: np.ndarray, touched: QTable) -> QTable:
    """Return one row per cutout, with NaN where nothing was painted.

    Parameters
    ----------
    field : Field
        Galaxies.
    row : (n,) int
        Galaxy of each cutout.
    kind : (n,) str
        ``untouched`` or anything else; the others are the rows of ``touched`` in order.
    touched : QTable
        What is painted.
    """
    n, rows = len(row), np.flatnonzero(kind != "untouched")
    table = QTable(
        {
            "object_id": np.arange(n, dtype=np.int64),
            "group": field.object_id[row],
            "row": row.astype(np.int64),
            "label": (kind == "lens").astype(np.int64),
            "kind": np.full(n, "untouched", dtype="U10"),
        }
    )
    for name in touched.colnames:
        values = np.asarray(touched[name])
        if name == "kind":
            table["kind"][rows] = values
            continue
        table[name] = np.full((n, *values.shape[1:]), 0.0 if name == "snr" else np.nan)
        table[name][rows] = values
    place = table.index_column("theta_e") + 1
    table.add_column(np.asarray(table["theta_e"]) / field.fwhm, place, "theta_e_fwhm")
    for name, text in ABOUT.items():
        table[name].info.description = text
    return table
