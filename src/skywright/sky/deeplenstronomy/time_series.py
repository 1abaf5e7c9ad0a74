"""One row for each night of an image whose point sources vary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from astropy.cosmology import FLRW

from skywright.sky.deeplenstronomy.columns import Place, places
from skywright.sky.deeplenstronomy.draws import LAWS
from skywright.sky.deeplenstronomy.model import (
    Configuration,
    Distribution,
    Simulation,
    Value,
)
from skywright.sky.deeplenstronomy.survey_draws import SURVEY_LAWS, survey_draws
from skywright.sky.deeplenstronomy.uniforms import SMALLEST, image_rng
from skywright.sky.distances import Cosmology

__all__ = ["expand_nights", "light_curve", "varying_places"]

NIGHT, CURVE, MEASURED = 1, 2, 3  # streams of an image beside its parameters
MEASUREMENT_ERROR = 0.03  # mag, of magnitude_measured
PER_NIGHT = ("seeing", "sky_brightness", "magnitude_zero_point")

Values = dict[str, np.ndarray]


def varying_places(simulation: Simulation, configuration: Configuration) -> list[Place]:
    """Return where the objects of the time series stand."""
    series = configuration.time_series
    names = () if series is None else series.objects
    return [p for p in places(simulation, configuration) if p.species.name in names]


def expand_nights(
    simulation: Simulation,
    configuration: Configuration,
    values: Values,
    numbers: np.ndarray,
    seed: int,
    cosmology: Cosmology,
) -> Values:
    """Return a row for each night of each image.

    Conditions that are drawn are drawn anew for each night. Magnitudes are those of the object
    itself, unlensed; images of lensed objects are delayed when they are rendered.
    """
    series = configuration.time_series
    assert series is not None
    peaks = _peaks(series.peak, values.pop("u-PEAK"))
    cosmologies = cosmology if isinstance(cosmology, Sequence) else [cosmology] * len(numbers)
    bands = simulation.bands
    days = [
        np.stack([np.asarray(series.cadence[str(p)][band]) for band in bands], axis=1)
        for p in values["POINTING"]
    ]
    rows = np.repeat(np.arange(len(numbers)), [len(d) for d in days])
    wide = {path: found[rows] for path, found in values.items()}
    number = configuration.number
    for name in PER_NIGHT:
        value = simulation.survey.get(name)
        if isinstance(value, Distribution):
            wide[name] = _conditions(value, bands, number, numbers, days, seed)
    for place in varying_places(simulation, configuration):
        z = values[f"{place.prefix}-REDSHIFT"]
        curves = [
            light_curve(simulation, place, d - peak, float(zi), own, seed, number, int(i))
            for d, peak, zi, own, i in zip(days, peaks, z, cosmologies, numbers, strict=True)
        ]
        errors = [
            image_rng(seed, number, int(i), MEASURED, place.plane).normal(size=d.shape)
            for d, i in zip(days, numbers, strict=True)
        ]
        magnitude = np.concatenate(curves) if curves else np.empty((0, len(bands)))
        noise = np.concatenate(errors) if errors else np.empty((0, len(bands)))
        nites = np.concatenate(days) if days else np.empty((0, len(bands)))
        wide[f"{place.prefix}-magnitude"] = magnitude
        wide[f"{place.prefix}-magnitude_measured"] = magnitude + MEASUREMENT_ERROR * noise
        wide[f"{place.prefix}-nite"] = nites + series.reference
        wide[f"{place.prefix}-peaknite"] = peaks[rows]
        model: Any = place.species
        wide[f"{place.prefix}-id"] = np.full(len(rows), model.model)
        wide[f"{place.prefix}-type"] = np.full(len(rows), str(model.model).partition("_")[0])
    return wide


def light_curve(
    simulation: Simulation,
    place: Place,
    days: np.ndarray,
    redshift: float,
    cosmology: FLRW,
    seed: int,
    number: int,
    image: int,
) -> np.ndarray:
    """Return magnitudes of an object at any days after its peak.

    Parameters
    ----------
    simulation, place
        Whose species has a model.
    days : (time, band) [day]
        After the peak, for the observer.
    redshift, cosmology : float and FLRW
        Of the object.
    seed, number, image : int
        Of the data set, the configuration and the image: the same object every time it is asked.

    Returns
    -------
    (time, band) [mag]
    """
    from skywright.sky import light_curve_magnitudes

    rng = image_rng(seed, number, image, CURVE, place.plane, int(place.prefix.rpartition("_")[2]))
    model: Any = place.species
    found = light_curve_magnitudes(
        model.model, days.ravel(), redshift, simulation.bands, cosmology, rng=rng
    )
    bands = np.arange(days.shape[1])
    return np.asarray(found).reshape(*days.shape, len(bands))[:, bands, bands]


def _peaks(value: Value, u: np.ndarray) -> np.ndarray:
    if isinstance(value, Distribution):
        if value.values is not None:
            return np.asarray(value.values[(u * len(value.values)).astype(int)])
        return LAWS[value.name](u, **value.parameters)
    return np.full(len(u), value, dtype=float)


def _conditions(
    value: Distribution,
    bands: tuple[str, ...],
    number: int,
    numbers: np.ndarray,
    days: list[np.ndarray],
    seed: int,
) -> np.ndarray:
    """Draw a condition for each night, in each band by itself."""
    found = []
    for image, nights in zip(numbers, days, strict=True):
        rng = image_rng(seed, number, int(image), NIGHT)
        u = np.maximum(rng.random(nights.shape), SMALLEST)
        if value.name in SURVEY_LAWS:
            drawn = [survey_draws(value.name, u[:, b], band, **value.parameters)
                     for b, band in enumerate(bands)]  # fmt: skip
            found.append(np.stack(drawn, axis=1))
        elif value.values is not None:
            found.append(value.values[(u * len(value.values)).astype(int)])
        else:
            found.append(LAWS[value.name](u, **value.parameters))
    return np.concatenate(found) if found else np.empty((0, len(bands)))
