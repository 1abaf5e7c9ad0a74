"""Colour pictures of cutouts, as data a page can hold."""

from __future__ import annotations

import base64
import io

import numpy as np

from skywright.data import Images

__all__ = ["colour_composite", "picture"]


def colour_composite(flux: np.ndarray, bands: tuple[str, ...]) -> np.ndarray:
    """Return a colour picture that keeps colours where it compresses brightness.

    Brightness follows an arcsinh between the sky and the brightest parts, and all channels are
    scaled alike (Lupton et al. 2004, PASP 116, 133, equation 2). Three bands that are named r, g
    and b are shown as named; others are taken to run from blue to red.

    Parameters
    ----------
    flux : (band, y, x)
        One cutout.
    bands : (band,)
        Names of the bands.

    Returns
    -------
    (y, x, 3) uint8

    Examples
    --------
    >>> colour_composite(np.zeros((1, 4, 4)), ("r",)).shape
    (4, 4, 3)
    """
    image = np.nan_to_num(_channels(np.asarray(flux, dtype=float), bands))
    rim = np.ones(image.shape[1:], dtype=bool)
    rim[2:-2, 2:-2] = False
    image = image - np.median(image[:, rim], axis=1)[:, None, None]
    image = image / (np.abs(image).max() or 1.0)
    brightness = image.mean(axis=0)
    noise = 1.4826 * np.median(np.abs(brightness[rim]))
    low, high = -noise, max(float(np.quantile(brightness, 0.997)), 5 * noise, 1e-12)
    soft = max(3 * noise, 0.08 * (high - low))
    stretched = np.arcsinh((brightness - low) / soft) / np.arcsinh((high - low) / soft)
    # Where there is no light, ratios of channels are noise: there they tend to grey.
    grey = 3 * noise + 1e-12
    ratio = (np.maximum(image - low, 0) + grey) / (np.maximum(brightness - low, 0) + grey)
    shown = np.clip(ratio, 0, 2) * np.clip(stretched, 0, 1)
    shown /= np.maximum(shown.max(axis=0), 1)
    return np.asarray(255 * np.moveaxis(np.clip(shown, 0, 1), 0, -1), dtype=np.uint8)


def picture(images: Images, row: int) -> str:
    """Return the colour picture of one cutout as the data URI of a PNG."""
    from matplotlib.image import imsave

    shown = colour_composite(images[row].flux[0], images.bands)
    buffer = io.BytesIO()
    imsave(buffer, shown[::-1], format="png")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def _channels(flux: np.ndarray, bands: tuple[str, ...]) -> np.ndarray:
    """Return red, green and blue."""
    named = {band.lower(): image for band, image in zip(bands, flux, strict=True)}
    if set(named) == {"r", "g", "b"}:
        return np.stack([named["r"], named["g"], named["b"]])
    middle = flux[1:-1] if len(flux) > 2 else flux
    return np.stack([flux[-1], middle.mean(axis=0), flux[0]])
