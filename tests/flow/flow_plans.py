"""Plans and step packages made for one test."""

import textwrap
import uuid
from dataclasses import replace
from importlib import import_module

import networkx as nx

from skywright.flow.plan import Call, Node, Plan, Ref, changed, references
from skywright.flow.randomness import missing


class Package:
    """A package of steps in a folder that workers see too."""

    def __init__(self, folder, monkeypatch):
        self.name = f"steps_{uuid.uuid4().hex[:8]}"
        self.folder = folder / self.name
        self.folder.mkdir()
        self.write("__init__", "")
        monkeypatch.syspath_prepend(str(folder))

    def write(self, module, text):
        (self.folder / f"{module}.py").write_text(textwrap.dedent(text).replace("PKG", self.name))

    def call(self, path, *args, map=None, rows=None, imported=False, **kwargs):
        module, _, name = path.rpartition(".")
        target = getattr(import_module(f"{self.name}.{module}"), name)
        return Call(f"{self.name}.{path}", target, args, kwargs, imported, map, rows)


def library(path, *args, imported=False, **kwargs):
    """A call of numpy, scipy, astropy or a builtin."""
    head, *rest = (path if "." in path else f"builtins.{path}").split(".")
    target, module = import_module(head), head
    for name in rest:
        module = f"{module}.{name}"
        target = getattr(target, name) if hasattr(target, name) else import_module(module)
    return Call(path, target, args, kwargs, imported)


def ref(name, *part):
    return Ref(name, part)


def fill_cosmology(value, cosmology):
    """Give the calls of an expression the cosmology they miss, as reading a recipe does."""

    def fill(part):
        if isinstance(part, Call) and "cosmology" in missing(part):
            return replace(part, kwargs={**part.kwargs, "cosmology": cosmology})
        return part

    return changed(value, fill) if cosmology else value


def plan(tmp_path, nodes, package=None, **options):
    """Return the plan of nodes: name -> expression or Node."""
    made = {
        n: v if isinstance(v, Node) else Node(n, n.partition("[")[0], "value", v)
        for n, v in nodes.items()
    }
    cosmology = options.get("cosmology")
    made = {n: replace(v, value=fill_cosmology(v.value, cosmology)) for n, v in made.items()}
    graph = nx.DiGraph()
    graph.add_nodes_from(made)
    for name, node in made.items():
        graph.add_edges_from((source, name) for source in references(node.value))
    file = tmp_path / "recipe.yml"
    file.write_text("# made for a test\n")
    allow = (package.name,) if package else ()
    return Plan(file, made, graph, **{"allow": allow, **options})
