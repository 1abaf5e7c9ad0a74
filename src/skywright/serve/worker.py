"""Run one checked statement in a process of its own; started by `skywright.serve.query`.

An interrupt reaches DuckDB only between its own steps, and its memory limit does not count the
strings and lists a function makes: ``repeat('x', 4000000000)`` takes 8 GB and 25 s under a limit
of 0.5 GB and 3 s. Only a process can be stopped for certain. It has no user variables to look at,
may not write files, and the alarm clock ends it even inside one long function.

It imports nothing of the package, so that it starts quickly; it reads a JSON object from standard
input and writes an Arrow stream to standard output, or a message to standard error.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds

__all__: list[str] = []

REFUSED = 3
BATCH = 1024
SETTINGS: dict[str, Any] = {
    "allow_community_extensions": False,
    "allow_unsigned_extensions": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "max_temp_directory_size": "0KB",
    "python_enable_replacements": False,
    "temp_directory": "",
    "threads": 2,
}


def main() -> int:
    """Answer the question on standard input; the result is the exit code."""
    job = json.load(sys.stdin)
    try:
        connection = duckdb.connect(
            ":memory:", config={**SETTINGS, "memory_limit": f"{job['memory'] // 2**20}MiB"}
        )
        attach_tables(connection, job)
        limit_process(job["memory"], job["seconds"])
        reader = connection.sql(job["sql"]).to_arrow_reader(BATCH)
        send(reader, job["rows"], job["bytes"])
    except (duckdb.Error, pa.ArrowException, MemoryError, OverflowError, OSError) as error:
        sys.stderr.write(f"{type(error).__name__}: {error}"[:4000])
        return REFUSED
    return 0


def attach_tables(connection: duckdb.DuckDBPyConnection, job: dict[str, Any]) -> None:
    """Make a view of every file, then shut every door: no files, no settings, no extensions."""
    for schema in job["schemas"]:
        connection.execute(f"CREATE SCHEMA {quote(schema)}")
    count = 0
    for table in job["tables"]:
        selects = []
        for point, path in table["parts"]:
            dataset = ds.dataset(path, format="parquet")
            connection.register(f"part {count}", dataset)
            values = [
                f"{literal(value)} AS {quote(key)}"
                for key, value in point.items()
                if key not in dataset.schema.names
            ]
            selects.append(f"SELECT {', '.join([*values, '*'])} FROM {quote(f'part {count}')}")
            count += 1
        name = f"{quote(table['schema'])}.{quote(table['name'])}"
        connection.execute(f"CREATE VIEW {name} AS {' UNION ALL BY NAME '.join(selects)}")
    for name, schema in job["latest"].items():
        connection.execute(
            f"CREATE VIEW main.{quote(name)} AS SELECT * FROM {quote(schema)}.{quote(name)}"
        )
    for name, rows in job["inventory"].items():
        connection.register(f"inventory {name}", pa.Table.from_pydict(rows))
        connection.execute(f"CREATE VIEW main.{quote(name)} AS FROM {quote(f'inventory {name}')}")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def limit_process(memory: int, seconds: float) -> None:
    """Let the system end this process when it takes too much: memory, time, or any file."""
    statm = Path("/proc/self/statm")
    now = int(statm.read_text().split()[0]) * resource.getpagesize() if statm.exists() else 0
    # Stacks of threads take address space, not memory.
    for kind, amount in (
        (resource.RLIMIT_AS, now + memory + 2**29),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        try:
            resource.setrlimit(kind, (amount, amount))
        except (OSError, ValueError):  # not every system has every limit
            continue
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds)


def send(reader: pa.RecordBatchReader, rows: int, size: int) -> None:
    """Write at most ``rows`` rows and about ``size`` bytes; one row more tells of a cut."""
    sent = 0
    with pa.ipc.new_stream(sys.stdout.buffer, reader.schema) as out:
        for batch in reader:
            out.write_batch(batch.slice(0, rows + 1 - sent))
            sent += min(batch.num_rows, rows + 1 - sent)
            size -= batch.nbytes
            if sent > rows:
                break
            if size < 0:
                raise OverflowError("the result is too large: select fewer columns or rows")


def quote(name: str) -> str:
    """Return an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: Any) -> str:
    """Return a number or a text in SQL."""
    return repr(value) if isinstance(value, (int, float)) else "'" + value.replace("'", "''") + "'"


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
