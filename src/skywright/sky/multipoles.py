"""Move flux from between the points of a grid onto the grid, without blurring it.

Flux at a point goes to the 5 x 5 nearest grid points with the weights of Lagrange interpolation,
so that any smooth function (a point spread function is one) integrates over the grid as over the
point. Finer samples inside a cell first become the cell's multipoles up to second order: flux,
its first moments x, y, and x^2/2, xy, y^2/2, in units of grid cells about the cell's centre.
"""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["SPLIT", "add_points", "add_to_grid", "gather_samples", "offsets"]

SPLIT = 3  # finer cells per cell and axis, from level to level
STENCIL = 5
# Lagrange polynomials of the points -2 ... 2: coefficients of t^0 ... t^4.
POLYNOMIALS = (
    (0, 2 / 24, -1 / 24, -2 / 24, 1 / 24),
    (0, -4 / 6, 4 / 6, 1 / 6, -1 / 6),
    (1, 0, -5 / 4, 0, 1 / 4),
    (0, 4 / 6, 4 / 6, -1 / 6, -1 / 6),
    (0, -2 / 24, -1 / 24, 2 / 24, 1 / 24),
)
ORDERS = ((0, 0), (1, 0), (0, 1), (2, 0), (1, 1), (0, 2))  # of x and y in the multipoles


def offsets(level: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """Return x and y of the samples in a cell, in units of a cell ``level - 1`` levels up."""
    step = (torch.arange(SPLIT, dtype=like.dtype, device=like.device) + 0.5) / SPLIT - 0.5
    step = step / SPLIT ** (level - 1)
    return step.repeat(SPLIT), step.repeat_interleave(SPLIT)


def gather_samples(flux: Tensor, child: Tensor | None, deeper: Tensor | None, level: int) -> Tensor:
    """Return the multipoles of samples, about each sample.

    Parameters
    ----------
    flux : (cell, sample)
        What the samples hold themselves.
    child : (finer cell,), optional
        Which samples, counting all cells' as one list, are cells of the next level.
    deeper : (finer cell, sample, 6), optional
        Multipoles of the samples of those.
    level : int
        Level of ``flux``.

    Returns
    -------
    multipoles : (cell, sample, 6)
    """
    poles = torch.zeros(*flux.shape, 6, dtype=flux.dtype, device=flux.device)
    poles[..., 0] = flux
    if child is not None and deeper is not None:
        poles.view(-1, 6)[child] += deeper.flatten(1) @ _shifts(level + 1, flux)
    return poles


def _shifts(level: int, like: Tensor) -> Tensor:
    """Return the matrix from multipoles about the samples of a cell to those about its centre."""
    x, y = offsets(level, like)
    zero, one = torch.zeros_like(x), torch.ones_like(x)
    # Row: multipole about the sample; column: multipole about the cell.
    rows = (
        (one, x, y, x * x / 2, x * y, y * y / 2),
        (zero, one, zero, x, y, zero),
        (zero, zero, one, zero, x, y),
        (zero, zero, zero, one, zero, zero),
        (zero, zero, zero, zero, one, zero),
        (zero, zero, zero, zero, zero, one),
    )
    return torch.stack([torch.stack(row, -1) for row in rows], 1).flatten(0, 1)


def add_to_grid(flux: Tensor, index: Tensor, poles: Tensor) -> None:
    """Add samples inside grid cells to the grid, in place.

    Parameters
    ----------
    flux : (..., y, x)
        Contiguous planes.
    index : (cell,)
        Cells, at least two from the edge, counting all of ``flux`` as one list.
    poles : (cell, sample, 6)
        Multipoles about the samples of the first level.
    """
    x, y = offsets(1, flux)
    weights = [
        lagrange(y, order_y)[:, :, None] * lagrange(x, order_x)[:, None]
        for order_x, order_y in ORDERS
    ]
    matrix = torch.stack(weights, 1).flatten(0, 1).flatten(1)
    _scatter(flux, index, poles.flatten(1) @ matrix)


def add_points(flux: Tensor, plane: Tensor, x: Tensor, y: Tensor, value: Tensor) -> None:
    """Add points to the grid, in place.

    Parameters
    ----------
    flux : (..., y, x)
        Contiguous planes, centred on the origin.
    plane : (point,)
        Which plane, counting the leading axes of ``flux`` as one.
    x, y : (point,) [cell]
        Position; points outside the grid, or less than two cells from its edge, are dropped.
    value : (point,)
        Flux.
    """
    height, width = flux.shape[-2:]
    column, row = x + (width - 1) / 2, y + (height - 1) / 2
    i, j = torch.round(row), torch.round(column)
    inside = (i >= 2) & (i < height - 2) & (j >= 2) & (j < width - 2)
    weights = lagrange(row - i, 0)[:, :, None] * lagrange(column - j, 0)[:, None]
    index = (plane * height + i.long()) * width + j.long()
    _scatter(flux, index[inside], (weights.flatten(1) * value[:, None])[inside])


def _scatter(flux: Tensor, index: Tensor, weights: Tensor) -> None:
    """Add ``weights`` (cell, 25) to the 5 x 5 points around each cell."""
    reach = torch.arange(STENCIL, device=flux.device) - STENCIL // 2
    around = (reach[:, None] * flux.shape[-1] + reach).flatten()
    flux.view(-1).index_add_(0, (index[:, None] + around).flatten(), weights.flatten())


def lagrange(t: Tensor, order: int) -> Tensor:
    """Return interpolation weights of the grid points -2 ... 2.

    Parameters
    ----------
    t : (point,) [cell]
        Position between -1/2 and 1/2.
    order : int
        0 for the value, 1 or 2 for the first or second derivative of what is interpolated.

    Returns
    -------
    weights : (point, 5)
    """
    zero, one = torch.zeros_like(t), torch.ones_like(t)
    powers = (
        (one, t, t**2, t**3, t**4),
        (zero, one, 2 * t, 3 * t**2, 4 * t**3),
        (zero, zero, 2 * one, 6 * t, 12 * t**2),
    )[order]
    return torch.stack(powers, -1) @ torch.tensor(POLYNOMIALS, dtype=t.dtype, device=t.device).T
