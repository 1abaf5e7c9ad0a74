"""How much sky a search has really looked at."""

from __future__ import annotations

import astropy.units as u

from skywright.data.survey import Survey

__all__ = ["searched_area"]

# Rows of a tile that are in memory at once.
STRIP = 512


def searched_area(survey: Survey, *, size: int) -> u.Quantity | None:
    """Return the area in which a galaxy can have a cutout.

    That is the pixels that may be used and lie far enough from every edge. Sky on several tiles
    counts once for each, since its galaxies are listed once for each.

    Parameters
    ----------
    survey : Survey
        The images; read a strip at a time.
    size : int [pixel]
        Side of a cutout.

    Returns
    -------
    Quantity [deg2] or None
        None without a pixel scale.
    """
    if survey.scale is None:
        return None
    before, after = size // 2, (size - 1) // 2
    pixels = 0
    for tile in survey.tiles:
        height, width = tile.shape
        if width <= before + after:
            continue
        for y in range(before, height - after, STRIP):
            stop = min(y + STRIP, height - after)
            _, _, bad = tile.read(y, stop, before, width - after)
            pixels += int((~bad).sum())
    return (pixels * survey.scale**2).to(u.deg**2)
