"""The page of a simulated sky: counts by magnitude, redshift, luminosity, size and shape."""

from __future__ import annotations

from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING, Any

import numpy as np

from skywright.data import Report
from skywright.trust.drawing import COLOURS, svg
from skywright.trust.markup import card, definitions, figure, number, table, text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["population_page"]

Bins = list[dict[str, Any]]
_STYLES = [("net", "-"), ("boosting", "--"), ("arc", "-."), ("flux", ":")]


def population_page(report: Report) -> str:
    """Return the page of a report of `population_report`."""
    headline, _, rest = report.verdict.partition(". ")
    package = files("skywright.trust")
    ratios = [r for k, r in report.results.items() if k.startswith("ratio.")]
    off = [r for r in ratios if not r["low"] <= 1 <= r["high"]]
    return Template(package.joinpath("population.html.in").read_text("utf-8")).substitute(
        title="A simulated sky",
        style=package.joinpath("report.css").read_text("utf-8"),
        tone="good" if ratios and not off else "doubt",
        headline=text(headline),
        verdict=text(rest),
        cards=_cards(report.results),
        figures="".join(_figures(report.evidence)),
        compared=_compared(report.results),
        methods=definitions(_METHODS),
    )


def _cards(results: dict[str, Any]) -> str:
    made = [
        card("Galaxies", f"{results['galaxies']['value']:,}", "in all"),
        card("Area", f"{results['area']['value']:.4g} deg²", f"{results['cells']['value']} cells"),
        card("Galaxies per deg²", number(results["galaxies_per_deg2"], 0), "all populations"),
    ]
    for name, found in results.items():
        if name.startswith("galaxies_per_deg2."):
            made.append(card(f"… {name.partition('.')[2]}", number(found, 0), "per deg²"))
    return "".join(made)


def _figures(evidence: dict[str, Any]) -> list[str]:
    counts, observed = evidence["counts"], evidence.get("observed", {})
    bands = [name for name in counts if name.startswith("mag_")]
    made = []
    for name in bands:
        band = name.removeprefix("mag_")
        drawing = _magnitudes(counts[name], observed.get(band))
        beside = "Points: observed." if band in observed else "No observed counts were given."
        made.append(figure(drawing, f"Counts in {band}", beside))
    steps = [
        ("z", "Redshifts", "redshift"),
        ("log_size", "Half-light radii", "log10 of the radius in kpc"),
        ("ellipticity", "Ellipticities", "ellipticity"),
    ]
    for name, title, label in steps:
        if name in counts:
            drawing = _steps(counts[name], label)
            made.append(figure(drawing, title, "Per deg² and bin; bands: 95 % interval."))
    slices = {name: bins for name, bins in counts.items() if "<z<" in name}
    for column in dict.fromkeys(name.partition(" ")[0] for name in slices):
        mine = {k.partition(" ")[2]: v for k, v in slices.items() if k.startswith(f"{column} ")}
        made.append(
            figure(
                _luminosities(mine, column),
                f"Luminosity function, {column}",
                "All populations, in slices of redshift. It falls where the apparent limit cuts.",
            )
        )
    return made


def _magnitudes(populations: dict[str, Bins], observed: Bins | None) -> str:
    def draw(axes: Axes) -> None:
        _draw_steps(axes, populations)
        whole = [b for b in zip(*populations.values(), strict=True) if any(x["n"] for x in b)]
        total = [sum(x["value"] for x in b) for b in whole]
        middle = [(b[0]["from"] + b[0]["to"]) / 2 for b in whole]
        axes.plot(middle, total, color=COLOURS["muted"], lw=0.8, label="all")
        if observed:
            seen = [b for b in observed if b["n"]]
            axes.errorbar(
                [(b["from"] + b["to"]) / 2 for b in seen],
                [b["value"] for b in seen],
                [b["value"] / b["n"] ** 0.5 for b in seen],
                fmt="o", color=COLOURS["ink"], label="observed",
            )  # fmt: skip
        axes.set(yscale="log", xlabel="apparent magnitude", ylabel="galaxies per deg² and 0.5 mag")
        axes.legend(loc="upper left")

    return svg(draw)


def _steps(populations: dict[str, Bins], label: str) -> str:
    def draw(axes: Axes) -> None:
        _draw_steps(axes, populations)
        axes.set(xlabel=label, ylabel="galaxies per deg² and bin", ylim=(0, None))
        axes.legend(loc="best")

    return svg(draw)


def _draw_steps(axes: Axes, populations: dict[str, Bins]) -> None:
    for (name, bins), (colour, line) in zip(populations.items(), _STYLES, strict=False):
        full = np.flatnonzero([b["value"] > 0 for b in bins])
        shown = bins[full[0] : full[-1] + 1] if len(full) else bins
        edges = [shown[0]["from"], *(b["to"] for b in shown)]
        style: Any = {"color": COLOURS[colour]}
        axes.stairs([b["value"] for b in shown], edges, ls=line, lw=1.8, label=name, **style)
        axes.stairs(
            [b["high"] for b in shown], edges, baseline=[b["low"] for b in shown],
            fill=True, alpha=0.15, **style,
        )  # fmt: skip


def _luminosities(slices: dict[str, dict[str, Bins]], column: str) -> str:
    def draw(axes: Axes) -> None:
        for (name, populations), (colour, line) in zip(slices.items(), _STYLES, strict=False):
            bins = [
                {**first, "n": sum(b["n"] for b in (first, *others))}
                for first, *others in zip(*populations.values(), strict=True)
            ]
            shown = [b for b in bins if b["n"] > 0]
            phi = [b["n"] / b["volume"] / (b["to"] - b["from"]) for b in shown]
            middle = [(b["from"] + b["to"]) / 2 for b in shown]
            axes.plot(middle, phi, line, color=COLOURS[colour], marker=".", label=name)
        axes.set(yscale="log", xlabel=f"{column} [mag]", ylabel="density [1 / Mpc³ / mag]")
        axes.invert_xaxis()
        axes.legend(loc="best")

    return svg(draw)


def _compared(results: dict[str, Any]) -> str:
    """Return the table of simulated over observed counts; nothing without a survey."""
    ratios = [name.split(".", 2)[1:] for name in results if name.startswith("ratio.")]
    if not ratios:
        return ""
    bands = list(dict.fromkeys(band for band, _ in ratios))
    bins = sorted({magnitudes for _, magnitudes in ratios})
    rows = [
        [text(magnitudes), *(number(results.get(f"ratio.{b}.{magnitudes}")) for b in bands)]
        for magnitudes in bins
    ]
    shown = table(["Magnitude", *bands], rows, "Simulated over observed counts; 95 % intervals.")
    return (
        '<section id="compared"><h2>Beside the observed counts</h2><p>A ratio of one is a sky like '
        f"the real one. Bright bins hold few galaxies in a small field.</p>{shown}</section>"
    )


_METHODS = [
    (
        "Intervals",
        "95 %. From three cells on, from the scatter between cells (Student), which "
        "clustering widens; from fewer, those of Poisson. Observed counts add their Poisson error.",
    ),
    (
        "Counts",
        "Dereddened apparent AB magnitudes without photometric errors. The sample ends "
        "at an apparent limit in the rest frame, so the faintest bins of other bands are "
        "incomplete.",
    ),
    (
        "Clustering",
        "Positions follow a lognormal field in shells of redshift; shells do not know "
        "of each other, and all populations follow the same field.",
    ),
]
