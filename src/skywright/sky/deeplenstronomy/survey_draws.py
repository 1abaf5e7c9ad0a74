"""Distributions of observing conditions, band by band, under deeplenstronomy's names.

Seeing and sky brightness of DES and DELVE are histograms there; here each is a normal distribution
with two widths, set to the peak and the two half-maxima of the histogram.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

__all__ = ["SURVEY_LAWS", "survey_bands", "survey_draws"]

Split = tuple[float, float, float]  # peak, and standard deviations below and above it
Points = tuple[tuple[float, ...], tuple[float, ...]]  # values and weights

NUMBERS: dict[str, dict[str, float]] = {
    "des_magnitude_zero_point": {"g": 26.58, "r": 26.78, "i": 26.75, "z": 26.48, "Y": 25.40},
    "des_exposure_time": {"g": 90, "r": 90, "i": 90, "z": 90, "Y": 45},
    "des_ccd_gain": {"g": 6.083, "r": 6.083, "i": 6.083, "z": 6.083, "Y": 5.033},
    "des_deep_exposure_time": {"g": 175, "r": 150, "i": 200, "z": 400},
    "delve_magnitude_zero_point": {"g": 31.550, "r": 31.284, "i": 31.608, "z": 31.262},
    "lsst_num_exposures": {"u": 140, "g": 200, "r": 460, "i": 460, "z": 400, "Y": 400},
    "lsst_exposure_time": dict.fromkeys("ugrizY", 15),
    "lsst_magnitude_zero_point": {
        "u": 26.5,
        "g": 28.3,
        "r": 28.13,
        "i": 27.79,
        "z": 27.40,
        "Y": 26.58,
    },
    "lsst_sky_brightness": {"u": 22.99, "g": 22.26, "r": 21.2, "i": 20.48, "z": 19.6, "Y": 18.61},
    "lsst_seeing": {"u": 0.81, "g": 0.77, "r": 0.73, "i": 0.71, "z": 0.69, "Y": 0.68},
    "ztf_magnitude_zero_point": {"g": 26.325, "r": 26.275, "i": 25.660},
    "ztf_seeing": {"g": 2.1, "r": 2.0, "i": 2.1},
    "ztf_sky_brightness": {"g": 22.01, "r": 21.15, "i": 19.89},
}

# DES: Abbott et al. 2018 (arXiv:1801.03181), figs. 3 and 4; the others as deeplenstronomy states.
SPLITS: dict[str, dict[str, Split]] = {
    "des_seeing": {
        "g": (1.062, 0.125, 0.19),
        "r": (0.921, 0.103, 0.136),
        "i": (0.87, 0.109, 0.111),
        "z": (0.83, 0.108, 0.099),
        "Y": (0.77, 0.072, 0.165),
    },
    "des_sky_brightness": {
        "g": (22.02, 0.19, 0.20),
        "r": (21.20, 0.28, 0.17),
        "i": (19.82, 0.145, 0.27),
        "z": (18.73, 0.24, 0.22),
        "Y": (17.97, 0.36, 0.16),
    },
    "des_deep_seeing": {
        "g": (1.49, 0.28, 0.28),
        "r": (1.40, 0.29, 0.26),
        "i": (1.33, 0.28, 0.27),
        "z": (1.235, 0.21, 0.285),
    },
    "delve_seeing": {
        "g": (1.06, 0.10, 0.40),
        "r": (1.09, 0.136, 0.26),
        "i": (1.04, 0.127, 0.127),
        "z": (0.92, 0.09, 0.255),
    },
    "delve_sky_brightness": {
        "g": (21.915, 0.18, 0.18),
        "r": (21.05, 0.365, 0.34),
        "i": (19.70, 0.42, 0.42),
        "z": (18.80, 0.36, 0.31),
    },
}

ONE_TO_NINE = tuple(float(n) for n in range(1, 10))
# DES: Flaugher et al. 2015 (arXiv:1501.02802), fig. 5; times of DELVE: the largest bins.
POINTS: dict[str, dict[str, Points]] = {
    "des_num_exposures": {
        "g": (ONE_TO_NINE, (0.040, 0.113, 0.267, 0.311, 0.178, 0.062, 0.019, 0.007, 0.003)),
        "r": (ONE_TO_NINE, (0.041, 0.119, 0.284, 0.321, 0.167, 0.046, 0.014, 0.006, 0.002)),
        "i": (ONE_TO_NINE, (0.043, 0.121, 0.291, 0.334, 0.165, 0.033, 0.009, 0.003, 0.001)),
        "z": (ONE_TO_NINE, (0.039, 0.106, 0.272, 0.332, 0.183, 0.048, 0.013, 0.005, 0.002)),
        "Y": (ONE_TO_NINE, (0.034, 0.074, 0.195, 0.305, 0.241, 0.099, 0.035, 0.012, 0.005)),
    },
    "des_deep_magnitude_zero_point": {
        "g": ((30.551, 30.689, 30.828, 32.072, 32.211), (0.049, 0.276, 0.438, 0.080, 0.056)),
        "r": ((30.436, 30.614, 30.791, 30.969, 33.101), (0.027, 0.052, 0.676, 0.027, 0.130)),
        "i": ((30.998, 31.172, 33.421, 33.593), (0.400, 0.335, 0.128, 0.032)),
        "z": ((31.256, 31.457, 31.658, 33.668, 33.868), (0.080, 0.604, 0.067, 0.025, 0.141)),
    },
    "delve_exposure_time": {
        "g": (
            (35, 46, 57, 67, 78, 89, 99, 121, 163, 195, 270, 302),
            (0.091, 0.031, 0.06, 0.024, 0.021, 0.4, 0.108, 0.041, 0.029, 0.024, 0.026, 0.044),
        ),
        "r": (
            (35, 46, 57, 67, 78, 89, 99, 121, 153, 185, 195, 270),
            (0.294, 0.069, 0.15, 0.033, 0.03, 0.085, 0.113, 0.03, 0.085, 0.019, 0.02, 0.018),
        ),
        "i": (
            (35, 46, 57, 67, 78, 89, 99, 121, 153, 195, 249, 302),
            (0.275, 0.029, 0.064, 0.048, 0.045, 0.241, 0.044, 0.05, 0.042, 0.02, 0.042, 0.021),
        ),
        "z": (
            (35, 45, 55, 65, 75, 86, 96, 116, 146, 156, 237, 298),
            (0.128, 0.043, 0.152, 0.062, 0.083, 0.162, 0.107, 0.06, 0.019, 0.019, 0.028, 0.016),
        ),
    },
}

SURVEY_LAWS: tuple[str, ...] = (*NUMBERS, *SPLITS, *POINTS)
YEARS = 10  # of the numbers of LSST's exposures


def survey_bands(name: str) -> tuple[str, ...]:
    """Return the bands that a distribution is known in."""
    return tuple(NUMBERS.get(name) or SPLITS.get(name) or POINTS[name])


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
    (n,) [s], [arcsec], [mag] or [mag/arcsec^2]
    """
    if name in NUMBERS:
        number = NUMBERS[name][band]
        if name == "lsst_num_exposures":
            number = max(1, coadd_years * number // YEARS)
        return np.full(u.shape, float(number))
    if name in SPLITS:
        return _split_normal(u, *SPLITS[name][band])
    values, weights = (np.asarray(v, dtype=float) for v in POINTS[name][band])
    cumulative = np.cumsum(weights) / weights.sum()
    return values[np.searchsorted(cumulative[:-1], u, side="right")]


def _split_normal(u: np.ndarray, peak: float, below: float, above: float) -> np.ndarray:
    """Invert a normal distribution with two widths; the halves meet at their peak."""
    share = below / (below + above)
    left = below * ndtri(np.clip(u / (2 * share), 1e-12, 0.5))
    right = above * ndtri(np.clip(0.5 + (u - share) / (2 * (1 - share)), 0.5, 1 - 1e-12))
    return peak + np.where(u < share, left, right)
