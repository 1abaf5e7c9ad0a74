"""GEOMETRY: which objects stand in which plane, how often, and what varies."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping

from skywright.sky.deeplenstronomy.document import (
    COMPAT,
    Item,
    Problems,
    guess,
    read_tree,
    show,
    words,
)
from skywright.sky.deeplenstronomy.model import (
    Configuration,
    Distribution,
    Galaxy,
    Noise,
    Plane,
    PointSource,
    Species,
    TimeSeries,
    Value,
)
from skywright.sky.deeplenstronomy.text_tables import find_file
from skywright.sky.deeplenstronomy.values import Bounds, Reader, number, text

__all__ = ["read_geometry"]

FRACTION = Bounds(0, 1, above=True)
REDSHIFT = Bounds(0, 1100, above=True)
DAY = Bounds(-1e7, 1e7)
ROUNDING = 1e-9


def read_geometry(
    item: Item | None, size: int | None, species: Mapping[str, Species], reader: Reader
) -> tuple[Configuration, ...]:
    """Return the configurations in the order of their numbers."""
    problems = reader.problems
    keys = problems.mapping(item, "configurations as CONFIGURATION_1")
    if item is None or not keys:
        if item is not None and item.value == {}:
            problems.add(item, "is empty, expected CONFIGURATION_1")
        return ()
    for key, child in keys.items():
        if not key.startswith("CONFIGURATION_"):
            problems.add(child, f"is no configuration{guess(key, ['CONFIGURATION_1'])}")
    found: list[Configuration] = []
    for child in problems.numbered(item, "CONFIGURATION"):
        if problems.mapping(child, "a mapping with NAME, FRACTION, PLANE_1"):
            found.append(_configuration(child, len(found) + 1, size, species, reader))
    total = sum(configuration.fraction for configuration in found)
    if total > 1 + ROUNDING:
        problems.add(item, f"the fractions add up to {total:g}, expected at most 1")
    return tuple(found)


def _configuration(
    item: Item, index: int, size: int | None, species: Mapping[str, Species], reader: Reader
) -> Configuration:
    problems = reader.problems
    prefixes = ("PLANE", "NOISE_SOURCE")
    allowed = [key for key in item.value if key.rpartition("_")[0] in prefixes]
    problems.known(item, ("NAME", "FRACTION", "TIMESERIES", *allowed), "a configuration")
    name = text(problems.need(item, "NAME", "a name"), "a name", problems) or ""
    share = problems.need(item, "FRACTION", str(FRACTION))
    fraction = number(share, FRACTION, problems) or 0.0
    count = int((size or 0) * fraction)
    if size and fraction and share is not None and count < 1:
        problems.add(share, f"got {fraction:g}, which is less than one of {size} images")
    planes = tuple(_plane(child, species, reader) for child in problems.numbered(item, "PLANE"))
    _check_planes(item, planes, problems)
    noise = tuple(
        source
        for child in problems.numbered(item, "NOISE_SOURCE")
        if (source := _named(child, species, (Noise,), "noise", problems))
    )
    series = item.get("TIMESERIES")
    varying = None if series is None else _time_series(series, planes, species, reader)
    return Configuration(
        f"CONFIGURATION_{index}", index, name, fraction, count, planes, noise, varying
    )


def _check_planes(item: Item, planes: tuple[Plane, ...], problems: Problems) -> None:
    least = 1 if problems.compat else 2
    if len(planes) < least:
        problems.add(
            item, f"has {len(planes)} planes; since version 0.0.1.8 it needs at least 2, the last "
            f"of which is the source ({COMPAT} takes one)"
        )  # fmt: skip
    fixed = [p.parameters.get("REDSHIFT") for p in planes]
    numbers = [z for z in fixed if isinstance(z, (int, float))]
    if any(far <= near for near, far in zip(numbers, numbers[1:], strict=False)):
        problems.add(
            item,
            f"the redshifts of the planes are {', '.join(f'{z:g}' for z in numbers)}, expected "
            "each plane behind the one before",
        )


def _plane(item: Item, species: Mapping[str, Species], reader: Reader) -> Plane:
    problems = reader.problems
    if not problems.mapping(item, "a mapping of OBJECT_1 and PARAMETERS"):
        return Plane((), {})
    allowed = [key for key in item.value if key.startswith("OBJECT_")]
    problems.known(item, ("PARAMETERS", *allowed), "a plane")
    if not allowed:
        problems.add(item, "is missing; expected the name of a species", "OBJECT_1")
    kinds = (Galaxy, PointSource)
    objects = [
        (child, name)
        for child in problems.numbered(item, "OBJECT")
        if (name := _named(child, species, kinds, "a galaxy or point source", problems))
    ]
    names = tuple(name for _, name in objects)
    for child, name in objects:
        found = species[name]
        if isinstance(found, PointSource) and found.host in species and found.host not in names:
            problems.add(child, f"{name} has the host {found.host}, which is not in this plane")
    parameters = problems.need(item, "PARAMETERS", "a mapping of REDSHIFT")
    values: dict[str, Value] = {}
    if parameters is not None and problems.mapping(parameters, "a mapping of REDSHIFT"):
        problems.known(parameters, ("REDSHIFT",), "a plane")
        z = reader.value(problems.need(parameters, "REDSHIFT", str(REDSHIFT)), REDSHIFT)
        if z is not None:
            values["REDSHIFT"] = z
    return Plane(names, values)


def _named(
    item: Item,
    species: Mapping[str, Species],
    kinds: tuple[type, ...],
    what: str,
    problems: Problems,
) -> str | None:
    name = text(item, f"the NAME of {what} in SPECIES", problems)
    known = [key for key, found in species.items() if isinstance(found, kinds)]
    if name is None or name in known:
        return name
    problems.add(
        item, f"got {name!r:.60}, expected the NAME of {what} in SPECIES: {words(known)}"
        f"{guess(name, known)}"
    )  # fmt: skip
    return None


def _time_series(
    item: Item, planes: tuple[Plane, ...], species: Mapping[str, Species], reader: Reader
) -> TimeSeries | None:
    problems = reader.problems
    if not problems.mapping(item, "a mapping of NITES and OBJECTS"):
        return None
    problems.known(item, ("NITES", "OBJECTS", "PEAK"), "TIMESERIES")
    nites = problems.need(item, "NITES", "a list of days or the name of a cadence file")
    reference, cadence = _nites(nites, reader)
    peak = item.get("PEAK")
    objects = _objects(problems.need(item, "OBJECTS", "names of point sources"), planes, species,
                       problems)  # fmt: skip
    days = 0.0 if peak is None else reader.value(peak, DAY)
    return TimeSeries(objects, cadence, reference, 0.0 if days is None else days)


def _objects(
    item: Item | None, planes: tuple[Plane, ...], species: Mapping[str, Species], problems: Problems
) -> tuple[str, ...]:
    if item is None:
        return ()
    if not isinstance(item.value, list) or not item.value:
        problems.add(item, f"got {show(item.value)}, expected a list of names of point sources")
        return ()
    here = {name for plane in planes for name in plane.objects}
    points = {n: s for n, s in species.items() if isinstance(s, PointSource) and n in here}
    found = []
    for child in item.value:
        name = text(child, "the name of a point source", problems)
        if name is None:
            continue
        if name not in points:
            problems.add(child, f"got {name!r:.60}, expected a point source of this configuration: "
                                f"{words(points)}{guess(name, points)}")  # fmt: skip
        elif points[name].model is None:
            problems.add(child, f"{name} has no MODEL in SPECIES, so nothing says how it varies")
        else:
            found.append(name)
    return tuple(found)


Cadence = dict[str, dict[str, tuple[float, ...]]]


def _nites(item: Item | None, reader: Reader) -> tuple[float, Cadence]:
    """Return the reference date, and days after it by pointing and band."""
    problems = reader.problems
    if item is None:
        return 0.0, {}
    if isinstance(item.value, str):
        return _cadence_file(item, reader)
    if not isinstance(item.value, list) or not item.value:
        problems.add(item, f"got {show(item.value)}, expected a list of days or a cadence file")
        return 0.0, {}
    days = tuple(number(child, DAY, problems) or 0.0 for child in item.value)
    return 0.0, {"POINTING_1": dict.fromkeys(reader.bands, days)}


def _cadence_file(item: Item, reader: Reader) -> tuple[float, Cadence]:
    problems = reader.problems
    file = find_file(item.value, reader.folder)
    if not os.path.isfile(file):
        problems.add(item, f"there is no cadence file {item.value!r:.80} beside the configuration, "
                           "nor where one works")  # fmt: skip
        return 0.0, {}
    root = read_tree(file, problems)
    if not problems.mapping(root, "a mapping of REFERENCE_MJD and POINTING_1"):
        return 0.0, {}
    start = number(root.get("REFERENCE_MJD"), DAY, problems) or 0.0
    pointings = problems.numbered(root, "POINTING")
    if not pointings:
        problems.add(root, "is missing; expected bands with lists of dates", "POINTING_1")
    return start, {
        child.path: _pointing(child, start, reader)
        for child in pointings
        if problems.mapping(child, "bands with lists of dates")
    }


def _pointing(item: Item, start: float, reader: Reader) -> dict[str, tuple[float, ...]]:
    problems = reader.problems
    found: dict[str, tuple[float, ...]] = {}
    for band in reader.bands:
        dates = problems.need(item, band, "a list of dates")
        if dates is None:
            continue
        if not isinstance(dates.value, list) or not dates.value:
            problems.add(dates, f"got {show(dates.value)}, expected a list of dates")
            continue
        days = [number(child, DAY, problems) for child in dates.value]
        found[band] = tuple(day - start for day in days if day is not None)
    lengths = {len(days) for days in found.values()}
    if len(lengths) > 1:
        problems.add(item, f"bands have {words(map(str, sorted(lengths)))} dates, expected as many "
                           "in each")  # fmt: skip
    return found


def fixed_to_one(value: Value | None) -> bool:
    """Return whether a value is the number one, drawn or not."""
    if isinstance(value, Distribution):
        return value.name == "delta_function" and value.parameters.get("value") == 1
    return isinstance(value, (int, float)) and math.isclose(value, 1)
