"""What a query gives: tables of runs, sweeps, units, limits."""

import json
import os

import numpy as np
import pyarrow as pa
import pytest

from skywright.serve import QueryError, query, tables


def rows(sql, workspace, **options):
    return query(sql, workspace, **options).to_pylist()


def test_the_plain_name_means_the_newest_run(workspace):
    assert rows("SELECT count(*) AS n FROM candidates", workspace) == [{"n": 3}]
    assert rows('SELECT count(*) AS n FROM "search-1".candidates', workspace) == [{"n": 5}]
    assert rows("SELECT count(*) AS n FROM old", workspace) == [{"n": 1}]
    assert rows('SELECT count(*) AS n FROM "my-node"', workspace) == [{"n": 2}]


def test_runs_can_be_joined(workspace):
    sql = """
        SELECT new.object_id, old.flux_g - new.flux_g AS change
        FROM "search-2".candidates AS new JOIN "search-1"."candidates" AS old USING (object_id)
        WHERE new.known ORDER BY 1 DESC
    """
    assert rows(sql, workspace) == [
        {"object_id": 2, "change": 0.0},
        {"object_id": 0, "change": 0.0},
    ]


def test_a_swept_node_is_one_table_with_the_sweep_values(workspace):
    found = rows(
        "SELECT fold, net, max(flux_g) AS top FROM scores GROUP BY ALL ORDER BY 1", workspace
    )
    assert found == [{"fold": 0, "net": "cnn", "top": 1.0}, {"fold": 1, "net": "cnn", "top": 11.0}]


def test_what_there_is_can_be_asked(workspace):
    found = rows("SELECT run, recipe, started, ok FROM runs", workspace)
    assert found[0] == {
        "run": "search-2",
        "recipe": "lens-search",
        "started": "2026-01-31T23:59:55+00:00",
        "ok": True,
    }
    assert [r["run"] for r in found] == ["search-2", "search-1"]
    listed = tables(workspace).to_pylist()
    assert {"run": "search-2", "node": "scores", "rows": 4, "columns": 6, "latest": True} in listed
    assert {"run": "search-1", "node": "candidates", "rows": 5, "columns": 4, "latest": False} in (
        listed
    )
    assert query("SHOW TABLES", workspace).to_pylist() == listed
    described = rows("DESCRIBE candidates", workspace)
    assert [r["column_name"] for r in described] == ["object_id", "flux_g", "kind", "known"]
    unit = rows(
        "SELECT unit, ucd FROM columns WHERE name = 'flux_g' AND run = 'search-1'", workspace
    )
    assert unit[0] == {"unit": "nJy", "ucd": "phot.flux"}


def test_units_stay_with_columns_that_are_passed_on(workspace):
    def unit(sql, column):
        return (query(sql, workspace).schema.field(column).metadata or {}).get(b"unit")

    assert unit("SELECT * FROM candidates ORDER BY flux_g DESC", "flux_g") == b"nJy"
    assert unit("SELECT c.flux_g AS f FROM candidates c", "f") == b"nJy"
    assert unit('FROM "search-1".candidates', "flux_g") == b"nJy"
    # what is computed has no unit that anyone could vouch for
    assert unit("SELECT flux_g * 2 AS flux_g FROM candidates", "flux_g") is None
    assert unit("SELECT * REPLACE (1 AS flux_g) FROM candidates", "flux_g") is None
    assert unit("WITH c AS (SELECT 1 AS flux_g) SELECT flux_g FROM c", "flux_g") is None


def test_long_results_are_cut_and_say_so(workspace):
    with pytest.warns(UserWarning, match="only the first 4 rows"):
        answer = query("SELECT * FROM range(100000)", workspace, max_rows=4)
    assert answer.num_rows == 4
    assert query("SELECT * FROM range(4)", workspace, max_rows=4).num_rows == 4
    with pytest.warns(UserWarning, match="only the first 3000 rows"):
        assert query("SELECT * FROM range(100000)", workspace, max_rows=3000).num_rows == 3000


def test_an_empty_result_keeps_its_columns(workspace):
    answer = query("SELECT flux_g FROM candidates WHERE flux_g < 0", workspace)
    assert answer.num_rows == 0
    assert answer.schema.names == ["flux_g"]


def test_wrong_sql_is_told_in_words(workspace):
    with pytest.raises(QueryError, match="there is no table 'nothing'.*SHOW TABLES"):
        query("SELECT * FROM nothing", workspace)
    with pytest.raises(QueryError, match="cannot be read.*syntax error"):
        query("SELEKT 1", workspace)
    with pytest.raises(QueryError, match="fluks"):
        query("SELECT fluks FROM candidates", workspace)
    with pytest.raises(QueryError, match="0 statements"):
        query(" ; -- nothing", workspace)


def test_a_workspace_without_runs_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="run a recipe first"):
        query("SELECT 1", tmp_path)


@pytest.mark.parametrize("harm", ["vanished", "record", "table", "outside", "unknown"])
def test_a_damaged_run_is_left_out_and_named(workspace, tmp_path, harm):
    runs = workspace / "runs"
    record = runs / "search-2" / "provenance.json"
    if harm == "vanished":
        (runs / "search-0.json").write_text(json.dumps({"path": str(tmp_path / "nowhere")}))
    elif harm == "record":
        record.write_text('{"run": ')
    elif harm == "table":
        file = runs / "search-2" / "artefacts" / "candidates" / "table.parquet"
        file.write_bytes(file.read_bytes()[:-20])
    elif harm == "outside":
        about = json.loads(record.read_text())
        about["nodes"]["secret"] = {"folder": "../../../away/artefacts/candidates"}
        record.write_text(json.dumps(about))
    else:
        (runs / "notes").mkdir()
    with pytest.warns(UserWarning, match="is skipped"):
        found = rows("SELECT count(*) AS n FROM candidates", workspace)
    assert found == [{"n": 5 if harm in ("record", "table", "outside") else 3}]


def test_a_run_that_is_still_going_on_is_no_damage(workspace):
    (workspace / "runs" / "search-3").mkdir()
    (workspace / "runs" / "search-3" / "recipe.yml").write_text("a: 1\n")
    assert rows("SELECT count(*) AS n FROM runs", workspace) == [{"n": 2}]


def test_names_with_quotes_and_capitals_are_only_names(workspace, run_writer):
    from skywright.data.artefacts import load

    table = load(workspace / "runs" / "search-2" / "artefacts" / "my-node")
    name = """x"; DROP VIEW candidates; --'"""
    folder = workspace / "runs" / "odd"
    folder.mkdir()
    run_writer(folder, name, {"Runs": table, "a b": table})
    quoted = '"' + name.replace('"', '""') + '"'
    assert rows(f'SELECT count(*) AS n FROM {quoted}."a b"', workspace) == [{"n": 2}]
    assert rows(f"SELECT count(*) AS n FROM {quoted}.Runs", workspace) == [{"n": 2}]
    assert rows("SELECT count(*) AS n FROM runs", workspace) == [{"n": 3}]


def test_special_columns_come_through(workspace, run_writer):
    import astropy.units as u
    from astropy.coordinates import SkyCoord
    from astropy.table import QTable
    from astropy.time import Time
    from astropy.utils.masked import Masked

    table = QTable()
    table["where"] = SkyCoord([1.0, 2.0] * u.deg, [3.0, 4.0] * u.deg)
    table["when"] = Time([60000.0, 60001.0], format="mjd")
    table["spectrum"] = np.arange(6.0).reshape(2, 3)
    table["flux"] = Masked([1.0, 2.0] * u.Jy, mask=[False, True])
    folder = workspace / "runs" / "odd"
    folder.mkdir()
    run_writer(folder, "odd", {"special": table})
    found = rows('SELECT "where".ra AS ra, spectrum[3] AS s, flux FROM special', workspace)
    assert found == [{"ra": 1.0, "s": 2.0, "flux": 1.0}, {"ra": 2.0, "s": 5.0, "flux": None}]


def test_python_sees_an_arrow_table(workspace):
    assert isinstance(query("SELECT 1 AS one", workspace), pa.Table)


STRANGE = [
    {"run": ""},
    {"run": "\ud800"},
    {"run": "\x1b[2J"},
    {"run": "x" * 10_000},
    {"run": 3},
    {"seconds": 1e300},
    {"ended": "0001-01-01T00:00:00+00:00"},
    {"nodes": {"\udfff": {"folder": "artefacts/candidates"}}},
    {"nodes": {"a[=3]": {"folder": "artefacts/candidates"}}},
]


@pytest.mark.parametrize("facts", STRANGE, ids=str)
def test_a_run_with_a_strange_record_is_left_out(workspace, facts):
    record = workspace / "runs" / "search-2" / "provenance.json"
    record.write_text(json.dumps(json.loads(record.read_text()) | facts))
    with pytest.warns(UserWarning, match=r"search-2 is skipped") as caught:
        assert rows("SELECT count(*) AS n FROM candidates", workspace) == [{"n": 5}]
    assert all(str(w.message).isprintable() for w in caught)


@pytest.mark.parametrize("harm", ["deep", "pipe", "device", "link"])
def test_a_record_that_is_no_plain_file_is_left_out(workspace, harm):
    folder = workspace / "runs" / "search-2"
    file = folder / ("artefacts/candidates/table.parquet" if harm == "link" else "provenance.json")
    file.unlink()
    if harm == "deep":
        file.write_text("[" * 100_000)
    elif harm == "pipe":
        os.mkfifo(file)
    else:
        other = workspace.parent / "away" / "artefacts" / "candidates" / "table.parquet"
        file.symlink_to(other if harm == "link" else "/dev/zero")
    with pytest.warns(UserWarning, match=r"search-2 is skipped"):
        assert rows("SELECT count(*) AS n FROM candidates", workspace) == [{"n": 5}]
