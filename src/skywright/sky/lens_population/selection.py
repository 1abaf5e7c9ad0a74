"""Which lenses a survey sees as such, by the criteria of Collett 2015."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import astropy.units as u
import numpy as np
from astropy.table import QTable
from scipy.special import gamma

from skywright.sky.lens_population.checks import checked_column, checked_magnitudes
from skywright.sky.surveys import SURVEYS, SurveyName, survey_value

__all__ = ["arc_signal_to_noise", "lens_brightness", "select_lenses", "survey_conditions"]

SIGMA_PER_FWHM = 1 / np.sqrt(8 * np.log(2))
DISC = 8.9223  # effective area (sum f)^2 / sum f^2 of an exponential disc, in half-light radii^2
DEPTH = 5.0  # S/N of a point source at the depth
VAUCOULEURS = 7.669249  # b of Sersic index 4


def survey_conditions(survey: SurveyName) -> dict[str, tuple[float, float, float]]:
    """Return the depth and seeing of the coadds of a survey where conditions are median.

    Parameters
    ----------
    survey : str
        A key of `skywright.sky.surveys.SURVEYS`.

    Returns
    -------
    dict
        Of each band the magnitude of a point source at a signal to noise of 5 (fitted with the
        point spread function, over the noise of the sky and of reading), the seeing [arcsec], and
        the magnitude that gives one electron in the whole exposure.

    Raises
    ------
    ValueError
        There is no such survey.

    Examples
    --------
    >>> depth, seeing, electron = survey_conditions("euclid")["VIS"]
    >>> round(depth, 1), seeing, round(electron, 1)
    (26.9, 0.16, 32.4)
    """
    if survey not in SURVEYS:
        raise ValueError(f"survey is {survey!r}; expected one of {', '.join(SURVEYS)}")
    found = {}
    for band in SURVEYS[survey].bands:
        zero, time, number, seeing, sky = (
            float(survey_value(survey, field, band, 0.5))
            for field in ("zero_point", "exposure_time", "exposures", "seeing", "sky")
        )
        electron = zero + 2.5 * np.log10(time * number)
        read = number * (SURVEYS[survey].read_noise / SURVEYS[survey].scale) ** 2
        per_area = 10 ** (0.4 * (electron - sky)) + read
        noise = np.sqrt(4 * np.pi * (seeing * SIGMA_PER_FWHM) ** 2 * per_area)
        found[band] = float(electron - 2.5 * np.log10(DEPTH * noise)), seeing, float(electron)
    return found


def arc_signal_to_noise(
    magnitude: np.ndarray,
    magnification: np.ndarray,
    size: np.ndarray,
    images: np.ndarray,
    condition: Sequence[float],
    behind: np.ndarray | float = np.inf,
) -> np.ndarray:
    """Return the signal to noise of lensed light.

    It is that of a filter that knows the shape (`skywright.sky.arc_snr`) when the light is spread
    over the area of the magnified disc and that of one point spread function for each image.

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
    condition : sequence
        Depth, seeing, and magnitude of one electron, as from `survey_conditions`; without the
        third the photon noise of arc and lens is left out.
    behind : (n,) [mag/arcsec2]
        Light of the lens that was taken away where the arc is; its photon noise stays.

    Returns
    -------
    (n,)
    """
    depth, seeing, electron = (*condition, np.inf)[:3]
    point = 4 * np.pi * (seeing * SIGMA_PER_FWHM) ** 2
    area = DISC * magnification * size**2 + point * images
    # fluxes in units of a source at the depth
    flux, lens, one = (
        10 ** (-0.4 * (np.asarray(m) - depth)) for m in (magnitude, behind, electron)
    )
    lensed = flux * magnification
    variance = 1 / (DEPTH**2 * point) + one * (lens + lensed / area)
    return np.asarray(lensed / np.sqrt(area * variance))


def lens_brightness(magnitude: np.ndarray, size: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """Return the surface brightness of de Vaucouleurs' law [mag/arcsec2].

    Parameters
    ----------
    magnitude : (n,) [mag]
        Of all light.
    size : (n,) [arcsec]
        Half-light radius.
    radius : (n,) [arcsec]
        Where.

    References
    ----------
    Graham & Driver 2005, PASA 22, 118, eq. 1 and 4, with n = 4.
    """
    area = 8 * np.pi * size**2 * gamma(8) / VAUCOULEURS**8
    fall = VAUCOULEURS * (radius / size) ** 0.25
    return np.asarray(magnitude + 2.5 * np.log10(area) + 2.5 * np.log10(np.e) * fall)


def select_lenses(
    lenses: QTable,
    conditions: SurveyName | Mapping[str, Sequence[float]],
    *,
    snr: float = 20.0,
    magnification: float = 3.0,
) -> QTable:
    r"""Keep the lenses that a survey sees as lenses, in at least one band.

    Lensed light has a signal to noise above 20 and is magnified more than three times; image and
    counter-image are resolved, :math:`\theta_E^2 > r_s^2 + (s/2)^2`; and so is, along the arc, its
    length, :math:`\mu r_s > s`, with the half-light radius :math:`r_s` of the source and the
    seeing :math:`s`. The light of the lens is taken away and leaves its photon noise, where the
    table has its magnitudes.

    Parameters
    ----------
    lenses : QTable
        From `draw_lenses`, with magnitudes ``source_mag_BAND`` without lensing.
    conditions : str or mapping
        A survey of `survey_conditions`, whose bands without magnitudes are left out; or what that
        returns: of each band the depth [mag], the seeing [arcsec], and, unless photon noise is to
        be left out, the magnitude of one electron.
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
    Collett 2015 (arXiv:1507.02657).
    """
    if not (snr >= 0 and magnification >= 0):
        raise ValueError(f"snr is {snr}, magnification {magnification}; expected numbers from 0 up")
    bands = _bands(lenses, conditions)
    theta_e = checked_column(lenses, "theta_e", u.arcsec, low=0.0)
    size = checked_column(lenses, "source_angular_size", u.arcsec, low=0.0)
    mu = checked_column(lenses, "magnification", low=0.0)
    images = checked_column(lenses, "images", low=2)
    best, which = np.zeros(len(lenses)), np.full(len(lenses), "", dtype="U16")
    for band, condition in bands.items():
        light = checked_magnitudes(lenses, f"source_mag_{band}")
        behind: np.ndarray | float = np.inf
        if f"lens_mag_{band}" in lenses.colnames:
            total = checked_magnitudes(lenses, f"lens_mag_{band}")
            extent = checked_column(lenses, "lens_angular_size", u.arcsec, low=1e-6)
            behind = lens_brightness(total, extent, theta_e)
        found = arc_signal_to_noise(light, mu, size, images, condition, behind)
        seeing = condition[1]
        resolved = (theta_e**2 > size**2 + (seeing / 2) ** 2) & (mu * size > seeing)
        better = resolved & (mu > magnification) & (found > snr) & (found > best)
        best[better], which[better] = found[better], band
    kept = best > 0
    table = lenses[kept]
    table["snr"], table["band"] = best[kept], which[kept]
    return table


def _bands(
    lenses: QTable, conditions: SurveyName | Mapping[str, Sequence[float]]
) -> dict[str, Sequence[float]]:
    """Return the conditions of each band, checked."""
    bands: dict[str, Sequence[float]]
    if isinstance(conditions, str):
        every = survey_conditions(conditions).items()
        bands = {band: c for band, c in every if f"source_mag_{band}" in lenses.colnames}
    else:
        bands = dict(conditions)
    if not bands:
        raise ValueError(
            f"the lenses have no magnitudes in a band of {conditions}; expected a column as "
            f"source_mag_r beside {', '.join(lenses.colnames)}"
        )
    for band, condition in bands.items():
        if len(condition) not in (2, 3) or not np.isfinite(condition).all() or condition[1] <= 0:
            raise ValueError(
                f"{band} has {condition}; expected its depth [mag], its seeing [arcsec] and the "
                "magnitude of one electron"
            )
    return bands
