"""YAML of a recipe as a tree that knows its lines; bounded, and without a way to run code."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import astropy.units as u
import yaml

from skywright.data.marked_yaml import (
    CORE,
    DEPTH,
    NUMBER,
    SURROGATE,
    VALUES,
    MarkedLoader,
    compose,
    read_scalar,
    read_text,
    resolve_plain,
)
from skywright.data.units import check_unit
from skywright.flow.plan import Mark, RecipeError

__all__ = ["Item", "parse", "read"]

UNIT_LENGTH = 60

_QUANTITY = re.compile(rf"({NUMBER})[ \t]+(\S.*)", re.DOTALL)


@dataclass(frozen=True)
class Item:
    """One value of the file and where it stands.

    Parameters
    ----------
    value : object
        Scalar, Quantity, list of `Item`, or dict of str to `Item`.
    kind : str
        ``plain``; ``call`` (``path`` is called with ``value``; None imports it); ``ref``
        (``path`` is what is referred to).
    path : str
        Dotted path of a call or a reference.
    text : str
        A scalar as it was written.
    keys : dict
        Where the keys of a mapping stand.
    """

    value: Any
    mark: Mark
    kind: str = "plain"
    path: str = ""
    text: str = ""
    keys: dict[str, Mark] | None = None

    def plain(self) -> Any:
        """Return the value without marks; calls and references are refused."""
        if self.kind != "plain":
            what = f"!{self.path}" if self.kind == "call" else f"${self.path}"
            raise RecipeError(
                f"{what} stands where a plain value is needed (a number, text, a quantity, a "
                "list or mapping of them)",
                self.mark,
            )
        if isinstance(self.value, dict):
            return {key: item.plain() for key, item in self.value.items()}
        if isinstance(self.value, list):
            return [item.plain() for item in self.value]
        return self.value


class _Loader(MarkedLoader):
    """A loader that knows quantities and references as well."""


resolve_plain(_Loader, "!quantity", rf"{NUMBER}[ \t]+\S.*", "-+0123456789.")
resolve_plain(_Loader, "!ref", r"\$\w.*", "$")


def read(file: str | Path) -> Item:
    """Read the first document of a recipe file.

    Raises
    ------
    RecipeError
        If there is no such file, or it is no recipe: with the line.
    """
    item = parse(read_text(file, RecipeError), str(file))
    empty = item.kind == "plain" and item.value is None
    return Item({}, Mark(str(file), 1), keys={}) if empty else item


def parse(text: str, file: str) -> Item:
    """Return the tree of a YAML text; an empty text is null."""
    node = compose(text, file, loader=_Loader, error=RecipeError)
    if node is None:
        return Item(None, Mark(file, 1))
    return _Builder(file).item(node)


class _Builder:
    """Items from nodes; aliases are expanded, and counted."""

    def __init__(self, file: str) -> None:
        self.file = file
        self._left = VALUES
        self._open: list[yaml.Node] = []

    def mark(self, node: yaml.Node) -> Mark:
        return Mark(self.file, node.start_mark.line + 1)

    def fail(self, message: str, node: yaml.Node) -> NoReturn:
        raise RecipeError(message, self.mark(node))

    def item(self, node: yaml.Node) -> Item:
        self._left -= 1
        if self._left < 0:
            last = max(self._open, key=lambda opened: opened.start_mark.line, default=node)
            self.fail(f"more than {VALUES:,} values once its aliases are expanded", last)
        if any(opened is node for opened in self._open):
            self.fail("an alias stands inside its own anchor", node)
        if len(self._open) >= DEPTH:
            self.fail(f"nested more than {DEPTH} deep", node)
        self._open.append(node)
        try:
            return self._call(node) if self._is_call(node.tag) else self._plain(node)
        finally:
            self._open.pop()

    def _is_call(self, tag: str) -> bool:
        return tag.startswith("!") and tag not in ("!", "!ref", "!quantity")

    def _call(self, node: yaml.Node) -> Item:
        path = node.tag[1:]
        if not isinstance(node, yaml.ScalarNode):
            value, keys = self._collection(node)
            return Item(value, self.mark(node), "call", path, keys=keys)
        if node.value != "":
            self.fail(
                f"!{path} is followed by text; arguments are a list or a mapping: "
                f"!{path} [{node.value[:40]}]",
                node,
            )
        return Item(None, self.mark(node), "call", path)

    def _plain(self, node: yaml.Node) -> Item:
        kind = node.tag.removeprefix(CORE)
        if isinstance(node, yaml.ScalarNode):
            if SURROGATE.search(node.value):
                self.fail("half of a surrogate pair is no character: no file can hold it", node)
            if node.tag == "!ref":
                return self._reference(node)
            return Item(self._scalar(node, kind), self.mark(node), text=node.value)
        wanted = "map" if isinstance(node, yaml.MappingNode) else "seq"
        if kind not in (wanted, "!"):
            self.fail(self._foreign(node.tag), node)
        value, keys = self._collection(node)
        return Item(value, self.mark(node), keys=keys)

    def _foreign(self, tag: str) -> str:
        shown = tag.replace(CORE, "!!")
        return f"the YAML tag {shown} is not allowed here; a call is written !module.function"

    def _reference(self, node: yaml.ScalarNode) -> Item:
        path = node.value.removeprefix("$").strip()
        if not path or not all(path.split(".")):
            self.fail(
                f"empty reference: {node.value!r} refers to nothing: write $name or $table.column",
                node,
            )
        return Item(None, self.mark(node), "ref", path, node.value)

    def _scalar(self, node: yaml.ScalarNode, kind: str) -> Any:
        try:
            return self._quantity(node) if kind == "!quantity" else read_scalar(node.value, kind)
        except (ValueError, KeyError):
            self.fail(f"{node.value[:40]!r} is no {kind} that can be read", node)
        except LookupError:
            self.fail(self._foreign(node.tag), node)

    def _quantity(self, node: yaml.ScalarNode) -> u.Quantity:
        found = _QUANTITY.fullmatch(node.value.strip())
        if not found:
            self.fail(f"got {node.value[:40]!r}, expected a quantity as 42 km", node)
        unit = found[2].strip()
        try:
            if unit[0] in "-+.0123456789" or len(unit) > UNIT_LENGTH:
                raise ValueError("expected a number, a space and a unit")
            check_unit(unit)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # astropy's opinion on old unit names
                return u.Quantity(float(found[1]), u.Unit(unit))
        except Exception as error:  # the unit parser leaks errors of every kind
            guess = re.search(r"Did you mean [^?]*\?", str(error))
            self.fail(
                f"{node.value[:60]!r} starts with a number, so it is read as a quantity, but "
                f"{unit[:40]!r} is no unit. {guess[0] + ' ' if guess else ''}If it is text, "
                f'put it in quotes: "{node.value[:40]}"',
                node,
            )

    def _collection(self, node: yaml.Node) -> tuple[Any, dict[str, Mark] | None]:
        if isinstance(node, yaml.SequenceNode):
            return [self.item(child) for child in node.value], None
        found: dict[str, Item] = {}
        keys: dict[str, Mark] = {}
        merged: list[yaml.Node] = []
        for key, child in node.value:
            if key.tag == f"{CORE}merge":
                merged += child.value if isinstance(child, yaml.SequenceNode) else [child]
                continue
            if not isinstance(key, yaml.ScalarNode) or key.tag != f"{CORE}str":
                shown = getattr(key, "value", "")
                shown = shown if isinstance(shown, str) and shown else "this"
                kind = key.tag.removeprefix(CORE)
                self.fail(
                    f'key "{shown[:40]}" is of non-string type "{kind[:40]}": a key has to be '
                    f'text; put it in quotes: "{shown[:40]}":',
                    key,
                )
            name = key.value
            if SURROGATE.search(name):
                self.fail("half of a surrogate pair is no character: no file can hold it", key)
            if name in keys:
                self.fail(f"{name!r} is given twice, first on line {keys[name].line}", key)
            found[name], keys[name] = self.item(child), self.mark(key)
        for child in merged:
            self._merge(self.item(child), found, keys)
        return found, keys

    def _merge(self, item: Item, found: dict[str, Item], keys: dict[str, Mark]) -> None:
        if item.kind != "plain" or not isinstance(item.value, dict):
            raise RecipeError("'<<' takes a mapping, or a list of mappings", item.mark)
        for name, value in item.value.items():
            if name not in found:
                found[name], keys[name] = value, (item.keys or {})[name]
