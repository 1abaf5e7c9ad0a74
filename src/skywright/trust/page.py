"""The parts of the report page, each made from results and evidence alone."""

from __future__ import annotations

from typing import Any

from skywright.trust import figures as draw
from skywright.trust.markup import card, figure, number, text
from skywright.trust.verdict import FAINT_LIMIT, SCORERS, percent, with_interval

__all__ = [
    "cards",
    "figures_section",
    "scorers_note",
    "tone",
]

Results = dict[str, dict[str, Any]]
Evidence = dict[str, Any]


def tone(results: Results) -> str:
    """Return ``good``, ``bad`` or ``doubt``: the colour beside the verdict."""
    easy = results.get("recall_faint", {"value": 0.0})["value"] > FAINT_LIMIT
    if results["gain"]["high"] < 0:
        return "bad"
    return "good" if results["gain"]["low"] > 0 and not easy else "doubt"


def cards(results: Results, evidence: Evidence) -> str:
    """Return the key figures."""
    settings = evidence["settings"]
    budget, baseline = percent(settings["budget"]), SCORERS[settings["baseline"]]
    shown = [
        ("Recall, bright and wide", "recall_bright", "S/N > 20, Einstein radius > 3 FWHM"),
        ("Recall, all arcs", "recall", f"top {budget} inspected"),
        ("Purity of the list", "purity", f"lenses 1 in {1 / settings['prevalence']:,.0f}"),
        ("Gain in recall", "gain", f"over {baseline}"),
        ("AUROC", "auroc", "painted sample"),
    ]
    made = [
        card(label, number(results[name], 3 if name in ("purity", "auroc") else 2), note)
        for label, name, note in shown
        if name in results
    ]
    if "expected_lenses" in results:
        made.append(
            card("True lenses expected", number(results["expected_lenses"], 3), "in this field")
        )
    return "".join(made)


def scorers_note(results: Results, evidence: Evidence) -> str:
    """Return what the table is about, in one paragraph."""
    s = evidence["settings"]
    impostors = s["rows"] - s["kinds"].get("lens", 0) - s["kinds"].get("untouched", 0)
    negatives = s["rows"] - s["kinds"].get("lens", 0)
    note = (
        f"{s['rows']:,} cutouts painted on {s['galaxies']:,} real galaxies, each judged by "
        f"networks that never saw its part of the sky ({s['folds']} folds, {s['seeds']} seeds). "
        f"{percent(round(impostors / max(negatives, 1), 2))} of those without a lens hold a "
        "painted impostor. "
        f"Rates are weighted to one lens in {1 / s['prevalence']:,.0f} galaxies; intervals hold "
        f"95 % of {s['resamples']:,} resamples of whole galaxies. The baseline to beat is "
        f"{SCORERS[s['baseline']]}, the best by recall."
    )
    seeds = results.get("seeds.recall")
    if seeds:
        spread = (seeds["high"] - seeds["low"]) / 2
        note += (
            f" A single seed has a recall of {seeds['value']:.3f} ± {spread:.3f} (mean and "
            f"standard deviation over {seeds['n']})."
        )
    if "gain_one_seed" in results:
        alone = with_interval(results["gain_one_seed"])
        note += f" Each network by itself gains {alone} in recall over that baseline."
    return text(note)


def figures_section(results: Results, evidence: Evidence) -> str:
    """Return every figure that there is evidence for."""
    made = [*_selection_figures(results, evidence), *_score_figures(evidence)]
    if "curves" in evidence:
        made.append(
            figure(
                draw.learning_figure(evidence["curves"]),
                "Learning curves",
                "Thin: every fold and seed. Bold: their median.",
            )
        )
    if "data_gain" in results:
        gain = results["data_gain"]
        rising = "still rises" if gain["low"] > 0 else "shows no further rise"
        made.append(
            figure(
                draw.data_figure(results),
                "Recall against the number of galaxies",
                f"The last step gains {gain['value']:+.2f} ({gain['low']:+.2f} to "
                f"{gain['high']:+.2f}): recall {rising} with more data.",
            )
        )
    return "".join(made)


def _selection_figures(results: Results, evidence: Evidence) -> list[str]:
    """Return what is found by Einstein radius and arc S/N."""
    budget = percent(evidence["settings"]["budget"])
    return [
        figure(
            draw.completeness_map_figure(evidence),
            "Selection function",
            f"Share of painted lenses in the top {budget}. Small figures: 95 % Wilson interval "
            "with n, the number of galaxies, as trials.",
        ),
        figure(
            draw.completeness_figure(results, "snr"),
            "Recall against arc S/N",
            "All Einstein radii. Intervals resample galaxies.",
        ),
        figure(
            draw.completeness_figure(results, "theta"),
            "Recall against Einstein radius",
            "All S/N. Intervals resample galaxies.",
        ),
    ]


def _score_figures(evidence: Evidence) -> list[str]:
    """Return what the scores themselves are worth."""
    return [
        figure(
            draw.roc_figure(evidence),
            "ROC",
            "From a single false positive onward. Bands hold 95 % of the resamples; the thin line "
            "is chance.",
        ),
        figure(
            draw.reliability_figure(evidence),
            "Calibration",
            "At survey prevalence, in bins of equal numbers of lenses; on the thin line promises "
            "are kept.",
        ),
    ]
