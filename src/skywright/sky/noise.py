"""Photon, sky and read noise of a coadd, in stated units.

Images are count rates [count/s], a count being what the zero point refers to: a source of
magnitude m gives 10^(-0.4 (m - zero_point)) count/s. ``gain`` [electron/count] says how many
electrons make one; it is 1 where the zero point is that of electrons. A coadd of ``exposures``
images of ``exposure_time`` each collects electrons over the total time, from the source too, and
read noise once per exposure.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor

__all__ = ["add_noise", "correlate", "nanojansky", "noise_variance", "sky_rate"]

AB_ZERO_POINT_NJY = 31.4  # AB magnitude of 1 nJy


def nanojansky(zero_point: Any) -> Any:
    """Return the flux of one count/s [nJy] for an AB ``zero_point`` [mag].

    References
    ----------
    Oke & Gunn 1983, ApJ 266, 713 (0 mag = 3631 Jy).

    Examples
    --------
    >>> float(nanojansky(31.4))
    1.0
    """
    return 10 ** (0.4 * (AB_ZERO_POINT_NJY - zero_point))


def sky_rate(sky: Any, zero_point: Any, scale: float) -> Any:
    """Return the light of the sky in one pixel [count/s].

    Parameters
    ----------
    sky : (band,) or number [mag/arcsec^2]
        Sky brightness.
    zero_point : (band,) or number [mag]
        Magnitude of one count/s.
    scale : float [arcsec]
        Size of a pixel.
    """
    return 10 ** (-0.4 * (sky - zero_point)) * scale**2


def noise_variance(
    image: Any,
    *,
    sky: Any,
    zero_point: Any,
    exposure_time: Any,
    exposures: Any = 1,
    scale: float,
    read_noise: Any = 0.0,
    gain: Any = 1.0,
) -> Any:
    """Return the variance of each pixel of a coadd.

    Parameters
    ----------
    image : (..., band, y, x) Tensor [count/s]
        Noiseless image without sky; 0 for an empty stamp.
    sky, zero_point, scale
        As for `sky_rate`.
    exposure_time : (band,) or number [s]
        Of one exposure.
    exposures : (band,) or number
        How many are added up.
    read_noise : (band,) or number [electron]
        Standard deviation of a pixel of one exposure.
    gain : (band,) or number [electron/count]
        Electrons per count.

    Returns
    -------
    variance : (..., band, y, x) [(count/s)^2]
        ((image + sky) gain T + exposures read_noise^2) / (gain T)^2 with T the total time.

    References
    ----------
    Howell 2006, Handbook of CCD Astronomy, eq. 4.4 (variance of one pixel).
    """
    electrons, background, read = _electrons(
        image, sky, zero_point, exposure_time, exposures, scale, read_noise, gain
    )
    return (image.clamp_min(0) * electrons + background + read**2) / electrons**2


def add_noise(
    image: Tensor,
    rng: np.random.Generator | torch.Generator,
    *,
    sky: Any,
    zero_point: Any,
    exposure_time: Any,
    exposures: Any = 1,
    scale: float,
    read_noise: Any = 0.0,
    gain: Any = 1.0,
) -> Tensor:
    """Draw a coadd with photon, sky and read noise, the mean sky subtracted.

    Parameters
    ----------
    image : (..., band, y, x) [count/s]
        Noiseless image.
    rng : numpy or torch Generator
        Source of randomness; a torch generator has to live on the device of ``image``.
    sky, zero_point, exposure_time, exposures, scale, read_noise, gain
        As for `noise_variance`.

    Returns
    -------
    noisy : (..., band, y, x) [count/s]
    """
    electrons, background, read = _electrons(
        image, sky, zero_point, exposure_time, exposures, scale, read_noise, gain
    )
    expected = image.clamp_min(0) * electrons + background
    if isinstance(rng, torch.Generator):
        collected = torch.poisson(expected, generator=rng)
        normal = torch.randn(image.shape, generator=rng, dtype=image.dtype, device=image.device)
    else:
        counts = rng.poisson(expected.cpu().numpy())
        collected = torch.as_tensor(counts, dtype=image.dtype, device=image.device)
        draws = rng.standard_normal(tuple(image.shape))
        normal = torch.as_tensor(draws, dtype=image.dtype, device=image.device)
    return (collected - background + read * normal) / electrons


def correlate(noise: np.ndarray, width: float) -> np.ndarray:
    """Tie the noise of neighbouring pixels together, as resampling does in a coadd.

    Parameters
    ----------
    noise : (…, y, x)
        Independent noise.
    width : float [pixel]
        Standard deviation of the Gaussian it is smoothed with; the variance of single pixels stays
        what it was. 0 leaves the noise alone.
    """
    if width == 0:
        return noise
    point = np.zeros((1 + 2 * int(np.ceil(5 * width)),) * 2)
    point[len(point) // 2, len(point) // 2] = 1
    left = np.sqrt((gaussian_filter(point, width) ** 2).sum()).astype(noise.dtype)
    return np.asarray(gaussian_filter(noise, width, axes=(-2, -1), mode="wrap") / left)


def _electrons(
    image: Tensor,
    sky: Any,
    zero_point: Any,
    exposure_time: Any,
    exposures: Any,
    scale: float,
    read_noise: Any,
    gain: Any,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return electrons per count/s, those of the sky in a pixel, and the rms of all read-outs."""
    values = {
        "sky": sky,
        "zero_point": zero_point,
        "exposure_time": exposure_time,
        "exposures": exposures,
        "read_noise": read_noise,
        "gain": gain,
    }
    named = {name: _per_band(name, value, image) for name, value in values.items()}
    for name in ("exposure_time", "exposures", "gain"):
        if not bool((named[name] > 0).all()):
            raise ValueError(f"{name} is {values[name]}; expected positive numbers")
    if not bool((named["read_noise"] >= 0).all()) or scale <= 0:
        raise ValueError(f"got read noise {read_noise} and scale {scale}; expected no negatives")
    electrons = named["gain"] * named["exposure_time"] * named["exposures"]
    background = sky_rate(named["sky"], named["zero_point"], scale) * electrons
    return electrons, background, named["read_noise"] * named["exposures"].sqrt()


def _per_band(name: str, value: Any, image: Tensor) -> Tensor:
    tensor = torch.as_tensor(value, dtype=image.dtype, device=image.device)
    if not bool(torch.isfinite(tensor).all()):
        raise ValueError(f"{name} is {value}; expected finite numbers")
    return tensor if tensor.ndim == 0 else tensor[..., None, None]
