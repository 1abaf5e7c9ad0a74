"""The reserved top-level key ``recipe:``, validated."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from astropy.units import Quantity
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    ValidationError,
    field_validator,
)

from skywright.flow.expect import read_bound
from skywright.flow.loader import NODES, Item
from skywright.flow.names import did_you_mean, unknown, words
from skywright.flow.plan import RecipeError

__all__ = ["Head", "check_head", "check_values", "label", "read_head", "spelt_out"]

Kind = Literal["shuffled", "without", "data", "other", "seeds"]

_RANGE = re.compile(r"(\d{1,9})\.\.(\d{1,9})")


def check_values(values: list[Any]) -> list[Any]:
    """Return values that can be swept over.

    Raises
    ------
    ValueError
        If there are none, or one is no scalar, or two are equal.
    """
    if not values:
        raise ValueError("is swept over no values")
    for value in values:
        scalar = isinstance(value, Quantity) and value.isscalar
        if not scalar and not isinstance(value, (str, int, float)):
            raise ValueError(f"is swept over {value!r}; expected numbers, text, quantities")
    shown = [label(value) for value in values]
    if len(set(shown)) < len(shown):
        raise ValueError(f"is swept twice over the same value: {words(shown)}")
    return values


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


def _checked_bound(text: str) -> str:
    read_bound(text)
    return text


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
    variants: dict[Kind, dict[str, dict[str, Any]]] = {}
    card: dict[str, Any] = {}

    @field_validator("variants")
    @classmethod
    def _check_variants(cls, variants: dict[Kind, Any]) -> dict[Kind, Any]:
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
    sweep: dict[
        str, Annotated[list[Any], BeforeValidator(spelt_out), AfterValidator(check_values)]
    ] = {}
    expect: dict[str, dict[str, Annotated[str, AfterValidator(_checked_bound)]]] = {}
    report: str | None = None
    trust: Trust = Trust()


def check_head(head: Head, root: Item, parameters: Mapping[str, Any]) -> None:
    """Compare what the head names with the parameters there are.

    Raises
    ------
    RecipeError
        If a preset or the sweep names what is no parameter, or ``expect`` what is no preset.
    """
    settings: dict[tuple[str, ...], dict[str, Any]] = {}
    for preset, given in head.presets.items():
        settings["presets", preset] = given
    for kind, labels in head.trust.variants.items():
        settings |= {("trust", "variants", kind, label): given for label, given in labels.items()}
    named = [(n, n.partition(".")[0], (*where, n)) for where, v in settings.items() for n in v]
    named += [(n, n, ("sweep", n)) for n in head.sweep]
    for name, parameter, where in named:
        if parameter not in parameters:
            mark = root.place("recipe", *where)
            raise RecipeError(unknown("parameter", name, parameters), mark)
    for preset in head.expect:
        if preset not in head.presets:
            mark = root.place("recipe", "expect", preset)
            raise RecipeError(unknown("preset", preset, head.presets), mark)


def read_head(root: Item) -> Head:
    """Return the validated block ``recipe:`` of a file; an empty one if it has none.

    Raises
    ------
    RecipeError
        With the line of what is wrong.
    """
    block = root.value.get("recipe")
    entries = block.entries("recipe:") if block else {}
    try:
        return Head(**{k: v for k, item in entries.items() if (v := _value(k, item)) is not None})
    except ValidationError as error:
        first = error.errors()[0]
        raise RecipeError(_explain(first), block.place(*first["loc"])) from None


def _value(key: str, item: Item) -> Any:
    if key in ("report", "judge"):  # a node, as $name or by its name alone
        named = item.path if item.kind == "ref" else item.plain()
        return named.removeprefix("$") if isinstance(named, str) else named
    if key == "trust" and item.kind == "plain" and isinstance(item.value, dict):
        return {name: _value(name, inside) for name, inside in item.value.items()}
    if key == "cite" and item.kind == "plain":  # 2102.02830 is a name: its last digit counts
        listed = item.value if isinstance(item.value, list) else [item]
        return [cited.text or cited.plain() for cited in listed]
    return item.plain()


def _explain(error: Any) -> str:
    where = ".".join(["recipe", *map(str, error["loc"])])
    if error["type"] == "value_error":
        return f"{where} {error['ctx']['error']}"
    if error["type"] == "extra_forbidden":
        where, _, name = where.rpartition(".")
        known = (Head if where == "recipe" else Trust).model_fields
        return f"{where}: has no key {name!r}{did_you_mean(name, known)}; it knows {words(known)}"
    return f"{where}: {error['msg']}, got {error['input']!r:.60}"
