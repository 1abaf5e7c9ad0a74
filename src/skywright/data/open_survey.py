"""The step that turns files into a `Survey`, with every unit and size checked at the door."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import astropy.units as u
import numpy as np

from skywright.data.astrometry import check_alignment, header_scale, header_wcs
from skywright.data.planes import Opened, Plane, open_planes, read_plane
from skywright.data.survey import Survey, Tile
from skywright.data.units import read_unit

__all__ = ["open_survey"]

# Spellings of BUNIT in use that astropy does not read.
SPELLINGS = {
    "counts": u.ct,
    "count": u.ct,
    "dn": u.DN,
    "electrons": u.electron,
    "electrons/s": u.electron / u.s,
    "counts/s": u.ct / u.s,
    "e-/s": u.electron / u.s,
    "e-": u.electron,
    "nanomaggies": 3.63078e3 * u.nJy,
    "nanomaggy": 3.63078e3 * u.nJy,
}
HUBBLE = "hubble-deep-field"
# The Hubble XDF release picture shows 2.3 x 2.0 arcmin on 1000 x 872 pixels.
HUBBLE_SCALE = 0.138 * u.arcsec
HUBBLE_REASON = "approximate, from the 2.3 x 2.0 arcmin that the picture shows"


def open_survey(
    image: Any,
    *,
    weight: Any = None,
    mask: Any = None,
    bands: list[str] | None = None,
    unit: str | u.UnitBase | None = None,
    scale: str | u.Quantity | None = None,
    zero_point: Any = None,
    gain: Any = None,
    saturation: float | None = None,
) -> Survey:
    """Open images of the sky, and refuse what could not be interpreted.

    Parameters
    ----------
    image : str, dict or list
        ``hubble-deep-field`` (ships with scikit-image); a FITS, HDF5, PNG or JPEG file, of one
        plane or one plane a band (``file.fits[SCI]`` names an extension); a dict band -> file; or
        a list of tiles, each of these.
    weight : like image, optional
        Inverse variance of every band, or one file for all bands.
    mask : like image, optional
        Non-zero where a pixel must not be used; one file, or one a band.
    bands : list of str, optional
        Names of the planes of a file that does not name them.
    unit : str or Unit, optional
        Unit of the pixels where the header has no BUNIT: ``ct`` for display counts.
    scale : str or Quantity [arcsec], optional
        Angular size of a pixel where there is no world coordinate system.
    zero_point : number, Quantity or dict [AB mag], optional
        Magnitude of one ``unit``, for all bands or by band. Recorded; the pixels stay as they are.
    gain : number or dict [electron / unit], optional
        For all bands or by band.
    saturation : float [unit], optional
        Value from which a pixel is saturated; else the header's SATURATE, or the largest value of
        a picture.

    Raises
    ------
    FileNotFoundError
        A file does not exist.
    ValueError
        A file cannot be read, or bands, units or pixel grids are missing or disagree.

    Examples
    --------
    >>> survey = open_survey("hubble-deep-field")
    >>> survey.bands, survey.tiles[0].shape, str(survey.unit)
    (('r', 'g', 'b'), (872, 1000), 'ct')
    """
    if isinstance(image, str) and image == HUBBLE:
        image = _hubble()
        unit, scale = unit or u.ct, scale if scale is not None else HUBBLE_SCALE
        reason = HUBBLE_REASON
    else:
        reason = ""
    sources = list(image) if isinstance(image, (list, tuple)) else [image]
    if not sources:
        raise ValueError("image is an empty list: give at least one file")
    weights, masks = _per_tile(weight, sources, "weight"), _per_tile(mask, sources, "mask")
    opened = [_open(source, bands) for source in sources]
    names = tuple(opened[0])
    tiles = tuple(
        _tile(found, names, w, m) for found, w, m in zip(opened, weights, masks, strict=True)
    )
    sizes, unknown = _scale(tiles, scale)
    first = next(iter(opened[0].values()))
    return Survey(
        tiles=tiles,
        bands=names,
        unit=_unit(opened, unit),
        scale=sizes,
        reason=reason or unknown,
        zero_point=by_band(zero_point, names, "zero_point", u.ABmag),
        gain=by_band(gain, names, "gain", None),
        saturation=_saturation(opened, saturation, first),
        quantised=all(found.whole for tile in opened for found in tile.values()),
    )


def _hubble() -> str:
    spec = find_spec("skimage")
    if spec is None or spec.origin is None:
        raise ValueError(f"{HUBBLE!r} ships with scikit-image, which is not installed")
    return str(Path(spec.origin).parent / "data" / "hubble_deep_field.jpg")


def _per_tile(value: Any, sources: list[Any], what: str) -> list[Any]:
    """Spread what was given for the weight or the mask over the tiles."""
    if not isinstance(value, (list, tuple)):
        if value is not None and len(sources) > 1:
            raise ValueError(f"{what} is one for {len(sources)} tiles: give a list, one a tile")
        return [value] * len(sources)
    if len(value) != len(sources):
        raise ValueError(f"{len(value)} {what}s for {len(sources)} tiles: give one a tile")
    return list(value)


def _open(source: Any, bands: list[str] | None) -> dict[str, Opened]:
    """Return band -> file with one plane, for one tile."""
    if isinstance(source, Mapping):
        if not source:
            raise ValueError("image is an empty mapping: give band: file")
        found = {str(band): open_planes(file) for band, file in source.items()}
        for band, file in found.items():
            if len(file.planes) != 1:
                raise ValueError(
                    f"{source[band]}: {len(file.planes)} planes for band {band!r}; expected one"
                )
        if bands is not None and tuple(bands) != tuple(found):
            raise ValueError(f"bands is {tuple(bands)}, but image names {tuple(found)}")
        return found
    if not isinstance(source, (str, Path)):
        raise TypeError(
            f"image is a {type(source).__name__}; expected a file name, a mapping band: file, or "
            "a list of these"
        )
    whole = open_planes(source)
    names = tuple(bands) if bands is not None else whole.names
    if len(names) != len(whole.planes):
        raise ValueError(f"{source}: {len(names)} band names for {len(whole.planes)} planes")
    names = tuple(name or f"band{i + 1}" for i, name in enumerate(names))
    if len(set(names)) < len(names):
        raise ValueError(f"{source}: band names {names} are not unique")
    return {
        name: Opened((plane,), (name,), whole.shape, whole.header, whole.whole, whole.limit)
        for name, plane in zip(names, whole.planes, strict=True)
    }


def _tile(found: dict[str, Opened], names: tuple[str, ...], weight: Any, mask: Any) -> Tile:
    if tuple(found) != names:
        raise ValueError(f"a tile has the bands {tuple(found)}, the first tile {names}")
    first_name, first = next(iter(found.items()))
    path = Path(first.planes[0].path)
    worlds = {band: header_wcs(file.header) for band, file in found.items()}
    for band, file in found.items():
        if file.shape != first.shape:
            raise ValueError(
                f"{file.planes[0].path}: band {band!r} has shape {file.shape}, band "
                f"{first_name!r} has {first.shape}; resample them to one pixel grid"
            )
        pair = f"{path} ({first_name}) and {file.planes[0].path} ({band})"
        check_alignment(worlds[first_name], worlds[band], first.shape, pair)
    flux = tuple(file.planes[0] for file in found.values())
    weights = _aligned(weight, names, first.shape, "weight")
    tile = Tile(
        name=path.name,
        shape=first.shape,
        flux=flux,
        weight=weights if len(weights) != 1 else weights * len(names),
        mask=_aligned(mask, names, first.shape, "mask"),
        wcs=next((text for text in worlds.values() if text), ""),
    )
    for plane, band in zip(flux, names, strict=True):
        check_pixels(plane, tile.shape, band)
    return tile


def _aligned(
    source: Any, names: tuple[str, ...], shape: tuple[int, int], what: str
) -> tuple[Plane, ...]:
    """Return the planes of a weight or mask: none, one for all bands, or one a band."""
    if source is None:
        return ()
    if isinstance(source, Mapping):
        if set(source) != set(names):
            raise ValueError(f"{what} has the bands {tuple(source)}; expected {names}")
        files = [open_planes(source[name]) for name in names]
    else:
        files = [open_planes(source)]
    planes = tuple(plane for file in files for plane in file.planes)
    for file in files:
        if file.shape != shape:
            raise ValueError(
                f"{file.planes[0].path}: the {what} has shape {file.shape}, the image {shape}"
            )
    if len(planes) not in (1, len(names)):
        raise ValueError(f"{source}: {len(planes)} planes of {what} for {len(names)} bands")
    return planes


def check_pixels(plane: Plane, shape: tuple[int, int], band: str) -> None:
    """Refuse an image in which no pixel is finite; stops at the first that is."""
    for y in range(0, shape[0], 256):
        if np.isfinite(read_plane(plane, (y, min(y + 256, shape[0]), 0, shape[1]))).any():
            return
    raise ValueError(f"{plane.path}: no pixel of band {band!r} is finite; the image is empty")


def _unit(opened: list[dict[str, Opened]], given: str | u.UnitBase | None) -> u.UnitBase:
    if given is not None:
        return parse_unit(given, "unit")
    units: dict[str, Any] = {}
    for tile in opened:
        for band, file in tile.items():
            text = str((file.header or {}).get("BUNIT", "")).strip()
            name = f"{file.planes[0].path} ({band})"
            if not text:
                raise ValueError(
                    f"{name}: the image does not say its unit; give unit='nJy' or whatever it "
                    "is, unit='ct' for display counts without calibration"
                )
            units[name] = parse_unit(text, name)
    first, *others = units
    for other in others:
        if units[other] != units[first]:
            raise ValueError(
                f"{first} is in {units[first]}, {other} in {units[other]}: bring all bands to one "
                "unit"
            )
    return units[first]


def parse_unit(text: Any, name: str) -> u.UnitBase:
    if isinstance(text, u.UnitBase):
        return text
    if text.lower() in SPELLINGS:
        return u.Unit(SPELLINGS[text.lower()])
    for spelling in (text, text.lower()):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", u.UnitsWarning)
                return read_unit(spelling)
        except ValueError:
            continue
    raise ValueError(f"{name}: {text!r} is no unit that astropy knows; give unit='nJy' or the like")


def _scale(tiles: tuple[Tile, ...], given: Any) -> tuple[u.Quantity | None, str]:
    """Return the pixel scale, or None and why it is unknown."""
    if given is not None:
        given = u.Quantity(given)
        if not given.isscalar or not given.unit.is_equivalent(u.arcsec) or not given > 0 * u.deg:
            raise ValueError(f"scale is {given}; expected an angle per pixel, as '0.2 arcsec'")
        given = given.to(u.arcsec)
    found = {tile.name: header_scale(tile.wcs) for tile in tiles}
    known = {name: size for name, size in found.items() if size is not None}
    for name, size in known.items():
        expected = given if given is not None else next(iter(known.values()))
        if abs(size / expected - 1) > 0.01:
            raise ValueError(f"{name}: a pixel is {size:.4g} wide; expected {expected:.4g}")
    if given is not None:
        return given, ""
    if len(known) < len(found):
        name = next(name for name in found if name not in known)
        return None, f"{name} has no world coordinate system, and no scale was given"
    return next(iter(known.values())), ""


def by_band(value: Any, names: tuple[str, ...], what: str, unit: Any) -> dict[str, float]:
    """Spread a number over the bands, or check a mapping."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        value = dict.fromkeys(names, value)
    if set(value) != set(names):
        raise ValueError(f"{what} has the bands {tuple(value)}; expected {names}")
    numbers = {}
    for name in names:
        number = value[name]
        if isinstance(number, u.Quantity):
            if unit is None or number.unit not in (unit, u.mag):
                raise u.UnitsError(f"{what} of band {name!r} is {number}; expected {unit}")
            number = number.value
        numbers[name] = float(number)
        if not np.isfinite(numbers[name]):
            raise ValueError(f"{what} of band {name!r} is {number}; expected a finite number")
    return numbers


def _saturation(
    opened: list[dict[str, Opened]], given: float | None, first: Opened
) -> float | None:
    """Return the lowest value from which some band is saturated."""
    if given is not None:
        return float(given)
    if first.limit is not None:
        return first.limit
    found = [(f.header or {}).get("SATURATE") for tile in opened for f in tile.values()]
    levels = [float(level) for level in found if isinstance(level, (int, float)) and level > 0]
    return min(levels) if levels else None
