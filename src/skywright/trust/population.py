"""How many galaxies a simulated sky holds, of which kind, and how that compares with a survey."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import astropy.units as u
import numpy as np
from astropy.cosmology import FLRW
from astropy.table import QTable, Table, vstack
from scipy.stats import t as student

from skywright.data import Report, open_table
from skywright.trust.population_page import population_page
from skywright.trust.resampling import poisson_interval

__all__ = ["count_galaxies", "population_report"]

SLICES = (0.2, 0.4, 0.6, 0.8, 1.0)  # redshifts between which luminosities are counted
EDGES = {
    "z": np.arange(0.0, 6.01, 0.1),
    "mag": np.arange(12.0, 30.01, 0.5),
    "M": np.arange(-26.0, -11.99, 0.5),
    "ellipticity": np.arange(0.0, 1.01, 0.05),
    "log_size": np.arange(-2.0, 2.01, 0.1),
}
COMPARED = (16.0, 22.0)  # magnitudes between which counts are set beside observed ones


def count_galaxies(populations: Mapping[str, Table], area: u.Quantity, cosmology: FLRW) -> QTable:
    """Return histograms of what matters of a part of the sky; the galaxies can then be forgotten.

    Parameters
    ----------
    populations : mapping of table
        Name -> galaxies: ``z``, and where there are such, ``mag_…`` [mag], ``M_…`` [mag],
        ``size`` [kpc], ``ellipticity``.
    area : Quantity [deg2]
        That they are on.
    cosmology : FLRW
        For the volume of a slice of redshift.

    Returns
    -------
    QTable
        ``quantity``, ``population``, ``low``, ``high`` of a bin, ``count``, ``area`` [deg2],
        ``volume`` [Mpc3] of the slice (of all sky seen where there is none: NaN).
    """
    square = u.Quantity(area).to(u.deg**2)
    rows = []
    for name, galaxies in populations.items():
        z = np.asarray(galaxies["z"], dtype=float)
        for column in galaxies.colnames:
            kind = column.partition("_")[0]
            if kind in ("z", "mag", "ellipticity"):
                values = np.asarray(galaxies[column], dtype=float)
                rows.append(_histogram(column, name, values, EDGES[kind]))
            elif column == "size":
                values = np.log10(u.Quantity(galaxies[column], u.kpc).value)
                rows.append(_histogram("log_size", name, values, EDGES["log_size"]))
            elif kind == "M":
                rows += _by_slice(column, name, z, galaxies[column], square, cosmology)
    table = vstack(rows)
    table["area"] = np.full(len(table), square.value) * square.unit
    return table


def _histogram(
    quantity: str, population: str, values: np.ndarray, edges: np.ndarray, volume: float = np.nan
) -> QTable:
    count, _ = np.histogram(values, edges)
    return QTable(
        {
            "quantity": [quantity] * len(count),
            "population": [population] * len(count),
            "low": edges[:-1],
            "high": edges[1:],
            "count": count,
            "volume": np.full(len(count), volume),
        }
    )


def _by_slice(
    column: str, name: str, z: np.ndarray, values: Any, area: u.Quantity, cosmology: FLRW
) -> list[QTable]:
    """Return absolute magnitudes in slices of redshift, with the volume of each."""
    whole = cosmology.comoving_volume(np.array(SLICES)).to_value("Mpc3")
    share = (area / (4 * np.pi * u.sr)).to_value("")
    made = []
    for low, high, volume in zip(SLICES[:-1], SLICES[1:], np.diff(whole) * share, strict=True):
        inside = np.asarray(values, dtype=float)[(z >= low) & (z < high)]
        made.append(_histogram(f"{column} {low:g}<z<{high:g}", name, inside, EDGES["M"], volume))
    return made


def population_report(
    counts: QTable, observed: str | Table | None = None, observed_area: u.Quantity = 10 * u.deg**2
) -> Report:
    """Judge a simulated sky by its counts.

    Intervals are from cell to cell, with Student's distribution, so that clustering counts; from
    fewer than three cells they are those of Poisson, which clustering makes too narrow.

    Parameters
    ----------
    counts : QTable
        From `count_galaxies`, of each cell: with a column ``cell``.
    observed : table or path, optional
        Counts of a survey: ``magnitude`` (lower edge of evenly spaced bins) and one column of
        counts a band, whose name ends with that of the band: ``dered_r`` belongs to ``mag_r``.
    observed_area : Quantity [deg2]
        Area of the survey.

    Returns
    -------
    Report

    Raises
    ------
    ValueError
        When nothing can be compared with the observed table.
    """
    survey = None if observed is None else _observed(observed, observed_area)
    cells = np.unique(counts["cell"])
    area = float(sum(counts["area"][counts["cell"] == c][0].to_value(u.deg**2) for c in cells))
    of_z = counts[counts["quantity"] == "z"]
    results = {
        "area": {**_exact(area), "unit": "deg2", "interval": "exact: cells of HEALPix"},
        "cells": _exact(len(cells)),
        "galaxies": _exact(int(of_z["count"].sum())),
        "galaxies_per_deg2": density_per_deg2(of_z),
    }
    for name in dict.fromkeys(of_z["population"]):
        results[f"galaxies_per_deg2.{name}"] = density_per_deg2(of_z[of_z["population"] == name])
    evidence: dict[str, Any] = {"counts": _curves(counts)}
    if survey is not None:
        compared = _compare(counts, survey)
        results |= compared
        evidence["observed"] = survey
    verdict = _verdict(results, survey is not None)
    report = Report(results=results, verdict=verdict, evidence=evidence)
    return Report(results, verdict, evidence, population_page(report))


def _exact(value: float) -> dict[str, Any]:
    return {"value": value, "low": value, "high": value}


def density_per_deg2(rows: QTable) -> dict[str, Any]:
    """Return galaxies per deg2 in all these bins, with an interval; see `population_report`."""
    cells = np.unique(rows["cell"])
    number = np.array([rows["count"][rows["cell"] == c].sum() for c in cells])
    area = np.array([rows["area"][rows["cell"] == c][0].to_value(u.deg**2) for c in cells])
    value = number.sum() / area.sum()
    if len(cells) < 3:
        low, high = (end / area.sum() for end in poisson_interval(int(number.sum())))
    else:
        # of a ratio, by linearisation: cells may differ in area
        off = number - value * area
        half = student.ppf(0.975, len(cells) - 1) * np.sqrt(
            (off**2).sum() * len(cells) / (len(cells) - 1)
        ) / area.sum()  # fmt: skip
        low, high = max(value - half, 0.0), value + half
    return {"value": float(value), "low": float(low), "high": float(high),
            "n": int(number.sum()), "n_groups": len(cells)}  # fmt: skip


def _curves(counts: QTable) -> dict[str, Any]:
    """Return every histogram with its intervals: quantity -> population -> list of bins."""
    found: dict[str, Any] = {}
    for quantity in dict.fromkeys(counts["quantity"]):
        some = counts[counts["quantity"] == quantity]
        for population in dict.fromkeys(some["population"]):
            rows = some[some["population"] == population]
            found.setdefault(quantity, {})[population] = [_bin(rows, low) for low in
                                                          np.unique(rows["low"])]  # fmt: skip
    return found


def _bin(rows: QTable, low: float) -> dict[str, Any]:
    inside = rows[rows["low"] == low]
    volume = float(np.sum(inside["volume"]))
    facts = {"from": float(low), "to": float(inside["high"][0]), **density_per_deg2(inside)}
    return facts | ({"volume": volume} if np.isfinite(volume) else {})


def _observed(observed: str | Table, area: u.Quantity) -> dict[str, list[dict[str, float]]]:
    """Return counts of a survey per deg2 in the bins of ours: band -> list of bins."""
    table = observed if isinstance(observed, Table) else open_table(Path(observed))
    if "magnitude" not in table.colnames or len(table.colnames) < 2:
        raise ValueError(
            f"the observed counts have the columns {table.colnames}; expected magnitude, and one "
            "column of counts a band"
        )
    # rounded: an edge that is off by the precision of a float32 belongs to the bin above
    magnitude = np.round(np.asarray(table["magnitude"], dtype=float), 4)
    square = u.Quantity(area).to_value(u.deg**2)
    if not (np.isfinite(square) and square > 0):
        raise ValueError(f"the area of the observed counts is {area}; expected a positive one")
    for column in table.colnames:
        values: np.ndarray = np.ma.filled(np.ma.asarray(table[column], dtype=float), np.nan)
        if not np.isfinite(values).all():
            row = int(np.flatnonzero(~np.isfinite(values))[0])
            raise ValueError(f"row {row} of {column!r} of the observed counts is no number")
    found = {}
    for column in (c for c in table.colnames if c != "magnitude"):
        number = np.asarray(table[column], dtype=float)
        bins = []
        for low, high in zip(EDGES["mag"][:-1], EDGES["mag"][1:], strict=True):
            inside = (magnitude >= low) & (magnitude < high)
            if magnitude.min() <= low and high <= magnitude.max() + np.diff(magnitude).min():
                bins.append({"from": low, "to": high, "value": number[inside].sum() / square,
                             "n": int(number[inside].sum())})  # fmt: skip
        found[column.rpartition("_")[2]] = bins
    return found


def _compare(counts: QTable, survey: dict[str, Any]) -> dict[str, Any]:
    """Return simulated over observed counts, magnitude by magnitude in every band."""
    results = {}
    for band, bins in survey.items():
        rows = counts[counts["quantity"] == f"mag_{band}"]
        for low in np.arange(*COMPARED) if len(rows) else ():
            pair = [b for b in bins if low <= b["from"] < low + 1]
            seen, number = sum(b["value"] for b in pair), sum(b["n"] for b in pair)
            if len(pair) < 2 or not number:
                continue
            ours = density_per_deg2(rows[(rows["low"] >= low) & (rows["low"] < low + 1)])
            spread = np.hypot((ours["high"] - ours["low"]) / 3.92 / max(ours["value"], 1e-9),
                              number**-0.5)  # fmt: skip
            ratio = ours["value"] / seen
            results[f"ratio.{band}.{low:g}-{low + 1:g}"] = {
                "value": ratio,
                "low": ratio * np.exp(-1.96 * spread),
                "high": ratio * np.exp(1.96 * spread),
                "n": number,
            }
    if not results:
        raise ValueError(
            f"bands {', '.join(survey)} of the observed counts are none of the simulated ones, or "
            f"have no counts between {COMPARED[0]:g} and {COMPARED[1]:g}"
        )
    return results


def _verdict(results: dict[str, Any], compared: bool) -> str:
    density, cells = results["galaxies_per_deg2"], int(results["cells"]["value"])
    text = (
        f"{results['galaxies']['value']:,} galaxies on {results['area']['value']:.3g} deg². "
        f"That is {density['value']:,.0f} per deg² ({density['low']:,.0f} to "
        f"{density['high']:,.0f}, "
        + ("by Poisson alone: clustering needs three cells or more). " if cells < 3 else
           f"from the scatter of {cells} cells). ")
    )  # fmt: skip
    if not compared:
        return text + "No observed counts were given, so nothing here says that the sky is real."
    ratios = {k: v for k, v in results.items() if k.startswith("ratio.")}
    worst = max(ratios, key=lambda k: abs(np.log(max(ratios[k]["value"], 1e-9))))
    _, band, magnitudes = worst.split(".", 2)
    off = sum(not r["low"] <= 1 <= r["high"] for r in ratios.values())
    return text + (
        f"Beside the observed counts it is off by the factor {ratios[worst]['value']:.2f} at worst "
        f"({band}, {magnitudes} mag); in {off} of {len(ratios)} bins by more than the interval."
    )
