"""YAML as a tree of nodes that know their lines; bounded, and without a way to run code."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

__all__ = [
    "BOOLEANS",
    "CORE",
    "DEPTH",
    "NUMBER",
    "SURROGATE",
    "VALUES",
    "Mark",
    "MarkedError",
    "MarkedLoader",
    "compose",
    "read_scalar",
    "read_text",
    "resolve_plain",
    "trail",
]

BYTES = 1_000_000
DEPTH = 50
VALUES = 100_000
LONGEST = 900  # characters of a message
CORE = "tag:yaml.org,2002:"

NUMBER = r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?"
SURROGATE = re.compile("[\ud800-\udfff]")
BOOLEANS = {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False}


@dataclass(frozen=True)
class Mark:
    """Where something stands in a file: file and line, counted from one."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class MarkedError(Exception):
    """A file that is wrong, with the line that is.

    Subclasses say in ``what`` what the file should have been.
    """

    what = "file"

    def __init__(self, message: str, mark: Mark | None = None) -> None:
        super().__init__(f"{mark}: {printable(message)}" if mark else printable(message))
        self.message, self.mark = message, mark


def printable(message: str) -> str:
    """Cut a message, and take out what could steer a terminal: files may hold escape sequences."""
    if len(message) > LONGEST:  # a name of a megabyte is not for the terminal either
        message = f"{message[:LONGEST]}…"
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in message)


class MarkedLoader(yaml.SafeLoader):
    """The safe loader up to the node graph: values are made by the caller, none by PyYAML.

    Against YAML 1.1, ``1e5`` is a number, ``12:30:45`` and dates are text, ``010`` is text.
    """

    yaml_implicit_resolvers: dict[str, Any] = {}
    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Compose a node, unless it lies too deep."""
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


def resolve_plain(loader: type[MarkedLoader], tag: str, pattern: str, first: str) -> None:
    """Give unquoted text that matches ``pattern`` and starts with one of ``first`` a tag."""
    loader.add_implicit_resolver(tag, re.compile(rf"(?:{pattern})\Z", re.DOTALL), [*first])


MarkedLoader.add_implicit_resolver(
    f"{CORE}null", re.compile(r"(?:~|null|Null|NULL|)\Z"), [*"~nN", ""]
)
resolve_plain(MarkedLoader, f"{CORE}merge", "<<", "<")
resolve_plain(
    MarkedLoader,
    f"{CORE}bool",
    "|".join(f"{w}|{w.title()}|{w.upper()}" for w in BOOLEANS),
    "yYnNtTfFoO",
)
resolve_plain(
    MarkedLoader,
    f"{CORE}int",
    r"[-+]?(?:0b[01_]+|0o[0-7_]+|0x[0-9a-fA-F_]+|0|[1-9][0-9_]*)",
    "-+0123456789",
)
resolve_plain(
    MarkedLoader,
    f"{CORE}float",
    r"[-+]?(?:(?:\d[\d_]*\.[\d_]*|\.\d[\d_]*)(?:[eE][-+]?\d+)?|\d[\d_]*[eE][-+]?\d+"
    r"|\.inf|\.Inf|\.INF)|\.nan|\.NaN|\.NAN",
    "-+0123456789.",
)


def read_text(file: str | Path, error: type[MarkedError] = MarkedError) -> str:
    """Read a text file of bounded size.

    Raises
    ------
    MarkedError
        Of the class ``error``: there is no such file, it is too large, or no text.
    """
    start = Mark(str(file), 1)
    try:
        path = Path(file)
        if path.is_dir():
            raise error(f"this is a directory; a {error.what} is a YAML file", start)
        if path.exists() and not path.is_file():
            raise error(f"this is no regular file; a {error.what} is a YAML file", start)
        with path.open("rb") as handle:
            data = handle.read(BYTES + 1)
    except (OSError, ValueError) as problem:
        reason = getattr(problem, "strerror", None) or problem
        raise error(f"the {error.what} cannot be read: {reason}", start) from None
    if len(data) > BYTES:
        raise error(f"the file is larger than {BYTES:,} bytes: this is no {error.what}", start)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = data.count(b"\n", 0, problem.start) + 1
        message = f"byte 0x{data[problem.start]:02x} is not UTF-8: is this a text file?"
        raise error(message, Mark(str(file), line)) from None


def compose(
    text: str,
    file: str,
    *,
    loader: type[MarkedLoader] = MarkedLoader,
    error: type[MarkedError] = MarkedError,
) -> yaml.Node | None:
    """Return the nodes of the first document of a YAML text; None of an empty one.

    Raises
    ------
    MarkedError
        Of the class ``error``: the text is no YAML.
    """
    reader = None
    try:
        reader = loader(text)
        return reader.get_node() if reader.check_node() else None
    except yaml.MarkedYAMLError as problem:
        where = problem.problem_mark or problem.context_mark
        raise error(_explain(problem), Mark(file, where.line + 1 if where else 1)) from None
    except yaml.reader.ReaderError as problem:
        line = text.count("\n", 0, problem.position) + 1
        code = problem.character if isinstance(problem.character, int) else ord(problem.character)
        message = f"character U+{code:04X} may not stand in YAML: is this a text file?"
        raise error(message, Mark(file, line)) from None
    except Exception as problem:  # PyYAML's scanner leaks others, as ValueError for "\UFFFFFFFF"
        line = reader.line + 1 if reader else 1
        raise error(f"this is not YAML: {problem}", Mark(file, line)) from None


def trail(node: yaml.Node | None, line: int, depth: int = DEPTH) -> str:
    r"""Return the path of keys that leads to a line, as far as the line alone tells.

    Examples
    --------
    >>> from skywright.data.marked_yaml import compose, trail
    >>> trail(compose("tables:\n  stars:\n    mag: [1,\n      x]", "f.yml"), 4)
    'tables.stars.mag[1]'
    """
    if isinstance(node, yaml.MappingNode):
        inside = [(str(key.value), key.start_mark.line + 1, value) for key, value in node.value]
    elif isinstance(node, yaml.SequenceNode):
        inside = [(f"[{i}]", n.start_mark.line + 1, n) for i, n in enumerate(node.value)]
    else:
        return ""
    before = [found for found in inside if found[1] <= line]
    if not before or not depth or sum(start == before[-1][1] for _, start, _ in inside) > 1:
        return ""
    name, _, value = before[-1]
    rest = trail(value, line, depth - 1)
    return f"{name}{'' if rest.startswith('[') or not rest else '.'}{rest}"


def read_scalar(text: str, kind: str) -> Any:
    """Return the value of a scalar with the core tag ``kind``.

    Raises
    ------
    ValueError, KeyError
        The text is none of that kind.
    """
    match kind:
        case "null":
            return None
        case "bool":
            return BOOLEANS[text.lower()]
        case "int":
            return _bounded(int(text.replace("_", ""), 0))
        case "float":
            return float(re.sub(r"\.(?=inf|nan)", "", text.lower().replace("_", "")))
        case "str" | "!":
            return text
    raise LookupError(kind)


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
