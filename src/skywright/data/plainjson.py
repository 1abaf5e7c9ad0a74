"""Plain JSON for what people and other programs read: reports, configurations, metadata."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["plain", "read_json"]


def read_json(path: Path) -> Any:
    """Return the content of a JSON file that anyone may have written.

    Raises
    ------
    FileNotFoundError
        There is no such regular file; a pipe or a device would never end.
    ValueError
        It is no JSON, or nested too deep.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path}: there is no such file")
    try:
        return json.loads(path.read_text("utf-8"))
    except RecursionError:
        raise ValueError(f"{path}: nested too deep") from None


def plain(value: Any) -> Any:
    """Return ``value`` as what standard JSON can say.

    NumPy scalars and arrays become numbers and lists, tuples become lists, NaN becomes null and
    an infinity the string ``"inf"`` or ``"-inf"``. Both the file and the digest of a report are
    made from this form, so nothing is lost twice.

    >>> plain({"value": float("nan"), "n": (1, 2)})
    {'value': None, 'n': [1, 2]}
    """
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        if math.isnan(value):
            return None
        return value if math.isfinite(value) else str(value)
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        return [plain(item) for item in value.tolist()] if value.ndim else plain(value.item())
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        wrong = [key for key in value if not isinstance(key, str)]
        if wrong:
            raise TypeError(f"key {wrong[0]!r} is not a string: JSON has string keys alone")
        return {key: plain(item) for key, item in value.items()}
    raise TypeError(
        f"a {type(value).__name__} cannot be written as JSON: give numbers, strings, lists, dicts"
    )
