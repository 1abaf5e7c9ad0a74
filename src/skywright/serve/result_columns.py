"""Units and UCDs of a query's columns: kept where a column is passed on unchanged."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["describe_columns"]

Facts = dict[str, dict[str, str]]


def describe_columns(
    answer: pa.Table, tree: dict[str, Any], facts: dict[tuple[str, ...], Facts]
) -> pa.Table:
    """Add metadata to the columns of ``answer`` that are columns of a table as they stand.

    Parameters
    ----------
    answer : pyarrow.Table
        The result.
    tree : dict
        Syntax tree of the query.
    facts : dict
        Path of a table -> column -> ``{"unit", "ucd", "description", "type"}``.
    """
    import pyarrow as pa

    known = _origins(tree, facts)
    fields = []
    for field in answer.schema:
        about = {k: v for k, v in (known.get(field.name) or {}).items() if k != "type"}
        fields.append(field.with_metadata(about or None))
    return answer.cast(pa.schema(fields)) if fields else answer


def _origins(
    tree: dict[str, Any], facts: dict[tuple[str, ...], Facts]
) -> dict[str, dict[str, str] | None]:
    """Return result column -> what is known of it; None where two tables disagree."""
    if tree.get("type") != "SELECT_NODE" or (tree.get("cte_map") or {}).get("map"):
        return {}
    sources = _sources(tree.get("from_table") or {}, facts)
    if sources is None:
        return {}
    known: dict[str, dict[str, str] | None] = {}
    for name, about in _selected(tree.get("select_list") or [], sources):
        known[name] = about if known.get(name, about) == about else None
    return known


def _sources(
    part: dict[str, Any], facts: dict[tuple[str, ...], Facts]
) -> list[tuple[str, Facts]] | None:
    """Return (name, columns) of every table in a FROM clause; None if it holds anything else."""
    if part.get("type") == "BASE_TABLE":
        path = tuple(str(p).lower() for p in (part["schema_name"], part["table_name"]) if p)
        path = path[1:] if path[0] == "main" else path
        return [(str(part["alias"] or part["table_name"]), facts.get(path, {}))]
    if part.get("type") == "JOIN":
        left, right = _sources(part["left"], facts), _sources(part["right"], facts)
        return None if left is None or right is None else left + right
    return None


def _selected(
    items: list[dict[str, Any]], sources: list[tuple[str, Facts]]
) -> Iterator[tuple[str, dict[str, str] | None]]:
    for item in items:
        if item["type"] == "STAR" and not item.get("columns"):
            replaced = {str(entry["key"]).lower() for entry in item.get("replace_list") or []}
            for _, columns in _of(sources, str(item.get("relation_name") or "")):
                for column, about in columns.items():
                    yield column, None if column.lower() in replaced else about
        elif item["type"] == "COLUMN_REF":
            *table, column = (str(part) for part in item["column_names"])
            for _, columns in _of(sources, table[-1] if table else ""):
                if column in columns:
                    yield str(item["alias"] or column), columns[column]
        elif item.get("alias"):
            yield str(item["alias"]), None


def _of(sources: list[tuple[str, Facts]], name: str) -> list[tuple[str, Facts]]:
    return [s for s in sources if not name or s[0].lower() == name.lower()]
