"""Which lenses a survey sees as such, by the criteria of Collett 2015."""

from __future__ import annotations

from collections.abc import Mapping

import astropy.units as u
import numpy as np
from astropy.table import QTable

from skywright.sky.lens_population.checks import checked_column, checked_magnitudes
from skywright.sky.surveys import SURVEYS, survey_value

__all__ = ["arc_signal_to_noise", "select_lenses", "survey_conditions"]

SIGMA_PER_FWHM = 1 / np.sqrt(8 * np.log(2))
DISC = 8.9226  # effective area (sum f)^2 / sum f^2 of an exponential disc, in half-light radii^2
DEPTH = 5.0  # S/N of a point source at the depth


def survey_conditions(
    survey: str, bands: tuple[str, ...] | None = None
) -> dict[str, tuple[float, float]]:
    """Return the depth and seeing of the coadds of a survey where conditions are median.

    Parameters
    ----------
    survey : str
        A key of `skywright.sky.surveys.SURVEYS`.
    bands : tuple of str, optional
        Of the survey; by default all.

    Returns
    -------
    dict
        Of each band the magnitude of a point source at a signal to noise of 5 (fitted with the
        point spread function, sky and read noise alone) and the seeing [arcsec].

    Raises
    ------
    ValueError
        There is no such survey or band.

    Examples
    --------
    >>> depth, seeing = survey_conditions("euclid")["VIS"]
    >>> round(depth, 1), seeing
    (26.9, 0.16)
    """
    if survey not in SURVEYS:
        raise ValueError(f"survey is {survey!r}; expected one of {', '.join(SURVEYS)}")
    found = {}
    for band in SURVEYS[survey].bands if bands is None else bands:
        zero, time, number, seeing, sky = (
            float(survey_value(survey, field, band, 0.5))
            for field in ("zero_point", "exposure_time", "exposures", "seeing", "sky")
        )
        scale = SURVEYS[survey].scale
        electrons = 10 ** (0.4 * (zero - sky)) * scale**2 * time * number
        per_area = (electrons + number * SURVEYS[survey].read_noise ** 2) / scale**2
        noise = np.sqrt(4 * np.pi * (seeing * SIGMA_PER_FWHM) ** 2 * per_area) / (time * number)
        found[band] = float(zero - 2.5 * np.log10(DEPTH * noise)), seeing
    return found


def arc_signal_to_noise(
    magnitude: np.ndarray,
    magnification: np.ndarray,
    size: np.ndarray,
    images: np.ndarray,
    depth: float,
    seeing: float,
) -> np.ndarray:
    """Return the signal to noise of lensed light over the noise of the sky.

    It is that of a filter that knows the shape (`skywright.sky.arc_snr`) when the light is spread
    over the area of the magnified disc and that of one point spread function for each image. The
    photon noise of lens and source is left out.

    Parameters
    ----------
    magnitude : (n,) [mag]
        Of the source without lensing.
    magnification : (n,) [1]
        Of its flux.
    size : (n,) [arcsec]
        Half-light radius without lensing.
    images : (n,)
        Number of images.
    depth : float [mag]
        Of a point source at a signal to noise of 5.
    seeing : float [arcsec]
        Full width at half maximum.

    Returns
    -------
    (n,)
    """
    point = 4 * np.pi * (seeing * SIGMA_PER_FWHM) ** 2
    area = DISC * magnification * size**2 + point * images
    flux = 10 ** (-0.4 * (np.asarray(magnitude) - depth)) * magnification
    return np.asarray(DEPTH * flux * np.sqrt(point / area))


def select_lenses(
    lenses: QTable,
    conditions: str | Mapping[str, tuple[float, float]],
    *,
    snr: float = 20.0,
    magnification: float = 3.0,
) -> QTable:
    r"""Keep the lenses that a survey sees as lenses, in at least one band.

    Lensed light has a signal to noise above 20 and is magnified more than three times; image and
    counter-image are resolved, :math:`\theta_E^2 > r_s^2 + (s/2)^2`; and the arc is, tangentially,
    :math:`\mu r_s > s`, with the half-light radius :math:`r_s` of the source and the seeing
    :math:`s`. The light of the lens is taken as removed, without leaving noise.

    Parameters
    ----------
    lenses : QTable
        From `draw_lenses`, with magnitudes ``source_mag_BAND`` without lensing.
    conditions : str or mapping
        A survey of `survey_conditions`, whose bands without magnitudes are left out; or what that
        returns: depth [mag] and seeing [arcsec] of each band.
    snr, magnification : float
        Least values.

    Returns
    -------
    QTable
        The rows that are kept, with the signal to noise ``snr`` in the ``band`` where it is
        largest of those in which all is fulfilled.

    Raises
    ------
    ValueError
        No band has magnitudes, or a column is missing or holds what is no such quantity.

    References
    ----------
    Collett 2015 (arXiv:1507.02657), section 3.
    """
    bands = survey_conditions(conditions) if isinstance(conditions, str) else dict(conditions)
    if isinstance(conditions, str):
        bands = {b: c for b, c in bands.items() if f"source_mag_{b}" in lenses.colnames}
    if not bands:
        raise ValueError(
            f"the lenses have no magnitudes in a band of {conditions}; expected a column as "
            f"source_mag_r beside {', '.join(lenses.colnames)}"
        )
    theta_e = checked_column(lenses, "theta_e", u.arcsec, low=0.0)
    size = checked_column(lenses, "source_angular_size", u.arcsec, low=0.0)
    mu = checked_column(lenses, "magnification", low=0.0)
    images = checked_column(lenses, "images", low=2)
    best, which = np.zeros(len(lenses)), np.full(len(lenses), "", dtype="U16")
    for band, (depth, seeing) in bands.items():
        if not (np.isfinite(depth) and seeing > 0):
            raise ValueError(
                f"depth {depth} and seeing {seeing} in {band}; expected a magnitude and a positive "
                "number of arcsec"
            )
        light = checked_magnitudes(lenses, f"source_mag_{band}")
        found = arc_signal_to_noise(light, mu, size, images, depth, seeing)
        resolved = (theta_e**2 > size**2 + (seeing / 2) ** 2) & (mu * size > seeing)
        better = resolved & (mu > magnification) & (found > snr) & (found > best)
        best[better], which[better] = found[better], band
    kept = best > 0
    table = lenses[kept]
    table["snr"], table["band"] = best[kept], which[kept]
    return table
