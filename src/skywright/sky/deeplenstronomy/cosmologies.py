"""COSMOLOGY: one of astropy's, the same for all images or drawn for each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from astropy.cosmology import FLRW, FlatLambdaCDM, FlatwCDM, LambdaCDM, wCDM

from skywright.sky.deeplenstronomy.document import Item
from skywright.sky.deeplenstronomy.model import Distribution, Simulation, Value
from skywright.sky.deeplenstronomy.sections import one_of, parameters_of
from skywright.sky.deeplenstronomy.survey_draws import SURVEY_LAWS
from skywright.sky.deeplenstronomy.values import Bounds, Reader, number

__all__ = ["COSMOLOGY", "cosmology_of", "has_distances", "read_cosmology"]

KINDS: dict[str, tuple[type[FLRW], tuple[str, ...]]] = {  # and what they take beside the others
    "FlatLambdaCDM": (FlatLambdaCDM, ()),
    "LambdaCDM": (LambdaCDM, ("Ode0",)),
    "FlatwCDM": (FlatwCDM, ("w0",)),
    "wCDM": (wCDM, ("Ode0", "w0")),
}
DRAWN = {"H0": Bounds(1, 1000), "Om0": Bounds(0, 1), "Ode0": Bounds(0, 2), "w0": Bounds(-3, 1)}
FIXED = {
    "Tcmb0": Bounds(0, 10),
    "Neff": Bounds(0, 100),
    "m_nu": Bounds(0, 10),
    "Ob0": Bounds(0, 1),
}
COSMOLOGY = DRAWN | FIXED
NEEDED = ("H0", "Om0", "Ode0")
STRETCH = np.geomspace(1, 1101, 200)  # 1 + z
SLOWEST = 0.01  # square of the expansion rate over that of today


def read_cosmology(item: Item | None, reader: Reader) -> tuple[str, dict[str, Value]]:
    """Return the name of a cosmology and its parameters, of which some may be drawn."""
    problems = reader.problems
    named = None if item is None else item.get("NAME")
    kind = "FlatLambdaCDM" if named is None else one_of(named, tuple(KINDS), problems)
    if kind is None:
        return "", {}
    takes = ["H0", "Om0", *KINDS[kind][1], *FIXED]
    parameters = parameters_of(item, takes, problems)
    if parameters is None:
        return kind, {}
    for name in takes:
        if name in NEEDED:
            problems.need(parameters, name, str(COSMOLOGY[name]))
    found: dict[str, Value] = {}
    for name, child in parameters.value.items():
        if name not in takes:
            continue
        value = (
            reader.value(child, DRAWN[name])
            if name in DRAWN
            else number(child, FIXED[name], problems)
        )
        if isinstance(value, Distribution) and value.name in SURVEY_LAWS:
            problems.add(child, f"{value.name} differs between bands, which share a cosmology")
        elif value is not None:
            found[name] = value
    _check(parameters, found, reader)
    return kind, found


def _check(item: Item, found: Mapping[str, Value], reader: Reader) -> None:
    """Note numbers that belong to no cosmology; drawn ones are looked at image by image."""
    if "Om0" not in found or any(isinstance(value, Distribution) for value in found.values()):
        return
    if found.get("Ob0", 0.0) > found["Om0"]:  # type: ignore[operator]
        reader.problems.add(item.value["Ob0"], "is more than Om0, the matter it is part of")
    elif not has_distances(found):
        reader.problems.add(item, "with these numbers the universe bounced or closed: it has no "
                                  "large redshifts; lower Ode0")  # fmt: skip


def cosmology_of(simulation: Simulation, rows: Mapping[str, Any]) -> FLRW | list[FLRW]:
    """Return the cosmology that all rows share, or that of each.

    Parameters
    ----------
    simulation : Simulation
        What they were drawn from.
    rows : mapping of str to (row,)
        The parameters of the cosmology.
    """
    kind, names = KINDS[simulation.cosmology][0], list(simulation.cosmology_parameters)
    numbers = np.stack([np.asarray(rows[name], dtype=float) for name in names], axis=1)
    different, place = np.unique(numbers, axis=0, return_inverse=True)
    made = [kind(**dict(zip(names, row, strict=True))) for row in different.tolist()]
    return made[0] if len(made) == 1 else [made[i] for i in place.ravel()]


def has_distances(values: Mapping[str, Any]) -> np.ndarray:
    """Return which cosmologies expand at every redshift, with no more baryons than matter.

    A closed one is to have its antipode behind all redshifts, too.

    Parameters
    ----------
    values : mapping of str to (row,) or number
        Parameters: ``Om0`` at least.

    Examples
    --------
    A universe with much dark energy and little matter bounced, and had no redshift of 3.

    >>> has_distances({"Om0": np.array([1.0, 0.05]), "Ode0": 1.5}).tolist()
    [True, False]
    """
    matter = np.asarray(values["Om0"], dtype=float)
    dark = np.broadcast_to(values.get("Ode0", 1 - matter), matter.shape)
    state = np.broadcast_to(values.get("w0", -1.0), matter.shape)
    grown = STRETCH.reshape(-1, *(1,) * matter.ndim)
    curved = 1 - matter - dark
    squared = grown**3 * matter + grown**2 * curved + grown ** (3 + 3 * state) * dark
    distance = np.trapezoid(np.maximum(squared, SLOWEST) ** -0.5, grown, axis=0)
    near = np.sqrt(np.maximum(-curved, 0)) * distance < np.pi
    baryons = values.get("Ob0", 0.0) <= matter
    return np.asarray((squared > SLOWEST).all(axis=0) & near & baryons)
