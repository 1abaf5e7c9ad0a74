"""Public data by name: pinned address and checksum, downloaded only when asked."""

from __future__ import annotations

import gzip
import hashlib
import os
import tomllib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

__all__ = ["Dataset", "datasets", "fetch", "path"]

VARIABLE = "SKYWRIGHT_DATA"


@dataclass(frozen=True)
class Dataset:
    """Public data that recipes and tests use.

    Parameters
    ----------
    name : str
        What it is fetched by.
    description, licence, cite : str
        In words.
    folder : str
        Where its files lie, under the folder that ``SKYWRIGHT_DATA`` names or under the cache.
    url : str
        Address that the files' paths are relative to, pinned to a commit.
    files : dict
        File name -> ``{"path": …, "sha256": …}``; a name that ends in ``.gz`` is compressed when
        it is stored, and the digest is that of its content.
    """

    name: str
    description: str
    licence: str
    cite: str
    folder: str
    url: str
    files: dict[str, dict[str, str]]


def datasets() -> dict[str, Dataset]:
    """Return all public data by name.

    >>> sorted(datasets())
    ['core-collapse-seds', 'des-backgrounds', 'des-lens', 'euclid-lens', 'known-lenses',
     'type-ia-sed']
    """
    text = (files("skywright.data") / "datasets.toml").read_text("utf-8")
    return {name: Dataset(name=name, **facts) for name, facts in tomllib.loads(text).items()}


def path(name: str) -> Path:
    """Return where the files of a dataset lie, checked against their digests; nothing is fetched.

    Parameters
    ----------
    name : str
        One of `datasets`.

    Returns
    -------
    Path
        The file of a dataset of one file, otherwise the folder of its files.

    Raises
    ------
    KeyError
        There is no such dataset.
    FileNotFoundError
        It is not on this machine.
    ValueError
        A file is not the one that is meant.
    """
    dataset = _find(name)
    root = os.environ.get(VARIABLE)
    folder = (Path(root) if root else _cache()) / dataset.folder
    for file, facts in dataset.files.items():
        _verify(folder / file, facts["sha256"], name)
    return folder / next(iter(dataset.files)) if len(dataset.files) == 1 else folder


def fetch(name: str) -> Path:
    """Download a dataset unless it is here already, and return `path` of it.

    With ``SKYWRIGHT_DATA`` set, the files are taken from that folder and nothing is downloaded.

    Raises
    ------
    OSError
        The network cannot be reached or the server refuses.
    ValueError
        What came is not what is meant.
    """
    if not os.environ.get(VARIABLE):
        _download(_find(name))
    return path(name)


def _find(name: str) -> Dataset:
    known = datasets()
    if name not in known:
        raise KeyError(f"no dataset {name!r}; there are {', '.join(sorted(known))}")
    return known[name]


def _cache() -> Path:
    import pooch

    return Path(pooch.os_cache("skywright"))


def _verify(file: Path, sha256: str, name: str) -> None:
    if not file.is_file():
        raise FileNotFoundError(
            f"{file} of dataset {name!r} is not here: run 'skywright data fetch {name}', or set "
            f"{VARIABLE} to a folder that holds it"
        )
    opener = gzip.open if file.suffix == ".gz" else open
    try:
        with opener(file, "rb") as stream:
            found = hashlib.sha256(stream.read()).hexdigest()
    except (OSError, EOFError) as error:
        raise ValueError(f"{file} of dataset {name!r} cannot be read: {error}") from error
    if found != sha256:
        raise ValueError(
            f"{file} is not the file of dataset {name!r}: its digest is {found[:12]}…, expected "
            f"{sha256[:12]}…; delete it and fetch again"
        )


def _download(dataset: Dataset) -> None:
    import pooch

    folder = _cache() / dataset.folder
    for name, facts in dataset.files.items():
        if (folder / name).is_file():
            continue
        url = f"{dataset.url}/{facts['path']}"
        plain = name.removesuffix(".gz")
        try:
            pooch.retrieve(url, f"sha256:{facts['sha256']}", plain, folder, progressbar=False)
        except ValueError as error:
            raise ValueError(f"{url}: not the file that is meant: {error}") from error
        except Exception as error:
            # Every layer below has its own exceptions; to the user all are a failed download.
            raise OSError(
                f"{url} cannot be downloaded ({type(error).__name__}: {error}); without a network "
                f"set {VARIABLE} to a folder that holds {dataset.folder}/{name}"
            ) from error
        if plain != name:
            content = (folder / plain).read_bytes()
            (folder / name).write_bytes(gzip.compress(content, mtime=0))
            (folder / plain).unlink()
