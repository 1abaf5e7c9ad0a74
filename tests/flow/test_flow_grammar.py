"""What the grammar means: SkyPy's, whole, with its faults mended."""

import json
import textwrap

import astropy.units as u
import numpy as np
import pytest
from astropy.cosmology import FlatLambdaCDM, Planck15
from astropy.table import Table

from skywright.flow import RecipeError, describe, load, met, run
from skywright.flow.plan import Call, Ref


@pytest.fixture
def recipe(tmp_path):
    def write(text, **options):
        path = tmp_path / "recipe.yml"
        path.write_text(textwrap.dedent(text))
        return load(path, **options)

    return write


def value(plan, name):
    return plan.nodes[name].value


def test_scalars_of_yaml(recipe):
    plan = recipe(
        """
        a: [1, -2, +3, 0x10, 1_000, 1.5, .5, 2., 1e5, -1e-3, .inf, true, no, null, ~, ]
        b: [text, 12:30:45, 2026-01-02, "10 deg2", '$a', 010, 1.2.3, -, mag]
        c: [10 deg2, -2.5 mag, 1e-3 Mpc-3, !quantity 42 km, 5 %, .5 km / s]
        d: {}
        """
    )
    assert value(plan, "a")[:-3] == [1, -2, 3, 16, 1000, 1.5, 0.5, 2.0, 1e5, -1e-3, np.inf, True]
    assert value(plan, "a")[-3:] == [False, None, None]
    assert value(plan, "b") == ["text", "12:30:45", "2026-01-02", "10 deg2", "$a", "010", "1.2.3",
                                "-", "mag"]  # fmt: skip
    assert value(plan, "c") == [10 * u.deg**2, -2.5 * u.mag, 1e-3 / u.Mpc**3, 42 * u.km,
                                5 * u.percent, 0.5 * u.km / u.s]  # fmt: skip
    assert value(plan, "d") == {}


def test_calls(recipe):
    plan = recipe(
        """
        positional: !numpy.linspace [0, 1, 3]
        keywords: !numpy.linspace {start: 0, stop: 1}
        indented: !numpy.linspace
          start: 0
          stop: !numpy.sum [[1, 2]]
        none: !dict {}
        empty: !list []
        imported: !astropy.cosmology.Planck15
        chain: !astropy.cosmology.Planck15.comoving_distance [0.5]
        function: !numpy.cumsum
        constant: !astropy.constants.c
        """
    )
    assert value(plan, "positional").args == (0, 1, 3)
    assert value(plan, "keywords").kwargs == {"start": 0, "stop": 1}
    assert value(plan, "indented").kwargs["stop"].target is np.sum
    assert (value(plan, "none").target, value(plan, "empty").target) == (dict, list)
    assert value(plan, "imported").target is Planck15
    assert value(plan, "imported").imported
    assert value(plan, "chain").target == Planck15.comoving_distance
    assert not value(plan, "chain").imported
    assert value(plan, "function").target is np.cumsum
    assert value(plan, "constant").target.unit == u.m / u.s


def test_marks_point_to_the_file(recipe):
    plan = recipe("a: 1\n\nb:\n  !numpy.sum\n  - [$a]\n")
    assert plan.nodes["b"].mark.line == 3
    assert value(plan, "b").mark.line == 4
    assert value(plan, "b").args[0][0].mark.line == 5


def test_references_in_bare_lists_and_mappings_make_edges(recipe):
    plan = recipe("b: [$a, {x: $c}]\nd: !ref c\na: 1\nc: !len [[1]]\n")
    assert set(plan.graph.edges) == {("a", "b"), ("c", "b"), ("c", "d")}
    assert value(plan, "b")[1]["x"].node == "c"


def test_parts_of_values(recipe):
    plan = recipe("parameters: {p: {q: [1, 2]}}\na: $b.c.d\nb: !dict {}\ne: $p.q\n")
    assert value(plan, "a") == Ref("b", ("c", "d"), mark=value(plan, "a").mark)
    assert value(plan, "e") == [1, 2]


def test_tables(recipe):
    plan = recipe(
        """
        size: !len [$both]
        tables:
          both:
            .init: !astropy.table.vstack [[$blue, $red]]
            m: !numpy.multiply [$both.z, 2]
          blue:
            z: !numpy.ones [3]
            "a, b ,c": !numpy.zeros [[3, 3]]
            d: $blue.b
            w: 3 km
          red:
            .init: !astropy.table.QTable {data: {z: [5.0]}}
        """
    )
    assert plan.tables == ("both", "blue", "red")
    assert plan.nodes["blue"].value.target is Table
    assert plan.nodes["blue.a,b,c"].columns == ("a", "b", "c")
    assert plan.nodes["blue.b"].value.part == ("b",)
    assert plan.nodes["blue.complete"].columns == ("z", "a", "b", "c", "d", "w")
    # the whole tables, though nothing says .depends; a column of .init comes from .init
    assert {"blue.complete", "red.complete"} == set(plan.graph.predecessors("both"))
    assert list(plan.graph.predecessors("both.m")) == ["both"]
    assert list(plan.graph.predecessors("size")) == ["both.complete"]
    assert plan.nodes["both.m"].value.args[0].part == ("z",)


def test_whole_table_for_its_own_columns_is_what_init_made(recipe):
    plan = recipe(
        """
        n: !len [$t]
        tables:
          t:
            .init: !astropy.table.QTable {data: {x: [1, 2]}}
            y: !numpy.ones [$n]
        """
    )
    assert list(plan.graph.predecessors("n")) == ["t"]


def test_depends_adds_edges(recipe):
    plan = recipe(
        """
        a: !numpy.sum {a: [1], .depends: [b, t.complete]}
        c: !numpy.sum {a: !numpy.abs {x: 1, .depends: b}}
        b: 1
        tables: {t: {x: [1]}}
        """.replace("{x: 1, .depends: b}", "[1]")
    )
    assert set(plan.graph.predecessors("a")) == {"b", "t.complete"}


def test_depends_of_a_nested_call(recipe):
    plan = recipe(
        "a: !numpy.sum [!numpy.cumsum {a: [1], .depends: $b}]\nb: 1\nc: !list {.depends: [b]}\n"
    )
    assert list(plan.graph.predecessors("a")) == ["b"]
    assert value(plan, "a").args[0].kwargs == {"a": [1]}


def test_cosmology_reaches_nested_calls(recipe, tmp_path, monkeypatch):
    (tmp_path / "cosmic_steps.py").write_text(
        "def volume(z, cosmology): return z * cosmology.h\n"
        "def twice(x, cosmology=None): return 2 * x * cosmology.h\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    plan = recipe(
        """
        parameters: {h: 50.0}
        cosmology: !astropy.cosmology.FlatLambdaCDM {H0: $h, Om0: 0.3}
        a: !cosmic_steps.twice [!cosmic_steps.volume [2.0]]
        b: !cosmic_steps.volume {z: 1.0, cosmology: !astropy.cosmology.Planck15 }
        c: !cosmic_steps.volume {z: 1.0, cosmology: $cosmology}
        """,
        allow=["cosmic_steps"],
    )
    assert plan.cosmology.target is FlatLambdaCDM
    assert plan.cosmology.kwargs["H0"] == 50.0
    assert value(plan, "a").kwargs["cosmology"] == plan.cosmology
    assert value(plan, "a").args[0].kwargs["cosmology"] == plan.cosmology
    assert value(plan, "b").kwargs["cosmology"].target is Planck15
    assert value(plan, "c").kwargs["cosmology"] == plan.cosmology
    done = run(plan, workspace=tmp_path / "w", workers=1)
    assert (done["a"], done["c"]) == (2 * 2.0 * 0.5 * 0.5, 0.5)


def test_engine_fills_what_is_missing_nested_too(recipe, tmp_path, monkeypatch):
    (tmp_path / "drawing_steps.py").write_text(
        "def draw(n, rng, scratch, progress): return rng.normal(size=n)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    plan = recipe("a: !numpy.sum [!drawing_steps.draw {n: 3}]\n", allow=["drawing_steps"])
    assert value(plan, "a").args[0].kwargs == {"n": 3}


def test_blocks(recipe):
    plan = recipe(
        """
        parameters: {rows: 2}
        a: [1, 2, 3]
        b: !numpy.cumsum {a: $a, .map: a, .rows: $rows}
        """
    )
    assert (value(plan, "b").map, value(plan, "b").rows) == ("a", 2)
    assert value(plan, "b").kwargs["a"].node == "a"


def test_aliases_and_merge_keys(recipe):
    plan = recipe("a: &a {x: 1, y: 2}\nb: *a\nc: {<<: *a, y: 3}\nd: {<<: [*a, {z: 4}]}\n")
    assert value(plan, "b") == {"x": 1, "y": 2}
    assert value(plan, "c") == {"x": 1, "y": 3}
    assert value(plan, "d") == {"x": 1, "y": 2, "z": 4}


def test_first_document_alone_and_empty_files(recipe):
    assert set(recipe("a: 1\n---\n!os.system ['x']\n").nodes) == {"a"}
    assert not recipe("").nodes
    assert not recipe("# nothing\n---\n").nodes


HEAD = """
    recipe:
      title: A test
      cite: [2102.02830, "2604.06648"]
      presets:
        tiny: {n: 2, grid.low: 0.5}
        wide: {seed: [5, 6]}
      sweep: {seed: [0, 1]}
      expect: {tiny: {report.recall: ">= 0.85"}}
      report: $report
    parameters: {n: 10, seed: 0, grid: {low: 0.0, high: 1.0}, image: null}
    x: !numpy.linspace [$grid.low, $grid.high, $n]
    y: !numpy.add [$x, $seed]
    report: !len [$y.*]
    """


def test_head_is_kept_as_json(recipe):
    plan = recipe(HEAD, preset="tiny")
    assert plan.head["cite"] == ["2102.02830", "2604.06648"]
    assert plan.head["report"] == "report"
    assert json.loads(json.dumps(plan.head)) == plan.head
    assert plan.preset == "tiny"


def test_presets_and_settings(recipe):
    assert value(recipe(HEAD), "x").args == (0.0, 1.0, 10)
    assert value(recipe(HEAD, preset="tiny"), "x").args == (0.5, 1.0, 2)
    plan = recipe(HEAD, preset="tiny", set=["n=7", "grid.high=3 km", "image={g: g.fits}"])
    assert value(plan, "x").args == (0.5, 3 * u.km, 7)
    assert plan.parameters["image"] == {"g": "g.fits"}
    assert recipe(HEAD, set=["image.g=g.fits"]).parameters["image"] == {"g": "g.fits"}
    assert recipe(HEAD, set=["image="]).parameters["image"] is None
    plan = recipe(HEAD, set={"n": np.int64(4), "grid": {"low": 1, "high": (2,)}})
    assert value(plan, "x").args == (1, [2], 4)


def test_settings_stand_in_for_a_sweep(recipe):
    assert [n for n in recipe(HEAD).nodes if n[0] == "y"] == ["y[seed=0]", "y[seed=1]"]
    assert [n for n in recipe(HEAD, set=["seed=4"]).nodes if n[0] == "y"] == ["y[seed=4]"]
    plan = recipe(HEAD, preset="wide")
    assert [n for n in plan.nodes if n[0] == "y"] == ["y[seed=5]", "y[seed=6]"]
    assert plan.head["sweep"] == {"seed": [5, 6]}


def test_seed_of_the_recipe(recipe):
    assert recipe(HEAD).seed == 0
    assert recipe(HEAD, seed=3).seed == 3


@pytest.mark.parametrize(
    ("bound", "low", "high", "agrees"),
    [
        (">= 0.85", 0.80, 0.85, True),
        (">= 0.85", 0.80, 0.84, False),
        ("> 0.85", 0.80, 0.85, False),
        ("<=0.2", 0.2, 0.9, True),
        ("<= 0.2", 0.21, 0.9, False),
        ("< 2e-1", 0.2, 0.9, False),
        ("< -1", -1.5, 3.0, True),
        (">= 0", float("nan"), float("nan"), False),
    ],
)
def test_an_expectation_is_broken_by_the_whole_interval_alone(bound, low, high, agrees):
    assert met(bound, low, high) is agrees


def test_describe_counts_copies(recipe):
    text = describe(recipe(HEAD))
    assert text.splitlines()[0] == "recipe.yml: 4 nodes, seed 0"
    assert "y x2" in text
    assert "!numpy.linspace" in text


def test_recipe_of_skypys_kind_runs(recipe, tmp_path):
    """The whole way, with every feature of the grammar."""
    plan = recipe(
        """
        total: !numpy.sum [!numpy.concatenate [[$blue.z, $red.z]]]
        parameters: {n: 200, area: 10 deg2, h: 70.0}
        cosmology: !astropy.cosmology.FlatLambdaCDM {H0: $h, Om0: 0.3}
        slope: !astropy.modeling.models.Linear1D [-0.9, -20.4]
        dz: !astropy.cosmology.z_at_value
          func: !astropy.cosmology.Planck15.comoving_distance
          fval: 1000 Mpc
        tables:
          all:
            .init: !astropy.table.vstack
              tables: [$blue, $red]
              .depends: [blue.complete, red.complete]
            noisy: !numpy.random.normal {loc: $all.z, scale: 0.1}
          blue:
            z: !scipy.stats.uniform.rvs {size: $n}
            e1, e2: !numpy.random.normal {scale: 0.2, size: [200, 2]}
            kind: blue
            size: 3 kpc
          red:
            .init: !astropy.table.Table {data: {z: [1.0, 2.0]}}
            size: !astropy.units.Quantity [[1, 2], kpc]
        field: $area
        """
    )
    done = run(plan, workspace=tmp_path / "w", workers=1)
    assert done.state == "done", [v["message"] for v in done.nodes.values() if "message" in v]
    table = done["all.complete"]
    assert isinstance(table, Table)
    assert len(table) == 202
    assert done["total"] == pytest.approx(np.sum(table["z"]))
    assert 0.1 < np.std(table["e1"][:200].filled(np.nan)) < 0.3
    assert table["size"].unit == u.kpc
    assert done["dz"].value == pytest.approx(0.2396, abs=2e-4)  # of an integral by hand
    assert done["field"] == 10 * u.deg**2


def test_order_in_the_file_does_not_matter(tmp_path):
    lines = ["c: !numpy.sum [[$b, $a]]\n", "b: !numpy.sum [[$a, 2]]\n", "a: 1\n"]
    plans = []
    for number, text in enumerate(["".join(lines), "".join(reversed(lines))]):
        path = tmp_path / f"{number}.yml"
        path.write_text(text)
        plans.append(load(path))
    assert set(plans[0].graph.edges) == set(plans[1].graph.edges)


def test_imports_stay_out_until_they_are_allowed(recipe, tmp_path, monkeypatch):
    (tmp_path / "their_package").mkdir()
    (tmp_path / "their_package" / "__init__.py").write_text("import os\nrun = os.system\n")
    (tmp_path / "their_package" / "steps.py").write_text(
        "import shutil\nfrom astropy.table import Table\n"
        "class Mine(Table):\n    def size(self): return 1\n"
        "def step(x, *, scale=1): return x * scale\ndef _hidden(): ...\nLIMIT = 3\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    plan = recipe("a: !their_package.steps.step {x: 2}\nb: !their_package.steps.LIMIT\n",
                  allow=["their_package"])  # fmt: skip
    assert isinstance(value(plan, "a"), Call)
    assert value(plan, "b").target == 3
    assert plan.allow == ("their_package",)
    for tag, says in [
        ("their_package.run", "is defined in posix, not in their_package"),
        ("their_package.os.system", "is no part of their_package"),
        ("their_package.steps.shutil.rmtree", "is no part of their_package"),
        ("their_package.steps.Table", "is defined in astropy"),
        ("their_package.steps.Mine.read", "is defined in astropy"),
        ("their_package.steps._hidden", "is private"),
        ("their_package.steps.stop", "did you mean 'step'"),
        ("their_package.steps", "this is a module"),
        ("their_package.stps.step", "has no 'stps'"),
    ]:
        with pytest.raises(RecipeError, match=says):
            recipe(f"a: !{tag} []\n", allow=["their_package"])


def test_name_of_skypy_leads_to_ours(recipe, monkeypatch):
    from skywright import data
    from skywright.flow.aliases import SKYPY

    monkeypatch.setitem(SKYPY, "skypy.sky.regions", "skywright.data.sky_regions")
    plan = recipe("a: !skypy.sky.regions\n")
    assert value(plan, "a").target is data.sky_regions
    with pytest.raises(RecipeError, match=r"did you mean 'skypy\.sky\.regions'"):
        recipe("a: !skypy.sky.region []\n")
