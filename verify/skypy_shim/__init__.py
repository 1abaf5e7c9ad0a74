"""``skypy.pipeline`` on our engine, for SkyPy's own tests alone."""

import tempfile
from pathlib import Path

import networkx as nx
from astropy.table import Table

from skywright.flow import run
from skywright.flow.loader import read
from skywright.flow.names import resolve
from skywright.flow.outputs import is_table_file, write_tables
from skywright.flow.plan import Node, Plan, RecipeError, references
from skywright.flow.plan import Ref as OurRef

from ._items import Call, Ref, ours

__all__ = ["Pipeline", "load_skypy_yaml"]


def load_skypy_yaml(filename):
    """Return the dictionary that SkyPy makes of a file, read by our loader."""
    text = Path(filename).read_text()
    try:
        return _plain(read(filename)) if text.strip() else {}
    except RecipeError as error:
        raise ValueError(str(error)) from error


def _plain(item):
    if item.kind == "ref":
        return Ref(item.path)
    if item.kind == "call":
        try:
            target = resolve(item.path)
        except RecipeError as error:
            raise ImportError(str(error)) from error
        if item.value is None:
            return target
        if isinstance(item.value, dict):
            return Call(target, [], {k: _plain(v) for k, v in item.value.items()})
        return Call(target, [_plain(v) for v in item.value], {})
    if isinstance(item.value, dict):
        return {k: _plain(v) for k, v in item.value.items()}
    return [_plain(v) for v in item.value] if isinstance(item.value, list) else item.value


class Pipeline:
    """SkyPy's pipeline: a dictionary, run by our engine in this process."""

    def __init__(self, config):
        self.config = dict(config)

    @classmethod
    def read(cls, filename):
        """Make a pipeline of a file."""
        return cls(load_skypy_yaml(filename))

    def execute(self, parameters=None):
        """Run all jobs."""
        self._folder = tempfile.TemporaryDirectory()
        self._plan = self._make(parameters or {})
        self._run = run(self._plan, workspace=self._folder.name, workers=0)
        self._objects = {}
        failed = [n for n in self._run.nodes.values() if n["state"] == "failed"]
        if failed:
            kind, _, text = failed[0]["message"].partition(": ")
            raise {"KeyError": KeyError, "ValueError": ValueError}.get(kind, RuntimeError)(text)

    def __getitem__(self, name):
        """Return the value of a job, or a column of a table."""
        tables = self.config.get("tables", {})
        if name in tables:
            return self._run[f"{name}.complete"]
        ref = self._names(name)
        # Our store holds content: nodes of one content are one object to SkyPy
        digest = self._run.nodes[ref.node]["digest"]
        value = self._objects.setdefault(digest, self._run[ref.node])
        for part in ref.part:
            value = value[part]
        return value

    def write(self, filename, overwrite=False):
        """Write the tables."""
        try:
            known = is_table_file(Path(filename))
        except RecipeError as error:
            raise ValueError(str(error)) from error
        if not known:
            raise ValueError(f"{filename} is of no known kind")
        if Path(filename).exists() and not overwrite:
            raise OSError(f"{filename} exists")
        write_tables(self._run, self._plan, Path(filename))

    def _names(self, name):
        """Return our reference for a name of SkyPy's: variables, tables, columns."""
        tables = self.config.get("tables", {})
        head, _, rest = name.partition(".")
        if head in tables and not rest:
            return OurRef(f"{head}.complete")
        if head in tables:
            if rest == "complete":
                return OurRef(name)
            for columns in tables[head]:
                split = [c.strip() for c in columns.split(",")]
                if rest in split:
                    node = f"{head}.{','.join(split)}"
                    return OurRef(node, (rest,) if len(split) > 1 else ())
        elif head in self._values:
            value = self._values[head]
            if rest and isinstance(value, dict) and rest.split(".")[0] not in value:
                raise KeyError(f"{head!r} has no part {rest!r}")  # as our loader says of a file
            return OurRef(head, tuple(rest.split(".")) if rest else ())
        raise KeyError(f"unknown label: {name}")

    def _make(self, parameters):
        config = {k: v for k, v in self.config.items() if k not in ("tables", "parameters")}
        self._values = {**self.config.get("parameters", {}), **parameters, **config}
        nodes, depends = {}, {}

        def add(name, value, **options):
            if isinstance(value, Call) and "cosmology" in value.missing() and name != "cosmology":
                value = Call(value.function, value.args,
                             {**value.kwargs, "cosmology": Ref("cosmology")})  # fmt: skip
            extra = value.kwargs.get(".depends", []) if isinstance(value, Call) else []
            depends[name] = [extra] if isinstance(extra, str) else extra
            kind = options.pop("kind", "value")
            nodes[name] = Node(name, name, kind, ours(value, self._names), **options)

        for name, value in self._values.items():
            add(name, value)
        for table, columns in self.config.get("tables", {}).items():
            add(table, columns.get(".init", Call(Table, [], {})), kind="table")
            whole, order = [OurRef(table)], []
            for key, value in columns.items():
                if key == ".init":
                    continue
                split = tuple(c.strip() for c in key.split(","))
                add(f"{table}.{','.join(split)}", value, kind="column", columns=split)
                whole += [self._names(f"{table}.{c}") for c in split]
                order += split
            done = f"{table}.complete"
            nodes[done] = Node(done, table, "complete", whole, columns=tuple(order))
            depends[done] = []
        graph = nx.DiGraph()
        graph.add_nodes_from(nodes)
        for name, node in nodes.items():
            needed = [*references(node.value), *(self._names(d).node for d in depends[name])]
            # a table that is referred to whole is needed whole
            graph.add_edges_from((n, name) for n in needed)
        file = Path(self._folder.name) / "pipeline.yml"
        file.write_text("# made of a dictionary\n")
        return Plan(file, nodes, graph)
