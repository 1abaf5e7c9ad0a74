"""Small pieces of HTML; everything that comes from data is escaped here."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

__all__ = ["card", "definitions", "figure", "number", "table", "text"]


def text(value: object) -> str:
    """Return any value as text that a page can hold.

    Examples
    --------
    >>> text("<script>")
    '&lt;script&gt;'
    """
    return escape(str(value))


def number(result: dict[str, Any] | None, digits: int = 2) -> str:
    """Return a value with its interval below it, or a dash where there is none.

    Examples
    --------
    >>> number({"value": 0.5, "low": 0.4, "high": 0.6})
    '0.50<small>0.40 to 0.60</small>'
    """
    if result is None or result["value"] != result["value"]:
        return "–"
    value, low, high = (f"{result[key]:,.{digits}f}" for key in ("value", "low", "high"))
    return f"{value}<small>{low} to {high}</small>"


def table(head: Sequence[str], rows: Sequence[Sequence[str]], caption: str) -> str:
    """Return a table; the cells of ``rows`` are HTML, ``head`` and ``caption`` are text."""
    columns = "".join(f'<th scope="col">{text(name)}</th>' for name in head)
    body = "".join(
        f'<tr><th scope="row">{row[0]}</th>' + "".join(f"<td>{c}</td>" for c in row[1:]) + "</tr>"
        for row in rows
    )
    return (
        f'<div class="scroll"><table><caption>{text(caption)}</caption>'
        f"<thead><tr>{columns}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def figure(svg: str, title: str, caption: str) -> str:
    """Return a figure with its title above and its caption below."""
    return (
        f'<figure role="group" aria-label="{text(title)}"><h3>{text(title)}</h3>{svg}'
        f"<figcaption>{text(caption)}</figcaption></figure>"
    )


def card(label: str, content: str, note: str) -> str:
    """Return a key figure; ``content`` is HTML."""
    return (
        f'<div class="card"><span>{text(label)}</span><strong>{content}</strong>'
        f"<em>{text(note)}</em></div>"
    )


def definitions(pairs: Sequence[tuple[str, str]]) -> str:
    """Return a list of terms (text) and what they are (HTML)."""
    return "<dl>" + "".join(f"<dt>{text(k)}</dt><dd>{v}</dd>" for k, v in pairs) + "</dl>"
