"""Point spread functions: blur a supersampled image and bin it once into pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["PointSpread", "blur", "gaussian_psf", "moffat_psf", "pixel_psf"]

SIGMA_PER_FWHM = 1 / (2 * math.sqrt(2 * math.log(2)))
MOFFAT_REACH = 5.0  # kernel half-width in FWHM


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


def blur(flux: Tensor, psf: PointSpread, scale: float, supersample: int, margin: int) -> Tensor:
    """Convolve with the point spread function and integrate over pixels, in one step.

    Parameters
    ----------
    flux : (system, band, y * supersample, x * supersample)
        Flux concentrated at the centres of the cells of a fine grid, ``margin`` pixels wider on
        each side than the image.
    psf : PointSpread
        One per band, or one for all.
    scale : float [angle]
        Image pixel.
    supersample, margin : int
        Cells per pixel, and pixels of border to cut off.

    Returns
    -------
    image : (system, band, y, x)
    """
    if psf.beta is None and psf.kernel is None:
        return _blur_gaussian(flux, psf.fwhm, scale, supersample, margin)
    if psf.kernel is not None:
        flux = _coarsen(flux, supersample, psf.oversampling)
        supersample, kernel = psf.oversampling, psf.kernel.to(flux)
    else:
        kernel = _moffat_kernel(psf, scale / supersample).to(flux)
    return _blur_kernel(flux, kernel, supersample, margin)


def _blur_gaussian(
    flux: Tensor, fwhm: Tensor, scale: float, supersample: int, margin: int
) -> Tensor:
    """Integrate a Gaussian around every cell over every pixel: two exact matrix products."""
    rows, columns = (
        pixel_integrals(fwhm.to(flux), scale, size // supersample - 2 * margin, supersample, margin)
        for size in flux.shape[-2:]
    )
    return rows @ flux @ columns.transpose(-1, -2)


def pixel_integrals(
    fwhm: Tensor, scale: float, pixels: int, supersample: int, margin: int
) -> Tensor:
    """Return how much of a Gaussian in a fine cell falls into each pixel, along one axis.

    Returns
    -------
    fractions : (..., pixel, cell)
    """
    like = {"dtype": fwhm.dtype, "device": fwhm.device}
    cells = (torch.arange((pixels + 2 * margin) * supersample, **like) + 0.5) / supersample
    edges = torch.arange(pixels + 1, **like) + margin
    sigma = (fwhm * SIGMA_PER_FWHM * math.sqrt(2) / scale)[..., None, None]
    below = torch.erf((edges[:, None] - cells) / sigma) / 2
    return below[..., 1:, :] - below[..., :-1, :]


def _moffat_kernel(psf: PointSpread, cell: float) -> Tensor:
    """Average Moffat profiles over fine cells with a three-point Gauss rule per axis."""
    assert psf.beta is not None
    half = math.ceil(MOFFAT_REACH * float(psf.fwhm.max()) / cell)
    nodes = torch.tensor([-math.sqrt(0.15), 0.0, math.sqrt(0.15)], dtype=torch.float64)
    weights = torch.tensor([5 / 18, 8 / 18, 5 / 18], dtype=torch.float64)
    axis = (torch.arange(-half, half + 1)[:, None] + nodes) * cell
    fwhm, beta = (
        p.to(torch.float64).cpu()[:, None, None, None, None] for p in (psf.fwhm, psf.beta)
    )
    alpha = fwhm / (2 * torch.sqrt(2 ** (1 / beta) - 1))
    squared = axis[:, :, None, None] ** 2 + axis[None, None] ** 2
    kernel = torch.einsum("bpiqj,i,j->bpq", (1 + squared / alpha**2) ** -beta, weights, weights)
    return kernel / kernel.sum((-2, -1), keepdim=True)


def _coarsen(flux: Tensor, supersample: int, oversampling: int) -> Tensor:
    """Move flux from a fine grid to the kernel's grid; convolution then interpolates."""
    if supersample == oversampling:
        return flux
    rows, columns = (
        cubic_weights(
            (torch.arange(size, dtype=flux.dtype, device=flux.device) + 0.5)
            * (oversampling / supersample)
            - 0.5,
            size * oversampling // supersample,
        )
        for size in flux.shape[-2:]
    )
    return rows.T @ flux @ columns


def cubic_weights(position: Tensor, size: int) -> Tensor:
    """Return four-point Lagrange weights of points on a grid of unit cells.

    Parameters
    ----------
    position : (point,) [cell]
        Where the points lie; integers are cell centres.
    size : int
        Number of cells. Weights that fall outside are dropped with their flux.

    Returns
    -------
    weights : (point, size)
    """
    first = torch.floor(position)
    t = position - first
    values = torch.stack(
        (
            -t * (t - 1) * (t - 2) / 6,
            (t + 1) * (t - 1) * (t - 2) / 2,
            -(t + 1) * t * (t - 2) / 2,
            (t + 1) * t * (t - 1) / 6,
        ),
        -1,
    )
    index = first.long()[:, None] + torch.arange(-1, 3, device=position.device)
    padded = torch.zeros(len(position), size + 8, dtype=position.dtype, device=position.device)
    return padded.scatter(1, (index + 4).clamp(0, size + 7), values)[:, 4 : size + 4]


def _blur_kernel(flux: Tensor, kernel: Tensor, supersample: int, margin: int) -> Tensor:
    """Convolve with a kernel on the fine grid by Fourier transform, then sum cells to pixels."""
    height, width = flux.shape[-2:]
    shape = [height + kernel.shape[-2] // 2, width + kernel.shape[-1] // 2]
    wrapped = torch.zeros(len(kernel), *shape, dtype=flux.dtype, device=flux.device)
    ky, kx = kernel.shape[-2:]
    if ky > shape[0] or kx > shape[1]:
        cut_y, cut_x = max(0, (ky - height) // 2 + 1), max(0, (kx - width) // 2 + 1)
        return _blur_kernel(
            flux, kernel[:, cut_y : ky - cut_y, cut_x : kx - cut_x], supersample, margin
        )
    wrapped[:, :ky, :kx] = kernel
    wrapped = torch.roll(wrapped, (-(ky // 2), -(kx // 2)), (-2, -1))
    blurred = torch.fft.irfft2(torch.fft.rfft2(flux, s=shape) * torch.fft.rfft2(wrapped), s=shape)[
        ..., :height, :width
    ]
    image = blurred.unflatten(-1, (-1, supersample)).sum(-1)
    image = image.unflatten(-2, (-1, supersample)).sum(-2)
    return image[..., margin : image.shape[-2] - margin, margin : image.shape[-1] - margin]


def _positive(value: Tensor | list[float] | float, name: str) -> Tensor:
    """Return ``value`` as a tensor with at least one axis, refusing what is not positive."""
    tensor = torch.atleast_1d(torch.as_tensor(value, dtype=torch.float64))
    if not bool((tensor > 0).all()) or not bool(torch.isfinite(tensor).all()):
        raise ValueError(f"{name} is {tensor.tolist()}; expected positive finite numbers")
    return tensor
