"""The content-addressed store: one folder per key, complete or absent, checked on first use."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skywright.data import artefacts

__all__ = ["Entry", "Store", "digest_file"]

LABEL = "entry.json"


@dataclass(frozen=True)
class Entry:
    """What the store holds under one key.

    Parameters
    ----------
    key : str
        Hash of everything the value depends on.
    folder : Path
        Where the files of the artefact are.
    digest : str
        Digest of the value; of one that is not kept, its key.
    kept : bool
        False for an object that cannot be saved (an astropy model, an imported function): what
        needs it makes it again.
    seconds : float [s]
        What it took to compute.
    memory : int [byte]
        Largest resident size while it was computed.
    length : int or None
        Number of rows, for cutting into blocks.
    """

    key: str
    folder: Path
    digest: str
    kept: bool = True
    seconds: float = 0.0
    memory: int = 0
    length: int | None = None


class Store:
    """Artefacts by key; any number of runs may read and write at once.

    Parameters
    ----------
    workspace : Path
        The folder ``.skywright``; entries are in its ``store``.
    """

    def __init__(self, workspace: Path) -> None:
        self.workspace = workspace
        self.root = workspace / "store"

    def find(self, key: str) -> Entry | None:
        """Return the entry of a key, or None if there is none or its files are damaged."""
        folder = self.root / key
        try:
            if not _is_regular(folder / LABEL):
                return None
            label = json.loads((folder / LABEL).read_bytes())
            files = {folder / name: digest for name, digest in label.pop("files").items()}
            sound = all(_is_regular(f) and digest_file(f) == digest for f, digest in files.items())
            entry = Entry(key=key, folder=folder, **label)
            return entry if sound and _is_sound(entry, bool(files)) else None
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return None

    def put(
        self, key: str, value: Any, *, kept: bool = True, seconds: float = 0.0, memory: int = 0
    ) -> Entry:
        """Write a value and make it appear at once, whole; to be called under `lock`.

        Nothing is forced to the disk: an entry that a power cut left with empty files does not
        have their digests, so `find` does not take it.

        Raises
        ------
        TypeError
            If the value is of no kind that can be saved.
        OSError
            If the disk is full; nothing of the entry is left.
        """
        final = self.root / key
        folder = self.root / f"tmp-{key}-{secrets.token_hex(4)}"
        folder.mkdir()
        try:
            digest = artefacts.digest(value) if kept else key
            if kept:
                artefacts.save(value, folder)
            length = _length(value) if kept else None
            entry = Entry(key, final, digest, kept, round(seconds, 4), memory, length)
            files = sorted(p for p in folder.rglob("*") if p.is_file())
            label = {k: v for k, v in vars(entry).items() if k not in ("key", "folder")}
            label["files"] = {str(p.relative_to(folder)): digest_file(p) for p in files}
            (folder / LABEL).write_text(json.dumps(label, indent=1))
            if final.exists():  # damaged: first out of sight, so that it never stands half deleted
                os.rename(final, self.root / f"tmp-{key}-{secrets.token_hex(4)}")
            os.rename(folder, final)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return entry

    @contextmanager
    def lock(self, key: str) -> Iterator[None]:
        """Hold a key alone; the lock of a process that died is free at once."""
        path = self.root / "locks" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        while True:
            handle = os.open(path, os.O_CREAT | os.O_RDWR)
            fcntl.flock(handle, fcntl.LOCK_EX)
            try:
                if os.path.samestat(os.fstat(handle), os.stat(path)):
                    break
            except FileNotFoundError:
                pass  # the one before us removed the file: take the new one
            os.close(handle)
        try:
            for leftover in self.root.glob(f"tmp-{key}-*"):
                shutil.rmtree(leftover, ignore_errors=True)
            yield
        finally:
            os.unlink(path)
            os.close(handle)

    def scratch(self, key: str) -> Path:
        """Return the private folder of a key, which outlives a kill."""
        folder = self.workspace / "scratch" / key
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def clear_scratch(self, key: str) -> None:
        """Remove the private folder of a key."""
        shutil.rmtree(self.workspace / "scratch" / key, ignore_errors=True)


def _length(value: Any) -> int | None:
    try:
        return len(value)
    except TypeError:
        return None


def _is_sound(entry: Entry, kept: bool) -> bool:
    """Tell whether a label that somebody may have written holds what ours hold."""
    numbers = isinstance(entry.seconds, (int, float)) and isinstance(entry.memory, int)
    length = entry.length is None or isinstance(entry.length, int)
    return numbers and length and isinstance(entry.digest, str) and kept == entry.kept


def _is_regular(path: Path) -> bool:
    """Tell whether a path is a file and nothing else: a pipe or a device would never end."""
    return stat.S_ISREG(path.lstat().st_mode)


def digest_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
