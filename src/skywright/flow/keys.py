"""Keys of the store: everything that may change what a node computes, hashed."""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import stat
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import astropy.units as u
import yaml

from skywright.data.marked_yaml import MarkedError, compose, read_text
from skywright.flow.plan import Call, Node, Ref
from skywright.flow.randomness import draws
from skywright.flow.sources import Sources

__all__ = ["block_key", "calls", "node_key", "references"]

_READ = 1 << 20  # bytes
LONGEST_NAME = 1000  # characters
MOST_FILES = 1000  # of a folder

FORMAT = 1  # raise it when the engine itself changes what a node means


def node_key(node: Node, seed: int, sources: Sources, digest: Callable[[str], Any]) -> str:
    """Return the key of a node whose inputs are known.

    The name of the preset is left out on purpose: no step can see it, only the parameters it
    sets, and two presets that agree in them should share their work. For the same reason the
    seed and the name of the node count only where something is drawn.

    Parameters
    ----------
    node : Node
        Missing arguments that the engine fills (``cosmology``) already in its expression.
    seed : int
        Seed of the recipe.
    sources : Sources
        Source closures of this run.
    digest : callable
        Name of an input -> what stands for it in the key: the digest of its artefact.
    """
    steps = list(calls(node.value))
    found: dict[str, str] = {}
    for call in steps:
        found.update(sources.of(call))
    material = {
        "format": FORMAT,
        "kind": [node.kind, node.columns],
        "value": _canonical(node.value, digest),
        "source": found,
        "drawn": [seed, node.name] if any(draws(call) for call in steps) else None,
    }
    return _sha256(material)


def block_key(key: str, block: int) -> str:
    """Return the key of one block of a node."""
    return _sha256([key, block])


def calls(value: Any) -> Iterator[Call]:
    """Yield every call of an expression, nested ones too."""
    if isinstance(value, Call):
        yield value
    for part in _parts(value):
        yield from calls(part)


def references(value: Any) -> Iterator[str]:
    """Yield the names of all nodes an expression refers to."""
    if isinstance(value, Ref):
        yield from value.collect or (value.node,)
    for part in _parts(value):
        yield from references(part)


def _parts(value: Any) -> list[Any]:
    if isinstance(value, Call):
        return [*value.args, *value.kwargs.values()]
    if isinstance(value, dict):
        return list(value.values())
    return list(value) if isinstance(value, (list, tuple, set)) else []


def _canonical(value: Any, digest: Callable[[str], Any]) -> Any:
    """Return JSON that says all that matters of an expression."""
    if isinstance(value, Ref):
        names = value.collect or (value.node,)
        # a collection holds the sweep values, which stand in the names
        return {"ref": [digest(n) for n in names], "part": value.part, "all": value.collect}
    if isinstance(value, Call):
        arguments = [_canonical(v, digest) for v in value.args]
        named = {k: _canonical(v, digest) for k, v in sorted(value.kwargs.items())}
        return {"call": value.path, "args": arguments, "kwargs": named, "map": value.map,
                "rows": value.rows, "imported": value.imported}  # fmt: skip
    if isinstance(value, u.Quantity):
        return {"quantity": value.value.tolist(), "unit": str(value.unit)}
    if isinstance(value, (str, Path)):
        return {"text": str(value), "file": _file_digest(str(value))}
    if isinstance(value, dict):  # order is kept: it may be the order of bands
        return {"dict": [[_canonical(k, digest), _canonical(v, digest)] for k, v in value.items()]}
    if isinstance(value, (list, tuple)):
        return [type(value).__name__, *(_canonical(v, digest) for v in value)]
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, (bytes, complex, datetime.date)):
        return repr(value)
    raise TypeError(f"a {type(value).__name__} cannot be an argument in a recipe: {value!r}")


def _file_digest(text: str) -> str | None:
    """Return the digest of a file if that is what the text names; ``file.fits[SCI]`` does too."""
    text = text if not text.endswith("]") or os.path.exists(text) else text.rpartition("[")[0]
    try:
        status = os.stat(text)
        if not stat.S_ISREG(status.st_mode):
            return None
        own = _content(text, status.st_size, status.st_mtime_ns, status.st_ino)
        if not text.lower().endswith((".yml", ".yaml")):
            return own
        return _sha256([own, *(_digest(name) for name in _named_files(Path(text)))])
    except (OSError, ValueError):
        return None


def _digest(file: str) -> str:
    status = os.stat(file)
    return _content(file, status.st_size, status.st_mtime_ns, status.st_ino)


def _data(folder: Path) -> list[Path]:
    """Return the images and tables of a folder; not what somebody puts out there."""
    return sorted(f for f in folder.iterdir() if f.suffix in (".fits", ".txt"))[:MOST_FILES]


def _named_files(file: Path) -> list[str]:
    """Return the files that a configuration names, and those in folders that it names.

    A step that is handed a configuration reads them, so they count as its input. Names are looked
    for beside the file and in the folder where one works; those that are none count for nothing.
    """
    try:
        node = compose(read_text(file), str(file))
    except MarkedError:
        return []
    found: dict[str, None] = {}
    todo, seen = [node], set()
    while todo:
        part = todo.pop()
        if id(part) in seen:  # an alias
            continue
        seen.add(id(part))
        if isinstance(part, yaml.MappingNode):
            todo += [each for pair in part.value for each in pair]
        elif isinstance(part, yaml.SequenceNode):
            todo += part.value
        elif isinstance(part, yaml.ScalarNode) and 0 < len(part.value) < LONGEST_NAME:
            for place in (file.parent / part.value, Path(part.value)):
                inside = _data(place) if place.is_dir() else [place]
                found |= dict.fromkeys(str(f) for f in inside if f.is_file())
    return sorted(found)


@cache
def _content(path: str, size: int, *_: int) -> str:
    """Return the digest of a file; size, time and inode tell whether it is the one we know."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        # not further: some files of the kernel say that they are empty, and never end
        while size > 0 and (block := file.read(min(size, _READ))):
            digest.update(block)
            size -= len(block)
    return digest.hexdigest()


def _sha256(material: Any) -> str:
    return hashlib.sha256(json.dumps(material, sort_keys=True).encode()).hexdigest()
