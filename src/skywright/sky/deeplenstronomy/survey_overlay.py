"""IMAGE and SURVEY of known surveys, laid over a configuration in memory."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from skywright.sky.deeplenstronomy.document import Item, from_plain, guess

__all__ = ["SURVEYS", "overlay"]


def _drawn(name: str, **parameters: float) -> dict[str, Any]:
    return {"DISTRIBUTION": {"NAME": name, "PARAMETERS": parameters or None}}


def _survey(image: dict[str, Any], survey: dict[str, Any]) -> dict[str, Any]:
    image = {"numPix": 100, "psf_type": "GAUSSIAN", **image}
    return {"IMAGE": {"PARAMETERS": image}, "SURVEY": {"PARAMETERS": survey}}


def _conditions(survey: str, bands: str, names: tuple[str, ...], **fixed: Any) -> dict[str, Any]:
    return {"BANDS": bands, **{n: _drawn(f"{survey}_{n}") for n in names}, **fixed}


ALL = ("seeing", "magnitude_zero_point", "sky_brightness")
SURVEYS: dict[str, dict[str, Any]] = {
    "des": _survey(
        {
            "exposure_time": _drawn("des_exposure_time"),
            "pixel_scale": 0.263,
            "read_noise": 7,
            "ccd_gain": _drawn("des_ccd_gain"),
        },
        _conditions("des", "g,r,i,z,Y", (*ALL, "num_exposures")),
    ),
    "delve": _survey(
        {
            "exposure_time": _drawn("delve_exposure_time"),
            "pixel_scale": 0.263,
            "read_noise": 7,
            "ccd_gain": _drawn("des_ccd_gain"),
        },
        _conditions("delve", "g,r,i,z", ALL, num_exposures=1),
    ),
    "lsst": _survey(
        {
            "exposure_time": _drawn("lsst_exposure_time"),
            "pixel_scale": 0.2,
            "read_noise": 10,
            "ccd_gain": 2.3,
        },
        _conditions(
            "lsst",
            "u,g,r,i,z,Y",
            ALL,
            num_exposures=_drawn("lsst_num_exposures", coadd_years=10),
        ),
    ),
    "hst": _survey(
        {"exposure_time": 5400.0, "pixel_scale": 0.08, "read_noise": 4, "ccd_gain": 2.5},
        {
            "BANDS": "F160W",
            "seeing": 0.08,
            "magnitude_zero_point": 25.96,
            "sky_brightness": 22.3,
            "num_exposures": 1,
        },
    ),
    "euclid": _survey(
        {"exposure_time": 565.0, "pixel_scale": 0.101, "read_noise": 4.2, "ccd_gain": 3.1},
        {
            "BANDS": "VIS",
            "seeing": 0.16,
            "magnitude_zero_point": 24.0,
            "sky_brightness": 22.35,
            "num_exposures": 4,
        },
    ),
    "ztf": _survey(
        {"exposure_time": 30.0, "pixel_scale": 1.01, "read_noise": 10.3, "ccd_gain": 5.8},
        _conditions("ztf", "g,r,i", ALL, num_exposures=24),
    ),
}


def overlay(root: Item, survey: str) -> Item:
    """Return a configuration with IMAGE and SURVEY of a survey; no file is written.

    Raises
    ------
    ValueError
        If the survey is not known.
    """
    if survey not in SURVEYS:
        raise ValueError(
            f"survey is {survey!r}, expected one of {', '.join(SURVEYS)}{guess(survey, SURVEYS)}"
        )
    return replace(root, value={**root.value, **from_plain(SURVEYS[survey]).value})
