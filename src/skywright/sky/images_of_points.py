"""Solve the lens equation: where a point behind a lens is seen, and how bright."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from skywright.sky.lensing import Lens, Planes, crossings, jacobian, map_parameters, masses, trace

__all__ = ["image_positions"]

DEEPER = 4  # smaller cells per cell and axis, where images may be close together
LEVELS = 3  # of smaller cells around masses
STEPS = 24
ROUNDING = 1e-9  # of the area of a traced triangle


def image_positions(
    x: Tensor | float,
    y: Tensor | float,
    lens: Lens,
    *,
    reach: float,
    step: float,
    faintest: float = 1e-3,
) -> tuple[Tensor, Tensor, Tensor]:
    """Find all images of point sources.

    Cells of a grid whose traced triangles hold the source are looked at more closely, as are
    those on critical curves and around masses; Newton's method ends it.

    Parameters
    ----------
    x, y : (system, point) or (system,) or number [angle]
        Source positions.
    lens : mapping, sequence of mappings, or Planes
        As for `skywright.sky.lensing.crossings`; parameters (system,) or numbers.
    reach : float [angle]
        Images are looked for between -reach and reach on both axes.
    step : float [angle]
        Width of the cells. Two images closer than a quarter of it may be missed.
    faintest : float [1]
        Images with a smaller absolute magnification are left out.

    Returns
    -------
    image_x, image_y : (system, point, image) [angle]
        Image positions, the brightest first; NaN where there is no such image.
    magnification : (system, point, image) [1]
        Signed magnification, negative at saddle points, 0 where there is no such image.

    Examples
    --------
    >>> _, _, mu = image_positions(0.2, 0.0, {"theta_e": 1.0}, reach=2.0, step=0.1)
    >>> [round(float(m), 3) for m in mu[0, 0]]
    [6.0, -4.0]
    """
    dtype = x.dtype if isinstance(x, Tensor) else torch.float64
    parts, u, v = _to_batch(lens, x, y)
    shape, source_x, source_y = u.shape, u.flatten(), v.flatten()
    which = torch.arange(len(source_x), device=u.device)
    system = which // shape[1]
    count = max(2, round(2 * reach / step))
    axis = torch.arange(count, dtype=u.dtype, device=u.device) * step - (count - 1) / 2 * step
    left = axis.repeat(count).expand(len(which), -1)
    low = axis.repeat_interleave(count).expand(len(which), -1)
    cells = (which[:, None].expand_as(left).flatten(), left.flatten(), low.flatten())
    points = source_x, source_y, system
    holds, folds = _promising(cells, step, points, parts)
    # The finer triangles of an image near an edge may lie on its other side.
    holds = holds.reshape(-1, 1, count, count).double()
    around = torch.nn.functional.max_pool2d(holds, 3, 1, 1).flatten() > 0
    torn = _near_a_mass(cells, 2 * step, system, parts)
    which, u, v = _closer(_some(cells, around | folds | torn), step, points, parts)
    mine = _rows(parts, system[which])
    u, v, mu, good = _newton(u, v, source_x[which], source_y[which], mine, step)
    keep = good & (mu.abs() > faintest)
    found = _sorted(which[keep], u[keep], v[keep], mu[keep], shape, 1e-4 * step)
    return found[0].to(dtype), found[1].to(dtype), found[2].to(dtype)


def _closer(
    cells: tuple[Tensor, Tensor, Tensor],
    width: float,
    points: tuple[Tensor, Tensor, Tensor],
    lens: Planes,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return smaller cells that hold their source; around masses ever smaller ones.

    A singular mass tears the plane behind it: of a cell that it lies in nothing can be said. One
    behind another lens has images there that are not faint.
    """
    found = []
    for level in range(LEVELS):
        cells, width = _split(cells, width), width / DEEPER
        holds, _ = _promising(cells, width, points, lens)
        found.append(_some(cells, holds))
        if level + 1 < LEVELS:
            cells = _some(cells, _near_a_mass(cells, 2 * width, points[2], lens))
    which, u, v = (torch.cat(columns) for columns in zip(*found, strict=True))
    return which, u, v


def _to_batch(lens: Lens, x: Tensor | float, y: Tensor | float) -> tuple[Planes, Tensor, Tensor]:
    """Bring sources to (system, point) and parameters to (system,), in double precision."""

    def tensor(value: Any) -> Tensor:
        read = torch.as_tensor(value, dtype=torch.float64)
        return read if read.ndim else read[None]

    device = x.device if isinstance(x, Tensor) else torch.device("cpu")
    u, v = (tensor(value).to(device) for value in (x, y))
    u, v = (value if value.ndim == 2 else value[:, None] for value in (u, v))
    planes = map_parameters(lens, lambda value: tensor(value).to(device))
    values = [v for plane in planes.masses for mass in masses(plane) for v in mass.values()]
    values += [weight for row in planes.weights for weight in row if weight is not None]
    systems = max(len(value) for value in [u, v, *values] if not callable(value))
    points = max(u.shape[1], v.shape[1])
    spread = map_parameters(planes, lambda value: value.expand(systems))
    return spread, u.expand(systems, points), v.expand(systems, points)


def _rows(lens: Planes, system: Tensor) -> Planes:
    return map_parameters(lens, lambda value: value[system])


def _near_a_mass(
    cells: tuple[Tensor, Tensor, Tensor],
    distance: float,
    system: Tensor,
    lens: Planes,
) -> Tensor:
    """Return which cells are close to the centre of a mass, which may be singular."""
    which, u, v = cells
    near = torch.zeros_like(which, dtype=torch.bool)
    planes = _rows(lens, system[which])
    for plane, (a, b) in zip(planes.masses, crossings(u, v, planes), strict=False):
        for mass in masses(plane):
            x, y = (mass.get(name, torch.zeros_like(u)) for name in ("x0", "y0"))
            near |= torch.maximum((a - x).abs(), (b - y).abs()) < distance
    return near


def _some(cells: tuple[Tensor, Tensor, Tensor], keep: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    return cells[0][keep], cells[1][keep], cells[2][keep]


def _promising(
    cells: tuple[Tensor, Tensor, Tensor],
    width: float,
    points: tuple[Tensor, Tensor, Tensor],
    lens: Planes,
) -> tuple[Tensor, Tensor]:
    """Return which cells (source, x, y of the centre) hold the source when traced as triangles.

    And which turn over there, or nearly so: the map from image to source folds.
    """
    which, u, v = cells
    x, y, system = points
    corner = torch.tensor([[-1, -1], [1, -1], [1, 1], [-1, 1]], dtype=u.dtype, device=u.device)
    corner = corner * (width / 2)
    local = map_parameters(lens, lambda value: value[system[which], None])
    bx, by = trace(u[:, None] + corner[:, 0], v[:, None] + corner[:, 1], local)
    bx, by = bx - x[which, None], by - y[which, None]
    cross = bx * by.roll(-1, 1) - by * bx.roll(-1, 1)  # source against each edge
    diagonal = bx[:, 0] * by[:, 2] - by[:, 0] * bx[:, 2]
    first = torch.stack((cross[:, 0], cross[:, 1], -diagonal), 1)
    second = torch.stack((diagonal, cross[:, 2], cross[:, 3]), 1)
    holds = torch.zeros_like(which, dtype=torch.bool)
    for triangle in (first, second):
        # rounding must not put a source on an edge outside the triangles on both of its sides
        edge = ROUNDING * triangle.abs().amax(1, keepdim=True)
        holds |= (triangle >= -edge).all(1) | (triangle <= edge).all(1)
    areas = first.sum(1), second.sum(1)
    return holds, (areas[0] * areas[1] < 0) | _close(*areas)


def _close(first: Tensor, second: Tensor) -> Tensor:
    """Return where two traced triangles differ much in area: a fold is near."""
    return torch.minimum(first.abs(), second.abs()) < 0.5 * torch.maximum(first.abs(), second.abs())


def _split(cells: tuple[Tensor, Tensor, Tensor], width: float) -> tuple[Tensor, Tensor, Tensor]:
    which, u, v = cells
    offset = (torch.arange(DEEPER, dtype=u.dtype, device=u.device) + 0.5) / DEEPER - 0.5
    right = (offset * width).repeat(DEEPER)
    up = (offset * width).repeat_interleave(DEEPER)
    which = which[:, None].expand(-1, DEEPER**2)
    return which.flatten(), (u[:, None] + right).flatten(), (v[:, None] + up).flatten()


def _newton(
    u: Tensor, v: Tensor, x: Tensor, y: Tensor, lens: Planes, longest: float
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Improve image positions; return them, their magnification, and whether they are images."""
    for _ in range(STEPS):
        bx, by = trace(u, v, lens)
        xx, xy, yx, yy = jacobian(u, v, lens)
        determinant = xx * yy - xy * yx
        rx, ry = bx - x, by - y
        du, dv = (yy * rx - xy * ry) / determinant, (xx * ry - yx * rx) / determinant
        size = torch.hypot(du, dv)
        # Near a fold a full step overshoots.
        shrink = (longest / size).clamp_max(1.0).nan_to_num(0.0)
        u, v = u - shrink * du.nan_to_num(0.0), v - shrink * dv.nan_to_num(0.0)
        if not bool((size > 1e-10 * longest).any()):
            break
    bx, by = trace(u, v, lens)
    xx, xy, yx, yy = jacobian(u, v, lens)
    good = torch.hypot(bx - x, by - y) < 1e-9 * (1 + torch.hypot(u, v))
    return u, v, 1 / (xx * yy - xy * yx), good


def _sorted(
    which: Tensor, u: Tensor, v: Tensor, mu: Tensor, shape: torch.Size, same: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Lay images out by source, drop those found twice, and put the brightest first."""
    order = torch.argsort(which, stable=True)
    which, u, v, mu = which[order], u[order], v[order], mu[order]
    sources = shape.numel()
    counts = torch.bincount(which, minlength=sources)
    rank = torch.arange(len(which), device=u.device) - (counts.cumsum(0) - counts)[which]
    most = int(counts.max()) if len(which) else 0
    planes = torch.full((3, sources, most), torch.nan, dtype=u.dtype, device=u.device)
    planes[:, which, rank] = torch.stack((u, v, mu))
    distance = torch.hypot(
        planes[0, :, :, None] - planes[0, :, None], planes[1, :, :, None] - planes[1, :, None]
    )
    twin = torch.tril(distance < same, -1).any(-1)
    planes[:, twin] = torch.nan
    size = planes[2].abs().nan_to_num(0.0)
    order = torch.argsort(-size, dim=-1, stable=True)
    most = int((size > 0).sum(-1).max()) if most else 0
    planes = planes.gather(2, order.expand(3, -1, -1))[..., :most].reshape(3, *shape, most)
    return planes[0], planes[1], planes[2].nan_to_num(0.0)
