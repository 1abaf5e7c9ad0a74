"""The page of each rule: what it checks, an example that fails, how to mend it."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

__all__ = ["how_to_mend", "read_page"]


@cache
def read_page(rule: str) -> str:
    """Return the Markdown page of a rule.

    Raises
    ------
    KeyError
        When there is no such rule.
    """
    page = files(__package__).joinpath("pages", f"{rule}.md")
    if not page.is_file():
        raise KeyError(f"there is no rule {rule!r}; L1 to L7, D1 to D4, B1 to B3, M1 to M6, "
                       "U1 to U7, S1 to S5, I1 to I4, P1 to P6, G1")  # fmt: skip
    return page.read_text("utf-8")


def how_to_mend(rule: str) -> str:
    """Return the first paragraph below the heading "How to mend it" of a rule's page."""
    text = read_page(rule).partition("## How to mend it")[2].strip()
    return " ".join(text.partition("\n\n")[0].split())
