"""What a checked configuration file says: frozen dataclasses of numbers, names and draws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

__all__ = [
    "Backgrounds",
    "Configuration",
    "Distribution",
    "Galaxy",
    "Noise",
    "Plane",
    "PointSource",
    "Profile",
    "Simulation",
    "TimeSeries",
    "UserDistribution",
    "Value",
]


@dataclass(frozen=True)
class Distribution:
    """Where a value is drawn from.

    Parameters
    ----------
    name : str
        One of the names in `skywright.sky.deeplenstronomy.draws`, or ``catalogue``.
    parameters : mapping
        Its parameters; of a catalogue ``file`` and ``column``.
    values : (row,), optional
        The column of a catalogue.
    """

    name: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    values: np.ndarray | None = None


Value = float | int | str | tuple[float, ...] | Distribution


@dataclass(frozen=True)
class Profile:
    """A profile of light or mass, with lenstronomy's names."""

    name: str
    parameters: Mapping[str, Value]


@dataclass(frozen=True)
class Galaxy:
    """Light and mass at one place of the sky.

    Parameters
    ----------
    special : tuple of (function, light profile, number)
        Edits of magnitudes after they are drawn.
    """

    name: str
    light: tuple[Profile, ...]
    mass: tuple[Profile, ...]
    shear: tuple[Profile, ...] = ()
    special: tuple[tuple[str, str, float], ...] = ()


@dataclass(frozen=True)
class PointSource:
    """A point beside a galaxy, or in the foreground where ``host`` is None."""

    name: str
    host: str | None
    parameters: Mapping[str, Value]
    model: str | None = None


@dataclass(frozen=True)
class Noise:
    """Noise that is added to each pixel, beside that of the instrument."""

    name: str
    parameters: Mapping[str, Value]


Species = Galaxy | PointSource | Noise


@dataclass(frozen=True)
class Plane:
    """Objects at one redshift."""

    objects: tuple[str, ...]
    parameters: Mapping[str, Value]


@dataclass(frozen=True)
class TimeSeries:
    """Which objects vary, and when they are seen.

    Parameters
    ----------
    objects : tuple of str
        Names of point sources.
    cadence : mapping of str to mapping of str to (night,) [day]
        Pointing -> band -> days since the reference.
    reference : float [day]
        Date of day 0.
    peak : Value [day]
        Day of the peak.
    """

    objects: tuple[str, ...]
    cadence: Mapping[str, Mapping[str, tuple[float, ...]]]
    reference: float = 0.0
    peak: Value = 0.0


@dataclass(frozen=True)
class Configuration:
    """One kind of system, and how many images of it are made."""

    label: str
    number: int
    name: str
    fraction: float
    size: int
    planes: tuple[Plane, ...]
    noise: tuple[str, ...] = ()
    time_series: TimeSeries | None = None


@dataclass(frozen=True)
class UserDistribution:
    """Rows of a table that stand in for drawn values, chosen by weight.

    Parameters
    ----------
    names : tuple of str
        ``[CONFIGURATION_k-]path[-band]`` of each column.
    values : (row, column)
    cumulative : (row,), optional
        Sums of the weights up to each row, the last one 1; None takes one row after the other.
    """

    label: str
    file: Path
    names: tuple[str, ...]
    values: np.ndarray
    cumulative: np.ndarray | None


@dataclass(frozen=True)
class Backgrounds:
    """Real images to which the simulated ones are added.

    Parameters
    ----------
    configurations : tuple of str
        Labels of those that get one.
    count : int
        How many there are.
    iterate : bool
        Whether they, and the values of their map, are taken one after the other.
    names, values : tuple of str and (image, column)
        The map: what is known of each image.
    """

    folder: Path
    configurations: tuple[str, ...]
    count: int
    iterate: bool = False
    names: tuple[str, ...] = ()
    values: np.ndarray | None = None


@dataclass(frozen=True)
class Simulation:
    """A whole configuration file; ``cosmology`` is the name of one of astropy's."""

    name: str
    size: int
    outdir: str
    seed: int | None
    cosmology: str
    cosmology_parameters: Mapping[str, Value]
    image: Mapping[str, Value]
    survey: Mapping[str, Value]
    bands: tuple[str, ...]
    species: Mapping[str, Species]
    configurations: tuple[Configuration, ...]
    distributions: tuple[UserDistribution, ...] = ()
    backgrounds: Backgrounds | None = None

    def configuration(self, label: str) -> Configuration:
        """Return the configuration with this label, as ``CONFIGURATION_1``."""
        for found in self.configurations:
            if found.label == label:
                return found
        known = ", ".join(c.label for c in self.configurations)
        raise KeyError(f"there is no {label}; there is {known}")
