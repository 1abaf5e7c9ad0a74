"""Tables of what is simulated, one row an image: `draw_lens_configuration`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from astropy.table import Table

from skywright.sky.deeplenstronomy.columns import Place, places
from skywright.sky.deeplenstronomy.cosmologies import cosmology_of
from skywright.sky.deeplenstronomy.derived import (
    edit_magnitudes,
    einstein_radius,
    pick_backgrounds,
    place_in_foreground,
    place_points,
)
from skywright.sky.deeplenstronomy.model import Configuration, Galaxy, PointSource, Simulation
from skywright.sky.deeplenstronomy.reading import read_lens_configuration
from skywright.sky.deeplenstronomy.sampler import Values, sample_parameters
from skywright.sky.deeplenstronomy.time_series import expand_nights
from skywright.sky.distances import Cosmology
from skywright.sky.surveys import SurveyName

__all__ = ["draw_lens_configuration"]


def draw_lens_configuration(
    config: Simulation | str | Path,
    configuration: str = "CONFIGURATION_1",
    images: Iterable[int] | None = None,
    *,
    seed: int | None = None,
    survey: SurveyName | None = None,
    compat: bool = False,
    changes: Mapping[str, Any] | None = None,
) -> Table:
    """Draw what the images of one configuration show.

    Every image has random numbers of its own, made from the seed, the number of the configuration
    and that of the image: any block of images, drawn anywhere, has the same rows.

    Parameters
    ----------
    config : path or Simulation
        The file, or what `read_lens_configuration` made of it.
    configuration : str
        Label of one of its configurations.
    images : iterable of int, optional
        Numbers of the images, from zero; all that the file asks for if left out.
    seed : int, optional
        Stands in for SEED of the file; needed where the file has none.
    survey, compat, changes
        As for `read_lens_configuration`, when that is still to be called.

    Returns
    -------
    table : Table
        One row an image, or a night of it for a time series; one column ``<path>-<band>`` for
        every number that is used, named as deeplenstronomy names them. Angles in arcsec,
        magnitudes in AB, times in s or days.

    Raises
    ------
    ConfigurationError
        The file is wrong.
    ValueError
        There is no seed, a file that was read is to be read otherwise, or planes never come out
        in order of redshift.
    KeyError
        There is no such configuration.
    """
    if not isinstance(config, Simulation):
        simulation = read_lens_configuration(config, survey=survey, compat=compat, changes=changes)
    elif survey or compat or changes:
        raise ValueError("survey, compat and changes are for files: give the file, or give them "
                         "to read_lens_configuration")  # fmt: skip
    else:
        simulation = config
    found = simulation.configuration(configuration)
    seed = simulation.seed if seed is None else seed
    if seed is None:
        raise ValueError("the file has no DATASET.PARAMETERS.SEED: give a seed")
    numbers = np.arange(found.size) if images is None else np.asarray(list(images), dtype=int)
    if numbers.ndim != 1 or (len(numbers) and numbers.min() < 0):
        raise ValueError("images holds negative numbers, expected numbers from zero")
    values = sample_parameters(simulation, found, numbers, seed)
    cosmology = cosmology_of(simulation, values)
    _derive(simulation, found, values, numbers, cosmology)
    if found.time_series is not None:
        values = expand_nights(simulation, found, values, numbers, seed, cosmology)
    table = _table(values, simulation.bands)
    table.meta = {"CONFIG": found.label, "SEED": seed}
    return table


def _derive(
    simulation: Simulation,
    configuration: Configuration,
    values: Values,
    numbers: np.ndarray,
    cosmology: Cosmology,
) -> None:
    """Add what follows from what was drawn."""
    values["OBJID"] = numbers
    for place in places(simulation, configuration):
        z = _shared(values[f"PLANE_{place.plane}-REDSHIFT"])
        values[f"{place.prefix}-REDSHIFT"] = z
        if isinstance(place.species, Galaxy):
            _galaxy(simulation, configuration, place, values, cosmology)
    for place in places(simulation, configuration):
        if isinstance(place.species, PointSource):
            _point(simulation, configuration, place, values, cosmology)
    values["BACKGROUND_IDX"] = pick_backgrounds(simulation, configuration, values, numbers)
    pointings = ["POINTING_1"]
    if configuration.time_series is not None:
        pointings = list(configuration.time_series.cadence)
    which = (values.pop("u-POINTING") * len(pointings)).astype(int)
    values["POINTING"] = np.asarray(pointings)[which]
    keep = "u-PEAK" if configuration.time_series is not None else ""
    for key in [key for key in values if key.startswith("u-") and key != keep]:
        del values[key]


def _galaxy(
    simulation: Simulation,
    configuration: Configuration,
    place: Place,
    values: Values,
    cosmology: Cosmology,
) -> None:
    galaxy: Any = place.species
    z = values[f"{place.prefix}-REDSHIFT"]
    for kind, profiles in (("MASS", galaxy.mass), ("SHEAR", galaxy.shear)):
        for i, profile in enumerate(profiles, 1):
            if "sigma_v" in profile.parameters:
                path = f"{place.prefix}-{kind}_PROFILE_{i}"
                source = _shared(values[f"PLANE_{len(configuration.planes)}-REDSHIFT"])
                sigma = _shared(values[f"{path}-sigma_v"])
                values[f"{path}-theta_E"] = einstein_radius(sigma, z, source, cosmology)
    for function, profile_name, amount in galaxy.special:
        path = f"{place.prefix}-{profile_name}-magnitude"
        values[path] = edit_magnitudes(function, amount, values[path], simulation.bands)


def _point(
    simulation: Simulation,
    configuration: Configuration,
    place: Place,
    values: Values,
    cosmology: Cosmology,
) -> None:
    point: Any = place.species
    u = values[f"u-{place.prefix}-position"]
    if point.host is None:
        half = float(values["numPix"][0]) * float(values["pixel_scale"][0]) / 2 if len(u) else 0.0
        x, y = place_in_foreground(u, half)
        values[f"{place.prefix}-ra_image"], values[f"{place.prefix}-dec_image"] = x, y
        return
    host = next(
        p.prefix
        for p in places(simulation, configuration)
        if p.plane == place.plane and p.species.name == point.host
    )
    zero = np.zeros(len(u))
    centre = [
        _shared(values.get(f"{host}-LIGHT_PROFILE_1-{axis}", zero))
        for axis in ("center_x", "center_y")
    ]
    sep = _shared(values.setdefault(f"{place.prefix}-sep", zero))
    values.setdefault(f"{place.prefix}-sep_unit", np.full(len(u), "arcsec"))
    angle = _shared(values.setdefault(f"{place.prefix}-angle", 2 * np.pi * u[:, 0]))
    in_kpc = point.parameters.get("sep_unit") == "kpc"
    z = values[f"{place.prefix}-REDSHIFT"] if in_kpc else None
    x, y = place_points(centre[0], centre[1], sep, angle, z, cosmology)
    values[f"{place.prefix}-ra"], values[f"{place.prefix}-dec"] = x, y


def _shared(values: np.ndarray) -> np.ndarray:
    """Return one number an image of what is the same in all bands."""
    return values if values.ndim == 1 else values[:, 0]


def _table(values: Values, bands: tuple[str, ...]) -> Table:
    columns = {}
    for path, found in values.items():
        for i, band in enumerate(bands):
            columns[f"{path}-{band}"] = found if found.ndim == 1 else found[:, i]
    return Table(columns)
