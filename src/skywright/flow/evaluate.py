"""The value of an expression: references are loaded, missing arguments filled, calls made."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import astropy.units as u
import numpy as np
from astropy.cosmology import Cosmology
from astropy.table import Column, MaskedColumn, Table

from skywright.data import artefacts
from skywright.flow.collect import collect, cut
from skywright.flow.names import did_you_mean, may_not_be_handed, words
from skywright.flow.plan import Call, Node, Ref
from skywright.flow.randomness import drawing, generator, missing

__all__ = ["Job", "Scope", "node_value", "take"]

_COSMOLOGIES: dict[str, Cosmology] = {}


@dataclass(frozen=True)
class Job:
    """What a worker needs to make one entry.

    Parameters
    ----------
    node : Node
        Whose expression is evaluated.
    key : str
        Of the entry.
    seed : int
        Seed of the recipe.
    workspace : Path
        Where the store is.
    inputs : dict
        Name -> folder of its artefact, or the `Node` itself where the value is not kept.
    points : dict
        Name of an input -> its sweep point, for collections.
    files : dict
        File -> sha256 of the source that the key stands for.
    block : (int, int) or None
        Number of a block and its rows, in a call with ``.map``; None for the whole node.
    parts : tuple of Path
        Folders of finished blocks; the job is then to join them.
    seconds, memory : float [s], int [byte]
        What the blocks to be joined took.
    """

    node: Node
    key: str
    seed: int
    workspace: Path
    inputs: dict[str, Path | Node]
    points: dict[str, dict[str, Any]]
    files: dict[str, str]
    block: tuple[int, int] | None = None
    parts: tuple[Path, ...] = ()
    seconds: float = 0.0
    memory: int = 0


@dataclass
class Scope:
    """Where the expression of a node is evaluated.

    Parameters
    ----------
    job : Job
        Its node, inputs and block.
    scratch, progress : callable
        Make the private folder; report the fraction done.
    """

    job: Job
    scratch: Callable[[], Path]
    progress: Callable[[float], None]
    calls: int = 0
    loaded: dict[str, Any] = field(default_factory=dict)

    def load(self, name: str) -> Any:
        """Return the value of an input."""
        if name not in self.loaded:
            source = self.job.inputs[name]
            if isinstance(source, Node):
                inner = replace(self.job, node=source, block=None)
                self.loaded[name] = node_value(Scope(inner, self.scratch, self.progress))
            else:
                self.loaded[name] = artefacts.load(source)
        return self.loaded[name]


def node_value(scope: Scope) -> Any:
    """Return the value of the scope's node, or of the block that the scope names."""
    node = scope.job.node
    if node.kind == "complete":
        return _assemble(scope)
    value = _evaluate(node.value, scope)
    if node.kind == "table" and not isinstance(value, Table):
        raise TypeError(f".init of table {node.base!r} gave a {type(value).__name__}, no table")
    return _split(value, node.columns) if len(node.columns) > 1 else value


def _evaluate(value: Any, scope: Scope) -> Any:
    if isinstance(value, Ref):
        if value.collect:
            parts = [take(scope.load(n), value.part, n) for n in value.collect]
            return collect([scope.job.points[n] for n in value.collect], parts)
        return take(scope.load(value.node), value.part, value.node)
    if isinstance(value, Call):
        return value.target if value.imported else _call(value, scope)
    if isinstance(value, dict):
        return {k: _evaluate(v, scope) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)([_evaluate(v, scope) for v in value])
    return value


def _call(call: Call, scope: Scope) -> Any:
    number = scope.calls
    scope.calls += 1
    args = [_evaluate(v, scope) for v in call.args]
    kwargs = {k: _evaluate(v, scope) for k, v in call.kwargs.items()}
    job, block = scope.job, scope.job.block
    if call.map is not None and block is not None:
        rows = slice(block[0] * block[1], (block[0] + 1) * block[1])
        kwargs[call.map] = cut(kwargs[call.map], rows)
    if function := may_not_be_handed(call.path, [args, kwargs]):
        raise TypeError(f"!{call.path} may not be given the function {function}")
    rng = generator(job.seed, job.node.name, block and block[0], number)
    fill = missing(call)
    if "rng" in fill:
        kwargs["rng"] = rng
    if "scratch" in fill:
        kwargs["scratch"] = scope.scratch()
    if "progress" in fill:
        kwargs["progress"] = scope.progress
    if isinstance(call.target, type) and issubclass(call.target, Cosmology):
        return _cosmology(call.target, args, kwargs)
    return drawing(call, rng)(*args, **kwargs)


def _cosmology(kind: type[Cosmology], args: list[Any], kwargs: dict[str, Any]) -> Cosmology:
    """Return a cosmology, made once: it never changes, and astropy takes 30 ms for each."""
    key = repr((kind, args, kwargs))
    if key not in _COSMOLOGIES:
        _COSMOLOGIES[key] = kind(*args, **kwargs)
    return _COSMOLOGIES[key]


def take(value: Any, part: tuple[str, ...], name: str) -> Any:
    """Return a part of a value: a column, a key, a field of an artefact.

    Examples
    --------
    >>> from skywright.flow.evaluate import take
    >>> take({"test": [1, 2]}, ("test",), "split")
    [1, 2]
    """
    for key in part:
        if isinstance(value, Table):
            known = value.colnames
        elif isinstance(value, dict):
            known = [str(k) for k in value]
        elif dataclasses.is_dataclass(value):
            known = [f.name for f in dataclasses.fields(value)]
        else:
            raise TypeError(f"${name} is a {type(value).__name__}: it has no part {key!r}")
        if key not in known:
            hint = f"{did_you_mean(key, known)}; it has {words(known)}"
            raise KeyError(f"${name} has no part {key!r}{hint}")
        value = value[key] if isinstance(value, (Table, dict)) else getattr(value, key)
        name = f"{name}.{key}"
    return _plain(value)


def _plain(column: Any) -> Any:
    """Return a column of a Table as an array, or as a Quantity if it has a unit."""
    if isinstance(column, MaskedColumn) and not np.any(column.mask):
        column = Column(column.data.data, unit=column.unit)
    if isinstance(column, Column):
        return u.Quantity(column) if column.unit is not None else np.asarray(column)
    return column


def _split(value: Any, columns: tuple[str, ...]) -> dict[str, Any]:
    """Share a tuple or the columns of a 2-D array out to several names."""
    if isinstance(value, (tuple, list)):
        parts = list(value)
    elif getattr(value, "ndim", 0) == 2:
        parts = [value[:, i] for i in range(value.shape[1])]
    else:
        raise ValueError(
            f"columns {', '.join(columns)} need a tuple or a 2-D array, got "
            f"{type(value).__name__} of shape {getattr(value, 'shape', '()')}"
        )
    if len(parts) != len(columns):
        raise ValueError(f"{len(parts)} columns for {len(columns)} names: {', '.join(columns)}")
    return dict(zip(columns, parts, strict=True))


def _assemble(scope: Scope) -> Table:
    """Return the whole table: what ``.init`` made, and its columns in the order of the file."""
    first, *others = scope.job.node.value
    table = scope.load(first.node).copy()
    for name, ref in zip(scope.job.node.columns, others, strict=True):
        value = take(scope.load(ref.node), ref.part, ref.node)
        try:
            table[name] = value
        except (ValueError, TypeError) as error:
            raise ValueError(f"column {name!r} does not fit into the table: {error}") from error
    return table
