"""Features of the separate pieces of light that are left around a galaxy."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter, maximum_filter

from skywright.find.colour import blue_to_red
from skywright.find.polar import bilinear
from skywright.find.residuals import Residuals

__all__ = ["measure_peaks"]

_PEAKS = 3
_INNER = 1.8


def measure_peaks(residuals: Residuals, bands: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Measure the three brightest pieces: place, light, colour and form as seen from the galaxy.

    Images of one source share a colour, face each other and are stretched along circles; a
    companion is round, alone and has a colour of its own.

    Parameters
    ----------
    residuals : Residuals
        From `skywright.find.residuals.subtract_galaxies`.
    bands : (band,)
        Names.
    """
    smooth = gaussian_filter(residuals.combined["all"], (0, 1.0, 1.0)) * 3.5
    n, ny, nx = smooth.shape
    gx, gy = np.meshgrid(np.arange(nx, dtype=np.float32), np.arange(ny, dtype=np.float32))
    shape = residuals.shape
    distance = np.hypot(gx - shape.x[:, None, None], gy - shape.y[:, None, None])
    allowed = (distance > _INNER) & (distance < min(nx, ny) / 2 - 1)
    top = (smooth == maximum_filter(smooth, (1, 3, 3))) & allowed
    height = np.where(top, smooth, 0).reshape(n, -1)
    out: dict[str, np.ndarray] = {}
    inner = (distance < 10).reshape(n, -1)
    for level in (3, 6, 12):
        out[f"peaks_{level}"] = (height > level).sum(axis=1).astype(float)
        out[f"inner_peaks_{level}"] = ((height > level) & inner).sum(axis=1).astype(float)
    # nearer peaks win over equal ones further out: a lens is about its galaxy
    ranked = np.argsort(-height / (4 + distance.reshape(n, -1)), axis=1, kind="stable")[:, :_PEAKS]
    order = blue_to_red(bands)
    colours, angles = [], []
    for i in range(_PEAKS):
        row, column = np.divmod(ranked[:, i], nx)
        dx, dy = column - shape.x, row - shape.y
        found = np.take_along_axis(height, ranked[:, i : i + 1], axis=1)[:, 0] > 0
        form = _describe(residuals, column, row, np.arctan2(dy, dx), order)
        values = {
            "snr": height[np.arange(n), ranked[:, i]],
            "radius": np.hypot(dx, dy),
            **form,
        }
        out |= {f"peak{i}_{k}": np.where(found, v, np.nan) for k, v in values.items()}
        colours.append(out[f"peak{i}_colour"])
        angles.append(np.where(found, np.arctan2(dy, dx), np.nan))
    for i in range(1, _PEAKS):
        out[f"peak{i}_facing"] = -np.cos(angles[i] - angles[0])
        out[f"peak{i}_colour_step"] = np.abs(colours[i] - colours[0])
    return out


def _describe(
    residuals: Residuals, x: np.ndarray, y: np.ndarray, angle: np.ndarray, order: np.ndarray
) -> dict[str, np.ndarray]:
    """Measure a patch around each position, its axes along the radius and along the circle."""
    s = np.arange(-4, 5, dtype=np.float32)
    radial, along = (a.ravel() for a in np.meshgrid(s, s, indexing="ij"))
    cos, sin = np.cos(angle)[:, None], np.sin(angle)[:, None]
    # without residuals of neighbours' halos: the patch is measured above its own lower quartile
    stack = np.concatenate(
        [residuals.combined["all"][..., None], residuals.snr - residuals.model], axis=-1
    )
    patch = bilinear(
        stack, x[:, None] + cos * radial - sin * along, y[:, None] + sin * radial + cos * along
    )
    light = patch[..., 0] - np.quantile(patch[..., 0], 0.25, axis=1, keepdims=True)
    near = np.exp(-(radial**2 + along**2) / 12)
    weight = np.maximum(light, 0) * near
    total = np.maximum(weight.sum(axis=1), 1e-3)
    r2 = (weight * radial**2).sum(axis=1) / total
    a2 = (weight * along**2).sum(axis=1) / total
    bend = (weight * radial * (along**2 - a2[:, None])).sum(axis=1) / total
    flux = (patch[..., 1:] * near[:, None]).sum(axis=1)
    blue, red = flux[:, order[0]], flux[:, order[-1]]
    middle = flux.sum(axis=1) / np.maximum(np.abs(patch[..., 1:]).max(axis=(1, 2)), 1e-3)
    return {
        "stretch": np.log((a2 + 0.1) / (r2 + 0.1)),
        "size": np.sqrt(r2 + a2),
        "bend": bend,
        "fullness": middle,
        "colour": (blue - red) / (np.abs(blue) + np.abs(red) + 3),
    }
