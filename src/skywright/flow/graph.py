"""From the items of a file to nodes: calls resolved, references bound to names."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from functools import partial, reduce
from operator import or_
from typing import Any

import networkx as nx
from astropy.table import Table

from skywright.data.marked_yaml import DEPTH
from skywright.flow.check import Known, check_call, check_functions
from skywright.flow.loader import NAME, NODES, SECTIONS, Item
from skywright.flow.names import did_you_mean, resolve, words
from skywright.flow.plan import Call, Mark, Node, RecipeError, Ref, changed, parts
from skywright.flow.randomness import missing
from skywright.flow.settings import Values

__all__ = ["Draft"]

COSMOLOGY = 100  # values: it is put into every call that needs one
RESERVED = (".depends", ".map", ".rows")


class Draft:
    """The nodes of a recipe, before its sweep is expanded.

    Their expressions still hold references to parameters, and a collection is a `Ref` with
    ``collect=("*",)``.

    Parameters
    ----------
    root : Item
        The whole file.
    values : Values
        Values of the parameters, and their sweep.
    allow : tuple of str
        Packages that the user opens.
    given : collection of str
        Nodes that come from another run.

    Raises
    ------
    RecipeError
        If a name, a call or a reference is wrong.
    """

    def __init__(
        self, root: Item, values: Values, allow: tuple[str, ...], given: Collection[str] = ()
    ) -> None:
        self.values, self._allow = values, allow
        self.nodes: dict[str, Node] = {}
        self.cosmology: Any = None
        self._variables = {k: v for k, v in root.value.items() if k not in SECTIONS}
        listed = root.value.get("tables")
        self._tables = listed.entries("tables") if listed else {}
        self._columns: dict[str, dict[str, tuple[str, ...]]] = {}
        self._extra: list[Ref] = []  # .depends of the node at hand
        self._declare(root)
        if "cosmology" in root.value:
            self.cosmology = self._read_cosmology(root.value["cosmology"])
        for name, item in self._variables.items():
            self._add(name, self._expression(item, outermost=True), item.at)
        for table, item in self._tables.items():
            self._add_table(table, item)
        self._complete_tables()
        self._look_through(given)

    def graph(self) -> nx.DiGraph:
        """Return the graph of the nodes, with an edge from each to those that need it.

        Raises
        ------
        RecipeError
            If it has a cycle: the path is named.
        """
        graph = self._edges()
        if nx.is_directed_acyclic_graph(graph):
            return graph
        # among all nodes, the search for a cycle takes the square of their number
        rings = (c for c in nx.strongly_connected_components(graph)
                 if len(c) > 1 or graph.has_edge(*c, *c))  # fmt: skip
        names = [a for a, _ in reversed(nx.find_cycle(graph.subgraph(next(rings))))]
        lines = [mark.line if (mark := self.nodes[name].mark) else 0 for name in names]
        first = lines.index(min(lines))
        names = names[first:] + names[: first + 1]
        text = f"these wait for each other: {' needs '.join(names)}"
        raise RecipeError(text, self.nodes[names[0]].mark)

    def _edges(self) -> nx.DiGraph:
        graph: nx.DiGraph = nx.DiGraph()
        graph.add_nodes_from(self.nodes)
        for name, node in self.nodes.items():
            graph.add_edges_from(
                (part.node, name) for part in parts((node.value, node.depends))
                if isinstance(part, Ref) and part.node in self.nodes
            )  # fmt: skip
        return graph

    def _declare(self, root: Item) -> None:
        """Collect all names before the first reference is looked up."""
        taken = {*SECTIONS, *self.values.parameters}
        for name, item in [*self._variables.items(), *self._tables.items()]:
            _take_name(name, item.at, taken)
        for table, item in self._tables.items():
            self._columns[table] = {}
            taken = {"complete"}
            for key, column in item.entries(f"table {table!r}").items():
                if key == ".init":
                    continue
                if key.startswith("."):
                    raise RecipeError(f"a table knows the key .init, not {key!r}", column.at)
                names = tuple(part.strip() for part in key.split(","))
                for name in names:
                    _take_name(name, column.at, taken)
                self._columns[table][key] = names
        count = len(self._variables) + sum(1 + len(keys) for keys in self._columns.values())
        if count > NODES:
            raise RecipeError(f"this makes more than {NODES:,} nodes", root.mark)

    def _read_cosmology(self, item: Item) -> Any:
        if item.kind != "call":
            raise RecipeError(
                "cosmology: is a call or an object, as !astropy.cosmology.Planck18", item.mark
            )
        cosmology = self._expression(item)
        found = list(parts((cosmology, self._extra)))
        self._extra = []
        for ref in found:
            if isinstance(ref, Ref) and ref.node not in self.values.parameters:
                raise RecipeError(
                    f"the cosmology may refer to parameters alone, not to ${ref.node}", ref.mark
                )
        if len(found) > COSMOLOGY:
            raise RecipeError(f"the cosmology has more than {COSMOLOGY} values", item.mark)
        return cosmology

    def _add(
        self, name: str, value: Any, mark: Mark, kind: str = "value", *, base: str = "",
        columns: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        depends, self._extra = tuple(self._extra), []
        self.nodes[name] = Node(
            name, base or name, kind, value, columns=columns, depends=depends, mark=mark
        )

    def _add_table(self, table: str, item: Item) -> None:
        entries = item.value or {}
        start = entries.get(".init")
        if start and start.kind == "plain":
            raise RecipeError(".init is a call or a reference that gives a table", start.mark)
        empty = Call("astropy.table.Table", Table, mark=item.at)
        value = self._expression(start, outermost=True) if start else empty
        self._add(table, value, start.at if start else item.at, "table")
        whole = [Ref(table)]
        order: list[str] = []
        for key, names in self._columns[table].items():
            more = f"+{len(names) - 3}" if len(names) > 3 else ""  # it names a folder as well
            base = f"{table}.{','.join(names[:3])}{more}"
            value = self._expression(entries[key], outermost=True)
            self._add(base, value, entries[key].at, "column", columns=names)
            for name in names if len(names) > 1 else ():
                self._add(f"{table}.{name}", Ref(base, (name,)), entries[key].at, "part")
            whole += [Ref(f"{table}.{name}") for name in names]
            order += names
        done = f"{table}.complete"
        self._add(done, whole, item.at, "complete", base=table, columns=tuple(order))

    def _complete_tables(self) -> None:
        """Let ``$table`` mean the whole table, but for what its own columns need."""
        bit = {f"{table}.complete": 1 << i for i, table in enumerate(self._tables)}
        reached = _reached(self._edges(), bit)

        def complete(name: str, ref: Ref) -> Ref:
            whole = f"{ref.node}.complete"
            own = ref.part or ref.node not in self._tables or reached[name] & bit[whole]
            return ref if own else replace(ref, node=whole)

        self._change_references(complete)

    def _look_through(self, given: Collection[str]) -> None:
        """Let ``$group.part`` of a mapping that is written out wait for that part alone."""
        moved = False
        closed = {*given, *self.values.parameters}

        def look(_: str, ref: Ref) -> Ref:
            nonlocal moved
            # parts that grow at every step lead in a circle, which `graph` reports
            if not ref.part or len(ref.part) > DEPTH or ref.node in closed:
                return ref
            value, rest = self.nodes[ref.node].value, ref.part
            while rest and isinstance(value, dict):
                if rest[0] not in value:
                    hint = f"{did_you_mean(rest[0], value)}; it has {words(value)}"
                    raise RecipeError(f"{ref.node!r} has no part {rest[0]!r}{hint}", ref.mark)
                value, rest = value[rest[0]], rest[1:]
            if not isinstance(value, Ref) or value.collect or value.node not in self.nodes:
                return ref
            found = replace(ref, node=value.node, part=value.part + rest)
            moved = moved or found != ref
            return found

        for _ in range(NODES.bit_length()):  # each time a chain is followed twice as far
            moved = False
            self._change_references(look)
            if not moved:
                break

    def _change_references(self, change: Callable[[str, Ref], Ref]) -> None:
        """Put ``change(name of the node, reference)`` in the place of every reference."""

        def at(name: str, part: Any) -> Any:
            return change(name, part) if isinstance(part, Ref) else part

        for name, node in self.nodes.items():
            value, depends = changed((node.value, node.depends), partial(at, name))
            self.nodes[name] = replace(node, value=value, depends=depends)

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
        target = resolve(item.path, item.mark, self._allow)
        if item.value is None:
            return Call(item.path, target, imported=True, mark=item.mark)
        named = dict(item.value) if isinstance(item.value, dict) else {}
        listed = item.value if isinstance(item.value, list) else []
        special = {k: named.pop(k) for k in list(named) if k.startswith(".")}
        for key in special:
            if key not in RESERVED:
                raise RecipeError(
                    f"calls know the reserved keys {', '.join(RESERVED)}, not {key!r}"
                    f"{did_you_mean(key, RESERVED)}",
                    special[key].at,
                )
        args = tuple(self._expression(v) for v in listed)
        kwargs = {k: self._expression(v) for k, v in named.items()}
        call = Call(item.path, target, args, kwargs, mark=item.mark)
        known: dict[int | str, Known] = {
            k: Known(self._known(v), listed[k]) for k, v in enumerate(args)
        }
        known |= {k: Known(self._known(v), named[k]) for k, v in kwargs.items()}
        check_call(call, known, self.cosmology is not None)
        check_functions(call)
        if ".depends" in special:
            self._extra += self._depends(special[".depends"])
        if self.cosmology is not None and "cosmology" in missing(call):
            call = replace(call, kwargs={**kwargs, "cosmology": self.cosmology})
        return self._mapped(call, special, outermost)

    def _known(self, value: Any) -> tuple[Any, ...]:
        """Return the values an argument may have, if all of them are known already."""
        if isinstance(value, Ref) and value.node in self.values.parameters:
            found = tuple(self.values.every(value))
            self.values.take(len(found), value.mark)
            return found
        return () if any(isinstance(p, (Ref, Call)) for p in parts(value)) else (value,)

    def _mapped(self, call: Call, special: Mapping[str, Item], outermost: bool) -> Call:
        if ".map" not in special:
            if ".rows" in special:
                raise RecipeError(
                    ".rows needs .map: the argument to cut into rows", special[".rows"].at
                )
            return call
        name, mark = special[".map"].plain(), special[".map"].at
        if not outermost:
            raise RecipeError(".map stands in a nested call: make it a node", mark)
        if not isinstance(name, str) or name not in call.kwargs:
            hint = did_you_mean(str(name), call.kwargs)
            raise RecipeError(f".map names {name!r}, no argument here{hint}", mark)
        value = call.kwargs[name]
        if isinstance(value, Call) or (isinstance(value, Ref) and value.collect):
            raise RecipeError(f".map: {name} has to be a node of its own", mark)
        rows: Any = None
        if ".rows" in special:
            known = self._known(self._expression(special[".rows"]))
            rows = known[0] if len(known) == 1 else None
            if not isinstance(rows, int) or isinstance(rows, bool) or rows < 1:
                raise RecipeError(".rows takes a whole number above zero", special[".rows"].at)
        return replace(call, map=name, rows=rows)

    def _depends(self, item: Item) -> list[Ref]:
        items = item.value if isinstance(item.value, list) and item.kind == "plain" else [item]
        found = []
        for child in items:
            path = child.path
            if child.kind == "plain" and isinstance(child.value, str):
                path = child.value.removeprefix("$")
            elif child.kind != "ref":
                raise RecipeError(".depends takes a name, or a list of names", child.mark)
            found.append(self._reference(replace(child, path=path)))
        return [r for r in found if isinstance(r, Ref) and r.node not in self.values.parameters]

    def _reference(self, item: Item) -> Any:
        head, *rest = item.path.split(".")
        collect = ("*",) if rest and rest[-1] == "*" else ()
        rest = rest[:-1] if collect else rest
        if item.path == "cosmology" and self.cosmology is not None:
            return self.cosmology
        if head in self._tables and rest:
            return self._in_table(head, rest, collect, item)
        ref = Ref(head, tuple(rest), collect, item.mark)
        if head in self.values.parameters:
            if collect:
                raise RecipeError(f"${head} is a parameter: there is nothing to collect", item.mark)
            self._known(ref)
        elif head not in self._tables and head not in self._variables:
            known = [*self._variables, *self._tables, *self.values.parameters, "cosmology"]
            raise RecipeError(
                f"nothing is called {item.path[:60]!r}{did_you_mean(head, known)}; if this is "
                f'text, put it in quotes: "{item.text[:60]}"',
                item.mark,
            )
        return ref

    def _in_table(self, table: str, rest: list[str], collect: tuple[str, ...], item: Item) -> Ref:
        columns = [n for names in self._columns[table].values() for n in names]
        if rest[0] in (*columns, "complete"):
            return Ref(f"{table}.{rest[0]}", tuple(rest[1:]), collect, item.mark)
        if ".init" in (self._tables[table].value or {}):  # what it makes is known at the call
            return Ref(table, tuple(rest), collect, item.mark)
        raise RecipeError(
            f"table {table!r} has no column {rest[0]!r}{did_you_mean(rest[0], columns)}; it has "
            f"{words(columns)}",
            item.mark,
        )


def _take_name(name: str, mark: Mark, taken: set[str]) -> None:
    if not NAME.fullmatch(name):
        raise RecipeError(
            f"{name[:40]!r} cannot be a name: letters, digits, '_' and '-' only", mark
        )
    if name in taken:
        raise RecipeError(f"the name {name!r} is taken already: choose another one", mark)
    taken.add(name)


def _reached(graph: nx.DiGraph, bit: Mapping[str, int]) -> dict[str, int]:
    """Return for every node the bits of all nodes that it leads to, its own among them."""
    groups = nx.condensation(graph)
    bits: dict[int, int] = {}
    for group in reversed(list(nx.topological_sort(groups))):
        ahead = [bits[after] for after in groups.successors(group)]
        own = [bit.get(name, 0) for name in groups.nodes[group]["members"]]
        bits[group] = reduce(or_, [*own, *ahead], 0)
    return {name: bits[group] for name, group in groups.graph["mapping"].items()}
