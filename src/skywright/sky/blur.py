"""Blur light on a fine grid by the point spread function and bin it, once, into pixels."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from skywright.sky.psf import SIGMA_PER_FWHM, PointSpread

__all__ = ["Blur", "cells_per_pixel", "make_blur"]

MOFFAT_REACH = 5.0  # kernel half-width in FWHM

Blur = Callable[[Tensor, slice], Tensor]


def make_blur(
    psf: PointSpread, *, pixels: int, scale: float, supersample: int, margin: int, like: Tensor
) -> Blur:
    """Prepare to convolve with the point spread function and to integrate over pixels, at once.

    Parameters
    ----------
    psf : PointSpread
        One per band, or one for all.
    pixels : int
        Side of the image.
    scale : float [angle]
        Image pixel.
    supersample, margin : int
        Fine cells per pixel, and pixels of border that the fine grid is wider on each side.
    like : Tensor
        Type and device of the image.

    Returns
    -------
    blur : callable
        From flux ``(system, band, y, x)`` concentrated at the centres of the cells of the fine
        grid, and a slice that says which systems these are, to the image
        ``(system, band, y, x)``. The pixel response enters once.
    """
    if psf.beta is None and psf.kernel is None:
        fractions = pixel_integrals(psf.fwhm, scale, pixels, supersample, margin).to(like)

        def blur_gaussian(flux: Tensor, rows: slice) -> Tensor:
            mine = fractions[rows] if fractions.ndim == 4 and len(fractions) > 1 else fractions
            image: Tensor = mine @ flux @ mine.transpose(-1, -2)
            return image

        return blur_gaussian
    cells = (pixels + 2 * margin) * supersample
    if psf.kernel is None:
        kernel, move = _moffat_kernel(psf, scale / supersample), None
    else:
        kernel, supersample, move = _kernel_on_grid(psf, supersample, cells)
        cells = (pixels + 2 * margin) * supersample
    transform, shape = _transform(kernel, supersample, cells, like)
    first = margin * supersample
    kept = slice(first, first + pixels * supersample, supersample)

    def blur_kernel(flux: Tensor, rows: slice) -> Tensor:
        if move is not None:
            flux = move.T.to(flux) @ flux @ move.to(flux)
        image: Tensor = torch.fft.irfft2(torch.fft.rfft2(flux, s=shape) * transform, s=shape)
        return image[..., kept, kept]

    return blur_kernel


def pixel_integrals(
    fwhm: Tensor, scale: float, pixels: int, supersample: int, margin: int
) -> Tensor:
    """Return how much of a Gaussian in a fine cell falls into each pixel, along one axis.

    Returns
    -------
    fractions : (..., pixel, cell)
    """
    cells = (torch.arange((pixels + 2 * margin) * supersample).to(fwhm) + 0.5) / supersample
    edges = torch.arange(pixels + 1).to(fwhm) + margin
    sigma = (fwhm * SIGMA_PER_FWHM * math.sqrt(2) / scale)[..., None, None]
    below = torch.erf((edges[:, None] - cells) / sigma) / 2
    return below[..., 1:, :] - below[..., :-1, :]


def _transform(
    kernel: Tensor, supersample: int, cells: int, like: Tensor
) -> tuple[Tensor, tuple[int, int]]:
    """Return the Fourier transform that blurs cells and sums them into the pixel they start."""
    half = [min(size // 2, cells) for size in kernel.shape[-2:]]
    middle = [size // 2 for size in kernel.shape[-2:]]
    kernel = kernel[
        ...,
        middle[0] - half[0] : middle[0] + half[0] + 1,
        middle[1] - half[1] : middle[1] + half[1] + 1,
    ]
    height, width = (_fast(cells + h + supersample) for h in half)
    wrapped = torch.zeros(len(kernel), height, width, dtype=torch.float64)
    wrapped[:, : kernel.shape[-2], : kernel.shape[-1]] = kernel
    wrapped = torch.roll(wrapped, (-half[0], -half[1]), (-2, -1))
    for axis in (-2, -1):
        wrapped = torch.stack([torch.roll(wrapped, -k, axis) for k in range(supersample)]).sum(0)
    return torch.fft.rfft2(wrapped.to(like)), (height, width)


def _fast(size: int) -> int:
    """Return the next size without large prime factors."""
    while True:
        rest = size
        for prime in (2, 3, 5):
            while rest % prime == 0:
                rest //= prime
        if rest == 1:
            return size
        size += 1


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


def cells_per_pixel(psf: PointSpread, needed: int) -> int:
    """Return a number of cells per pixel, at least ``needed``, on which the kernel is known."""
    if psf.kernel is None:
        return needed
    for divisor in range(needed, psf.oversampling + 1):
        if psf.oversampling % divisor == 0 and psf.oversampling // divisor % 2:
            return divisor
    return psf.oversampling * math.ceil(needed / psf.oversampling)


def _kernel_on_grid(
    psf: PointSpread, supersample: int, cells: int
) -> tuple[Tensor, int, Tensor | None]:
    """Return the kernel for a grid, the cells per pixel of that grid, and how to get there.

    A grid coarser than the kernel's sums kernel cells. From a finer grid flux moves to the
    kernel's with the weights of cubic interpolation: convolution then interpolates the kernel.
    """
    assert psf.kernel is not None
    kernel, oversampling = psf.kernel.cpu(), psf.oversampling
    if supersample <= oversampling:
        return _sum_cells(kernel, oversampling // supersample), supersample, None
    ratio = supersample // oversampling
    position = (torch.arange(cells, dtype=kernel.dtype) + 0.5) / ratio - 0.5
    return kernel, oversampling, cubic_weights(position, cells // ratio)


def _sum_cells(kernel: Tensor, ratio: int) -> Tensor:
    """Sum an odd number of kernel cells around the centre of each coarser cell."""
    border = [-(size // 2) % ratio + ratio // 2 for size in kernel.shape[-2:]]
    kernel = torch.nn.functional.pad(kernel, (border[1], border[1], border[0], border[0]))
    bands, rows, columns = kernel.shape
    cells = kernel.reshape(bands, rows // ratio, ratio, columns // ratio, ratio)
    return cells.sum((2, 4))


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
