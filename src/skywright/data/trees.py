"""Nested plain values as JSON that gives back exactly what was put in."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable
from dataclasses import fields
from typing import Any, NoReturn

import astropy.units as u
import numpy as np
from astropy.cosmology import Cosmology

from skywright.data.canonical import Hasher
from skywright.data.planes import Plane
from skywright.data.predictions import Predictions
from skywright.data.psf import Psf
from skywright.data.survey import Survey, Tile
from skywright.data.units import read_unit, unit_text

__all__ = ["RECORDS", "decode", "encode", "hash_tree", "refuse"]

# Artefacts that are nothing but their fields.
RECORDS: dict[str, Any] = {
    "plane": Plane,
    "predictions": Predictions,
    "psf": Psf,
    "survey": Survey,
    "tile": Tile,
}

# What to return instead, by a word in the type's module or name.
INSTEAD = {
    "numpy.random": "the numbers that were drawn",
    "function": "the result of calling it",
    "generator": "list(…) of it",
    "set": "sorted(…) of it",
    "torch": "tensor.numpy(), or a skywright.data.Model of its weights",
    "pandas": "QTable.from_pandas(…) of it",
    "sklearn": "a skywright.data.Model with the estimator in skops format",
    "_io": "skywright.data.Files with the bytes",
    "h5py": "skywright.data.Images, or the array with dataset[...]",
    "pathlib": "str(…) of it",
    "datetime": "an astropy Time, or isoformat() of it",
}


def refuse(value: Any, instead: str = "") -> NoReturn:
    """Raise the TypeError that says what to return in place of ``value``."""
    kind = f"{type(value).__module__}.{type(value).__name__}"
    if not instead:
        found = [text for word, text in INSTEAD.items() if word in kind]
        instead = (
            found[0]
            if found
            else "a table, an array, a Quantity, numbers, strings, or lists and dicts of these"
        )
    raise TypeError(f"a value of type {kind} cannot be stored: return {instead}")


def encode(value: Any, part: Callable[[Any], str]) -> Any:
    """Return ``value`` as JSON; ``part`` saves what JSON cannot hold and returns its name."""
    if value is None or type(value) in (bool, int, str):
        return value
    if type(value) is float:
        return value if math.isfinite(value) else {"float": repr(value)}
    if type(value) is list:
        return [encode(item, part) for item in value]
    if type(value) is tuple:
        return {"tuple": [encode(item, part) for item in value]}
    if type(value) is dict:
        _check_keys(value)
        return {"dict": {key: encode(item, part) for key, item in value.items()}}
    if type(value) is bytes:
        return {"bytes": base64.b64encode(value).decode("ascii")}
    if type(value) is complex:
        return {"complex": [encode(value.real, part), encode(value.imag, part)]}
    if isinstance(value, np.generic):
        return {"scalar": part(np.asarray(value))}
    if isinstance(value, (u.UnitBase, u.function.FunctionUnitBase)):
        return {"unit": unit_text(value)}
    if isinstance(value, Cosmology):
        return {"cosmology": encode(_cosmology(value), part)}
    for kind, record in RECORDS.items():
        if type(value) is record:
            whole = {field.name: getattr(value, field.name) for field in fields(value)}
            return {kind: {key: encode(item, part) for key, item in whole.items()}}
    if not _is_large(value):
        refuse(value)
    return {"part": part(value)}


def decode(tree: Any, part: Callable[[str], Any]) -> Any:
    """Return the value that `encode` was given; ``part`` loads a part by its name."""
    if isinstance(tree, list):
        return [decode(item, part) for item in tree]
    if not isinstance(tree, dict):
        return tree
    ((kind, content),) = tree.items()
    match kind:
        case "float":
            return float(content)
        case "tuple":
            return tuple(decode(item, part) for item in content)
        case "dict":
            return {key: decode(item, part) for key, item in content.items()}
        case "bytes":
            return base64.b64decode(content)
        case "complex":
            return complex(*(decode(item, part) for item in content))
        case "scalar":
            return part(content)[()]
        case "unit":
            return read_unit(content)
        case "cosmology":
            return _make_cosmology(decode(content, part))
        case "part":
            return part(content)
    if kind in RECORDS:
        return RECORDS[kind](**{key: decode(item, part) for key, item in content.items()})
    raise ValueError(f"{kind!r} is no kind of value")


def hash_tree(value: Any, into: Hasher, other: Callable[[Any, Hasher], None]) -> None:
    """Add a nested value to a digest; ``other`` adds what is no plain value."""
    if value is None or type(value) in (bool, int, str):
        into.text(type(value).__name__, str(value))
    elif type(value) is float:
        into.text("float")
        into.number(value)
    elif type(value) in (list, tuple):
        into.text(type(value).__name__, str(len(value)))
        for item in value:
            other(item, into)
    elif type(value) is dict:
        _check_keys(value)
        into.text("dict", str(len(value)))
        for key, item in value.items():
            into.text(key)
            other(item, into)
    elif type(value) is bytes:
        into.text("bytes")
        into.data(value)
    elif type(value) is complex or isinstance(value, np.generic):
        into.text(type(value).__name__)
        _check_scalar(value)
        into.array(np.asarray(value))
    elif isinstance(value, (u.UnitBase, u.function.FunctionUnitBase)):
        into.text("unit", unit_text(value))
    elif isinstance(value, Cosmology):
        into.text("cosmology")
        other(_cosmology(value), into)
    elif type(value) in RECORDS.values():
        into.text(type(value).__name__)
        for field in fields(value):
            if field.metadata.get("content", True):
                into.text(field.name)
                other(getattr(value, field.name), into)
    else:
        refuse(value)


def _check_scalar(value: Any) -> None:
    if isinstance(value, np.generic) and value.dtype.hasobject:
        refuse(value)


def _check_keys(value: dict) -> None:
    for key in value:
        if type(key) is not str:
            raise TypeError(
                f"a dict with the key {key!r} cannot be stored: return one with string keys, "
                f"as {{{str(key)!r}: …}}"
            )


def _is_large(value: Any) -> bool:
    """Whether the value is of a kind that has files of its own."""
    module = type(value).__module__.split(".")[0]
    return isinstance(value, np.ndarray) or module in ("skywright", "astropy")


def _cosmology(value: Cosmology) -> dict[str, Any]:
    import astropy.cosmology

    content = dict(value.to_format("mapping"))
    name = content["cosmology"].__name__
    if getattr(astropy.cosmology, name, None) is not content["cosmology"]:
        refuse(value, "a cosmology class of astropy")
    content["cosmology"] = name
    content["meta"] = dict(content.get("meta") or {})
    return content


def _make_cosmology(content: dict[str, Any]) -> Cosmology:
    import astropy.cosmology

    kind = getattr(astropy.cosmology, content["cosmology"])
    if not (isinstance(kind, type) and issubclass(kind, Cosmology)):
        raise ValueError(f"{content['cosmology']!r} is no cosmology")
    return Cosmology.from_format({**content, "cosmology": kind}, format="mapping")
