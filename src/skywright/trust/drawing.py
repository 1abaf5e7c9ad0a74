"""Draw with the colours of the page: SVG that follows it in light, dark and print."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["COLOURS", "LINES", "MARKERS", "svg"]

# Colours that no figure uses by chance: each becomes a variable of the page's style sheet.
_VARIABLES = {
    "#010101": "ink",
    "#020202": "muted",
    "#030303": "grid",
    "#040404": "net",
    "#050505": "boosting",
    "#060606": "arc",
    "#070707": "flux",
}
COLOURS = {name: colour for colour, name in _VARIABLES.items()}
LINES = {"net": "-", "boosting": "--", "arc": "-.", "flux": ":"}
MARKERS = {"net": "o", "boosting": "s", "arc": "^", "flux": "D"}
_STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "skywright",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": COLOURS["muted"],
    "axes.labelcolor": COLOURS["ink"],
    "text.color": COLOURS["ink"],
    "xtick.color": COLOURS["muted"],
    "ytick.color": COLOURS["muted"],
    "xtick.labelcolor": COLOURS["ink"],
    "ytick.labelcolor": COLOURS["ink"],
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": COLOURS["grid"],
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "lines.linewidth": 1.8,
    "lines.markersize": 5,
}


def svg(draw: Callable[[Axes], None]) -> str:
    """Return what ``draw`` puts on one pair of axes as an SVG element without outer references."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(_STYLE):
        figure = Figure(figsize=(5.0, 3.7), layout="constrained")
        axes = figure.subplots()
        draw(axes)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    text = buffer.getvalue()
    head, body = text[text.index("<svg") :].split(">", 1)
    head = re.sub(r'\s(xmlns(:\w+)?|version|width|height)="[^"]*"', "", head)
    text = head + ">" + re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    for colour, name in _VARIABLES.items():
        text = text.replace(colour, f"var(--{name})")
    return text
