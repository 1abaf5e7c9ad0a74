import json
import os
import shutil

import pytest
from astropy.table import QTable
from flow_plans import Package, library, plan, ref

from skywright import flow
from skywright.flow.plan import Node, RecipeError, Ref


@pytest.fixture
def steps(tmp_path, monkeypatch):
    package = Package(tmp_path, monkeypatch)
    package.write("deep", "def number():\n    return 2\n")
    package.write(
        "middle", "from PKG.deep import number\n\ndef twice(x):\n    return number() * x\n"
    )
    package.write("alone", "def negate(x):\n    return -x\n")
    package.write(
        "top",
        """
        def scale(x):
            from . import middle

            return middle.twice(x)

        def sign(x):
            return x > 0

        def broken(x):
            raise ValueError(f"no good: {x}")

        def ask(x):
            from skywright.data import Waiting
            from pathlib import Path

            if not Path(x).exists():
                raise Waiting(f"somebody has to write {x}")
            return Path(x).read_text()
        """,
    )
    return package


@pytest.fixture
def go(tmp_path, steps):
    def run(nodes, **options):
        keys = ("seed", "head", "preset", "reused", "cosmology")
        mine = {k: options.pop(k) for k in keys if k in options}
        made = plan(tmp_path, nodes, steps, **mine)
        return flow.run(made, **{"workspace": tmp_path / "ws", "workers": 1, **options})

    return run


def states(run):
    return {name: node["state"] for name, node in run.nodes.items()}


def test_second_run_computes_nothing(go, steps):
    nodes = {"a": 3, "b": steps.call("top.scale", ref("a")), "c": library("numpy.add", ref("b"), 1)}
    first = go(nodes)
    assert set(states(first).values()) == {"computed"}
    assert first["c"] == 7
    second = go(nodes)
    assert set(states(second).values()) == {"cached"}
    assert second.ok
    assert second.exit_code == 0


def test_helper_changed_two_imports_deep_reruns_exactly_its_dependants(go, steps):
    nodes = {
        "scaled": steps.call("top.scale", 3),
        "after": library("numpy.add", ref("scaled"), 1),
        "other": steps.call("alone.negate", 3),
    }
    go(nodes)
    steps.write("deep", "def number():\n    return 5\n")  # same length, same second
    run = go(nodes)
    assert states(run) == {"scaled": "computed", "after": "computed", "other": "cached"}
    assert run["after"] == 16


def test_unchanged_result_stops_the_wave(go, steps):
    nodes = {
        "scaled": steps.call("top.scale", 3),
        "other": steps.call("alone.negate", ref("scaled")),
    }
    go(nodes)
    steps.write("deep", "def number():\n    return 1 + 1\n")
    assert states(go(nodes)) == {"scaled": "computed", "other": "cached"}


def test_unreached_module_changed_reruns_nothing(go, steps):
    nodes = {"other": steps.call("alone.negate", 3)}
    go(nodes)
    steps.write("deep", "def number():\n    return 7\n")
    steps.write("new", "x = 1\n")
    assert states(go(nodes)) == {"other": "cached"}


def test_changed_input_file_reruns(go, tmp_path):
    text = tmp_path / "input.txt"
    text.write_text("1 2 3")
    nodes = {"read": library("numpy.loadtxt", str(text)), "one": library("len", [str(text)])}
    assert go(nodes)["read"].tolist() == [1, 2, 3]
    assert set(states(go(nodes)).values()) == {"cached"}
    text.write_text("1 2 4")
    run = go(nodes)
    assert states(run) == {"read": "computed", "one": "computed"}
    assert run["read"].tolist() == [1, 2, 4]


def test_failure_names_the_error_and_keeps_the_traceback(go, steps):
    run = go({"bad": steps.call("top.broken", 3), "after": library("numpy.add", ref("bad"), 1)})
    assert states(run) == {"bad": "failed", "after": "skipped"}
    assert run.nodes["bad"]["message"] == "ValueError: no good: 3"
    assert run.exit_code == 1
    assert "in broken" in (run.folder / "run.log").read_text()


@pytest.mark.parametrize("workers", [0, 1])
def test_what_no_worker_has_begun_is_skipped_after_a_failure(go, steps, tmp_path, workers):
    steps.write(
        "rows",
        """
        def check(x, notes):
            open(f"{notes}/{x[0]}", "w").close()
            return [1 // (1 - x[0]) for _ in x]
        """,
    )
    notes = tmp_path / "notes"
    notes.mkdir()
    call = steps.call("rows.check", x=[0, 1, 2, 3], notes=str(notes), map="x", rows=1)
    run = go({"cut": call, "other": steps.call("alone.negate", 3)}, workers=workers)
    assert states(run) == {"cut": "failed", "other": "skipped"}
    assert sorted(p.name for p in notes.iterdir()) == ["0", "1"]


def test_waiting_node_lets_others_go_on_and_is_asked_again(go, steps, tmp_path):
    answer = str(tmp_path / "answer.txt")
    nodes = {
        "asked": steps.call("top.ask", answer),
        "after": library("len", ref("asked")),
        "other": steps.call("alone.negate", 3),
    }
    run = go(nodes)
    assert states(run) == {"asked": "waiting", "after": "waiting", "other": "computed"}
    assert "somebody has to write" in run.nodes["asked"]["message"]
    assert run.exit_code == 3
    (tmp_path / "answer.txt").write_text("yes")
    run = go(nodes)
    assert states(run) == {"asked": "computed", "after": "computed", "other": "cached"}
    assert run["after"] == 3


def sweep(steps):
    points = [{"seed": s, "n": n} for s in (0, 1) for n in (2, 3)]
    names = [f"draw[seed={p['seed']},n={p['n']}]" for p in points]
    draws = {
        name: Node(name, "draw", "value", library("numpy.full", p["n"], p["seed"]), point=p)
        for name, p in zip(names, points, strict=True)
    }
    return {**draws, "all": Ref("draw", (), tuple(names))}


def test_sweep_collects_with_its_values_as_columns(go, steps):
    run = go(sweep(steps))
    table = run["all"]
    assert isinstance(table, QTable)
    assert table.colnames == ["seed", "n", "value"]
    assert table["value"].tolist() == [0, 0, 0, 0, 0, 1, 1, 1, 1, 1]
    assert table["n"].tolist() == [2, 2, 3, 3, 3, 2, 2, 3, 3, 3]
    assert (run.folder / "artefacts" / "draw@seed=1,n=3").is_dir()


def test_artefact_of_an_earlier_run_stands_in(go, steps):
    nodes = {"net": steps.call("top.broken", 3), "use": library("numpy.add", ref("net"), 1)}
    earlier = go({"net": library("numpy.add", 4, 1)})
    run = go(nodes, reused={"net": earlier.folder})
    assert states(run) == {"net": "cached", "use": "computed"}
    assert run["use"] == 6


def test_damaged_artefact_of_an_earlier_run_is_refused(go):
    earlier = go({"net": library("numpy.arange", 5)})
    for file in (earlier.folder / "artefacts" / "net").iterdir():
        file.write_bytes(b"")
    run = go({"net": 1, "use": library("numpy.sum", ref("net"))}, reused={"net": earlier.folder})
    assert run.nodes["net"]["state"] == "failed"


def test_finished_run_folder_is_not_changed(go, steps, tmp_path):
    nodes = {"other": steps.call("alone.negate", 3)}
    run = go(nodes, out=tmp_path / "first")
    before = {p: p.stat().st_mtime_ns for p in run.folder.rglob("*")}
    again = go(nodes, out=tmp_path / "first")
    assert again.run == run.run
    assert {p: p.stat().st_mtime_ns for p in run.folder.rglob("*")} == before
    with pytest.raises(RecipeError, match="finished run of something else"):
        go({"other": steps.call("alone.negate", 4)}, out=tmp_path / "first")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").touch()
    with pytest.raises(RecipeError, match="no run folder"):
        go(nodes, out=tmp_path / "full")


def test_unfinished_run_folder_is_gone_on_with(go, steps, tmp_path):
    first = go({"other": steps.call("top.broken", 3)}, out=tmp_path / "first")
    again = go({"other": steps.call("alone.negate", 3)}, out=tmp_path / "first")
    assert again.run == first.run
    assert again.ok


def test_run_folder_and_provenance(go, steps, tmp_path):
    run = go({"other": steps.call("alone.negate", 3)}, out=tmp_path / "first", seed=5)
    record = json.loads((run.folder / "provenance.json").read_text())
    assert record["run"] == run.run
    assert set(record["nodes"]["other"]) >= {"state", "seconds", "digest", "key", "folder"}
    assert (run.folder / record["nodes"]["other"]["folder"]).is_dir()
    assert record["recipe"]["seed"] == 5
    assert record["recipe"]["nodes"]["other"] == {f"!{steps.name}.alone.negate": [3]}
    assert record["threads"] == 1
    assert record["hardware"]["cores"] >= 1
    assert f"{steps.name}.alone" in record["sources"]
    registered = json.loads((tmp_path / "ws" / "runs" / f"{run.run}.json").read_text())
    assert registered == {"path": str(tmp_path / "first")}


def test_object_that_cannot_be_saved_is_made_again_where_needed(go, steps):
    steps.write("models", "def at(model, x):\n    return float(model(x))\n")
    model = library("astropy.modeling.models.Linear1D", slope=ref("slope"), intercept=1.0)
    nodes = {"slope": 2, "model": model, "use": steps.call("models.at", ref("model"), 3.0)}
    run = go(nodes)
    assert run["use"] == 7.0
    assert run.nodes["model"]["folder"] is None
    assert set(states(go(nodes)).values()) == {"cached"}
    again = go(nodes | {"slope": 4})
    assert again["use"] == 13.0


@pytest.mark.parametrize("body", ["lambda x: x", "open(__file__)", "(i for i in range(3))"])
def test_lambdas_and_open_handles_are_refused(go, steps, body):
    steps.write("odd", f"def make():\n    return {body}\n")
    run = go({"odd": steps.call("odd.make")})
    assert run.exit_code == 1
    assert "cannot be stored" in run.nodes["odd"]["message"]


def test_equal_nodes_are_computed_once(go):
    run = go({n: library("numpy.arange", 3) for n in "abc"}, workers=2)
    assert sorted(states(run).values()) == ["cached", "cached", "computed"]
    assert run["c"].tolist() == [0, 1, 2]


def strange_folder(folder, harm):
    """Make an unfinished run folder from elsewhere that would lead the next run astray."""
    folder.mkdir()
    record = {"state": "failed", "run": "../../away/taken" if harm == "name" else "first"}
    (folder / "provenance.json").write_text(json.dumps(record))
    for name in ("recipe.yml", "run.log"):
        (folder / name).touch()
    away = folder.parent / "away"
    away.mkdir()
    (away / "precious").write_text("precious")
    if harm == "pipe":
        os.mkfifo(folder / "pipe")
    elif harm == "folder":
        (folder / "artefacts").symlink_to(away)
    elif harm != "name":
        (folder / harm).unlink()
        (folder / harm).symlink_to(away / "precious")
    return away


@pytest.mark.parametrize("harm", ["name", "recipe.yml", "run.log", "folder", "pipe"])
def test_run_folder_that_leads_elsewhere_is_not_gone_on_with(go, tmp_path, harm):
    away = strange_folder(tmp_path / "first", harm)
    with pytest.raises(RecipeError, match="no run folder"):
        go({"a": library("abs", -1)}, out=tmp_path / "first")
    assert [p.name for p in away.iterdir()] == ["precious"]
    assert (away / "precious").read_text() == "precious"


def test_second_name_of_a_file_in_a_run_folder_is_not_written_through(go, tmp_path):
    away = strange_folder(tmp_path / "first", "name")
    (tmp_path / "first" / "provenance.json").unlink()
    (tmp_path / "first" / "recipe.yml").unlink()
    os.link(away / "precious", tmp_path / "first" / "recipe.yml")
    assert go({"a": library("abs", -1)}, out=tmp_path / "first").ok
    assert (away / "precious").read_text() == "precious"


@pytest.mark.parametrize("record", ["[" * 100_000, '{"state": "done", "ended": 3, "nodes": [1]}'])
def test_strange_records_of_other_runs_do_no_harm(go, tmp_path, record):
    folder = tmp_path / "ws" / "runs" / "recipe-x"
    folder.mkdir(parents=True)
    (folder / "provenance.json").write_text(record)
    assert flow.measured(tmp_path / "ws", "recipe")[1] == {}
    assert flow.measured(tmp_path / "ws", "**[")[0] == ""
    run = go({"a": 1, "b": library("abs", ref("a"))}, reused={"a": folder})
    assert "has no artefact of node 'a'" in run.nodes["a"]["message"]


@pytest.mark.parametrize("harm", ["link", "pipe", "outside"])
def test_artefact_that_leads_out_of_its_run_is_refused(go, tmp_path, harm):
    nodes = {"a": library("numpy.arange", 5), "b": library("numpy.sum", ref("a"))}
    earlier = go(nodes, out=tmp_path / "first").folder
    artefact = earlier / "artefacts" / "a"
    if harm == "link":
        (artefact / "extra").symlink_to("/etc/hostname")
    elif harm == "pipe":
        os.mkfifo(artefact / "extra")
    else:
        record = json.loads((earlier / "provenance.json").read_text())
        record["nodes"]["a"]["folder"] = str(tmp_path / "copy")
        shutil.copytree(artefact, tmp_path / "copy")
        (earlier / "provenance.json").write_text(json.dumps(record))
    run = go(nodes, reused={"a": earlier}, out=tmp_path / "second")
    assert "leads out of it" in run.nodes["a"]["message"]
    assert not (run.folder / "artefacts" / "a").exists()
