"""Attacks on the query: each must be refused or stopped, and nothing may be read or written."""

import importlib
import os
from pathlib import Path

import pyarrow as pa
import pytest

from skywright.serve import QueryError, query
from skywright.serve.statement import check_statement

SECRET = "a line that nobody may read"  # noqa: S105
variable = pa.table({"secret": [SECRET]})

TABLES = {("candidates",), ("search-2", "candidates")}

# what is tried -> what the refusal says
REFUSED = {
    "SELECT * FROM read_csv('{file}')": r"read_csv\(…\) is not allowed",
    "SELECT * FROM read_csv_auto('{file}')": r"read_csv_auto\(…\) is not allowed",
    "SELECT * FROM read_text('{file}')": r"read_text\(…\) is not allowed",
    "SELECT * FROM read_blob('{file}')": r"read_blob\(…\) is not allowed",
    "SELECT * FROM read_parquet('{file}')": r"read_parquet\(…\) is not allowed",
    "SELECT * FROM read_json('{file}')": r"read_json\(…\) is not allowed",
    "SELECT * FROM main.read_json_objects('{file}')": r"read_json_objects\(…\) is not allowed",
    "SELECT * FROM parquet_metadata('{file}')": r"parquet_metadata\(…\) is not allowed",
    "SELECT * FROM sniff_csv('{file}')": r"sniff_csv\(…\) is not allowed",
    "SELECT * FROM glob('/*')": r"glob\(…\) is not allowed",
    "SELECT * FROM '{file}'": "there is no table",
    'SELECT * FROM "{file}"': "there is no table",
    "SELECT 1 WHERE 'x' IN (SELECT content FROM read_text('{file}'))": "read_text",
    "WITH x AS (SELECT * FROM read_text('{file}')) SELECT * FROM x": "read_text",
    "SELECT (SELECT content FROM read_text('{file}'))": "read_text",
    "SELECT * FROM candidates, LATERAL (SELECT * FROM read_text(kind))": "read_text",
    "SELECT * FROM candidates UNION ALL FROM read_text('{file}')": "read_text",
    "DESCRIBE SELECT * FROM read_text('{file}')": "read_text",
    "SUMMARIZE SELECT * FROM read_text('{file}')": "read_text",
    "SELECT * FROM query('SELECT * FROM read_text(''{file}'')')": r"query\(…\) is not allowed",
    "SELECT * FROM query_table('candidates')": r"query_table\(…\) is not allowed",
    "FROM json_execute_serialized_sql('x')": "json_execute_serialized_sql",
    "ATTACH '{out}/x.db'": "ATTACH is not allowed",
    "ATTACH '' AS other": "ATTACH is not allowed",
    "DETACH memory": "DETACH is not allowed",
    "USE other": "SET is not allowed",
    "COPY candidates TO '{out}/x.csv'": "COPY is not allowed",
    "COPY (SELECT 1) TO '{out}/x.parquet'": "COPY is not allowed",
    "WITH x AS (COPY (SELECT 1) TO '{out}/x.csv') SELECT * FROM x": "COPY.* is not allowed",
    "WITH x AS (INSERT INTO candidates VALUES (1) RETURNING *) FROM x": "INSERT.* is not allowed",
    "WITH x AS (DELETE FROM candidates RETURNING *) FROM x": "DELETE.* is not allowed",
    "EXPORT DATABASE '{out}/x'": "EXPORT is not allowed",
    "IMPORT DATABASE '{out}'": "is not allowed",
    "PRAGMA database_list": "PRAGMA is not allowed",
    "PRAGMA enable_profiling": "PRAGMA is not allowed",
    "INSTALL httpfs": "LOAD is not allowed",
    "LOAD httpfs": "LOAD is not allowed",
    "SET enable_external_access = true": "SET is not allowed",
    "RESET threads": "SET is not allowed",
    "SELECT 1; SELECT 2": "got 2 statements",
    "SELECT 1; COPY (SELECT 1) TO '{out}/x'": "got 2 statements",
    "CREATE TABLE x (a INT)": "CREATE is not allowed",
    "CREATE TEMP TABLE x AS SELECT 1": "CREATE is not allowed",
    "CREATE MACRO f(a) AS a": "CREATE is not allowed",
    "CREATE SECRET (TYPE s3)": "CREATE is not allowed",
    "INSERT INTO candidates VALUES (1)": "INSERT is not allowed",
    "UPDATE candidates SET object_id = 1": "UPDATE is not allowed",
    "DELETE FROM candidates": "DELETE is not allowed",
    "TRUNCATE candidates": "is not allowed",
    "DROP VIEW candidates": "DROP is not allowed",
    "ALTER TABLE candidates RENAME TO x": "ALTER is not allowed",
    "MERGE INTO candidates USING range(3) ON true WHEN MATCHED THEN DELETE": "is not allowed",
    "CALL pragma_version()": "CALL is not allowed",
    "CHECKPOINT": "is not allowed",
    "VACUUM": "VACUUM is not allowed",
    "BEGIN": "TRANSACTION is not allowed",
    "PREPARE p AS SELECT 1": "PREPARE is not allowed",
    "EXECUTE p": "EXECUTE is not allowed",
    "EXPLAIN ANALYZE SELECT 1": "EXPLAIN is not allowed",
    "SELECT getenv('HOME')": "getenv is not allowed",
    "SELECT current_setting('home_directory')": "current_setting is not allowed",
    "SELECT sleep_ms(1)": "sleep_ms is not allowed",
    "SELECT pg_sleep(1)": "pg_sleep is not allowed",
    "SELECT write_log('x')": "write_log is not allowed",
    "SELECT getvariable('x')": "getvariable is not allowed",
    "SELECT nextval('x')": "nextval is not allowed",
    "SELECT * FROM variable": "there is no table 'variable'",
    "SELECT * FROM duckdb_settings()": r"duckdb_settings\(…\) is not allowed",
    "SELECT * FROM duckdb_settings": "there is no table",
    "SELECT * FROM system.main.duckdb_settings": "there is no table",
    "WITH duckdb_settings AS (SELECT 1) SELECT * FROM duckdb_settings": "there is no table",
    "SELECT * FROM pragma_database_list": "there is no table",
    "SELECT * FROM pg_catalog.pg_class": "there is no table",
    "SELECT * FROM information_schema.tables": "there is no table",
    "SELECT * FROM sqlite_master": "there is no table",
    'SELECT * FROM "part 0"': "there is no table",
    "SHOW DATABASES": "only SHOW TABLES",
    "SELECT * FROM arrow_scan(1, 2, 3)": r"arrow_scan\(…\) is not allowed",
    "SELECT * FROM pandas_scan(140000000)": r"pandas_scan\(…\) is not allowed",
    "FROM python_map_function((SELECT 1))": "python_map_function",
    "FROM force_checkpoint()": "force_checkpoint",
    "FROM which_secret('a', 'b')": "which_secret",
    "PIVOT candidates ON kind": "is not allowed",
    "SELECT 1" + " " * 200_000: "at most 100000 are read",
    "SELECT " + "(" * 5000 + "1" + ")" * 5000: "cannot be read",
    "SELECT '\ud800'": "cannot be read",
    "\x00": "cannot be read|0 statements",
}


@pytest.mark.parametrize("sql", REFUSED, ids=lambda sql: ascii(sql[:40]))
def test_refused_before_anything_runs(sql, tmp_path):
    secret = tmp_path / "secret.csv"
    secret.write_text(SECRET)
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(QueryError, match=REFUSED[sql]) as caught:
        check_statement(sql.replace("{file}", str(secret)).replace("{out}", str(out)), TABLES)
    assert SECRET not in str(caught.value)
    assert not list(out.iterdir())


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM candidates",
        'SELECT c.x FROM "search-2"."candidates" AS c WHERE c.x > (SELECT avg(x) FROM candidates)',
        "FROM candidates",
        "VALUES (1), (2)",
        "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE i < 3) FROM r",
        "SELECT kind, row_number() OVER (ORDER BY x) FROM Candidates QUALIFY 1 = 1",
        "SELECT unnest([1, 2]), random(), now() FROM range(3)",
        "SELECT * FROM (SELECT kind, x FROM candidates) PIVOT (sum(x) FOR kind IN ('a', 'b'))",
        "SELECT * FROM memory.main.candidates",
        "DESCRIBE candidates",
        "SUMMARIZE candidates",
        "SHOW TABLES",
    ],
)
def test_what_astronomers_write_is_allowed(sql):
    assert check_statement(sql, TABLES)["type"] in ("SELECT_NODE", "RECURSIVE_CTE_NODE")


# These pass the grammar and have to be stopped while they run: query -> (time limit, end).
TIME, MEMORY, SIZE = "stopped after 1 s", "more than 1024 MB of memory", "result is too large"
BOMBS = {
    "SELECT count(*) FROM range(10000000) a, range(10000000) b WHERE a.range * b.range = 3": TIME,
    "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r) SELECT count(*) FROM r": TIME,
    "SELECT levenshtein(repeat('a', 200000), repeat('b', 200000))": TIME,
    "SELECT length(repeat('x', 4000000000))": MEMORY,
    "SELECT list_sum(range(1000000000))": MEMORY,
    "SELECT sum(length(repeat('x', i::BIGINT * 10000000))) FROM range(1000) t(i)": MEMORY,
    "WITH RECURSIVE r(s) AS (SELECT 'x' UNION ALL SELECT s || s FROM r) FROM r": MEMORY,
    "SELECT array_agg(i) FROM range(1000000000) t(i)": MEMORY,
    "SELECT repeat('x', 3000) FROM range(1000000)": SIZE,
}


@pytest.mark.parametrize("sql", BOMBS, ids=lambda sql: sql[:40])
def test_bombs_are_stopped(sql, workspace):
    with pytest.raises(QueryError, match=BOMBS[sql]):
        query(sql, workspace, max_rows=10**6, timeout=1.0 if BOMBS[sql] == TIME else 100.0)


def files_in(folder):
    return {path: path.stat().st_mtime_ns for path in Path(folder).rglob("*")}


def test_the_process_itself_has_shut_its_doors(workspace, tmp_path, monkeypatch):
    """Even if the check let everything pass, the process would not."""
    secret = tmp_path / "secret.csv"
    secret.write_text(SECRET)
    monkeypatch.setenv("SKYWRIGHT_SECRET", SECRET)
    module = importlib.import_module("skywright.serve.query")  # the room shows the function
    monkeypatch.setattr(module, "check_statement", lambda sql, tables: {})
    before = files_in(tmp_path)
    for sql in (
        f"SELECT * FROM read_text('{secret}')",
        f"SELECT * FROM '{secret}'",
        f"COPY (SELECT 1) TO '{tmp_path}/x.csv'",
        f"ATTACH '{tmp_path}/x.db'",
        f"EXPORT DATABASE '{tmp_path}/x'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET threads = 8",
        "SET enable_external_access = true",
        "SELECT * FROM variable",
        "SELECT getenv('SKYWRIGHT_SECRET')",
        "INSERT INTO candidates VALUES (1, 2, 'a', true)",
        "DELETE FROM candidates",
    ):
        with pytest.raises(QueryError) as caught:
            query(sql, workspace)
        assert SECRET not in str(caught.value), sql
    assert files_in(tmp_path) == before


def test_nothing_is_left_behind(workspace, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = files_in(tmp_path)
    query("SELECT * FROM candidates", workspace)
    with pytest.raises(QueryError):
        query("SELECT * FROM range(100000000) ORDER BY hash(range)", workspace, timeout=1.0)
    assert files_in(tmp_path) == before
    assert "SKYWRIGHT" not in "".join(os.listdir(tmp_path))
