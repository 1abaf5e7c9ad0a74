"""`Images` in HDF5, written and read a block at a time.

Field names follow the Multimodal Universe (Angeloudi et al. 2024, arXiv:2412.02527):
``object_id, ra, dec, image{flux, band, psf_fwhm, scale}``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from skywright.data.canonical import Hasher
from skywright.data.hdf5 import own_dataset
from skywright.data.images import Images
from skywright.data.units import read_unit, unit_text

__all__ = ["Stored", "hash_images", "read_images", "write_images"]

CHUNK = 1 << 20


@dataclass(frozen=True)
class Stored:
    """A dataset of an HDF5 file that is opened only while it is read, so it can be pickled.

    Parameters
    ----------
    file : Path
        The HDF5 file.
    name : str
        Path of the dataset inside it.
    shape : tuple of int
        Shape of the dataset.
    dtype : dtype
        Type of its elements.
    """

    file: Path
    name: str
    shape: tuple[int, ...]
    dtype: np.dtype

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> np.ndarray:
        import h5py

        with h5py.File(self.file, "r") as store:
            return np.asarray(own_dataset(store, self.name)[key])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self[...], dtype=dtype)


def write_images(images: Images, path: Path) -> None:
    """Write ``images`` to an HDF5 file whose chunks carry checksums."""
    import h5py

    with h5py.File(path, "w") as store:
        for name in ("object_id", "ra", "dec", "noise_excess"):
            if getattr(images, name) is not None:
                store[name] = np.asarray(getattr(images, name))
        group = store.create_group("image")
        group["band"] = np.array(images.bands, dtype=h5py.string_dtype())
        for name in ("flux", "variance", "mask"):
            if getattr(images, name) is not None:
                _stream(getattr(images, name), group, name)
        if images.psf_fwhm is not None:
            group["psf_fwhm"] = np.asarray(images.psf_fwhm)
            group["psf_fwhm"].attrs["unit"] = "pix"
        if images.scale is not None:
            group["scale"] = float(images.scale.value)
            group["scale"].attrs["unit"] = unit_text(images.scale.unit)
        group["flux"].attrs["unit"] = unit_text(images.unit)
        store.attrs["quantised"] = bool(images.quantised)
        store.attrs["reason"] = images.reason
        if images.saturation is not None:
            store.attrs["saturation"] = float(images.saturation)


def _stream(value: Any, group: Any, name: str) -> None:
    """Copy anything that slices into a dataset, about a megabyte a chunk."""
    shape, dtype = tuple(value.shape), np.dtype(value.dtype)
    if 0 in shape:
        group.create_dataset(name, shape=shape, dtype=dtype)
        return
    rows = max(1, min(shape[0], CHUNK // max(1, math.prod(shape[1:]) * dtype.itemsize)))
    data = group.create_dataset(
        name, shape=shape, dtype=dtype, chunks=(rows, *shape[1:]), fletcher32=True
    )
    for start in range(0, shape[0], 16 * rows):
        data[start : start + 16 * rows] = np.asarray(value[start : start + 16 * rows])


def read_images(path: Path) -> Images:
    """Read the small fields of ``path``; flux, variance and mask stay on disk until sliced."""
    import h5py

    path = Path(path).absolute()
    with h5py.File(path, "r") as store:
        group = store["image"]

        def lazy(name: str) -> Stored | None:
            if name not in group:
                return None
            data = own_dataset(group, name)
            return Stored(path, f"image/{name}", data.shape, data.dtype)

        def small(name: str, where: Any = store) -> np.ndarray | None:
            return np.asarray(own_dataset(where, name)) if name in where else None

        scale = None
        if "scale" in group:
            scale = float(group["scale"][()]) * read_unit(group["scale"].attrs["unit"])
        saturation = store.attrs.get("saturation")
        return Images(
            flux=lazy("flux"),
            bands=tuple(group["band"].asstr()[:]),
            unit=read_unit(group["flux"].attrs["unit"]),
            scale=scale,
            object_id=np.asarray(own_dataset(store, "object_id")),
            ra=small("ra"),
            dec=small("dec"),
            variance=lazy("variance"),
            mask=lazy("mask"),
            psf_fwhm=small("psf_fwhm", group),
            noise_excess=small("noise_excess"),
            quantised=bool(store.attrs["quantised"]),
            saturation=None if saturation is None else float(saturation),
            reason=str(store.attrs["reason"]),
        )


def hash_images(images: Images, into: Hasher) -> None:
    """Add the content of ``images`` to a digest, a block at a time."""
    into.text("images", unit_text(images.unit), repr(bool(images.quantised)), images.reason)
    into.text("none" if images.scale is None else unit_text(images.scale.unit), *images.bands)
    into.number(math.nan if images.scale is None else float(images.scale.value))
    into.number(math.nan if images.saturation is None else float(images.saturation))
    for name in ("object_id", "ra", "dec", "psf_fwhm", "noise_excess", "flux", "variance", "mask"):
        value = getattr(images, name)
        into.text(name, "none" if value is None else "array")
        if value is not None:
            into.array(value if hasattr(value, "dtype") else np.asarray(value))
