"""Rows of a drawn table as planes of masses and light for the engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from astropy.table import Table

from skywright.sky.deeplenstronomy.columns import Place, places
from skywright.sky.deeplenstronomy.cosmologies import cosmology_of
from skywright.sky.deeplenstronomy.model import Configuration, Galaxy, Profile, Simulation
from skywright.sky.distances import Cosmology
from skywright.sky.profiles import light_part, mass_part

__all__ = [
    "Planes",
    "cosmology_at",
    "count_rate",
    "galaxy_light",
    "masses_of",
    "point_light",
    "redshifts_of",
]

Planes = list[dict[str, Any]]
Parts = list[Mapping[str, Any]]


def redshifts_of(table: Table, configuration: Configuration, band: str) -> list[np.ndarray]:
    """Return the redshift of each plane, (row,)."""
    planes = range(1, len(configuration.planes) + 1)
    return [np.asarray(table[f"PLANE_{p}-REDSHIFT-{band}"], dtype=float) for p in planes]


def cosmology_at(table: Table, simulation: Simulation) -> Cosmology:
    """Return the cosmology of the rows."""
    band = simulation.bands[0]
    names = simulation.cosmology_parameters
    return cosmology_of(simulation, {name: table[f"{name}-{band}"] for name in names})


def masses_of(
    table: Table, simulation: Simulation, configuration: Configuration, band: str
) -> list[Parts]:
    """Return the masses of each plane."""
    found: list[Parts] = [[] for _ in configuration.planes]
    for place in places(simulation, configuration):
        if not isinstance(place.species, Galaxy):
            continue
        for kind in ("MASS", "SHEAR"):
            profiles = place.species.mass if kind == "MASS" else place.species.shear
            for i, profile in enumerate(profiles, 1):
                values = _parameters(table, f"{place.prefix}-{kind}_PROFILE_{i}", profile, band)
                found[place.plane - 1].append(mass_part(profile.name, values))
    return found


def galaxy_light(
    table: Table,
    simulation: Simulation,
    configuration: Configuration,
    bands: tuple[str, ...],
    chosen: Callable[[Place], bool],
) -> list[Parts]:
    """Return the light of the galaxies of each plane that are chosen.

    The shape is that of the first band; fluxes are those of all ``bands`` [count/s].
    """
    found: list[Parts] = [[] for _ in configuration.planes]
    for place in places(simulation, configuration):
        if not isinstance(place.species, Galaxy) or not chosen(place):
            continue
        for i, profile in enumerate(place.species.light, 1):
            path = f"{place.prefix}-LIGHT_PROFILE_{i}"
            values = _parameters(table, path, profile, bands[0])
            flux = count_rate(table, f"{path}-magnitude", bands)
            found[place.plane - 1].append(light_part(profile.name, values, flux))
    return found


def point_light(
    table: Table,
    simulation: Simulation,
    configuration: Configuration,
    bands: tuple[str, ...],
    chosen: Callable[[Place], bool],
) -> list[Parts]:
    """Return the point sources of each plane; those of the foreground stand in the first."""
    found: list[Parts] = [[] for _ in configuration.planes]
    for place in places(simulation, configuration):
        if isinstance(place.species, Galaxy) or not chosen(place):
            continue
        behind = place.species.host is not None
        axes = ("ra", "dec") if behind else ("ra_image", "dec_image")
        x, y = (np.asarray(table[f"{place.prefix}-{axis}-{bands[0]}"]) for axis in axes)
        flux = count_rate(table, f"{place.prefix}-magnitude", bands)
        part = {"profile": None, "amplitude": flux[:, None], "x0": x[:, None], "y0": y[:, None]}
        found[place.plane - 1 if behind else 0].append(part)
    return found


def count_rate(table: Table, path: str, bands: tuple[str, ...]) -> np.ndarray:
    """Return fluxes of magnitudes, (row, band) [count/s]."""
    magnitude = np.stack([np.asarray(table[f"{path}-{b}"], dtype=float) for b in bands], 1)
    zero = [np.asarray(table[f"magnitude_zero_point-{b}"], dtype=float) for b in bands]
    return np.asarray(10 ** (-0.4 * (magnitude - np.stack(zero, 1))))


def _parameters(table: Table, path: str, profile: Profile, band: str) -> dict[str, Any]:
    """Return the parameters of a profile under lenstronomy's names."""
    found: dict[str, Any] = {}
    for name, value in profile.parameters.items():
        if isinstance(value, tuple):
            found[name] = value
        elif name == "sigma_v":
            found["theta_E"] = np.asarray(table[f"{path}-theta_E-{band}"], dtype=float)
        elif name != "magnitude":
            found[name] = np.asarray(table[f"{path}-{name}-{band}"], dtype=float)
    return found
