"""Features of the whole cutout: light, colours, form and statistics of pixels."""

from __future__ import annotations

import numpy as np

from skywright.find.colour import blue_to_red
from skywright.find.polar import bilinear
from skywright.find.residuals import Residuals

__all__ = ["measure_morphology"]


def measure_morphology(residuals: Residuals, bands: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Measure the galaxy and the cutout as a whole.

    Parameters
    ----------
    residuals : Residuals
        From `skywright.find.residuals.subtract_galaxies`.
    bands : (band,)
        Names.

    References
    ----------
    Conselice 2003, ApJS 147, 1 (asymmetry, concentration); Lotz et al. 2004, AJ 128, 163,
    eq. 6-9 (Gini coefficient and M20).
    """
    snr, shape = residuals.snr, residuals.shape
    n, ny, nx, count = snr.shape
    coadd = snr.sum(-1) / np.float32(np.sqrt(count))
    gx, gy = np.meshgrid(np.arange(nx, dtype=np.float32), np.arange(ny, dtype=np.float32))
    dx, dy = gx - shape.x[:, None, None], gy - shape.y[:, None, None]
    distance = np.hypot(dx, dy)
    inner = distance < min(ny, nx) / 4
    out = {"q": shape.q, "size": shape.radius}
    out |= _light(residuals, bands, distance)
    out |= _asymmetry(coadd, residuals, dx, dy, inner)
    out |= _spread_of_light(coadd, distance, inner)
    for name, image in residuals.combined.items():
        within = np.where(inner, image, np.nan).reshape(n, -1)
        level = np.nanquantile(within, (0.05, 0.5, 0.95, 0.99), axis=1)
        for part, q in zip(level, (5, 50, 95, 99), strict=True):
            out[f"{name}_quantile_{q}"] = part
        clipped = np.clip(within, -10, 10)
        spread = np.nanstd(clipped, axis=1)
        centred = clipped - np.nanmean(clipped, axis=1, keepdims=True)
        out[f"{name}_rms"] = spread
        out[f"{name}_skewness"] = np.nanmean(centred**3, axis=1) / np.maximum(spread, 0.1) ** 3
        out[f"{name}_kurtosis"] = np.nanmean(centred**4, axis=1) / np.maximum(spread, 0.1) ** 4
    return out


def _light(
    residuals: Residuals, bands: tuple[str, ...], distance: np.ndarray
) -> dict[str, np.ndarray]:
    """Measure light and colour in the core, of the model, and of the residual near the galaxy."""
    near = (distance < 10)[..., None]
    residual = ((residuals.snr - residuals.model) * near).sum((1, 2))
    model = (residuals.model * near).sum((1, 2))
    edge = (residuals.snr * (distance > 16)[..., None]).sum((1, 2))
    order = blue_to_red(bands)
    out: dict[str, np.ndarray] = {}
    parts = {"core": residuals.core, "model": model, "residual": residual, "edge": edge}
    for name, value in parts.items():
        for i, band in enumerate(bands):
            out[f"{name}_{band}"] = np.arcsinh(value[:, i])
        for low, high in zip(order[:-1], order[1:], strict=True):
            scale = np.abs(value[:, low]) + np.abs(value[:, high]) + 1
            step = (value[:, low] - value[:, high]) / scale
            out[f"{name}_{bands[low]}_{bands[high]}"] = step
    out["residual_share"] = residual.sum(1) / np.maximum(np.abs(model.sum(1)), 1)
    return out


def _asymmetry(
    coadd: np.ndarray, residuals: Residuals, dx: np.ndarray, dy: np.ndarray, inner: np.ndarray
) -> dict[str, np.ndarray]:
    """Compare each image with itself turned by 90 and 180 degrees about the galaxy."""
    n = len(coadd)
    x, y = residuals.shape.x[:, None], residuals.shape.y[:, None]
    flat_x, flat_y = dx.reshape(n, -1), dy.reshape(n, -1)
    half = bilinear(coadd[..., None], x - flat_x, y - flat_y)[..., 0]
    quarter = bilinear(coadd[..., None], x - flat_y, y + flat_x)[..., 0]
    three = bilinear(coadd[..., None], x + flat_y, y - flat_x)[..., 0]
    image, within = coadd.reshape(n, -1), inner.reshape(n, -1)
    total = np.maximum((np.abs(image) * within).sum(1), 1)
    rest = np.clip(image - half, -5, 5)
    return {
        "asymmetry_180": (np.abs(image - half) * within).sum(1) / total,
        "asymmetry_90": (np.abs(2 * image - quarter - three) * within).sum(1) / total / 2,
        "asymmetry_clipped": (np.abs(rest) * within).sum(1) / within.sum(1),
    }


def _spread_of_light(
    coadd: np.ndarray, distance: np.ndarray, inner: np.ndarray
) -> dict[str, np.ndarray]:
    """Return concentration, Gini coefficient and M20 of the light near the galaxy."""
    n = len(coadd)
    light = np.where(inner, np.maximum(coadd, 0), 0).reshape(n, -1)
    order = np.argsort(light, axis=1)
    ordered = np.take_along_axis(light, order, axis=1)
    total = np.maximum(ordered.sum(1), 1e-3)
    count = inner.reshape(n, -1).sum(1)
    rank = np.maximum(np.arange(light.shape[1]) - (light.shape[1] - count)[:, None] + 1, 0)
    gini = ((2 * rank - count[:, None] - 1) * ordered).sum(1) / (total * (count - 1))
    second = np.take_along_axis((light * distance.reshape(n, -1) ** 2), order, axis=1)
    from_top = np.cumsum(ordered[:, ::-1], axis=1) <= 0.2 * total[:, None]
    m20 = (second[:, ::-1] * from_top).sum(1) / np.maximum(second.sum(1), 1e-3)
    flat = distance.reshape(n, -1)
    share = {r: (light * (flat < r)).sum(1) / total for r in (2, 4, 7)}
    return {
        "gini": gini,
        "m20": np.log10(m20 + 1e-3),
        **{f"light_within_{r}": value for r, value in share.items()},
    }
