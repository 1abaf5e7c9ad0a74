"""What a call stands on: the source of every package module it can reach, and its libraries."""

from __future__ import annotations

import ast
import contextlib
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import metadata
from importlib.machinery import PathFinder
from importlib.util import cache_from_source
from pathlib import Path
from typing import NamedTuple

from skywright.flow.plan import Call
from skywright.flow.store import digest_file

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
        self._imports: dict[str, _Imports] = {}
        self._prints: dict[str, dict[str, str]] = {}
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
        todo: list[tuple[str, str | None]] = [(module, None) for module in _homes(call)]
        while todo:
            module, name = todo.pop()
            top = module.split(".")[0]
            home = self._define(module, name) if self._is_source(top) else None
            if home and home not in found:
                found[home] = "".join(self._print(home).values())
                todo += self._links(home)
            if not self._is_source(top) and top not in sys.stdlib_module_names:
                found[top] = _version(top)
        return dict(sorted(found.items()))

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
            home = self._file(parent) if parent else None
            where = [str(home.parent)] if home and home.name == "__init__.py" else []
            spec = PathFinder.find_spec(module, where if parent else None)
            origin = spec.origin if spec else None
            self._files[module] = Path(origin) if origin and origin.endswith(".py") else None
        return self._files[module]

    def _is_package(self, module: str) -> bool:
        file = self._file(module)
        return file is not None and file.name == "__init__.py"

    def _print(self, module: str) -> dict[str, str]:
        """Return file -> digest for a module and, where it reads files beside it, for those."""
        file = self._file(module)
        if module not in self._prints and file:
            source = file.read_bytes()
            files = [file]
            if b"__file__" in source or b"importlib.resources" in source:
                beside = sorted(p for p in file.parent.rglob("*") if p.is_file())
                files += [p for p in beside if p.suffix not in (".py", ".pyc")]
            self._prints[module] = {str(p): digest_file(p) for p in files}
            _drop_stale_bytecode(file)
        return self._prints.get(module, {})

    def _read(self, module: str) -> _Imports:
        if module not in self._imports:
            file = self._file(module)
            source = file.read_bytes() if file else b""
            self._imports[module] = _read_imports(source, module, self._is_package(module))
        return self._imports[module]

    def _define(self, module: str, name: str | None) -> str | None:
        """Return the module that defines ``name`` of ``module``: re-exports are followed."""
        if name and self._file(f"{module}.{name}"):
            return f"{module}.{name}"
        if name and self._is_package(module):
            for source, original, alias in self._read(module).named:
                if original and alias == name and source.split(".")[0] in self._packages:
                    return self._define(source, original)
        return module if self._file(module) else None

    def _links(self, module: str) -> Iterator[tuple[str, str | None]]:
        """Yield what a module may import: (module, name or None).

        A name that is computed can only be one of the packages that the module spells out in a
        text of its own; where it spells out none, it can be any.
        """
        imports = self._read(module)
        yield from ((source, name) for source, name, _ in imports.named)
        if imports.computed:
            top = module.split(".")[0]
            inside = [t for t in imports.texts if t.startswith(f"{top}.") and self._file(t)]
            for package in inside or [top]:
                yield from ((name, None) for name in self._members(package))

    def _members(self, package: str) -> list[str]:
        """Return a package and all modules in it."""
        home = self._file(package)
        if home is None or not self._is_package(package):
            return [package]
        found = [p.relative_to(home.parent).with_suffix("") for p in home.parent.rglob("*.py")]
        names = [".".join((package, *(x for x in p.parts if x != "__init__"))) for p in found]
        return sorted(names)


class _Imports(NamedTuple):
    """What a module imports anywhere, in functions too.

    Parameters
    ----------
    named : list
        Module, name in it or None, and what that is called here.
    computed : bool
        Whether a name that is imported is computed.
    texts : list of str
        All texts in the module.
    """

    named: list[tuple[str, str | None, str]]
    computed: bool
    texts: list[str]


@cache
def _read_imports(source: bytes, module: str, package: bool) -> _Imports:
    """Parse a source once in a process, leaving out what only a type checker reads."""
    parts = module.split(".")
    named: list[tuple[str, str | None, str]] = []
    texts: list[str] = []
    computed = False
    todo: list[ast.AST] = [ast.parse(source)]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Import):
            named += [(alias.name, None, "") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = parts[: len(parts) - node.level + package] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                name = None if alias.name == "*" else alias.name
                named.append((origin, name, alias.asname or alias.name))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            texts.append(node.value)
        elif isinstance(node, ast.Call) and _called(node) in ("import_module", "__import__"):
            match node.args:
                case [ast.Constant(value=str(name)), *_]:
                    named.append((name, None, ""))
                case _:
                    computed = True
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            todo.extend(node.orelse)
        else:
            todo.extend(ast.iter_child_nodes(node))
    return _Imports(named, computed, texts)


def _called(node: ast.Call) -> str:
    """Return the last name of what is called."""
    return getattr(node.func, "attr", getattr(node.func, "id", ""))


def _homes(call: Call) -> list[str]:
    """Return the modules that define what a tag names, and the classes behind it."""
    target = getattr(call.target, "__func__", call.target)
    home = getattr(target, "__module__", None)
    owner = getattr(call.target, "__self__", call.target)
    kind = owner if isinstance(owner, type) else type(owner)
    first = home if isinstance(home, str) else call.path.split(".")[0]
    return [first, *(c.__module__ for c in kind.__mro__)]


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
