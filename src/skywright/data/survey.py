"""A survey as it lies on disk: the artefact `Survey`, its tiles, and access to their pixels."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field

import astropy.units as u
import numpy as np
from astropy.utils.exceptions import AstropyWarning
from astropy.wcs import WCS

from skywright.data.planes import Plane, read_plane

__all__ = ["Survey", "Tile"]


@dataclass(frozen=True)
class Tile:
    """One image of the sky in every band, on one pixel grid.

    Parameters
    ----------
    name : str
        Name of its first file.
    shape : (2,)
        Height and width in pixels.
    flux : (band,) or (band, y, x)
        Where the pixels of each band lie, or the pixels themselves, of an image that was made and
        never lay in a file.
    weight : (band,) or ()
        Inverse variance of each band; empty when it was not given.
    mask : tuple of Plane
        Any number of maps whose non-zero pixels must not be used.
    wcs : str
        World coordinate system as a FITS header, or an empty string.
    """

    name: str
    shape: tuple[int, int]
    flux: tuple[Plane, ...] | np.ndarray
    weight: tuple[Plane, ...] = ()
    mask: tuple[Plane, ...] = ()
    wcs: str = ""

    def read(
        self, y0: int, y1: int, x0: int, x1: int
    ) -> tuple[np.ndarray, np.ndarray | None, np.ndarray]:
        """Read a window of pixels; only that window is brought into memory.

        Parameters
        ----------
        y0, y1, x0, x1 : int [pixel]
            Rows ``y0 … y1 - 1`` and columns ``x0 … x1 - 1``, inside the tile.

        Returns
        -------
        flux : (band, y, x) float32
            Zero where ``mask`` is true.
        variance : (band, y, x) float32, or None
            From the weight, when there is one; zero where ``mask`` is true.
        mask : (y, x) bool
            True where a pixel must not be used: not finite in some band, masked, or of no weight.
        """
        window = (y0, y1, x0, x1)
        if not (0 <= y0 <= y1 <= self.shape[0] and 0 <= x0 <= x1 <= self.shape[1]):
            raise ValueError(f"window {window} leaves tile {self.name!r} of shape {self.shape}")
        if isinstance(self.flux, np.ndarray):
            flux = np.array(self.flux[:, y0:y1, x0:x1], dtype=np.float32)
        else:
            flux = np.stack([read_plane(plane, window) for plane in self.flux])
        bad = np.asarray(~np.isfinite(flux).all(axis=0))
        for plane in self.mask:
            values = read_plane(plane, window)
            bad |= (values != 0) | ~np.isfinite(values)
        variance = None
        if self.weight:
            weight = np.stack([read_plane(plane, window) for plane in self.weight])
            bad |= ~(np.isfinite(weight) & (weight > 0)).all(axis=0)
            weight[:, bad] = 1
            variance = 1 / weight
            variance[:, bad] = 0
        flux[:, bad] = 0
        return flux, variance, bad

    def sky(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return right ascension and declination [deg] of pixel positions; NaN without a WCS."""
        x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
        if not self.wcs:
            return np.full(x.shape, np.nan), np.full(x.shape, np.nan)
        ra, dec = self.world().wcs_pix2world(x, y, 0) if x.size else (x, y)
        return np.asarray(ra) % 360, np.asarray(dec)

    def pixel(self, ra: np.ndarray, dec: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return pixel positions of right ascension and declination [deg]."""
        if not self.wcs:
            raise ValueError(
                f"tile {self.name!r} has no world coordinate system: give positions as x and y"
            )
        x, y = self.world().wcs_world2pix(np.asarray(ra, float), np.asarray(dec, float), 0)
        return np.asarray(x), np.asarray(y)

    def world(self) -> WCS:
        """Return the world coordinate system."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AstropyWarning)
            return WCS(self.wcs)


@dataclass(frozen=True)
class Survey:
    """Images of one or more tiles with what is known of them; flux stays in its own unit.

    Parameters
    ----------
    tiles : tuple of Tile
        At least one.
    bands : (band,)
        Names in the order of the band axis, the same for every tile.
    unit : Unit
        Unit of the pixels; ``u.ct`` stands for display counts.
    scale : Quantity [arcsec] or None
        Angular size of a pixel. None says that it is unknown, and then ``reason`` says why.
    reason : str
        Why ``scale`` is unknown, or how well it is known.
    zero_point : dict
        Band -> AB magnitude of one ``unit``; empty when it was not given. It is recorded and
        never applied to the pixels.
    gain : dict
        Band -> electrons per ``unit``; empty when it was not given: then no Poisson noise is
        claimed.
    saturation : float [unit] or None
        Value from which a pixel is saturated.
    quantised : bool
        Whether pixel values are whole numbers.
    """

    tiles: tuple[Tile, ...]
    bands: tuple[str, ...]
    unit: u.UnitBase
    scale: u.Quantity | None
    reason: str = ""
    zero_point: dict[str, float] = field(default_factory=dict)
    gain: dict[str, float] = field(default_factory=dict)
    saturation: float | None = None
    quantised: bool = False

    def __post_init__(self) -> None:
        if not self.tiles:
            raise ValueError("a survey needs at least one tile")
        for tile in self.tiles:
            if len(tile.flux) != len(self.bands):
                raise ValueError(
                    f"tile {tile.name!r} has {len(tile.flux)} bands; expected {self.bands}"
                )

    @property
    def area(self) -> u.Quantity | None:
        """Area of all tiles, masked pixels included; None without a pixel scale."""
        if self.scale is None:
            return None
        pixels = sum(tile.shape[0] * tile.shape[1] for tile in self.tiles)
        return (pixels * self.scale**2).to(u.deg**2)
