"""Galaxies of a catalogue as sources behind lenses: their colours, sizes and brightness."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import astropy.units as u
import numpy as np
from astropy.table import QTable

from skywright.data import Images, Psf
from skywright.sky.field import Field
from skywright.sky.lens_population.checks import checked_column, checked_magnitudes
from skywright.sky.painting import point_spread
from skywright.sky.photometry import arc_snr
from skywright.sky.scene import painted_shapes

__all__ = ["Behind", "choose_sources", "select_sources", "snr_of_sources"]

BATCH = 250
SMALLEST = 0.1  # FWHM: of a smaller source no arc is resolved; see `place_sources`


@dataclass(frozen=True)
class Behind:
    """Sources that were chosen from a catalogue, one a system.

    Parameters
    ----------
    share : (n, band)
        Share of each band in the light, adding up to 1 in the unit of the images.
    radius_fwhm : (n,) [FWHM]
        Half-light radius in widths of the widest point spread function.
    flux : (n, band) [unit of the images]
        Flux before it is lensed.
    """

    share: np.ndarray
    radius_fwhm: np.ndarray
    flux: np.ndarray


def select_sources(
    galaxies: QTable,
    *,
    redshift: tuple[float, float],
    faintest: Mapping[str, float],
    part: tuple[int, int] = (0, 1),
) -> QTable:
    """Return the galaxies of a catalogue that may lie behind a lens.

    Parameters
    ----------
    galaxies : QTable
        Columns ``z`` and ``mag_<band>`` [AB mag].
    redshift : (low, high)
        Bounds.
    faintest : dict
        Band -> faintest magnitude.
    part : (k, n)
        Part ``k`` (from 0) of ``n`` parts that share no row: training and test see other sources.

    Returns
    -------
    QTable
        The rows within all bounds, of one part.

    Raises
    ------
    ValueError
        A column is missing or not finite, there is no such part, or no row is left.

    Examples
    --------
    >>> from astropy.table import QTable
    >>> galaxies = QTable({"z": [0.5, 1.0, 1.5], "mag_r": [22.0, 23.0, 25.0]})
    >>> len(select_sources(galaxies, redshift=(0.9, 2.0), faintest={"r": 24.0}))
    1
    """
    first, step = part
    if not 0 <= first < step:
        raise ValueError(f"part is {part}; expected (k, n) with k from 0 to n - 1")
    z = checked_column(galaxies, "z")
    kept = (z >= redshift[0]) & (z <= redshift[1])
    for band, limit in faintest.items():
        kept &= checked_magnitudes(galaxies, f"mag_{band}") <= limit
    chosen = np.flatnonzero(kept)[first::step]
    if not chosen.size:
        raise ValueError(
            f"of {len(galaxies)} galaxies {kept.sum()} have a redshift of {redshift[0]:g} to "
            f"{redshift[1]:g} and magnitudes up to {dict(faintest)}: no source is left"
        )
    return galaxies[chosen]


def choose_sources(
    sources: QTable,
    field: Field,
    images: Images,
    zero_point: Mapping[str, float],
    n: int,
    rng: np.random.Generator,
) -> Behind:
    """Choose ``n`` rows of a catalogue evenly, as they look in the unit of the images.

    Sources of less than 0.1 FWHM are passed over, for no arc of theirs would be resolved, and
    those without light.

    Parameters
    ----------
    sources : QTable
        ``mag_<band>`` [AB mag] for each band of the images, and ``angular_size`` [angle].
    field, images
        What is painted on.
    zero_point : dict
        Band -> AB magnitude of one unit of the images.
    n, rng
        How many, and the source of randomness.
    """
    if images.scale is None:
        raise ValueError(f"sizes of sources need the scale of the images: {images.reason}")
    missing = sorted(set(field.bands) - set(zero_point))
    if missing:
        raise ValueError(f"no zero point for {missing}: sources have magnitudes, images counts")
    magnitude = [checked_magnitudes(sources, f"mag_{b}") - zero_point[b] for b in field.bands]
    flux = 10 ** (-0.4 * np.stack(magnitude, axis=1))
    size = checked_column(sources, "angular_size", u.arcsec, low=0)
    radius = size / images.scale.to_value(u.arcsec) / field.fwhm
    sound = np.flatnonzero((flux.sum(axis=1) > 0) & (radius >= SMALLEST))
    if not sound.size:
        raise ValueError(
            f"none of {len(sources)} sources has light and a half-light radius of at least "
            f"{SMALLEST} FWHM: nothing is left to be lensed"
        )
    chosen = sound[rng.integers(sound.size, size=n)]
    share = flux[chosen] / flux[chosen].sum(axis=1, keepdims=True)
    return Behind(share, radius[chosen], flux[chosen])


def snr_of_sources(
    arcs: QTable, flux: np.ndarray, images: Images, row: np.ndarray, psf: Psf | None
) -> np.ndarray:
    """Return the S/N of arcs whose sources have a given flux.

    Parameters
    ----------
    arcs : QTable
        See `skywright.sky.draw.draw_arcs`.
    flux : (n, band) [unit of the images]
        Of the sources, before they are lensed.
    images : Images
        Cutouts.
    row : (n,) int
        Cutout of each arc.
    psf : Psf or None
        As for `paint`.

    Returns
    -------
    (n,)
        See `skywright.sky.arc_snr`.
    """
    spread, found = point_spread(images, psf), []
    for start in range(0, len(arcs), BATCH):
        part = slice(start, start + BATCH)
        shapes = painted_shapes(arcs[part], pixels=images.flux.shape[-1], psf=spread)
        under = images[row[part]]
        light = shapes * flux[part, :, None, None]
        found.append(arc_snr(light, np.asarray(under.variance), under.noise_excess))
    return np.concatenate(found) if found else np.zeros(0)
