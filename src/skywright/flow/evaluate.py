"""The value of an expression: references are loaded, missing arguments filled, calls made."""

from __future__ import annotations

import dataclasses
import difflib
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import astropy.units as u
import numpy as np
from astropy.cosmology import Cosmology
from astropy.table import Column, MaskedColumn, Table

from skywright.data import artefacts
from skywright.flow.collect import collect, cut
from skywright.flow.names import may_not_be_handed
from skywright.flow.plan import Call, Node, Ref
from skywright.flow.randomness import drawing, generator, missing

__all__ = ["Scope", "fill_cosmology", "mapped_argument", "node_value", "take"]

_COSMOLOGIES: dict[str, Cosmology] = {}


@dataclass
class Scope:
    """Where an expression is evaluated.

    Parameters
    ----------
    node : Node
        Whose expression it is.
    seed : int
        Seed of the recipe.
    inputs : dict
        Name -> folder of its artefact, or the `Node` itself where the value is not kept.
    points : dict
        Name -> sweep point, for collections.
    block : (int, int) or None
        Number of a block and its rows, in a call with ``.map``.
    scratch, progress : callable
        Make the private folder; report the fraction done.
    """

    node: Node
    seed: int
    inputs: dict[str, Path | Node]
    points: dict[str, dict[str, Any]] = field(default_factory=dict)
    block: tuple[int, int] | None = None
    scratch: Callable[[], Path] | None = None
    progress: Callable[[float], None] | None = None
    calls: int = 0
    loaded: dict[str, Any] = field(default_factory=dict)

    def load(self, name: str) -> Any:
        """Return the value of an input."""
        if name not in self.loaded:
            source = self.inputs[name]
            if isinstance(source, Node):
                inner = replace(self, node=source, block=None, calls=0, loaded={})
                self.loaded[name] = node_value(inner)
            else:
                self.loaded[name] = artefacts.load(source)
        return self.loaded[name]


def node_value(scope: Scope) -> Any:
    """Return the value of the scope's node, or of the block that the scope names."""
    node = scope.node
    if node.kind == "complete":
        return _assemble(scope)
    value = _evaluate(node.value, scope)
    if node.kind == "table" and not isinstance(value, Table):
        raise TypeError(f".init of table {node.base!r} gave a {type(value).__name__}, no table")
    return _split(value, node.columns) if len(node.columns) > 1 else value


def _evaluate(value: Any, scope: Scope) -> Any:
    if isinstance(value, Ref):
        if value.collect:
            parts = [take(scope.load(n), value.part, n) for n in value.collect]
            return collect([scope.points.get(n, {}) for n in value.collect], parts)
        return take(scope.load(value.node), value.part, value.node)
    if isinstance(value, Call):
        return value.target if value.imported else _call(value, scope)
    if isinstance(value, dict):
        return {k: _evaluate(v, scope) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)([_evaluate(v, scope) for v in value])
    return value


def _call(call: Call, scope: Scope) -> Any:
    number = scope.calls
    scope.calls += 1
    args = [_evaluate(v, scope) for v in call.args]
    kwargs = {k: _evaluate(v, scope) for k, v in call.kwargs.items()}
    if call.map is not None and scope.block is not None:
        rows = slice(scope.block[0] * scope.block[1], (scope.block[0] + 1) * scope.block[1])
        where, name = _mapped(call, args, kwargs)
        where[name] = cut(where[name], rows)
    if function := may_not_be_handed(call.path, [args, kwargs]):
        raise TypeError(f"!{call.path} may not be given the function {function}")
    rng = generator(scope.seed, scope.node.name, scope.block and scope.block[0], number)
    fill = missing(call)
    if "rng" in fill:
        kwargs["rng"] = rng
    if "scratch" in fill and scope.scratch:
        kwargs["scratch"] = scope.scratch()
    if "progress" in fill and scope.progress:
        kwargs["progress"] = scope.progress
    if isinstance(call.target, type) and issubclass(call.target, Cosmology):
        return _cosmology(call.target, args, kwargs)
    return drawing(call, rng)(*args, **kwargs)


def _cosmology(kind: type[Cosmology], args: list[Any], kwargs: dict[str, Any]) -> Cosmology:
    """Return a cosmology, made once: it never changes, and astropy takes 30 ms for each."""
    key = repr((kind, args, kwargs))
    if key not in _COSMOLOGIES:
        _COSMOLOGIES[key] = kind(*args, **kwargs)
    return _COSMOLOGIES[key]


def mapped_argument(call: Call) -> Any:
    """Return the expression that ``.map`` names."""
    where, name = _mapped(call, list(call.args), call.kwargs)
    return where[name]


def _mapped(call: Call, args: list[Any], kwargs: dict[str, Any]) -> tuple[Any, Any]:
    if call.map in kwargs:
        return kwargs, call.map
    names = list(inspect.signature(call.target).parameters)
    if call.map not in names[: len(args)]:
        raise ValueError(f".map names {call.map!r}, but the call has no such argument")
    return args, names.index(call.map)


def take(value: Any, part: tuple[str, ...], name: str) -> Any:
    """Return a part of a value: a column, a key, a field of an artefact.

    Examples
    --------
    >>> from skywright.flow.evaluate import take
    >>> take({"test": [1, 2]}, ("test",), "split")
    [1, 2]
    """
    for key in part:
        if isinstance(value, Table):
            known = value.colnames
        elif isinstance(value, dict):
            known = [str(k) for k in value]
        elif dataclasses.is_dataclass(value):
            known = [f.name for f in dataclasses.fields(value)]
        else:
            raise TypeError(f"${name} is a {type(value).__name__}: it has no part {key!r}")
        if key not in known:
            close = difflib.get_close_matches(key, known, 1)
            hint = f"did you mean {close[0]!r}?" if close else f"it has {', '.join(known)}"
            raise KeyError(f"${name} has no part {key!r}; {hint}")
        value = value[key] if isinstance(value, (Table, dict)) else getattr(value, key)
        name = f"{name}.{key}"
    return _plain(value)


def _plain(column: Any) -> Any:
    """Return a column of a Table as an array, or as a Quantity if it has a unit."""
    if isinstance(column, MaskedColumn) and not np.any(column.mask):
        column = Column(column.data.data, unit=column.unit)
    if isinstance(column, Column):
        return u.Quantity(column) if column.unit is not None else np.asarray(column)
    return column


def _split(value: Any, columns: tuple[str, ...]) -> dict[str, Any]:
    """Share a tuple or the columns of a 2-D array out to several names."""
    if isinstance(value, (tuple, list)):
        parts = list(value)
    elif getattr(value, "ndim", 0) == 2:
        parts = [value[:, i] for i in range(value.shape[1])]
    else:
        raise ValueError(
            f"columns {', '.join(columns)} need a tuple or a 2-D array, got "
            f"{type(value).__name__} of shape {getattr(value, 'shape', '()')}"
        )
    if len(parts) != len(columns):
        raise ValueError(f"{len(parts)} columns for {len(columns)} names: {', '.join(columns)}")
    return dict(zip(columns, parts, strict=True))


def _assemble(scope: Scope) -> Table:
    """Return the whole table: what ``.init`` made, and its columns in the order of the file."""
    first, *others = scope.node.value
    table = scope.load(first.node).copy()
    for name, ref in zip(scope.node.columns, others, strict=True):
        value = take(scope.load(ref.node), ref.part, ref.node)
        try:
            table[name] = value
        except (ValueError, TypeError) as error:
            raise ValueError(f"column {name!r} does not fit into the table: {error}") from error
    return table


def fill_cosmology(value: Any, cosmology: Any) -> Any:
    """Return an expression whose calls, nested ones too, name the cosmology they miss."""
    if isinstance(value, Call) and not value.imported:
        args = tuple(fill_cosmology(v, cosmology) for v in value.args)
        kwargs = {k: fill_cosmology(v, cosmology) for k, v in value.kwargs.items()}
        if cosmology is not None and "cosmology" in missing(value):
            kwargs["cosmology"] = cosmology
        return replace(value, args=args, kwargs=kwargs)
    if isinstance(value, dict):
        return {k: fill_cosmology(v, cosmology) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)([fill_cosmology(v, cosmology) for v in value])
    return value
