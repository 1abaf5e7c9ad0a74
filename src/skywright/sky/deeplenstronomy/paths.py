"""Where in a configuration the parameter of a column stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from skywright.sky.deeplenstronomy.columns import places
from skywright.sky.deeplenstronomy.document import guess
from skywright.sky.deeplenstronomy.model import Galaxy, Simulation

__all__ = ["headers_of", "set_parameter"]


def set_parameter(
    config: dict[str, Any],
    column: str,
    configuration: str,
    value: Any,
    bands: Sequence[str],
) -> None:
    """Set what a column of the metadata is made from.

    Parameters
    ----------
    config : dict
        A whole configuration; changed in place.
    column : str
        Path of the parameter, with or without a band.
    configuration : str
        As ``CONFIGURATION_1``.
    value : object
        Number, or mapping of DISTRIBUTION.
    bands : sequence of str
        Names of the bands.

    Raises
    ------
    KeyError
        There is no such configuration or parameter.
    """
    path, _, last = column.rpartition("-")
    path = path if path and last in bands else column
    if configuration not in config["GEOMETRY"]:
        raise KeyError(f"there is no {configuration}; there is {', '.join(config['GEOMETRY'])}")
    try:
        place, name = _place(config, path, config["GEOMETRY"][configuration])
    except (KeyError, TypeError):
        raise KeyError(f"{configuration} has no parameter {column!r}") from None
    if name not in place:
        raise KeyError(f"{configuration} has no parameter {column!r}{guess(name, place)}")
    place[name] = value


def _place(
    config: Mapping[str, Any], path: str, geometry: Mapping[str, Any]
) -> tuple[dict[str, Any], str]:
    """Return the mapping that holds a parameter, and its name there."""
    *way, name = path.split("-")
    if not way:
        for section in ("DATASET", "COSMOLOGY", "IMAGE", "SURVEY"):
            parameters = config[section]["PARAMETERS"]
            if name in parameters:
                return parameters, name
        raise KeyError(path)
    if name == "REDSHIFT":
        return geometry[way[0]]["PARAMETERS"], name
    found = geometry
    for step in way[:2]:
        found = found[step]
    species = next(s for s in config["SPECIES"].values() if s["NAME"] == found)
    for step in way[2:]:
        species = species[step]
    return species["PARAMETERS"], name


def headers_of(simulation: Simulation, name: str) -> dict[str, list[str]]:
    """Return headers that set parameters whose name holds ``name``, object by object."""
    found: dict[str, list[str]] = {}
    for configuration in simulation.configurations:
        for place in places(simulation, configuration):
            for path in _paths(place.species):
                if name in path.rpartition("-")[2]:
                    head = f"{configuration.label}-{place.prefix}-{path}"
                    heads = [f"{head}-{band}" for band in simulation.bands]
                    found.setdefault(place.species.name, []).extend(heads)
    return found


def _paths(species: Any) -> list[str]:
    if not isinstance(species, Galaxy):
        return list(species.parameters)
    kinds = {"LIGHT": species.light, "MASS": species.mass, "SHEAR": species.shear}
    return [
        f"{kind}_PROFILE_{i}-{name}"
        for kind, profiles in kinds.items()
        for i, profile in enumerate(profiles, 1)
        for name in profile.parameters
    ]
