"""A configuration file as a tree of items that know their lines; what is wrong is collected."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from skywright.data.marked_yaml import (
    CORE,
    DEPTH,
    SURROGATE,
    VALUES,
    Mark,
    MarkedError,
    compose,
    printable,
    read_scalar,
    read_text,
)

__all__ = [
    "COMPAT",
    "ConfigurationError",
    "Item",
    "Problem",
    "Problems",
    "change_item",
    "from_plain",
    "guess",
    "read_tree",
]

LONGEST_LIST = 12
COMPAT = "--compat, in Python compat=True,"


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: where it stands, its path in the file, and what to do."""

    mark: Mark | None
    path: str
    message: str

    def __str__(self) -> str:
        where = ": ".join(part for part in (str(self.mark or ""), self.path) if part)
        return printable(f"{where}: {self.message}")


class ConfigurationError(ValueError):
    """A configuration file that is wrong; ``problems`` holds all that was found."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=_order))
        super().__init__("\n".join(str(problem) for problem in self.problems))


def _order(problem: Problem) -> tuple[str, int]:
    return (problem.mark.file, problem.mark.line) if problem.mark else ("", 0)


class _FileError(MarkedError):
    what = "configuration"


@dataclass(frozen=True)
class Item:
    """One value of a file: where it stands, and the way there.

    Parameters
    ----------
    value : object
        Scalar, list of `Item`, or dict of str to `Item`.
    mark : Mark, optional
        Of its key, or of itself in a list; None in a configuration that came as a dict.
    path : str
        Keys from the top, joined by dots.
    """

    value: Any
    mark: Mark | None
    path: str = ""

    def plain(self) -> Any:
        """Return the value without marks."""
        if isinstance(self.value, dict):
            return {key: item.plain() for key, item in self.value.items()}
        if isinstance(self.value, list):
            return [item.plain() for item in self.value]
        return self.value

    def get(self, key: str) -> Item | None:
        """Return what stands under a key; None where that is nothing, or no mapping."""
        found = self.value.get(key) if isinstance(self.value, dict) else None
        return found if isinstance(found, Item) else None


class Problems:
    """Collects what is wrong, so that it is all reported at once.

    Parameters
    ----------
    compat : bool
        Whether what version 0.0.1.7 of deeplenstronomy took is taken.
    """

    def __init__(self, compat: bool = False) -> None:
        self.compat = compat
        self.found: list[Problem] = []

    def add(self, item: Item, message: str, key: str = "") -> None:
        """Note a problem of an item, or of a key that it lacks."""
        path = ".".join(part for part in (item.path, key) if part)
        self.found.append(Problem(item.mark, path, message))

    def mapping(self, item: Item | None, what: str) -> dict[str, Item]:
        """Return the keys of an item; what is no mapping is a problem."""
        if item is None:
            return {}
        if not isinstance(item.value, dict):
            self.add(item, f"got {show(item.value)}, expected {what}")
            return {}
        return item.value

    def need(self, item: Item | None, key: str, what: str) -> Item | None:
        """Return what stands under a key; that there is nothing is a problem."""
        if item is None or not isinstance(item.value, dict):
            return None
        if key not in item.value:
            close = guess(key, item.value)
            self.add(item, f"is missing; expected {what}{close}", key)
            return None
        return item.get(key)

    def known(self, item: Item, allowed: Iterable[str], what: str) -> None:
        """Note keys that mean nothing."""
        names = list(allowed)
        for key, child in item.value.items():
            if key not in names:
                self.add(child, f"is no key of {what}{guess(key, names)}; it knows {words(names)}")

    def numbered(self, item: Item, prefix: str) -> list[Item]:
        """Return what stands under ``PREFIX_1``, ``PREFIX_2``, … in this order.

        Numbers that do not run from one without a gap are a problem.
        """
        found: dict[int, Item] = {}
        keys = item.value if isinstance(item.value, dict) else {}
        for key, child in keys.items():
            if not key.startswith(f"{prefix}_"):
                continue
            index = key.removeprefix(f"{prefix}_")
            plain = index.isascii() and index.isdigit() and len(index) < 6
            if not plain or index != str(int(index)):
                self.add(child, f"got the number {index!r:.40}, expected {prefix}_1, {prefix}_2, …")
            else:
                found[int(index)] = child
        for expected, index in enumerate(sorted(found), 1):
            if index != expected:
                self.add(found[index], f"follows {expected - 1}: expected {prefix}_{expected}")
                break
        return [found[index] for index in sorted(found)]

    def stop(self) -> None:
        """Raise what was found, if anything was."""
        if self.found:
            raise ConfigurationError(self.found)


def show(value: Any) -> str:
    """Return a value as a message shows it."""
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return f"a mapping of {words(value)}" if value else "an empty mapping"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value!r:.60}"


def words(names: Iterable[str]) -> str:
    """Return names for a message, not too many."""
    names = list(names)
    more = f" and {len(names) - LONGEST_LIST} more" if len(names) > LONGEST_LIST else ""
    return ", ".join(names[:LONGEST_LIST]) + more


def guess(name: str, known: Iterable[str]) -> str:
    """Return `` (did you mean 'x'?)``, or an empty string."""
    close = difflib.get_close_matches(name[:80], [k for k in known if len(k) < 80], 1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def read_tree(file: str | Path, problems: Problems, path: str = "") -> Item:
    """Read a file into items; what cannot be read at all is raised.

    Raises
    ------
    ConfigurationError
        With the line, if there is no such file or it is no YAML.
    """
    mark = Mark(str(file), 1)
    try:
        text = read_text(file, _FileError)
        _refuse_tabs(text, str(file), problems)
        node = compose(text, str(file), error=_FileError)
        if node is None:
            raise _FileError("the file is empty", mark)
        return _Builder(str(file), problems).item(node, Mark(str(file), _line(node)), path)
    except MarkedError as error:
        where = error.mark or mark
        message = str(error).removeprefix(f"{where}: ")
        raise ConfigurationError([*problems.found, Problem(where, path, message)]) from None


def _refuse_tabs(text: str, file: str, problems: Problems) -> None:
    lines = [number for number, line in enumerate(text.split("\n"), 1) if "\t" in line]
    if not lines:
        return
    others = f"; also on lines {words(map(str, lines[1:]))}" if lines[1:] else ""
    problem = Problem(Mark(file, lines[0]), "", f"holds a tab: replace it by spaces{others}")
    raise ConfigurationError([*problems.found, problem])


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


class _Builder:
    """Items from nodes; aliases are expanded, and counted."""

    def __init__(self, file: str, problems: Problems) -> None:
        self.file, self.problems = file, problems
        self._left = VALUES
        self._open: list[yaml.Node] = []

    def item(self, node: yaml.Node, mark: Mark, path: str) -> Item:
        here = Mark(self.file, _line(node))
        self._left -= 1
        if self._left < 0:
            raise _FileError(f"more than {VALUES:,} values once its aliases are expanded", here)
        if any(opened is node for opened in self._open):
            raise _FileError("an alias stands inside its own anchor", here)
        if len(self._open) >= DEPTH:
            raise _FileError(f"nested more than {DEPTH} deep", here)
        self._open.append(node)
        try:
            return Item(self._value(node, mark, path), mark, path)
        finally:
            self._open.pop()

    def _value(self, node: yaml.Node, mark: Mark, path: str) -> Any:
        kind = node.tag.removeprefix(CORE)
        if isinstance(node, yaml.MappingNode) and kind == "map":
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode) and kind == "seq":
            return self._list(node, path)
        if isinstance(node, yaml.ScalarNode):
            if SURROGATE.search(node.value):
                raise _FileError("half of a surrogate pair is no character", mark)
            try:
                return read_scalar(node.value, kind)
            except (ValueError, KeyError):
                item = Item(node.value, mark, path)
                self.problems.add(item, f"{node.value[:40]!r} is no {kind} that can be read")
                return node.value
            except LookupError:
                pass
        tag = node.tag.replace(CORE, "!!")
        raise _FileError(f"{path}: the YAML tag {tag} is not allowed: expected plain values", mark)

    def _list(self, node: yaml.Node, path: str) -> list[Item]:
        children = enumerate(node.value)
        return [self.item(n, Mark(self.file, _line(n)), f"{path}[{i}]") for i, n in children]

    def _mapping(self, node: yaml.Node, path: str) -> dict[str, Item]:
        found: dict[str, Item] = {}
        merged: list[yaml.Node] = []
        for key, child in node.value:
            mark = Mark(self.file, _line(key))
            if key.tag == f"{CORE}merge":
                merged += child.value if isinstance(child, yaml.SequenceNode) else [child]
                continue
            if not isinstance(key, yaml.ScalarNode) or SURROGATE.search(key.value):
                raise _FileError(f"{path}: a key has to be text", mark)
            name = key.value
            below = f"{path}.{name}" if path else name
            if name in found and not self.problems.compat:
                first = found[name].mark
                self.problems.found.append(
                    Problem(
                        mark,
                        below,
                        f"is given twice, first on line {first.line if first else '?'}: remove "
                        f"one ({COMPAT} takes the last)",
                    )
                )
            found[name] = self.item(child, mark, below)
        for child in merged:
            other = self.item(child, Mark(self.file, _line(child)), path)
            if not isinstance(other.value, dict):
                raise _FileError(f"{path}: '<<' takes a mapping", Mark(self.file, _line(child)))
            found = {**other.value, **found}
        return found


def from_plain(value: Any, path: str = "") -> Item:
    """Return items of a configuration that came as plain dicts and lists; they have no lines."""
    if isinstance(value, Mapping):
        below = f"{path}." if path else ""
        return Item({str(k): from_plain(v, f"{below}{k}") for k, v in value.items()}, None, path)
    if isinstance(value, (list, tuple)):
        return Item([from_plain(v, f"{path}[{i}]") for i, v in enumerate(value)], None, path)
    return Item(value, None, path)


def change_item(root: Item, path: str, value: Any, problems: Problems) -> Item:
    """Return a configuration in which another value stands at a path; it is checked like any.

    The way there has to exist; its last key may be new.
    """
    return _changed(root, path.split("."), from_plain(value, path), problems)


def _changed(item: Item, way: list[str], new: Item, problems: Problems) -> Item:
    key, *rest = way
    inside = item.value if isinstance(item.value, dict) else {}
    if not isinstance(item.value, dict) or (rest and key not in inside):
        where = item.path or "the configuration"
        message = f"{where} has no {key!r:.60}{guess(key, inside)}; it has {words(inside) or '–'}"
        problems.found.append(Problem(None, new.path, message))
        return item
    child = _changed(inside[key], rest, new, problems) if rest else new
    return replace(item, value={**inside, key: child})


def moved(item: Item, path: str) -> Item:
    """Return an item, and all below it, with another path."""
    if isinstance(item.value, dict):
        value: Any = {k: moved(v, f"{path}.{k}" if path else k) for k, v in item.value.items()}
    elif isinstance(item.value, list):
        value = [moved(v, f"{path}[{i}]") for i, v in enumerate(item.value)]
    else:
        value = item.value
    return replace(item, value=value, path=path)
