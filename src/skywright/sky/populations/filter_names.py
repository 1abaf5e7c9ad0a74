"""Names of filters, which can be told right from wrong before anything is drawn."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

__all__ = ["FILTER", "Filters", "known_filters"]

FILTER = re.compile(r"[A-Za-z0-9_]+-(?:[A-Za-z0-9_]+|\*)")


def known_filters(names: Any) -> bool:
    """Tell whether speclite has all filters of a name or a list of names.

    Without speclite, nothing is known against a name that has its form.

    Examples
    --------
    >>> known_filters(["lsst2023-g", "sdss2010-*"]), known_filters("lsst2023-q")
    (True, False)
    """
    every = [names] if isinstance(names, str) else names
    if not isinstance(every, (list, tuple)):
        return False
    form = all(isinstance(name, str) and FILTER.fullmatch(name) for name in every)
    there = _there()
    return form and (not there or all(fnmatch.filter(there, name) for name in every))


@cache
def _there() -> tuple[str, ...]:
    """Return the filters of speclite, which is not imported: that takes most of a second."""
    found = find_spec("speclite")
    if found is None or found.origin is None:
        return ()
    return tuple(f.stem for f in (Path(found.origin).parent / "data" / "filters").glob("*.ecsv"))


# The engine looks at names that are written out in a recipe when it reads it.
Filters = Annotated[
    str | Sequence[str], "names of filters of speclite, as 'sdss2010-r'", known_filters
]
