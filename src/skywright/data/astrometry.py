"""Pixel scales and world coordinates: read from headers, compared between bands."""

from __future__ import annotations

import warnings

import astropy.units as u
import numpy as np
from astropy.io import fits
from astropy.utils.exceptions import AstropyWarning
from astropy.wcs import WCS
from astropy.wcs.utils import proj_plane_pixel_scales

__all__ = ["check_alignment", "header_scale", "header_wcs"]

# Bands whose grids differ by more than this cannot share a cutout.
TOLERANCE = 0.1


def header_wcs(header: fits.Header | None) -> str:
    """Return the celestial world coordinate system of a header as text, or an empty string."""
    if header is None:
        return ""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AstropyWarning)
        try:
            world = WCS(header).celestial
        except Exception as error:
            # wcslib raises a dozen types of its own; all of them mean the same to the user.
            raise ValueError(f"the world coordinate system cannot be read: {error}") from error
        if not world.has_celestial:
            return ""
        return str(world.to_header(relax=True).tostring(padding=False))


def header_scale(wcs: str) -> u.Quantity | None:
    """Return the angular size of a pixel, or None without world coordinates."""
    if not wcs:
        return None
    sides = proj_plane_pixel_scales(_world(wcs)) * u.deg
    return np.sqrt(sides[0] * sides[1]).to(u.arcsec)


def check_alignment(first: str, other: str, shape: tuple[int, int], names: str) -> None:
    """Raise a ValueError when two bands put the corners of the image elsewhere on the sky."""
    if not first or not other or first == other:
        return
    y, x = np.array([0, 0, shape[0] - 1, shape[0] - 1]), np.array([0, shape[1] - 1] * 2)
    back = _world(other).wcs_world2pix(*_world(first).wcs_pix2world(x, y, 0), 0)
    offset = float(np.max(np.hypot(back[0] - x, back[1] - y)))
    if not offset <= TOLERANCE:
        raise ValueError(
            f"{names} disagree about the sky by {offset:.3g} pixels (at most {TOLERANCE} is "
            "allowed): resample them to one pixel grid"
        )


def _world(wcs: str) -> WCS:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AstropyWarning)
        return WCS(wcs)
