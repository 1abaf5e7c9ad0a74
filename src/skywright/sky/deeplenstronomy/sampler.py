"""Draw all parameters of a configuration at once, each image from its own random numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from skywright.sky.deeplenstronomy.columns import (
    Column,
    canonical,
    list_columns,
    places,
    settable,
)
from skywright.sky.deeplenstronomy.cosmologies import COSMOLOGY, has_distances
from skywright.sky.deeplenstronomy.draws import LAWS
from skywright.sky.deeplenstronomy.geometry import REDSHIFT
from skywright.sky.deeplenstronomy.model import (
    Backgrounds,
    Configuration,
    Distribution,
    PointSource,
    Simulation,
    UserDistribution,
)
from skywright.sky.deeplenstronomy.sections import IMAGE, SURVEY
from skywright.sky.deeplenstronomy.species import BOUNDS
from skywright.sky.deeplenstronomy.survey_draws import SURVEY_LAWS, survey_draws
from skywright.sky.deeplenstronomy.uniforms import image_uniforms
from skywright.sky.deeplenstronomy.user_distributions import parameter_of
from skywright.sky.deeplenstronomy.values import Bounds

__all__ = ["Values", "sample_parameters"]

Values = dict[str, np.ndarray]  # path -> (image,), or (image, band) where bands differ
MOST = 1000  # attempts for the first image that does not come out well
FLATTEST = 0.9  # modulus of ellipticity, an axis ratio of 1 to 19
LIMITS = BOUNDS | IMAGE | SURVEY | COSMOLOGY | {"REDSHIFT": REDSHIFT}


@dataclass(frozen=True)
class _Plan:
    """What is drawn, with which of an image's uniform numbers, and what it may be."""

    simulation: Simulation
    configuration: Configuration
    seed: int
    columns: tuple[Column, ...]
    banded: frozenset[str]
    limits: dict[str, Bounds]
    slots: dict[str, int]
    count: int


def sample_parameters(
    simulation: Simulation, configuration: Configuration, images: np.ndarray, seed: int
) -> Values:
    """Draw the parameters of some images of a configuration.

    An image whose planes are not in order of redshift, or one of whose values has no meaning (a
    negative radius out of a normal distribution), is drawn again as a whole until all is well;
    none is ever left out.

    Parameters
    ----------
    simulation, configuration
        From `read_lens_configuration`.
    images : (image,)
        Their numbers in the configuration.
    seed : int
        Of the data set.

    Returns
    -------
    values : dict
        Path -> (image,), or (image, band) where bands differ.

    Raises
    ------
    ValueError
        That never happens: the message says what stands against it.
    """
    plan = _make_plan(simulation, configuration, seed)
    values = _draw(plan, images, 0)
    left = np.flatnonzero(~_good(plan, values))
    if left.size:
        _probe(plan, int(images[left[0]]))
    attempt = 1
    while left.size:
        again = _draw(plan, images[left], attempt)
        good = _good(plan, again)
        for path, drawn in again.items():
            values[path][left[good]] = drawn[good]
        left = left[~good]
        attempt += 1
    return values


def _make_plan(simulation: Simulation, configuration: Configuration, seed: int) -> _Plan:
    columns = tuple(list_columns(simulation, configuration))
    banded = {
        c.path for c in columns if isinstance(c.value, Distribution) and c.value.name in SURVEY_LAWS
    }
    drawn = {c.path for c in columns if isinstance(c.value, Distribution)}
    for _, path, band, _ in _overrides(simulation, configuration):
        drawn.add(path)
        banded |= {path} if band is not None else set()
    names = {path: path.rpartition("-")[2] for path in drawn}
    limits = {path: LIMITS[name] for path, name in names.items() if name in LIMITS}
    slots: dict[str, int] = {}
    count = 0
    for key, width in _wanted(simulation, configuration, columns):
        if key not in slots:
            slots[key] = count
            count += width
    return _Plan(simulation, configuration, seed, columns, frozenset(banded), limits, slots, count)


def _wanted(
    simulation: Simulation, configuration: Configuration, columns: tuple[Column, ...]
) -> Iterator[tuple[str, int]]:
    """Yield what needs random numbers, and how many."""
    for column in columns:
        if isinstance(column.value, Distribution):
            wide = column.value.name in SURVEY_LAWS
            yield _key(column), len(simulation.bands) if wide else 1
    for place in places(simulation, configuration):
        if isinstance(place.species, PointSource):
            yield f"{place.prefix}-position", 2
    for distribution in simulation.distributions:
        yield distribution.label, 1
    yield "POINTING", 1
    yield "PEAK", 1
    yield "BACKGROUND", 1


def _key(column: Column) -> str:
    """Return what a column is drawn by: columns of one catalogue share the row."""
    assert isinstance(column.value, Distribution)
    if column.value.name == "catalogue":
        return f"catalogue {column.value.parameters['file']}"
    return column.path


def _draw(plan: _Plan, images: np.ndarray, attempt: int) -> Values:
    number = plan.configuration.number
    u = image_uniforms(plan.seed, number, images, attempt, plan.count)
    bands = plan.simulation.bands
    values: Values = {}
    for column in plan.columns:
        found = _column(plan, column, u)
        if column.path in plan.banded and found.ndim == 1:
            found = np.repeat(found[:, None], len(bands), axis=1)
        values[column.path] = found
    for distribution, path, band, place in _overrides(plan.simulation, plan.configuration):
        rows = _rows(distribution, plan, u, images)
        if values[path].dtype.kind in "iu":
            values[path] = values[path].astype(float)
        if path in plan.banded:
            where = slice(None) if band is None else slice(band, band + 1)
            values[path][:, where] = distribution.values[rows, place][:, None]
        else:
            values[path] = distribution.values[rows, place]
    for key in ("POINTING", "PEAK", "BACKGROUND"):
        values[f"u-{key}"] = u[:, plan.slots[key]]
    for key in [key for key in plan.slots if key.endswith("-position")]:
        values[f"u-{key}"] = u[:, plan.slots[key] : plan.slots[key] + 2]
    return values


def _column(plan: _Plan, column: Column, u: np.ndarray) -> np.ndarray:
    value: Any = column.value
    if isinstance(value, tuple):
        value = ";".join(f"{term:.17g}" for term in value)
    if not isinstance(value, Distribution):
        return np.full(len(u), value)
    slot = plan.slots[_key(column)]
    if value.name in SURVEY_LAWS:
        bands = enumerate(plan.simulation.bands)
        drawn = [survey_draws(value.name, u[:, slot + i], b, **value.parameters) for i, b in bands]
        return np.stack(drawn, axis=1)
    if value.values is not None:
        rows = (u[:, slot] * len(value.values)).astype(int)
        return np.asarray(value.values[rows])
    return LAWS[value.name](u[:, slot], **value.parameters)


def _overrides(
    simulation: Simulation, configuration: Configuration
) -> Iterator[tuple[UserDistribution, str, int | None, int]]:
    """Yield (table, path, number of the band or None, column) of what tables set here."""
    known = settable(list_columns(simulation, configuration))
    tables = list(simulation.distributions)
    backgrounds = simulation.backgrounds
    if _iterated(backgrounds, configuration):
        assert backgrounds is not None
        assert backgrounds.values is not None
        tables.append(
            UserDistribution("map", backgrounds.folder, backgrounds.names, backgrounds.values, None)
        )
    for table in tables:
        for place, name in enumerate(table.names):
            label, path, band = parameter_of(name, simulation.bands)
            path = canonical(path)
            if label not in (None, configuration.label) or path not in known:
                continue
            shared = path.endswith("-REDSHIFT") or path in COSMOLOGY
            whole = band is None or shared
            yield table, path, None if whole else simulation.bands.index(str(band)), place


def _iterated(backgrounds: Backgrounds | None, configuration: Configuration) -> bool:
    return (
        backgrounds is not None
        and backgrounds.iterate
        and backgrounds.values is not None
        and configuration.label in backgrounds.configurations
    )


def _rows(table: UserDistribution, plan: _Plan, u: np.ndarray, images: np.ndarray) -> np.ndarray:
    if table.cumulative is None:
        return np.asarray(images) % len(table.values)
    return np.searchsorted(table.cumulative[:-1], u[:, plan.slots[table.label]], side="right")


def _good(plan: _Plan, values: Values) -> np.ndarray:
    """Return which images may stay as they were drawn."""
    good = np.ones(len(values["PLANE_1-REDSHIFT"]), dtype=bool)
    for fine in _demands(plan, values).values():
        good &= fine
    return good


def _demands(plan: _Plan, values: Values) -> dict[str, np.ndarray]:
    """Return what is demanded of an image, in words, and which images meet it."""
    found: dict[str, np.ndarray] = {}
    for path, bounds in plan.limits.items():
        fine = bounds.inside(values[path])
        found[f"{path} was never {bounds}"] = (
            fine if fine.ndim == 1 else np.asarray(fine.all(axis=1))
        )
        if path.endswith("-e1") and f"{path[:-1]}2" in values:
            modulus = np.hypot(values[path], values[f"{path[:-1]}2"])
            fine = np.asarray(modulus < FLATTEST)
            words = f"{path} and e2 never had a modulus below {FLATTEST}"
            found[words] = _in_all_bands(fine)
    names = plan.simulation.cosmology_parameters
    if any(name in plan.limits for name in names):
        words = "the cosmology never had all redshifts, and less baryons than matter"
        found[words] = has_distances({name: values[name] for name in names})
    z = [values[f"PLANE_{p}-REDSHIFT"] for p in range(1, len(plan.configuration.planes) + 1)]
    ordered = np.ones(len(z[0]), dtype=bool)
    for near, far in zip(z, z[1:], strict=False):
        ordered &= near < far
    found["the planes were never in order of redshift"] = ordered
    return found


def _in_all_bands(fine: np.ndarray) -> np.ndarray:
    return fine if fine.ndim == 1 else np.asarray(fine.all(axis=1))


def _probe(plan: _Plan, image: int) -> None:
    """Refuse a configuration that never comes out well, before long work."""
    never: set[str] | None = None
    for attempt in range(1, MOST):
        demands = _demands(plan, _draw(plan, np.array([image]), attempt))
        failed = {words for words, fine in demands.items() if not fine[0]}
        if not failed:
            return
        never = failed if never is None else never & failed
    label = plan.configuration.label
    reasons = "; ".join(sorted(never or ())) or "what is drawn was never all well at once"
    raise ValueError(f"{label}: in {MOST} draws of image {image} {reasons}: change what it is "
                     "drawn from")  # fmt: skip
