"""Fan out what depends on a swept parameter; what does not is shared."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace
from math import prod
from typing import Any

import networkx as nx

from skywright.flow.graph import Draft
from skywright.flow.head import label
from skywright.flow.loader import NODES
from skywright.flow.names import words
from skywright.flow.plan import Mark, Node, RecipeError, Ref, changed, parts, references

__all__ = ["expand"]

LONGEST = 200  # bytes: names are those of folders too


def expand(draft: Draft) -> tuple[dict[str, Node], nx.DiGraph, Any]:
    """Return the nodes of a draft, a copy for each point of the sweep; graph; cosmology.

    A node is copied for the swept parameters it depends on, itself or through other nodes, and
    for no others. What collects (``$node.*``) does not inherit the sweep of what it collects.
    The values of parameters are put in where they are referred to. There is no one cosmology if
    it is swept; the nodes hold theirs in any case.

    Raises
    ------
    RecipeError
        On a cycle, on a collection of what is not swept, or if there is too much of it.
    """
    sweep = _Sweep(draft)
    nodes: dict[str, Node] = {}
    graph: nx.DiGraph = nx.DiGraph()
    for name, node in draft.nodes.items():
        for point in sweep.points(name):
            copy = sweep.copy(node, point)
            nodes[copy.name] = copy
            graph.add_node(copy.name)
            needed = references((copy.value, copy.depends))
            graph.add_edges_from((other, copy.name) for other in needed)
            if len(nodes) > NODES:
                raise RecipeError(f"this makes more than {NODES:,} nodes", node.mark)
    swept = {part.node for part in parts(draft.cosmology) if isinstance(part, Ref)}
    fixed = not swept & set(draft.values.sweep)
    return nodes, graph, sweep.bind(draft.cosmology, {}, None) if fixed else None


class _Sweep:
    def __init__(self, draft: Draft) -> None:
        self.draft, self.values = draft, draft.values
        self.axes: dict[str, tuple[str, ...]] = {}
        for name in nx.topological_sort(draft.graph()):
            self.axes[name] = self._own_axes(draft.nodes[name])
        self._sizes = {n: sum(1 for _ in parts(v)) for n, v in self.values.parameters.items()}

    def points(self, name: str) -> list[dict[str, Any]]:
        """Return the points of the sweep at which there are copies of a node."""
        axes = self.axes[name]
        points = itertools.product(*(self.values.sweep[axis] for axis in axes))
        return [dict(zip(axes, p, strict=True)) for p in itertools.islice(points, NODES + 1)]

    def copy(self, node: Node, point: Mapping[str, Any]) -> Node:
        """Return a node as it is at one point."""
        name = _name(node.name, point)
        if len(name.encode()) > LONGEST:
            raise RecipeError(f"the name {name[:60]}… is too long for a folder", node.mark)
        value, depends = self.bind((node.value, node.depends), point, node.mark)
        return replace(node, name=name, point=dict(point), value=value, depends=depends)

    def bind(self, value: Any, point: Mapping[str, Any], mark: Mark | None) -> Any:
        """Put the values of parameters in, and point references to the right copies."""

        def bound(part: Any) -> Any:
            self.values.take(1, mark)
            if not isinstance(part, Ref):
                return part
            if part.node in self._sizes:
                self.values.take(self._sizes[part.node], mark)
                return self.values.at(part, point)
            axes = self.axes[part.node]
            if part.collect:
                self.values.take(prod(len(self.values.sweep[axis]) for axis in axes), mark)
                copies = tuple(_name(part.node, p) for p in self.points(part.node))
                return replace(part, collect=copies)
            return replace(part, node=_name(part.node, {axis: point[axis] for axis in axes}))

        return changed(value, bound)

    def _own_axes(self, node: Node) -> tuple[str, ...]:
        found: set[str] = set()
        for part in parts((node.value, node.depends)):
            if not isinstance(part, Ref):
                continue
            axes = self.axes.get(part.node, (part.node,))  # of a parameter, itself
            if not part.collect:
                found.update(axes)
            elif not axes:
                raise RecipeError(
                    f"nothing to collect: {part.node!r} does not depend on a swept parameter "
                    f"(swept: {words(self.values.sweep)})",
                    part.mark,
                )
        return tuple(axis for axis in self.values.sweep if axis in found)


def _name(name: str, point: Mapping[str, Any]) -> str:
    shown = ",".join(f"{axis}={label(value)}" for axis, value in point.items())
    return f"{name}[{shown}]" if shown else name
