"""Keep the code small: lines a file, lines a function, and the median file."""

from __future__ import annotations

import ast
import statistics
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("src", "tests", "tools", "verify", "benchmarks", "docs")
FILE, BODY, MEDIAN = 500, 40, 200


def main() -> int:
    """Print what is too long; return whether anything is."""
    faults, lengths = [], []
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            text = path.read_text("utf-8")
            lines, name = len(text.splitlines()), path.relative_to(ROOT)
            if folder == "src":
                lengths.append(lines)
            if lines > FILE:
                faults.append(f"{name}: {lines} lines; at most {FILE}")
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    length = body_lines(node)
                    if length > BODY:
                        faults.append(
                            f"{name}:{node.lineno}: {node.name} has a body of {length} lines; "
                            f"at most {BODY}"
                        )
    median = statistics.median(lengths)
    if median > MEDIAN:
        faults.append(f"src: the median file has {median} lines; at most {MEDIAN}")
    print("\n".join(faults) or f"{len(lengths)} files in src, median {median:.0f} lines")
    return int(bool(faults))


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return the lines of a function's body without its docstring."""
    body = function.body
    if ast.get_docstring(function, clean=False) is not None:
        body = body[1:]
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


if __name__ == "__main__":
    sys.exit(main())
