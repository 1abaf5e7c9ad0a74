"""Fan out what depends on a swept parameter; what does not is shared."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace
from math import prod
from typing import Any

import networkx as nx

from skywright.flow.graph import NODES, VALUES, Draft, Parameter, dig, edges, parts
from skywright.flow.head import label
from skywright.flow.names import words
from skywright.flow.plan import Call, Mark, Node, RecipeError, Ref

__all__ = ["expand"]

LONGEST = 200  # bytes: names are those of folders too


def expand(
    made: Draft, parameters: Mapping[str, Any], swept: Mapping[str, list[Any]]
) -> tuple[dict[str, Node], nx.DiGraph, Any]:
    """Return the nodes of a draft, a copy for each point of the sweep; graph; cosmology.

    A node is copied for the swept parameters it depends on, itself or through other nodes, and
    for no others. What collects (``$node.*``) does not inherit the sweep of what it collects.

    Parameters
    ----------
    made : Draft
        The recipe.
    parameters : dict
        Values of the parameters, put in where they are referred to.
    swept : dict
        Swept parameter -> its values.

    Raises
    ------
    RecipeError
        On a cycle, on a collection of what is not swept, or if there is too much of it.
    """
    sweep = _Sweep(made, parameters, swept)
    nodes, graph = sweep.expand()
    return nodes, graph, sweep.cosmology()


class _Sweep:
    def __init__(
        self, made: Draft, parameters: Mapping[str, Any], swept: Mapping[str, list[Any]]
    ) -> None:
        self.made, self.parameters, self.swept = made, parameters, swept
        self.axes: dict[str, tuple[str, ...]] = {}
        self._left = VALUES
        self._mark: Mark | None = None  # of the node at hand
        self._sizes = {name: _size(value) for name, value in parameters.items()}

    def expand(self) -> tuple[dict[str, Node], nx.DiGraph]:
        order = list(nx.topological_sort(edges(self.made)))
        for name in order:
            self.axes[name] = self._own_axes(name)
        nodes: dict[str, Node] = {}
        graph: nx.DiGraph = nx.DiGraph()
        for name, node in self.made.nodes.items():
            self._mark = node.mark
            for point in self._points(name):
                copy = _copy(name, point)
                if len(copy.encode()) > LONGEST:
                    raise RecipeError(f"the name {copy[:60]}… is too long for a folder", node.mark)
                value = self._bind(node.value, point)
                extra = self._bind(self.made.depends.get(name, []), point)
                nodes[copy] = replace(node, name=copy, point=point, value=value)
                graph.add_node(copy)
                needed = [r for r in parts([value, extra]) if isinstance(r, Ref)]
                graph.add_edges_from((n, copy) for r in needed for n in r.collect or (r.node,))
                if len(nodes) > NODES:
                    raise RecipeError(f"this makes more than {NODES:,} nodes", node.mark)
        return nodes, graph

    def cosmology(self) -> Any:
        """Return the cosmology; None if it is swept (the nodes hold theirs in any case)."""
        found = {p.name for p in parts(self.made.cosmology) if isinstance(p, Parameter)}
        return None if found & set(self.swept) else self._bind(self.made.cosmology, {})

    def _own_axes(self, name: str) -> tuple[str, ...]:
        node = self.made.nodes[name]
        found = set()
        for part in parts([node.value, self.made.depends.get(name, [])]):
            if isinstance(part, Parameter):
                found.add(part.name)
            elif isinstance(part, Ref) and not part.collect:
                found.update(self.axes[part.node])
            elif isinstance(part, Ref) and not self.axes[part.node]:
                raise RecipeError(
                    f"nothing to collect: {part.node!r} does not depend on a swept parameter "
                    f"(swept: {words(self.swept)})",
                    part.mark,
                )
        return tuple(axis for axis in self.swept if axis in found)

    def _points(self, name: str) -> list[dict[str, Any]]:
        axes = self.axes[name]
        points = itertools.product(*(self.swept[axis] for axis in axes))
        return [dict(zip(axes, p, strict=True)) for p in itertools.islice(points, NODES + 1)]

    def _bind(self, value: Any, point: Mapping[str, Any]) -> Any:
        """Put the values of parameters in, and point references to the right copy."""
        self._take(1)
        if isinstance(value, Parameter):
            self._take(self._sizes[value.name])
            return dig(point.get(value.name, self.parameters[value.name]), value)
        if isinstance(value, Ref):
            if value.collect:
                self._take(prod(len(self.swept[axis]) for axis in self.axes[value.node]))
                copies = tuple(_copy(value.node, p) for p in self._points(value.node))
                return replace(value, collect=copies)
            here = {axis: point[axis] for axis in self.axes[value.node]}
            return replace(value, node=_copy(value.node, here))
        if isinstance(value, Call):
            args = tuple(self._bind(v, point) for v in value.args)
            kwargs = {k: self._bind(v, point) for k, v in value.kwargs.items()}
            return replace(value, args=args, kwargs=kwargs)
        if isinstance(value, dict):
            return {k: self._bind(v, point) for k, v in value.items()}
        return [self._bind(v, point) for v in value] if isinstance(value, list) else value

    def _take(self, values: int) -> None:
        """Count values that are put in or copied; there may not be too many of them in all."""
        self._left -= values
        if self._left < 0:
            raise RecipeError(f"more than {VALUES:,} values in all", self._mark)


def _copy(name: str, point: Mapping[str, Any]) -> str:
    shown = ",".join(f"{axis}={label(value)}" for axis, value in point.items())
    return f"{name}[{shown}]" if shown else name


def _size(value: Any) -> int:
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + sum(_size(v) for v in inside)
