import json

import astropy.units as u
import h5py
import numpy as np
import pyarrow.parquet as pq
import pytest
from astropy.io import fits
from astropy.table import QTable, Table
from flow_plans import library, plan, ref

import skywright
from skywright import flow
from skywright.data.tables import read_table
from skywright.flow.events import RunError
from skywright.flow.plan import Node, RecipeError, Ref


def table(name, **columns):
    """The nodes that a table of a recipe becomes."""
    nodes = {name: Node(name, name, "table", library("astropy.table.Table"))}
    whole = [Ref(name)]
    for key, value in columns.items():
        nodes[f"{name}.{key}"] = Node(f"{name}.{key}", name, "column", value, columns=(key,))
        whole.append(Ref(f"{name}.{key}"))
    done = f"{name}.complete"
    nodes[done] = Node(done, name, "complete", whole, columns=tuple(columns))
    return nodes


@pytest.fixture
def nodes():
    galaxies = table(
        "galaxies", z=library("numpy.random.uniform", 0.0, 1.0, 5), flux=3.0 * u.Jy, survey="deep"
    )
    return galaxies | table("stars", mag=library("numpy.add", ref("galaxies.z"), 20.0))


@pytest.fixture
def write(tmp_path, nodes):
    def write(name, **options):
        made = plan(tmp_path, nodes, seed=4)
        return flow.run(made, workspace=tmp_path / "ws", out=tmp_path / name, workers=1, **options)

    return write


@pytest.mark.parametrize("suffix", [".fits", ".fit", ".fts"])
def test_fits_has_an_extension_per_table(write, tmp_path, suffix):
    run = write(f"out{suffix}")
    with fits.open(tmp_path / f"out{suffix}") as file:
        assert [hdu.name for hdu in file[1:]] == ["GALAXIES", "STARS"]
        assert file[0].header["SEED"] == 4
        assert file["STARS"].header["VERSION"] == skywright.__version__
        assert file["GALAXIES"].header["RECIPE"] == "recipe.yml"
        assert file["GALAXIES"].columns["flux"].unit == "Jy"
        np.testing.assert_array_equal(file["GALAXIES"].data["z"], run["galaxies.complete"]["z"])
    read = Table.read(tmp_path / f"out{suffix}", hdu="GALAXIES")
    assert read.colnames == ["z", "flux", "survey"]
    assert read["survey"].tolist() == ["deep"] * 5


@pytest.mark.parametrize("suffix", [".hdf5", ".h5"])
def test_hdf5_has_tables_in_a_group(write, tmp_path, suffix):
    run = write(f"out{suffix}")
    with h5py.File(tmp_path / f"out{suffix}") as file:
        assert {"galaxies", "stars"} <= set(file["tables"])
    read = QTable.read(tmp_path / f"out{suffix}", path="tables/galaxies")
    assert read["flux"].unit == u.Jy
    assert read.meta["SEED"] == 4
    np.testing.assert_array_equal(read["z"], run["galaxies.complete"]["z"])


@pytest.mark.parametrize(("suffix", "read"), [(".parquet", read_table), (".ecsv", Table.read)])
def test_several_tables_become_several_files(write, tmp_path, suffix, read):
    write(f"out{suffix}")
    read = read(tmp_path / f"out_galaxies{suffix}")
    assert read["flux"].unit == u.Jy
    assert read.meta["SEED"] == 4
    assert (tmp_path / f"out_stars{suffix}").is_file()
    assert not (tmp_path / f"out{suffix}").exists()


def test_one_table_is_one_file(tmp_path):
    made = plan(tmp_path, table("only", x=library("numpy.arange", 3)))
    flow.run(made, workspace=tmp_path / "ws", out=tmp_path / "out.parquet", workers=1)
    assert pq.read_table(tmp_path / "out.parquet")["x"].to_pylist() == [0, 1, 2]


def test_file_is_replaced_only_if_asked(write, tmp_path):
    (tmp_path / "out.fits").write_text("precious")
    with pytest.raises(RecipeError, match="add --overwrite"):
        write("out.fits")
    assert (tmp_path / "out.fits").read_text() == "precious"
    write("out.fits", overwrite=True)
    assert Table.read(tmp_path / "out.fits", hdu=1).colnames == ["z", "flux", "survey"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [("out.csv", "is not written"), ("none/out.fits", "there is no folder")],
)
def test_files_that_cannot_be_written_are_refused_before_work(write, tmp_path, name, reason):
    with pytest.raises(RecipeError, match=reason):
        write(name)
    assert not (tmp_path / "ws").exists()


def test_recipe_without_tables_has_no_table_file(tmp_path):
    with pytest.raises(RecipeError, match="has no tables"):
        flow.run(plan(tmp_path, {"a": 1}), workspace=tmp_path / "ws", out=tmp_path / "a.fits")


def test_columns_of_a_tuple_and_of_an_array(tmp_path):
    pair = Node("t.a,b", "t.a,b", "column", library("numpy.ones", [4, 2]), columns=("a", "b"))
    parts = {f"t.{n}": Node(f"t.{n}", f"t.{n}", "part", Ref("t.a,b", (n,))) for n in "ab"}
    nodes = table("t") | {"t.a,b": pair} | parts
    whole = [Ref("t"), Ref("t.a"), Ref("t.b")]
    nodes["t.complete"] = Node("t.complete", "t", "complete", whole, columns=("a", "b"))
    run = flow.run(plan(tmp_path, nodes), workspace=tmp_path / "ws", workers=1)
    assert run["t.complete"].colnames == ["a", "b"]
    assert run["t.b"].tolist() == [1.0] * 4
    wrong = Node("t.a,b", "t.a,b", "column", library("numpy.ones", [4, 3]), columns=("a", "b"))
    run = flow.run(plan(tmp_path, nodes | {"t.a,b": wrong}), workspace=tmp_path / "ws", workers=1)
    assert run.nodes["t.a,b"]["message"] == "ValueError: 3 columns for 2 names: a, b"


@pytest.mark.parametrize("name", ["é\n", "x"])
def test_table_that_a_file_cannot_hold_is_one_clear_error(tmp_path, name):
    values = [library("numpy.sum", imported=True)] if name == "x" else [1]
    made = plan(tmp_path, table("t", **{name: library("astropy.table.Column", values)}))
    with pytest.raises(RunError, match="cannot be written"):
        flow.run(made, workspace=tmp_path / "ws", out=tmp_path / "out.fits", workers=1)
    assert not list(tmp_path.glob("*.fits"))


SWEPT = """
recipe: {sweep: {cell: 0..2}}
parameters: {cell: 0}
tables:
  t:
    x: !numpy.random.uniform [0, 1, 4]
    at: !numpy.full [4, $cell]
    size: !astropy.units.Quantity [!numpy.ones [4], km]
"""


@pytest.fixture
def swept(tmp_path):
    file = tmp_path / "swept.yml"
    file.write_text(SWEPT)

    def swept(name, workers=0, **options):
        made = flow.load(file, **options)
        return flow.run(made, workspace=tmp_path / "ws", out=tmp_path / name, workers=workers)

    return swept


@pytest.mark.parametrize(
    ("suffix", "read"),
    [(".parquet", read_table), (".ecsv", QTable.read), (".fits", lambda f: QTable.read(f, hdu=1)),
     (".h5", lambda f: QTable.read(f, path="tables/t"))],
)  # fmt: skip
def test_copies_of_a_swept_table_stand_one_below_the_other(swept, tmp_path, suffix, read):
    run = swept(f"out{suffix}")
    table = read(tmp_path / f"out{suffix}")
    assert table.colnames == ["cell", "x", "at", "size"]
    assert table["cell"].tolist() == table["at"].tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert table["size"].unit == u.km
    np.testing.assert_array_equal(table["x"][4:8], run["t.complete[cell=1]"]["x"])


def test_parts_of_a_swept_table_are_row_groups(swept, tmp_path):
    swept("out.parquet", set=["cell=1..4"])
    assert pq.ParquetFile(tmp_path / "out.parquet").num_row_groups == 4


def test_every_file_says_where_it_comes_from(swept, tmp_path):
    run = swept("out.parquet", seed=7, set=["cell=3"])
    origin = json.loads(read_table(tmp_path / "out.parquet").meta["PROVENANCE"])
    assert origin["run"] == run.run
    assert origin["recipe"]["seed"] == 7
    assert origin["recipe"]["parameters"] == {"cell": 3}
    assert origin["versions"]["numpy"] == np.__version__
    swept("out.fits", seed=7, set=["cell=3"])
    header = fits.getheader(tmp_path / "out.fits")
    assert json.loads("".join(header["HISTORY"]))["recipe"] == origin["recipe"]


@pytest.mark.parametrize("cells", ["5..2", "0..99999999"])
def test_ranges_that_are_empty_or_endless_are_refused(swept, cells):
    with pytest.raises(RecipeError, match="no values|nodes"):
        swept("out.parquet", set=[f"cell={cells}"])


def test_a_copy_without_rows_has_the_same_columns(tmp_path):
    file = tmp_path / "empty.yml"
    file.write_text(SWEPT.replace("[0, 1, 4]", "[0, 1, $cell]").replace("[4, $cell]", "[$cell, 1]")
                    .replace("!numpy.ones [4]", "!numpy.ones [$cell]"))  # fmt: skip
    flow.run(flow.load(file), workspace=tmp_path / "ws", out=tmp_path / "o.parquet", workers=0)
    table = read_table(tmp_path / "o.parquet")
    assert table["cell"].tolist() == [1, 2, 2]
    assert table["cell"].dtype.kind == "i"
