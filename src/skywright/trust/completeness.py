"""The selection function: which arcs a search finds, by Einstein radius and arc S/N."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from skywright.trust.resampling import wilson

__all__ = ["SNR_EDGES", "THETA_EDGES", "completeness_map", "in_bins"]

SNR_EDGES = (2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
THETA_EDGES = (1.0, 2.0, 3.0, 5.0, 8.0)


def in_bins(values: np.ndarray, edges: Sequence[float]) -> np.ndarray:
    """Return which rows fall into each bin; the last bin includes its upper edge.

    Parameters
    ----------
    values : (n,)
        Values to bin.
    edges : (bin + 1,)
        Rising edges.

    Returns
    -------
    (bin, n) bool

    Examples
    --------
    >>> in_bins(np.array([1.0, 2.0, 3.0]), (1, 2, 3)).astype(int)
    array([[1, 0, 0],
           [0, 1, 1]])
    """
    low, high = np.asarray(edges[:-1])[:, None], np.asarray(edges[1:])[:, None]
    inside = (values >= low) & (values < high)
    inside[-1] |= values == high[-1]
    return inside


def completeness_map(
    inside: np.ndarray,
    theta_e_fwhm: np.ndarray,
    snr: np.ndarray,
    groups: np.ndarray,
    theta_edges: Sequence[float] = THETA_EDGES,
    snr_edges: Sequence[float] = SNR_EDGES,
) -> list[dict[str, Any]]:
    """Return the share of lenses found per cell of Einstein radius and arc S/N.

    Cells are small, and where all or none are found a bootstrap has no width, so intervals are
    Wilson's with the number of galaxies as trials: right when a galaxy holds one arc of the cell,
    cautious when it holds more.

    Parameters
    ----------
    inside : (lens,)
        Which part of each lens the budget finds (`skywright.trust.budget.selected`).
    theta_e_fwhm : (lens,) [FWHM of the PSF]
        Einstein radius.
    snr : (lens,)
        Arc S/N.
    groups : (lens,)
        Galaxy behind each lens.
    theta_edges, snr_edges : sequences of float
        Edges of the cells.

    Returns
    -------
    list of dict
        ``theta`` and ``snr`` (low, high), ``value``, ``low``, ``high``, ``n``, ``n_groups``;
        the last five are None or 0 in an empty cell.
    """
    cells = []
    for i, in_theta in enumerate(in_bins(theta_e_fwhm, theta_edges)):
        for j, in_snr in enumerate(in_bins(snr, snr_edges)):
            rows = in_theta & in_snr
            cell: dict[str, Any] = {
                "theta": [float(e) for e in theta_edges[i : i + 2]],
                "snr": [float(e) for e in snr_edges[j : j + 2]],
                "value": None,
                "low": None,
                "high": None,
                "n": int(rows.sum()),
                "n_groups": len(np.unique(groups[rows])),
            }
            if rows.any():
                found = float(inside[rows].mean())
                low, high = wilson(found, cell["n_groups"])
                cell |= {"value": found, "low": low, "high": high}
            cells.append(cell)
    return cells
