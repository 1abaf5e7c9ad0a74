"""All images of a configuration file as one data set with labels, for training."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import astropy.units as u
import numpy as np
from astropy.table import QTable, Table, vstack

from skywright.data.images import Images
from skywright.sky.deeplenstronomy.columns import places
from skywright.sky.deeplenstronomy.drawing import draw_lens_configuration
from skywright.sky.deeplenstronomy.images import images_of
from skywright.sky.deeplenstronomy.model import Configuration, Galaxy, Simulation
from skywright.sky.deeplenstronomy.reading import read_lens_configuration
from skywright.sky.deeplenstronomy.rendering import render_behind, render_lens_configuration
from skywright.sky.photometry import arc_snr

__all__ = ["list_lens_systems", "measure_arc_snr", "simulate_lens_systems"]

DES = "des-lenses"  # the file of the package
DEFAULT_SEED = 0
BLOCK = 10_000  # rows at once, of which few columns are kept
APERTURE = 2.0  # Einstein radii: arcs lie within


def list_lens_systems(
    config: str,
    lenses: Sequence[str] = ("CONFIGURATION_1",),
    *,
    size: int | None = None,
    seed: int | None = None,
) -> QTable:
    """List the images of all configurations of a file, with labels and what matters of each.

    Parameters
    ----------
    config : path
        A file in deeplenstronomy's format, or ``des-lenses``, the file of the package.
    lenses : sequence of str
        Labels of the configurations that hold lenses; all others are negatives.
    size, seed : int, optional
        Stand in for SIZE and SEED of the file.

    Returns
    -------
    systems : QTable
        One row an image, the configurations mixed: ``object_id``, ``label`` (1: lens),
        ``configuration``, ``name``, ``image`` (its number in the configuration), ``theta_e``
        [arcsec], ``z_lens``, ``z_source`` (of the last plane), ``seeing`` [arcsec], and by band
        ``mag_lens_…`` [mag], of the first galaxy. Size and seed stand in ``meta``.

    Raises
    ------
    ConfigurationError
        The file is wrong.
    ValueError
        A label is that of no configuration.
    """
    file, changes = _file(config), {} if size is None else {"DATASET.PARAMETERS.SIZE": size}
    simulation = read_lens_configuration(file, changes=changes)
    known = [c.label for c in simulation.configurations]
    wrong = [label for label in lenses if label not in known]
    if wrong:
        raise ValueError(f"lenses names {wrong[0]!r}, expected some of {', '.join(known)}")
    if seed is None:
        seed = DEFAULT_SEED if simulation.seed is None else simulation.seed
    parts = [
        _summary(draw_lens_configuration(simulation, c.label, rows, seed=seed), simulation, c)
        for c in simulation.configurations
        for rows in _blocks(c.size)
    ]
    systems = vstack(parts)
    # in a mixed order: the number of an image must not give its class away
    systems = systems[np.random.default_rng([seed, len(systems)]).permutation(len(systems))]
    systems.add_column(np.isin(systems["configuration"], lenses).astype(int), 0, "label")
    systems.add_column(np.arange(len(systems)), 0, "object_id")
    systems.meta = {"size": size, "seed": seed}
    return systems


def simulate_lens_systems(config: str, systems: Table) -> Images:
    """Simulate the images of some rows of `list_lens_systems`; each is the same in any block.

    Parameters
    ----------
    config : path
        What they were listed from.
    systems : Table
        Any of its rows.

    Returns
    -------
    images : Images [nJy]
        In the order of the rows.
    """
    flux, variance, whole = None, None, None
    for rows, table, simulation in _by_configuration(config, systems):
        whole = images_of(render_lens_configuration(table, simulation).flux, table, simulation)
        if flux is None:
            flux = np.empty((len(systems), *whole.flux.shape[1:]), np.float32)
            variance = np.full((len(systems), flux.shape[1], 1, 1), np.nan, np.float32)
        flux[rows] = whole.flux
        if whole.variance is not None and variance is not None:
            variance[rows] = whole.variance
    if flux is None or variance is None or whole is None:
        raise ValueError("got no systems; expected rows of list_lens_systems")
    return Images(
        flux=flux,
        bands=whole.bands,
        unit=whole.unit,
        scale=whole.scale,
        object_id=np.asarray(systems["object_id"]),
        variance=None if np.isnan(variance).any() else variance,
        psf_fwhm=whole.psf_fwhm,
    )


def measure_arc_snr(config: str, systems: Table) -> np.ndarray:
    """Measure the signal to noise of what is lensed in each image; 0 where there is no lens.

    Parameters
    ----------
    config : path
        What they were listed from.
    systems : Table
        Rows of `list_lens_systems`.

    Returns
    -------
    snr : (n,)
        As of `skywright.sky.arc_snr`: light of the last plane within two Einstein radii and the
        seeing, over the noise of the empty sky.
    """
    snr = np.zeros(len(systems))
    lenses = np.flatnonzero(np.asarray(systems["label"]) == 1)
    for rows, table, simulation in _by_configuration(config, systems[lenses]):
        at = lenses[rows]
        theta = u.Quantity(systems["theta_e"][at] * APERTURE + systems["seeing"][at], u.arcsec)
        made = images_of(render_behind(table, simulation), table, simulation)
        if made.variance is None or made.scale is None:
            raise ValueError("these images have real backgrounds, whose noise is not known")
        size = made.flux.shape[-1]
        axis = (np.arange(size) - (size - 1) / 2) * made.scale.to_value(u.arcsec)
        inside = np.hypot(axis, axis[:, None]) <= theta.value[:, None, None]
        snr[at] = arc_snr(made.flux * inside[:, None], made.variance)
    return snr


def _file(config: str) -> Path:
    """Return the file that is meant; what exists goes before the file of the package."""
    if config != DES or os.path.exists(config):
        return Path(config)
    return Path(str(files("skywright") / "sky" / "deeplenstronomy" / "des" / "des.yaml"))


def _by_configuration(
    config: str, systems: Table
) -> Iterator[tuple[np.ndarray, Table, Simulation]]:
    """Yield which rows belong to a configuration, what they show, and the file."""
    size, seed = systems.meta["size"], systems.meta["seed"]
    changes: Mapping[str, Any] = {} if size is None else {"DATASET.PARAMETERS.SIZE": size}
    simulation = read_lens_configuration(_file(config), changes=changes)
    labels = np.asarray(systems["configuration"])
    for label in dict.fromkeys(labels.tolist()):
        rows = np.flatnonzero(labels == label)
        numbers = np.asarray(systems["image"])[rows]
        table = draw_lens_configuration(simulation, label, numbers, seed=seed)
        if len(table) != len(rows):
            raise ValueError(f"{label} is a time series: a data set has one image a system")
        yield rows, table, simulation


def _blocks(size: int) -> Iterator[range]:
    """Yield numbers of images whose whole rows fit into memory."""
    for start in range(0, size, BLOCK):
        yield range(start, min(start + BLOCK, size))


def _summary(table: Table, simulation: Simulation, configuration: Configuration) -> QTable:
    band = simulation.bands[0]
    first = next(p for p in places(simulation, configuration) if isinstance(p.species, Galaxy))
    theta = f"{first.prefix}-MASS_PROFILE_1-theta_E-{band}"
    number = len(table)
    seeing = np.mean([np.asarray(table[f"seeing-{b}"], float) for b in simulation.bands], axis=0)
    columns: dict[str, Any] = {
        "configuration": [configuration.label] * number,
        "name": [configuration.name] * number,
        "image": np.asarray(table[f"OBJID-{band}"]),
        "theta_e": (table[theta] if theta in table.colnames else np.zeros(number)) * u.arcsec,
        "z_lens": np.asarray(table[f"PLANE_1-REDSHIFT-{band}"], float),
        "z_source": np.asarray(table[f"PLANE_{len(configuration.planes)}-REDSHIFT-{band}"], float),
        "seeing": seeing * u.arcsec,
    }
    for b in simulation.bands:
        magnitude = np.asarray(table[f"{first.prefix}-LIGHT_PROFILE_1-magnitude-{b}"], float)
        columns[f"mag_lens_{b}"] = magnitude * u.mag
    return QTable(columns)
