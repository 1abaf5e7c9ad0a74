"""Distributions of observing conditions, band by band, under deeplenstronomy's names.

Those of the deep fields of DES are histograms there; here seeing is a normal distribution with two
widths, set to the peak and the two half-maxima of the histogram, and the zero point takes the
values of the highest bins.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import ndtri

from skywright.sky.surveys import SURVEYS, survey_value

__all__ = ["SURVEY_LAWS", "survey_bands", "survey_draws"]

FIELDS = {
    "magnitude_zero_point": "zero_point",
    "sky_brightness": "sky",
    "exposure_time": "exposure_time",
    "seeing": "seeing",
    "ccd_gain": "gain",
    "num_exposures": "exposures",
}
CONDITIONS = {
    "des": tuple(FIELDS),
    "delve": ("magnitude_zero_point", "sky_brightness", "exposure_time", "seeing"),
    "lsst": (
        "magnitude_zero_point",
        "sky_brightness",
        "exposure_time",
        "seeing",
        "num_exposures",
    ),
    "ztf": ("magnitude_zero_point", "sky_brightness", "seeing"),
}
DEEP_TIMES = {"g": 175.0, "r": 150.0, "i": 200.0, "z": 400.0}
DEEP_SEEING = {  # peak, and standard deviations below and above it
    "g": (1.49, 0.28, 0.28),
    "r": (1.40, 0.29, 0.26),
    "i": (1.33, 0.28, 0.27),
    "z": (1.235, 0.21, 0.285),
}
DEEP_ZERO_POINTS = {  # values and weights
    "g": ((30.551, 30.689, 30.828, 32.072, 32.211), (0.049, 0.276, 0.438, 0.080, 0.056)),
    "r": ((30.436, 30.614, 30.791, 30.969, 33.101), (0.027, 0.052, 0.676, 0.027, 0.130)),
    "i": ((30.998, 31.172, 33.421, 33.593), (0.400, 0.335, 0.128, 0.032)),
    "z": ((31.256, 31.457, 31.658, 33.668, 33.868), (0.080, 0.604, 0.067, 0.025, 0.141)),
}
DEEP: dict[str, dict[str, Any]] = {
    "des_deep_exposure_time": DEEP_TIMES,
    "des_deep_seeing": DEEP_SEEING,
    "des_deep_magnitude_zero_point": DEEP_ZERO_POINTS,
}
SURVEY_LAWS = (*(f"{s}_{name}" for s, names in CONDITIONS.items() for name in names), *DEEP)
YEARS = 10  # of LSST's exposures


def survey_bands(name: str) -> tuple[str, ...]:
    """Return the bands that a distribution is known in."""
    return tuple(DEEP[name]) if name in DEEP else SURVEYS[name.partition("_")[0]].bands


def survey_draws(name: str, u: np.ndarray, band: str, coadd_years: float = YEARS) -> np.ndarray:
    """Draw the conditions of one band.

    Parameters
    ----------
    name : str
        One of `SURVEY_LAWS`.
    u : (n,)
        Uniform numbers.
    band : str
        One of `survey_bands`.
    coadd_years : float [yr]
        For ``lsst_num_exposures``.

    Returns
    -------
    (n,) [s], [arcsec], [mag], [mag/arcsec^2], [electron/count] or [1]
    """
    if name == "des_deep_exposure_time":
        return np.full(u.shape, DEEP_TIMES[band])
    if name == "des_deep_seeing":
        return _split_normal(u, *DEEP_SEEING[band])
    if name == "des_deep_magnitude_zero_point":
        values, weights = (np.asarray(v) for v in DEEP_ZERO_POINTS[band])
        return values[np.searchsorted(np.cumsum(weights)[:-1] / weights.sum(), u, side="right")]
    survey, _, field = name.partition("_")
    drawn = survey_value(survey, FIELDS[field], band, u)
    if name == "lsst_num_exposures":
        return np.maximum(1, coadd_years * drawn // YEARS)
    return drawn


def _split_normal(u: np.ndarray, peak: float, below: float, above: float) -> np.ndarray:
    """Invert a normal distribution with two widths; the halves meet at their peak."""
    share = below / (below + above)
    left = below * ndtri(np.clip(u / (2 * share), 1e-12, 0.5))
    right = above * ndtri(np.clip(0.5 + (u - share) / (2 * (1 - share)), 0.5, 1 - 1e-12))
    return np.asarray(peak + np.where(u < share, left, right))
