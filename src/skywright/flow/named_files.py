"""What the files that an argument names hold, and those that a configuration names in turn."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import stat
from collections import deque
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import yaml

from skywright.data.marked_yaml import BYTES

__all__ = ["configurations", "digest_named"]

_READ = 1 << 20  # bytes
LONGEST_NAME = 1000  # characters
MOST_FILES = 1000  # of a folder
MOST_CONFIGURATIONS = 100  # that one names, directly or not
HEAD = 4096  # bytes, in which a configuration shows what it is
SUFFIXES = (".yml", ".yaml")
_KEY = re.compile(rb"(?:---[^\n]*\n|[ \t]*(?:#[^\n]*)?\n)*[\"']?\w[\w .-]*[\"']?[ \t]*:\s")


class _Content(NamedTuple):
    """What a file holds: its digest and, of a configuration, all texts in it."""

    digest: str
    texts: tuple[str, ...] | None


def configurations(texts: Iterable[str]) -> tuple[Path, ...]:
    """Return which texts name a configuration: a file of YAML, by suffix or by its first line."""
    return tuple(Path(text) for text in texts if _is_configuration(text))


def digest_named(text: str, beside: tuple[Path, ...] = ()) -> list[str] | None:
    """Return digests of the file that a text names and of those that it names; None if it is none.

    A step that is handed a configuration reads the files named in it, those named in these, and
    so on; they all count as its input, as do tables and images in folders that are named.

    Parameters
    ----------
    text : str
        An argument; ``file.fits[SCI]`` names a file too.
    beside : tuple of Path
        Configurations among the other arguments, beside which a name may be looked for.
    """
    text = text if not text.endswith("]") or os.path.exists(text) else text.rpartition("[")[0]
    found: list[str] = []
    if beside:  # a value that stands in for one of a configuration may be a folder as well
        found += _files(text, [file.parent for file in beside])
    found.append(text)
    for file in filter(_is_configuration, list(found)):
        found += _named_in(file)
    # the order is that of the names, so that it tells two files from their swapped selves
    once = dict.fromkeys(os.path.realpath(file) for file in found if _content(file))
    return [content.digest for file in once if (content := _content(file))] or None


def _named_in(first: str) -> list[str]:
    """Return all files that a configuration names, directly or not.

    Names are looked for where readers do: beside the file they stand in, beside those that it was
    named in, and in the folder where one works. Those that are no file count for nothing.
    """
    found: list[str] = []
    folders: list[Path] = []
    todo = deque([first])
    read: set[str] = set()
    while todo and len(read) < MOST_CONFIGURATIONS:
        file = todo.popleft()
        content = _content(file)
        if os.path.realpath(file) in read or content is None or content.texts is None:
            continue
        read.add(os.path.realpath(file))
        if Path(file).parent not in folders:
            folders.append(Path(file).parent)
        named = dict.fromkeys(f for name in content.texts for f in _files(name, folders))
        found += named
        todo += named
    return found


def _files(name: str, folders: list[Path]) -> Iterator[str]:
    """Yield the files that a name means in some folders and in that where one works."""
    if not 0 < len(name) < LONGEST_NAME or "\0" in name:
        return
    for place in dict.fromkeys([*(str(folder / name) for folder in folders), name]):
        if os.path.isdir(place):
            yield from filter(_content, _data(Path(place)))
        elif _content(place):
            yield place


def _data(folder: Path) -> list[str]:
    """Return the images and tables of a folder; not what somebody puts out there."""
    try:
        inside = sorted(f for f in folder.iterdir() if f.suffix in (".fits", ".txt"))
    except OSError:
        return []
    return [str(f) for f in inside[:MOST_FILES]]


def _is_configuration(text: str) -> bool:
    content = _content(text)
    return content is not None and content.texts is not None


def _content(path: str) -> _Content | None:
    """Return what a file holds; None if it is none."""
    try:
        status = os.stat(path)
        if stat.S_ISREG(status.st_mode):
            return _read(path, status.st_size, status.st_mtime_ns, status.st_ino)
    except (OSError, ValueError):
        pass
    return None


@cache
def _read(path: str, size: int, *_: int) -> _Content:
    """Read a file; size, time and inode tell whether it is the one we know.

    A configuration is known by its suffix, or else by a first line that is a key. Its size is
    bounded: a larger one is data, whatever it looks like.
    """
    digest, left = hashlib.sha256(), size
    with open(path, "rb") as file:
        start = block = file.read(min(left, _READ))
        while block:
            digest.update(block)
            left -= len(block)
            # not further: some files of the kernel say that they are empty, and never end
            block = file.read(min(left, _READ))
    if not 0 < size <= BYTES:
        return _Content(digest.hexdigest(), None)
    keyed = _KEY.match(start[:HEAD].removeprefix(b"\xef\xbb\xbf"))
    texts = _scalars(start) if keyed or path.lower().endswith(SUFFIXES) else None
    return _Content(digest.hexdigest(), texts)


def _scalars(text: bytes) -> tuple[str, ...]:
    """Return all texts in a configuration, as far as it is YAML; each alias stands for nothing."""
    found: dict[str, None] = {}
    with contextlib.suppress(Exception):  # PyYAML's scanner leaks errors of every kind
        for event in yaml.parse(text):
            if isinstance(event, yaml.ScalarEvent):
                found[event.value] = None
    return tuple(found)
