"""What a call stands on: the source of every package module it can reach, and its libraries."""

from __future__ import annotations

import ast
import contextlib
import hashlib
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import metadata
from importlib.machinery import PathFinder
from importlib.util import cache_from_source
from pathlib import Path
from typing import Any

from skywright.flow.plan import Call

__all__ = ["Sources"]


class Sources:
    """Source closures by static analysis; nothing is imported, every file is read once.

    A name that a package re-exports leads to the module that defines it, so the ``__init__`` of
    a room, which mentions every step, does not tie them all together. Where the analysis cannot
    follow (a package used as an object, ``import *``, a computed ``import_module``) everything
    that might be meant is included: better computed twice than served stale.

    Parameters
    ----------
    packages : tuple of str
        Top-level packages whose source counts; of all others the version does.
    """

    def __init__(self, packages: tuple[str, ...]) -> None:
        self._packages = {p.split(".")[0] for p in packages}
        self._files: dict[str, Path | None] = {}
        self._trees: dict[str, ast.Module] = {}
        self._prints: dict[str, dict[str, str]] = {}
        self._links: dict[str, list[tuple[str, str | None]]] = {}
        self._known: dict[str, dict[str, str]] = {}

    def files(self, calls: Iterable[Call]) -> dict[str, str]:
        """Return file -> sha256 of all source behind some calls."""
        modules = {name for call in calls for name in self.of(call)}
        return {k: v for name in modules for k, v in self._prints.get(name, {}).items()}

    def of(self, call: Call) -> dict[str, str]:
        """Return module -> digest of its source, and library -> version, for one call."""
        if call.path not in self._known:
            self._known[call.path] = self._reach(call)
        return self._known[call.path]

    def _reach(self, call: Call) -> dict[str, str]:
        found: dict[str, str] = {}
        todo: list[tuple[str, str | None]] = [(self._home(call), None)]
        todo += [(module, None) for module in self._owners(call.target)]
        while todo:
            module, name = todo.pop()
            top = module.split(".")[0]
            if not self._is_source(top):
                if top not in sys.stdlib_module_names:
                    found[top] = _version(top)
                continue
            for home in self._define(module, name):
                if home not in found:
                    found[home] = "".join(self._print(home).values())
                    if home not in self._links:
                        self._links[home] = list(self._imports(home))
                    todo += self._links[home]
        return dict(sorted(found.items()))

    def _home(self, call: Call) -> str:
        """Return the module that defines what a tag names."""
        target = getattr(call.target, "__func__", call.target)
        home = getattr(target, "__module__", None)
        return home if isinstance(home, str) else call.path.split(".")[0]

    def _owners(self, target: Any) -> list[str]:
        """Return the modules of the classes behind a method or an instance."""
        owner = getattr(target, "__self__", target)
        kind = owner if isinstance(owner, type) else type(owner)
        return [c.__module__ for c in kind.__mro__ if c.__module__ != "builtins"]

    def _is_source(self, top: str) -> bool:
        """Tell whether source counts: an allowed package, or a local one without a version."""
        if top in self._packages:
            return True
        if top in sys.stdlib_module_names or _version(top) != "absent":
            return False
        return self._file(top) is not None

    def _file(self, module: str) -> Path | None:
        """Return the source file of a module, without importing its parents."""
        if module not in self._files:
            parent, _, _ = module.rpartition(".")
            where = None
            if parent:
                home = self._file(parent)
                is_package = home is not None and home.name == "__init__.py"
                where = [str(home.parent)] if home and is_package else []
            spec = PathFinder.find_spec(module, where)
            origin = spec.origin if spec else None
            self._files[module] = Path(origin) if origin and origin.endswith(".py") else None
        return self._files[module]

    def _tree(self, module: str) -> ast.Module:
        if module not in self._trees:
            file = self._file(module)
            self._trees[module] = _parse(file.read_bytes() if file else b"")
        return self._trees[module]

    def _print(self, module: str) -> dict[str, str]:
        """Return file -> digest for a module and, where it reads files beside it, for those."""
        file = self._file(module)
        if module not in self._prints and file:
            source = file.read_bytes()
            files = {str(file): hashlib.sha256(source).hexdigest()}
            if b"__file__" in source or b"importlib.resources" in source:
                for path in sorted(p for p in file.parent.rglob("*") if p.is_file()):
                    if path.suffix not in (".py", ".pyc"):
                        files[str(path)] = hashlib.sha256(path.read_bytes()).hexdigest()
            self._prints[module] = files
            _drop_stale_bytecode(file)
        return self._prints.get(module, {})

    def _define(self, module: str, name: str | None) -> list[str]:
        """Return the modules that define ``name`` of ``module``: re-exports are followed."""
        if name is None:
            return [module] if self._file(module) else []
        if self._file(f"{module}.{name}"):
            return [f"{module}.{name}"]
        file = self._file(module)
        if file is None or file.name != "__init__.py":
            return [module] if file else []
        for source, original, alias in _from_imports(self._tree(module), module, True):
            if alias == name and source.split(".")[0] in self._packages:
                return self._define(source, original)
        return [module]

    def _imports(self, module: str) -> Iterator[tuple[str, str | None]]:
        """Yield what a module imports anywhere, in functions too: (module, name or None)."""
        file = self._file(module)
        package = file is not None and file.name == "__init__.py"
        tree = self._tree(module)
        for source, original, _ in _from_imports(tree, module, package):
            yield source, None if original == "*" else original
        for node in _imports_and_calls(tree):
            if isinstance(node, ast.Import):
                yield from ((alias.name, None) for alias in node.names)
            elif isinstance(node, ast.Call) and _called(node) in ("import_module", "__import__"):
                yield from self._dynamic(node, module)

    def _dynamic(self, node: ast.Call, module: str) -> Iterator[tuple[str, str | None]]:
        """Yield what a call of ``import_module`` may mean.

        A name that is computed can only be one of the packages that the module spells out in a
        text of its own; where it spells out none, it can be any.
        """
        first = node.args[0] if node.args else None
        if isinstance(first, ast.Constant) and isinstance(first.value, str):
            yield first.value, None
            return
        top = module.split(".")[0]
        texts = [n.value for n in ast.walk(self._tree(module)) if isinstance(n, ast.Constant)]
        inside = [t for t in texts if isinstance(t, str) and t.startswith(f"{top}.")]
        for package in [t for t in inside if self._file(t)] or [top]:
            yield from ((name, None) for name in self._members(package))

    def _members(self, package: str) -> list[str]:
        """Return a package and all modules in it."""
        home = self._file(package)
        if home is None or home.name != "__init__.py":
            return [package]
        found = [p.relative_to(home.parent).with_suffix("") for p in home.parent.rglob("*.py")]
        names = [".".join((package, *(x for x in p.parts if x != "__init__"))) for p in found]
        return sorted(names)


def _from_imports(
    tree: ast.Module, module: str, package: bool
) -> Iterator[tuple[str, str, str | None]]:
    """Yield (module, name, alias) of every ``from … import …``, relative ones resolved."""
    parts = module.split(".")
    for node in _imports_and_calls(tree):
        if isinstance(node, ast.ImportFrom):
            base = parts[: len(parts) - node.level + package] if node.level else []
            source = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                yield source, alias.name, alias.asname or alias.name


@cache
def _parse(source: bytes) -> ast.Module:
    """Parse a source once in a process, however many runs it sees."""
    return ast.parse(source)


@cache
def _imports_and_calls(tree: ast.AST) -> list[ast.AST]:
    """Return where a module imports or calls, leaving out what only a type checker reads."""
    todo: list[ast.AST] = [tree]
    found: list[ast.AST] = []
    while todo:
        node = todo.pop()
        if isinstance(node, (ast.Import, ast.ImportFrom, ast.Call)):
            found.append(node)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            todo.extend(node.orelse)
        else:
            todo.extend(ast.iter_child_nodes(node))
    return found


def _called(node: ast.Call) -> str:
    """Return the last name of what is called."""
    return getattr(node.func, "attr", getattr(node.func, "id", ""))


def _drop_stale_bytecode(file: Path) -> None:
    """Remove bytecode older than its source: Python compares whole seconds and would trust it."""
    with contextlib.suppress(OSError):
        compiled = Path(cache_from_source(str(file)))
        if compiled.stat().st_mtime_ns < file.stat().st_mtime_ns:
            compiled.unlink()


@cache
def _version(top: str) -> str:
    """Return the version of the distribution that provides a top-level module."""
    try:
        return metadata.version(top)
    except metadata.PackageNotFoundError:
        names = _distributions().get(top)
        return metadata.version(names[0]) if names else "absent"


@cache
def _distributions() -> dict[str, list[str]]:
    """Map modules to distributions; slow, so asked only for names that differ."""
    return {k: list(v) for k, v in metadata.packages_distributions().items()}
