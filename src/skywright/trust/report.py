"""The report of a lens search: one page that needs no other file and no network."""

from __future__ import annotations

from dataclasses import replace
from importlib.resources import files
from string import Template
from typing import Any

import astropy.units as u
import numpy as np
from astropy.table import QTable

from skywright.data import Images, Report
from skywright.data.psf import Psf
from skywright.trust import page, tables
from skywright.trust.committee import column
from skywright.trust.curves import as_columns
from skywright.trust.figures import psf_figure
from skywright.trust.gallery import candidate_gallery, describe_candidates, error_gallery
from skywright.trust.markup import definitions, figure, number, text
from skywright.trust.survey_facts import (
    COSMOS_AREA,
    COSMOS_LENSES,
    EUCLID_AREA,
    EUCLID_LENSES,
    SurveyFacts,
    survey_results,
)

__all__ = ["search_report"]

MOST_NAMES = 6


def search_report(
    judged: Report,
    *,
    candidates: QTable,
    cutouts: Images,
    truth: QTable,
    painted: Images,
    facts: SurveyFacts,
    curves: QTable | None = None,
    shown: int = 24,
) -> Report:
    """Return what `judge_search` found, with the real candidates and a page to read.

    Parameters
    ----------
    judged : Report
        From `judge_search`.
    candidates : QTable
        Real candidates, best first: ``object_id``, ``probability``, a position, and
        ``einstein_radius`` and ``expected_purity`` where known.
    cutouts : Images
        Of the real galaxies.
    truth : QTable
        The systems that were judged.
    painted : Images
        Their cutouts, row by row.
    facts : SurveyFacts
        The survey: ``survey``, ``psf``, ``ranked`` (every judged galaxy) and ``area``.
    curves : QTable, optional
        Learning curves, when `judge_search` was not given them.
    shown : int
        How many candidates the page shows.

    Returns
    -------
    Report
        Results of the judge and of the survey, and the page.

    Raises
    ------
    ValueError
        When facts are missing, or painted cutouts and truth do not match.
    """
    _check(facts, truth, painted)
    candidates = _in_order(candidates)
    results = judged.results | survey_results(candidates, facts)
    evidence = judged.evidence | {
        "survey": _describe_survey(facts, cutouts),
        "gallery": describe_candidates(candidates, shown),
    }
    if curves is not None:
        evidence["curves"] = as_columns(curves)
    report = replace(judged, results=results, evidence=evidence)
    return replace(report, html=_page(report, cutouts, painted, facts))


def _check(facts: SurveyFacts, truth: QTable, painted: Images) -> None:
    missing = {"survey", "psf", "ranked"} - set(facts)
    unknown = set(facts) - {"survey", "psf", "ranked", "area"}
    if missing or unknown:
        raise ValueError(
            f"facts has {', '.join(sorted(facts)) or 'nothing'}; expected survey, psf and ranked, "
            "and perhaps area"
        )
    if not np.array_equal(column(truth, "object_id"), np.asarray(painted.object_id)):
        raise ValueError(
            f"{len(truth)} systems and {len(painted)} painted cutouts do not have the same "
            "object_id row by row; expected the images that were painted from this truth"
        )


def _in_order(candidates: QTable) -> QTable:
    """Return the candidates that are to be inspected, best first."""
    if "inspect" in candidates.colnames:
        candidates = candidates[column(candidates, "inspect").astype(bool)]
    if "rank" in candidates.colnames:
        return candidates[np.argsort(column(candidates, "rank"), kind="stable")]
    return candidates[np.argsort(-column(candidates, "probability"), kind="stable")]


def _describe_survey(facts: SurveyFacts, cutouts: Images) -> dict[str, Any]:
    """Return in plain values what was searched."""
    survey, psf = facts["survey"], facts["psf"]
    scale = None if survey.scale is None else float(survey.scale.to_value(u.arcsec))
    return {
        "tiles": [tile.name for tile in survey.tiles],
        "bands": list(survey.bands),
        "unit": str(survey.unit),
        "display_counts": survey.unit == u.ct and survey.quantised,
        "scale_arcsec": scale,
        "scale_note": survey.reason,
        "cutout_pixels": (size := int(cutouts.flux.shape[-1])),
        "cutout_arcsec": None if scale is None else size * scale,
        "cosmos": {"lenses": COSMOS_LENSES, "area_deg2": COSMOS_AREA},
        "psf_fwhm_pixel": [float(width) for width in psf.fwhm],
        "psf_origin": psf.origin,
        "psf_upper_limit": bool(psf.upper_limit),
        "noise_excess": None
        if cutouts.noise_excess is None
        else [float(end) for end in np.quantile(cutouts.noise_excess, [0, 1])],
    }


def _page(report: Report, cutouts: Images, painted: Images, facts: SurveyFacts) -> str:
    results, evidence = report.results, report.evidence
    headline, _, rest = report.verdict.partition(". ")
    survey = evidence["survey"]
    package = files("skywright.trust")
    return Template(package.joinpath("report.html.in").read_text("utf-8")).substitute(
        title="Lens search: " + text(_names(survey["tiles"])),
        style=package.joinpath("report.css").read_text("utf-8"),
        tone=page.tone(results),
        eyebrow="Strong lenses in " + text(_names(survey["tiles"])),
        headline=text(headline),
        verdict=text(rest),
        caution=text(_caution(results, survey)),
        cards=page.cards(results, evidence),
        scorers_note=page.scorers_note(results, evidence),
        scorers=tables.scorers_table(results)
        + tables.forecast_table(results)
        + tables.transfer_table(results),
        kinds=tables.kinds_table(results),
        figures=page.figures_section(results, evidence),
        calibration_note=text(_CALIBRATION),
        calibration=tables.calibration_table(results),
        candidates_note=text(_candidates_note(results, evidence)),
        candidates=candidate_gallery(evidence["gallery"], cutouts),
        false_positives=error_gallery(evidence["worst"]["false_positives"], painted),
        misses=error_gallery(evidence["worst"]["misses"], painted),
        survey=_survey_section(results, survey) + _psf(facts["psf"]),
        methods=definitions(_METHODS),
    )


def _names(tiles: list[str]) -> str:
    """Return the names of tiles, or their number where they would fill a page."""
    if len(tiles) <= MOST_NAMES:
        return ", ".join(tiles)
    return f"{len(tiles)} images, {tiles[0]} to {tiles[-1]}"


def _caution(results: dict[str, dict[str, Any]], survey: dict[str, Any]) -> str:
    note = "Recall is measured on painted arcs; the candidates are galaxies worth a look. "
    expected = results.get("expected_lenses")
    if expected is None:
        unknown = "pixel scale" if survey["scale_arcsec"] is None else "area that was searched"
        return note + f"The {unknown} is unknown, so no number of true lenses can be expected."
    if expected["high"] < 1:
        return note + "In a field this small about none of them can be expected to be a lens."
    return note + (
        f"By area, {expected['low']:,.0f} to {expected['high']:,.0f} true lenses can be expected."
    )


def _candidates_note(results: dict[str, dict[str, Any]], evidence: dict[str, Any]) -> str:
    survey, shown = evidence["survey"], len(evidence["gallery"])
    size = f"{survey['cutout_pixels']} pixels"
    if survey["cutout_arcsec"] is not None:
        size += f" ({survey['cutout_arcsec']:.1f}″)"
    return (
        f"{results['candidates']['value']:,} galaxies fall within the budget; the first {shown} "
        f"are shown, {size} on a side, each on its own brightness scale. P is the probability at "
        "survey prevalence, θE a rough Einstein radius from the light around the galaxy, which "
        "means something only for a real lens."
    )


def _survey_section(results: dict[str, dict[str, Any]], survey: dict[str, Any]) -> str:
    """Return the facts of the field."""
    widths = ", ".join(
        f"{text(band)} {width:.2f}"
        for band, width in zip(survey["bands"], survey["psf_fwhm_pixel"], strict=True)
    )
    pairs = [
        (
            "Images",
            text(_names(survey["tiles"])) + ", bands " + text(", ".join(survey["bands"])),
        ),
        ("Pixel", _pixel(survey)),
        ("PSF FWHM", f"{widths} pixel<small>{text(survey['psf_origin'])}</small>"),
        ("Unit of S/N", text(_COUNTS if survey["display_counts"] else _FLUX)),
        ("Noise of S/N", _noise(survey["noise_excess"])),
        ("Galaxies judged", f"{results['galaxies_judged']['value']:,}"),
        ("Candidates", f"{results['candidates']['value']:,}"),
    ]
    if "area" in results:
        density = f"{COSMOS_LENSES} in {COSMOS_AREA} deg²"
        pairs += [
            ("Area searched", f"{results['area']['value']:.3g} deg²"),
            ("Candidates per deg²", number(results["candidates_per_deg2"], 0)),
            (
                "True lenses expected",
                number(results["expected_lenses"], 3)
                + f"<small>scaled by area from {density} of COSMOS (Faure et al. 2008, ApJS 176, "
                f"19); at Euclid's forecast density, {EUCLID_LENSES:,} in {EUCLID_AREA:,.0f} deg² "
                "(Collett 2015, ApJ 811, 20), "
                f"{results['expected_lenses_euclid_depth']['value']:.3f}</small>",
            ),
        ]
    if "known.recall" in results:
        known = results["known.recall"]
        judged = f"of {known['n']}; {results['known.judged']['value']} were judged at all"
        pairs.append(("Known lenses recovered", f"{number(known)}<small>{judged}</small>"))
    elif "known.judged" in results:
        pairs.append(("Known lenses recovered", "none of them lies in the field"))
    return definitions(pairs)


def _psf(psf: Psf) -> str:
    shown = figure(psf_figure(psf), "Point spread function", psf.origin)
    return f'<div class="figures">{shown}</div>'


def _pixel(survey: dict[str, Any]) -> str:
    note = f"<small>{text(survey['scale_note'])}</small>" if survey["scale_note"] else ""
    if survey["scale_arcsec"] is None:
        return "of unknown scale" + note
    return f"{survey['scale_arcsec']:.4g}″{note}"


def _noise(excess: list[float] | None) -> str:
    if excess is None:
        return "that of single pixels<small>taken as independent, not measured</small>"
    ends = dict.fromkeys(f"{end:.2f}" for end in excess)
    note = "what bands and pixels share on the scale of the PSF; sources do not count as noise"
    return f"{' to '.join(ends)} times the rms of single pixels<small>{note}</small>"


_COUNTS = (
    "display counts of a picture that was stretched for the eye: S/N compares painted light with "
    "the local rms of the picture, and no Poisson noise is claimed"
)
_FLUX = "calibrated pixels: S/N compares painted light with the local rms"
_CALIBRATION = (
    "When lenses are rare, a calibration error over all galaxies is small for any score that says "
    "no to everything. What counts is how many lenses the top of the list was promised to hold, "
    "and how many it held."
)
_METHODS = [
    (
        "Recall, purity",
        "Share of the painted lenses that fall within the inspection budget, and "
        "share of lenses among what is inspected, both at survey prevalence. Ties at the edge of "
        "the budget share it.",
    ),
    (
        "Arc S/N",
        "Root of the sum of (flux / rms)² of the painted light over all pixels and bands "
        "of the cutout, the rms being that of single pixels times the excess of the noise that "
        "they share.",
    ),
    (
        "TPR0, TPR10",
        "True-positive rate before the first false positive, and with fewer than ten "
        "(Metcalf et al. 2019, A&amp;A 625, A119). They depend on the number of negatives; a tie "
        "at the top makes TPR0 zero.",
    ),
    (
        "Intervals",
        "Bootstrap of whole galaxies, since many cutouts share one. Where every resample "
        "agrees (0 or 1), Wilson's interval with the number of galaxies. Gains are paired: both "
        "scorers on the same resamples.",
    ),
    (
        "Calibration slope",
        "Slope of a logistic regression of truth on logit: 1 is calibrated, "
        "below 1 too sure of itself.",
    ),
    (
        "Brier skill",
        "1 minus the Brier score over that of the constant prevalence: 0 knows "
        "nothing, 1 knows all.",
    ),
    (
        "Impostors",
        "Unlensed companions, satellites, rings and spiral arms, painted by the same "
        "code with the brightness and size of arcs, so that painting itself is no clue. How common "
        "they are in the sample is a choice, and purity depends on it.",
    ),
]
