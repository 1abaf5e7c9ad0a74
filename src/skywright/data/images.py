"""Stacks of cutouts with their units: the artefact `Images`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import astropy.units as u
import numpy as np

__all__ = ["Images"]


@dataclass(frozen=True)
class Images:
    """Cutouts of many objects on one pixel grid.

    Flux, variance and mask may be anything that slices along its first axis (numpy, h5py), so
    that a million cutouts never sit in memory; every block that is read is validated by itself.

    Parameters
    ----------
    flux : (n, band, y, x) [unit]
        Flux per pixel, above the level of the sky.
    bands : (band,)
        Names, in the order of the band axis.
    unit : Unit
        Unit of ``flux``; ``u.ct`` stands for display counts of an image without calibration.
    scale : Quantity [arcsec] or None
        Angular size of a pixel. None says that it is unknown, and then ``reason`` says why.
    object_id : (n,) int64
        One identifier per row.
    ra, dec : (n,) [deg], optional
        Sky position of the central pixel; NaN where there is no world coordinate system.
    variance : (n, band, 1 or y, 1 or x) [unit^2], optional
        Background variance per pixel, constant over a cutout or a map.
    mask : (n, y, x) bool, optional
        True where a pixel must not be used.
    psf_fwhm : (band,) [pixel], optional
        Full width at half maximum of the point spread function.
    noise_excess : (n,), optional
        Noise of the bands added over a point source, in units of what independent pixels and
        bands of ``variance`` would give; above 1 where resampling or compression ties them
        together, None where it was not measured. See `skywright.data.measure_noise_excess`.
    quantised : bool
        Whether pixel values are whole numbers (an 8-bit image): what is painted is rounded alike.
    saturation : float [unit], optional
        Largest value a pixel can take, above the level of the sky.
    reason : str
        Why ``scale`` is unknown.
    """

    flux: Any
    bands: tuple[str, ...]
    unit: u.UnitBase
    scale: u.Quantity | None
    object_id: np.ndarray
    ra: np.ndarray | None = None
    dec: np.ndarray | None = None
    variance: Any = None
    mask: Any = None
    psf_fwhm: np.ndarray | None = None
    noise_excess: np.ndarray | None = None
    quantised: bool = False
    saturation: float | None = None
    reason: str = ""

    def __post_init__(self) -> None:
        shape = self.flux.shape
        if len(shape) != 4:
            raise ValueError(
                f"flux has shape {shape}; expected four axes (n, band, y, x): "
                "add the missing axis with flux[None] or flux[:, None]"
            )
        if len(self.bands) != shape[1]:
            raise ValueError(f"{len(self.bands)} band names for {shape[1]} bands of flux")
        if not isinstance(self.unit, u.UnitBase):
            raise TypeError(
                f"unit is {self.unit!r}; expected an astropy unit such as u.nJy, or u.ct for "
                "display counts"
            )
        if self.scale is None and not self.reason:
            raise ValueError(
                "images without a pixel scale: give scale=0.2 * u.arcsec, or scale=None with "
                "reason='…' when it is truly unknown"
            )
        if self.scale is not None and not self.scale.unit.is_equivalent(u.arcsec):
            raise u.UnitsError(f"scale is {self.scale}; expected an angle per pixel, as 0.2 arcsec")
        if len(self.object_id) != shape[0]:
            raise ValueError(f"{len(self.object_id)} object_id for {shape[0]} images")
        excess = self.noise_excess
        if excess is not None and (
            np.shape(excess) != shape[:1] or not (np.isfinite(excess) & (excess > 0)).all()
        ):
            raise ValueError(
                f"noise_excess has shape {np.shape(excess)}; expected one number above zero for "
                f"each of {shape[0]} images, or None where it was not measured"
            )

    def __len__(self) -> int:
        return int(self.flux.shape[0])

    def __getitem__(self, rows: Any) -> Images:
        """Return the images of ``rows`` (slice, boolean or integer array) read into memory."""
        if isinstance(rows, (int, np.integer)):
            rows = slice(int(rows), int(rows) + 1)

        def pick(value: Any) -> Any:
            return None if value is None else _take(value, rows)

        return replace(
            self,
            flux=pick(self.flux),
            object_id=pick(self.object_id),
            ra=pick(self.ra),
            dec=pick(self.dec),
            variance=pick(self.variance),
            mask=pick(self.mask),
            noise_excess=pick(self.noise_excess),
        )

    def blocks(self, rows: int = 1024) -> Iterator[Images]:
        """Yield the images in order, ``rows`` at a time."""
        for start in range(0, len(self), rows):
            yield self[start : start + rows]

    @property
    def pixel(self) -> u.Quantity:
        """Side of a pixel as an angle, or one pixel when the scale is unknown."""
        return self.scale if self.scale is not None else 1.0 * u.pix


def _take(value: Any, rows: Any) -> np.ndarray:
    """Read ``rows`` of anything that slices; h5py wants its indices sorted and unique."""
    if isinstance(rows, slice) or isinstance(value, np.ndarray):
        return np.asarray(value[rows])
    rows = np.flatnonzero(rows) if np.asarray(rows).dtype == bool else np.asarray(rows)
    unique, inverse = np.unique(rows, return_inverse=True)
    return np.asarray(value[unique])[inverse]
