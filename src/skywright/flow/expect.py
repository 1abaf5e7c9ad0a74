"""What a recipe expects of its report: ``">= 0.85"``."""

from __future__ import annotations

import math
import operator
import re

__all__ = ["met", "read_bound"]

_BOUND = re.compile(r"(>=|<=|>|<)\s*([-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?)")
_COMPARE = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt}


def read_bound(text: str) -> tuple[str, float]:
    """Return the operator and the number of an expectation.

    Raises
    ------
    ValueError
        If the text is none.
    """
    found = _BOUND.fullmatch(text.strip())
    if not found:
        raise ValueError(f"got {text!r}, expected a bound as '>= 0.85' (>=, <=, > or <)")
    return found[1], float(found[2])


def met(expectation: str, low: float, high: float) -> bool:
    """Tell whether an interval agrees with an expectation.

    It is broken only when the whole interval lies on the wrong side; a NaN agrees with nothing.

    Examples
    --------
    >>> from skywright.flow.expect import met
    >>> met(">= 0.85", 0.80, 0.90), met(">= 0.85", 0.70, 0.80)
    (True, False)
    """
    sign, bound = read_bound(expectation)
    if math.isnan(low) or math.isnan(high):
        return False
    return _COMPARE[sign](high if sign.startswith(">") else low, bound)
