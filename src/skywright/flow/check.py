"""Arguments against signatures, before anything runs."""

from __future__ import annotations

import contextlib
import inspect
import re
import types
import typing
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import astropy.units as u

from skywright.flow.names import did_you_mean, may_not_be_handed
from skywright.flow.plan import Call, Mark, RecipeError
from skywright.flow.randomness import missing

__all__ = ["Known", "check_call", "check_functions"]

# Templates of str.format, which can reach into objects: {name.__globals__[…]}.
TEMPLATES = ("uniq_col_name", "format")
REACHING = re.compile(r"\{[^{}:!]*[.\[]")
FILLED = ("scratch", "progress")  # the engine's alone: a recipe may not say where to write
# Theirs too: numpy.fromfunction hands what it does not know to a step of ours.
OURS = ("skywright.", "skypy.", "numpy.", "scipy.", "astropy.")
# Signatures that say less than the function takes.
UNTOLD = ("numpy.arange", "builtins.dict", "numpy.random.rand", "numpy.random.randn")
PLAIN = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}


class Known(typing.NamedTuple):
    """What is known of an argument at load: the values it may have; of a result, none."""

    values: tuple[Any, ...]
    mark: Mark


def check_call(
    call: Call, given: Mapping[int | str, Known], keys: Mapping[str, Mark], cosmology: bool
) -> None:
    """Compare a call with the signature of its target, if that has one.

    Parameters
    ----------
    call : Call
        The call.
    given : dict
        Position or name of an argument -> what is known of it.
    keys : dict
        Where the names of arguments stand.
    cosmology : bool
        Whether the recipe has a cosmology to fill in.

    Raises
    ------
    RecipeError
        If an argument is misspelt, missing, doubled, or plainly of the wrong kind or unit.
    """
    if not callable(call.target):
        raise RecipeError(f"!{call.path} cannot be called: remove its arguments", call.mark)
    signature = _signature(call)
    if signature is None:
        return
    names = _names(call, signature, keys)
    filled = missing(call) - (set() if cosmology else {"cosmology"})
    absent = [
        n
        for n, p in signature.parameters.items()
        if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
        and n not in names and n not in filled
    ]  # fmt: skip
    if "cosmology" in absent:
        raise RecipeError(
            f"!{call.path} needs a cosmology: add a top-level 'cosmology:', as "
            "cosmology: !astropy.cosmology.Planck18",
            call.mark,
        )
    if absent:
        raise RecipeError(
            f"!{call.path} lacks {', '.join(absent)}; it is called as {_show(signature)}", call.mark
        )
    wanted = _annotations(call.target)
    for place, known in given.items():
        name = place if isinstance(place, str) else names[place] if place < len(names) else ""
        if name in TEMPLATES and call.path.startswith("astropy.table."):
            _check_template(call.path, name, known)
        for value in known.values:
            if name in wanted:
                _check_value(call.path, name, value, wanted[name], signature, known.mark)


def check_functions(call: Call) -> None:
    """Refuse functions among the arguments that the target may not call.

    Raises
    ------
    RecipeError
        See `skywright.flow.names.may_not_be_handed`.
    """
    if function := may_not_be_handed(call.path, _imported([*call.args, *call.kwargs.values()])):
        raise RecipeError(f"!{call.path} may not be given the function {function}", call.mark)


def _imported(value: Any) -> Any:
    """Return an expression with the objects that are written out in the place of their names."""
    if isinstance(value, Call):
        return value.target if value.imported else None
    if isinstance(value, dict):
        return [_imported(v) for v in value.values()]
    return [_imported(v) for v in value] if isinstance(value, (list, tuple)) else None


def _check_template(path: str, name: str, known: Known) -> None:
    """Refuse a template that is not written out, or that asks for parts of what it shows."""
    if not known.values or any(isinstance(v, str) and REACHING.search(v) for v in known.values):
        raise RecipeError(
            f"!{path}: {name} has to be written out, and may show whole values alone, as "
            "'{col_name}_{table_name}' or '{:.3f}'",
            known.mark,
        )


def _signature(call: Call) -> inspect.Signature | None:
    if call.path in UNTOLD:
        return None
    try:
        return inspect.signature(call.target)
    except (TypeError, ValueError):
        return None


def _names(call: Call, signature: inspect.Signature, keys: Mapping[str, Mark]) -> list[str]:
    """Return the parameters that are given: first those by position."""
    parameters = signature.parameters.values()
    places = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    named = [p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    many = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    if len(call.args) > len(places) and not many:
        raise RecipeError(
            f"!{call.path} takes {len(places)} arguments at most, got {len(call.args)}; it is "
            f"called as {_show(signature)}",
            call.mark,
        )
    given = [*places[: len(call.args)], *call.kwargs]
    for name in FILLED if call.path.startswith(OURS) else ():
        if name in given:
            mark = keys.get(name, call.mark)
            raise RecipeError(f"{name!r} is filled in by the engine: leave it out", mark)
    for name in call.kwargs:
        if name in named or any(p.kind is p.VAR_KEYWORD for p in parameters):
            continue
        if name in places:
            raise RecipeError(
                f"!{call.path} takes {name!r} by position only: write its arguments as a list",
                keys[name],
            )
        raise RecipeError(
            f"!{call.path} has no parameter {name!r}{did_you_mean(name, named)}; it is called as "
            f"{_show(signature)}",
            keys[name],
        )
    return given


def _show(signature: inspect.Signature) -> str:
    parts = [
        str(p.replace(annotation=p.empty, default="…" if p.default is not p.empty else p.empty))
        for p in signature.parameters.values()
        if p.name not in ("rng", *FILLED)
    ]
    return f"({', '.join(parts).replace(repr('…'), '…')})"


def _annotations(target: Any) -> dict[str, Any]:
    """Return the annotations of a function as objects; none where they cannot be had."""
    function = inspect.unwrap(
        inspect.getattr_static(target, "__init__") if isinstance(target, type) else target
    )
    try:
        return inspect.get_annotations(function, eval_str=True)
    except Exception:  # a name that exists for type checkers alone: the others still count
        found = getattr(function, "__annotations__", {})
    known: dict[str, Any] = {}
    for name, annotation in found.items():
        one = types.SimpleNamespace(__annotations__={name: annotation})
        with contextlib.suppress(Exception):
            scope = getattr(function, "__globals__", {})
            known |= typing.get_type_hints(one, scope, include_extras=True)
    return known


def _check_value(
    path: str, name: str, value: Any, annotation: Any, signature: inspect.Signature, mark: Mark
) -> None:
    kinds = _kinds(annotation)
    parameter = signature.parameters.get(name)
    if kinds is None or (value is None and parameter and parameter.default is None):
        return
    if not any(fits(value) for _, fits in kinds):
        expected = " or ".join(dict.fromkeys(text for text, _ in kinds))
        raise RecipeError(
            f"!{path}: {name} got {_describe(value)}, expected {expected}{_hint(value, kinds)}",
            mark,
        )


def _hint(value: Any, kinds: list[tuple[str, Callable[[Any], bool]]]) -> str:
    """Suggest a quantity where a bare number or a wrong unit stands."""
    texts = [text for text, _ in kinds]
    if isinstance(value, float) and value.is_integer() and PLAIN[int] in texts:
        return f"; write {int(value)}"
    units = [t.rpartition(" as ")[2] for t in texts if " as " in t]
    number = getattr(value, "value", value)
    if units and isinstance(number, (int, float)):
        return f"; write a number and a unit: {number:g} {units[0]}"
    return ""


def _describe(value: Any) -> str:
    if value is None:
        return "nothing (null)"
    if isinstance(value, u.Quantity):
        return f"{value} ({value.unit.physical_type})"
    if isinstance(value, bool):
        return f"{'true' if value else 'false'}"
    kinds = {str: "text", list: "a list", dict: "a mapping"}
    kind = next((text for known, text in kinds.items() if isinstance(value, known)), "")
    return f"{kind} {value!r:.40}".strip()


def _kinds(annotation: Any) -> list[tuple[str, Callable[[Any], bool]]] | None:
    """Return what an annotation accepts; None if that cannot be told."""
    origin = get_origin(annotation)
    if origin is Union or isinstance(annotation, types.UnionType):
        parts = [_kinds(part) for part in get_args(annotation)]
        return None if None in parts else [k for part in parts for k in part or ()]
    if origin is Annotated:
        base, *extra = get_args(annotation)
        if len(extra) == 2 and callable(extra[1]):  # what is expected, and a test for it
            return [(extra[0], extra[1])]
        return _quantity(extra[0]) if base is u.Quantity else _kinds(base)
    if origin is Literal:
        allowed = get_args(annotation)
        return [(" or ".join(map(repr, allowed)), lambda v: v in allowed)]
    if isinstance(annotation, (u.UnitBase, u.PhysicalType)):
        return _quantity(annotation)
    if origin is tuple and get_args(annotation)[1:] == (...,):
        every = _kinds(get_args(annotation)[0])
        return every and [_each(*kind) for kind in every]
    return _simple(origin or annotation)


def _each(text: str, fits: Callable[[Any], bool]) -> tuple[str, Callable[[Any], bool]]:
    """Return the check of a list, all of whose items are of one kind."""
    return f"a list, each {text}", lambda v: isinstance(v, (list, tuple)) and all(map(fits, v))


def _simple(kind: Any) -> list[tuple[str, Callable[[Any], bool]]] | None:
    if kind is type(None):
        return [("null", lambda v: v is None)]
    if kind is u.Quantity:
        return [("a quantity", lambda v: isinstance(v, u.Quantity))]
    if kind is Path:
        return [("a file name", lambda v: isinstance(v, str))]
    if kind in (list, dict, Mapping):
        return [("a list" if kind is list else "a mapping", lambda v: isinstance(v, kind))]
    if kind not in PLAIN:
        return None
    accepted = (int, float) if kind is float else kind
    is_bool = kind is bool
    return [(PLAIN[kind], lambda v: isinstance(v, accepted) and isinstance(v, bool) is is_bool)]


def _quantity(wanted: Any) -> list[tuple[str, Callable[[Any], bool]]] | None:
    """Return the check of a unit or physical type, as ``Quantity["length"]`` carries it."""
    try:
        physical = u.get_physical_type(wanted)
    except (TypeError, ValueError):
        return None
    unit = wanted if isinstance(wanted, u.UnitBase) else physical._unit
    text = f"a quantity of {physical}, as {unit}"

    def fits(value: Any) -> bool:
        unit = getattr(value, "unit", u.dimensionless_unscaled)
        number = isinstance(value, (int, float, u.Quantity)) and not isinstance(value, bool)
        return number and physical == unit.physical_type

    return [(text, fits)]
