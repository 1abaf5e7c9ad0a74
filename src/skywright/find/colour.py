"""Order of bands in wavelength, and the combinations of bands that make arcs stand out."""

from __future__ import annotations

import re

import numpy as np

__all__ = ["blue_to_red", "combine"]

_NANOMETRES = {"u": 360, "b": 440, "g": 475, "v": 550, "r": 625, "vis": 720, "i": 760, "z": 890}
_NANOMETRES |= {"y": 1000, "j": 1250, "h": 1640, "k": 2150}


def blue_to_red(bands: tuple[str, ...]) -> np.ndarray:
    """Return the indices of bands from the shortest wavelength to the longest.

    Known are the usual letters (``u`` to ``k``, display colours among them) and Hubble or Webb
    names such as ``F814W``. Where a name is unknown the order of the bands is kept.

    Examples
    --------
    >>> blue_to_red(("r", "g", "b")).tolist()
    [2, 1, 0]
    """
    wavelengths = [_wavelength(band) for band in bands]
    if any(w is None for w in wavelengths):
        return np.arange(len(bands))
    return np.argsort(np.array(wavelengths, dtype=float), kind="stable")


def combine(snr: np.ndarray, bands: tuple[str, ...], core: np.ndarray) -> dict[str, np.ndarray]:
    """Co-add bands so that the noise of every combination is one.

    Parameters
    ----------
    snr : (n, y, x, band)
        Signal over noise per pixel.
    bands : (band,)
        Names.
    core : (n, band)
        Signal over noise of the galaxy's core, for the subtraction of its colour.

    Returns
    -------
    dict of (n, y, x)
        ``all``: equal weights; ``blue``: weights that fall to a fifth in the reddest band;
        ``contrast``: the bluest band minus the reddest scaled to the colour of the core, in
        which whatever has that colour vanishes (zero with a single band).

    References
    ----------
    Gavazzi et al. 2014, ApJ 785, 144, eq. 2 (difference of a blue and a scaled red image).
    """
    count = len(bands)
    order = blue_to_red(bands)
    weight = np.ones(count, dtype=np.float32)
    weight[order] = np.linspace(1.0, 0.2, count) if count > 1 else 1.0
    blue, red = order[0], order[-1]
    out = {
        "all": snr.sum(-1) / np.float32(np.sqrt(count)),
        "blue": snr @ (weight / np.float32(np.sqrt((weight**2).sum()))),
    }
    if count == 1:
        return out | {"contrast": np.zeros_like(out["all"])}
    ratio = np.clip(core[:, blue] / np.maximum(core[:, red], 1e-3), 0, 10)[:, None, None]
    contrast = (snr[..., blue] - ratio * snr[..., red]) / np.sqrt(1 + ratio**2)
    return out | {"contrast": contrast.astype(np.float32)}


def _wavelength(band: str) -> float | None:
    """Return a rough wavelength [nm] of a band name, or None."""
    name = band.lower()
    number = re.search(r"f(\d{3,4})", name)
    if number:
        value = float(number.group(1))
        return value * 10 if value < 200 else value
    name = re.split(r"[_\- .]", name)[-1] if len(name) > 3 else name
    return _NANOMETRES.get(name.strip("'"))
