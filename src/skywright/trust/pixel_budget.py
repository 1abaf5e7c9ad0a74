"""How many pixels an attack may change and by how much, in the units of the detector."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["PixelBudget", "pixel_budget"]


@dataclass(frozen=True)
class PixelBudget:
    """What an attack may do.

    Parameters
    ----------
    pixels : int
        Most pixels that change; a pixel changes in all bands.
    change : (band,) [unit]
        Largest change of a pixel, either way.
    lowest, highest : (band,) [unit]
        Range of the pixels of the data, which is kept.
    """

    pixels: int
    change: np.ndarray
    lowest: np.ndarray
    highest: np.ndarray


def pixel_budget(
    flux: np.ndarray,
    pixels: int = 1,
    *,
    electrons: float | None = None,
    gain: float | np.ndarray | None = None,
    snr: float | None = None,
    rms: float | np.ndarray | None = None,
) -> PixelBudget:
    """Say what an attack may do: as many electrons, or as much signal to noise, in each pixel.

    Parameters
    ----------
    flux : (n, band, y, x) [unit]
        The data, whose range is kept.
    pixels : int
        Most pixels that change.
    electrons : float [electron], optional
        Largest change of a pixel in each band; needs ``gain``.
    gain : float or (band,) [electron per unit]
        Electrons per unit of flux.
    snr : float, optional
        Largest change over the noise of the background; needs ``rms``.
    rms : float or (band,) [unit]
        Noise of the background.

    Returns
    -------
    PixelBudget
        Without ``electrons`` and ``snr`` a pixel may take any value of the data; with both the
        smaller change holds.

    Examples
    --------
    >>> budget = pixel_budget(np.zeros((1, 2, 8, 8)), electrons=3e4, gain=100.0)
    >>> budget.change
    array([300., 300.])
    """
    if pixels < 1:
        raise ValueError(f"{pixels} pixels; expected at least one")
    bands = flux.shape[1]
    change = np.full(bands, np.inf)
    for amount, unit, name in ((electrons, gain, "gain"), (snr, rms, "rms")):
        if amount is None:
            continue
        if unit is None:
            raise ValueError(f"a budget without {name}; expected {name}=… to turn it into flux")
        factor = 1 / np.asarray(unit, float) if name == "gain" else np.asarray(unit, float)
        change = np.minimum(change, amount * factor)
    lowest, highest = flux.min(axis=(0, 2, 3)), flux.max(axis=(0, 2, 3))
    return PixelBudget(pixels, change, np.asarray(lowest), np.asarray(highest))
