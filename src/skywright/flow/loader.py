"""YAML of a recipe as a tree that knows its lines; bounded, and without a way to run code."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass, replace
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

__all__ = ["NAME", "NODES", "SECTIONS", "Item", "parse", "read"]

NAME = re.compile(r"\w[\w+-]{0,99}")
NODES = 10_000
SECTIONS = ("recipe", "parameters", "cosmology", "tables")
UNIT_LENGTH = 60

_QUANTITY = re.compile(rf"({NUMBER})[ \t]+(\S.*)", re.DOTALL)


@dataclass(frozen=True)
class Item:
    """One value of the file and where it stands.

    Parameters
    ----------
    value : object
        Scalar, Quantity, list of `Item`, or dict of str to `Item`.
    mark : Mark
        Where it stands.
    kind : str
        ``plain``; ``call`` (``path`` is called with ``value``; None imports it); ``ref``
        (``path`` is what is referred to).
    path : str
        Dotted path of a call or a reference.
    text : str
        A scalar as it was written.
    key : Mark or None
        Where its key stands, of an entry of a mapping.
    """

    value: Any
    mark: Mark
    kind: str = "plain"
    path: str = ""
    text: str = ""
    key: Mark | None = None

    @property
    def at(self) -> Mark:
        """Return where its key stands, or it alone if it has none."""
        return self.key or self.mark

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

    def entries(self, what: str) -> dict[str, Item]:
        """Return the entries of a mapping; of nothing, none."""
        if self.kind != "plain" or not isinstance(self.value, (dict, type(None))):
            raise RecipeError(f"{what} has to be a mapping (name: value)", self.mark)
        return self.value or {}

    def place(self, *where: int | str) -> Mark:
        """Return where an entry stands, as deep as it can be followed."""
        item = self
        for part in where:
            inside = item.value if isinstance(item.value, dict) else {}
            inside = dict(enumerate(item.value)) if isinstance(item.value, list) else inside
            if part not in inside:
                break
            item = inside[part]
        return item.at


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
    return replace(item, value=item.entries("a recipe"))


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

    def item(self, node: yaml.Node, key: yaml.Node | None = None) -> Item:
        self._left -= 1
        if self._left < 0:
            last = max(self._open, key=lambda opened: opened.start_mark.line, default=node)
            self.fail(f"more than {VALUES:,} values once its aliases are expanded", last)
        if any(opened is node for opened in self._open):
            self.fail("an alias stands inside its own anchor", node)
        if len(self._open) >= DEPTH:
            self.fail(f"nested more than {DEPTH} deep", node)
        self._open.append(node)
        kind, path, value = self._read(node)
        self._open.pop()
        text = node.value if isinstance(node, yaml.ScalarNode) else ""
        return Item(value, self.mark(node), kind, path, text, self.mark(key) if key else None)

    def _read(self, node: yaml.Node) -> tuple[str, str, Any]:
        """Return the kind of a value, its path if it is a call or a reference, and itself."""
        tag, scalar = node.tag, isinstance(node, yaml.ScalarNode)
        if tag.startswith("!") and tag not in ("!", "!ref", "!quantity"):
            if scalar and node.value != "":
                self.fail(
                    f"{tag} is followed by text; arguments are a list or a mapping: "
                    f"{tag} [{node.value[:40]}]",
                    node,
                )
            return "call", tag[1:], None if scalar else self._collection(node)
        if not scalar:
            wanted = "map" if isinstance(node, yaml.MappingNode) else "seq"
            if tag not in (f"{CORE}{wanted}", "!"):
                self.fail(self._foreign(tag), node)
            return "plain", "", self._collection(node)
        if SURROGATE.search(node.value):
            self.fail("half of a surrogate pair is no character: no file can hold it", node)
        if tag == "!ref":
            return "ref", self._reference(node), None
        return "plain", "", self._scalar(node, tag.removeprefix(CORE))

    def _foreign(self, tag: str) -> str:
        shown = tag.replace(CORE, "!!")
        return f"the YAML tag {shown} is not allowed here; a call is written !module.function"

    def _reference(self, node: yaml.Node) -> str:
        path = node.value.removeprefix("$").strip()
        if not all(path.split(".")):
            self.fail(
                f"empty reference: {node.value!r} refers to nothing: write $name or $table.column",
                node,
            )
        return str(path)

    def _scalar(self, node: yaml.Node, kind: str) -> Any:
        try:
            return self._quantity(node) if kind == "!quantity" else read_scalar(node.value, kind)
        except (ValueError, KeyError):
            self.fail(f"{node.value[:40]!r} is no {kind} that can be read", node)
        except LookupError:
            self.fail(self._foreign(node.tag), node)

    def _quantity(self, node: yaml.Node) -> u.Quantity:
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

    def _collection(self, node: yaml.Node) -> Any:
        if isinstance(node, yaml.SequenceNode):
            return [self.item(child) for child in node.value]
        found: dict[str, Item] = {}
        merged: list[yaml.Node] = []
        for key, child in node.value:
            if key.tag == f"{CORE}merge":
                merged += child.value if isinstance(child, yaml.SequenceNode) else [child]
                continue
            name = self._key(key)
            if name in found:
                self.fail(f"{name!r} is given twice, first on line {found[name].at.line}", key)
            found[name] = self.item(child, key)
        for child in merged:
            item = self.item(child)
            if item.kind != "plain" or not isinstance(item.value, dict):
                self.fail("'<<' takes a mapping, or a list of mappings", child)
            found |= {k: v for k, v in item.value.items() if k not in found}
        return found

    def _key(self, node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode) or node.tag != f"{CORE}str":
            shown = node.value if isinstance(node.value, str) and node.value else "this"
            kind = node.tag.removeprefix(CORE)
            self.fail(
                f'key "{shown[:40]}" is of non-string type "{kind[:40]}": a key has to be '
                f'text; put it in quotes: "{shown[:40]}":',
                node,
            )
        if SURROGATE.search(node.value):
            self.fail("half of a surrogate pair is no character: no file can hold it", node)
        return str(node.value)
