"""Galleries: the best real candidates, and the errors that teach most."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy.table import QTable

from skywright.data import Images
from skywright.trust.committee import column
from skywright.trust.composites import picture
from skywright.trust.markup import text

__all__ = ["candidate_gallery", "describe_candidates", "error_gallery"]


def describe_candidates(candidates: QTable, n: int = 24) -> list[dict[str, Any]]:
    """Return the first candidates as plain values.

    Parameters
    ----------
    candidates : QTable
        In order of rank: ``object_id``, ``probability``; ``ra``, ``dec`` or ``x``, ``y``;
        ``einstein_radius`` [pixel or angle] and ``expected_purity`` where they are.
    n : int
        How many.
    """
    radius = candidates["einstein_radius"] if "einstein_radius" in candidates.colnames else None
    unit = {"einstein_radius_unit": str(getattr(radius, "unit", None) or "pix")}
    rows = []
    for i in range(min(n, len(candidates))):
        row: dict[str, Any] = {"rank": i + 1, "object_id": int(candidates["object_id"][i])}
        for name in (
            "rank",
            "probability",
            "ra",
            "dec",
            "x",
            "y",
            "einstein_radius",
            "expected_purity",
        ):
            if name in candidates.colnames:
                value = float(column(candidates, name)[i])
                row[name] = value if np.isfinite(value) else None
        rows.append(row | unit)
    return rows


def candidate_gallery(described: list[dict[str, Any]], cutouts: Images) -> str:
    """Return the pictures of the candidates with rank, position, probability and radius."""
    row_of = {int(name): row for row, name in enumerate(cutouts.object_id)}
    tiles = []
    for candidate in described:
        if candidate["object_id"] not in row_of:
            raise ValueError(
                f"candidate {candidate['object_id']} has no cutout; expected cutouts of all "
                "judged galaxies"
            )
        lines = [f"<b>{int(candidate['rank'])}</b> {_probability(candidate)}", _position(candidate)]
        radius = candidate.get("einstein_radius")
        if radius is not None:
            unit = candidate["einstein_radius_unit"]
            unit = {"arcsec": "″", "pix": " px"}.get(unit, f" {unit}")
            lines.append(f"θ<sub>E</sub> ≈ {radius:.2g}{text(unit)}")
        image = picture(cutouts, row_of[candidate["object_id"]])
        tiles.append(_tile(image, f"candidate {int(candidate['rank'])}", lines))
    return _grid(tiles)


def error_gallery(errors: list[dict[str, Any]], painted: Images) -> str:
    """Return the pictures of painted cutouts that were judged wrongly."""
    tiles = []
    for error in errors:
        lines = [f"<b>{text(error['kind'])}</b> {_probability(error)}"]
        if error["snr"]:
            lines.append(f"S/N {error['snr']:.0f}")
        if error["theta_e_fwhm"] is not None and error["snr"]:
            lines.append(f"θ<sub>E</sub> {error['theta_e_fwhm']:.1f} FWHM")
        image = picture(painted, error["row"])
        tiles.append(_tile(image, f"{error['kind']} {error['object_id']}", lines))
    return _grid(tiles)


def _tile(image: str, name: str, lines: list[str]) -> str:
    captions = "".join(f"<span>{line}</span>" for line in lines)
    return (
        f'<figure><img src="{image}" alt="{text(name)}" loading="lazy">'
        f"<figcaption>{captions}</figcaption></figure>"
    )


def _grid(tiles: list[str]) -> str:
    return f'<div class="gallery">{"".join(tiles)}</div>' if tiles else "<p>None.</p>"


def _probability(row: dict[str, Any]) -> str:
    value = row.get("probability")
    return "" if value is None else f"P\u00a0=\u00a0{100 * value:.2g}\u2009%"


def _position(row: dict[str, Any]) -> str:
    if row.get("ra") is not None and row.get("dec") is not None:
        return f"{row['ra']:.5f}°, {row['dec']:+.5f}°"
    if row.get("x") is not None and row.get("y") is not None:
        return f"x {row['x']:.0f}, y {row['y']:.0f}"
    return f"object {row['object_id']}"
