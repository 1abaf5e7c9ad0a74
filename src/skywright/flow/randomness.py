"""Random streams: one Generator per (recipe seed, node, block, call), whoever computes it."""

from __future__ import annotations

import hashlib
import inspect
import json
import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from skywright.flow.plan import Call

__all__ = ["draws", "drawing", "generator", "isolated", "missing"]

TRUSTED = ("numpy", "scipy", "astropy", "builtins")
RENAMED = {
    "rand": "random",
    "randn": "standard_normal",
    "random_sample": "random",
    "ranf": "random",
    "sample": "random",
    "randint": "integers",
}
SIZED = ("rand", "randn")  # their arguments are the shape itself


def generator(seed: int, node: str, block: int | None = None, call: int = 0) -> np.random.Generator:
    """Return the Generator of one call in one block of one node.

    It depends on these four alone, so neither the order of the nodes nor the number of workers
    changes a draw.

    Examples
    --------
    >>> from skywright.flow.randomness import generator
    >>> bool(generator(1, "z").integers(100) == generator(1, "z").integers(100))
    True
    """
    return np.random.default_rng(np.random.SeedSequence(_entropy(seed, node, block, call)))


def _entropy(*what: Any) -> int:
    return int.from_bytes(hashlib.sha256(json.dumps(what).encode()).digest(), "big")


def missing(call: Call) -> set[str]:
    """Return which of ``rng``, ``cosmology``, ``scratch``, ``progress`` the engine has to fill.

    A parameter is filled when the call leaves it out and it has no default, or None. In numpy,
    scipy and astropy None may mean something else: there ``rng`` is always filled, ``cosmology``
    only where it is required, and the other two never.
    """
    try:
        signature = inspect.signature(call.target)
        given = signature.bind_partial(*call.args, **call.kwargs).arguments
    except (TypeError, ValueError):
        return set()
    found = set()
    for name in ("rng", "cosmology", "scratch", "progress"):
        parameter = signature.parameters.get(name)
        if parameter is None or name in given or call.imported:
            continue
        required = parameter.default is inspect.Parameter.empty
        foreign = _top(call) in TRUSTED
        if (required and not (foreign and name in ("scratch", "progress"))) or (
            parameter.default is None and (not foreign or name == "rng")
        ):
            found.add(name)
    return found


def draws(call: Call) -> bool:
    """Tell whether a call draws; of a package added by ``--allow`` nobody can know."""
    known = _top(call) in (*TRUSTED, "skywright", "skypy")
    return not known or _is_numpy(call) or _is_rvs(call) or "rng" in missing(call)


def drawing(call: Call, rng: np.random.Generator) -> Callable[..., Any]:
    """Return the function to call in place of one that would draw from global state."""
    if _is_rvs(call):
        return lambda *a, **k: call.target(*a, **({"random_state": rng} | k))
    if not _is_numpy(call):
        return call.target  # type: ignore[no-any-return]
    name = call.path.rpartition(".")[2]
    if name == "default_rng":
        return lambda *a, **k: np.random.default_rng(*a, **k) if a or k else rng
    method = getattr(rng, RENAMED.get(name, name), None)
    if method is None or name in ("shuffle", "spawn"):
        raise ValueError(
            f"!{call.path} has no counterpart in numpy.random.Generator that returns what it "
            "draws; use another distribution (permutation instead of shuffle)"
        )
    if name in SIZED:
        return lambda *shape: method(size=shape or None)
    return method  # type: ignore[no-any-return]


def _top(call: Call) -> str:
    head, dot, _ = call.path.partition(".")
    return head if dot else "builtins"


def _is_numpy(call: Call) -> bool:
    return call.path.startswith("numpy.random.") and not call.imported


def _is_rvs(call: Call) -> bool:
    return call.path.startswith("scipy.stats.") and call.path.endswith(".rvs")


@contextmanager
def isolated(seed: int, node: str, block: int | None) -> Iterator[None]:
    """Fix the global states for the time of a node: foreign code may still draw from them."""
    entropy = _entropy(seed, node, block, "global") % 2**32
    before = random.getstate(), np.random.get_state()  # noqa: NPY002 - put back below
    random.seed(entropy)
    np.random.seed(entropy)  # noqa: NPY002 - only for code that we did not write
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(entropy)
    try:
        yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])  # noqa: NPY002
