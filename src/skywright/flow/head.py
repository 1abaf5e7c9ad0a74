"""The reserved top-level key ``recipe:``, validated."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NoReturn

from astropy.units import Quantity
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from skywright.flow.expect import read_bound
from skywright.flow.graph import NODES
from skywright.flow.loader import Item
from skywright.flow.names import did_you_mean, words
from skywright.flow.plan import Mark, RecipeError

__all__ = [
    "Head",
    "check_head",
    "check_values",
    "label",
    "place",
    "read_head",
    "spelt_out",
]

KINDS = ("shuffled", "without", "data", "other", "seeds")

_RANGE = re.compile(r"(\d{1,9})\.\.(\d{1,9})")


class Trust(BaseModel):
    """What a recipe says to those who judge it.

    Parameters
    ----------
    judge : str
        The node that `skywright.trust.judge` fills.
    variants : dict
        Kind of comparison (``shuffled``, ``without``, ``data``, ``other``, ``seeds``) -> label ->
        values of parameters: other runs to compare with. Labels of ``data`` are shares of the
        training set, as "0.5".
    card : dict
        ``use``, ``not_for``, ``licence``, ``ethics``, ``labels``, ``data``: what no code can know.
    """

    model_config = ConfigDict(extra="forbid", strict=True, arbitrary_types_allowed=True)

    judge: str | None = None
    variants: dict[str, dict[str, dict[str, Any]]] = {}
    card: dict[str, Any] = {}

    @field_validator("variants")
    @classmethod
    def _check_variants(cls, variants: dict[str, Any]) -> dict[str, Any]:
        unknown = set(variants) - set(KINDS)
        if unknown:
            raise ValueError(f"no comparison is called {min(unknown)!r}; it is {', '.join(KINDS)}")
        for name in (name for labels in variants.values() for name in labels):
            if {"/", "\\"} & set(name):
                raise ValueError(f"the label {name!r} names a folder: it may hold no / or \\")
        for share in variants.get("data", {}):
            if not re.fullmatch(r"0?\.\d+", share):
                raise ValueError(f"data has the label {share!r}; expected a share as '0.5'")
        return variants


class Head(BaseModel):
    """What a recipe says about itself.

    Parameters
    ----------
    title : str
        One line.
    cite : list of str
        arXiv identifiers or DOIs of what it reproduces.
    presets : dict
        Name of a preset -> values it gives to parameters.
    sweep : dict
        Parameter -> its values, or ``0..9`` for whole numbers; nodes that depend on it fan out.
    expect : dict
        Name of a preset -> ``{"report.recall": ">= 0.85"}``.
    report : str
        The node with the report.
    trust : Trust
        Its judge, the runs to compare with, and its card.
    """

    model_config = ConfigDict(extra="forbid", strict=True, arbitrary_types_allowed=True)

    title: str = ""
    cite: list[str] = []
    presets: dict[str, dict[str, Any]] = {}
    sweep: dict[str, list[Any]] = {}
    expect: dict[str, dict[str, str]] = {}
    report: str | None = None
    trust: Trust = Trust()


def check_values(name: str, values: list[Any]) -> None:
    """Refuse values that cannot be swept over.

    Raises
    ------
    ValueError
        If there are none, or one is no scalar, or two are equal.
    """
    if not values:
        raise ValueError(f"{name!r} is swept over no values")
    for value in values:
        if not isinstance(value, (str, int, float)) and not (
            isinstance(value, Quantity) and value.isscalar
        ):
            raise ValueError(
                f"{name!r} is swept over {value!r}; expected numbers, text, quantities"
            )
    shown = [label(value) for value in values]
    if len(set(shown)) < len(shown):
        raise ValueError(f"{name!r} is swept twice over the same value: {words(shown)}")


def spelt_out(values: Any) -> Any:
    """Return the whole numbers that ``0..9`` stands for; anything else as it is.

    Examples
    --------
    >>> from skywright.flow.head import spelt_out
    >>> spelt_out("2..4"), spelt_out([7])
    ([2, 3, 4], [7])
    """
    ends = _RANGE.fullmatch(values) if isinstance(values, str) else None
    if ends is None:
        return values
    first, last = (int(end) for end in ends.groups())
    return list(range(first, min(last + 1, first + NODES + 1)))


def label(value: Any) -> str:
    """Return a swept value as it stands in the name of a node (and of a folder)."""
    kept = (c if c.isalnum() or c in "._+-" else "-" for c in str(value))
    return "".join(kept)[:40]


def check_head(head: Head, root: Item, parameters: Mapping[str, Any]) -> None:
    """Compare what the head names with the parameters there are.

    Raises
    ------
    RecipeError
        If a preset or the sweep names what is no parameter, or ``expect`` what is no preset.
    """
    item = root.value.get("recipe") or root
    for preset, values in head.presets.items():
        for name in values:
            if name.partition(".")[0] not in parameters:
                _unknown("parameter", name, parameters, place(item, "presets", preset, name))
    for name in head.sweep:
        if name not in parameters:
            _unknown("parameter", name, parameters, place(item, "sweep", name))
    for kind, labels in head.trust.variants.items():
        for name in (n for settings in labels.values() for n in settings):
            if name.partition(".")[0] not in parameters:
                where = place(item, "trust", "variants", kind)
                _unknown("parameter", name, parameters, where)
    for preset in head.expect:
        if preset not in head.presets:
            _unknown("preset", preset, head.presets, place(item, "expect", preset))


def _unknown(kind: str, name: str, known: Iterable[str], mark: Mark) -> NoReturn:
    text = f"there is no {kind} {name!r}{did_you_mean(name, known)}; there is {words(known)}"
    raise RecipeError(text, mark)


def place(item: Item, *where: int | str) -> Mark:
    """Return where an entry stands, as deep as it can be followed."""
    mark = item.mark
    for part in where:
        inside = item.value
        if isinstance(inside, dict) and part in inside:
            mark, item = (item.keys or {})[str(part)], inside[str(part)]
        elif isinstance(inside, list) and isinstance(part, int) and part < len(inside):
            item = inside[part]
            mark = item.mark
    return mark


def read_head(item: Item | None) -> Head:
    """Return the validated block ``recipe:``; an empty one if the file has none.

    Raises
    ------
    RecipeError
        With the line of what is wrong.
    """
    if item is None or item.value is None:
        return Head()
    if item.kind != "plain" or not isinstance(item.value, dict):
        raise RecipeError("recipe: takes a mapping with title, cite, presets, …", item.mark)
    for name in item.value:
        if name not in Head.model_fields:
            raise RecipeError(
                f"recipe: has no key {name!r}{did_you_mean(name, Head.model_fields)}; it knows "
                f"{', '.join(Head.model_fields)}",
                (item.keys or {})[name],
            )
    try:
        head = Head(**{k: _value(k, v) for k, v in item.value.items() if v.value is not None
                       or v.kind != "plain"})  # fmt: skip
    except ValidationError as error:
        first = error.errors()[0]
        raise RecipeError(_explain(first), place(item, *first["loc"])) from None
    for name, values in head.sweep.items():
        _check(check_values, name, values, at=place(item, "sweep", name))
    for preset, bounds in head.expect.items():
        for name, bound in bounds.items():
            _check(read_bound, bound, at=place(item, "expect", preset, name))
    return head


def _check(rule: Callable[..., Any], *values: Any, at: Mark) -> None:
    try:
        rule(*values)
    except ValueError as error:
        raise RecipeError(str(error), at) from None


def _value(key: str, item: Item) -> Any:
    if key == "report":
        return _node_name(item)
    if key == "trust" and isinstance(item.value, dict):
        said: dict[str, Any] = {k: _node_name(v) if k == "judge" else v.plain()
                                for k, v in item.value.items()}  # fmt: skip
        return Trust(**said)
    if key == "cite":  # 2102.02830 is a name, not a number: its last digit counts
        listed = item.value if isinstance(item.value, list) and item.plain() else [item]
        return [i.text if i.text else i.plain() for i in listed]
    if key == "sweep" and isinstance(item.plain(), dict):
        return {name: spelt_out(values) for name, values in item.plain().items()}
    return item.plain()


def _node_name(item: Item) -> str:
    return item.path if item.kind == "ref" else str(item.plain()).removeprefix("$")


def _explain(error: Any) -> str:
    where = ".".join(str(part) for part in error["loc"])
    return f"recipe.{where}: {error['msg']}, got {error['input']!r:.60}"
