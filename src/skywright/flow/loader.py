"""YAML of a recipe as a tree that knows its lines; bounded, and without a way to run code."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import astropy.units as u
import yaml

from skywright.data.units import check_unit
from skywright.flow.plan import Mark, RecipeError

__all__ = ["Item", "parse", "read", "words"]

BYTES = 1_000_000
DEPTH = 50
VALUES = 100_000
CORE = "tag:yaml.org,2002:"
UNIT_LENGTH = 60

_NUMBER = r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?"
SURROGATE = re.compile("[\ud800-\udfff]")
_QUANTITY = re.compile(rf"({_NUMBER})[ \t]+(\S.*)", re.DOTALL)
_BOOLEANS = {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False}


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


class _Loader(yaml.SafeLoader):
    """The safe loader up to the node graph: values are made below, none by PyYAML.

    Against YAML 1.1, ``1e5`` is a number, ``12:30:45`` and dates are text, ``010`` is text.
    """

    yaml_implicit_resolvers: dict[str, Any] = {}
    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        self.depth += 1
        if self.depth > DEPTH:
            raise yaml.MarkedYAMLError(
                problem=f"nested more than {DEPTH} deep",
                problem_mark=self.peek_event().start_mark,  # type: ignore[no-untyped-call]
            )
        try:
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1


def _resolve_plain(tag: str, pattern: str, first: str) -> None:
    _Loader.add_implicit_resolver(tag, re.compile(rf"(?:{pattern})\Z", re.DOTALL), [*first])


_Loader.add_implicit_resolver(f"{CORE}null", re.compile(r"(?:~|null|Null|NULL|)\Z"), [*"~nN", ""])
_resolve_plain(f"{CORE}merge", "<<", "<")
_resolve_plain(
    f"{CORE}bool", "|".join(f"{w}|{w.title()}|{w.upper()}" for w in _BOOLEANS), "yYnNtTfFoO"
)
_resolve_plain(
    f"{CORE}int", r"[-+]?(?:0b[01_]+|0o[0-7_]+|0x[0-9a-fA-F_]+|0|[1-9][0-9_]*)", "-+0123456789"
)
_resolve_plain(
    f"{CORE}float",
    r"[-+]?(?:(?:\d[\d_]*\.[\d_]*|\.\d[\d_]*)(?:[eE][-+]?\d+)?|\d[\d_]*[eE][-+]?\d+"
    r"|\.inf|\.Inf|\.INF)|\.nan|\.NaN|\.NAN",
    "-+0123456789.",
)
_resolve_plain("!quantity", rf"{_NUMBER}[ \t]+\S.*", "-+0123456789.")
_resolve_plain("!ref", r"\$\w.*", "$")


def read(file: str | Path) -> Item:
    """Read the first document of a recipe file.

    Raises
    ------
    RecipeError
        If there is no such file, or it is no recipe: with the line.
    """
    start = Mark(str(file), 1)
    try:
        path = Path(file)
        if path.is_dir():
            raise RecipeError("this is a directory; a recipe is a YAML file", start)
        if path.exists() and not path.is_file():
            raise RecipeError("this is no regular file; a recipe is a YAML file", start)
        with path.open("rb") as handle:
            data = handle.read(BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise RecipeError(f"the recipe cannot be read: {reason}", start) from None
    if len(data) > BYTES:
        raise RecipeError(f"the file is larger than {BYTES:,} bytes: this is no recipe", start)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = f"byte 0x{data[error.start]:02x} is not UTF-8: is this a text file?"
        raise RecipeError(message, Mark(str(file), line)) from None
    item = parse(text, str(file))
    empty = item.kind == "plain" and item.value is None
    return Item({}, start, keys={}) if empty else item


def parse(text: str, file: str) -> Item:
    """Return the tree of a YAML text; an empty text is null."""
    loader = None
    try:
        loader = _Loader(text)
        node = loader.get_node() if loader.check_node() else None
    except yaml.MarkedYAMLError as error:
        where = error.problem_mark or error.context_mark
        raise RecipeError(_explain(error), Mark(file, where.line + 1 if where else 1)) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        code = error.character if isinstance(error.character, int) else ord(error.character)
        message = f"character U+{code:04X} may not stand in YAML: is this a text file?"
        raise RecipeError(message, Mark(file, line)) from None
    except Exception as error:  # PyYAML's scanner leaks others, as ValueError for "\UFFFFFFFF"
        line = loader.line + 1 if loader else 1
        raise RecipeError(f"this is not YAML: {error}", Mark(file, line)) from None
    if node is None:
        return Item(None, Mark(file, 1))
    return _Builder(file).item(node)


def words(names: Any, limit: int = 12) -> str:
    """Return a list of names for a message, not too long."""
    names = list(names)
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return (", ".join(names[:limit]) or "nothing") + more


def _bounded(number: int) -> int:
    if number.bit_length() > 64:
        raise ValueError("no library takes it, and Python refuses to print it")
    return number


def _explain(error: yaml.MarkedYAMLError) -> str:
    problem = error.problem or "this is not YAML"
    if "'\\t'" in problem:
        return "a tab stands where YAML wants spaces: replace it by spaces"
    if "cannot start any token" in problem:
        problem += "; put the text in quotes"
    elif problem.startswith("mapping values are not allowed"):
        problem += "; put text that holds ': ' in quotes, and check the indentation"
    elif "undefined alias" in problem:
        problem += " (a '*' at the start refers to an '&anchor')"
    return f"this is not YAML: {error.context + ', ' if error.context else ''}{problem}"


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
            self.fail(f"{node.value!r} refers to nothing: write $name or $table.column", node)
        return Item(None, self.mark(node), "ref", path, node.value)

    def _scalar(self, node: yaml.ScalarNode, kind: str) -> Any:
        text = node.value
        try:
            match kind:
                case "null":
                    return None
                case "bool":
                    return _BOOLEANS[text.lower()]
                case "int":
                    return _bounded(int(text.replace("_", ""), 0))
                case "float":
                    return float(re.sub(r"\.(?=inf|nan)", "", text.lower().replace("_", "")))
                case "str" | "!":
                    return text
                case "!quantity":
                    return self._quantity(node)
        except (ValueError, KeyError):
            self.fail(f"{text[:40]!r} is no {kind} that can be read", node)
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
                self.fail(f'a key has to be text; put it in quotes: "{shown[:40]}":', key)
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
