"""Text of others on a terminal: recipes, files and steps may not steer it."""

from __future__ import annotations

__all__ = ["printable"]


def printable(text: str) -> str:
    r"""Return a text whose control characters are written out; lines stay lines.

    Examples
    --------
    >>> from skywright.cli.printing import printable
    >>> print(printable("red: \x1b[31m"))
    red: \x1b[31m
    """
    return "".join(c if c.isprintable() or c in "\n\t" else ascii(c)[1:-1] for c in text)
