"""IMAGE and SURVEY of known surveys, laid over a configuration in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from skywright.sky.deeplenstronomy.document import Item, from_plain, guess
from skywright.sky.deeplenstronomy.survey_draws import CONDITIONS, FIELDS
from skywright.sky.surveys import SURVEYS, Survey

__all__ = ["overlay"]

PIXELS = 100
IN_IMAGE = ("exposure_time", "ccd_gain")


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
    facts = SURVEYS[survey]
    values = {name: _value(survey, name, facts) for name in FIELDS}
    image = {
        "numPix": PIXELS,
        "pixel_scale": facts.scale,
        "psf_type": "GAUSSIAN",
        "read_noise": facts.read_noise,
        **{name: values[name] for name in IN_IMAGE},
    }
    conditions = {
        "BANDS": ",".join(facts.bands),
        **{name: value for name, value in values.items() if name not in IN_IMAGE},
    }
    laid = {"IMAGE": {"PARAMETERS": image}, "SURVEY": {"PARAMETERS": conditions}}
    return replace(root, value={**root.value, **from_plain(laid).value})


def _value(survey: str, name: str, facts: Survey) -> Any:
    """Return a number where all bands share one, else the distribution of its name."""
    bands = getattr(facts, FIELDS[name])
    if len(set(map(str, bands))) == 1 and not isinstance(bands[0], (tuple, Mapping)):
        return bands[0]
    if name not in CONDITIONS[survey]:  # the gain of both surveys with the same camera
        return {"DISTRIBUTION": {"NAME": f"des_{name}", "PARAMETERS": None}}
    parameters = {"coadd_years": 10} if name == "num_exposures" and survey == "lsst" else None
    return {"DISTRIBUTION": {"NAME": f"{survey}_{name}", "PARAMETERS": parameters}}
