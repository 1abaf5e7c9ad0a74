"""From the items of a file to nodes and edges: calls resolved, references bound to names."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial, reduce
from operator import or_
from typing import Any

import networkx as nx
from astropy.table import Table

from skywright.data.marked_yaml import DEPTH
from skywright.flow.check import Known, check_call, check_functions
from skywright.flow.evaluate import fill_cosmology
from skywright.flow.loader import Item
from skywright.flow.names import did_you_mean, resolve, words
from skywright.flow.plan import Call, Mark, Node, RecipeError, Ref

__all__ = [
    "NAME",
    "NODES",
    "SECTIONS",
    "VALUES",
    "Draft",
    "Parameter",
    "dig",
    "draft",
    "edges",
    "entries",
    "parts",
]

NODES = 10_000
VALUES = 1_000_000  # that are put in, over all copies of a sweep
COSMOLOGY = 100  # values: it is put into every call that needs one
RESERVED = (".depends", ".map", ".rows")
SECTIONS = ("recipe", "parameters", "cosmology", "tables")
NAME = re.compile(r"\w[\w+-]{0,99}")


@dataclass(frozen=True)
class Parameter:
    """``$name`` of a parameter, until its value is put in."""

    name: str
    part: tuple[str, ...]
    mark: Mark


@dataclass
class Draft:
    """A recipe before its sweep is expanded.

    Parameters
    ----------
    nodes : dict
        Name -> `Node`; a collection is a `Ref` with ``collect=("*",)``.
    depends : dict
        Name -> what ``.depends`` adds.
    """

    nodes: dict[str, Node] = field(default_factory=dict)
    depends: dict[str, list[Ref]] = field(default_factory=dict)
    cosmology: Any = None


def draft(
    root: Item,
    parameters: Mapping[str, Any],
    swept: Mapping[str, list[Any]],
    allow: tuple[str, ...],
    given: Collection[str] = (),
) -> Draft:
    """Return the nodes of a recipe.

    Parameters
    ----------
    root : Item
        The whole file.
    parameters : dict
        Values of the parameters.
    swept : dict
        Swept parameter -> its values.
    allow : tuple of str
        Packages that the user opens.
    given : collection of str
        Nodes that come from another run.

    Raises
    ------
    RecipeError
        If a name, a call or a reference is wrong.
    """
    return _Drafter(root, parameters, swept, allow, given).draft()


def parts(value: Any) -> Iterator[Any]:
    """Yield every reference, parameter and call of an expression."""
    if isinstance(value, (Ref, Parameter, Call)):
        yield value
    inside: Any = ()
    if isinstance(value, Call):
        inside = [*value.args, *value.kwargs.values()]
    elif isinstance(value, dict):
        inside = value.values()
    elif isinstance(value, (list, tuple)):
        inside = value
    for child in inside:
        yield from parts(child)


def edges(made: Draft) -> nx.DiGraph:
    """Return the graph of a draft.

    Raises
    ------
    RecipeError
        If it has a cycle: the path is named.
    """
    graph: nx.DiGraph = nx.DiGraph()
    graph.add_nodes_from(made.nodes)
    for name in made.nodes:
        graph.add_edges_from((ref.node, name) for ref in _needs(made, name))
    if nx.is_directed_acyclic_graph(graph):
        return graph
    # among all nodes, the search for a cycle takes the square of their number
    rings = (c for c in nx.strongly_connected_components(graph)
             if len(c) > 1 or graph.has_edge(*c, *c))  # fmt: skip
    cycle = nx.find_cycle(graph.subgraph(next(rings)))
    names = [a for a, _ in reversed(cycle)]
    first = min(range(len(names)), key=lambda i: _line(made.nodes[names[i]]))
    names = names[first:] + names[:first]
    text = " needs ".join([*names, names[0]])
    raise RecipeError(f"these wait for each other: {text}", made.nodes[names[0]].mark)


def _size(item: Item) -> int:
    inside = list(item.value.values()) if isinstance(item.value, dict) else item.value
    return 1 + sum(map(_size, inside)) if isinstance(inside, list) else 1


def _line(node: Node) -> int:
    return node.mark.line if node.mark else 0


def _needs(made: Draft, name: str) -> list[Ref]:
    found = [p for p in parts(made.nodes[name].value) if isinstance(p, Ref)]
    return found + made.depends.get(name, [])


class _Drafter:
    def __init__(
        self,
        root: Item,
        parameters: Mapping[str, Any],
        swept: Mapping[str, list[Any]],
        allow: tuple[str, ...],
        given: Collection[str],
    ) -> None:
        self.root, self.parameters, self.swept, self.allow = root, parameters, swept, allow
        self.given, self.made = given, Draft()
        self.sections: dict[str, Item] = root.value
        self.variables = {k: v for k, v in root.value.items() if k not in SECTIONS}
        self.tables: dict[str, dict[str, tuple[str, ...]]] = {}
        self.inits: dict[str, bool] = {}
        self._extra: list[Ref] = []  # .depends of the node at hand
        self._followed: dict[tuple[str, tuple[str, ...]], tuple[str, tuple[str, ...]]] = {}
        self._only_parameters = False
        self._left = VALUES

    def draft(self) -> Draft:
        self._declare()
        if "cosmology" in self.sections:
            self._only_parameters = True
            item = self.sections["cosmology"]
            if item.kind != "call":
                raise RecipeError(
                    "cosmology: is a call or an object, as !astropy.cosmology.Planck18", item.mark
                )
            self.made.cosmology = self._expression(item)
            if _size(item) > COSMOLOGY:
                raise RecipeError(f"the cosmology has more than {COSMOLOGY} values", item.mark)
            self._only_parameters = False
        for name, item in self.variables.items():
            value = self._expression(item, outermost=True)
            self._add(Node(name, name, "value", value, mark=(self.root.keys or {})[name]))
        for table in self.tables:
            self._table(table, self.sections["tables"])
        self._complete_tables()
        self._change_references(self._look_through)
        return self.made

    def _declare(self) -> None:
        """Collect all names before the first reference is looked up."""
        for name, _, mark in entries(self.root, "a recipe"):
            if name in self.variables:
                self._check_name(name, mark, self.parameters)
        listed = self.sections.get("tables") or Item({}, self.root.mark)
        for name, item, mark in entries(listed, "tables"):
            self._check_name(name, mark, {**self.parameters, **self.variables})
            self.tables[name] = self._columns(name, item)
            self.inits[name] = ".init" in (item.value or {})
        count = len(self.variables) + sum(1 + len(keys) for keys in self.tables.values())
        if count > NODES:
            raise RecipeError(f"this makes more than {NODES:,} nodes", self.root.mark)

    def _check_name(self, name: str, mark: Mark, taken: Mapping[str, Any]) -> None:
        if not NAME.fullmatch(name):
            raise RecipeError(
                f"{name[:40]!r} cannot be a name: letters, digits, '_' and '-' only", mark
            )
        if name in taken or name in SECTIONS:
            raise RecipeError(f"the name {name!r} is taken already: choose another one", mark)

    def _columns(self, table: str, item: Item) -> dict[str, tuple[str, ...]]:
        """Return the keys of a table and the columns each of them fills."""
        found: dict[str, tuple[str, ...]] = {}
        taken = {"complete": ""}
        for key, _, mark in entries(item, f"table {table!r}"):
            if key == ".init":
                continue
            if key.startswith("."):
                raise RecipeError(f"a table knows the key .init, not {key!r}", mark)
            names = tuple(part.strip() for part in key.split(","))
            for name in names:
                self._check_name(name, mark, taken)
                taken[name] = key
            found[key] = names
        return found

    def _add(self, node: Node) -> None:
        value = fill_cosmology(node.value, self.made.cosmology)
        self.made.nodes[node.name] = replace(node, value=value)
        self.made.depends[node.name], self._extra = self._extra, []

    def _table(self, table: str, listed: Item) -> None:
        item, mark = listed.value[table], (listed.keys or {})[table]
        columns, marks = item.value or {}, item.keys or {}
        start = columns.get(".init")
        if start and start.kind == "plain":
            raise RecipeError(".init is a call or a reference that gives a table", start.mark)
        empty = Call("astropy.table.Table", Table, mark=mark)
        value = self._expression(start, outermost=True) if start else empty
        self._add(Node(table, table, "table", value, mark=marks.get(".init", mark)))
        whole = [Ref(table)]
        for key, names in self.tables[table].items():
            more = f"+{len(names) - 3}" if len(names) > 3 else ""  # it names a folder as well
            base = f"{table}.{','.join(names[:3])}{more}"
            value = self._expression(columns[key], outermost=True)
            self._add(Node(base, base, "column", value, columns=names, mark=marks[key]))
            whole += [Ref(f"{table}.{name}") for name in names]
            for name in names if len(names) > 1 else ():
                part = f"{table}.{name}"
                self._add(Node(part, part, "part", Ref(base, (name,)), mark=marks[key]))
        order = tuple(name for names in self.tables[table].values() for name in names)
        self._add(Node(f"{table}.complete", table, "complete", whole, columns=order, mark=mark))

    def _complete_tables(self) -> None:
        """Let ``$table`` mean the whole table, but for what its own columns need."""
        base = nx.DiGraph([(ref.node, n) for n in self.made.nodes for ref in _needs(self.made, n)])
        base.add_nodes_from(self.made.nodes)
        bit = {f"{table}.complete": 1 << i for i, table in enumerate(self.tables)}
        reached = _reached(base, bit)

        def complete(name: str, ref: Ref) -> Ref:
            whole = f"{ref.node}.complete"
            own = ref.part or ref.node not in self.tables or reached[name] & bit[whole]
            return ref if own else replace(ref, node=whole)

        self._change_references(complete)

    def _change_references(self, change: Callable[[str, Ref], Ref]) -> None:
        """Put ``change(name of the node, reference)`` in the place of every reference."""
        for name, node in self.made.nodes.items():
            at = partial(change, name)
            self.made.nodes[name] = replace(node, value=_changed(node.value, at))
            self.made.depends[name] = _changed(self.made.depends[name], at)

    def _look_through(self, _: str, ref: Ref) -> Ref:
        """Let ``$group.part`` of a mapping that is written out wait for that part alone."""
        way: list[tuple[str, tuple[str, ...]]] = []
        # parts that grow at every step lead in a circle, which `edges` reports
        while ref.part and ref.node not in self.given and len(ref.part) <= DEPTH:
            here = (ref.node, ref.part)
            if here in self._followed:
                node, part = self._followed[here]
                ref = replace(ref, node=node, part=part)
                break
            target, rest = self._written(ref)
            if not isinstance(target, Ref) or target.collect:
                break
            self._followed[here] = here
            way.append(here)
            ref = replace(ref, node=target.node, part=target.part + rest)
        self._followed |= dict.fromkeys(way, (ref.node, ref.part))
        return ref

    def _written(self, ref: Ref) -> tuple[Any, tuple[str, ...]]:
        """Return what stands in the file at the part of a mapping, and the part that is left."""
        value, rest = self.made.nodes[ref.node].value, ref.part
        while rest and isinstance(value, dict):
            if rest[0] not in value:
                hint = did_you_mean(rest[0], value)
                raise RecipeError(
                    f"{ref.node!r} has no part {rest[0]!r}{hint}; it has {words(value)}", ref.mark
                )
            value, rest = value[rest[0]], rest[1:]
        return value, rest

    def _expression(self, item: Item, outermost: bool = False) -> Any:
        if item.kind == "ref":
            return self._reference(item)
        if item.kind == "call":
            return self._call(item, outermost)
        if isinstance(item.value, dict):
            return {k: self._expression(v) for k, v in item.value.items()}
        if isinstance(item.value, list):
            return [self._expression(v) for v in item.value]
        return item.value

    def _call(self, item: Item, outermost: bool) -> Call:
        target = resolve(item.path, item.mark, self.allow)
        if item.value is None:
            return Call(item.path, target, imported=True, mark=item.mark)
        keys = item.keys or {}
        named = dict(item.value) if isinstance(item.value, dict) else {}
        listed = item.value if isinstance(item.value, list) else []
        special = {k: named.pop(k) for k in list(named) if k.startswith(".")}
        for key in special:
            if key not in RESERVED:
                raise RecipeError(
                    f"calls know the reserved keys {', '.join(RESERVED)}, not {key!r}"
                    f"{did_you_mean(key, RESERVED)}",
                    keys[key],
                )
        args = tuple(self._expression(v) for v in listed)
        kwargs = {k: self._expression(v) for k, v in named.items()}
        call = Call(item.path, target, args, kwargs, mark=item.mark)
        known = {k: Known(self._known(value), items.mark)
                 for (k, value), items in zip([*enumerate(args), *kwargs.items()],
                                              [*listed, *named.values()], strict=True)}  # fmt: skip
        check_call(call, known, keys, self.made.cosmology is not None)
        check_functions(call)
        if ".depends" in special:
            self._extra += self._depends(special[".depends"])
        return self._mapped(call, special, keys, outermost)

    def _known(self, value: Any) -> tuple[Any, ...]:
        """Return the values an argument may have, if all of them are known already."""
        if isinstance(value, Parameter):
            values = self.swept.get(value.name, [self.parameters[value.name]])
            self._left -= len(values)
            if self._left < 0:
                raise RecipeError(f"more than {VALUES:,} values in all", value.mark)
            return tuple(dig(v, value) for v in values)
        return () if any(True for _ in parts(value)) else (value,)

    def _mapped(
        self, call: Call, special: Mapping[str, Item], keys: Mapping[str, Mark], outermost: bool
    ) -> Call:
        if ".map" not in special:
            if ".rows" in special:
                raise RecipeError(".rows needs .map: the argument to cut into rows", keys[".rows"])
            return call
        name = special[".map"].plain()
        if not outermost:
            raise RecipeError(".map stands in a nested call: make it a node", keys[".map"])
        if not isinstance(name, str) or name not in call.kwargs:
            hint = did_you_mean(str(name), call.kwargs)
            raise RecipeError(f".map names {name!r}, no argument here{hint}", keys[".map"])
        value = call.kwargs[name]
        if isinstance(value, Call) or (isinstance(value, Ref) and value.collect):
            raise RecipeError(f".map: {name} has to be a node of its own", keys[".map"])
        rows: Any = None
        if ".rows" in special:
            known = self._known(self._expression(special[".rows"]))
            rows = known[0] if len(known) == 1 else None
            if not isinstance(rows, int) or isinstance(rows, bool) or rows < 1:
                raise RecipeError(".rows takes a whole number above zero", keys[".rows"])
        return replace(call, map=name, rows=rows)

    def _depends(self, item: Item) -> list[Ref]:
        items = item.value if isinstance(item.value, list) and item.kind == "plain" else [item]
        found = []
        for child in items:
            if child.kind == "plain" and isinstance(child.value, str):
                child = Item(None, child.mark, "ref", child.value.removeprefix("$"), child.text)
            if child.kind != "ref":
                raise RecipeError(".depends takes a name, or a list of names", child.mark)
            ref = self._reference(child)
            found += [ref] if isinstance(ref, Ref) else []
        return found

    def _reference(self, item: Item) -> Any:
        head, *rest = item.path.split(".")
        collect = ("*",) if rest and rest[-1] == "*" else ()
        rest = rest[:-1] if collect else rest
        mark = item.mark
        if head in self.parameters:
            if collect:
                raise RecipeError(f"${head} is a parameter: there is nothing to collect", mark)
            ref = Parameter(head, tuple(rest), mark)
            self._known(ref)
            return ref
        if self._only_parameters:
            raise RecipeError(
                f"the cosmology may refer to parameters alone, not to ${item.path}"
                f"{did_you_mean(head, self.parameters)}",
                mark,
            )
        if item.path == "cosmology" and self.made.cosmology is not None:
            return self.made.cosmology
        if head in self.tables and rest:
            return self._in_table(head, rest, collect, item)
        if head in self.tables or head in self.variables:
            return Ref(head, tuple(rest), collect, mark)
        known = [*self.variables, *self.tables, *self.parameters, "cosmology"]
        raise RecipeError(
            f"nothing is called {item.path[:60]!r}{did_you_mean(head, known)}; if this is text, "
            f'put it in quotes: "{item.text[:60]}"',
            mark,
        )

    def _in_table(self, table: str, rest: list[str], collect: tuple[str, ...], item: Item) -> Ref:
        columns = [n for names in self.tables[table].values() for n in names]
        if rest[0] in (*columns, "complete"):
            return Ref(f"{table}.{rest[0]}", tuple(rest[1:]), collect, item.mark)
        if self.inits[table]:  # what .init makes is known at the call
            return Ref(table, tuple(rest), collect, item.mark)
        raise RecipeError(
            f"table {table!r} has no column {rest[0]!r}{did_you_mean(rest[0], columns)}; it has "
            f"{words(columns)}",
            item.mark,
        )


def _reached(graph: nx.DiGraph, bit: Mapping[str, int]) -> dict[str, int]:
    """Return for every node the bits of all nodes that it leads to, its own among them."""
    groups = nx.condensation(graph)
    bits: dict[int, int] = {}
    for group in reversed(list(nx.topological_sort(groups))):
        ahead = [bits[after] for after in groups.successors(group)]
        own = [bit.get(name, 0) for name in groups.nodes[group]["members"]]
        bits[group] = reduce(or_, [*own, *ahead], 0)
    return {name: bits[group] for name, group in groups.graph["mapping"].items()}


def entries(item: Item, what: str) -> list[tuple[str, Item, Mark]]:
    """Return key, value and place of every entry of a mapping; of nothing, none.

    Raises
    ------
    RecipeError
        If it is no mapping.
    """
    if item.kind != "plain" or not isinstance(item.value, (dict, type(None))):
        raise RecipeError(f"{what} has to be a mapping (name: value)", item.mark)
    return [(k, v, (item.keys or {})[k]) for k, v in (item.value or {}).items()]


def _changed(value: Any, change: Callable[[Ref], Ref]) -> Any:
    """Return an expression with ``change`` applied to every reference in it."""
    if isinstance(value, Ref):
        return change(value)
    if isinstance(value, Call):
        args = tuple(_changed(v, change) for v in value.args)
        kwargs = {k: _changed(v, change) for k, v in value.kwargs.items()}
        return replace(value, args=args, kwargs=kwargs)
    if isinstance(value, dict):
        return {k: _changed(v, change) for k, v in value.items()}
    return [_changed(v, change) for v in value] if isinstance(value, list) else value


def dig(value: Any, parameter: Parameter) -> Any:
    """Return a part of the value of a parameter.

    Raises
    ------
    RecipeError
        If it has no such part.
    """
    where = parameter.name
    for key in parameter.part:
        if not isinstance(value, dict) or key not in value:
            known = value if isinstance(value, dict) else ()
            raise RecipeError(
                f"parameter {where!r} has no part {key!r}{did_you_mean(key, known)}",
                parameter.mark,
            )
        value, where = value[key], f"{where}.{key}"
    return value
