"""Images of drawn rows: `render_lens_configuration`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from astropy.table import Table

from skywright.sky.deeplenstronomy.backgrounds import fit_to, load_backgrounds
from skywright.sky.deeplenstronomy.lensed_points import image_columns, varying_point
from skywright.sky.deeplenstronomy.model import Configuration, Simulation
from skywright.sky.deeplenstronomy.planes import (
    cosmology_at,
    galaxy_light,
    masses_of,
    point_light,
    redshifts_of,
)
from skywright.sky.deeplenstronomy.time_series import varying_places
from skywright.sky.deeplenstronomy.uniforms import image_rng
from skywright.sky.noise import add_noise, noise_variance
from skywright.sky.planes import render_planes
from skywright.sky.psf import gaussian_psf

__all__ = ["LensImages", "render_behind", "render_lens_configuration", "sky_variance"]

NOISE = 4  # stream of an image's noise
DARK = 200.0  # mag/arcsec^2 of no sky
BLOCK = 64  # images at once
CONDITIONS = ("sky_brightness", "magnitude_zero_point", "exposure_time", "num_exposures") + (
    "read_noise",
    "ccd_gain",
)
PLANES = ("lens", "source", "point sources", "noise")


@dataclass(frozen=True)
class LensImages:
    """Simulated images and what they show.

    Parameters
    ----------
    flux : (n, band, y, x) [count/s]
        Images; a count is an electron, unless the file says ADU.
    table : Table
        One row an image, as drawn, with what the lens equation adds.
    bands : tuple of str
        Names of the bands.
    planes : (n, 4, band, y, x) [count/s], optional
        Light of lens, source and point sources, and noise.
    note : str
        What a user of the images should know.
    """

    flux: np.ndarray
    table: Table
    bands: tuple[str, ...]
    planes: np.ndarray | None = None
    note: str = ""


def render_lens_configuration(
    table: Table,
    simulation: Simulation,
    *,
    return_planes: bool = False,
    solve_lens_equation: bool = False,
    accuracy: float = 0.005,
    device: str = "cpu",
) -> LensImages:
    """Render the images of drawn rows, with noise.

    Light is deflected by the masses of all planes in front of it; each image of a point source
    gets its flux times the absolute magnification, and in a time series its own delay. Noise of
    sky, source and read-out is that of all exposures together. An image is the same in any block.

    Parameters
    ----------
    table : Table
        From `draw_lens_configuration`; any of its rows, but all nights of an image.
    simulation : Simulation
        What it was drawn from.
    return_planes : bool
        Return light of lens, source, points, and noise by themselves as well.
    solve_lens_equation : bool
        Add the positions of the images of the source's middle to the table.
    accuracy : float [1]
        As for `skywright.sky.render`.
    device : str
        Where the work is done.

    Returns
    -------
    images : LensImages

    Notes
    -----
    Where a real background is added, it brings the noise of its sky and read-out along: only the
    photon noise of the simulated light is drawn.
    """
    configuration = simulation.configuration(table.meta["CONFIG"])
    blocks = [
        _render_block(block, simulation, configuration, accuracy, device, return_planes)
        for block in _blocks(table, simulation, configuration)
    ]
    pixels = int(simulation.image["numPix"])  # type: ignore[arg-type]
    shape = (0, len(PLANES) if return_planes else 1, len(simulation.bands), pixels, pixels)
    planes = np.concatenate([np.empty(shape), *(part for part, _ in blocks)])
    if configuration.time_series is not None:
        table = _with_columns(table, [columns for _, columns in blocks], simulation.bands)
    light = planes.sum(1) if return_planes else planes[:, 0]
    flux = _noisy(light, table, simulation, configuration)
    if return_planes:
        planes[:, PLANES.index("noise")] = flux - light
    note = _add_backgrounds(flux, table, simulation, configuration)
    if solve_lens_equation:
        table = table.copy()
        for name, values in image_columns(table, simulation, configuration).items():
            for band in simulation.bands:
                table[f"{name}-{band}"] = values
    return LensImages(
        flux.astype(np.float32),
        table,
        simulation.bands,
        planes.astype(np.float32) if return_planes else None,
        note,
    )


def render_behind(table: Table, simulation: Simulation, *, accuracy: float = 0.005) -> np.ndarray:
    """Render the galaxies of the last plane alone, without noise, behind all masses.

    Parameters
    ----------
    table, simulation, accuracy
        As for `render_lens_configuration`.

    Returns
    -------
    light : (n, band, y, x) [count/s]
    """
    configuration = simulation.configuration(table.meta["CONFIG"])
    last = len(configuration.planes)
    draw = _drawer(table, simulation, configuration, accuracy, "cpu")
    parts = []
    for bands in _same_shape(table, simulation):
        light = galaxy_light(table, simulation, configuration, bands, lambda p: p.plane == last)
        parts.append(draw(light, bands))
    return np.concatenate(parts, axis=1)


def _with_columns(
    table: Table, found: list[dict[str, np.ndarray]], bands: tuple[str, ...]
) -> Table:
    """Return the rows with what was found of each image; NaN where another has more images."""
    table = table.copy()
    ids = np.asarray(table[f"OBJID-{bands[0]}"])
    starts = np.flatnonzero(np.r_[True, ids[1:] != ids[:-1]])[: len(ids)]
    for path in dict.fromkeys(path for columns in found for path in columns):
        values = np.full(len(table), np.nan)
        for start, columns in zip(starts, found, strict=True):
            if path in columns:
                values[start : start + len(columns[path])] = columns[path]
        for band in bands:
            table[f"{path}-{band}"] = values
    return table


def _blocks(table: Table, simulation: Simulation, configuration: Configuration) -> Iterator[Table]:
    """Yield rows that are rendered together.

    The nights of a time series are those of one image: so are its point sources.
    """
    if not len(table):
        return
    if configuration.time_series is not None:
        ids = np.asarray(table[f"OBJID-{simulation.bands[0]}"])
        ends = np.flatnonzero(np.r_[True, ids[1:] != ids[:-1], True]).tolist()
        for first, end in zip(ends[:-1], ends[1:], strict=True):
            yield table[first:end]
        return
    for start in range(0, len(table), BLOCK):
        yield table[start : start + BLOCK]


def _render_block(
    table: Table,
    simulation: Simulation,
    configuration: Configuration,
    accuracy: float,
    device: str,
    apart: bool,
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return noiseless light, and what was found of lensed points.

    Light is (row, 4, band, y, x) if parts are kept ``apart``, else (row, 1, band, y, x).
    """
    varying = varying_places(simulation, configuration)
    moving = []
    found: dict[str, np.ndarray] = {}
    for place in varying:
        part, columns = varying_point(table, simulation, configuration, place)
        moving.append(part)
        found |= columns
    still = [place.prefix for place in varying]
    last = len(configuration.planes)

    def light(index: int, bands: tuple[str, ...], chosen: slice) -> list[list[Any]]:
        if index == 2:
            points = point_light(table, simulation, configuration, bands,
                                 lambda p: p.prefix not in still)  # fmt: skip
            points[0] += [m | {"amplitude": m["amplitude"][..., chosen]} for m in moving]
            return points
        return galaxy_light(table, simulation, configuration, bands,
                            lambda p: (p.plane == last) == bool(index))  # fmt: skip

    draw = _drawer(table, simulation, configuration, accuracy, device)
    pixels = int(simulation.image["numPix"])  # type: ignore[arg-type]
    shape = (len(table), len(PLANES) if apart else 1, len(simulation.bands), pixels, pixels)
    planes = np.zeros(shape)
    for bands in _same_shape(table, simulation):
        chosen = slice(simulation.bands.index(bands[0]), simulation.bands.index(bands[-1]) + 1)
        parts = [light(index, bands, chosen) for index in range(3)]
        if not apart:
            parts = [[sum(same, []) for same in zip(*parts, strict=True)]]
        for index, one in enumerate(parts):
            if any(one):
                planes[:, index, chosen] = draw(one, bands)
    return planes, found


def _drawer(
    table: Table,
    simulation: Simulation,
    configuration: Configuration,
    accuracy: float,
    device: str,
) -> Callable[[list[list[Any]], tuple[str, ...]], np.ndarray]:
    """Return what renders light behind the masses of the rows."""

    def draw(light: list[list[Any]], bands: tuple[str, ...]) -> np.ndarray:
        masses = masses_of(table, simulation, configuration, bands[0])
        redshifts = redshifts_of(table, configuration, bands[0])
        planes = [
            {"redshift": z, "lens": mass, "light": part}
            for z, mass, part in zip(redshifts, masses, light, strict=True)
        ]
        seeing = np.stack([np.asarray(table[f"seeing-{b}"], dtype=float) for b in bands], 1)
        image = render_planes(
            planes,
            cosmology=cosmology_at(table, simulation),
            pixels=int(table[f"numPix-{bands[0]}"][0]),
            scale=float(table[f"pixel_scale-{bands[0]}"][0]),
            psf=gaussian_psf(torch.as_tensor(seeing)),
            accuracy=accuracy,
            device=device,
        )
        return image.cpu().numpy()

    return draw


def _same_shape(table: Table, simulation: Simulation) -> list[tuple[str, ...]]:
    """Return the bands that are rendered together: all, unless shapes differ between them."""
    first, *others = simulation.bands
    for name in table.colnames:
        path, _, band = name.rpartition("-")
        if band == first and "_PROFILE_" in path and not path.endswith("magnitude"):
            found = table[name]
            if any((table[f"{path}-{other}"] != found).any() for other in others):
                return [(one,) for one in simulation.bands]
    return [simulation.bands]


def _noisy(
    light: np.ndarray, table: Table, simulation: Simulation, configuration: Configuration
) -> np.ndarray:
    """Return light with noise [count/s], drawn for each image by its own generator.

    An image is made of whole electrons and read-outs: it does not follow the last bits of the
    light, which may depend on the others in a block.
    """
    bands = simulation.bands
    real = _has_background(simulation, configuration)
    adu = simulation.image.get("data_count_unit") == "ADU"
    found = np.empty_like(light)
    columns = _conditions(table, simulation, configuration)
    seen: dict[int, int] = {}
    for row, image in enumerate(light):
        of = {name: values[row] for name, values in columns.items()}
        number = int(table[f"OBJID-{bands[0]}"][row])
        night = seen[number] = seen.get(number, -1) + 1
        rng = image_rng(int(table.meta["SEED"]), configuration.number, number, NOISE, night)
        found[row] = add_noise(
            torch.as_tensor(image),
            rng,
            sky=DARK if real else of["sky_brightness"],
            zero_point=of["magnitude_zero_point"],
            exposure_time=of["exposure_time"],
            exposures=of["num_exposures"],
            scale=float(table[f"pixel_scale-{bands[0]}"][row]),
            read_noise=0.0 if real else of["read_noise"],
            gain=of["ccd_gain"] if adu else 1.0,
        ).numpy()
        for source in _sources(configuration):
            found[row] += rng.poisson(of[f"{source}-mean"][:, None, None], image.shape)
    return found


def sky_variance(table: Table, simulation: Simulation) -> np.ndarray | None:
    """Return the variance of a pixel of empty sky; None where a real background brings its own.

    Parameters
    ----------
    table, simulation
        As for `render_lens_configuration`.

    Returns
    -------
    variance : (n, band, 1, 1) [(count/s)^2], optional
    """
    configuration = simulation.configuration(table.meta["CONFIG"])
    if _has_background(simulation, configuration):
        return None
    of = _conditions(table, simulation, configuration)
    variance = noise_variance(
        torch.zeros(len(table), len(simulation.bands), 1, 1, dtype=torch.float64),
        sky=of["sky_brightness"],
        zero_point=of["magnitude_zero_point"],
        exposure_time=of["exposure_time"],
        exposures=of["num_exposures"],
        scale=float(simulation.image["pixel_scale"]),  # type: ignore[arg-type]
        read_noise=of["read_noise"],
        gain=of["ccd_gain"] if simulation.image.get("data_count_unit") == "ADU" else 1.0,
    ).numpy()
    added = sum(of[f"{source}-mean"] for source in _sources(configuration))
    return np.asarray(variance + np.reshape(added, (-1, variance.shape[1], 1, 1))
                      if _sources(configuration) else variance)  # fmt: skip


def _conditions(
    table: Table, simulation: Simulation, configuration: Configuration
) -> dict[str, np.ndarray]:
    """Return what noise depends on, each (row, band)."""
    return {
        name: np.stack(
            [np.asarray(table[f"{name}-{band}"], dtype=float) for band in simulation.bands], 1
        )
        for name in (*CONDITIONS, *(f"{source}-mean" for source in _sources(configuration)))
    }


def _has_background(simulation: Simulation, configuration: Configuration) -> bool:
    backgrounds = simulation.backgrounds
    return backgrounds is not None and configuration.label in backgrounds.configurations


def _sources(configuration: Configuration) -> list[str]:
    return [f"NOISE_SOURCE_{i}" for i in range(1, len(configuration.noise) + 1)]


def _add_backgrounds(
    flux: np.ndarray, table: Table, simulation: Simulation, configuration: Configuration
) -> str:
    """Add real images, and return what is to be said of it."""
    backgrounds = simulation.backgrounds
    if backgrounds is None or not _has_background(simulation, configuration):
        return ""
    cubes = fit_to(load_backgrounds(backgrounds, simulation.bands), flux.shape[-1])
    flux += cubes[np.asarray(table[f"BACKGROUND_IDX-{simulation.bands[0]}"])]
    return "noise of sky and read-out is that of the real backgrounds; none was simulated"
