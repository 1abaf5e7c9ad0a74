"""The bytes that stand for a value, whatever file it lies in: what a digest is taken of.

Two rules make equal values equal. Byte order is little-endian and memory order is C. Every NaN
is the same NaN, and -0.0 is 0.0, because no step should depend on which of them it was given.
The order of a dict *is* content: it decides the order of bands and of columns.
"""

from __future__ import annotations

import hashlib
import struct
from typing import Any

import numpy as np

__all__ = ["Hasher"]

BLOCK = 1 << 22


class Hasher:
    """SHA-256 over a sequence of fields, each written with its length so that none can merge."""

    def __init__(self) -> None:
        self._sha = hashlib.sha256()

    def text(self, *words: str) -> None:
        """Add strings."""
        for word in words:
            data = word.encode("utf-8", "surrogatepass")
            self._sha.update(struct.pack("<q", len(data)))
            self._sha.update(data)

    def data(self, content: bytes) -> None:
        """Add bytes."""
        self._sha.update(struct.pack("<q", len(content)))
        self._sha.update(content)

    def number(self, value: float) -> None:
        """Add one float."""
        self._sha.update(_plain(np.asarray([value], dtype="<f8")).tobytes())

    def array(self, value: Any) -> None:
        """Add an array, or anything that slices along its first axis, a block at a time."""
        dtype = np.dtype(value.dtype)
        if dtype.kind == "T":
            value, dtype = np.asarray(value).astype(str), np.dtype("U1")
        name = dtype.kind if dtype.kind in "US" else _little(dtype).descr
        self.text("array", repr(name), repr(tuple(int(n) for n in value.shape)))
        if len(value.shape) == 0:
            self._block(np.asarray(value[()]))
            return
        width = max(1, int(np.prod(value.shape[1:])) * dtype.itemsize)
        rows = max(1, BLOCK // width)
        for start in range(0, value.shape[0], rows):
            self._block(np.asarray(value[start : start + rows]))

    def _block(self, block: np.ndarray) -> None:
        if block.dtype.kind in "USO":
            for item in block.ravel():
                self.data(item if isinstance(item, bytes) else str(item).encode())
        elif block.dtype.names:
            for name in block.dtype.names:
                self._block(block[name])
        else:
            block = block.astype(_little(block.dtype), copy=False)
            self._sha.update(_plain(block).tobytes())

    def hexdigest(self) -> str:
        """Return the digest of everything that was added."""
        return self._sha.hexdigest()


def _little(dtype: np.dtype) -> np.dtype:
    return dtype.newbyteorder("<") if dtype.byteorder not in "|" or dtype.names else dtype


def _plain(block: np.ndarray) -> np.ndarray:
    """Fold -0.0 into 0.0 and every NaN into one; other kinds pass."""
    if block.dtype.kind not in "fc":
        return block
    block = block + np.zeros((), dtype=block.dtype)
    if block.dtype.kind == "c":
        block = np.where(np.isnan(block.real), np.nan, block.real) + 1j * np.where(
            np.isnan(block.imag), np.nan, block.imag
        )
        return block
    return np.where(np.isnan(block), np.array(np.nan, dtype=block.dtype), block)
