"""Source extraction in one block of an image: segments, shapes and sums of flux."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import sep

from skywright.data.background import Background
from skywright.data.survey import Tile

__all__ = ["Block", "extract", "measure", "read_block", "unfiltered"]

KRON = 2.5
SMALLEST = 1.75
REACH = 6.0
# Gaussian of 2.5 pixels full width: a matched filter for the faintest compact sources.
FILTER_SIGMA = 2.5 / 2.355
FILTER = np.exp(-0.5 * (np.hypot(*np.mgrid[-2:3, -2:3]) / FILTER_SIGMA) ** 2)


@dataclass(frozen=True)
class Block:
    """Pixels of a block, ready for detection.

    Parameters
    ----------
    flux : (band, y, x) [unit]
        Without the level of the sky.
    peak : (y, x) [unit]
        Largest raw value of any band.
    signal : (y, x)
        All bands added with weights of inverse variance, in units of its own rms.
    bad : (y, x) bool
        Pixels that must not be used.
    corner : (2,) int [pixel]
        First row and column in the tile.
    """

    flux: np.ndarray
    peak: np.ndarray
    signal: np.ndarray
    bad: np.ndarray
    corner: tuple[int, int]


def read_block(tile: Tile, sky: Background, window: tuple[int, int, int, int]) -> Block:
    """Read ``window`` (y0, y1, x0, x1) of ``tile`` and add its bands."""
    flux, variance, bad = tile.read(*window)
    peak = flux.max(axis=0)
    level, rms = sky.window(*window)
    flux -= level
    noise = np.asarray(rms if variance is None else np.sqrt(variance), dtype=float)
    noise[:, bad] = 0
    flux[:, bad] = 0
    # Without noise there is nothing to compare with: such a pixel has no weight.
    weight = np.divide(1, noise**2, out=np.zeros_like(noise), where=noise > 0)
    total = np.sqrt(weight.sum(axis=0))
    added = (flux * weight).sum(axis=0)
    signal = np.divide(added, total, out=np.zeros_like(added), where=total > 0)
    return Block(flux, peak, signal.astype(np.float32), bad, (window[0], window[2]))


def extract(
    block: Block, *, threshold: float, min_area: int, deblend_levels: int, contrast: float
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Find sources by threshold and deblending (Bertin & Arnouts 1996, A&AS 117, 393).

    Returns
    -------
    shapes : dict of (n,)
        ``x, y`` in the block, ``a, b, theta`` after the filter, ``label`` in the segment map.
    segments : (y, x) int32
        Label of the source that each pixel belongs to, 0 for sky.
    """
    sep.set_extract_pixstack(max(300_000, block.signal.size // 4))
    sep.set_sub_object_limit(8192)
    found, segments = sep.extract(
        block.signal,
        threshold,
        mask=block.bad,
        minarea=min_area,
        filter_kernel=FILTER,
        deblend_nthresh=deblend_levels,
        deblend_cont=contrast,
        segmentation_map=True,
    )
    shapes = {name: found[name].astype(float) for name in ("x", "y", "a", "b", "theta")}
    shapes["label"] = np.arange(1, len(found) + 1, dtype=np.int32)
    keep = np.isfinite(shapes["a"] + shapes["b"] + shapes["theta"]) & (shapes["b"] > 0)
    return {name: values[keep] for name, values in shapes.items()}, segments


def unfiltered(axis: np.ndarray) -> np.ndarray:
    """Take from an rms semi-axis [pixel] what the filter of detection added to it.

    Second moments add under convolution; at least half the axis is left, since those of faint
    sources scatter.
    """
    return np.asarray(np.sqrt(np.maximum(axis**2 - FILTER_SIGMA**2, 0.25 * axis**2)))


def measure(
    block: Block, shapes: dict[str, np.ndarray], segments: np.ndarray, limit: float | None
) -> dict[str, np.ndarray]:
    """Measure sources in Kron ellipses, pixels of their neighbours left out.

    Parameters
    ----------
    block : Block
        The pixels.
    shapes : dict of (n,)
        ``x, y, a, b, theta`` and ``label``; label 0 leaves no neighbour out.
    segments : (y, x) int32
        From `extract`.
    limit : float [unit] or None
        Value from which a pixel is saturated.

    Returns
    -------
    dict of (n,)
        ``flux`` as (band, n) [unit], ``snr``, ``radius`` [pixel] of half the light, and
        ``saturated``, the share of the source's pixels.
    """
    x, y, a, b, theta = (shapes[name] for name in ("x", "y", "a", "b", "theta"))
    theta = np.clip(theta, -np.pi / 2, np.pi / 2)
    own = {"mask": block.bad, "segmap": segments, "seg_id": shapes["label"].astype(np.int32)}
    with np.errstate(all="ignore"):
        kron, _ = sep.kron_radius(block.signal, x, y, a, b, theta, REACH, **own)
        kron = np.where(np.isfinite(kron), kron, 1.0) * KRON
        kron = np.clip(np.maximum(kron, SMALLEST / np.sqrt(a * b)), 0, 2 * REACH)
        ellipse = (x, y, a, b, theta, kron)
        flux = np.stack(
            [sep.sum_ellipse(np.ascontiguousarray(f), *ellipse, **own)[0] for f in block.flux]
        )
        total, error, _ = sep.sum_ellipse(block.signal, *ellipse, err=1.0, **own)
        radius, _ = sep.flux_radius(
            block.signal, x, y, REACH * a, 0.5, normflux=total, subpix=5, **own
        )
    return {
        "flux": flux,
        "snr": total / np.maximum(error, 1e-30),
        "radius": radius,
        "saturated": _saturated(block, shapes["label"], segments, limit),
    }


def _saturated(
    block: Block, label: np.ndarray, segments: np.ndarray, limit: float | None
) -> np.ndarray:
    if limit is None or not len(label):
        return np.zeros(len(label))
    count = int(max(segments.max(), label.max())) + 1
    pixels = np.bincount(segments.ravel(), minlength=count)
    full = np.bincount(segments[block.peak >= limit], minlength=count)
    return np.where(label > 0, full[label] / np.maximum(pixels[label], 1), 0.0)
