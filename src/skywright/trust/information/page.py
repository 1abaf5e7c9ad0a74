"""The page of a report on mutual information."""

from __future__ import annotations

from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING, Any

import numpy as np

from skywright.data import Report
from skywright.trust.drawing import COLOURS, svg
from skywright.trust.markup import definitions, figure, number, table, text

if TYPE_CHECKING:
    from astropy.table import Table
    from matplotlib.axes import Axes

__all__ = ["information_figure", "information_page"]


def information_page(report: Report) -> str:
    """Return the page of a report of `information_report`."""
    headline, _, rest = report.verdict.partition(". ")
    package = files("skywright.trust")
    coverage = [v for k, v in report.results.items()
                if k.startswith("coverage.") and ".independent." not in k]  # fmt: skip
    sound = all(v["low"] <= 0.683 <= v["high"] for v in coverage)
    return Template(package.joinpath("information.html.in").read_text("utf-8")).substitute(
        title="Mutual information",
        style=package.joinpath("report.css").read_text("utf-8"),
        tone="good" if sound else "doubt",
        headline=text(headline),
        verdict=text(rest),
        pairs=_pairs(report.evidence),
        known=_known(report.results),
        figures=_figures(report.results),
        methods=definitions(_METHODS),
    )


def _pairs(evidence: dict[str, Any]) -> str:
    """Return the figure and the table of the user's pairs; nothing without a table."""
    pairs = evidence["pairs"]
    if not pairs:
        return ""
    rows = [
        [
            text(f"{p['latent']}, {p['quantity']}{' (!)' if p['warning'] else ''}"),
            number(p, 3),
            f"{p['error']:.3f}",
            f"{p['p_value']:.3f}",
            f"{p['q_value']:.3f}",
        ]
        for p in sorted(pairs, key=lambda p: -p["value"])
    ]
    shown = table(
        ["Pair", f"Information [{evidence['unit']}]", "Error", "p", "q"],
        rows,
        "Small figures: 68 % interval. q: p after correction for the number of pairs. (!): "
        "neighbours see more than the fitted mixtures; the error was widened to hold it.",
    )
    drawn = figure(
        _grid(pairs, evidence["unit"]),
        "Who knows about what",
        "Mutual information and its error; in brackets where q is 0.05 or more.",
    )
    drawn = f'<div class="figures">{drawn}</div>'
    return f'<section id="pairs"><h2>Your table</h2>{drawn}{shown}</section>'


def information_figure(table: Table) -> str:
    """Return the SVG of a table of `information_table`: latents by quantities.

    Parameters
    ----------
    table : Table
        With at least one row.

    Returns
    -------
    str
        An element ``<svg>``; its colours are variables of the page's style sheet.
    """
    if len(table) == 0:
        raise ValueError("the table has no rows: there is nothing to draw")
    pairs = [dict(zip(table.colnames, row, strict=True)) for row in table]
    return _grid(pairs, table.meta.get("unit", "nat"))


def _grid(pairs: list[dict[str, Any]], unit: str) -> str:
    latents = list(dict.fromkeys(str(p["latent"]) for p in pairs))
    quantities = list(dict.fromkeys(str(p["quantity"]) for p in pairs))
    from matplotlib.patches import Rectangle

    largest = max(max(float(p["value"]) for p in pairs), 1e-3)

    def draw(axes: Axes) -> None:
        for p in pairs:
            x, y = quantities.index(str(p["quantity"])), latents.index(str(p["latent"]))
            side = 0.96 * np.sqrt(max(float(p["value"]), 0) / largest)
            corner = (x - side / 2, y - side / 2)
            axes.add_patch(Rectangle(corner, side, side, color=COLOURS["net"], alpha=0.35, lw=0))
            label = f"{p['value']:.2f}±{p['error']:.2f}"
            label = label if not p["q_value"] >= 0.05 else f"({label})"
            axes.text(x, y, label, ha="center", va="center", size=8)
        axes.set_xticks(range(len(quantities)), quantities, rotation=30, ha="right")
        axes.set_yticks(range(len(latents)), latents)
        axes.set(xlim=(-0.5, len(quantities) - 0.5), ylim=(len(latents) - 0.5, -0.5))
        axes.set_title(f"area: mutual information, largest {largest:.2f} {unit}", size=9)
        axes.grid(visible=False)

    return svg(draw)


def _known(results: dict[str, Any]) -> str:
    keys = [name.removeprefix("mean.") for name in results if name.startswith("mean.")]
    rows = []
    for key in keys:
        name, _, n = key.rpartition(".")
        mean = results[f"mean.{key}"]
        rows.append(
            [text(name), f"{int(n):,}", f"{mean['n']}", f"{mean['true']:.4f}", number(mean, 4)]
            + [number(results[f"{what}.{key}"]) for what in ("bias_sigma", "coverage", "found")]
        )
    return table(
        ["Distribution", "Rows", "Trials", "True [nat]", "Mean of estimates", "Bias / error",
         "Coverage", "p < 0.05"],
        rows,
        "Small figures: 95 % interval over trials.",
    )  # fmt: skip


def _figures(results: dict[str, Any]) -> str:
    keys = [name.removeprefix("coverage.") for name in results if name.startswith("coverage.")]

    def draw(axes: Axes) -> None:
        for row, key in enumerate(keys):
            found = results[f"coverage.{key}"]
            axes.plot([found["low"], found["high"]], [row, row], color=COLOURS["net"])
            axes.plot(found["value"], row, "o", color=COLOURS["net"])
        axes.axvline(0.683, color=COLOURS["muted"], lw=0.8)
        axes.set_yticks(range(len(keys)), [k.replace(".", ", n = ") for k in keys], size=8)
        axes.set(xlabel="share of trials within one error", xlim=(0, 1.02))
        axes.invert_yaxis()

    return figure(
        svg(draw),
        "Does the error hold?",
        "Bars: 95 % intervals. The line is what a standard deviation should hold. Independent "
        "samples lie above it, because information ends at zero.",
    )


_METHODS = [
    (
        "Estimate",
        "A Gaussian mixture is fitted to numbers of unit variance or to normal scores of their "
        "ranks, whichever explains held-out rows better. Its log density ratio is averaged over "
        "fitted and over held-out rows; one is too high by as much as the other is too low.",
    ),
    (
        "Error",
        "Standard deviation of that average over bootstrap resamples. Where distances to "
        "neighbours (Kraskov et al. 2004) see clearly more information, the difference is added "
        "in quadrature, and the pair is marked.",
    ),
    (
        "p",
        "Share of permutations of one column that look at least as dependent as the data.",
    ),
    (
        "Limits",
        "Densities that end in a sharp edge need more Gaussians than the rows can bear: their "
        "information is underestimated. The edge of ordered columns, y above x, is taken out by "
        "fitting the gap; others are marked only when there are many rows.",
    ),
]
