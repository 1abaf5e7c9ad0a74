"""What pixels give away without any shape: histogram, lowest bits, power spectrum.

A classifier fed with these alone must not tell painted cutouts from untouched ones; when it can,
the painting itself is the clue.
"""

from __future__ import annotations

import numpy as np

from skywright.data import Images

__all__ = ["low_bits", "pixel_features", "pixel_histogram", "power_spectrum"]

_EDGES = np.arcsinh(np.concatenate([np.linspace(-6, 6, 33), [10, 20, 50, 100, 1000]]))


def pixel_features(images: Images) -> np.ndarray:
    """Return histogram, lowest bits and power spectrum of every cutout, band by band.

    Parameters
    ----------
    images : Images
        Cutouts; each row is measured by itself.

    Returns
    -------
    (n, feature)
    """
    parts = []
    for block in images.blocks():
        flux = np.asarray(block.flux)
        sigma = _noise(flux, block.variance)
        parts.append(
            np.concatenate(
                [
                    pixel_histogram(flux, sigma),
                    low_bits(flux, images.quantised),
                    power_spectrum(flux, sigma),
                ],
                axis=1,
            )
        )
    return np.concatenate(parts)


def pixel_histogram(flux: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    """Return the share of pixels per interval of signal-to-noise, narrow around the sky.

    Parameters
    ----------
    flux : (n, band, y, x)
        Pixel values.
    sigma : (n, band, 1, 1)
        Background rms.

    Returns
    -------
    (n, band * interval)
    """
    sky = np.median(flux, axis=(2, 3), keepdims=True)
    index = np.searchsorted(_EDGES, np.arcsinh((flux - sky) / sigma))
    return _shares(index, len(_EDGES) + 1)


def low_bits(flux: np.ndarray, quantised: bool) -> np.ndarray:
    """Return how often pixel values leave each remainder modulo 2, 4 and 8.

    Of whole numbers the remainder of the value is taken, otherwise that of the float32 mantissa,
    where numbers that were once rounded leave a comb.

    Parameters
    ----------
    flux : (n, band, y, x)
        Pixel values.
    quantised : bool
        Whether they are whole numbers.

    Returns
    -------
    (n, band * 14)
    """
    whole = (
        np.rint(flux).astype(np.int64)
        if quantised
        else np.ascontiguousarray(flux, dtype=np.float32).view(np.int32)
    )
    return np.concatenate([_shares(whole % m, m) for m in (2, 4, 8)], axis=1)


def power_spectrum(flux: np.ndarray, sigma: np.ndarray, bins: int = 12) -> np.ndarray:
    """Return the logarithm of the radially averaged power, under a Hann window.

    Parameters
    ----------
    flux : (n, band, y, x)
        Pixel values.
    sigma : (n, band, 1, 1)
        Background rms.
    bins : int
        Rings of spatial frequency up to the Nyquist limit.

    Returns
    -------
    (n, band * bins)
    """
    ny, nx = flux.shape[-2:]
    window = np.hanning(ny)[:, None] * np.hanning(nx)
    signal = (flux - flux.mean(axis=(2, 3), keepdims=True)) / sigma
    power = np.abs(np.fft.rfft2(signal * window)) ** 2
    k = np.hypot(np.fft.fftfreq(ny)[:, None], np.fft.rfftfreq(nx))
    ring = np.minimum((k / 0.5 * bins).astype(int), bins).ravel()
    member = np.eye(bins + 1)[ring][:, :bins]
    mean = power.reshape(*power.shape[:2], -1) @ member / np.maximum(member.sum(axis=0), 1)
    return np.asarray(np.log(mean + 1e-12).reshape(len(flux), -1))


def _noise(flux: np.ndarray, variance: np.ndarray | None) -> np.ndarray:
    """Return the background rms per cutout and band, from the pixels when it is not given."""
    if variance is not None:
        level = np.sqrt(np.median(variance, axis=(2, 3), keepdims=True))
    else:
        sky = np.median(flux, axis=(2, 3), keepdims=True)
        level = 1.4826 * np.median(np.abs(flux - sky), axis=(2, 3), keepdims=True)
    return np.where(level > 0, level, 1.0)


def _shares(index: np.ndarray, size: int) -> np.ndarray:
    """Return the share of pixels per value of ``index``, for each cutout and band."""
    n, bands = index.shape[:2]
    flat = index.reshape(n * bands, -1) + np.arange(n * bands)[:, None] * size
    counts = np.bincount(flat.ravel(), minlength=n * bands * size)
    return np.asarray(counts.reshape(n, bands * size) / flat.shape[1])
