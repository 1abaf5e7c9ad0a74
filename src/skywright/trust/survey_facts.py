"""What the search of the real field amounts to: area, candidates, and lenses to be expected."""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict

import astropy.units as u
import numpy as np
from astropy.table import QTable

from skywright.data.psf import Psf
from skywright.data.survey import Survey
from skywright.trust.resampling import poisson_interval, wilson

__all__ = [
    "COSMOS_AREA",
    "COSMOS_LENSES",
    "EUCLID_AREA",
    "EUCLID_LENSES",
    "SurveyFacts",
    "survey_results",
]

# Faure et al. 2008 (ApJS 176, 19): good systems found by eye in the COSMOS field, in deg2.
COSMOS_LENSES, COSMOS_AREA = 20, 1.64
# Collett 2015 (ApJ 811, 20): lenses that Euclid can discover, in deg2.
EUCLID_LENSES, EUCLID_AREA = 170_000, 15_000.0


class SurveyFacts(TypedDict):
    """What a report says of the survey.

    Parameters
    ----------
    survey : Survey
        The images that were searched.
    psf : Psf
        Their point spread function, and where it comes from.
    ranked : QTable
        Every judged galaxy (`skywright.find.rank`), with numbers of known lenses in its metadata
        where they were given.
    area : Quantity [deg2] or None, optional
        What was searched (`skywright.data.searched_area`); the whole images without it.
    """

    survey: Survey
    psf: Psf
    ranked: QTable
    area: NotRequired[u.Quantity | None]


def survey_results(candidates: QTable, facts: SurveyFacts) -> dict[str, dict[str, Any]]:
    """Return the figures of the real search.

    Parameters
    ----------
    candidates : QTable
        One row a candidate.
    facts : SurveyFacts
        The survey.

    Returns
    -------
    dict
        Counts and, where the area is known, densities with Poisson intervals. The expected number
        of true lenses scales that of COSMOS by area; its interval is that of the 20 systems.
    """
    found, ranked = len(candidates), facts["ranked"]
    results = {"candidates": _exact(found), "galaxies_judged": _exact(len(ranked))}
    if "known" in ranked.meta:
        results["known.judged"] = _exact(int(ranked.meta["known_judged"]))
    if known := int(ranked.meta.get("known", 0)):
        # Of all that lie in the image: one that is no galaxy of the list was missed as well.
        share = int(ranked.meta["known_inspected"]) / known
        low, high = wilson(share, known)
        results["known.recall"] = {"value": share, "low": low, "high": high, "n": known}
    searched = facts.get("area", facts["survey"].area)
    if searched is not None:
        area = float(searched.to_value(u.deg**2))
        results["area"] = {**_exact(area), "unit": "deg2", "interval": "exact: pixels counted"}
        results["candidates_per_deg2"] = {
            **_scaled(found, poisson_interval(found), 1 / area),
            "unit": "deg-2",
        }
        results["expected_lenses"] = _scaled(
            COSMOS_LENSES, poisson_interval(COSMOS_LENSES), area / COSMOS_AREA
        )
        results["expected_lenses_euclid_depth"] = {
            **_exact(area * EUCLID_LENSES / EUCLID_AREA),
            "interval": "exact: a published forecast, which states no error",
        }
    return results


def _scaled(count: int, interval: tuple[float, float], factor: float) -> dict[str, Any]:
    value, low, high = np.array([count, *interval]) * factor
    return {"value": float(value), "low": float(low), "high": float(high)}


def _exact(value: float) -> dict[str, Any]:
    """Return a count, which has no interval."""
    return {"value": value, "low": value, "high": value}
