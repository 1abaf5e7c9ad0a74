"""Figures of the report, each made from results and evidence."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from skywright.data.psf import Psf
from skywright.trust.completeness import SNR_EDGES, THETA_EDGES
from skywright.trust.drawing import COLOURS, LINES, MARKERS, svg
from skywright.trust.sample import bin_name
from skywright.trust.verdict import SCORERS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "completeness_figure",
    "completeness_map_figure",
    "data_figure",
    "learning_figure",
    "psf_figure",
    "reliability_figure",
    "roc_figure",
]

Results = dict[str, dict[str, Any]]


def roc_figure(evidence: dict[str, Any]) -> str:
    """Return true-positive against false-positive rate, the latter in its logarithm."""

    def draw(axes: Axes) -> None:
        for name, curve in evidence["roc"].items():
            colour = COLOURS[name]
            axes.plot(curve["fpr"], curve["tpr"], LINES[name], color=colour, label=SCORERS[name])
            axes.fill_between(
                curve["fpr"], curve["low"], curve["high"], color=colour, alpha=0.15, lw=0
            )
        rates = evidence["roc"]["net"]["fpr"]
        axes.plot(rates, rates, color=COLOURS["muted"], lw=0.8)
        axes.set(
            xscale="log",
            xlim=(rates[0], 1),
            ylim=(0, 1.02),
            xlabel="false-positive rate",
            ylabel="true-positive rate",
        )
        axes.legend(loc="best")

    return svg(draw)


def reliability_figure(evidence: dict[str, Any]) -> str:
    """Return the observed against the promised share of lenses, at the survey's prevalence."""

    def draw(axes: Axes) -> None:
        ends = [1.0, 0.01]
        for name, points in evidence["reliability"].items():
            shown = [p for p in points if p["value"] > 0 and p["predicted"] > 0]
            x = np.array([p["predicted"] for p in shown])
            _errorbar(axes, x, shown, name)
            ends = [min(ends[0], *x, *(p["value"] for p in shown)), 1.0]
        ends[0] = 10 ** np.floor(np.log10(max(ends[0], 1e-6)))
        axes.plot(ends, ends, color=COLOURS["muted"], lw=0.8)
        axes.set(
            xscale="log",
            yscale="log",
            xlim=(ends[0], 1.6),
            ylim=(ends[0], 1.6),
            xlabel="promised probability of a lens",
            ylabel="observed share of lenses",
        )
        axes.legend(loc="upper left")

    return svg(draw)


def completeness_figure(results: Results, kind: str) -> str:
    """Return recall in bins of arc S/N (``kind="snr"``) or Einstein radius (``"theta"``)."""
    edges = {"snr": SNR_EDGES, "theta": THETA_EDGES}[kind]
    label = {"snr": "arc S/N", "theta": "Einstein radius [PSF FWHM]"}[kind]

    def draw(axes: Axes) -> None:
        for shift, name in enumerate(SCORERS):
            prefix = "" if name == "net" else f"{name}."
            x, points = [], []
            for low, high in zip(edges[:-1], edges[1:], strict=True):
                result = results.get(prefix + bin_name(kind, low, high))
                if result:
                    x.append(np.sqrt(low * high) * 1.02 ** (2 * shift - 3))
                    points.append(result)
            if points:
                _errorbar(axes, np.array(x), points, name, line=True)
        axes.set(xscale="log", xlim=(edges[0], edges[-1]), ylim=(-0.02, 1.02), xlabel=label)
        axes.set_ylabel("recall at the budget")
        axes.set_xticks(edges, [f"{edge:g}" for edge in edges])
        axes.minorticks_off()
        axes.legend(loc="best")

    return svg(draw)


def completeness_map_figure(evidence: dict[str, Any]) -> str:
    """Return the selection function over Einstein radius and arc S/N, with numbers of galaxies."""
    cells = evidence["completeness"]
    columns = sorted({tuple(c["snr"]) for c in cells})
    rows = sorted({tuple(c["theta"]) for c in cells})

    def draw(axes: Axes) -> None:
        from matplotlib.patches import Rectangle

        for cell in cells:
            x, y = columns.index(tuple(cell["snr"])), rows.index(tuple(cell["theta"]))
            value = cell["value"]
            face = "none" if value is None else _shade(value)
            axes.add_patch(Rectangle((x + 0.02, y + 0.02), 0.96, 0.96, facecolor=face, lw=0))
            ink = COLOURS["ink"] if value is None else "#ffffff" if value > 0.45 else "#10202c"
            text = "none" if value is None else f"{value:.2f}"
            axes.text(x + 0.5, y + 0.66, text, ha="center", va="center", color=ink, size=12)
            if value is not None:
                span = f"{cell['low']:.2f}–{cell['high']:.2f}\nn = {cell['n_groups']}"
                axes.text(x + 0.5, y + 0.3, span, ha="center", va="center", color=ink, size=8)
        axes.set(xlim=(0, len(columns)), ylim=(0, len(rows)), xlabel="arc S/N")
        axes.set_ylabel("Einstein radius [PSF FWHM]")
        axes.set_xticks(
            range(len(columns) + 1), [f"{c[0]:g}" for c in columns] + [f"{columns[-1][1]:g}"]
        )
        axes.set_yticks(range(len(rows) + 1), [f"{r[0]:g}" for r in rows] + [f"{rows[-1][1]:g}"])
        axes.grid(False)
        axes.spines[:].set_visible(False)
        axes.tick_params(length=0)

    return svg(draw)


def learning_figure(curves: dict[str, list[Any]]) -> str:
    """Return the losses over the epochs, a thin line a run and a bold one for their median."""
    runs = list(zip(*(curves[n] for n in ("fold", "seed") if n in curves), strict=True))
    runs = runs or [()] * len(curves["epoch"])
    epoch = np.array(curves["epoch"])

    def draw(axes: Axes) -> None:
        for name, colour, line, label in (
            ("train_loss", "boosting", "--", "training"),
            ("validation_loss", "net", "-", "validation"),
        ):
            loss = np.array(curves[name], dtype=float)
            for run in sorted(set(runs)):
                rows = [i for i, other in enumerate(runs) if other == run]
                axes.plot(epoch[rows], loss[rows], line, color=COLOURS[colour], lw=0.7, alpha=0.35)
            steps = [e for e in np.unique(epoch) if np.isfinite(loss[epoch == e]).any()]
            middle = [np.nanmedian(loss[epoch == e]) for e in steps]
            axes.plot(steps, middle, line, color=COLOURS[colour], lw=2.2, label=label)
        axes.set(xlabel="epoch", ylabel="loss (cross-entropy)")
        axes.locator_params(axis="x", integer=True)
        axes.legend(loc="best")

    return svg(draw)


def data_figure(results: Results) -> str:
    """Return recall against the share of the galaxies that the nets were trained on."""
    points = sorted(
        (r for name, r in results.items() if re.fullmatch(r"data_.*_percent\.recall", name)),
        key=lambda r: r["fraction"],
    )

    def draw(axes: Axes) -> None:
        _errorbar(axes, np.array([100 * p["fraction"] for p in points]), points, "net", line=True)
        axes.set(xlim=(0, 104), ylim=(-0.02, 1.02), xlabel="galaxies trained on [%]")
        axes.set_ylabel("recall at the budget")

    return svg(draw)


def psf_figure(psf: Psf) -> str:
    """Return the profile of a point source in every band."""

    def draw(axes: Axes) -> None:
        radius = np.linspace(0, 2.5 * float(np.max(psf.fwhm)), 200)
        for i, (band, line) in enumerate(zip(psf.bands, itertools.cycle(["-", "--", "-.", ":"]))):
            colour = list(COLOURS.values())[3 + i % 4]
            x, profile = _profile(psf, i, radius)
            axes.plot(x, profile, line, color=colour, label=band)
        axes.set(xlabel="radius [pixel]", ylabel="brightness over the peak", ylim=(0, 1.02))
        axes.set_xlim(0, radius[-1])
        axes.legend(loc="best")

    return svg(draw)


def _profile(psf: Psf, band: int, radius: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return radii and brightness over the peak: of the kernel when there is one."""
    if psf.kernel is None:
        core = np.expm1(np.log(2) / psf.beta[band]) * 4 * radius**2 / psf.fwhm[band] ** 2
        return radius, (1 + core) ** -psf.beta[band]
    row, column = (size // 2 for size in psf.kernel.shape[1:])
    cut = psf.kernel[band, row, column:]
    return np.arange(len(cut), dtype=float), cut / cut[0]


def _errorbar(
    axes: Axes, x: np.ndarray, points: list[dict[str, Any]], name: str, line: bool = False
) -> None:
    value = np.array([p["value"] for p in points])
    spread = np.abs([value - [p["low"] for p in points], [p["high"] for p in points] - value])
    axes.errorbar(
        x,
        value,
        spread,
        color=COLOURS[name],
        marker=MARKERS[name],
        linestyle=LINES[name] if line else "none",
        elinewidth=1.1,
        label=SCORERS[name],
    )


def _shade(value: float) -> str:
    """Return a blue between pale (0) and dark (1), readable in both colour schemes."""
    pale, dark = np.array([222, 235, 247]), np.array([8, 64, 129])
    red, green, blue = (pale + value * (dark - pale)).astype(int)
    return f"#{red:02x}{green:02x}{blue:02x}"
