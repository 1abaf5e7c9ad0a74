"""The parts of the report page, each made from results and evidence alone."""

from __future__ import annotations

from typing import Any

from skywright.trust import figures as draw
from skywright.trust.completeness import SNR_EDGES, THETA_EDGES
from skywright.trust.markup import card, figure, number, table, text
from skywright.trust.measures import TOP
from skywright.trust.sample import bin_name
from skywright.trust.verdict import FAINT_LIMIT, SCORERS

__all__ = [
    "calibration_section",
    "cards",
    "figures_section",
    "kinds_table",
    "scorers_note",
    "scorers_table",
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
    budget, baseline = f"{settings['budget']:.1%}", SCORERS[settings["baseline"]]
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
        f"{impostors / max(negatives, 1):.0%} of those without a lens hold a painted impostor. "
        f"Rates are weighted to one lens in {1 / s['prevalence']:,.0f} galaxies; intervals hold "
        f"95 % of {s['resamples']:,} resamples of whole galaxies. The baseline to beat is "
        f"{SCORERS[s['baseline']]}, the best by recall."
    )
    seeds = results.get("seeds.recall")
    if seeds:
        spread = (seeds["high"] - seeds["low"]) / 2
        note += (
            f" A single seed has a recall of {seeds['value']:.3f} ± {spread:.3f} (mean and "
            f"standard deviation over {seeds['n']})."
        )
    return text(note)


def scorers_table(results: Results, evidence: Evidence) -> str:
    """Return the four scorers side by side, and the forecast sample."""
    negatives = results["tpr0"]["n_negatives"]
    shown = [
        ("Recall at the budget", "recall", 3),
        ("… S/N > 20 and θE > 3 FWHM", "recall_bright", 3),
        *((f"… S/N {a:g} to {b:g}", bin_name("snr", a, b), 3) for a, b in _pairs(SNR_EDGES)),
        *(
            (f"… θE {a:g} to {b:g} FWHM", bin_name("theta", a, b), 3)
            for a, b in _pairs(THETA_EDGES)
        ),
        ("Purity at the budget", "purity", 3),
        ("AUROC", "auroc", 4),
        (f"TPR0 (no false positive in {negatives:,})", "tpr0", 3),
        (f"TPR10 (fewer than 10 in {negatives:,})", "tpr10", 3),
        ("Calibration slope", "calibration_slope", 2),
        ("Calibration intercept", "calibration_intercept", 2),
        ("Brier skill over the prior", "brier_skill", 3),
    ]
    rows = [
        [text(label), *_across(results, name, digits), str(results[name]["n_groups"])]
        for label, name, digits in shown
        if name in results
    ]
    names = [name.capitalize() for name in SCORERS.values()]
    made = table(["", *names, "Galaxies"], rows, "Small figures: 95 % interval.")
    forecast = [
        [text(label), number(results[f"forecast.{name}"], 3)]
        + [str(results[f"forecast.{name}"]["n"]), str(results[f"forecast.{name}"]["n_groups"])]
        for label, name in (
            ("Recall at the budget", "recall"),
            ("… S/N > 20 and θE > 3 FWHM", "recall_bright"),
            ("AUROC", "auroc"),
        )
        if f"forecast.{name}" in results
    ]
    if forecast:
        made += table(
            ["", "Neural network", "Cutouts", "Galaxies"],
            forecast,
            "Survey forecast: Einstein radii follow from the light of each galaxy.",
        )
    return made


def kinds_table(results: Results, evidence: Evidence) -> str:
    """Return the false-positive rate of every kind of negative."""
    prefix = "false_positive_rate_"
    rows = [
        [text(name.removeprefix(prefix)), *_across(results, name, 4), str(results[name]["n"])]
        for name in results
        if name.startswith(prefix)
    ]
    names = [name.capitalize() for name in SCORERS.values()]
    return table(["", *names, "Cutouts"], rows, "False-positive rate at the budget, by kind.")


def calibration_section(results: Results) -> str:
    """Return expected against true numbers at the top of the list."""
    rows = []
    for top in TOP:
        name = f"top_{100 * top:g}_percent"
        if f"{name}_true" in results:
            rows.append(
                [f"{100 * top:g}\u2009%"]
                + [number(results[f"{name}_{part}"]) for part in ("expected", "true", "ratio")]
            )
    return table(
        ["Top of the list", "Promised", "True", "Promised / true"],
        rows,
        "Lenses among the first galaxies of the list, per 1,000 galaxies of the survey.",
    )


def figures_section(results: Results, evidence: Evidence) -> str:
    """Return every figure that there is evidence for."""
    budget = f"{evidence['settings']['budget']:.1%}"
    made = [
        figure(
            draw.completeness_map_figure(evidence),
            "Selection function",
            f"Share of painted lenses in the top {budget}. Small figures: 95 % Wilson interval "
            "with the number of galaxies as trials.",
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
        figure(
            draw.roc_figure(evidence),
            "ROC",
            "From a single false positive onward. Bands hold 95 % of the resamples; the thin line "
            "is chance.",
        ),
        figure(
            draw.reliability_figure(evidence),
            "Calibration",
            "At survey prevalence, in bins of equal numbers of lenses; on the thin line promises "
            "are kept.",
        ),
    ]
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


def _across(results: Results, name: str, digits: int) -> list[str]:
    prefixed = (name if scorer == "net" else f"{scorer}.{name}" for scorer in SCORERS)
    return [number(results.get(key), digits) for key in prefixed]


def _pairs(edges: tuple[float, ...]) -> list[tuple[float, float]]:
    return list(zip(edges[:-1], edges[1:], strict=True))
