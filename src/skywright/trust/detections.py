"""What a detector found, what it missed, and what was never there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from scipy.spatial import cKDTree

from skywright.trust.completeness import in_bins
from skywright.trust.resampling import share_of

__all__ = ["judge_detections", "match_detections"]


def match_detections(
    found: np.ndarray | SkyCoord, true: np.ndarray | SkyCoord, tolerance: float | u.Quantity
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pair detections with true objects one to one, the closest pairs first.

    A second detection of one object stays alone and so counts against purity: nothing is found
    twice.

    Parameters
    ----------
    found, true : (n, 2) [pixel] or SkyCoord
        Positions, of one kind.
    tolerance : float [pixel] or Quantity [angle]
        Farthest separation of a pair.

    Returns
    -------
    i_found, i_true : (pair,) int
        Rows that belong together.
    separation : (pair,) [pixel or rad]
        Their distance.

    Examples
    --------
    >>> i, j, d = match_detections(np.array([[0.0, 0.0], [0.4, 0.0]]), np.array([[0.5, 0.0]]), 1.0)
    >>> i.tolist(), j.tolist()
    ([1], [0])
    """
    a, b, reach = _positions(found, true, tolerance)
    if len(a) == 0 or len(b) == 0:
        nothing = np.empty(0, dtype=int)
        return nothing, nothing, np.empty(0)
    pairs = cKDTree(a).sparse_distance_matrix(cKDTree(b), reach, output_type="ndarray")
    pairs = pairs[np.argsort(pairs["v"], kind="stable")]
    free_a, free_b = np.ones(len(a), dtype=bool), np.ones(len(b), dtype=bool)
    kept = np.zeros(len(pairs), dtype=bool)
    for k, (i, j) in enumerate(zip(pairs["i"], pairs["j"], strict=True)):
        if free_a[i] and free_b[j]:
            free_a[i] = free_b[j] = False
            kept[k] = True
    chord = pairs["v"][kept]
    separation = 2 * np.arcsin(chord / 2) if isinstance(found, SkyCoord) else chord
    return pairs["i"][kept], pairs["j"][kept], separation


def judge_detections(
    found: np.ndarray | SkyCoord,
    true: np.ndarray | SkyCoord,
    tolerance: float | u.Quantity,
    *,
    found_mag: np.ndarray,
    true_mag: np.ndarray,
    edges: Sequence[float],
    found_group: np.ndarray | None = None,
    true_group: np.ndarray | None = None,
    rng: np.random.Generator | None = None,
) -> dict[str, Any]:
    """Return completeness against true magnitude and purity against measured magnitude.

    Parameters
    ----------
    found, true, tolerance
        As for `match_detections`.
    found_mag, true_mag : (n,) [mag]
        Measured magnitude of the detections, true one of the objects.
    edges : (bin + 1,) [mag]
        Edges of the bins.
    found_group, true_group : (n,), optional
        The image of each: objects in one share seeing and crowding, so images are resampled.
    rng : Generator, optional
        Resamples images.

    Returns
    -------
    dict
        ``completeness`` and ``purity``: of all, ``value, low, high, n`` with 95 % intervals as of
        `share_of`; ``completeness_by_magnitude`` and ``purity_by_magnitude``: lists of the same
        with ``magnitude`` (low, high), the three None in an empty bin.
    """
    i, j, _ = match_detections(found, true, tolerance)
    hit, real = np.zeros(len(true_mag), dtype=bool), np.zeros(len(found_mag), dtype=bool)
    hit[j], real[i] = True, True
    return {
        "completeness": share_of(hit, true_group, rng),
        "purity": share_of(real, found_group, rng),
        "completeness_by_magnitude": _by_magnitude(hit, true_mag, edges, true_group, rng),
        "purity_by_magnitude": _by_magnitude(real, found_mag, edges, found_group, rng),
    }


def _by_magnitude(
    good: np.ndarray,
    magnitude: np.ndarray,
    edges: Sequence[float],
    groups: np.ndarray | None,
    rng: np.random.Generator | None,
) -> list[dict[str, Any]]:
    return [
        {
            "magnitude": [float(e) for e in edges[k : k + 2]],
            **share_of(good[rows], None if groups is None else np.asarray(groups)[rows], rng),
        }
        for k, rows in enumerate(in_bins(np.asarray(magnitude), edges))
    ]


def _positions(
    found: np.ndarray | SkyCoord, true: np.ndarray | SkyCoord, tolerance: float | u.Quantity
) -> tuple[np.ndarray, np.ndarray, float]:
    """Return points of a plane or of the unit sphere, and the farthest distance there."""
    if isinstance(found, SkyCoord) != isinstance(true, SkyCoord):
        raise TypeError("one of found and true is on the sky, the other in pixels; expected alike")
    if isinstance(found, SkyCoord) and isinstance(true, SkyCoord):
        if not isinstance(tolerance, u.Quantity):
            raise u.UnitsError(f"tolerance is {tolerance}; expected an angle, as 1 * u.arcsec")
        reach = 2 * np.sin(tolerance.to_value(u.rad) / 2)
        a, b = (c.icrs.cartesian.xyz.value.T.reshape(-1, 3) for c in (found, true))
        return a, b, float(reach)
    if isinstance(tolerance, u.Quantity):
        tolerance = tolerance.to_value(u.pix)
    return np.reshape(found, (-1, 2)), np.reshape(true, (-1, 2)), float(tolerance)
