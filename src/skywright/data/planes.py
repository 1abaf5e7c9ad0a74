"""Planes of pixels in FITS, HDF5, PNG and JPEG files, read a window at a time."""

from __future__ import annotations

import hashlib
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from astropy.utils.exceptions import AstropyUserWarning

from skywright.data.hdf5 import own_dataset

__all__ = ["Opened", "Plane", "open_planes", "read_plane"]

FITS = (".fits", ".fit", ".fts", ".fits.gz", ".fits.fz", ".fz")
HDF5 = (".h5", ".hdf5", ".hdf")
PICTURES = (".png", ".jpg", ".jpeg")
# Extensions that accompany an image and are no band of it.
COMPANIONS = re.compile(r"(ERR|RMS|VAR|WHT|WEIGHT|IVAR|DQ|MASK|FLAG|PSF|SKY|BKG|CTX|EXP)", re.I)


@dataclass(frozen=True)
class Plane:
    """Where a two-dimensional image lies.

    Parameters
    ----------
    path : str
        Absolute path of the file; not part of the digest, which knows the content.
    sha256 : str
        Digest of the whole file.
    part : str
        Number of the FITS extension, or name of the HDF5 dataset.
    index : int or None
        Position along the third axis of a cube or picture.
    """

    path: str = field(metadata={"content": False})
    sha256: str
    part: str = ""
    index: int | None = None


@dataclass(frozen=True)
class Opened:
    """What `open_planes` found in a file.

    Parameters
    ----------
    planes : tuple of Plane
        One a band.
    names : tuple of str
        Names the file gives its planes; empty strings where it gives none.
    shape : (2,)
        Height and width in pixels.
    header : Header or None
        Header of the first plane.
    whole : bool
        Whether the pixels are stored as whole numbers.
    limit : float or None
        Largest value that a picture can hold.
    """

    planes: tuple[Plane, ...]
    names: tuple[str, ...]
    shape: tuple[int, int]
    header: fits.Header | None = None
    whole: bool = False
    limit: float | None = None


def open_planes(source: str | Path) -> Opened:
    """Find the image planes of a file without reading them.

    Parameters
    ----------
    source : str or Path
        ``file.fits``, ``file.fits[SCI]``, ``file.fits[2]``, ``file.h5[image/flux]``,
        ``picture.png``.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        It is empty, truncated, of another type, or it is not clear which image is meant.
    """
    path, part = _split(str(source))
    kind = _kind(path)
    sha256 = _sha256(path)
    with _naming(path):
        if kind == "fits":
            found = _open_fits(path, part, sha256)
        elif kind == "hdf5":
            found = _open_hdf5(path, part, sha256)
        else:
            found = _open_picture(path, sha256)
        if 0 in found.shape:
            raise ValueError(f"the image has no pixels: its shape is {found.shape}")
        # A truncated file shows only when its end is asked for.
        read_plane(found.planes[-1], (found.shape[0] - 1, found.shape[0], 0, found.shape[1]))
    return found


def read_plane(plane: Plane, window: tuple[int, int, int, int]) -> np.ndarray:
    """Read ``window`` (y0, y1, x0, x1) of ``plane`` as (y, x) float32."""
    y0, y1, x0, x1 = window
    path = Path(plane.path)
    kind = _kind(path)
    lead = () if plane.index is None else (plane.index,)
    key = (*lead, slice(y0, y1), slice(x0, x1))
    with _naming(path):
        if kind == "fits":
            with _fits(path) as hdus:
                if (y1 - y0) * (x1 - x0) == 0:
                    return np.zeros((y1 - y0, x1 - x0), dtype=np.float32)
                return np.array(hdus[int(plane.part)].section[key], dtype=np.float32)
        if kind == "hdf5":
            import h5py

            with h5py.File(path, "r") as store:
                return np.array(own_dataset(store, plane.part)[key], dtype=np.float32)
        pixels, _ = _decode(path)
        return pixels[key].astype(np.float32)


def _split(source: str) -> tuple[Path, str]:
    match = re.fullmatch(r"(.+)\[([^\[\]]+)\]", source)
    if match and not Path(source).exists():
        return Path(match[1]).absolute(), match[2]
    return Path(source).absolute(), ""


def _kind(path: Path) -> str:
    name = path.name.lower()
    for kind, endings in (("fits", FITS), ("hdf5", HDF5), ("picture", PICTURES)):
        if name.endswith(endings):
            return kind
    raise ValueError(
        f"{path}: not a type of image that can be read; expected FITS {FITS}, HDF5 {HDF5} or a "
        f"picture {PICTURES}"
    )


def _sha256(path: Path) -> str:
    if not path.exists():
        raise FileNotFoundError(f"{path}: there is no such image; check the path")
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder: give its files as a list of tiles")
    if path.stat().st_size == 0:
        raise ValueError(f"{path}: the file is empty; copy or download it again")
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Name the file in whatever its reader complains about."""
    try:
        yield
    except (OSError, ValueError, EOFError, KeyError, IndexError, TypeError, SyntaxError) as error:
        if str(path) in str(error):
            raise
        raise ValueError(f"{path}: cannot be read as an image: {error}") from error


@contextmanager
def _fits(path: Path) -> Iterator[fits.HDUList]:
    with warnings.catch_warnings():
        # Truncation and odd cards are checked here, with clearer words.
        warnings.simplefilter("ignore", AstropyUserWarning)
        with fits.open(path, memmap=True, lazy_load_hdus=True) as hdus:
            yield hdus


def _open_fits(path: Path, part: str, sha256: str) -> Opened:
    with _fits(path) as hdus:
        hdus.readall()
        plain = path.suffix.lower() != ".gz"
        for hdu in hdus:
            place = hdu.fileinfo()
            end = place["datLoc"] + place["datSpan"] if place else 0
            if plain and end > path.stat().st_size:
                raise ValueError(
                    f"truncated: {path.stat().st_size} bytes of at least {end}; copy or download "
                    "it again"
                )
        images = {
            i: hdu
            for i, hdu in enumerate(hdus)
            if getattr(hdu, "is_image", False) and len(hdu.shape) >= 2
        }
        chosen = _choose(images, hdus, part)
        planes: list[Plane] = []
        names: list[str] = []
        shape = images[chosen[0]].shape
        for number in chosen:
            lead = _lead(images[number].shape)
            for index in lead:
                planes.append(Plane(str(path), sha256, str(number), index))
            names += _names(images[number], len(lead), len(chosen) > 1)
        header = images[chosen[0]].header.copy()
        if chosen[0] != 0 and header.get("INHERIT", True):
            header.extend(hdus[0].header, unique=True, bottom=True)
        whole = header["BITPIX"] > 0 and header.get("BSCALE", 1) == 1
        return Opened(tuple(planes), tuple(names), (shape[-2], shape[-1]), header, whole)


def _choose(images: dict[int, Any], hdus: fits.HDUList, part: str) -> list[int]:
    """Return the numbers of the extensions that are meant, one a band unless it is a cube."""
    listing = ", ".join(f"{i}:{h.name or '-'}{h.shape}" for i, h in images.items())
    if not images:
        raise ValueError("the FITS file holds no image")
    if part:
        number = int(part) if part.isdigit() else hdus.index_of(part)
        if number not in images:
            raise ValueError(f"extension {part!r} is no image; there are {listing}")
        return [number]
    if len(images) == 1:
        return list(images)
    science = [i for i, h in images.items() if h.name.upper() == "SCI"]
    if len(science) == 1:
        return science
    names = [h.name for h in images.values()]
    shapes = {h.shape for h in images.values()}
    unlike = len(set(names)) < len(names) or any(COMPANIONS.search(n) or not n for n in names)
    if len(shapes) == 1 and len(next(iter(shapes))) == 2 and not unlike:
        return list(images)
    raise ValueError(
        f"several images, and it is not clear which are the bands: {listing}; name them, as "
        "image={g: 'file.fits[1]', r: 'file.fits[2]'}"
    )


def _lead(shape: tuple[int, ...]) -> list[int | None]:
    if len(shape) == 2:
        return [None]
    if len(shape) == 3:
        return list(range(shape[0]))
    raise ValueError(f"an image of shape {shape}; expected (y, x) or (band, y, x)")


def _names(hdu: Any, count: int, several: bool) -> list[str]:
    if several:
        return [hdu.name.lower()]
    words = str(hdu.header.get("FILTER", hdu.header.get("BAND", ""))).split()
    return [words[0]] if words and count == 1 else [""] * count


def _open_hdf5(path: Path, part: str, sha256: str) -> Opened:
    import h5py

    with h5py.File(path, "r") as store:
        found: dict[str, tuple[int, ...]] = {}

        def note(name: str, item: Any) -> None:
            if isinstance(item, h5py.Dataset) and item.ndim in (2, 3):
                found[name] = item.shape

        store.visititems(note)
        if part:
            found = {name: shape for name, shape in found.items() if name == part.strip("/")}
        if len(found) != 1:
            raise ValueError(
                f"expected one dataset of two or three axes{f' called {part}' if part else ''}, "
                f"got {found or 'none'}; name it as 'file.h5[name]'"
            )
        ((name, shape),) = found.items()
        whole = own_dataset(store, name).dtype.kind in "iu"
        lead = _lead(shape)
        planes = tuple(Plane(str(path), sha256, name, index) for index in lead)
        return Opened(planes, ("",) * len(lead), (shape[-2], shape[-1]), None, whole)


def _decode(path: Path) -> tuple[np.ndarray, float]:
    """Return a picture as (band, y, x) float32, NaN where it is transparent, and its limit."""
    from PIL import Image

    with Image.open(path, formats=("PNG", "JPEG")) as picture:  # others start programs
        coded = picture.mode in ("P", "CMYK", "YCbCr", "HSV", "LAB")
        plain = "RGBA" if "transparency" in picture.info else "RGB"
        pixels = np.asarray(picture.convert(plain) if coded else picture)
    limit = 1.0 if pixels.dtype == bool else float(np.iinfo(pixels.dtype).max)
    if pixels.dtype == np.int32:  # how Pillow hands out 16-bit grey
        limit = 65535.0
    planes = np.atleast_3d(pixels).transpose(2, 0, 1).astype(np.float32)
    if planes.shape[0] in (2, 4):
        alpha = planes[-1]
        planes = np.where(alpha == 0, np.float32(np.nan), planes[:-1])
    return planes, limit


def _open_picture(path: Path, sha256: str) -> Opened:
    pixels, limit = _decode(path)
    count = pixels.shape[0]
    planes = tuple(Plane(str(path), sha256, "", index) for index in range(count))
    names = ("r", "g", "b") if count == 3 else ("grey",)
    return Opened(planes, names, (pixels.shape[1], pixels.shape[2]), None, True, limit)
