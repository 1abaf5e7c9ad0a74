"""Impostors: what looks like an arc and is none, drawn with the flux, area and radius of an arc.

Each impostor has a twin, an arc that was drawn for the same galaxy like any other and is not
painted. Colour, S/N, total flux and with these the effective area are the twin's, so that neither
brightness nor the histogram of pixel values tells impostors from arcs; only shape can.
"""

from __future__ import annotations

import numpy as np
from astropy.table import QTable

from skywright.sky.photometry import effective_area, mean_radius
from skywright.sky.psf import PointSpread
from skywright.sky.scene import painted_shapes
from skywright.sky.shapes import companions, rings, satellites, spirals

__all__ = ["IMPOSTORS", "match_impostors"]

# In the order of how much of the circle they cover.
IMPOSTORS = {
    "companion": companions,
    "satellites": satellites,
    "spiral": spirals,
    "ring": rings,
}
JITTER = 0.3  # in ranks of coverage between kinds: every kind meets every kind of arc
STEPS = 8
CLOSE = 0.003  # in ln(area): the search ends
TOLERANCE = 0.02  # in ln(area): what is farther off becomes a companion
SIZES = (0.1, 10.0)
THINNEST = 0.3  # pixels: standard deviation across an arm that the renderer still resolves
SLOPES = (0.25, 3.0)


def match_impostors(
    twins: QTable, *, pixels: int, psf: PointSpread, fwhm: float, rng: np.random.Generator
) -> QTable:
    """Turn arcs into impostors of the same colour, S/N, total flux and mean radius.

    Parameters
    ----------
    twins : QTable
        Arcs with the columns of `draw_systems`.
    pixels : int
        Side of the cutout.
    psf : PointSpread
        Point spread function of one band, in pixels.
    fwhm : float [pixel]
        Its width.
    rng : Generator
        Source of randomness.

    Returns
    -------
    QTable
        The same rows as impostors of four kinds in equal numbers; ``area`` is the effective area
        that was reached, ``twin_area`` the one that was wanted.
    """
    light = painted_shapes(twins, pixels=pixels, psf=psf)[:, 0]
    area = effective_area(light)
    radius = mean_radius(light, twins["x_galaxy"], twins["y_galaxy"])
    wanted = twins.copy()
    wanted["twin_area"] = area
    kind = _choose_kinds(area / (2 * np.pi * radius * fwhm), rng)
    systems = _fit_areas(_draw_shapes(wanted, kind, radius, fwhm, rng), pixels, psf)
    missed = np.abs(np.log(systems["area"] / systems["twin_area"])) > TOLERANCE
    if missed.any():
        # Too small an arc for this kind: a single companion can be as small as any arc.
        kind = np.full(int(missed.sum()), "companion")
        again = _draw_shapes(wanted[missed], kind, radius[missed], fwhm, rng)
        systems[missed] = _fit_areas(again, pixels, psf)
    return systems


def _draw_shapes(
    twins: QTable, kind: np.ndarray, radius: np.ndarray, fwhm: float, rng: np.random.Generator
) -> QTable:
    systems = twins.copy()
    systems["kind"][:] = kind
    for name, draw in IMPOSTORS.items():
        rows = np.flatnonzero(kind == name)
        if rows.size:
            for column, values in draw(twins[rows], radius[rows], fwhm, rng).items():
                systems[column][rows] = values
    return systems


def _choose_kinds(coverage: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return kinds in equal numbers: rings for the most extended arcs, companions for the least.

    A ring cannot be as small as a double image, nor a satellite as large as a ring. Which arc
    becomes which impostor therefore depends on its area, while all impostors together keep the
    distribution of all arcs.
    """
    n, kinds = len(coverage), np.array(list(IMPOSTORS))
    rank = np.argsort(np.argsort(coverage)) / max(n, 1) * len(kinds)
    order = np.argsort(rank + JITTER * rng.standard_normal(n))
    chosen = np.empty(n, dtype=kinds.dtype)
    chosen[order] = kinds[np.arange(n) * len(kinds) // max(n, 1)]
    return chosen


def _fit_areas(systems: QTable, pixels: int, psf: PointSpread) -> QTable:
    """Grow or shrink every shape until its effective area is the twin's (secant in logarithms)."""
    wanted = np.log(np.asarray(systems["twin_area"]))
    size, best = np.zeros(len(systems)), np.zeros(len(systems))
    slope, error = np.ones(len(systems)), np.full(len(systems), np.inf)
    last_size, last_miss = size.copy(), np.full(len(systems), np.nan)
    for _ in range(STEPS):
        rows = np.flatnonzero(np.abs(error) > CLOSE)
        if not rows.size:
            break
        shapes = _grown(systems[rows], np.exp(size[rows]))
        area = effective_area(painted_shapes(shapes, pixels=pixels, psf=psf)[:, 0])
        miss = np.log(area) - wanted[rows]
        better = rows[np.abs(miss) < np.abs(error[rows])]
        moved = size[rows] - last_size[rows]
        steep = np.divide(miss - last_miss[rows], moved, out=slope[rows], where=moved != 0)
        slope[rows] = np.clip(steep, *SLOPES)
        last_size[rows], last_miss[rows] = size[rows], miss
        best[better], error[better] = size[better], last_miss[better]
        size[rows] = np.clip(size[rows] - miss / slope[rows], *np.log(SIZES))
    fitted = _grown(systems, np.exp(best))
    fitted["area"] = np.exp(wanted + error)
    return fitted


def _grown(systems: QTable, factor: np.ndarray) -> QTable:
    """Return shapes grown by a factor: sizes of clumps about their middle, widths of arms."""
    grown = systems.copy()
    clumps = np.isin(np.asarray(systems["kind"]), ("companion", "satellites"))
    apart = np.asarray(systems["kind"]) == "satellites"
    scale = np.where(clumps, factor, 1.0)[:, None]
    grown["clump_radius"] = systems["clump_radius"] * scale
    for axis in ("x", "y"):
        middle = systems[f"clump_{axis}"][:, :1]
        offset = (systems[f"clump_{axis}"] - middle) * np.where(apart[:, None], 1.0, scale)
        grown[f"clump_{axis}"] = middle + offset
    spread = systems["arm_spread"] * np.where(clumps, 1.0, factor)
    grown["arm_spread"] = np.maximum(spread, THINNEST / systems["arm_radius"])
    grown["arm_sharpness"] = systems["arm_sharpness"] / np.where(clumps, 1.0, factor**2)
    return grown
