"""Six surveys in numbers: pixels, bands, zero points, exposures, seeing and sky.

The constants are those of deeplenstronomy's survey settings, so that its files mean the same
here. Zero points are magnitudes of one electron a second. Where conditions change from night to
night the table holds quantiles of the published histograms at `LEVELS`, and draws are smooth
between them: medians and tails agree, single bins do not.

For DELVE two numbers differ, because the published ones do not fit the units they are given in:
its zero points are for exposures of 90 s (31.55 mag in g) and become those of one second, and its
sky, counts per second and pixel, becomes mag/arcsec^2 with 4 electrons a count. The dark sky of
both surveys of the same camera then agrees to 0.1 mag in g and z.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

import numpy as np

__all__ = ["LEVELS", "SURVEYS", "Survey", "SurveyName", "draw_conditions", "survey_value"]

LEVELS = (0.0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1.0)
Condition = float | tuple[float, ...] | Mapping[int, float]
FIELDS = ("zero_point", "exposure_time", "exposures", "seeing", "sky", "gain")


@dataclass(frozen=True)
class Survey:
    """What a survey is like; fields by band are in the order of ``bands``.

    Parameters
    ----------
    bands : tuple of str
        Names of the bands.
    scale : float [arcsec]
        Size of a pixel.
    read_noise : float [electron]
        Of one exposure.
    gain : (band,) [electron/count]
        For images in counts; rates and zero points are those of electrons.
    zero_point : (band,) [mag]
        AB magnitude of one electron a second.
    exposure_time : (band,) [s]
        Of one exposure.
    exposures : (band,)
        How many are added up; a mapping gives the share of the sky with each number.
    seeing : (band,) [arcsec]
        Full width at half maximum.
    sky : (band,) [mag/arcsec^2]
        Brightness of the sky.
    """

    bands: tuple[str, ...]
    scale: float
    read_noise: float
    gain: tuple[Condition, ...]
    zero_point: tuple[Condition, ...]
    exposure_time: tuple[Condition, ...]
    exposures: tuple[Condition, ...]
    seeing: tuple[Condition, ...]
    sky: tuple[Condition, ...]


# Shares of the area with 1 to 9 exposures: DES, arXiv:1501.02802, fig. 5.
DES_EXPOSURES = (
    (0.040, 0.113, 0.267, 0.311, 0.178, 0.062, 0.019, 0.007, 0.003),
    (0.041, 0.119, 0.284, 0.321, 0.167, 0.046, 0.014, 0.006, 0.002),
    (0.043, 0.121, 0.291, 0.334, 0.165, 0.033, 0.009, 0.003, 0.001),
    (0.039, 0.106, 0.272, 0.332, 0.183, 0.048, 0.013, 0.005, 0.002),
    (0.034, 0.074, 0.195, 0.305, 0.241, 0.099, 0.035, 0.012, 0.005),
)

DES = Survey(
    bands=("g", "r", "i", "z", "Y"),
    scale=0.263,
    read_noise=7.0,
    gain=(6.083, 6.083, 6.083, 6.083, 5.033),
    zero_point=(26.58, 26.78, 26.75, 26.48, 25.40),
    exposure_time=(90.0, 90.0, 90.0, 90.0, 45.0),
    exposures=tuple(dict(enumerate(shares, 1)) for shares in DES_EXPOSURES),
    seeing=(  # arXiv:1801.03181, fig. 3
        (0.71, 0.812, 0.893, 0.936, 1.017, 1.129, 1.294, 1.502, 1.597, 1.715, 1.81),
        (0.65, 0.719, 0.776, 0.823, 0.887, 0.969, 1.086, 1.233, 1.335, 1.53, 1.65),
        (0.61, 0.674, 0.721, 0.75, 0.818, 0.89, 0.972, 1.063, 1.132, 1.29, 1.46),
        (0.59, 0.645, 0.686, 0.712, 0.76, 0.846, 0.934, 1.056, 1.147, 1.35, 1.53),
        (0.57, 0.64, 0.689, 0.718, 0.789, 0.911, 1.107, 1.36, 1.515, 1.664, 1.77),
    ),
    sky=(  # arXiv:1801.03181, fig. 4
        (21.09, 21.4, 21.62, 21.72, 21.86, 22.01, 22.14, 22.25, 22.29, 22.38, 22.45),
        (20.24, 20.48, 20.68, 20.8, 20.97, 21.14, 21.28, 21.38, 21.44, 21.53, 21.65),
        (19.0, 19.25, 19.41, 19.52, 19.71, 19.89, 20.07, 20.26, 20.37, 20.54, 20.75),
        (17.84, 18.02, 18.2, 18.32, 18.53, 18.72, 18.9, 19.08, 19.21, 19.37, 19.6),
        (17.04, 17.25, 17.44, 17.55, 17.72, 17.95, 18.16, 18.41, 18.52, 18.7, 19.05),
    ),
)

DELVE = Survey(
    bands=("g", "r", "i", "z"),
    scale=0.263,
    read_noise=7.0,
    gain=(6.083,) * 4,
    zero_point=(26.664, 26.398, 26.722, 26.376),
    exposure_time=(
        (30.0, 31.0, 36.0, 44.0, 84.0, 91.0, 114.0, 241.0, 282.0, 306.0, 350.0),
        (30.0, 30.0, 32.0, 34.0, 39.0, 61.0, 102.0, 166.0, 211.0, 300.0, 350.0),
        (30.0, 30.0, 32.0, 34.0, 40.0, 85.0, 111.0, 192.0, 249.0, 330.0, 350.0),
        (30.0, 31.0, 34.0, 38.0, 55.0, 82.0, 107.0, 190.0, 247.0, 302.0, 333.0),
    ),
    exposures=(1.0,) * 4,
    seeing=(
        (0.783, 0.884, 0.973, 1.03, 1.14, 1.279, 1.437, 1.581, 1.667, 1.837, 2.136),
        (0.791, 0.848, 0.919, 0.961, 1.043, 1.166, 1.324, 1.472, 1.558, 1.732, 1.967),
        (0.721, 0.791, 0.862, 0.902, 0.977, 1.07, 1.201, 1.359, 1.464, 1.701, 2.043),
        (0.73, 0.779, 0.828, 0.857, 0.926, 1.043, 1.187, 1.339, 1.44, 1.668, 2.155),
    ),
    sky=(
        (20.92, 21.15, 21.47, 21.66, 21.85, 21.99, 22.12, 22.24, 22.29, 22.44, 22.77),
        (19.46, 19.73, 20.04, 20.2, 20.45, 20.63, 20.88, 21.04, 21.13, 21.25, 21.41),
        (18.49, 18.74, 19.01, 19.16, 19.4, 19.67, 19.95, 20.21, 20.33, 20.51, 20.82),
        (17.55, 17.83, 18.11, 18.25, 18.46, 18.69, 18.92, 19.14, 19.29, 19.52, 19.7),
    ),
)

LSST = Survey(  # ten years
    bands=("u", "g", "r", "i", "z", "Y"),
    scale=0.2,
    read_noise=10.0,
    gain=(2.3,) * 6,
    zero_point=(26.5, 28.3, 28.13, 27.79, 27.40, 26.58),
    exposure_time=(15.0,) * 6,
    exposures=(140.0, 200.0, 460.0, 460.0, 400.0, 400.0),
    seeing=(0.81, 0.77, 0.73, 0.71, 0.69, 0.68),
    sky=(22.99, 22.26, 21.2, 20.48, 19.6, 18.61),
)

HST = Survey(
    bands=("F160W",),
    scale=0.08,
    read_noise=4.0,
    gain=(2.5,),
    zero_point=(25.96,),
    exposure_time=(5400.0,),
    exposures=(1.0,),
    seeing=(0.08,),
    sky=(22.3,),
)

EUCLID = Survey(
    bands=("VIS",),
    scale=0.101,
    read_noise=4.2,
    gain=(3.1,),
    zero_point=(24.0,),
    exposure_time=(565.0,),
    exposures=(4.0,),
    seeing=(0.16,),
    sky=(22.35,),
)

ZTF = Survey(
    bands=("g", "r", "i"),
    scale=1.01,
    read_noise=10.3,
    gain=(5.8,) * 3,
    zero_point=(26.325, 26.275, 25.660),
    exposure_time=(30.0,) * 3,
    exposures=(24.0,) * 3,
    seeing=(2.1, 2.0, 2.1),
    sky=(22.01, 21.15, 19.89),
)

# Written out, so that a recipe with another name is refused when it is read.
SurveyName = Literal["des", "delve", "lsst", "hst", "euclid", "ztf"]
SURVEYS: Mapping[str, Survey] = MappingProxyType(
    {"des": DES, "delve": DELVE, "lsst": LSST, "hst": HST, "euclid": EUCLID, "ztf": ZTF}
)


def survey_value(survey: str, field: str, band: str, u: Any) -> np.ndarray:
    """Return a constant or a condition of a survey.

    Parameters
    ----------
    survey : str
        A key of `SURVEYS`.
    field : str
        ``zero_point``, ``exposure_time``, ``exposures``, ``seeing``, ``sky`` or ``gain``.
    band : str
        One of its bands.
    u : (...) [1]
        Uniform numbers between 0 and 1: where in its distribution a condition lies.

    Returns
    -------
    values : (...)
        In the unit of the field.

    Raises
    ------
    ValueError
        There is no such survey, field or band, or a number is not between 0 and 1.

    Examples
    --------
    >>> float(survey_value("des", "seeing", "i", 0.5))
    0.89
    """
    if survey not in SURVEYS:
        raise ValueError(f"survey is {survey!r}; expected one of {', '.join(SURVEYS)}")
    if field not in FIELDS:
        raise ValueError(f"{survey} has no {field!r}; expected one of {', '.join(FIELDS)}")
    bands = SURVEYS[survey].bands
    if band not in bands:
        raise ValueError(f"{survey} has no band {band!r}; expected one of {', '.join(bands)}")
    u = np.asarray(u, dtype=float)
    if not bool(((u >= 0) & (u <= 1)).all()):
        raise ValueError("u holds numbers outside 0 to 1; expected uniform draws")
    value: Condition = getattr(SURVEYS[survey], field)[bands.index(band)]
    if isinstance(value, Mapping):
        shares = np.cumsum(list(value.values()))
        number = np.searchsorted(shares / shares[-1], u, side="left")
        whole: np.ndarray = np.array(list(value), dtype=float)[number]
        return whole
    if isinstance(value, tuple):
        return np.asarray(np.interp(u, LEVELS, value))
    return np.full(u.shape, value)


def draw_conditions(
    survey: SurveyName, n: int, *, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Draw the conditions under which images of a survey are taken.

    Parameters
    ----------
    survey : str
        ``des``, ``delve``, ``lsst``, ``hst``, ``euclid`` or ``ztf``.
    n : int
        How many images.
    rng : Generator
        Source of randomness.

    Returns
    -------
    conditions : dict of (n, band)
        ``zero_point`` [mag], ``exposure_time`` [s], ``exposures``, ``seeing`` [arcsec],
        ``sky`` [mag/arcsec^2] and ``gain`` [electron/count]; each independent of the others.

    Examples
    --------
    >>> conditions = draw_conditions("lsst", 2, rng=np.random.default_rng(1))
    >>> conditions["sky"][0].tolist()
    [22.99, 22.26, 21.2, 20.48, 19.6, 18.61]
    """
    if survey not in SURVEYS:
        raise ValueError(f"survey is {survey!r}; expected one of {', '.join(SURVEYS)}")
    bands = SURVEYS[survey].bands
    return {
        field: np.stack([survey_value(survey, field, band, rng.random(n)) for band in bands], 1)
        for field in FIELDS
    }
