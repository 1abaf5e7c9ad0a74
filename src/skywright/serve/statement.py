"""What may be asked of the tables: one statement that only reads, checked in its syntax tree.

DuckDB can hide much inside a SELECT (readers of files, COPY and INSERT in a WITH clause, queries
in strings). So its own parser turns the text into a tree, and only kinds of nodes, tables and
functions that are known to read nothing but the tables of the workspace pass.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import duckdb

__all__ = ["QueryError", "check_statement"]

LONGEST = 100_000
QUERIES = {"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"}
SOURCES = {
    "BASE_TABLE",
    "EMPTY",
    "EXPRESSION_LIST",
    "JOIN",
    "PIVOT",
    "SHOW_REF",
    "SUBQUERY",
    "TABLE_FUNCTION",
}
TABLE_FUNCTIONS = {"generate_series", "range", "unnest"}
SYSTEM_TABLE = re.compile(r"(duckdb|pragma|pg|sqlite)_", re.I)
# Functions that wait, write, or tell about the machine and the session.
FORBIDDEN = re.compile(
    r"sleep_ms|pg_.*|write_log|setseed|setval|nextval|currval|getenv|getvariable|"
    r"current_(setting|query|query_id|connection_id|transaction_id|schemas|role|user)|"
    r"query|query_table|json_execute_.*|txid_current|error|stats|vector_type",
    re.I,
)


class QueryError(Exception):
    """A query that is wrong, not allowed, or larger than the limits; the message says which."""


def check_statement(sql: str, tables: set[tuple[str, ...]]) -> dict[str, Any]:
    """Return the syntax tree of ``sql`` when it may run.

    Parameters
    ----------
    sql : str
        One SELECT, WITH, FROM, VALUES, DESCRIBE, SUMMARIZE or SHOW TABLES statement.
    tables : set of tuple
        ``(table,)`` and ``(run, table)`` in lower case.

    Raises
    ------
    QueryError
        It is anything else, or names a table or function that may not be read.
    """
    tree = _parse(sql)
    names = {
        str(entry["key"]).lower()
        for part in _dicts(tree)
        for entry in (part.get("cte_map") or {}).get("map", [])
    } | {str(part["cte_name"]).lower() for part in _dicts(tree) if part.get("cte_name")}
    for part in _dicts(tree):
        kind = part.get("type")
        if "modifiers" in part or str(kind).endswith("_NODE"):
            if kind not in QUERIES:
                raise QueryError(f"{_words(kind)} inside a query is not allowed: queries only read")
        elif "sample" in part and "alias" in part and kind not in SOURCES:
            raise QueryError(f"a query cannot read from {_words(kind)}")
        if kind == "BASE_TABLE":
            _check_table(part, tables, names)
        elif kind == "SHOW_REF":
            _check_show(part)
        elif kind == "TABLE_FUNCTION":
            _check_table_function(part)
        elif part.get("class") == "FUNCTION":
            _check_function(part)
    return tree


def _parse(sql: str) -> dict[str, Any]:
    if len(sql) > LONGEST:
        raise QueryError(f"the query has {len(sql)} characters; at most {LONGEST} are read")
    if sql.encode("utf-8", "ignore").decode() != sql:
        raise QueryError("the query cannot be read: it holds characters that are no text")
    with duckdb.connect(config={"autoload_known_extensions": False, "threads": 1}) as connection:
        try:
            statements = connection.extract_statements(sql)
        except duckdb.Error as error:
            raise QueryError(f"the query cannot be read: {error}") from None
        if len(statements) != 1:
            raise QueryError(f"got {len(statements)} statements; expected exactly one")
        kind = statements[0].type.name
        if kind != "SELECT":
            raise QueryError(
                f"{_words(kind)} is not allowed: the tables are read-only, a query is SELECT, "
                "WITH, DESCRIBE or SHOW TABLES"
            )
        try:
            found = connection.execute("SELECT json_serialize_sql(?)", [sql]).fetchone()
        except duckdb.Error as error:
            raise QueryError(f"the query cannot be read: {error}") from None
    tree: dict[str, Any] = json.loads(found[0]) if found else {"error": True}
    if tree["error"] or len(tree["statements"]) != 1:
        raise QueryError(f"the query cannot be read: {tree.get('error_message', 'no statement')}")
    return dict(tree["statements"][0]["node"])


def _dicts(tree: Any) -> Iterator[dict[str, Any]]:
    """Yield every dict inside ``tree``, without recursion: a query may be deeply nested."""
    todo = [tree]
    while todo:
        item = todo.pop()
        if isinstance(item, dict):
            yield item
            todo.extend(item.values())
        elif isinstance(item, list):
            todo.extend(item)


def _check_table(part: dict[str, Any], tables: set[tuple[str, ...]], names: set[str]) -> None:
    path = tuple(str(p) for p in (part["catalog_name"], part["schema_name"]) if p)
    path = (*path, str(part["table_name"]))
    folded = tuple(p.lower() for p in path)
    folded = folded[1:] if len(folded) == 3 and folded[0] == "memory" else folded
    folded = folded[1:] if len(folded) == 2 and folded[0] == "main" else folded
    known = folded in tables or (len(path) == 1 and folded[0] in names)
    if not known or SYSTEM_TABLE.match(path[-1]):
        raise QueryError(
            f"there is no table {'.'.join(path)!r}: SHOW TABLES lists what there is; names with "
            "hyphens need double quotes"
        )


def _check_show(part: dict[str, Any]) -> None:
    special = str(part.get("table_name") or "").strip('"').lower()
    if part.get("show_type") == "SHOW_SPECIAL" and special not in (
        "tables",
        "__show_tables_expanded",
    ):
        raise QueryError(f"SHOW {special} is not allowed: only SHOW TABLES")


def _check_table_function(part: dict[str, Any]) -> None:
    name = str(part["function"].get("function_name", "")).lower()
    if name not in TABLE_FUNCTIONS:
        raise QueryError(
            f"{name}(…) is not allowed as a source: a query reads the tables of the workspace, "
            f"and {', '.join(sorted(TABLE_FUNCTIONS))}"
        )


def _check_function(part: dict[str, Any]) -> None:
    name = str(part.get("function_name", ""))
    if FORBIDDEN.fullmatch(name):
        raise QueryError(f"the function {name} is not allowed in a query")


def _words(kind: Any) -> str:
    text = str(kind).removesuffix("_NODE").removesuffix("_QUERY").replace("_", " ")
    return "a statement with many parts, as PIVOT," if text == "MULTI" else text
