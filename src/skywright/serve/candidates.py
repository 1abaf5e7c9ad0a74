"""The catalogue of candidates as it is published: units, UCDs and descriptions on every column."""

from __future__ import annotations

from typing import Any

import astropy.units as u
import numpy as np
from astropy.table import QTable

from skywright.data import Survey

__all__ = ["candidates"]

# column -> (UCD1+, description); the order is that of the catalogue.
# UCDs: Cecconi et al. 2025, The UCD1+ controlled vocabulary, version 1.6, IVOA.
ABOUT = {
    "rank": ("meta.number", "Place in the list, 1 is the most probable"),
    "object_id": ("meta.id;meta.main", "Identifier of the galaxy in its run"),
    "tile": ("meta.id;obs.image", "Number of the image in the survey, from 0"),
    "ra": ("pos.eq.ra;meta.main", "Right ascension, in the frame of the image"),
    "dec": ("pos.eq.dec;meta.main", "Declination, in the frame of the image"),
    "x": ("pos.cartesian.x;instr.det", "Column in the image; the first pixel's centre is 0"),
    "y": ("pos.cartesian.y;instr.det", "Row in the image; the first pixel's centre is 0"),
    "probability": ("stat.probability", "Probability of a lens at the prevalence of the survey"),
    "expected_purity": ("stat.probability;stat.mean", "Mean probability down to this rank"),
    "logit": ("stat.likelihood", "Mean calibrated logit of the networks, at training prevalence"),
    "spread": ("stat.stdev", "Standard deviation of the logit over networks"),
    "networks": ("meta.number", "Networks that judged the galaxy, none of which saw its region"),
    "inspect": ("meta.code", "Within the inspection budget"),
    "in_domain": ("meta.code.qual", "Lies in the hull of the training images of every network"),
    "known": ("meta.code", "Matches a known lens"),
    "einstein_radius": ("phys.angSize", "Rough radius of the brightest residual ring; no fit"),
    "einstein_radius_error": ("stat.error;phys.angSize", "Width of that ring"),
    "snr": ("stat.snr", "Signal to noise of the galaxy"),
    "radius": ("phys.angSize;src", "Half-light radius of the galaxy"),
    "q": ("phys.size.axisRatio", "Axis ratio of the galaxy, minor over major"),
}
ANGLES = ("einstein_radius", "einstein_radius_error", "radius")
UNITS: dict[str, u.UnitBase] = {"ra": u.deg, "dec": u.deg, "x": u.pix, "y": u.pix}
FIRST = "no lens is confirmed by this list"


def candidates(ranked: QTable, survey: Survey, *, top: int | None = None) -> QTable:
    """Turn a ranked list into the catalogue that is published.

    Parameters
    ----------
    ranked : QTable
        Made by `skywright.find.rank`; positions and Einstein radius in pixels.
    survey : Survey
        Gives units, bands and the size of a pixel.
    top : int, optional
        Keep this many rows; all without it.

    Returns
    -------
    QTable
        Best first. Right ascension and declination are present where the image has world
        coordinates; radii are in arcsec where the size of a pixel is known, in pixel otherwise.

    Raises
    ------
    ValueError
        When the ranked list lacks rank, object_id, probability or a position.
    """
    _check(ranked)
    order = np.argsort(np.asarray(ranked["rank"]), kind="stable")[:top]
    table = QTable(meta=_meta(ranked, survey))
    for name, (ucd, text) in ABOUT.items():
        if name not in ranked.colnames or _is_empty_sky(name, ranked):
            continue
        values, unit = _bare(ranked[name][order]), UNITS.get(name)
        if name in ANGLES:
            values, unit = _angle(values, survey)
        _add(table, name, values, unit, ucd, text)
    for band in survey.bands:
        if (name := f"flux_{band}") in ranked.colnames:
            text = f"Flux of the galaxy in band {band}"
            _add(table, name, _bare(ranked[name][order]), survey.unit, "phot.flux", text)
    return table


def _check(ranked: QTable) -> None:
    missing = [n for n in ("rank", "object_id", "probability") if n not in ranked.colnames]
    if missing or not {"x", "y"} <= set(ranked.colnames):
        raise ValueError(
            f"the ranked list has columns {ranked.colnames}; expected rank, object_id, "
            "probability, x and y, as skywright.find.rank gives"
        )


def _is_empty_sky(name: str, ranked: QTable) -> bool:
    """Whether a sky position is missing because the image has no world coordinates."""
    return name in ("ra", "dec") and not np.isfinite(_bare(ranked[name])).any()


def _bare(column: Any) -> np.ndarray:
    return np.array(getattr(column, "value", column))


def _angle(values: np.ndarray, survey: Survey) -> tuple[np.ndarray, u.UnitBase]:
    if survey.scale is None:
        return values, u.pix
    return values * float(survey.scale.to_value(u.arcsec)), u.arcsec


def _add(
    table: QTable, name: str, values: np.ndarray, unit: u.UnitBase | None, ucd: str, text: str
) -> None:
    table[name] = values if unit is None else u.Quantity(values, unit, dtype=values.dtype)
    table[name].info.description = text
    table[name].info.meta = {"ucd": ucd}


def _meta(ranked: QTable, survey: Survey) -> dict[str, Any]:
    """Return what is true of the whole catalogue."""
    scale = None if survey.scale is None else float(survey.scale.to_value(u.arcsec))
    return {
        "content": f"lens candidates; {FIRST}",
        "ranked": len(ranked),
        "bands": ", ".join(survey.bands),
        "pixel_arcsec": scale,
        "pixel_note": survey.reason,
        "zero_points": {band: float(value) for band, value in survey.zero_point.items()},
    }
