"""What a judge of uncertainties asks of a method, and what it says of the answers."""

from __future__ import annotations

from typing import Any

__all__ = ["AIMS", "NAMES", "check_aims", "name_of_method", "regression_verdict"]

# figure, what it is, lowest and highest value that passes
AIMS: list[tuple[str, str, float, float]] = [
    ("mse_ratio", "squared error over that of the exact posterior", 0.0, 1.10),
    ("nll_gap", "NLL above the exact one [nat]", -1.0, 0.05),
    ("coverage_error", "coverage error", 0.0, 0.03),
    ("conformal_error", "coverage error, conformal", 0.0, 0.01),
    ("conformal_lowest", "lowest coverage of 90 % conformal intervals", 0.88, 0.92),
    ("conformal_highest", "highest coverage of 90 % conformal intervals", 0.88, 0.92),
    ("spearman", "rank correlation of sigma with the exact one", 0.85, 1.0),
    ("halved_epistemic", "epistemic part on half of the data, over that on all", 1.2, 10.0),
    ("halved_aleatoric", "aleatoric part on half of the data, over that on all", 0.95, 1.05),
]
NAMES = {
    "exact": "Exact posterior",
    "propagation": "Propagation of errors",
    "ensemble": "Ensemble",
    "single": "One net",
    "dropout": "Concrete dropout",
    "flipout": "Flipout",
    "evidential": "Evidential",
    "laplace": "Last-layer Laplace",
    "boosting": "Boosted quantiles",
}


def name_of_method(name: str) -> str:
    """Return how a method is called on the page."""
    return NAMES.get(name, name.capitalize())


def check_aims(results: dict[str, dict[str, Any]], methods: list[str]) -> list[dict[str, Any]]:
    """Hold every figure of every method against what is asked of it.

    Parameters
    ----------
    results : dict
        Names ``METHOD.DATA.FIGURE``.
    methods : list of str
        The methods to check; references are not.

    Returns
    -------
    list of dict
        ``method``, ``data``, ``figure``, ``value``, ``lowest``, ``highest``, ``passed``. A value
        passes by itself, its interval does not help.
    """
    checks = []
    for name, result in results.items():
        method, _, rest = name.partition(".")
        data, _, figure = rest.partition(".")
        for key, _words, lowest, highest in AIMS:
            if key == figure and method in methods:
                value = float(result["value"])
                checks.append(
                    {"method": method, "data": data, "figure": figure, "value": value,
                     "lowest": lowest, "highest": highest, "passed": lowest <= value <= highest}
                )  # fmt: skip
    return checks


def regression_verdict(checks: list[dict[str, Any]]) -> str:
    """Return which methods pass everything, and what the others fail, at the last data set."""
    last = max(check["data"] for check in checks)
    shown = [check for check in checks if check["data"] == last]
    methods = list(dict.fromkeys(check["method"] for check in shown))
    faults = {
        m: [c["figure"].replace("_", " ") for c in shown if c["method"] == m and not c["passed"]]
        for m in methods
    }
    good = [name_of_method(m) for m in methods if not faults[m]]
    words = last.replace("_", " ", 1).replace("_", ".")
    head = (
        f"At {words}, {', '.join(good)} {'passes' if len(good) == 1 else 'pass'} every check."
        if good
        else f"At {words}, no method passes every check."
    )
    bad = [f"{name_of_method(m)} fails {', '.join(f)}." for m, f in faults.items() if f]
    return " ".join([head, *bad])
