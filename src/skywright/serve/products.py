"""Candidates for other programs: DS9 regions, a VOTable, FITS cutouts."""

from __future__ import annotations

import io
import warnings

import astropy.units as u
import numpy as np
from astropy.io import fits
from astropy.io.votable import from_table
from astropy.table import QTable, Row
from astropy.utils.exceptions import AstropyWarning

from skywright.data import Files, Images, Survey
from skywright.data.footprints import corners

__all__ = ["products"]

# Smaller DS9 circles hide the object they mark [pixel].
SMALLEST = 4.0
HEAD = '# Region file format: DS9 version 4.1\nglobal color=green width=1 font="helvetica 10"\n'


def products(
    candidates: QTable, images: Images, *, survey: Survey | None = None, cutouts: int = 24
) -> Files:
    """Make files that TOPCAT, DS9 and Aladin open.

    Parameters
    ----------
    candidates : QTable
        Made by `skywright.serve.candidates`.
    images : Images
        Cutouts among which are those of the first candidates, found by ``object_id``.
    survey : Survey, optional
        With it the FITS cutouts carry the world coordinates of their image.
    cutouts : int
        Number of candidates that get a FITS cutout.

    Returns
    -------
    Files
        ``candidates.vot``: all rows. ``candidates.reg``: the rows within the inspection budget
        and the known lenses, on the sky; ``candidates-tileN.reg`` in pixels of image N where
        there are no world coordinates. ``cutouts.fits``: one extension a candidate.

    Raises
    ------
    ValueError
        When a candidate has no cutout.
    """
    content = {"candidates.vot": _votable(candidates), **_regions(candidates, images)}
    content["cutouts.fits"] = _cutouts(candidates[:cutouts], images, survey)
    return Files(content)


def _votable(candidates: QTable) -> bytes:
    votable = from_table(candidates)
    table = votable.get_first_table()
    for column in table.fields:
        column.ucd = (candidates[column.name].info.meta or {}).get("ucd")
    table.description = str(candidates.meta.get("content", ""))
    buffer = io.BytesIO()
    votable.to_xml(buffer)
    return buffer.getvalue()


def _regions(candidates: QTable, images: Images) -> dict[str, bytes]:
    """Return the region files, in sky coordinates where there are any."""
    marked = np.ones(len(candidates), dtype=bool)
    for name in ("inspect", "known"):
        if name in candidates.colnames:
            chosen = np.array(candidates[name], dtype=bool)
            marked = chosen if name == "inspect" else marked | chosen
    lines: dict[str, list[str]] = {}
    for row in candidates[marked]:
        pixels = _radius(row, images)
        if images.scale is not None and _on_sky(row):
            name, frame = "candidates.reg", "fk5"
            size = pixels * images.scale.to_value(u.arcsec)
            place = f'{row["ra"].value:.7f},{row["dec"].value:.7f},{size:.3f}"'
        else:
            name, frame = f"candidates-tile{_tile(row)}.reg", "image"
            # DS9 counts pixels from one.
            place = f"{row['x'].value + 1:.2f},{row['y'].value + 1:.2f},{pixels:.2f}"
        label = f"{int(row['rank'])}: p={float(row['probability']):.3g}"
        colour = " color=cyan" if "known" in row.colnames and row["known"] else ""
        lines.setdefault(name, [HEAD + frame]).append(f"circle({place}) # text={{{label}}}{colour}")
    return {name: ("\n".join(text) + "\n").encode() for name, text in lines.items()}


def _on_sky(row: Row) -> bool:
    return "ra" in row.colnames and bool(np.isfinite(row["ra"]) and np.isfinite(row["dec"]))


def _tile(row: Row) -> int:
    return int(row["tile"]) if "tile" in row.colnames else 0


def _radius(row: Row, images: Images) -> float:
    """Return the Einstein radius [pixel], or what can still be seen around a galaxy."""
    if "einstein_radius" not in row.colnames or not np.isfinite(row["einstein_radius"]):
        return 2 * SMALLEST
    radius = row["einstein_radius"]
    pixels = radius.value if radius.unit == u.pix else (radius / images.pixel).to_value("")
    return max(float(pixels), SMALLEST)


def _cutouts(candidates: QTable, images: Images, survey: Survey | None) -> bytes:
    primary = fits.PrimaryHDU()
    primary.header["CONTENT"] = (str(candidates.meta.get("content", ""))[:66], "what this holds")
    primary.header["NCAND"] = (len(candidates), "extensions, best candidate first")
    hdus = fits.HDUList([primary])
    ids = np.asarray(images.object_id)
    order = np.argsort(ids, kind="stable")
    for row in candidates:
        place = np.searchsorted(ids[order], row["object_id"])
        if place == len(ids) or ids[order[place]] != row["object_id"]:
            raise ValueError(
                f"candidate {row['object_id']} has no cutout: give the Images that were ranked"
            )
        image = images[int(order[place])]
        hdus.append(_extension(row, image, survey))
    buffer = io.BytesIO()
    hdus.writeto(buffer)
    return buffer.getvalue()


def _extension(row: Row, image: Images, survey: Survey | None) -> fits.ImageHDU:
    """Return one candidate as a cube (band, y, x) with what is known of it in the header."""
    flux = np.asarray(image.flux[0], dtype=np.float32)
    corner = corners(QTable({"x": [row["x"].value], "y": [row["y"].value]}), flux.shape[-1])[0]
    header = _sky_header(_tile(row), corner, survey)
    header["OBJECT"] = (str(row["object_id"]), "identifier of the galaxy")
    header["RANK"] = (int(row["rank"]), "1 is the most probable")
    header["PROB"] = (float(row["probability"]), "of a lens, at the survey's prevalence")
    if _on_sky(row):
        header["RA"] = (float(row["ra"].value), "[deg]")
        header["DEC"] = (float(row["dec"].value), "[deg]")
    header["X"] = (float(row["x"].value), "[pixel] in image TILE, first is 0")
    header["Y"] = (float(row["y"].value), "[pixel] in image TILE, first is 0")
    header["TILE"] = (_tile(row), "number of the image, first is 0")
    # The NOAO convention for where a section lies in its parent image.
    header["LTV1"], header["LTV2"] = -float(corner[1]), -float(corner[0])
    if image.scale is not None:
        header["PIXSCALE"] = (float(image.scale.to_value(u.arcsec)), "[arcsec] side of a pixel")
    else:
        header["COMMENT"] = f"size of a pixel unknown: {image.reason}"
    header["BUNIT"] = image.unit.to_string()
    for number, band in enumerate(image.bands, start=1):
        header[f"BAND{number}"] = (band, f"plane {number} of the third axis")
    return fits.ImageHDU(flux, header=header, name=f"RANK{int(row['rank']):04d}")


def _sky_header(tile: int, corner: np.ndarray, survey: Survey | None) -> fits.Header:
    """Return the world coordinates of the image, moved to the cutout's first pixel."""
    if survey is None or not survey.tiles[tile].wcs:
        return fits.Header()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AstropyWarning)
        world = survey.tiles[tile].world()
        world.wcs.crpix = world.wcs.crpix - corner[::-1]
        if world.sip is not None:
            world.sip.crpix[:] = world.sip.crpix - corner[::-1]
        return world.to_header(relax=True)
