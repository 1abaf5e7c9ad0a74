"""Point spread functions: Gaussian, Moffat, or measured pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = [
    "PointSpread",
    "gaussian_psf",
    "moffat_psf",
    "pixel_psf",
]


SIGMA_PER_FWHM = 1 / (2 * math.sqrt(2 * math.log(2)))


@dataclass(frozen=True)
class PointSpread:
    """The image of a point in every band, with total flux 1.

    Made by `gaussian_psf`, `moffat_psf` or `pixel_psf`.

    Parameters
    ----------
    fwhm : (band,) or (system, band) [angle]
        Full width at half maximum, before the pixel integrates; measured on a pixel kernel.
    beta : (band,) [1], optional
        Exponent of a Moffat profile.
    kernel : (band, y, x), optional
        Flux fractions of a pixel kernel, odd number of rows and columns, centred.
    oversampling : int
        Kernel cells per image pixel.
    """

    fwhm: Tensor
    beta: Tensor | None = None
    kernel: Tensor | None = None
    oversampling: int = 1


def gaussian_psf(fwhm: Tensor | list[float] | float) -> PointSpread:
    """Make a Gaussian point spread function.

    Parameters
    ----------
    fwhm : (band,) or (system, band) [angle]
        Full width at half maximum.
    """
    return PointSpread(_positive(fwhm, "fwhm"))


def moffat_psf(
    fwhm: Tensor | list[float] | float, beta: Tensor | list[float] | float = 3.0
) -> PointSpread:
    """Make a Moffat point spread function, cut at 5 FWHM and normalised there.

    Parameters
    ----------
    fwhm : (band,) [angle]
        Full width at half maximum.
    beta : (band,) [1]
        Exponent, greater than 1.

    References
    ----------
    Moffat 1969, A&A 3, 455, eq. 7.
    """
    width = _positive(fwhm, "fwhm")
    exponent = _positive(beta, "beta").expand_as(width)
    if bool((exponent <= 1).any()):
        raise ValueError(f"beta is {exponent.tolist()}; a Moffat profile needs beta > 1")
    return PointSpread(width, beta=exponent)


def pixel_psf(kernel: Tensor, scale: float, oversampling: int = 1) -> PointSpread:
    """Make a point spread function out of measured pixels.

    Parameters
    ----------
    kernel : (band, y, x) or (y, x)
        Flux in cells of ``scale / oversampling``; odd numbers of rows and columns, the point in
        the centre of the middle cell. Normalised here. Between cells it is interpolated.
    scale : float [angle]
        Image pixel.
    oversampling : int
        Kernel cells per image pixel.
    """
    kernel = torch.as_tensor(kernel, dtype=torch.float64)
    kernel = kernel if kernel.ndim == 3 else kernel[None]
    if kernel.ndim != 3 or kernel.shape[-1] % 2 == 0 or kernel.shape[-2] % 2 == 0:
        raise ValueError(
            f"kernel has shape {tuple(kernel.shape)}; expected (band, y, x) with odd y and x, "
            "so that the point lies in the centre of the middle cell"
        )
    total = kernel.sum((-2, -1), keepdim=True)
    if not bool(torch.isfinite(kernel).all()) or bool((total <= 0).any()):
        raise ValueError("kernel has NaN or no positive sum; mask or replace the bad pixels first")
    kernel = kernel / total
    # The width of a Gaussian with the same peak: sum of squares would be biased by noisy wings.
    cell = scale / oversampling
    sigma = cell / torch.sqrt(2 * math.pi * kernel.amax((-2, -1)))
    return PointSpread(sigma / SIGMA_PER_FWHM, kernel=kernel, oversampling=int(oversampling))


def _positive(value: Tensor | list[float] | float, name: str) -> Tensor:
    """Return ``value`` as a tensor with at least one axis, refusing what is not positive."""
    tensor = torch.as_tensor(value, dtype=torch.float64)
    tensor = tensor if tensor.ndim else tensor[None]
    if not bool((tensor > 0).all()) or not bool(torch.isfinite(tensor).all()):
        raise ValueError(f"{name} is {tensor.tolist()}; expected positive finite numbers")
    return tensor
