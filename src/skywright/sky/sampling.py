"""Sample light on a grid, and ever finer around the centres of profiles.

A profile is smooth except around its centre, where a Sersic core is a cusp that no uniform grid
resolves. The light is therefore split by smooth windows of the distance from the centre, measured
in the source plane, so that the lensed images of a core, arcs and rings are all found:

    I = I (1 - w1) + I (w1 - w2) + ... + I wL,    w_l of radius rho / 3^(l - 1)

The first term is sampled on the grid, the term of w_l on cells 3^l times narrower, and only there
where w_l is not zero. Because the windows are smooth no error arises at an edge between levels.
The finer samples travel up to the grid as multipoles (`skywright.sky.multipoles`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from skywright.sky.multipoles import SPLIT, add_to_grid, gather_samples, offsets

__all__ = ["Grid", "make_grid", "sample"]

WINDOW = 3.5  # cells: radius of the first window
USUAL, DEEPEST = 3, 8  # windows where nothing is known of a profile, and at most
REACH = 0.5  # cells: how far outside a window a cell may be centred and still be refined

Rays = Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]
Profile = Callable[..., Tensor]


@dataclass(frozen=True)
class Grid:
    """A square grid of cells around the origin.

    Parameters
    ----------
    axis : (cell,) [angle]
        Coordinates of cell centres along either axis.
    cell : float [angle]
        Width of a cell.
    """

    axis: Tensor
    cell: float


def make_grid(pixels: int, scale: float, supersample: int, like: Tensor) -> Grid:
    """Make a grid of ``supersample`` cells per pixel, of the type and device of ``like``."""
    count = pixels * supersample
    cell = scale / supersample
    axis = torch.arange(count, dtype=like.dtype, device=like.device) - (count - 1) / 2
    return Grid(axis * cell, cell)


def sample(
    grid: Grid,
    traced: tuple[Tensor, Tensor],
    rays: Rays,
    profile: Profile,
    parameters: Mapping[str, Tensor],
    finest: Tensor | None = None,
) -> Tensor:
    """Integrate the light of each component over the cells of a grid.

    Parameters
    ----------
    grid : Grid
        Where to sample.
    traced : (1 or system, 1 or y, 1 or x) [angle]
        Source positions of the cells of the grid.
    rays : callable
        Source positions of ``x, y`` (point, sample) of the systems ``system`` (point,).
    profile : callable
        Surface brightness.
    parameters : mapping of (system, component)
        Parameters of the profile, ``x0`` and ``y0`` among them.
    finest : (1 or system, component) [angle], optional
        Width of samples that resolves the centre; left out, a 27th of a cell.

    Returns
    -------
    flux : (system, component, y, x)
        Flux, placed on the centres of cells.
    """
    shape = (*parameters["x0"].shape, len(grid.axis), len(grid.axis))
    u, v = (w[:, None] for w in traced)
    spread = {name: value[..., None, None] for name, value in parameters.items()}
    flux = (profile(u, v, **spread) * grid.cell**2).expand(shape).contiguous()
    levels = _levels(finest, grid.cell, parameters["x0"])
    packed = torch.stack([value.flatten() for value in parameters.values()], -1)
    light = _Light(rays, profile, tuple(parameters), shape[1], packed, levels)
    dx, dy = u - spread["x0"], v - spread["y0"]
    squared = (dx * dx + dy * dy).expand(shape).flatten(0, 1)
    squared = torch.where(levels[:, None, None] > 0, squared, torch.inf)
    rho = WINDOW * grid.cell
    near = squared[:, 2:-2, 2:-2] < (rho + REACH * grid.cell) ** 2
    plane, row, column = torch.nonzero(near, as_tuple=True)
    row, column = row + 2, column + 2
    index = (plane * shape[2] + row) * shape[3] + column
    flat = flux.view(-1)
    flat[index] -= flat[index] * _window(squared.reshape(-1)[index], rho)
    x, y = grid.axis[column], grid.axis[row]
    add_to_grid(flux, index, _samples(light, plane, x, y, grid.cell, 1, rho))
    return flux


def _levels(finest: Tensor | None, cell: float, like: Tensor) -> Tensor:
    """Return how many windows each plane (system and component) needs."""
    if finest is None:
        return torch.full((like.numel(),), USUAL, dtype=torch.long, device=like.device)
    levels = torch.ceil(torch.log(cell / finest) / math.log(SPLIT)).clamp(0, DEEPEST)
    return levels.expand_as(like).flatten().long()


@dataclass(frozen=True)
class _Light:
    """What brightness depends on, with one row for each plane, and where it is steep."""

    rays: Rays
    profile: Profile
    names: tuple[str, ...]
    components: int
    parameters: Tensor
    levels: Tensor


def _samples(
    light: _Light, plane: Tensor, x: Tensor, y: Tensor, width: float, level: int, rho: float
) -> Tensor:
    """Return the multipoles of all samples in cells of one level, deeper levels included.

    Parameters
    ----------
    light : _Light
        What shines.
    plane : (cell,)
        System and component as one number.
    x, y : (cell,) [angle]
        Centres of the cells.
    width : float [angle]
        Their width.
    level : int
        The first level is 1.
    rho : float [angle]
        Radius of the window of this level.

    Returns
    -------
    multipoles : (cell, sample, 6)
    """
    right, up = offsets(1, x)
    width_sample = width / SPLIT
    x, y = x[:, None] + right * width, y[:, None] + up * width
    u, v = light.rays(x, y, plane // light.components)
    local = light.parameters[plane].T[..., None]
    named = dict(zip(light.names, local, strict=True))
    dx, dy = u - named["x0"], v - named["y0"]
    squared = dx * dx + dy * dy
    # A plane that needs no deeper level is infinitely far from the next window.
    further = torch.where((light.levels[plane] > level)[:, None], squared, torch.inf)
    following = rho / SPLIT
    share = _window(squared, rho) - _window(further, following)
    flux = light.profile(u, v, **named) * share * width_sample**2
    near = further < (following + REACH * width_sample) ** 2
    child = torch.nonzero(near.flatten())[:, 0]
    if not len(child):
        return gather_samples(flux, None, None, level)
    plane = plane[child // SPLIT**2]
    x, y = x.flatten()[child], y.flatten()[child]
    deeper = _samples(light, plane, x, y, width_sample, level + 1, following)
    return gather_samples(flux, child, deeper, level)


def _window(squared: Tensor, rho: float) -> Tensor:
    """Fall smoothly from 1 at distance 0 to 0 at ``rho`` and beyond."""
    t = (1 - squared / rho**2).clamp_min(0)
    return t * t * (3 - 2 * t)
