"""What a recipe becomes once it is read: expressions, nodes, and the plan that holds them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import networkx as nx

from skywright.data.marked_yaml import Mark, MarkedError

__all__ = ["Call", "Mark", "Node", "Plan", "RecipeError", "Ref"]


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
    """

    name: str
    base: str
    kind: str
    value: Any
    point: dict[str, Any] = field(default_factory=dict)
    columns: tuple[str, ...] = ()
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
    cosmology: Any = None
    tables: tuple[str, ...] = ()
    head: dict[str, Any] = field(default_factory=dict)
    reused: dict[str, Path] = field(default_factory=dict)
    allow: tuple[str, ...] = ()
