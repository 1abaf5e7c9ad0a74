"""Files that run code when they are opened: pickles, whatever they are called or packed into."""

from __future__ import annotations

import ast
import bz2
import gzip
import io
import lzma
import pickle
import pickletools
import warnings
import zipfile
import zlib
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import IO, Any

import numpy as np

__all__ = ["numpy_header", "pickled_files"]

NUMPY = b"\x93NUMPY"
DEEPEST = 4  # archives inside archives that are looked into
NAMES, CALLS = {"GLOBAL", "INST"}, {"REDUCE", "INST", "OBJ", "NEWOBJ"}
PACKED: dict[bytes, Callable[[IO[bytes]], Any]] = {
    b"\x1f\x8b": lambda stream: gzip.GzipFile(fileobj=stream),
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ": lzma.LZMAFile,
    b"]\x00\x00": lzma.LZMAFile,
    **{bytes([0x78, level]): lambda stream: _inflated(stream) for level in (1, 94, 156, 218)},
}  # fmt: skip
DAMAGE = (
    ValueError, TypeError, KeyError, OverflowError, EOFError, OSError, SyntaxError, RecursionError,
    NotImplementedError, lzma.LZMAError, zlib.error, zipfile.BadZipFile,
)  # fmt: skip


def pickled_files(run: Path) -> list[str]:
    """Return the files of a run that are pickles or hold one, relative to its folder.

    Looked into are archives (zip, with npz and the files of torch among them), what is compressed
    by gzip, bz2, xz, lzma or zlib, as joblib does it, and arrays of objects in npy files.
    """
    files = sorted(p.relative_to(run).as_posix() for p in run.rglob("*") if p.is_file())
    return [name for name in files if _is_pickled(run / name)]


def _is_pickled(file: Path) -> bool:
    with file.open("rb") as stream, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of escapes in what turns out to be no pickle
        return _runs_code(stream, DEEPEST)


def _runs_code(stream: IO[bytes], deeper: int) -> bool:
    """Tell whether a stream is a pickle or holds one; what cannot be read is none."""
    try:
        start = stream.read(6)
        stream.seek(0)
        if start.startswith(b"PK"):
            return deeper > 0 and _any_member(stream, deeper - 1)
        if start == NUMPY:
            return bool(numpy_header(stream)[1].hasobject)
        for magic, unpack in PACKED.items():
            if start.startswith(magic):
                return deeper > 0 and _runs_code(unpack(stream), deeper - 1)
        return _is_pickle(stream)
    except DAMAGE:
        return False


def _inflated(stream: IO[bytes]) -> IO[bytes]:
    """Return the beginning of what zlib has packed."""
    return io.BytesIO(zlib.decompressobj().decompress(stream.read(1 << 16), 1 << 16))


def _any_member(stream: IO[bytes], deeper: int) -> bool:
    """Tell whether an archive has a pickle, by name or content; a locked member may be one."""
    with zipfile.ZipFile(stream) as archive:
        for member in archive.infolist():
            if member.filename.endswith((".pkl", ".pickle")) or member.flag_bits & 1:
                return True
            with archive.open(member) as content:
                if _runs_code(content, deeper):
                    return True
    return False


def _is_pickle(stream: IO[bytes]) -> bool:
    """Tell whether a stream begins as a pickle from protocol 2 on, or is one of an older protocol.

    Other files may begin with the byte 0x80 and a small number, as safetensors do whose header is
    1152 bytes long, but four operations of a pickle do not follow. Older protocols are plain
    letters, so there the whole has to be a pickle, and one that calls something.
    """
    operations = pickletools.genops(stream)
    first: list[tuple[str, Any]] = [(code.name, said) for code, said, _ in islice(operations, 4)]
    if first[0][0] == "PROTO":
        return 2 <= int(first[0][1]) <= pickle.HIGHEST_PROTOCOL
    names = {name for name, _ in first} | {code.name for code, _, _ in operations}
    return bool(names & NAMES and names & CALLS) and not stream.read(1)


def numpy_header(stream: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Return shape and type of the array in an npy file.

    References
    ----------
    NumPy enhancement proposal 1, "A simple file format for NumPy arrays".
    """
    major = np.lib.format.read_magic(stream)[0]
    length = int.from_bytes(stream.read(2 if major == 1 else 4), "little")
    header = ast.literal_eval(stream.read(length).decode("utf-8" if major > 2 else "latin1"))
    return tuple(header["shape"]), np.lib.format.descr_to_dtype(header["descr"])
