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
from skywright.sky.scene import ARM, CLUMP, painted_shapes
from skywright.sky.shapes import companions, rings, satellites, spirals

__all__ = ["IMPOSTORS", "match_impostors"]

# In the order of how much of the circle they cover.
IMPOSTORS = {
    "companion": companions,
    "satellites": satellites,
    "spiral": spirals,
    "ring": rings,
}
JITTER = 0.5  # in ranks of coverage between kinds: every kind meets every kind of arc
STEPS = 7
SIZES = (0.1, 10.0)
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
    systems = twins.copy()
    systems["twin_area"] = area
    systems["kind"] = _choose_kinds(area / (2 * np.pi * radius * fwhm), rng)
    for kind, draw in IMPOSTORS.items():
        rows = np.flatnonzero(systems["kind"] == kind)
        if rows.size:
            for name, values in draw(systems[rows], radius[rows], fwhm, rng).items():
                systems[name][rows] = values
    return _fit_areas(systems, pixels, psf)


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
    before: tuple[np.ndarray, np.ndarray] | None = None
    for _ in range(STEPS):
        light = painted_shapes(_grown(systems, np.exp(size)), pixels=pixels, psf=psf)[:, 0]
        miss = np.log(effective_area(light)) - wanted
        best = np.where(np.abs(miss) < np.abs(error), size, best)
        error = np.where(np.abs(miss) < np.abs(error), miss, error)
        if before is not None:
            moved = np.abs(size - before[0]) > 1e-4
            steep = (miss - before[1]) / np.where(moved, size - before[0], 1)
            slope = np.where(moved, np.clip(steep, *SLOPES), slope)
        before = size, miss
        size = np.clip(size - miss / slope, *np.log(SIZES))
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
    grown["arm_spread"] = systems["arm_spread"] * np.where(clumps, 1.0, factor)
    grown["arm_sharpness"] = systems["arm_sharpness"] / np.where(clumps, 1.0, factor**2)
    return grown
