"""What the files that an argument names hold, and those that a configuration names in turn."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import yaml

from skywright.data.marked_yaml import BYTES, MarkedError, compose, read_text

__all__ = ["configurations", "digest_named"]

_READ = 1 << 20  # bytes
LONGEST_NAME = 1000  # characters
MOST_FILES = 1000  # of a folder
MOST_CONFIGURATIONS = 100  # that one names, directly or not
HEAD = 4096  # bytes, in which a configuration shows what it is
SUFFIXES = (".yml", ".yaml")
_KEY = re.compile(rb"(?:---[^\n]*\n|[ \t]*(?:#[^\n]*)?\n)*[\"']?\w[\w .-]*[\"']?[ \t]*:\s")


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
    found: dict[str, None] = {}
    if beside:  # a value that stands in for one of a configuration may be a folder as well
        found |= dict.fromkeys(_files(text, [file.parent for file in beside]))
    if _is_file(text):
        found[text] = None
    for file in [file for file in found if _is_configuration(file)]:
        found |= dict.fromkeys(_named_in(file))
    # the order is that of the names, so that it tells two files from their swapped selves
    once = dict.fromkeys(os.path.realpath(file) for file in found)
    return [digest for file in once if (digest := _digest(file))] or None


def _named_in(first: str) -> list[str]:
    """Return all files that a configuration names, directly or not.

    Names are looked for where readers do: beside the file they stand in, beside those that it was
    named in, and in the folder where one works. Those that are no file count for nothing.
    """
    found: dict[str, None] = {}
    folders = [Path(first).parent]
    todo = [first]
    read: set[str] = set()
    while todo and len(read) < MOST_CONFIGURATIONS:
        file = todo.pop(0)
        if os.path.realpath(file) in read:
            continue
        read.add(os.path.realpath(file))
        if Path(file).parent not in folders:
            folders.append(Path(file).parent)
        named = [f for name in _scalars(file, *_state(file)) for f in _files(name, folders)]
        found |= dict.fromkeys(named)
        todo += [f for f in named if _is_configuration(f)]
    return list(found)


def _files(name: str, folders: list[Path]) -> Iterator[str]:
    """Yield the files that a name means in some folders and in that where one works."""
    if not 0 < len(name) < LONGEST_NAME or "\0" in name:
        return
    for place in dict.fromkeys([*(str(folder / name) for folder in folders), name]):
        if os.path.isdir(place):
            yield from filter(_is_file, _data(Path(place)))
        elif _is_file(place):
            yield place


def _data(folder: Path) -> list[str]:
    """Return the images and tables of a folder; not what somebody puts out there."""
    try:
        inside = sorted(f for f in folder.iterdir() if f.suffix in (".fits", ".txt"))
    except OSError:
        return []
    return [str(f) for f in inside[:MOST_FILES]]


@cache
def _scalars(path: str, *_: int) -> tuple[str, ...]:
    """Return all texts in a configuration; size, time and inode tell whether we know it."""
    try:
        node = compose(read_text(path), path)
    except MarkedError:
        return ()
    found: dict[str, None] = {}
    todo, seen = [node], set()
    while todo:
        part = todo.pop()
        if id(part) in seen:  # an alias
            continue
        seen.add(id(part))
        if isinstance(part, yaml.MappingNode):
            todo += [each for pair in part.value for each in pair]
        elif isinstance(part, yaml.SequenceNode):
            todo += part.value
        elif isinstance(part, yaml.ScalarNode):
            found[part.value] = None
    return tuple(found)


def _is_configuration(text: str) -> bool:
    """Tell a file of YAML by its suffix, or else by a first line that is a key.

    The size is bounded: a larger one is data, whatever it looks like.
    """
    if not _is_file(text) or os.path.getsize(text) > BYTES:
        return False
    return text.lower().endswith(SUFFIXES) or _starts_with_a_key(text, *_state(text))


@cache
def _starts_with_a_key(path: str, *_: int) -> bool:
    try:
        with open(path, "rb") as file:
            return bool(_KEY.match(file.read(HEAD).removeprefix(b"\xef\xbb\xbf")))
    except OSError:
        return False


def _is_file(text: str) -> bool:
    try:
        return stat.S_ISREG(os.stat(text).st_mode)
    except (OSError, ValueError):
        return False


def _state(path: str) -> tuple[int, int, int]:
    status = os.stat(path)
    return status.st_size, status.st_mtime_ns, status.st_ino


def _digest(path: str) -> str | None:
    try:
        return _content(path, *_state(path))
    except OSError:
        return None


@cache
def _content(path: str, size: int, *_: int) -> str:
    """Return the digest of a file; size, time and inode tell whether it is the one we know."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        # not further: some files of the kernel say that they are empty, and never end
        while size > 0 and (block := file.read(min(size, _READ))):
            digest.update(block)
            size -= len(block)
    return digest.hexdigest()
