"""The tables of the report: scorers side by side, kinds of impostors, promises kept."""

from __future__ import annotations

from typing import Any

from skywright.trust.completeness import SNR_EDGES, THETA_EDGES
from skywright.trust.markup import number, table, text
from skywright.trust.measures import TOP
from skywright.trust.sample import bin_name
from skywright.trust.verdict import SCORERS

__all__ = ["calibration_table", "forecast_table", "kinds_table", "scorers_table", "transfer_table"]

Results = dict[str, dict[str, Any]]

_NAMES = [name.capitalize() for name in SCORERS.values()]


def scorers_table(results: Results) -> str:
    """Return the four scorers side by side."""
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
    return table(["", *_NAMES, "Galaxies"], rows, "Small figures: 95 % interval.")


def forecast_table(results: Results) -> str:
    """Return the recall for Einstein radii that follow the light; nothing without a forecast."""
    rows = []
    for label, name in (
        ("Recall at the budget", "forecast.recall"),
        ("… S/N > 20 and θE > 3 FWHM", "forecast.recall_bright"),
        ("AUROC", "forecast.auroc"),
    ):
        if name in results:
            found = results[name]
            rows.append([text(label), number(found, 3), str(found["n"]), str(found["n_groups"])])
    if not rows:
        return ""
    return table(
        ["", _NAMES[0], "Cutouts", "Galaxies"],
        rows,
        "Survey forecast: Einstein radii follow from the light of each galaxy.",
    )


def transfer_table(results: Results) -> str:
    """Return simulated beside real images; nothing where no network came from simulations."""
    columns = ("simulated", "transfer", "drop", "own", "transfer.boosting", "transfer_gain")
    rows = []
    for label, name in (
        ("AUROC, all lenses against all negatives", "auroc"),
        ("… θE > 1.2″ against untouched cutouts", "auroc_wide"),
        ("… and S/N > 20", "auroc_wide_detectable"),
        ("… θE > 1.2″ against impostors", "auroc_wide_impostors"),
    ):
        if f"transfer.{name}" in results:
            figures = [number(results[f"{prefix}.{name}"], 3) for prefix in columns]
            rows.append([text(label), *figures, str(results[f"transfer.{name}"]["n_groups"])])
    if not rows:
        return ""
    if "injected.auroc_wide" in results:
        names = ("injected", "injected.boosting", "injected_gain")
        net, boosting, gain = (number(results[f"{name}.auroc_wide"], 3) for name in names)
        label = "θE > 1.2″, sources as bright as in the catalogue, against untouched cutouts"
        cutouts = str(results["injected.auroc_wide"]["n_groups"])
        rows.append([text(label), "", net, "", "", boosting, gain, cutouts])
    return table(
        [
            "",
            "Simulated, judged on simulated",
            "Simulated, judged on real",
            "Drop",
            "Real, judged on real",
            "Boosting: simulated, on real",
            "Net less best baseline",
            "Cutouts",
        ],
        rows,
        "What networks were trained on, and what they judge without having seen it; intervals "
        "resample fields and cutouts.",
    )


def kinds_table(results: Results) -> str:
    """Return the false-positive rate of every kind of negative."""
    prefix = "false_positive_rate_"
    rows = [
        [text(name.removeprefix(prefix)), *_across(results, name, 4), str(results[name]["n"])]
        for name in results
        if name.startswith(prefix)
    ]
    return table(["", *_NAMES, "Cutouts"], rows, "False-positive rate at the budget, by kind.")


def calibration_table(results: Results) -> str:
    """Return expected against true numbers at the top of the list."""
    rows = []
    for top in TOP:
        name = f"top_{100 * top:g}_percent"
        if f"{name}_true" in results:
            rows.append(
                [f"{100 * top:g}\u2009%"]
                + [number(results.get(f"{name}_{part}")) for part in ("expected", "true", "ratio")]
            )
    return table(
        ["Top of the list", "Promised", "True", "Promised / true"],
        rows,
        "Lenses among the first galaxies of the list, per 1,000 galaxies of the survey.",
    )


def _across(results: Results, name: str, digits: int) -> list[str]:
    prefixed = (name if scorer == "net" else f"{scorer}.{name}" for scorer in SCORERS)
    return [number(results.get(key), digits) for key in prefixed]


def _pairs(edges: tuple[float, ...]) -> list[tuple[float, float]]:
    return list(zip(edges[:-1], edges[1:], strict=True))
