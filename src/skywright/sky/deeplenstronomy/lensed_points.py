"""Images of lensed points: positions, magnifications, delays, and light that varies."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from astropy.table import Table
from torch import Tensor

from skywright.sky.deeplenstronomy.columns import Place, places
from skywright.sky.deeplenstronomy.model import Configuration, Galaxy, Simulation
from skywright.sky.deeplenstronomy.planes import cosmology_at, masses_of, redshifts_of
from skywright.sky.deeplenstronomy.time_series import light_curve
from skywright.sky.delays import time_delays
from skywright.sky.images_of_points import image_positions
from skywright.sky.planes import arrange_planes

__all__ = ["image_columns", "varying_point"]

NOTHING = 99.0  # magnitude of no light
STEP = 0.5  # pixels between the nodes of the search for images


def _images(
    table: Table,
    simulation: Simulation,
    configuration: Configuration,
    place: Place,
    axes: tuple[str, str],
) -> tuple[Tensor, Tensor, Tensor, list[Any], list[np.ndarray]]:
    """Return positions and magnifications of the images of a point, (row, image), and its lens."""
    band = simulation.bands[0]
    z = redshifts_of(table, configuration, band)
    masses = masses_of(table, simulation, configuration, band)
    x, y = (torch.as_tensor(np.asarray(table[f"{axis}-{band}"], dtype=float)) for axis in axes)
    front = place.plane - 1
    lenses, distances = masses[:front], z[:front]
    if not any(lenses):
        return x[:, None], y[:, None], torch.ones_like(x)[:, None], [], []
    cosmology = cosmology_at(table, simulation)
    planes = arrange_planes(lenses, distances, z[front], cosmology, z_reference=z[-1])
    scale = float(table[f"pixel_scale-{band}"][0])
    reach = float(table[f"numPix-{band}"][0]) * scale * 0.75
    u, v, mu = image_positions(x, y, planes, reach=reach, step=STEP * scale)
    return u[:, 0], v[:, 0], mu[:, 0], lenses, distances


def image_columns(
    table: Table, simulation: Simulation, configuration: Configuration
) -> dict[str, list[Any]]:
    """Solve the lens equation for the middle of the first galaxy of the last plane.

    Returns
    -------
    columns : dict
        ``x_mins``, ``y_mins``: positions [arcsec] joined by semicolons, the brightest first;
        ``num_source_images``.
    """
    last = len(configuration.planes)
    here = [p for p in places(simulation, configuration) if p.plane == last]
    galaxies = [p for p in here if isinstance(p.species, Galaxy)]
    if not galaxies:
        raise ValueError(f"{configuration.label} has no galaxy in its last plane to solve for")
    prefix = f"{galaxies[0].prefix}-LIGHT_PROFILE_1"
    x, y, mu, *_ = _images(
        _with_centre(table, prefix, simulation.bands[0]), simulation, configuration, galaxies[0],
        (f"{prefix}-center_x", f"{prefix}-center_y"),
    )  # fmt: skip
    seen = mu != 0
    return {
        "x_mins": [";".join(f"{p:.6f}" for p in row[k]) for row, k in zip(x, seen, strict=True)],
        "y_mins": [";".join(f"{p:.6f}" for p in row[k]) for row, k in zip(y, seen, strict=True)],
        "num_source_images": seen.sum(1).tolist(),
    }


def _with_centre(table: Table, prefix: str, band: str) -> Table:
    """Return the table with the centre of a profile that does not say where it is."""
    lacking = [a for a in ("center_x", "center_y") if f"{prefix}-{a}-{band}" not in table.colnames]
    if not lacking:
        return table
    table = table.copy(copy_data=False)
    for axis in lacking:
        table[f"{prefix}-{axis}-{band}"] = np.zeros(len(table))
    return table


def varying_point(
    table: Table, simulation: Simulation, configuration: Configuration, place: Place
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return all images of a point source as it varies, each with the delay of its own.

    Parameters
    ----------
    table : Table
        The nights of one image.
    simulation, configuration, place
        Where the source stands.

    Returns
    -------
    part : dict
        Light for the first plane: nothing deflects it any more.
    columns : dict of (night,)
        ``tdshift_i`` [day] and ``magnitude_shift_i`` [mag] of each image, against the source.
    """
    behind = getattr(place.species, "host", None) is not None
    bands = simulation.bands
    axes = ("ra", "dec") if behind else ("ra_image", "dec_image")
    first = table[:1]
    if behind:
        x, y, mu, lenses, distances = _images(
            first, simulation, configuration, place,
            (f"{place.prefix}-{axes[0]}", f"{place.prefix}-{axes[1]}"),
        )  # fmt: skip
    else:
        x, y = (torch.as_tensor([[float(first[f"{place.prefix}-{a}-{bands[0]}"][0])]])
                for a in axes)  # fmt: skip
        mu, lenses, distances = torch.ones_like(x), [], []
    z = redshifts_of(first, configuration, bands[0])
    delays = np.zeros(x.shape[1])
    if lenses and x.shape[1]:
        found = time_delays(x, y, lenses, distances, z[place.plane - 1],
                            cosmology_at(first, simulation), z_reference=z[-1])  # fmt: skip
        delays = found[0].numpy()
    magnitudes = _seen(table, simulation, configuration, place, delays)
    zero = np.stack([np.asarray(table[f"magnitude_zero_point-{b}"], dtype=float) for b in bands], 1)
    flux = 10 ** (-0.4 * (magnitudes - zero[:, None])) * mu[0].abs().numpy()[None, :, None]
    part = {"profile": None, "amplitude": flux, "x0": x[:1], "y0": y[:1]}
    columns: dict[str, np.ndarray] = {}
    for i, delay in enumerate(delays, 1):
        size = float(mu[0, i - 1].abs())
        columns[f"{place.prefix}-tdshift_{i}"] = np.full(len(table), delay)
        columns[f"{place.prefix}-magnitude_shift_{i}"] = np.full(len(table), -2.5 * np.log10(size))
    return part, columns


def _seen(
    table: Table,
    simulation: Simulation,
    configuration: Configuration,
    place: Place,
    delays: np.ndarray,
) -> np.ndarray:
    """Return the magnitude of the source when each image shows it, (night, image, band)."""
    bands = simulation.bands
    reference = configuration.time_series.reference if configuration.time_series else 0.0
    day = np.stack([np.asarray(table[f"{place.prefix}-nite-{b}"]) for b in bands], 1) - reference
    peak = np.asarray(table[f"{place.prefix}-peaknite-{bands[0]}"], dtype=float)
    since = (day - peak[:, None])[:, None] - delays[None, :, None]
    z = float(table[f"{place.prefix}-REDSHIFT-{bands[0]}"][0])
    # the nights themselves stand first, as in the table: one object, whatever its images
    nights = np.concatenate([(day - peak[:, None]), since.reshape(-1, len(bands))])
    image = int(table[f"OBJID-{bands[0]}"][0])
    cosmology: Any = cosmology_at(table[:1], simulation)
    found = light_curve(simulation, place, nights, z, cosmology, int(table.meta["SEED"]),
                        configuration.number, image)  # fmt: skip
    return found[len(day) :].reshape(len(day), len(delays), len(bands))
