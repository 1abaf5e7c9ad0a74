"""HDF5 files that anyone may have written: only what lies in the file itself is read."""

from __future__ import annotations

from typing import Any

__all__ = ["own_dataset"]


def own_dataset(group: Any, name: str) -> Any:
    """Return a dataset whose values are in the file of ``group``.

    HDF5 can take the bytes of a dataset from any other file, text or key, by an external link,
    external storage or a virtual dataset; a digest of the file would not know of them either.

    Raises
    ------
    ValueError
        When the values lie in another file.
    """
    data = group[name]
    if data.file.filename != group.file.filename or data.external or data.is_virtual:
        raise ValueError(f"dataset {name!r} takes its values from another file: copy them into it")
    return data
