"""A ranked list of galaxies for people to look at, under a budget."""

from __future__ import annotations

import astropy.units as u
import numpy as np
from astropy.table import QTable
from scipy.spatial import cKDTree

from skywright.learn.calibration import correct_prior

__all__ = ["rank"]


def rank(
    galaxies: QTable,
    scores: QTable,
    features: QTable | None = None,
    *,
    budget: float,
    prevalence: float,
    training_prevalence: float = 0.5,
    known: QTable | None = None,
    radius: u.Quantity | None = None,
) -> QTable:
    """Order galaxies by the mean logit of all networks that judged them.

    Parameters
    ----------
    galaxies : QTable
        One row a galaxy with ``object_id``; other columns are passed on.
    scores : QTable
        Predictions collected over folds and seeds: columns ``object_id`` and ``mean``
        (calibrated logit at the training prevalence), one row for each network and galaxy.
    features : QTable, optional
        ``object_id``, ``einstein_radius`` and ``einstein_radius_error``.
    budget : float
        What can be inspected: a share of the ranked galaxies when below 1, else a number.
    prevalence : float
        Fraction of true positives expected in the survey.
    training_prevalence : float
        Fraction of positives that the logits refer to.
    known : QTable, optional
        Known objects with ``ra`` and ``dec`` [deg], or ``x`` and ``y`` [pixel] and, where there
        are several images, ``tile``.
    radius : Quantity, optional
        Largest distance to a known object; 1 arcsec on the sky or 3 pixel by default.

    Returns
    -------
    QTable
        Galaxies that were judged, best first, with ``logit`` (mean over networks), ``spread``
        (standard deviation over networks, 0 for a single one), ``networks``, ``probability``
        at the survey's prevalence, ``rank`` from 1, ``expected_purity`` (mean probability down
        to this rank), ``inspect``, ``in_domain`` (like the training for every network, where
        scores say so) and, with ``known``, ``known``. The metadata then say how many objects are
        known (``known``), are near a galaxy that was judged (``known_judged``), and
        near one within the budget (``known_inspected``).

    Raises
    ------
    ValueError
        When no galaxy was judged, a score is not finite, or a column is missing.
    """
    table = _join_scores(galaxies, scores)
    if features is not None:
        _join_radius(table, features)
    logits = correct_prior(table["logit"], training_prevalence, prevalence)
    table["probability"] = 1 / (1 + np.exp(-logits))
    # equal logits fall back on the identifier: the order never depends on that of the input
    table = table[np.lexsort((table["object_id"], -table["logit"]))]
    count = len(table)
    table["rank"] = np.arange(1, count + 1)
    table["expected_purity"] = np.cumsum(table["probability"]) / table["rank"]
    if budget <= 0:
        raise ValueError(f"budget is {budget}; expected a share below 1 or a number of galaxies")
    inspected = max(1, round(budget * count)) if budget < 1 else min(int(budget), count)
    table["inspect"] = table["rank"] <= inspected
    if known is not None:
        table["known"] = _is_near(table, known, radius)
        table.meta["known"] = len(known)
        table.meta["known_judged"] = int(_is_near(known, table, radius).sum())
        inspected = table[table["inspect"]]
        table.meta["known_inspected"] = int(_is_near(known, inspected, radius).sum())
    return table


def _join_scores(galaxies: QTable, scores: QTable) -> QTable:
    """Return the judged galaxies with mean, spread and number of their logits."""
    for name, table, wanted in (("galaxies", galaxies, "object_id"), ("scores", scores, "mean")):
        if wanted not in table.colnames or "object_id" not in table.colnames:
            raise ValueError(
                f"{name} has columns {table.colnames}; expected object_id and {wanted}"
            )
    logit = np.asarray(scores["mean"], dtype=float)
    if not np.isfinite(logit).all():
        raise ValueError(f"{(~np.isfinite(logit)).sum()} scores are not finite; expected logits")
    names, inverse = np.unique(np.asarray(scores["object_id"]), return_inverse=True)
    number = np.bincount(inverse)
    mean = np.bincount(inverse, logit) / number
    spread = np.sqrt(np.bincount(inverse, (logit - mean[inverse]) ** 2) / number)
    object_id = np.asarray(galaxies["object_id"])
    rows = np.flatnonzero(np.isin(object_id, names))
    if len(rows) == 0:
        raise ValueError("no galaxy was judged: galaxies and scores share no object_id")
    place = np.searchsorted(names, object_id[rows])
    table = QTable(galaxies[rows], copy=True)
    table["logit"], table["spread"], table["networks"] = mean[place], spread[place], number[place]
    if "in_domain" in scores.colnames:
        strange = np.bincount(inverse, ~np.asarray(scores["in_domain"], dtype=bool))
        table["in_domain"] = strange[place] == 0
    return table


def _join_radius(table: QTable, features: QTable) -> None:
    """Add the rough Einstein radius [pixel] of every galaxy in the table."""
    object_id = np.asarray(features["object_id"])
    order = np.argsort(object_id)
    wanted = np.asarray(table["object_id"])
    place = order[np.minimum(np.searchsorted(object_id[order], wanted), len(order) - 1)]
    found = object_id[place] == wanted
    for name in ("einstein_radius", "einstein_radius_error"):
        table[name] = np.where(found, np.asarray(features[name], dtype=float)[place], np.nan)


def _is_near(table: QTable, others: QTable, radius: u.Quantity | None) -> np.ndarray:
    """Tell which rows lie within ``radius`` of another: on the sky where both tables can say."""
    columns = set(table.colnames) & set(others.colnames)
    sky = {"ra", "dec"} <= columns
    if not sky and not {"x", "y"} <= columns:
        raise ValueError(
            f"known objects and galaxies share the columns {sorted(columns)}; expected ra and dec "
            "[deg], or x and y [pixel]"
        )
    if sky:
        limit = (1 * u.arcsec if radius is None else radius).to_value(u.rad)
    else:
        limit = 3.0 if radius is None else float(u.Quantity(radius, u.pix).value)
    tiled = not sky and "tile" in columns
    here, there = (_places(t, sky, 4 * limit if tiled else 0.0) for t in (table, others))
    known = [np.isfinite(places).all(axis=1) for places in (here, there)]
    for found, rows in zip(known, (here, there), strict=True):
        if len(rows) and not found.any():
            raise ValueError(
                "known objects come with ra and dec, but no galaxy has them: give positions in "
                "pixels for an image without a world coordinate system"
            )
    out = np.zeros(len(table), dtype=bool)
    if known[0].any() and known[1].any():
        out[known[0]] = cKDTree(there[known[1]]).query(here[known[0]])[0] <= limit
    return out


def _places(table: QTable, sky: bool, apart: float) -> np.ndarray:
    """Return unit vectors on the sky, or pixels with images ``apart`` from each other."""

    def bare(name: str) -> np.ndarray:
        return np.asarray(getattr(table[name], "value", table[name]), dtype=float)

    if sky:
        ra, dec = np.deg2rad(bare("ra")), np.deg2rad(bare("dec"))
        parts = [np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)]
    else:
        # One pixel of two images is two places.
        tile = bare("tile") * apart if apart else np.zeros(len(table))
        parts = [bare("x"), bare("y"), tile]
    return np.stack(parts, axis=1)
