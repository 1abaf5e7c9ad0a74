"""Read and check a configuration file of deeplenstronomy: `read_lens_configuration`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from skywright.sky.deeplenstronomy.backgrounds import read_backgrounds
from skywright.sky.deeplenstronomy.columns import (
    Column,
    canonical,
    list_columns,
    settable,
)
from skywright.sky.deeplenstronomy.cosmologies import read_cosmology
from skywright.sky.deeplenstronomy.document import (
    ConfigurationError,
    Item,
    Problem,
    Problems,
    change_item,
    from_plain,
    guess,
    read_tree,
    show,
)
from skywright.sky.deeplenstronomy.geometry import fixed_to_one, read_geometry
from skywright.sky.deeplenstronomy.inputs import include
from skywright.sky.deeplenstronomy.model import Backgrounds, Simulation
from skywright.sky.deeplenstronomy.sections import (
    check_sections,
    read_bands,
    read_dataset,
    read_section,
)
from skywright.sky.deeplenstronomy.species import read_species
from skywright.sky.deeplenstronomy.survey_overlay import overlay
from skywright.sky.deeplenstronomy.user_distributions import parameter_of, read_user_distributions
from skywright.sky.deeplenstronomy.values import Reader

__all__ = ["read_lens_configuration", "read_plain"]


def read_lens_configuration(
    config: str | Path | Mapping[str, Any],
    *,
    survey: str | None = None,
    compat: bool = False,
    folder: str | Path | None = None,
    changes: Mapping[str, Any] | None = None,
) -> Simulation:
    """Read a configuration of deeplenstronomy and check all that can be checked before work.

    Nothing in it is ever evaluated: names are looked up in fixed lists.

    Parameters
    ----------
    config : path, or mapping
        A YAML file in deeplenstronomy's format, or what such a file holds.
    survey : str, optional
        ``des``, ``delve``, ``lsst``, ``hst``, ``euclid`` or ``ztf``: conditions of that survey
        stand in for the sections IMAGE and SURVEY.
    compat : bool
        Take what version 0.0.1.7 took as well: galaxies without mass, a single plane, a key that
        is given twice (the last counts), columns of user tables that name no parameter.
    folder : path, optional
        Where files are that a mapping names; a file's own folder stands before it.
    changes : mapping, optional
        Values that stand in for those of the file, by their path: ``DATASET.PARAMETERS.SIZE``.

    Returns
    -------
    Simulation

    Raises
    ------
    ConfigurationError
        If anything is wrong; ``problems`` holds all of it, each with file, line and path.

    Examples
    --------
    >>> read_lens_configuration({"DATASET": {"NAME": "few"}})
    Traceback (most recent call last):
    skywright.sky.deeplenstronomy.document.ConfigurationError: COSMOLOGY: is missing...
    """
    problems, root = _tree(config, survey, compat, folder)
    for path, value in (changes or {}).items():
        root = change_item(root, path, value, problems)
    home = Path(folder or ".") if isinstance(config, Mapping) else Path(config).parent
    found = _read(root, home, problems)
    problems.stop()
    return found


def read_plain(
    config: str | Path | Mapping[str, Any],
    survey: str | None,
    compat: bool,
    folder: str | Path | None,
) -> dict[str, Any]:
    """Return a configuration as plain dicts, files it includes and survey laid over it."""
    _, root = _tree(config, survey, compat, folder)
    found: dict[str, Any] = root.plain()
    return found


def _tree(
    config: str | Path | Mapping[str, Any],
    survey: str | None,
    compat: bool,
    folder: str | Path | None,
) -> tuple[Problems, Item]:
    if not isinstance(compat, bool):
        raise ValueError(f"compat is {compat!r}, expected True or False")
    problems = Problems(compat)
    if isinstance(config, Mapping):
        root = include(from_plain(config), Path(folder or "."), problems)
    else:
        file = Path(config)
        root = include(read_tree(config, problems), file.parent, problems, (file.resolve(),))
    if not isinstance(root.value, dict):
        message = f"got {show(root.value)}, expected sections as DATASET: at the left margin"
        raise ConfigurationError([*problems.found, Problem(root.mark, "", message)])
    return problems, root if survey is None else overlay(root, survey)


def _read(root: Item, folder: Path, problems: Problems) -> Simulation:
    check_sections(root, problems)
    name, size, outdir, seed = read_dataset(root.get("DATASET"), problems)
    bands = read_bands(root.get("SURVEY"), problems)
    reader = Reader(problems, bands, folder)
    cosmology, parameters = read_cosmology(root.get("COSMOLOGY"), reader)
    image, _ = read_section(root.get("IMAGE"), "IMAGE", reader)
    survey, where = read_section(root.get("SURVEY"), "SURVEY", reader)
    species = read_species(root.get("SPECIES"), reader)
    configurations = read_geometry(root.get("GEOMETRY"), size, species, reader)
    if where is not None and any(c.time_series for c in configurations):
        exposures = where.get("num_exposures")
        if exposures is not None and not fixed_to_one(survey.get("num_exposures")):
            problems.add(exposures, "has to be 1 where a configuration has a TIMESERIES")
    found = Simulation(
        name, size or 0, outdir, seed, cosmology, parameters, image, survey, bands, species,
        configurations,
        read_user_distributions(root.get("DISTRIBUTIONS"), folder, problems),
        read_backgrounds(root.get("BACKGROUNDS"), configurations, bands, folder, problems),
    )  # fmt: skip
    if not problems.found and not problems.compat:
        _check_names(root, found, problems)
    return found


def _check_names(root: Item, simulation: Simulation, problems: Problems) -> None:
    """Note columns of user tables and of a map of backgrounds that mean nothing."""
    columns: dict[str, list[Column]] = {
        c.label: list_columns(simulation, c) for c in simulation.configurations
    }
    section = root.get("DISTRIBUTIONS")
    for distribution in simulation.distributions:
        item = section.get(distribution.label) if section else None
        for name in distribution.names:
            label, path, _ = parameter_of(name, simulation.bands)
            paths = set().union(*(settable(columns[k]) for k in columns if label in (None, k)))
            if item is not None and canonical(path) not in paths:
                problems.add(
                    item.value["FILENAME"],
                    f"{distribution.file}:1: the column {name!r:.80} is no parameter that differs "
                    f"from image to image"
                    f"{guess(path, paths)}",
                )
    backgrounds, section = simulation.backgrounds, root.get("BACKGROUNDS")
    if backgrounds is not None and section is not None:
        _check_map(section.value["PATH"], backgrounds, columns, simulation.bands, problems)


def _check_map(
    item: Item,
    backgrounds: Backgrounds,
    columns: dict[str, list[Column]],
    bands: tuple[str, ...],
    problems: Problems,
) -> None:
    for name in backgrounds.names:
        label, path, _ = parameter_of(name, bands)
        paths = {c.path for c in columns.get(label or "", [])}
        paths |= {f"{p.removesuffix('sigma_v')}theta_E" for p in paths if p.endswith("-sigma_v")}
        if label in backgrounds.configurations and canonical(path) not in paths:
            problems.add(
                item,
                f"{backgrounds.folder}/map.txt:1: {label} has no parameter {path!r:.80}"
                f"{guess(path, paths)}",
            )
