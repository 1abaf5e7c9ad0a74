"""A recipe from its file to a checked `Plan`: `load` is the way in."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import networkx as nx

from skywright.data.marked_yaml import MarkedError, compose, read_text, trail
from skywright.flow.graph import Draft
from skywright.flow.head import Head, check_head, read_head
from skywright.flow.loader import Item, read
from skywright.flow.names import SEGMENT, did_you_mean, unknown
from skywright.flow.plan import Call, Mark, Node, Plan, RecipeError, as_json
from skywright.flow.settings import Setting, Values, read_settings
from skywright.flow.sweep import expand

__all__ = ["describe", "load", "recipes"]


def recipes() -> dict[str, str]:
    """Return the recipes that come with the package: name -> title."""
    return {n: read_head(read(f)).title for n, f in _shipped().items()}


def load(
    file: str | Path,
    *,
    preset: str | None = "",
    set: Mapping[str, Any] | Sequence[str] = (),
    seed: int | None = None,
    allow: Sequence[str] = (),
    only: str | None = None,
) -> Plan:
    """Read a recipe and check all that can be checked before work.

    Parameters
    ----------
    file : path or str
        A YAML file, or the name of a recipe of the package.
    preset : str
        One of the recipe's presets.
    set : mapping, or sequence of "name=value"
        Values of parameters, by name or by path into a mapping; or a node with the run folder
        that its value is taken from. A swept parameter takes a value or a list of values, which
        stand in for those of the sweep.
    seed : int, optional
        Seed of everything that is drawn; 0 if left out.
    allow : sequence of str
        Top-level packages whose public names the recipe may use as well.
    only : str, optional
        Keep this node and what it needs.

    Raises
    ------
    RecipeError
        If anything is wrong: with file, line, path of keys and what to do.
    """
    path = _find(file)
    packages = _packages(allow)
    with _keys_of(path):
        root = read(path)
        head = read_head(root)
        values = Values(root, head)
        check_head(head, root, values.parameters)
        for name in head.presets:  # wrong ones are found though nobody asked for them
            Values(root, head).apply_preset(name, root.place("recipe"))
        if preset:
            values.apply_preset(preset, Mark("--preset", 1))
        settings = read_settings(set)
        others = values.apply(settings)
        draft = Draft(root, values, packages, [_base(setting.name) for setting in others])
        nodes, graph, cosmology = expand(draft)
        _check_results(head, root, nodes)
    reused = _reused(others, nodes, values.parameters)
    graph = _prune(graph, reused, only and _copies(only, nodes, Mark("--only", 1)))
    return Plan(
        path,
        {name: node for name, node in nodes.items() if name in graph},
        graph,
        _seed(seed),
        preset or "",
        values.parameters,
        {s.name: s.value for s in settings if s.name.partition(".")[0] in values.parameters},
        cosmology,
        tuple(node.base for node in draft.nodes.values() if node.kind == "table"),
        as_json({**head.model_dump(), "sweep": values.sweep}),
        {name: folder for name, folder in reused.items() if name in graph},
        packages,
    )


@contextlib.contextmanager
def _keys_of(file: Path) -> Iterator[None]:
    """Say in errors which keys of the file lead to their line."""
    try:
        yield
    except RecipeError as error:
        where = ""
        if error.mark is not None and error.mark.file == str(file):
            with contextlib.suppress(MarkedError):  # it is no YAML: there are no keys
                where = trail(compose(read_text(file), str(file)), error.mark.line)
        if not where:
            raise
        raise RecipeError(f"{where[:200]}: {error.message}", error.mark) from error.__cause__


def describe(plan: Plan) -> str:
    """Return a plan as text: one line a node, what it calls and what it needs.

    Parameters
    ----------
    plan : Plan
        From `load`; copies of a sweep are counted, not listed.
    """
    copies: dict[str, list[str]] = {}
    for name in nx.lexicographical_topological_sort(plan.graph):
        copies.setdefault(_base(name), []).append(name)
    rows = []
    for base, names in copies.items():
        node = plan.nodes[names[0]]
        what = f"!{node.value.path}" if isinstance(node.value, Call) else node.kind
        what = f"from {plan.reused[names[0]]}" if names[0] in plan.reused else what
        needs = dict.fromkeys(_base(n) for name in names for n in plan.graph.predecessors(name))
        count = f" x{len(names)}" if len(names) > 1 else ""
        rows.append((base + count, what, f"<- {', '.join(needs)}" if needs else ""))
    left, middle = (max((len(row[i]) for row in rows), default=0) for i in (0, 1))
    preset = f", preset {plan.preset}" if plan.preset else ""
    title = f"{plan.file.name}: {len(plan.nodes)} nodes{preset}, seed {plan.seed}"
    return "\n".join([title, *(f"{a:{left}}  {b:{middle}}  {c}".rstrip() for a, b, c in rows)])


def _shipped() -> dict[str, Path]:
    folder = Path(str(files("skywright") / "recipes"))
    return {path.stem: path for path in sorted(folder.glob("*.yml"))}


def _find(file: str | Path) -> Path:
    """Return the file that is meant: what exists here goes before a recipe of the package."""
    text = str(file)
    bare = SEGMENT.fullmatch(text.replace("-", "_")) is not None
    if not bare or os.path.isfile(text):
        return Path(file)
    shipped = _shipped()
    if text not in shipped:
        raise RecipeError(
            f"neither a file nor a recipe of the package{did_you_mean(text, shipped)}; there is "
            f"{', '.join(shipped) or 'none'}",
            Mark(text, 1),
        )
    return shipped[text]


def _packages(allow: Sequence[str]) -> tuple[str, ...]:
    names = (allow,) if isinstance(allow, str) else tuple(allow)
    for name in names:
        if not SEGMENT.fullmatch(name):
            raise RecipeError(
                f"got {name!r}, expected the name of a top-level package", Mark("--allow", 1)
            )
    return names


def _seed(seed: int | None) -> int:
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int) or seed < 0):
        raise RecipeError(f"got {seed!r}, expected a whole number from zero", Mark("--seed", 1))
    return seed or 0


def _base(name: str) -> str:
    return name.partition("[")[0]


def _copies(
    name: str, nodes: Mapping[str, Node], mark: Mark, others: Iterable[str] | None = None
) -> list[str]:
    """Return all copies of a node, or of all that belongs to a table."""
    found = [n for n in nodes if name in (n, _base(n), _base(n).partition(".")[0])]
    if not found:
        kind = "node" if others is None else "parameter or node"
        known = dict.fromkeys([*(others or ()), *(node.base for node in nodes.values())])
        raise RecipeError(unknown(kind, name, known), mark)
    return found


def _reused(
    settings: list[Setting], nodes: Mapping[str, Node], parameters: Iterable[str]
) -> dict[str, Path]:
    """Return node -> run folder of the settings that name nodes."""
    found: dict[str, Path] = {}
    for setting in settings:
        names = _copies(setting.name, nodes, setting.mark, parameters)
        folder = Path(setting.text)
        if not os.path.isfile(folder / "provenance.json"):
            raise RecipeError(
                f"{setting.name!r} is computed, not a parameter: it takes the folder of an "
                f"earlier run, and {setting.text[:60]!r} is none",
                setting.mark,
            )
        found |= dict.fromkeys(names, folder.absolute())
    return found


def _prune(graph: nx.DiGraph, reused: Iterable[str], wanted: Iterable[str] | None) -> nx.DiGraph:
    """Keep what is wanted and what it needs; nodes taken from another run need nothing."""
    ends = wanted or [n for n in graph if not graph.out_degree(n)]
    graph.remove_edges_from(list(graph.in_edges(reused)))
    keep = {*ends}.union(*(nx.ancestors(graph, n) for n in ends))
    return graph.subgraph(keep).copy()


def _check_results(head: Head, root: Item, nodes: Mapping[str, Node]) -> None:
    """Compare ``report``, ``trust`` and ``expect`` with the nodes there are."""
    named = [(head.report, ("report",)), (head.trust.judge, ("trust", "judge"))]
    for preset, bounds in head.expect.items():
        named += [(n.partition(".")[0], ("expect", preset, n)) for n in bounds]
    for name, where in named:
        mark = root.place("recipe", *where)
        copies = _copies(name, nodes, mark) if name else []
        if len(copies) > 1:
            raise RecipeError(f"{name!r} has to be one node, it is {len(copies)}", mark)
