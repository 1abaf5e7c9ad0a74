"""What a recipe becomes once it is read: expressions, nodes, and the plan that holds them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import astropy.units as u
import networkx as nx

from skywright.data.marked_yaml import Mark, MarkedError

__all__ = [
    "Call", "Mark", "Node", "Plan", "RecipeError", "Ref", "as_json", "calls", "changed", "parts",
    "references",
]  # fmt: skip


class RecipeError(MarkedError):
    """A recipe or command that is wrong; found before any work, exit code 2."""

    what = "recipe"


@dataclass(frozen=True)
class Ref:
    """``$name``: the value of another node, or a part of it.

    Parameters
    ----------
    node : str
        Name of the node in the plan, sweep point included.
    part : tuple of str
        What is taken from its value, one key after another: a table column, a key of a dict, a
        field of an artefact.
    collect : tuple of str
        For ``$name.*``: the names of all sweep copies of the node, in sweep order.
    """

    node: str
    part: tuple[str, ...] = ()
    collect: tuple[str, ...] = ()
    mark: Mark | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of all nodes it stands for."""
        return self.collect or (self.node,)


@dataclass(frozen=True)
class Call:
    """``!package.module.function``: a call, or the object itself when ``imported`` is true."""

    path: str
    target: Any
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    imported: bool = False
    map: str | None = None
    rows: int | None = None
    mark: Mark | None = None


@dataclass(frozen=True)
class Node:
    """One unit of work: it is computed once, stored once, and may be referred to.

    Parameters
    ----------
    name : str
        Unique: ``scores``, ``galaxies.z``, or ``scores[fold=0,seed=1]`` in a sweep.
    base : str
        The name without the sweep point.
    kind : str
        ``value`` (variable), ``table`` (its ``.init``), ``column`` (one or more columns of a
        table), ``part`` (one column of a multi-column), ``complete`` (a table with all columns).
    value : expression
        Literal, `Ref`, `Call`, or lists and dicts of these. For ``part`` and ``complete`` the
        `Ref` or list of `Ref` it is made of.
    point : dict
        Values of the swept parameters this node depends on.
    columns : tuple of str
        For ``column``: the names it fills. For ``complete``: all columns in order.
    depends : tuple of Ref
        What it waits for besides, by ``.depends``.
    """

    name: str
    base: str
    kind: str
    value: Any
    point: dict[str, Any] = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    depends: tuple[Ref, ...] = ()
    mark: Mark | None = None


@dataclass(frozen=True)
class Plan:
    """A checked recipe, ready to run.

    Parameters
    ----------
    file : Path
        The recipe's file.
    nodes : dict
        Name -> `Node`.
    graph : DiGraph
        Edges from a node to those that need it; acyclic.
    seed : int
        Seed of the recipe.
    preset : str
        Name of the preset in force, or an empty string.
    parameters : dict
        Values after preset and ``--set``.
    settings : dict
        What ``--set`` gave to parameters.
    cosmology : expression or None
        What a missing argument ``cosmology`` is filled with.
    tables : tuple of str
        Names of the tables, in file order.
    head : dict
        The validated ``recipe:`` block (title, cite, presets, sweep, expect, report).
    reused : dict
        Node name -> run folder whose artefact stands in for it (``--set node=RUN``).
    allow : tuple of str
        Packages that ``--allow`` added.
    """

    file: Path
    nodes: dict[str, Node]
    graph: nx.DiGraph
    seed: int = 0
    preset: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    cosmology: Any = None
    tables: tuple[str, ...] = ()
    head: dict[str, Any] = field(default_factory=dict)
    reused: dict[str, Path] = field(default_factory=dict)
    allow: tuple[str, ...] = ()


def parts(value: Any) -> Iterator[Any]:
    """Yield an expression and everything in it, from outside in."""
    yield value
    inside: Any = value if isinstance(value, (list, tuple)) else ()
    if isinstance(value, Call):
        inside = [*value.args, *value.kwargs.values()]
    elif isinstance(value, dict):
        inside = value.values()
    for part in inside:
        yield from parts(part)


def calls(value: Any) -> Iterator[Call]:
    """Yield every call of an expression, nested ones too."""
    return (part for part in parts(value) if isinstance(part, Call))


def references(value: Any) -> Iterator[str]:
    """Yield the names of all nodes an expression refers to."""
    return (name for part in parts(value) if isinstance(part, Ref) for name in part.names)


def changed(value: Any, change: Callable[[Any], Any]) -> Any:
    """Return an expression with ``change`` applied to everything in it, from inside out."""
    if isinstance(value, Call):
        args = tuple(changed(v, change) for v in value.args)
        kwargs = {k: changed(v, change) for k, v in value.kwargs.items()}
        return change(replace(value, args=args, kwargs=kwargs))
    if isinstance(value, dict):
        return change({k: changed(v, change) for k, v in value.items()})
    if isinstance(value, (list, tuple)):
        return change(type(value)(changed(v, change) for v in value))
    return change(value)


def as_json(value: Any) -> Any:
    """Return an expression as JSON that reads like the recipe.

    A mapping whose first key starts with one exclamation mark is a call or a quantity, no other is.

    Examples
    --------
    >>> from skywright.flow.plan import Ref, as_json
    >>> as_json({"data": Ref("split", ("test",))})
    {'data': '$split.test'}
    """
    if isinstance(value, Ref):
        name = f"{value.node.partition('[')[0]}.*" if value.collect else value.node
        return ".".join([f"${name}", *value.part])
    if isinstance(value, Call):
        if value.imported:
            return {f"!{value.path}": None}
        named = {k: as_json(v) for k, v in sorted(value.kwargs.items())}
        named |= {".map": value.map, ".rows": value.rows} if value.map else {}
        args = [as_json(v) for v in value.args]
        return {f"!{value.path}": args, **named} if args else {f"!{value.path}": named}
    if isinstance(value, u.Quantity):
        return {"!quantity": [value.value.tolist(), str(value.unit)]}
    if isinstance(value, dict):  # order is kept: it may be the order of bands
        return {f"!{k}" if k.startswith("!") else k: as_json(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_json(v) for v in value]
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, (str, Path)):
        return str(value)
    raise TypeError(f"a {type(value).__name__} cannot be an argument in a recipe: {value!r}")
