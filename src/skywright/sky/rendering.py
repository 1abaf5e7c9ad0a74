"""Render lensed and unlensed light through one and the same code."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor

from skywright.sky.blur import Blur, cells_per_pixel, make_blur
from skywright.sky.images_of_points import image_positions
from skywright.sky.lensing import Planes, crossings, front, map_parameters, masses, trace
from skywright.sky.multipoles import add_points
from skywright.sky.parts import Description, Light, Part, read_light, read_masses, take
from skywright.sky.psf import SIGMA_PER_FWHM, PointSpread
from skywright.sky.sampling import Grid, make_grid, sample

__all__ = ["draw_scene", "render"]

REACH = 1.5  # FWHM: how far outside the stamp light still shines in
CACHE = 400_000  # rays at once on a CPU, so that what is computed from them stays in its cache
THIN = 3  # cells per pixel for profiles of which that is not known: they may be thin anywhere
SHARPEST = 20  # cells per pixel for a profile with an edge
MEMORY = 20_000_000  # rays at once on an accelerator


def render(
    lens: Description,
    source: Description,
    *,
    pixels: int,
    scale: float,
    psf: PointSpread,
    lens_light: Description = None,
    accuracy: float = 0.005,
    device: str | torch.device = "cpu",
    dtype: torch.dtype = torch.float64,
) -> Tensor:
    """Render images of many systems in all bands.

    Parameters
    ----------
    lens : mapping, sequence of mappings, or None
        Deflectors: key ``deflector`` holds a function of `skywright.sky.deflectors` (left out:
        `sie_shear`), the other keys its parameters of shape (system,) or numbers. None leaves
        the source unlensed.
    source : mapping, sequence of mappings, or None
        Light behind the lens. Each mapping is one profile: key ``profile`` holds a function of
        `skywright.sky.light` (left out: `sersic`; None: points), key ``amplitude`` the total
        unlensed flux of shape (system, component, band) in any unit of flux, other keys the
        parameters of the profile: numbers, (system,), (system, component), or (system,
        component, band) where the shape differs between bands.
    pixels : int
        Rows and columns; the origin of the coordinates is the centre of the stamp.
    scale : float [angle]
        Size of a pixel, in the unit of all lengths.
    psf : PointSpread
        Point spread function of each band, or one for all.
    lens_light : mapping, sequence of mappings, or None
        Light in front of the lens, never deflected.
    accuracy : float [1]
        Largest residual over the peak of the image, to be kept by 95 % of systems.
    device, dtype
        Where and in which precision the work is done.

    Returns
    -------
    image : (system, band, y, x)
        Flux per pixel, in the unit of ``amplitude``, integrated over the pixel. Light that the
        point spread function carries in from outside the stamp is included.

    Raises
    ------
    ValueError
        A parameter has no meaning, or the shapes disagree.

    Examples
    --------
    >>> from skywright.sky import gaussian_psf
    >>> image = render(
    ...     {"theta_e": 1.2, "q": 0.8},
    ...     {"amplitude": torch.ones(1, 1, 1), "radius": 0.2, "x0": 0.1},
    ...     pixels=64, scale=0.1, psf=gaussian_psf(0.3),
    ... )
    >>> image.shape, float(image.sum()) > 5  # magnified
    (torch.Size([1, 1, 64, 64]), True)
    """
    like = torch.empty(0, device=device, dtype=dtype)
    plane = read_masses(lens, like)
    light = read_light(source, int(bool(plane)), like) + read_light(lens_light, 0, like)
    scene = Planes((plane,), ((None,),))
    return draw_scene(scene, light, like, pixels=pixels, scale=scale, psf=psf, accuracy=accuracy)


def draw_scene(
    lens: Planes,
    light: Light,
    like: Tensor,
    *,
    pixels: int,
    scale: float,
    psf: PointSpread,
    accuracy: float,
) -> Tensor:
    """Render light, each part of it behind as many planes as it says; see `render`.

    A system comes out the same whichever others it is drawn with, but for the last bits: libraries
    compute what is left over at the end of an array in another way than the rest.
    """
    _check(pixels, scale, accuracy)
    systems = _count(lens, light, psf)
    found = None
    for rows, spread in _alike(psf, scale, accuracy, systems):
        chosen = (lens, light) if rows is None else take(rows, lens, light)
        image = _draw_alike(*chosen, like, pixels, scale, spread, accuracy)
        if rows is None:
            return image
        if found is None:
            found = image.new_empty(systems, *image.shape[1:])
        found[rows] = image
    assert found is not None
    return found


def _alike(
    psf: PointSpread, scale: float, accuracy: float, systems: int
) -> Iterator[tuple[Tensor | None, PointSpread]]:
    """Yield systems that need the same fine grid, so that none depends on the others drawn."""
    if psf.fwhm.ndim < 2 or len(psf.fwhm) == 1:
        yield None, psf
        return
    needs = [
        (_margin(row, scale), _cells(row, scale, accuracy)) for row in psf.fwhm.reshape(systems, -1)
    ]
    for need in dict.fromkeys(needs):
        rows = torch.tensor([i for i, other in enumerate(needs) if other == need])
        yield rows, replace(psf, fwhm=psf.fwhm[rows])


def _draw_alike(
    lens: Planes,
    light: Light,
    like: Tensor,
    pixels: int,
    scale: float,
    psf: PointSpread,
    accuracy: float,
) -> Tensor:
    """Render systems on one fine grid, as many at once as memory is good for."""
    systems = _count(lens, light, psf)
    margin = _margin(psf.fwhm, scale)
    known = all(part.profile is None or part.finest is not None for part in light)
    edge = min(max(part.widest, scale / SHARPEST) for part in light)
    cells = max(1 if known else THIN, _cells(psf.fwhm, scale, accuracy), math.ceil(scale / edge))
    supersample = cells_per_pixel(psf, cells)
    grid = make_grid(pixels + 2 * margin, scale, supersample, like)
    blur = make_blur(
        psf, pixels=pixels, scale=scale, supersample=supersample, margin=margin, like=like
    )
    rays = max(1, sum(part.amplitude.shape[1] for part in light)) * len(grid.axis) ** 2
    block = max(1, (CACHE if like.device.type == "cpu" else MEMORY) // rays)
    images = []
    for start in range(0, systems, block):
        rows = slice(start, min(start + block, systems))
        images.append(_render_block(grid, blur, rows, *take(rows, lens, light)))
    return torch.cat(images)


def _check(pixels: int, scale: float, accuracy: float) -> None:
    if pixels < 1 or scale <= 0 or not math.isfinite(scale):
        raise ValueError(f"got {pixels} pixels of {scale}; expected a positive number and size")
    if not 1e-4 <= accuracy <= 0.05:
        raise ValueError(f"accuracy is {accuracy}; expected between 1e-4 and 0.05")


def _count(lens: Planes, light: Light, psf: PointSpread) -> int:
    """Return the number of systems, on which all parameters have to agree."""
    if not light:
        raise ValueError("got no light to render; expected a source or light of the lens")
    bands = {part.amplitude.shape[2] for part in light} | {psf.fwhm.shape[-1]}
    if len(bands - {1}) > 1:
        raise ValueError(f"amplitudes and point spread function have {sorted(bands)} bands")
    sizes = {
        f"{k} of the lens": len(v)
        for plane in lens.masses
        for mass in masses(plane)
        for k, v in mass.items()
        if not callable(v)
    }
    weights = [w for row in lens.weights for w in row if w is not None]
    sizes |= {f"redshift {i} of the planes": len(w) for i, w in enumerate(weights)}
    for part in light:
        sizes |= {f"{name} of light": len(value) for name, value in part.parameters.items()}
        sizes["amplitude of light"] = len(part.amplitude)
        systems = max(sizes.values())
        for name, size in sizes.items():
            if size not in (1, systems):
                raise ValueError(f"{name} has {size} systems, others have {systems}")
    if psf.fwhm.ndim == 2 and len(psf.fwhm) not in (1, systems):
        raise ValueError(f"psf has {len(psf.fwhm)} systems, the scene has {systems}")
    return systems


def _margin(fwhm: Tensor, scale: float) -> int:
    """Return pixels of border from which light still shines in."""
    return max(3, math.ceil(REACH * float(fwhm.max()) / scale))


def _cells(fwhm: Tensor, scale: float, accuracy: float) -> int:
    """Return cells per pixel: the point spread function must be smooth from cell to cell."""
    cell = 0.9 * (min(1.0, accuracy / 0.005)) ** (1 / 3) * SIGMA_PER_FWHM * float(fwhm.min())
    return int(math.ceil(scale / cell))


def _render_block(grid: Grid, blur: Blur, rows: slice, lens: Planes, light: Light) -> Tensor:
    systems = rows.stop - rows.start
    plane = grid.axis.expand(1, 1, -1), grid.axis[:, None].expand(1, -1, 1)
    deepest = front(lens, max(part.behind for part in light))
    places = crossings(*plane, map_parameters(deepest, lambda value: value[:, None, None]))
    fine = None
    for part in light:
        spread = {k: v.expand(systems, -1) for k, v in part.parameters.items()}
        part = replace(part, parameters=spread)
        flux = _planes(grid, part, front(lens, part.behind), places[part.behind], systems)
        amplitude = part.amplitude.expand(systems, -1, -1)
        bands = torch.einsum("scyx,scb->sbyx", flux, amplitude)
        fine = bands if fine is None else fine + bands
    assert fine is not None
    return blur(fine, rows)


def _planes(
    grid: Grid, part: Part, lens: Planes, traced: tuple[Tensor, Tensor], systems: int
) -> Tensor:
    """Return the flux of each component on the fine grid, for unit amplitude."""
    if part.profile is None:
        return _points(grid, part, lens, systems)

    def rays(x: Tensor, y: Tensor, system: Tensor) -> tuple[Tensor, Tensor]:
        rows = map_parameters(lens, lambda v: (v if len(v) == 1 else v[system])[:, None])
        return trace(x, y, rows)

    return sample(grid, traced, rays, part.profile, part.parameters, part.finest)


def _points(grid: Grid, part: Part, lens: Planes, systems: int) -> Tensor:
    """Put the images of point sources on the fine grid."""
    components = part.amplitude.shape[1]
    x, y = (part.parameters[name][..., None] for name in ("x0", "y0"))
    mu = torch.ones_like(x)
    if part.behind:
        x, y, mu = image_positions(
            x[..., 0],
            y[..., 0],
            lens,
            reach=float(grid.axis[-1]) + grid.cell / 2,
            step=2 * grid.cell,
        )
    flux = torch.zeros(
        systems, components, len(grid.axis), len(grid.axis), dtype=x.dtype, device=x.device
    )
    plane = torch.arange(systems * components, device=x.device).reshape(systems, components, 1)
    seen = mu != 0
    add_points(
        flux,
        plane.expand_as(mu)[seen],
        x[seen] / grid.cell,
        y[seen] / grid.cell,
        mu[seen].abs(),
    )
    return flux
