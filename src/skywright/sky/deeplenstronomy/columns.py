"""The parameters of one configuration, under the paths that deeplenstronomy gives its columns."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from skywright.sky.deeplenstronomy.model import (
    Configuration,
    Galaxy,
    Noise,
    Plane,
    PointSource,
    Profile,
    Simulation,
    Value,
)

__all__ = ["Column", "Place", "canonical", "list_columns", "places", "settable"]

# the same for all images, or worked out from what a file says
FIXED = ("numPix", "pixel_scale", "Tcmb0", "Neff", "m_nu", "Ob0")
OF_OBJECT = re.compile(r"(PLANE_\d+)-OBJECT_\d+-REDSHIFT")


@dataclass(frozen=True)
class Column:
    """One parameter: its path without the band, and its value or where that is drawn from."""

    path: str
    value: Value


@dataclass(frozen=True)
class Place:
    """Where an object stands: number of its plane, prefix of its columns, and what it is."""

    plane: int
    prefix: str
    species: Galaxy | PointSource


def canonical(path: str) -> str:
    """Return the path of a plane's redshift for that of an object in it; others as they are.

    >>> canonical("PLANE_2-OBJECT_1-REDSHIFT")
    'PLANE_2-REDSHIFT'
    """
    return OF_OBJECT.sub(r"\1-REDSHIFT", path)


def places(simulation: Simulation, configuration: Configuration) -> list[Place]:
    """Return all objects of a configuration, plane by plane."""
    found = []
    for p, plane in enumerate(configuration.planes, 1):
        for o, name in enumerate(plane.objects, 1):
            species = simulation.species[name]
            assert not isinstance(species, Noise)
            found.append(Place(p, f"PLANE_{p}-OBJECT_{o}", species))
    return found


def list_columns(simulation: Simulation, configuration: Configuration) -> list[Column]:
    """Return what a configuration states or draws, in the order of the draws."""
    found: list[Column] = [
        Column("CONFIGURATION_LABEL", configuration.label),
        Column("CONFIGURATION_NAME", configuration.name),
        Column("NAME", simulation.cosmology),
    ]
    for section in (simulation.cosmology_parameters, simulation.image, simulation.survey):
        found += [Column(name, value) for name, value in section.items()]
    found.append(Column("NUMBER_OF_NOISE_SOURCES", len(configuration.noise)))
    for i, name in enumerate(configuration.noise, 1):
        prefix = f"NOISE_SOURCE_{i}"
        source = simulation.species[name]
        assert isinstance(source, Noise)
        found += [Column(f"{prefix}-NAME", name), *_below(prefix, source.parameters)]
    found.append(Column("NUMBER_OF_PLANES", len(configuration.planes)))
    for p, plane in enumerate(configuration.planes, 1):
        found += _plane(f"PLANE_{p}", plane)
    for place in places(simulation, configuration):
        found += _object(place.prefix, place.species)
    return found


def settable(columns: list[Column]) -> set[str]:
    """Return the paths that a table may set, image by image."""
    return {
        column.path
        for column in columns
        if not isinstance(column.value, (str, tuple))
        and column.path not in FIXED
        and "NUMBER_OF" not in column.path
    }


def _plane(prefix: str, plane: Plane) -> Iterator[Column]:
    yield Column(f"{prefix}-NUMBER_OF_OBJECTS", len(plane.objects))
    yield from _below(prefix, plane.parameters)


def _object(prefix: str, species: Galaxy | PointSource) -> Iterator[Column]:
    yield Column(f"{prefix}-NAME", species.name)
    if isinstance(species, PointSource):
        yield Column(f"{prefix}-HOST", species.host or "Foreground")
        kinds: dict[str, tuple[Profile, ...]] = {"LIGHT": (), "MASS": (), "SHEAR": ()}
        yield from _below(prefix, species.parameters)
    else:
        yield Column(f"{prefix}-HOST", "None")
        kinds = {"LIGHT": species.light, "MASS": species.mass, "SHEAR": species.shear}
    for kind, profiles in kinds.items():
        yield Column(f"{prefix}-NUMBER_OF_{kind}_PROFILES", len(profiles))
        for i, profile in enumerate(profiles, 1):
            path = f"{prefix}-{kind}_PROFILE_{i}"
            yield Column(f"{path}-NAME", profile.name)
            yield from _below(path, profile.parameters)


def _below(prefix: str, parameters: Mapping[str, Value]) -> Iterator[Column]:
    for name, value in parameters.items():
        yield Column(f"{prefix}-{name}", value)
