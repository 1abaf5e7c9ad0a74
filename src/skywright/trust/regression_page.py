"""The page of a report on predicted uncertainties."""

from __future__ import annotations

from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING, Any

from skywright.data import Report
from skywright.trust.drawing import COLOURS, svg
from skywright.trust.markup import card, definitions, figure, number, table, text
from skywright.trust.regression_verdict import AIMS, name_of_method

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["regression_page"]

Results = dict[str, dict[str, Any]]
SHOWN = [
    ("Squared error", "mse", 3),
    ("… over the exact", "mse_ratio", 3),
    ("NLL [nat]", "nll", 3),
    ("… above the exact", "nll_gap", 3),
    ("… as a plain normal", "nll_gap_normal", 3),
    ("CRPS", "crps", 3),
    ("Coverage of 50 %", "coverage_50", 3),
    ("Coverage of 68 %", "coverage_68", 3),
    ("Coverage of 90 %", "coverage_90", 3),
    ("Coverage of 95 %", "coverage_95", 3),
    ("Coverage error", "coverage_error", 3),
    ("… conformal", "conformal_error", 3),
    ("Lowest coverage of 90 %, conformal", "conformal_lowest", 3),
    ("Highest", "conformal_highest", 3),
    ("PIT against even (KS)", "pit_ks", 3),
    ("Mean sigma", "sharpness", 3),
    ("Rank correlation with the exact sigma", "spearman", 3),
    ("Aleatoric part", "aleatoric", 3),
    ("Epistemic part", "epistemic", 4),
    ("Epistemic, half of the data over all", "halved_epistemic", 3),
    ("Aleatoric, half of the data over all", "halved_aleatoric", 3),
]


def regression_page(report: Report) -> str:
    """Return the page of a report of `judge_regression`."""
    results, evidence = report.results, report.evidence
    headline, _, rest = report.verdict.partition(". ")
    package = files("skywright.trust")
    passed = all(check["passed"] for check in evidence["checks"])
    return Template(package.joinpath("regression.html.in").read_text("utf-8")).substitute(
        title="Uncertainties of a regression",
        style=package.joinpath("report.css").read_text("utf-8"),
        tone="good" if passed else "doubt",
        headline=text(headline.removesuffix(".") + "."),
        verdict=text(rest),
        warnings=_warnings(evidence["warnings"]),
        cards=_cards(results, evidence),
        published=_published(results, evidence),
        data="".join(_data(results, evidence, key) for key in evidence["curves"]),
        beyond="".join(_beyond(results, evidence, key) for key in evidence["curves"]),
        methods=definitions(_METHODS),
    )


def _words(key: str) -> str:
    return key.replace("_", " ", 1).replace("_", ".")


def _warnings(warnings: dict[str, list[str]]) -> str:
    return "".join(
        f"<p><strong>{text(name_of_method(name))}:</strong> {text(said)}</p>"
        for name, all_said in warnings.items()
        for said in all_said
    )


def _cards(results: Results, evidence: dict[str, Any]) -> str:
    last, first = max(evidence["curves"]), evidence["methods"][0]
    name = name_of_method(first)
    made = [("Squared error over exact", "mse_ratio"), ("NLL above exact [nat]", "nll_gap"),
            ("Coverage error", "coverage_error"), ("… conformal", "conformal_error")]  # fmt: skip
    return "".join(
        card(label, number(results[f"{first}.{last}.{key}"], 3), f"{name}, {_words(last)}")
        for label, key in made
    )


def _published(results: Results, evidence: dict[str, Any]) -> str:
    """Return the paper's figures beside ours and the exact ones."""
    last = max(evidence["curves"])
    rows = []
    for method, figures in evidence["published"].items():
        for figure_name, theirs in figures.items():
            where, _, what = figure_name.rpartition(".")
            place = where or last
            ours = results.get(f"{method}.{place}.{what}")
            exact = results.get(f"exact.{place}.{what}")
            rows.append(
                [f"{text(name_of_method(method))}, {text(what.replace('_', ' '))}, "
                 f"{text(_words(place))}", f"{theirs:g}", number(ours, 3), number(exact, 3)]
            )  # fmt: skip
    if not rows:
        return ""
    return "<h2>Paper, ours, exact</h2>" + table(
        ["", "Paper", "Ours", "Exact"], rows, "A dash where the exact posterior has no such figure."
    )


def _data(results: Results, evidence: dict[str, Any], key: str) -> str:
    """Return all figures of a data set, a column a method, and how promises are kept."""
    methods = ["exact", "propagation", *evidence["methods"]]
    rows = [
        [text(label), *(number(results.get(f"{m}.{key}.{name}"), digits) for m in methods)]
        for label, name, digits in SHOWN
    ]
    caption = "Means over seeds; small figures: 95 % of resamples of the objects."
    names = [name_of_method(m) for m in methods]
    failed = [c for c in evidence["checks"] if c["data"] == key and not c["passed"]]
    words = {name: what for name, what, _, _ in AIMS}
    missed = [
        [text(name_of_method(c["method"])), text(words[c["figure"]]), f"{c['value']:.3f}",
         f"{c['lowest']:g} to {c['highest']:g}"]
        for c in failed
    ]  # fmt: skip
    checks = (
        table(["Method", "What", "Value", "Asked for"], missed, "What is not reached.")
        if missed
        else "<p>Every method reaches everything that is asked of it.</p>"
    )
    drawing = figure(
        _coverage(evidence["curves"][key]), "Promises kept", "On the thin line they are; one seed."
    )
    return (
        f"<h2>{text(_words(key))}</h2>{table(['', *names], rows, caption)}{checks}"
        f'<div class="figures">{drawing}</div>'
    )


def _coverage(curves: dict[str, dict[str, list[float]]]) -> str:
    def draw(axes: Axes) -> None:
        colours = [COLOURS[name] for name in ("net", "boosting", "arc", "flux", "ink", "muted")]
        for i, (name, curve) in enumerate(curves.items()):
            gap = [b - a for a, b in zip(curve["promised"], curve["covered"], strict=True)]
            style = ("-", "--")[i // len(colours)]
            axes.plot(curve["promised"], gap, style, color=colours[i % len(colours)], lw=1.4,
                      label=name_of_method(name))  # fmt: skip
        axes.axhline(0, color=COLOURS["muted"], lw=0.8)
        axes.set(xlabel="promised coverage", ylabel="coverage less promise", xlim=(0, 1))
        axes.legend(loc="best", fontsize=7)

    return svg(draw)


def _beyond(results: Results, evidence: dict[str, Any], key: str) -> str:
    """Return coverage beyond the training, and whether the alarm goes off there."""
    methods = ["propagation", *evidence["methods"]]
    start = f"propagation.{key}.coverage_90."
    sets = [name.removeprefix(start) for name in results if name.startswith(start)]
    rows = [
        [text(name), number(results.get(f"alarm.{key}.auroc.{name}"), 3)]
        + [f"{results[f'{m}.{key}.coverage_90.{name}']['value']:.3f}" for m in methods]
        for name in sets
    ]
    heads = ["Set", "Alarm, AUROC", *map(name_of_method, methods)]
    return table(heads, rows, f"Coverage of 90 % intervals beyond the training, {_words(key)}.")


_METHODS = [
    (
        "Exact posterior",
        "What can be known by somebody who knows how the data were drawn. No method has a lower "
        "expected squared error or NLL; a figure below it is luck of this test set.",
    ),
    (
        "NLL, coverage, CRPS",
        "Of the distribution of most entropy with the predicted mean and sigma within the range of "
        "the values, which is the normal one where the range is far. The row 'as a plain normal' "
        "ignores the range.",
    ),
    ("Coverage error", "Mean of |coverage less promise| of central intervals, over 100 levels."),
    (
        "Conformal",
        "Widths times one factor for each level, from calibration rows that no fit has seen. "
        "Lowest and highest are over 20 draws of the calibration.",
    ),
    (
        "Aleatoric, epistemic",
        "What the data do not tell, and what the fit does not know. More data shrink the second "
        "alone: the test halves them.",
    ),
    (
        "Alarm",
        "Density of the training rows around the inputs, without any net. Where it is low, no "
        "figure on this page holds. Gravity beyond the range gives inputs that could as well come "
        "from inside: no alarm can see it.",
    ),
]
