"""Keys of the store: everything that may change what a node computes, hashed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from skywright.flow.named_files import configurations, digest_named
from skywright.flow.plan import Call, Node, Ref, as_json, calls, changed, parts
from skywright.flow.randomness import draws
from skywright.flow.sources import Sources

__all__ = ["block_key", "node_key"]

FORMAT = 2  # raise it when the engine itself changes what a node means


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

    def anonymous(part: Any) -> Any:
        if not isinstance(part, Ref):
            return part
        # no tag is called $; a collection holds the sweep values, which stand in the names
        return Call("$", None, ([digest(n) for n in part.names], part.part, part.collect))

    steps = list(calls(node.value))
    named = [key for part in parts(node.value) if isinstance(part, dict) for key in part]
    texts = [str(part) for part in [*parts(node.value), *named] if isinstance(part, (str, Path))]
    beside = configurations(texts)
    found: dict[str, str] = {}
    for call in steps:
        found.update(sources.of(call))
    material = {
        "format": FORMAT,
        "kind": [node.kind, node.columns],
        "value": as_json(changed(node.value, anonymous)),
        "files": [digest_named(text, beside) for text in texts],
        "source": found,
        "drawn": [seed, node.name] if any(draws(call) for call in steps) else None,
    }
    return _sha256(material)


def block_key(key: str, block: int) -> str:
    """Return the key of one block of a node."""
    return _sha256([key, block])


def _sha256(material: Any) -> str:
    return hashlib.sha256(json.dumps(material).encode()).hexdigest()
