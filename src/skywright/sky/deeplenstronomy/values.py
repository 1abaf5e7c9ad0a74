"""Numbers, texts and draws out of a configuration file, each with its bounds."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from skywright.sky.deeplenstronomy.document import Item, Problems, guess, show, words
from skywright.sky.deeplenstronomy.draws import LAWS, law_parameters, why_not
from skywright.sky.deeplenstronomy.model import Distribution, Value
from skywright.sky.deeplenstronomy.survey_draws import SURVEY_LAWS, survey_bands
from skywright.sky.deeplenstronomy.text_tables import find_file, read_column

__all__ = ["Bounds", "Reader", "number", "text"]

HUGE = 1e15
NOTHING = (None, "None", "none")


@dataclass(frozen=True)
class Bounds:
    """What a number may be.

    Parameters
    ----------
    low, high : float
        Ends, both allowed unless ``above``, which leaves ``low`` out.
    whole : bool
        Whether it has to be a whole number.
    """

    low: float = -HUGE
    high: float = HUGE
    above: bool = False
    whole: bool = False

    def __str__(self) -> str:
        kind = "a whole number" if self.whole else "a number"
        if self.low <= -HUGE and self.high >= HUGE:
            return kind if self.whole else "a finite number"
        if self.high >= HUGE:
            return f"{kind} {'above' if self.above else 'from'} {self.low:g}"
        if self.low <= -HUGE:
            return f"{kind} up to {self.high:g}"
        return f"{kind} {'above' if self.above else 'from'} {self.low:g} up to {self.high:g}"

    def inside(self, values: np.ndarray) -> np.ndarray:
        """Return which numbers lie between the ends."""
        low = values > self.low if self.above else values >= self.low
        return np.asarray(low & (values <= self.high))

    def holds(self, value: float) -> bool:
        """Return whether a number is allowed."""
        whole = not self.whole or float(value).is_integer()
        return bool(self.inside(np.asarray(value)) and whole)


def number(item: Item | None, bounds: Bounds, problems: Problems) -> float | None:
    """Return a number within bounds; anything else is a problem."""
    if item is None:
        return None
    value = item.value
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        problems.add(item, f"got {show(value)}, expected {bounds}")
        return None
    if not math.isfinite(value) or not bounds.holds(float(value)):
        problems.add(item, f"got {value:g}, expected {bounds}")
        return None
    return int(value) if bounds.whole else float(value)


def text(item: Item | None, what: str, problems: Problems) -> str | None:
    """Return a text that is not empty; anything else is a problem."""
    if item is None:
        return None
    if not isinstance(item.value, str) or not item.value.strip():
        problems.add(item, f"got {show(item.value)}, expected {what}")
        return None
    return item.value.strip()


@dataclass(frozen=True)
class Reader:
    """Reads values that may be drawn.

    Parameters
    ----------
    problems : Problems
        Takes what is wrong.
    bands : tuple of str
        Bands of the survey.
    folder : Path
        Where the configuration file is.
    """

    problems: Problems
    bands: tuple[str, ...]
    folder: Path

    def value(self, item: Item | None, bounds: Bounds) -> Value | None:
        """Return a number or the distribution it is drawn from."""
        if item is None or not isinstance(item.value, dict):
            return number(item, bounds, self.problems)
        if set(item.value) != {"DISTRIBUTION"}:
            self.problems.add(
                item, f"got {show(item.value)}, expected {bounds} or a mapping of DISTRIBUTION"
            )
            return None
        return self._distribution(item.value["DISTRIBUTION"], bounds)

    def _distribution(self, item: Item, bounds: Bounds) -> Distribution | None:
        add = self.problems.add
        keys = self.problems.mapping(item, "a mapping of NAME and PARAMETERS")
        if not keys:
            if item.value == {}:
                add(item, "is empty, expected NAME and PARAMETERS")
            return None
        self.problems.known(item, ("NAME", "PARAMETERS"), "a DISTRIBUTION")
        name = text(
            self.problems.need(item, "NAME", "the name of a distribution"),
            "the name of a distribution",
            self.problems,
        )
        if name is None:
            return None
        parameters = keys.get("PARAMETERS", Item(None, item.mark, f"{item.path}.PARAMETERS"))
        if name == "catalogue":
            return self._catalogue(parameters)
        if name in SURVEY_LAWS:
            return self._of_survey(name, item, parameters)
        known = (*LAWS, *SURVEY_LAWS, "catalogue")
        if name not in LAWS:
            add(keys["NAME"], f"{name!r:.60} is no distribution{guess(name, known)}; there is "
                              f"{words(known)}")  # fmt: skip
            return None
        numbers = self._numbers(parameters, law_parameters(name), name)
        if numbers is None:
            return None
        wrong = why_not(name, numbers) or _outside(name, numbers, bounds)
        if wrong:
            add(parameters, f"{name}: {wrong}")
        return Distribution(name, numbers)

    def _numbers(self, item: Item, names: Iterable[str], law: str) -> dict[str, float] | None:
        names = tuple(names)
        if not isinstance(item.value, dict):
            self.problems.add(item, f"got {show(item.value)}, expected a mapping of {words(names)}")
            return None
        before = len(self.problems.found)
        self.problems.known(item, names, law)
        found = {}
        for name in names:
            child = self.problems.need(item, name, f"a number: {law} takes {words(names)}")
            found[name] = number(child, Bounds(), self.problems)
        complete = {name: float(v) for name, v in found.items() if v is not None}
        return complete if len(self.problems.found) == before else None

    def _of_survey(self, name: str, item: Item, parameters: Item) -> Distribution | None:
        lacking = [band for band in self.bands if band not in survey_bands(name)]
        if lacking:
            self.problems.add(
                item,
                f"{name} knows the bands {', '.join(survey_bands(name))}, not {words(lacking)}",
            )
            return None
        if parameters.value in NOTHING or parameters.value == {}:
            return Distribution(name)
        if name != "lsst_num_exposures":
            self.problems.add(
                parameters, f"got {show(parameters.value)}, expected None: {name} takes none"
            )
            return None
        numbers = self._numbers(parameters, ("coadd_years",), name)
        if numbers and numbers["coadd_years"] <= 0:
            self.problems.add(parameters, "coadd_years has to be positive")
        return Distribution(name, numbers) if numbers else None

    def _catalogue(self, item: Item) -> Distribution | None:
        if not isinstance(item.value, dict):
            self.problems.add(
                item, f"got {show(item.value)}, expected a mapping of file and column"
            )
            return None
        self.problems.known(item, ("file", "column"), "a catalogue")
        names: dict[str, Any] = {
            key: text(self.problems.need(item, key, what), what, self.problems)
            for key, what in (("file", "the name of a table"), ("column", "the name of a column"))
        }
        if None in names.values():
            return None
        file = find_file(names["file"], self.folder)
        try:
            parameter = item.path.partition(".DISTRIBUTION")[0].rpartition(".")[2]
            values = read_column(file, names["column"], parameter)
        except ValueError as error:
            self.problems.add(item.value["file"], str(error))
            return None
        return Distribution("catalogue", {**names, "file": str(file)}, values)


def _outside(law: str, numbers: dict[str, float], bounds: Bounds) -> str:
    """Say that a law with ends can draw what is not allowed."""
    ends = [numbers[key] for key in ("minimum", "maximum", "value") if key in numbers]
    wrong = [end for end in ends if not Bounds(bounds.low, bounds.high, bounds.above).holds(end)]
    return f"may draw {wrong[0]:g}, expected {bounds}" if wrong and law in LAWS else ""
