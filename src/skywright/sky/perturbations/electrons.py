"""From the unit of images to electrons, and the noise that is in them."""

from __future__ import annotations

import astropy.units as u
import numpy as np

from skywright.data import Images

__all__ = ["background_rms", "background_variance", "electrons_per_unit"]

_MAD = 1.4826  # standard deviation of a normal law over its median absolute deviation


def electrons_per_unit(images: Images, gain: float | np.ndarray | None) -> np.ndarray:
    """Return how many electrons one unit of flux is, (band, 1, 1).

    Parameters
    ----------
    images : Images
        In electrons, or in anything else when ``gain`` is given.
    gain : float or (band,) [electron per unit], optional
        Of the whole exposure: for a coadd in count/s, gain times total exposure time.

    Raises
    ------
    ValueError
        Without a gain for images that are not in electrons.
    """
    if gain is None:
        if not images.unit.is_equivalent(u.electron):
            raise ValueError(
                f"images are in {images.unit}, and photon noise needs electrons; give gain=… "
                "[electron per unit], for a coadd that of its whole exposure"
            )
        gain = images.unit.to(u.electron)
    values = np.broadcast_to(np.asarray(gain, dtype=float), (len(images.bands),))
    if not (np.isfinite(values) & (values > 0)).all():
        raise ValueError(f"gain is {gain}; expected positive numbers of electrons per unit")
    return values[:, None, None]


def background_variance(images: Images) -> np.ndarray:
    """Return the variance of the background, (n, band, 1 or y, 1 or x) [unit^2].

    Without ``Images.variance`` it is that of the differences of neighbouring pixels of each cutout
    and band, through their median, which galaxies hardly move.
    """
    if images.variance is not None:
        return np.asarray(images.variance, dtype=float)
    steps = np.diff(np.asarray(images.flux, dtype=float), axis=-1)
    middle = np.median(np.abs(steps), axis=(2, 3), keepdims=True)
    return np.asarray((_MAD * middle) ** 2 / 2)


def background_rms(images: Images) -> np.ndarray:
    """Return the noise of the background, (n, band, 1 or y, 1 or x) [unit]."""
    return np.asarray(np.sqrt(background_variance(images)))
