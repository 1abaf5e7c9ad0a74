"""The page of a simulated training set: pictures, what was drawn, noise, and how easy it is."""

from __future__ import annotations

from dataclasses import replace
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING, Any

import numpy as np

from skywright.data import Images, Report
from skywright.trust.composites import picture
from skywright.trust.drawing import COLOURS, svg
from skywright.trust.markup import card, definitions, figure, number, table, text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["image_set_page"]

_LABELS = {
    "theta_e": ("Einstein radii", "Einstein radius [arcsec]"),
    "z_lens": ("Redshifts of the galaxies in the middle", "redshift"),
    "z_source": ("Redshifts of the last plane", "redshift"),
    "mag_lens": ("Magnitudes of the galaxies in the middle", "AB magnitude"),
}


def image_set_page(report: Report, images: Images) -> str:
    """Return the page of a report of `images_report`."""
    headline, _, rest = report.verdict.partition(". ")
    package = files("skywright.trust")
    results, evidence = report.results, report.evidence
    clean = all(v["passed"] for k, v in results.items() if k.startswith("clue."))
    return Template(package.joinpath("image_set.html.in").read_text("utf-8")).substitute(
        title="A simulated training set",
        style=package.joinpath("report.css").read_text("utf-8"),
        tone="good" if clean else "doubt",
        headline=text(headline),
        verdict=text(rest),
        cards=_cards(results),
        galleries="".join(
            _gallery(name, shown, images) for name, shown in evidence["gallery"].items()
        ),
        ease=_ease(results),
        clues=_clues(results),
        noise=_noise(results),
        figures="".join(_figures(results, evidence)),
        methods=definitions(_METHODS),
    )


def _cards(results: dict[str, Any]) -> str:
    lenses = results["prevalence"]
    return "".join(
        [
            card("Images", f"{results['images']['value']:,}", "in all"),
            card("Lenses", f"{100 * lenses['value']:.0f} %", "prevalence, far above nature's"),
            card("AUROC without shape", number(results["auroc"]), "boosted trees, out of fold"),
        ]
    )


def _gallery(name: str, shown: list[dict[str, Any]], images: Images) -> str:
    tiles = []
    edge = images.flux.shape[-1] * 3 // 16
    inner = slice(edge, images.flux.shape[-1] - edge)
    for one in shown:
        row = images[one["row"]]
        middle = replace(row, flux=row.flux[..., inner, inner], variance=None)
        lines = [f"z {one['z_lens']:.2f}"]
        if one["label"]:
            lines = [f"θ<sub>E</sub> {one['theta_e']:.2f}″, S/N {one['snr']:.0f}",
                     f"z {one['z_lens']:.2f}, {one['z_source']:.2f}"]  # fmt: skip
        captions = "".join(f"<span>{line}</span>" for line in lines)
        tiles.append(
            f'<figure><img src="{picture(middle, 0)}" alt="{text(name)}" loading="lazy">'
            f"<figcaption>{captions}</figcaption></figure>"
        )
    return f'<h3>{text(name)}</h3><div class="gallery">{"".join(tiles)}</div>'


def _ease(results: dict[str, Any]) -> str:
    rows = [["all of them", number(results["auroc"], 3), f"{results['auroc']['n']:,}"]]
    for key, found in results.items():
        if key.startswith("auroc."):
            rows.append([text(key.partition(".")[2]), number(found, 3), f"{found['n']:,}"])
        elif key.startswith("auroc_snr."):
            low, _, high = key.partition(".")[2].partition("-")
            span = f"{low} to {high}" if high else f"{low} and more"
            rows.append([f"all, arcs of S/N {span}", number(found, 3), f"{found['n']:,}"])
    return table(
        ["Lenses against", "AUROC", "Images"], rows, "Out of fold; 95 % intervals of a bootstrap."
    )


def _clues(results: dict[str, Any]) -> str:
    rows = [
        [
            text(key.partition(".")[2]),
            number(found, 3),
            "no evidence" if found["passed"] else "tells the classes apart",
        ]
        for key, found in results.items()
        if key.startswith("clue.")
    ]
    limit = next(v["limit"] for k, v in results.items() if k.startswith("clue."))
    return table(
        ["Number", "AUROC", "Finding"], rows, f"Trees on one number; up to {limit:g} passes."
    )


def _noise(results: dict[str, Any]) -> str:
    rows = [
        [text(key.partition(".")[2]), number(found, 3)]
        for key, found in results.items()
        if key.startswith("noise_ratio.")
    ]
    if not rows:
        return "<p>The images have no variance: their noise was not checked.</p>"
    return table(["Band", "rms over formula"], rows, "Pixels in the corners.")


def _figures(results: dict[str, Any], evidence: dict[str, Any]) -> list[str]:
    made = []
    for key, (title, label) in _LABELS.items():
        lenses, others = evidence["values"][key]
        unit = f"{label}, {evidence['magnitude']}" if key == "mag_lens" else label
        drawing = _histogram({"lenses": lenses, "negatives": others}, unit)
        made.append(figure(drawing, title, "Shares of each class."))
    snr = _histogram({"lenses": np.log10(np.maximum(evidence["values"]["snr"], 0.1))},
                     "log10 of S/N")  # fmt: skip
    made.append(figure(snr, "Signal to noise of what is lensed", "All bands together."))
    return made


def _histogram(classes: dict[str, Any], label: str) -> str:
    def draw(axes: Axes) -> None:
        every = np.concatenate([np.asarray(v, dtype=float) for v in classes.values()])
        low, high = np.quantile(every, [0.005, 0.995])
        edges = np.linspace(low, high if high > low else low + 1, 25)
        styles = (("net", "-"), ("boosting", "--"))
        for (name, values), (colour, line) in zip(classes.items(), styles, strict=False):
            count, _ = np.histogram(values, edges)
            share = count / max(len(values), 1)
            axes.stairs(share, edges, color=COLOURS[colour], ls=line, lw=1.8, label=name)
        axes.set(xlabel=label, ylabel="share", ylim=(0, None))
        axes.legend(loc="best")

    return svg(draw)


_METHODS = [
    (
        "AUROC without shape",
        "The chance that trees give a lens a higher score than a negative. They see the histogram, "
        "the lowest bits and the power spectrum of the pixels of each band, and no image. 0.5 "
        "knows nothing. High values say that colour and brightness alone go far.",
    ),
    (
        "Clues",
        "Order of the images and rms of the background must not tell lenses from negatives. Total "
        "flux may, a little: arcs are light.",
    ),
    (
        "Noise",
        "Rms of pixels in the corners, from differences of neighbours, over the root of the "
        "variance of empty sky. Photon noise of light that reaches the corners raises it.",
    ),
    (
        "S/N",
        "Root of the sum of (flux / rms)² of the lensed light alone, over all pixels within two "
        "Einstein radii and all bands; the rms is that of empty sky.",
    ),
    (
        "Prevalence",
        "A choice, so that a network has enough to learn from. Scores that are trained on it have "
        "to be corrected to the rate of lenses in the sky before they are probabilities.",
    ),
]
