"""The directive ``measured``: a table made from ``docs/measured/NAME.json``, and from nothing else.

``{measured} NAME PATH`` shows the figures under the dotted PATH, and when, where and from which
commit they were measured. Without the file the page says that nothing was measured yet.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

FIRST = ("quantity", "value", "low", "high")
FOLDER = Path(__file__).resolve().parents[1] / "measured"


class Measured(SphinxDirective):
    """Render figures of one measurement."""

    required_arguments = 1
    optional_arguments = 1
    has_content = False
    option_spec: ClassVar[dict[str, Any]] = {}

    def run(self) -> list[nodes.Node]:
        """Return the table, or the paragraph that there is none."""
        name = self.arguments[0]
        path = FOLDER / f"{name}.json"
        self.env.note_dependency(str(path))
        if not path.exists():
            return [_paragraph(f"Not measured yet: make verify writes docs/measured/{name}.json.")]
        content = json.loads(path.read_text("utf-8"))
        figures = content["figures"]
        for key in self.arguments[1].split(".") if len(self.arguments) > 1 else []:
            if not isinstance(figures, dict) or key not in figures:
                return [_paragraph(f"Not measured yet: {path.name} has no {self.arguments[1]}.")]
            figures = figures[key]
        return [_render(figures), _paragraph(_circumstances(content["measured"]))]


def _paragraph(text: str) -> nodes.paragraph:
    return nodes.paragraph("", text)


def _circumstances(measured: dict[str, Any]) -> str:
    changed = " with changes" if measured.get("dirty") else ""
    return (
        f"Measured {measured.get('date', 'at an unknown time')} at commit "
        f"{str(measured.get('commit', 'unknown'))[:12]}{changed} on {measured.get('machine', '?')}."
    )


def _render(figures: Any) -> nodes.Node:
    """Return a table of a dict or a list of dicts, else a paragraph."""
    if isinstance(figures, dict):
        rows = [{"quantity": name, **_columns(value)} for name, value in figures.items()]
        return _table(rows)
    if isinstance(figures, list) and figures and all(isinstance(row, dict) for row in figures):
        return _table(figures)
    return _paragraph(_text(figures))


def _columns(value: Any) -> dict[str, Any]:
    """Return the cells of one figure: a number with its interval, or whatever it is."""
    return value if isinstance(value, dict) else {"value": value}


def _table(rows: list[dict[str, Any]]) -> nodes.table:
    found = dict.fromkeys(key for row in rows for key in row)
    heads = [head for head in FIRST if head in found]
    heads += [head for head in found if head not in heads]
    group = nodes.tgroup(cols=len(heads))
    group += [nodes.colspec(colwidth=1) for _ in heads]
    group += nodes.thead("", _row(heads))
    group += nodes.tbody("", *[_row([row.get(head, "") for head in heads]) for row in rows])
    return nodes.table("", group)


def _row(cells: list[Any]) -> nodes.row:
    return nodes.row("", *[nodes.entry("", _paragraph(_text(cell))) for cell in cells])


def _text(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: ""}[value]
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, (list, tuple)):
        return ", ".join(_text(item) for item in value)
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_text(item)}" for key, item in value.items())
    return str(value)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("measured", Measured)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
