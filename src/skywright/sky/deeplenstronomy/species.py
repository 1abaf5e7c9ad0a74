"""SPECIES: galaxies, point sources and noise."""

from __future__ import annotations

import re
from collections.abc import Callable

from skywright.sky.deeplenstronomy.document import COMPAT, Item, Problems, guess, show, words
from skywright.sky.deeplenstronomy.model import Galaxy, Noise, PointSource, Profile, Species, Value
from skywright.sky.deeplenstronomy.values import Bounds, Reader, number, text
from skywright.sky.profiles.names import (
    ALIASES,
    DEFAULTS,
    LIGHT_PROFILES,
    LISTS,
    MASS_PROFILES,
    OWN_LIGHTS,
    parameter_names,
)

__all__ = ["SPECIAL", "read_species"]

FINITE = Bounds()
ANGLE = Bounds(-1e5, 1e5)
BOUNDS = {
    "magnitude": Bounds(-100, 200),
    "R_sersic": Bounds(0, 1e5, above=True),
    "R_ring": Bounds(0, 1e5, above=True),
    "width": Bounds(0, 1e5, above=True),
    "arms": Bounds(1, 100, whole=True),
    "pitch": Bounds(0.02, 1.5),
    "contrast": Bounds(0, 1),
    "n_sersic": Bounds(0.3, 10),
    "e1": Bounds(-1, 1),
    "e2": Bounds(-1, 1),
    "theta_E": Bounds(0, 1e4),
    "sigma_v": Bounds(0, 1e5, above=True),
    "center_x": ANGLE,
    "center_y": ANGLE,
    "sep": Bounds(0, 1e6),
    "angle": Bounds(-1e3, 1e3),
    "mean": Bounds(0, 1e12),
}
KINDS = {"LIGHT_PROFILE": "light", "MASS_PROFILE": "mass", "SHEAR_PROFILE": "mass"}
SPECIAL = ("brighten_everything", "make_blueer", "make_redder")
ARGUMENT = re.compile(r"(LIGHT_PROFILE_[1-9]\d*)-(-?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?)")
MODELS = ("flat", "flatnoise", "variable", "variablenoise", "static")
TEMPLATES = ("ia", "cc", "kn", "user")
FILE_NAME = re.compile(r"[A-Za-z0-9][\w.+-]*")


def read_species(item: Item | None, reader: Reader) -> dict[str, Species]:
    """Return the species by name."""
    problems = reader.problems
    keys = problems.mapping(item, "species as GALAXY_1, POINTSOURCE_1, NOISE_1")
    found: dict[str, Species] = {}
    if item is None or not keys:
        return found
    kinds: dict[str, Callable[[Item, str, Reader], Species]] = {
        "GALAXY": _galaxy,
        "POINTSOURCE": _point_source,
        "NOISE": _noise,
    }
    for key, child in keys.items():
        if key.rpartition("_")[0] not in kinds:
            problems.add(child, f"is no species; expected GALAXY_i, POINTSOURCE_i or NOISE_i"
                                f"{guess(key, [f'{k}_1' for k in kinds])}")  # fmt: skip
    for kind, read in kinds.items():
        for child in problems.numbered(item, kind):
            if not problems.mapping(child, "a mapping with NAME"):
                continue
            name = text(problems.need(child, "NAME", "a name"), "a name", problems)
            if name is None:
                continue
            if name in found or name in ("Foreground", "None"):
                problems.add(child.value["NAME"], f"the name {name!r:.60} is taken")
            found[name] = read(child, name, reader)
    _check_hosts(keys, found, problems)
    return found


def _check_hosts(keys: dict[str, Item], found: dict[str, Species], problems: Problems) -> None:
    galaxies = [name for name, species in found.items() if isinstance(species, Galaxy)]
    for child in keys.values():
        host = child.get("HOST")
        if host is None or not isinstance(host.value, str) or host.value == "Foreground":
            continue
        if host.value.strip() not in galaxies:
            problems.add(
                host,
                f"got {host.value!r:.60}, expected Foreground or the NAME of a galaxy: "
                f"{words(galaxies)}{guess(host.value, galaxies)}",
            )


def _galaxy(item: Item, name: str, reader: Reader) -> Galaxy:
    problems = reader.problems
    allowed = (
        "NAME",
        "MODEL",
        "SPECIAL",
        *(k for k in item.value if k.rpartition("_")[0] in KINDS),
    )
    problems.known(item, allowed, "a galaxy")
    parts = {
        kind: tuple(
            profile
            for child in problems.numbered(item, kind)
            if (profile := _profile(child, KINDS[kind], reader))
        )
        for kind in KINDS
    }
    for kind, least in (("LIGHT_PROFILE", True), ("MASS_PROFILE", not problems.compat)):
        if least and not any(key.startswith(f"{kind}_") for key in item.value):
            problems.add(
                item, f"has no {kind}_1; since version 0.0.1.8 a galaxy needs at least one "
                f"({COMPAT} does without mass)"
            )  # fmt: skip
    special = _special(item.get("SPECIAL"), len(parts["LIGHT_PROFILE"]), problems)
    return Galaxy(
        name, parts["LIGHT_PROFILE"], parts["MASS_PROFILE"], parts["SHEAR_PROFILE"], special
    )


def _profile(item: Item, kind: str, reader: Reader) -> Profile | None:
    problems = reader.problems
    if not problems.mapping(item, "a mapping of NAME and PARAMETERS"):
        return None
    problems.known(item, ("NAME", "PARAMETERS"), "a profile")
    name = text(problems.need(item, "NAME", f"a profile of {kind}"), "a name", problems)
    parameters = problems.need(item, "PARAMETERS", "the parameters of the profile")
    if name is None or parameters is None:
        return None
    lights = (*LIGHT_PROFILES, *OWN_LIGHTS)
    profiles = [*(lights if kind == "light" else MASS_PROFILES), *ALIASES[kind]]
    if name not in profiles:
        problems.add(
            item.value["NAME"],
            f"{name!r:.60} is no profile of {kind} in lenstronomy{guess(name, profiles)}",
        )
        return None
    if not problems.mapping(parameters, f"the parameters of {name}"):
        return None
    return Profile(name, _parameters(parameters, kind, name, reader))


def _parameters(item: Item, kind: str, profile: str, reader: Reader) -> dict[str, Value]:
    problems = reader.problems
    names = list(parameter_names(kind, profile))
    lists = LISTS.get(profile, ())
    if kind == "light":
        names.insert(0, "magnitude")
        if item.get("amp") is not None and "amp" not in names:
            problems.add(item.value["amp"], "is not taken: write magnitude, the AB magnitude")
    takes = [*names, "sigma_v"] if kind == "mass" and "theta_E" in names else names
    found: dict[str, Value] = {}
    for key, child in item.value.items():
        if key == "amp" and "amp" not in takes and kind == "light":
            continue
        if key not in takes:
            problems.add(
                child, f"{profile} has no parameter {key!r:.60}{guess(key, takes)}; it takes "
                f"{words(takes)}"
            )  # fmt: skip
            continue
        value = (
            _numbers(child, problems)
            if key in lists
            else reader.value(child, BOUNDS.get(key, FINITE))
        )
        if value is not None:
            found[key] = value
    if "sigma_v" in item.value and "theta_E" in item.value:
        problems.add(item.value["sigma_v"], "stands beside theta_E, which it replaces: remove one")
    for name in names:
        replaced = name == "theta_E" and "sigma_v" in item.value
        if name not in item.value and name not in DEFAULTS and not replaced:
            problems.add(item, f"is missing; {profile} takes {words(takes)}", name)
    return found


def _numbers(item: Item, problems: Problems) -> tuple[float, ...] | None:
    """Return the numbers of a list, which are the same for all images."""
    if not isinstance(item.value, list) or not item.value:
        problems.add(item, f"got {show(item.value)}, expected a list of numbers")
        return None
    return tuple(number(child, FINITE, problems) or 0.0 for child in item.value)


def _special(
    item: Item | None, profiles: int, problems: Problems
) -> tuple[tuple[str, str, float], ...]:
    found = []
    for key, child in problems.mapping(item, f"a mapping of {words(SPECIAL)}").items():
        name = key.lower()
        if name not in SPECIAL:
            problems.add(child, f"is no function{guess(name, SPECIAL)}; there is {words(SPECIAL)}")
            continue
        for argument in child.value if isinstance(child.value, list) else [child]:
            match = ARGUMENT.fullmatch(str(argument.value))
            if not match or int(match[1].rpartition("_")[2]) > profiles:
                problems.add(
                    argument,
                    f"got {show(argument.value)}, expected LIGHT_PROFILE_i-NUMBER with a profile "
                    "of this galaxy and magnitudes, as LIGHT_PROFILE_1-0.5",
                )
            else:
                found.append((name, match[1], float(match[2])))
    return tuple(found)


def _point_source(item: Item, name: str, reader: Reader) -> PointSource:
    problems = reader.problems
    problems.known(item, ("NAME", "HOST", "MODEL", "PARAMETERS"), "a point source")
    host = text(problems.need(item, "HOST", "Foreground or a galaxy"), "a name", problems)
    parameters = problems.need(item, "PARAMETERS", "magnitude, and sep, sep_unit, angle")
    found: dict[str, Value] = {}
    if parameters is not None and problems.mapping(parameters, "magnitude, sep, sep_unit, angle"):
        takes = ("magnitude", "sep", "sep_unit", "angle")
        problems.known(parameters, takes, "a point source")
        problems.need(parameters, "magnitude", "a magnitude")
        for key in ("magnitude", "sep", "angle"):
            value = reader.value(parameters.get(key), BOUNDS[key])
            if value is not None:
                found[key] = value
        unit = parameters.get("sep_unit")
        if unit is not None and unit.value not in ("arcsec", "kpc"):
            problems.add(unit, f"got {show(unit.value)}, expected arcsec or kpc")
        elif unit is not None:
            found["sep_unit"] = unit.value
        if ("sep" in parameters.value) != ("sep_unit" in parameters.value):
            problems.add(parameters, "sep and sep_unit (arcsec or kpc) belong together", "sep_unit")
    model = item.get("MODEL")
    return PointSource(
        name,
        None if host == "Foreground" else host,
        found,
        _model(model, problems) if model is not None else None,
    )


def _model(item: Item, problems: Problems) -> str | None:
    name = text(item, "the name of a light curve", problems)
    if name is None or name in MODELS:
        return name
    kind, _, template = name.partition("_")
    if kind not in TEMPLATES or not FILE_NAME.fullmatch(template):
        known = [*MODELS, "ia_random", "cc_random", "kn_kn.SED"]
        problems.add(
            item, f"got {name!r:.60}, expected {words(known)} or ia_FILE, cc_FILE, user_FILE"
            f"{guess(name, known)}"
        )  # fmt: skip
        return None
    return name


def _noise(item: Item, name: str, reader: Reader) -> Noise:
    problems = reader.problems
    problems.known(item, ("NAME", "PARAMETERS"), "noise")
    if name.lower() != "poisson_noise":
        problems.add(
            item.value["NAME"],
            f"got {name!r:.60}, expected POISSON_NOISE{guess(name.upper(), ['POISSON_NOISE'])}",
        )
    parameters = problems.need(item, "PARAMETERS", "the mean")
    found: dict[str, Value] = {}
    if parameters is not None and problems.mapping(parameters, "a mapping of mean"):
        problems.known(parameters, ("mean",), "POISSON_NOISE")
        value = reader.value(problems.need(parameters, "mean", "a number"), BOUNDS["mean"])
        if value is not None:
            found["mean"] = value
    return Noise(name, found)
