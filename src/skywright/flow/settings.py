"""What changes parameters from outside: a preset, and ``--set name=value``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from pathlib import Path
from typing import Any, NamedTuple

from astropy.units import Quantity

from skywright.flow.head import Head, check_values, spelt_out
from skywright.flow.loader import NAME, SECTIONS, Item, parse
from skywright.flow.names import did_you_mean, unknown
from skywright.flow.plan import Mark, RecipeError, Ref

__all__ = ["Setting", "Values", "read_settings"]

VALUES = 1_000_000  # that are put in, over all copies of a sweep


class Setting(NamedTuple):
    """One ``name=value``; ``text`` is the value as it was written."""

    name: str
    value: Any
    text: str
    mark: Mark


def read_settings(given: Mapping[str, Any] | Sequence[str]) -> list[Setting]:
    """Return settings from a mapping of values, or from texts ``name=value``.

    Raises
    ------
    RecipeError
        If one cannot be read.
    """
    if isinstance(given, Mapping):
        marks = {str(name): Mark(f"set {name}", 1) for name in given}
        return [Setting(n, _plain(v, marks[n]), str(v), marks[n])
                for n, v in ((str(k), v) for k, v in given.items())]  # fmt: skip
    return [_read_setting(text) for text in ([given] if isinstance(given, str) else given)]


def _read_setting(text: str) -> Setting:
    name, equals, value = str(text).partition("=")
    name = name.strip()
    mark = Mark(f"--set {name[:60]}", 1)
    if not equals or not name:
        raise RecipeError(f"got {text[:60]!r}, expected name=value", mark)
    return Setting(name, parse(value, mark.file).plain(), value.strip(), mark)


def _plain(value: Any, mark: Mark) -> Any:
    """Return a value from Python as it would come from YAML."""
    if isinstance(value, (str, bool, Quantity)) or value is None:
        return value
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, (Integral, Real)):
        return int(value) if isinstance(value, Integral) else float(value)
    if isinstance(value, Mapping):
        return {str(k): _plain(v, mark) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v, mark) for v in value]
    raise RecipeError(
        f"a {type(value).__name__} cannot be the value of a parameter; expected a number, text, "
        "a quantity, a list or a mapping",
        mark,
    )


class Values:
    """Parameters and their sweep, while presets and settings change them.

    Parameters
    ----------
    root : Item
        The whole file.
    head : Head
        Its validated head.
    """

    def __init__(self, root: Item, head: Head) -> None:
        self.parameters: dict[str, Any] = {}
        section = root.value.get("parameters")
        for name, item in section.entries("parameters").items() if section else ():
            if not NAME.fullmatch(name) or name in SECTIONS:
                raise RecipeError(f"{name[:40]!r} cannot be the name of a parameter", item.at)
            self.parameters[name] = item.plain()
        self.sweep = dict(head.sweep)
        self._root, self._head = root, head
        self._left = VALUES

    def take(self, count: int, mark: Mark | None) -> None:
        """Count values that are put in or copied; there may not be too many of them in all."""
        self._left -= count
        if self._left < 0:
            raise RecipeError(f"more than {VALUES:,} values in all", mark)

    def every(self, ref: Ref) -> list[Any]:
        """Return all values that a reference to a parameter may have."""
        values = self.sweep.get(ref.node, [self.parameters[ref.node]])
        return [_dig(value, ref) for value in values]

    def at(self, ref: Ref, point: Mapping[str, Any]) -> Any:
        """Return the value of a reference to a parameter at a point of the sweep."""
        return _dig(point.get(ref.node, self.parameters[ref.node]), ref)

    def apply_preset(self, preset: str, mark: Mark) -> None:
        """Give parameters the values of a preset."""
        presets = self._head.presets
        if preset not in presets:
            raise RecipeError(unknown("preset", preset, presets), mark)
        for name, value in presets[preset].items():
            self._set(name, value, self._root.place("recipe", "presets", preset, name))

    def apply(self, settings: list[Setting]) -> list[Setting]:
        """Give parameters the values of settings; return those that name no parameter."""
        others = []
        for setting in settings:
            if setting.name.partition(".")[0] in self.parameters:
                self._set(setting.name, setting.value, setting.mark)
            else:
                others.append(setting)
        return others

    def _set(self, name: str, value: Any, mark: Mark) -> None:
        head, *path = name.split(".")
        self.parameters[head] = _replace(self.parameters[head], path, value, head, mark)
        if head in self.sweep:
            value = spelt_out(value)
            self.sweep[head] = value if isinstance(value, list) else [value]
            try:
                check_values(self.sweep[head])
            except ValueError as error:
                raise RecipeError(f"{head!r} {error}", mark) from None


def _dig(value: Any, ref: Ref) -> Any:
    """Return the part of a parameter's value that a reference names."""
    where = ref.node
    for key in ref.part:
        if not isinstance(value, dict) or key not in value:
            hint = did_you_mean(key, value if isinstance(value, dict) else ())
            raise RecipeError(f"parameter {where!r} has no part {key!r}{hint}", ref.mark)
        value, where = value[key], f"{where}.{key}"
    return value


def _replace(value: Any, path: list[str], new: Any, where: str, mark: Mark) -> Any:
    """Return a mapping with one entry changed; null is an empty mapping that takes any key."""
    if not path:
        return new
    key, *deeper = path
    if value is not None and (not isinstance(value, dict) or key not in value):
        hint = did_you_mean(key, value if isinstance(value, dict) else ())
        raise RecipeError(
            f"parameter {where!r} has no entry {key!r}{hint}; it is {value!r:.60}", mark
        )
    inside = (value or {}).get(key)
    return {**(value or {}), key: _replace(inside, deeper, new, f"{where}.{key}", mark)}
