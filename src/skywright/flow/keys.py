"""Keys of the store: everything that may change what a node computes, hashed."""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import astropy.units as u

from skywright.flow.named_files import configurations, digest_named
from skywright.flow.plan import Call, Node, Ref
from skywright.flow.randomness import draws
from skywright.flow.sources import Sources

__all__ = ["block_key", "calls", "node_key", "references"]

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


def _texts(call: Call) -> Iterator[str]:
    """Yield the arguments of a call that are text."""
    yield from (str(v) for v in _parts(call) if isinstance(v, (str, Path)))


def _canonical(value: Any, digest: Callable[[str], Any], beside: tuple[Path, ...] = ()) -> Any:
    """Return JSON that says all that matters of an expression.

    ``beside`` are the configurations among the arguments of the call around it.
    """
    if isinstance(value, Ref):
        names = value.collect or (value.node,)
        # a collection holds the sweep values, which stand in the names
        return {"ref": [digest(n) for n in names], "part": value.part, "all": value.collect}
    if isinstance(value, Call):
        beside = configurations(_texts(value))
        arguments = [_canonical(v, digest, beside) for v in value.args]
        named = {k: _canonical(v, digest, beside) for k, v in sorted(value.kwargs.items())}
        return {"call": value.path, "args": arguments, "kwargs": named, "map": value.map,
                "rows": value.rows, "imported": value.imported}  # fmt: skip
    if isinstance(value, u.Quantity):
        return {"quantity": value.value.tolist(), "unit": str(value.unit)}
    if isinstance(value, (str, Path)):
        return {"text": str(value), "files": digest_named(str(value), beside)}
    if isinstance(value, dict):  # order is kept: it may be the order of bands
        return {"dict": [[_canonical(part, digest, beside) for part in i] for i in value.items()]}
    if isinstance(value, (list, tuple)):
        return [type(value).__name__, *(_canonical(v, digest, beside) for v in value)]
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, (bytes, complex, datetime.date)):
        return repr(value)
    raise TypeError(f"a {type(value).__name__} cannot be an argument in a recipe: {value!r}")


def _sha256(material: Any) -> str:
    return hashlib.sha256(json.dumps(material, sort_keys=True).encode()).hexdigest()
