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

from skywright.flow.loader import Item
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
# What an annotation accepts in YAML, and how a message calls it.
PLAIN: dict[Any, tuple[str, Any]] = {
    bool: ("true or false", bool),
    int: ("a whole number", int),
    float: ("a number", (int, float)),
    str: ("text", str),
    list: ("a list", list),
    dict: ("a mapping", dict),
    Mapping: ("a mapping", dict),
    Path: ("a file name", str),
    u.Quantity: ("a quantity", u.Quantity),
    types.NoneType: ("null", types.NoneType),
}


Kind = tuple[str, Callable[[Any], bool]]  # what is expected, and a test for it


class Known(typing.NamedTuple):
    """What is known of an argument at load: the values it may have, of a result none; its place."""

    values: tuple[Any, ...]
    item: Item


def check_call(call: Call, given: Mapping[int | str, Known], cosmology: bool) -> None:
    """Compare a call with the signature of its target, if that has one.

    Parameters
    ----------
    call : Call
        The call.
    given : dict
        Position or name of an argument -> what is known of it.
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
    arguments = _bind(call, signature, given)
    filled = missing(call) - (set() if cosmology else {"cosmology"})
    absent = [
        n
        for n, p in signature.parameters.items()
        if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
        and n not in arguments and n not in filled
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
    for name, known in arguments.items():
        if name in TEMPLATES and call.path.startswith("astropy.table."):
            _check_template(call.path, name, known)
        optional = name in signature.parameters and signature.parameters[name].default is None
        for value in known.values:
            if name in wanted and not (value is None and optional):
                _check_value(f"!{call.path}: {name}", value, wanted[name], known.item.mark)


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
            known.item.mark,
        )


def _signature(call: Call) -> inspect.Signature | None:
    if call.path in UNTOLD:
        return None
    try:
        return inspect.signature(call.target)
    except (TypeError, ValueError):
        return None


def _bind(
    call: Call, signature: inspect.Signature, given: Mapping[int | str, Known]
) -> dict[str, Known]:
    """Return what is known of the arguments by the names of their parameters."""
    parameters = signature.parameters.values()
    named = [p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    anything = any(p.kind is p.VAR_KEYWORD for p in parameters)
    for name in call.kwargs:
        mark = given[name].item.at
        if name in named or anything:
            continue
        if name in signature.parameters:
            raise RecipeError(
                f"!{call.path} takes {name!r} by position only: write its arguments as a list", mark
            )
        raise RecipeError(
            f"!{call.path} has no parameter {name!r}{did_you_mean(name, named)}; it is called as "
            f"{_show(signature)}",
            mark,
        )
    by_name = {name: given[name] for name in call.kwargs}
    try:
        bound = signature.bind_partial(*(given[i] for i in range(len(call.args))), **by_name)
    except TypeError as error:
        raise RecipeError(
            f"!{call.path}: {error}; it is called as {_show(signature)}", call.mark
        ) from None
    # what is bound to *args or **kwargs is a collection, of which no annotation speaks
    arguments = {n: known for n, known in bound.arguments.items() if isinstance(known, Known)}
    arguments |= by_name
    for name in FILLED if call.path.startswith(OURS) else ():
        if name in arguments:
            mark = arguments[name].item.at
            raise RecipeError(f"{name!r} is filled in by the engine: leave it out", mark)
    return arguments


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
    known: dict[str, Any] = {}
    for name, text in getattr(function, "__annotations__", {}).items():
        # one by one, against inspect.get_annotations: a name may exist for type checkers alone
        with contextlib.suppress(Exception):
            known[name] = eval(text, function.__globals__) if isinstance(text, str) else text
    return known


def _check_value(what: str, value: Any, annotation: Any, mark: Mark) -> None:
    kinds = _kinds(annotation)
    if kinds is not None and not any(fits(value) for _, fits in kinds):
        expected = " or ".join(dict.fromkeys(text for text, _ in kinds))
        got = f"got {_describe(value)}, expected {expected}{_hint(value, kinds)}"
        raise RecipeError(f"{what} {got}", mark)


def _hint(value: Any, kinds: list[Kind]) -> str:
    """Suggest a quantity where a bare number or a wrong unit stands."""
    texts = [text for text, _ in kinds]
    if isinstance(value, float) and value.is_integer() and PLAIN[int][0] in texts:
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
        return str(value).lower()
    kinds: dict[type, str] = {str: "text", list: "a list", dict: "a mapping"}
    return f"{kinds.get(type(value), '')} {value!r:.40}".strip()


def _kinds(annotation: Any) -> list[Kind] | None:
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
    if (origin or annotation) not in PLAIN:
        return None
    text, accepted = PLAIN[origin or annotation]
    return [(text, lambda v: isinstance(v, accepted) and isinstance(v, bool) is (accepted is bool))]


def _each(text: str, fits: Callable[[Any], bool]) -> Kind:
    """Return the check of a list, all of whose items are of one kind."""
    return f"a list, each {text}", lambda v: isinstance(v, (list, tuple)) and all(map(fits, v))


def _quantity(wanted: Any) -> list[Kind] | None:
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
