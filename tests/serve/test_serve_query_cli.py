"""``skywright query`` as it is typed: formats, exit codes, standard output kept clean."""

import csv
import io
import json

import pyarrow.parquet as pq
import pytest
from astropy.io.votable import parse_single_table
from typer.testing import CliRunner

from skywright.cli import app

SELECT = "SELECT object_id, flux_g, kind FROM candidates ORDER BY object_id"


@pytest.fixture
def ask(workspace):
    """Return a function that runs the command on the workspace."""

    def run(*arguments):
        return CliRunner().invoke(app, ["query", *arguments, "--workspace", str(workspace)])

    return run


def test_table_shows_names_units_and_rows(ask):
    done = ask(SELECT)
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        "object_id  flux_g  kind",
        "              nJy",
        "---------  ------  ----",
        "        0       0  a",
        "        1       1  b",
        "        2       2  c",
    ]


def test_csv_and_json(ask):
    rows = list(csv.DictReader(io.StringIO(ask(SELECT, "--format", "csv").stdout)))
    assert rows[2] == {"object_id": "2", "flux_g": "2.0", "kind": "c"}
    assert json.loads(ask(SELECT, "--format", "json").stdout)[1] == {
        "object_id": 1,
        "flux_g": 1.0,
        "kind": "b",
    }
    found = json.loads(ask("SELECT 'nan'::DOUBLE AS x", "--format", "json").stdout)
    assert found == [{"x": None}]


def test_files_keep_units_and_ucds(ask, tmp_path):
    assert ask(SELECT, "-o", str(tmp_path / "x.parquet")).exit_code == 0
    field = pq.read_schema(tmp_path / "x.parquet").field("flux_g")
    assert field.metadata[b"unit"] == b"nJy"
    assert ask(SELECT, "-o", str(tmp_path / "x.vot")).exit_code == 0
    table = parse_single_table(tmp_path / "x.vot")
    flux = next(f for f in table.fields if f.name == "flux_g")
    assert (str(flux.unit), flux.ucd) == ("nJy", "phot.flux")
    assert list(table.array["kind"]) == ["a", "b", "c"]


def test_votable_holds_missing_and_strange_values(ask, tmp_path):
    sql = "SELECT NULL::INT AS a, true AS b, [1, 2] AS c, 1.5::DECIMAL AS d, DATE '2026-01-02' AS e"
    assert ask(sql, "-o", str(tmp_path / "x.xml")).exit_code == 0
    table = parse_single_table(tmp_path / "x.xml").to_table()
    assert table["a"].mask.all()
    assert (table["b"][0], table["c"][0], table["d"][0]) == (True, "[1, 2]", 1.5)


def test_tables_are_listed(ask):
    done = ask("--tables")
    assert done.exit_code == 0
    assert "search-2  candidates     3" in done.stdout


def test_wrong_use_is_exit_2_without_traceback(ask):
    for arguments in (
        ["DROP VIEW candidates"],
        ["SELECT * FROM nothing"],
        [],
        [SELECT, "--tables"],
    ):
        done = ask(*arguments)
        assert done.exit_code == 2
        assert done.stdout == ""
        assert done.stderr.startswith("skywright: ")
        assert "Traceback" not in done.stderr


def test_warnings_go_to_standard_error(ask):
    done = ask("SELECT * FROM range(10)", "--limit", "2", "--format", "csv")
    assert done.exit_code == 0
    assert done.stdout == "range\n0\n1\n"
    assert done.stderr.startswith("skywright: only the first 2 rows are shown")


def test_a_file_that_cannot_be_written_is_one_line(ask, tmp_path):
    done = ask(SELECT, "-o", str(tmp_path / "no" / "x.csv"))
    assert done.exit_code == 1
    assert done.stderr.count("\n") == 1
