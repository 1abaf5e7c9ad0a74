import numpy as np
import pytest
from flow_plans import Package, library, plan, ref

from skywright import flow
from skywright.flow.randomness import drawing, generator


@pytest.fixture
def go(tmp_path):
    def run(nodes, package=None, workers=1, **options):
        made = plan(tmp_path, nodes, package, **options)
        return flow.run(made, workspace=tmp_path / f"ws{workers}", workers=workers)

    return run


def test_every_part_of_a_stream_name_matters():
    names = [(0, "a"), (1, "a"), (0, "b"), (0, "a", 0), (0, "a", 1), (0, "a", None, 1)]
    first = [generator(*name).integers(2**62) for name in names]
    assert len(set(first)) == len(first)
    assert first == [generator(*name).integers(2**62) for name in names]


LEGACY = {
    "normal": (0.0, 1.0, 5),
    "uniform": (0.0, 1.0, 5),
    "poisson": (3.0, 5),
    "choice": (10, 5),
    "rand": (5,),
    "randn": (5,),
    "randint": (0, 10, 5),
    "random_sample": (5,),
    "permutation": (5,),
    "dirichlet": ([1.0, 2.0], 5),
}


@pytest.mark.parametrize("name", LEGACY)
def test_legacy_functions_draw_from_the_generator(name):
    call = library(f"numpy.random.{name}", *LEGACY[name])
    before = np.random.get_state()[2]  # noqa: NPY002
    drawn = [drawing(call, generator(s, "x"))(*call.args) for s in (1, 1, 2)]
    assert len(drawn[0]) == 5
    assert np.array_equal(drawn[0], drawn[1])
    assert not np.array_equal(drawn[0], drawn[2])
    assert np.random.get_state()[2] == before  # noqa: NPY002


@pytest.mark.parametrize("name", ["seed", "shuffle", "get_state"])
def test_functions_without_counterpart_are_refused(name):
    with pytest.raises(ValueError, match="no counterpart"):
        drawing(library(f"numpy.random.{name}"), generator(0, "x"))


def test_draws_depend_on_seed_and_name_and_not_on_order_or_workers(go):
    def nodes(names):
        return {n: library("scipy.stats.norm.rvs", loc=0.0, size=4) for n in names}

    first = go(nodes("abc"))
    second = go(nodes("cba"), workers=2)
    digests = {n: first.nodes[n]["digest"] for n in "abc"}
    assert {n: second.nodes[n]["digest"] for n in "abc"} == digests
    assert len(set(digests.values())) == 3
    other = go(nodes("abc"), seed=1)
    assert not set(digests.values()) & {v["digest"] for v in other.nodes.values()}


def test_seed_matters_only_where_something_is_drawn(go):
    nodes = {"still": library("numpy.arange", 3), "drawn": library("numpy.random.normal", size=3)}
    go(nodes)
    states = {n: v["state"] for n, v in go(nodes, seed=1).nodes.items()}
    assert states == {"still": "cached", "drawn": "computed"}


def test_two_calls_in_one_node_draw_apart(go):
    draw = library("numpy.random.normal", size=3)
    pair = go({"pair": [draw, draw]})["pair"]
    assert not np.array_equal(*pair)


def test_missing_arguments_are_filled(go, tmp_path, monkeypatch):
    package = Package(tmp_path, monkeypatch)
    package.write(
        "steps",
        """
        def draw(n, *, rng, progress=None, scratch=None):
            progress(0.5)
            (scratch / "note").write_text("x")
            return rng.normal(size=n)

        def distance(z, cosmology):
            return float(cosmology.comoving_distance(z).value)

        def hubble(cosmology=None):
            return float(cosmology.H0.value)
        """,
    )
    planck = library("astropy.cosmology.Planck15", imported=True)
    inner = package.call("steps.distance", 1.0)
    nodes = {
        "drawn": package.call("steps.draw", 3),
        "nested": library("numpy.multiply", inner, 2),
        "hubble": package.call("steps.hubble"),
    }
    run = go(nodes, package, cosmology=planck)
    assert run.exit_code == 0, run.nodes
    assert len(run["drawn"]) == 3
    assert run["nested"] == pytest.approx(2 * planck.target.comoving_distance(1.0).value)
    assert run["hubble"] == pytest.approx(67.74)
    assert not list((tmp_path / "ws1" / "scratch").iterdir())


def test_foreign_code_that_draws_from_global_state_repeats(go, tmp_path, monkeypatch):
    package = Package(tmp_path, monkeypatch)
    package.write("steps", "import numpy as np\n\ndef draw():\n    return np.random.normal()\n")
    nodes = {n: package.call("steps.draw") for n in "ab"}
    first, second = go(nodes, package), go(nodes, package, workers=2)
    assert first["a"] == second["a"]
    assert first["a"] != first["b"]


def test_blocks_have_streams_of_their_own(go, tmp_path, monkeypatch):
    package = Package(tmp_path, monkeypatch)
    package.write("steps", "def draw(x, rng):\n    return x + rng.normal(size=len(x))\n")
    call = package.call("steps.draw", x=ref("x"), map="x", rows=2)
    drawn = go({"x": library("numpy.zeros", 5), "y": call}, package)["y"]
    assert len(np.unique(drawn)) == 5
    assert drawn[:2] == pytest.approx(generator(0, "y", 0, 0).normal(size=2))
    assert drawn[4:] == pytest.approx(generator(0, "y", 2, 0).normal(size=1))
