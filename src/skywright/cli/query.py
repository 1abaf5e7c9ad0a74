"""``skywright query``: SQL over everything the runs of a workspace have left."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import sys
import warnings
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from skywright.cli.printing import printable

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["query"]


class Format(StrEnum):
    """How a result is written."""

    table = "table"
    csv = "csv"
    json = "json"
    parquet = "parquet"
    votable = "votable"


ENDINGS = {
    ".csv": Format.csv,
    ".json": Format.json,
    ".parquet": Format.parquet,
    ".vot": Format.votable,
    ".votable": Format.votable,
    ".xml": Format.votable,
}


def query(
    sql: Annotated[str | None, typer.Argument(help="One SELECT, DESCRIBE or SHOW TABLES.")] = None,
    tables: Annotated[bool, typer.Option("--tables", help="List what can be queried.")] = False,
    workspace: Annotated[Path, typer.Option(help="Folder whose runs are searched.")] = Path(
        ".skywright"
    ),
    form: Annotated[
        Format | None, typer.Option("--format", help="By the ending of -o, else table.")
    ] = None,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="File instead of output.")] = None,
    limit: Annotated[int, typer.Option(min=0, help="Longest result [rows].")] = 10_000,
    timeout: Annotated[float, typer.Option(min=0.1, help="Longest time [s].")] = 30.0,
) -> None:
    """Ask the tables of all runs in SQL; nothing can be changed by it.

    [bold]skywright query --tables[/bold]

    [bold]skywright query "SELECT rank, object_id, probability FROM candidates LIMIT 5"[/bold]

    A node's table has the node's name, and means the newest run; that of another run is
    [bold]"RUN"."NODE"[/bold].
    """
    if (sql is None) == (not tables):
        _stop('give one query, as "SELECT * FROM candidates", or --tables', 2)
    form = form or ENDINGS.get(out.suffix.lower() if out else "", Format.table)
    with _told():
        answer = _answer(sql, workspace, limit, timeout)
    if out is None:
        sys.stdout.buffer.write(_bytes(answer, form))
        sys.stdout.buffer.flush()
        return
    try:
        out.write_bytes(_bytes(answer, form))
    except OSError as error:
        _stop(f"{out} cannot be written: {error.strerror}", 1)


def _answer(sql: str | None, workspace: Path, limit: int, timeout: float) -> pa.Table:
    from skywright import serve

    try:
        if sql is None:
            return serve.tables(workspace)
        return serve.query(sql, workspace, max_rows=limit, timeout=timeout)
    except (serve.QueryError, FileNotFoundError) as error:
        _stop(str(error), 2)


def _stop(text: str, code: int) -> NoReturn:
    typer.echo(f"skywright: {printable(text)}", err=True)
    raise typer.Exit(code)


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Print warnings as one line each on standard error."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        try:
            yield
        finally:
            for warning in caught:
                if warning.category is UserWarning:
                    typer.echo(f"skywright: {printable(str(warning.message))}", err=True)


def _bytes(answer: pa.Table, form: Format) -> bytes:
    """Return the result as a file of the wanted format."""
    if form is Format.table:
        return _text(answer).encode("utf-8", "replace")
    if form is Format.json:
        return (json.dumps(_plain(answer.to_pylist()), indent=1, default=str) + "\n").encode()
    if form is Format.csv:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(answer.schema.names)
        writer.writerows(zip(*(column.to_pylist() for column in answer.columns), strict=True))
        return text.getvalue().encode("utf-8", "replace")
    if form is Format.parquet:
        import pyarrow.parquet as pq

        buffer = io.BytesIO()
        pq.write_table(answer, buffer)
        return buffer.getvalue()
    from skywright.serve.votable import to_votable

    return to_votable(answer)


def _plain(value: Any) -> Any:
    """Return a value that JSON can say: no NaN, no infinity."""
    if isinstance(value, float):
        return value if value - value == 0 else None
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _text(answer: pa.Table) -> str:
    """Return the rows in columns, with units under the names where there are any."""
    heads = [_cell(name) for name in answer.schema.names]
    units = [_cell(((f.metadata or {}).get(b"unit") or b"").decode()) for f in answer.schema]
    lines = [heads, *([units] if any(units) else [])]
    cells = [[_cell(value) for value in column.to_pylist()] for column in answer.columns]
    widths = [
        max([len(line[i]) for line in lines] + [len(c) for c in column])
        for i, column in enumerate(cells)
    ]
    numbers = [all(_is_number(v) for v in column.to_pylist()) for column in answer.columns]
    rows = [*lines, ["-" * width for width in widths], *zip(*cells, strict=True)]
    return "".join(
        "  ".join(
            text.rjust(width) if number else text.ljust(width)
            for text, width, number in zip(row, widths, numbers, strict=True)
        ).rstrip()
        + "\n"
        for row in rows
    )


def _cell(value: Any) -> str:
    text = f"{value:.6g}" if isinstance(value, float) else "" if value is None else str(value)
    text = "".join(c if c.isprintable() else "?" for c in text)
    return text if len(text) <= 60 else text[:59] + "…"


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, (int, float)) and not isinstance(value, bool))
