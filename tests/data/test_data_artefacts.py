"""Every kind of artefact comes back as it was, has one digest, and cannot run code."""

import subprocess
import sys
from pathlib import Path

import astropy.units as u
import h5py
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.cosmology import FlatLambdaCDM, Planck18
from astropy.table import Column, MaskedColumn, QTable, Table
from astropy.time import Time
from astropy.utils.masked import Masked
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from skywright.data import Files, Images, Model, Predictions, Psf, Report, open_survey
from skywright.data.artefacts import DamagedArtefact, digest, load, save


def table() -> QTable:
    result = QTable(
        {
            "id": np.array([1, 2, 3]),
            "flux": np.arange(6.0).reshape(3, 2) * u.nJy,
            "name": ["x", "yy", ""],
            "flag": [True, False, True],
            "masked": MaskedColumn([1.0, 2.0, 3.0], mask=[False, True, False]),
            "words": MaskedColumn(["a", "b", "c"], mask=[False, True, False]),
            "gone": Masked([1.0, 2.0, 3.0] * u.m, mask=[False, False, True]),
            "wave": np.arange(3) * 1j,
            "time": Time([1, 2, 3.5], format="mjd", scale="tdb"),
            "sky": SkyCoord([1, 2, 3] * u.deg, [-1, 0, 1] * u.deg),
            "mag": [1.0, 2.0, 3.0] * u.ABmag,
            "cube": np.arange(12, dtype=">i4").reshape(3, 2, 2),
        }
    )
    result["flux"].info.meta = {"ucd": "phot.flux"}
    result["flux"].info.description = "what was measured"
    result.meta = {"author": "nobody", "n": [1, 2]}
    return result


def images(n: int = 10) -> Images:
    rng = np.random.default_rng(1)
    return Images(
        flux=rng.normal(size=(n, 3, 8, 8)).astype("f4"),
        bands=("g", "r", "i"),
        unit=u.nJy,
        scale=0.2 * u.arcsec,
        object_id=np.arange(n),
        ra=np.full(n, np.nan),
        variance=np.ones((n, 3, 1, 1), "f4"),
        mask=rng.random((n, 8, 8)) < 0.1,
        psf_fwhm=np.array([2.0, 2.1, 2.2]),
        saturation=255.0,
    )


def model() -> Model:
    return Model(
        config={"net": {"path": "skywright.nets.ResNet"}, "bands": ("g", "r")},
        weights={"w": np.arange(6.0).reshape(2, 3).T, "zero": np.array(2)},
        estimator=b"\x00skops",
        history={"epoch": [1, 2], "loss": [0.5, float("nan")], "name": ["a", "12"], "x": [None, 1]},
        card="# card\r\nmore",
    )


VALUES = [
    None,
    True,
    3,
    2.5,
    float("nan"),
    float("-inf"),
    "é\n",
    b"\x00a",
    1j,
    [1, (2, {"a": np.arange(3), "b": [None]})],
    np.float32(2.5),
    np.datetime64("2020-01-01"),
    np.arange(3) * u.m,
    5 * u.ABmag,
    u.nJy,
    Planck18,
    FlatLambdaCDM(70, 0.3, name="mine"),
    table(),
    Table(table()["id", "flux"]),
    table()[:0],
    table()["flux"],
    table()["id"],
    table()["masked"],
    table()["time"],
    table()["sky"],
    table()["gone"],
    Time(3, format="mjd"),
    np.array(["a", "bb"]),
    np.array([], dtype="f4"),
    np.array(5.0),
    np.arange(3, dtype=">i4"),
    np.array([(1, 2.0)], dtype=[("a", int), ("b", float)]),
    images(),
    images(0),
    model(),
    Model({}),
    Report(
        {"a.b": {"value": np.float64(1), "low": 0, "high": float("nan")}}, "v", {"x": (1,)}, "<p>"
    ),
    Files({"a/b.txt": b"1", "c": b""}),
    Predictions(np.arange(3), np.zeros((3, 2)), epistemic=np.ones((3, 2))),
    Psf(("g",), np.array([2.0]), np.array([np.inf]), "given", kernel=np.ones((1, 3, 3))),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda v: type(v).__name__)
def test_round_trip(value, tmp_path):
    save(value, tmp_path / "a")
    back = load(tmp_path / "a")
    assert type(back) is type(value)
    assert digest(back) == digest(value)
    save(back, tmp_path / "b")
    assert digest(load(tmp_path / "b")) == digest(value)


def test_every_value_has_a_digest_of_its_own():
    assert len({digest(value) for value in VALUES}) == len(VALUES)


def test_table_keeps_everything(tmp_path):
    before = table()
    save(before, tmp_path)
    after = load(tmp_path)
    assert after.colnames == before.colnames
    assert after["flux"].unit == u.nJy
    assert after["flux"].info.meta == {"ucd": "phot.flux"}
    assert after["flux"].info.description == "what was measured"
    assert after.meta == before.meta
    assert np.array_equal(after["flux"].value, before["flux"].value)
    assert after["masked"].mask.tolist() == [False, True, False]
    assert after["gone"].mask.tolist() == [False, False, True]
    assert after["time"].scale == "tdb"
    assert np.all(after["time"] == before["time"])
    assert after["sky"].separation(before["sky"]).max() < 1e-9 * u.arcsec
    assert np.array_equal(after["wave"], before["wave"])


def test_parquet_is_read_by_other_tools(tmp_path):
    import duckdb
    import pyarrow.parquet as pq

    save(table(), tmp_path)
    path = tmp_path / "table.parquet"
    field = pq.read_schema(path).field("flux")
    assert field.metadata[b"unit"] == b"nJy"
    assert field.metadata[b"ucd"] == b"phot.flux"
    rows = duckdb.sql(f"SELECT name, masked, flux FROM '{path}' ORDER BY id").fetchall()
    assert rows[1] == ("yy", None, (2.0, 3.0)) or rows[1] == ("yy", None, [2.0, 3.0])


def test_a_change_of_content_changes_the_digest():
    base = digest(table())
    for change in (
        lambda t: t["flux"].__setitem__((0, 0), 9 * u.nJy),
        lambda t: t.rename_column("flux", "light"),
        lambda t: t["flux"].info.meta.update(ucd="phot.count"),
        lambda t: t.meta.update(author="somebody"),
        lambda t: t.reverse(),
        lambda t: t.replace_column("flux", t["flux"].value * u.mJy),
    ):
        other = table()
        change(other)
        assert digest(other) != base


def test_equal_content_has_equal_digest():
    data = np.arange(12.0).reshape(3, 4)
    same = [data, np.asfortranarray(data), data.astype(">f8"), data[::-1][::-1]]
    assert len({digest(value) for value in same}) == 1
    assert digest(np.array([0.0, np.nan])) == digest(np.array([-0.0, -np.nan]))
    assert digest(np.array(["a"])) == digest(np.array(["a"], dtype="<U9"))
    hidden = MaskedColumn([1.0, 7.0], mask=[False, True], name="x")
    assert digest(hidden) == digest(MaskedColumn([1.0, 8.0], mask=[False, True], name="x"))
    assert digest(data) != digest(data.T.copy())
    assert digest(data.astype("f4")) != digest(data)
    assert digest({"a": 1, "b": 2}) != digest({"b": 2, "a": 1})
    assert digest([["a"], "b"]) != digest(["a", ["b"]])


def test_lazy_and_eager_images_are_one(tmp_path):
    import pickle

    import h5py

    eager = images(300)
    save(eager, tmp_path)
    lazy = load(tmp_path)
    assert not isinstance(lazy.flux, np.ndarray)
    assert digest(lazy) == digest(eager) == digest(lazy[:])
    assert np.array_equal(lazy[[7, 3, 3]].flux, eager.flux[[7, 3, 3]])
    assert np.array_equal(pickle.loads(pickle.dumps(lazy)).flux[5], eager.flux[5])
    with h5py.File(tmp_path / "images.h5") as store:
        assert {"object_id", "ra", "image/flux", "image/band", "image/psf_fwhm", "image/scale"} <= {
            *store,
            *(f"image/{name}" for name in store["image"]),
        }


def test_digest_is_the_same_in_another_process(tmp_path):
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import test_data_artefacts as t;"
        "print([t.digest(v) for v in t.VALUES])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(Path(__file__).parent)],
        capture_output=True,
        text=True,
        env={"PYTHONHASHSEED": "77", "PATH": ""},
        check=True,
    )
    assert done.stdout.strip() == str([digest(value) for value in VALUES])


class Strange:
    def __reduce__(self):
        raise AssertionError("nothing is pickled")


@pytest.mark.parametrize(
    ("value", "advice"),
    [
        (lambda: 0, "calling"),
        ({1: 2}, "string keys"),
        ({1, 2}, "sorted"),
        (np.array([1, None]), "astype"),
        (np.array([Strange()]), "astype"),
        ((i for i in "a"), "list"),
        (Strange(), "a table"),
        (Path("a"), "str"),
        (np.ma.array([1]), "mask"),
        (np.random.default_rng(0), "numbers"),
        ([1, {"a": Strange()}], "a table"),
        (np.arange(2) * u.def_unit("parrot"), "parrot"),
        (Table({"a": np.array([Strange()])}), "astype"),
        (Report({}, evidence={"a": Strange()}), "JSON"),
    ],
)
def test_what_cannot_come_back_is_refused(value, advice, tmp_path):
    with pytest.raises(TypeError, match=advice):
        save(value, tmp_path)
    with pytest.raises(TypeError, match=advice):
        digest(value)


def test_open_file_is_refused(tmp_path):
    with open(__file__) as file, pytest.raises(TypeError, match="Files"):
        save(file, tmp_path)


def test_files_stay_in_their_folder(tmp_path):
    for name in ("../out", "/out", ""):
        with pytest.raises(ValueError, match="relative"):
            save(Files({name: b""}), tmp_path)


@pytest.mark.parametrize(
    ("value", "file"),
    [
        (images(), "images.h5"),
        (table(), "table.parquet"),
        (np.arange(1000.0), "array.npy"),
        (model(), "model.safetensors"),
        (model(), "config.json"),
        (Report({}), "report.json"),
        ([1, 2], "artefact.json"),
    ],
)
def test_damage_is_noticed(value, file, tmp_path):
    save(value, tmp_path)
    whole = (tmp_path / file).read_bytes()
    (tmp_path / file).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DamagedArtefact, match="cannot be read"):
        load(tmp_path)
    (tmp_path / file).unlink()
    with pytest.raises(DamagedArtefact, match="cannot be read"):
        load(tmp_path)


def test_a_flipped_bit_in_an_image_is_noticed(tmp_path):
    save(images(), tmp_path)
    content = bytearray((tmp_path / "images.h5").read_bytes())
    spot = content.find(images().flux.tobytes()[:64])
    content[spot + 5] ^= 1
    (tmp_path / "images.h5").write_bytes(content)
    with pytest.raises(OSError, match=r"(?i)checksum|filter|read"):
        load(tmp_path).flux[:]


def test_pickled_array_is_not_loaded(tmp_path):
    save(np.arange(3), tmp_path)
    np.save(tmp_path / "array.npy", np.array([1, None]), allow_pickle=True)
    with pytest.raises(DamagedArtefact, match="allow_pickle"):
        load(tmp_path)


def test_survey_is_known_by_content_and_not_by_path(tmp_path):
    survey = open_survey("hubble-deep-field")
    copy = tmp_path / "moved.jpg"
    copy.write_bytes(Path(survey.tiles[0].flux[0].path).read_bytes())
    moved = open_survey(str(copy), unit="ct", scale="0.138 arcsec")
    save(survey, tmp_path / "a")
    assert load(tmp_path / "a") == survey
    assert digest(survey.tiles[0].flux) == digest(moved.tiles[0].flux)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3)
        | st.tuples(inner, inner)
    ),
    max_leaves=8,
)


@settings(max_examples=40, deadline=None)
@given(value=JSON)
def test_nested_values_come_back(value, tmp_path_factory):
    folder = tmp_path_factory.mktemp("value")
    save(value, folder)
    back = load(folder)
    assert digest(back) == digest(value)
    assert repr(back) == repr(value)


KINDS = (
    hnp.boolean_dtypes() | hnp.integer_dtypes(endianness="?") | hnp.floating_dtypes(endianness="?")
)


@settings(max_examples=40, deadline=None)
@given(
    array=KINDS.flatmap(lambda t: hnp.arrays(t, hnp.array_shapes(min_dims=0, max_dims=3))),
)
def test_arrays_and_columns_come_back(array, tmp_path_factory):
    folder = tmp_path_factory.mktemp("array")
    save(array, folder / "array")
    back = load(folder / "array")
    assert back.dtype == array.dtype
    assert np.array_equal(back, array, equal_nan=array.dtype.kind == "f")
    if array.ndim:
        save(Table({"x": Column(array)}), folder / "table")
        column = load(folder / "table")["x"]
        assert np.array_equal(column, array, equal_nan=array.dtype.kind == "f")
        assert digest(load(folder / "table")) == digest(Table({"x": Column(array)}))


def shaped(*shape):
    """An array file that claims more than it holds."""
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + (118).to_bytes(2, "little") + header.encode()


FORGED = {
    "a list": "[1]",
    "brackets without end": "[" * 100_000,
    "a value of no kind": '{"kind": "value", "value": {}}',
    "a part that climbs": '{"kind": "value", "value": {"part": "../other"}}',
    "a part that is the whole": '{"kind": "value", "value": {"part": "."}}',
    "a function for a cosmology": '{"kind": "value", "value": {"cosmology": {"dict": '
    '{"cosmology": "z_at_value", "func": 1, "fval": 2}}}}',
    "brackets in a unit": '{"kind": "value", "value": {"unit": "%s"}}' % ("(" * 5000),
    "an array of a terabyte": '{"kind": "array", "unit": "none"}',
}


@pytest.mark.parametrize("name", FORGED)
def test_forged_artefact_is_one_clear_error(name, tmp_path):
    (tmp_path / "artefact.json").write_text(FORGED[name])
    (tmp_path / "array.npy").write_bytes(shaped(10**15))
    with pytest.raises(DamagedArtefact, match=r"cannot be read|does not fit") as caught:
        load(tmp_path)
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize("how", ["external storage", "external link", "virtual dataset"])
def test_pixels_of_another_file_are_not_read(how, tmp_path):
    secret = tmp_path / "secret.h5"
    with h5py.File(secret, "w") as store:
        store["x"] = np.ones((1, 1, 4, 4), dtype=np.float32)
    save(images(1), tmp_path / "a")
    for file, name in ((tmp_path / "a" / "images.h5", "image/flux"), (tmp_path / "b.h5", "flux")):
        with h5py.File(file, "a") as store:
            store.pop(name, None)
            shape = (1, 1, 4, 4) if "image" in name else (4, 4)
            if how == "external link":
                store[name] = h5py.ExternalLink(str(secret), "/x")
            elif how == "external storage":
                store.create_dataset(name, shape, "f4", external=[(str(secret), 0, 64)])
            else:
                layout = h5py.VirtualLayout(shape, "f4")
                layout[:] = h5py.VirtualSource(str(secret), "x", shape)
                store.create_virtual_dataset(name, layout)
            store[name].attrs["unit"] = "nJy"
    with pytest.raises(DamagedArtefact, match="from another file"):
        load(tmp_path / "a")
    with pytest.raises(ValueError, match=r"from another file|expected one dataset"):
        open_survey(tmp_path / "b.h5", unit="nJy")
