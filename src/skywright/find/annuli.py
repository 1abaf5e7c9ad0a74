"""Features of rings around the galaxy: how much light is left, how it lies and what colour."""

from __future__ import annotations

import numpy as np

from skywright.find.arc_statistic import HALF_WIDTHS, arc_response, best_arc
from skywright.find.colour import blue_to_red
from skywright.find.polar import ANGLES
from skywright.find.residuals import Residuals

__all__ = ["measure_annuli", "measure_arcs"]

_EDGES = (1, 3, 5, 7, 10, 14, 19, 26, 36, 50)


def measure_annuli(residuals: Residuals, bands: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Measure the residual light in rings.

    Parameters
    ----------
    residuals : Residuals
        From `skywright.find.residuals.subtract_galaxies`.
    bands : (band,)
        Names.

    Returns
    -------
    dict of (n,) arrays
        For each ring ``i``: signal over noise, azimuthal concentration and harmonics of the
        co-added residual, the best arc in it, and the colour of its brightest sector.
    """
    polar = residuals.polar
    count = polar["all"].shape[1]
    arcs = {name: arc_response(polar[name]).max(axis=1) for name in ("all", "blue", "contrast")}
    out: dict[str, np.ndarray] = {}
    order = blue_to_red(bands)
    for i, rows in enumerate(_rings(count)):
        r = np.arange(1, count + 1, dtype=np.float32)[rows]
        area = np.sqrt(2 * np.pi * r.sum())
        for name in ("all", "contrast"):
            ring = np.average(polar[name][:, rows], axis=1, weights=r)
            out[f"{name}_snr_{i}"] = ring.mean(axis=1) * area
            out[f"{name}_median_{i}"] = np.median(ring, axis=1)
        ring = np.average(np.clip(polar["all"][:, rows], -3, 8), axis=1, weights=r)
        out |= {f"{k}_{i}": v for k, v in _azimuth(ring).items()}
        for name, value in arcs.items():
            out[f"{name}_arc_{i}"] = value[:, rows].max(axis=(1, 2))
        sector = np.average(residuals.band_polar[:, :, rows], axis=2, weights=r)
        out[f"colour_{i}"] = _sector_colour(sector, order)
    return out


def measure_arcs(residuals: Residuals, bands: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Describe the most significant arc: where it is, how long, its colour and counter-image.

    Parameters
    ----------
    residuals : Residuals
        From `skywright.find.residuals.subtract_galaxies`.
    bands : (band,)
        Names.
    """
    response = arc_response(residuals.polar["blue"])
    best = best_arc(response)
    n = np.arange(len(response))
    radius, angle = best["radius"], best["angle"]
    out = {
        "arc_statistic": best["value"],
        "arc_radius": radius + 1.0,
        "arc_length": np.asarray(HALF_WIDTHS)[best["length"]] * (2 * np.pi / ANGLES),
        "arc_longest_ratio": response[n, -1, radius, angle] / np.maximum(best["value"], 1e-3),
        "arc_coverage": _coverage(response[n, 0, radius]),
        "arc_axis": np.abs(np.cos(angle * (2 * np.pi / ANGLES) - residuals.shape.theta)),
    }
    turned = np.roll(response[:, 0], ANGLES // 2, axis=-1)
    near = np.arange(-6, 7)
    window = (angle[:, None] + near) % ANGLES
    counter = turned[n[:, None], :, window]
    r = np.arange(response.shape[2])
    inside = (r[None] <= 1.3 * radius[:, None])[:, None]
    counter = np.where(inside, counter, 0).reshape(len(n), -1).max(axis=1)
    order = blue_to_red(bands)
    local = (angle[:, None] + np.arange(-2, 3)) % ANGLES
    flux = residuals.band_polar[n[:, None], :, radius[:, None], local].mean(axis=1)
    for i, band in enumerate(bands):
        out[f"arc_peak_{band}"] = flux[:, i]
    out["counter_arc"] = counter
    out["arc_colour"] = _contrast(flux[:, order[0]], flux[:, order[-1]])
    core = residuals.core
    out["arc_bluer_than_core"] = out["arc_colour"] - _contrast(
        core[:, order[0]], core[:, order[-1]]
    )
    return out


def _rings(count: int) -> list[slice]:
    """Return slices of the radius axis, each about 1.4 times further out than the last."""
    edges = [edge for edge in _EDGES if edge < count] + [count]
    return [slice(low, high) for low, high in zip(edges[:-1], edges[1:], strict=True)]


def _azimuth(ring: np.ndarray) -> dict[str, np.ndarray]:
    """Describe how light (n, angle) is spread around a circle."""
    power = np.abs(np.fft.rfft(ring, axis=1)) / ANGLES
    positive = np.maximum(ring, 0)
    total = np.maximum(positive.sum(axis=1), 1e-3)
    ordered = np.sort(positive, axis=1)[:, ::-1]
    smooth = np.mean([np.roll(ring, k, axis=1) for k in range(-3, 4)], axis=0)
    opposite = np.minimum(smooth, np.roll(smooth, ANGLES // 2, axis=1))
    return {
        "concentration": ordered[:, : ANGLES // 8].sum(axis=1) / total,
        "bright_share": (ring > 1).mean(axis=1),
        "sector": smooth.max(axis=1),
        "opposite": opposite.max(axis=1),
        "dipole": power[:, 1],
        "quadrupole": power[:, 2],
        "ripple": np.sqrt((power[:, 3:9] ** 2).sum(axis=1)),
    }


def _coverage(circle: np.ndarray) -> np.ndarray:
    """Return the share of a circle (n, angle) where short arcs reach half of the best one."""
    top = np.maximum(circle.max(axis=1, keepdims=True), 1e-3)
    return np.asarray((circle > 0.5 * top).mean(axis=1))


def _sector_colour(sector: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Return blue against red light (n, band, angle) in the brightest eighth of a ring."""
    total = sector.sum(axis=1)
    bright = np.argsort(-total, axis=1)[:, None, : ANGLES // 8]
    flux = np.take_along_axis(sector, bright, axis=2).mean(axis=2)
    return _contrast(flux[:, order[0]], flux[:, order[-1]])


def _contrast(blue: np.ndarray, red: np.ndarray) -> np.ndarray:
    """Return the bounded colour (blue - red) / (|blue| + |red| + 1)."""
    return np.asarray((blue - red) / (np.abs(blue) + np.abs(red) + 1))
