import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from astropy.table import Table
from typer.testing import CliRunner

import skywright
from skywright.cli import app

RECIPE = """
recipe:
  title: A test
  presets: {tiny: {n: 3}, small: {n: 5}, odd: {n: 5}}
  expect: {small: {report.n: ">= 5"}, odd: {report.n: ">= 6"}}
  report: $report
parameters: {n: 4}
x: !numpy.arange [$n]
total: !numpy.sum [$x]
report: !PKG.report {x: $x}
"""

STEPS = """
    import os, time
    from pathlib import Path
    from skywright.data import Report, Waiting

    def report(x):
        n = {"value": len(x), "low": len(x), "high": len(x)}
        return Report({"n": n}, "fine", html="<p>all is well</p>")

    def broken(x):
        print("noise on standard output")
        raise ValueError(f"no good: {x}")

    def ask(name):
        if not Path(name).exists():
            raise Waiting(f"write {name}")

    def sleep(name):
        Path(name).touch()
        time.sleep(60)
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a package of steps, where commands are run."""
    name = f"cli_steps_{os.getpid()}_{time.time_ns()}"
    body = "\n".join(line[4:] for line in STEPS.splitlines())
    (tmp_path / f"{name}.py").write_text(body)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (tmp_path / "recipe.yml").write_text(RECIPE.replace("PKG", name))

    def write(file, text):
        (tmp_path / file).write_text(text.replace("PKG", name))

    return type("Folder", (), {"path": tmp_path, "package": name, "write": staticmethod(write)})


@pytest.fixture
def call(folder):
    def call(*arguments):
        options = ["--allow", folder.package, "--workers", "1"]
        result = CliRunner().invoke(app, ["run", *map(str, arguments), *options])
        assert result.exception is None or isinstance(result.exception, SystemExit)
        assert "Traceback" not in result.stdout
        return result

    return call


def test_json_is_one_object_of_the_stated_shape(call):
    result = call("recipe.yml", "--preset", "small", "--json")
    assert result.exit_code == 0
    done = json.loads(result.stdout)
    assert set(done) == {"ok", "run", "nodes", "results", "expect"}
    assert done["ok"] is True
    assert list(done["nodes"]) == ["x", "total", "report"]
    for node in done["nodes"].values():
        assert node["state"] == "computed"
        assert node["seconds"] >= 0
        assert len(node["digest"]) == 64
    assert done["results"]["n"] == {"value": 5, "low": 5, "high": 5}
    assert done["expect"] == {"report.n": {"bound": ">= 5", "met": True}}
    assert Path(done["run"], "report.html").read_text() == "<p>all is well</p>"
    again = json.loads(call("recipe.yml", "--preset", "small", "--json").stdout)
    assert {n["state"] for n in again["nodes"].values()} == {"cached"}
    assert again["run"] != done["run"]


def test_last_line_names_the_report(call):
    result = call("recipe.yml", "-o", "first")
    assert result.exit_code == 0
    last = result.stdout.splitlines()[-1]
    assert last.startswith("done: 3 computed; report: ")
    assert Path(last.partition("report: ")[2]) == Path("first/report.html").absolute()
    assert json.loads(Path("first/report.json").read_text())["results"]["n"]["value"] == 4


def test_broken_expectation_is_exit_1(call):
    result = call("recipe.yml", "--preset", "odd")
    assert result.exit_code == 1
    assert "expected report.n >= 6" in result.stderr


def test_nothing_is_expected_of_a_report_that_was_not_asked_for(call):
    result = call("recipe.yml", "--preset", "odd", "--only", "total", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["expect"] == {}


def test_failed_step_is_named_with_its_line_and_without_traceback(call, folder):
    folder.write("bad.yml", "a: 1\nb: !PKG.broken [$a]\n")
    result = call("bad.yml", "-o", "out")
    assert result.exit_code == 1
    assert "node b (bad.yml:2) failed: ValueError: no good: 1" in result.stderr
    assert "Traceback" not in result.stderr
    assert "in broken" in Path("out/run.log").read_text()
    assert "in broken" in call("bad.yml", "--verbose").stderr
    done = json.loads(call("bad.yml", "--json").stdout)
    assert done["ok"] is False
    assert done["nodes"]["b"]["state"] == "failed"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.yml"], "none.yml"),
        (["recipe.yml", "--set", "m=3"], "m"),
        (["recipe.yml", "--preset", "huge"], "huge"),
        (["recipe.yml", "--only", "totl"], "total"),
        (["recipe.yml", "-o", "out.fits"], "no tables"),
        (["recipe.yml", "-o", "out.csv"], "is not written"),
    ],
)
def test_wrong_command_is_exit_2_before_any_work(call, arguments, message):
    result = call(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert not Path(".skywright").exists()
    error = json.loads(call(*arguments, "--json").stdout)
    assert error["ok"] is False
    assert message in error["error"]


def test_waiting_is_exit_3_and_asked_again(call, folder):
    folder.write("ask.yml", "a: !PKG.ask [answer.txt]\nb: 2\n")
    result = call("ask.yml")
    assert result.exit_code == 3
    assert "node a (ask.yml:1) waits: write answer.txt" in result.stderr
    Path("answer.txt").touch()
    assert call("ask.yml").exit_code == 0


def test_graph_and_dry_run_do_nothing(call):
    result = call("recipe.yml", "--graph")
    assert '"x" -> "total";' in result.stdout
    result = call("recipe.yml", "--dry-run")
    assert "compute   x" in result.stdout
    assert "unknown   report" in result.stdout
    assert not Path(".skywright").exists()
    call("recipe.yml")
    assert "3 cached, 0 to compute" in call("recipe.yml", "--dry-run").stdout
    nodes = json.loads(call("recipe.yml", "--dry-run", "--json").stdout)["nodes"]
    assert nodes["x"] == {"state": "cached", "took": None}
    result = call("recipe.yml", "--dry-run", "--set", "n=9")
    assert "compute   x                                took 0." in result.stdout
    assert "s of one core" in result.stdout


def test_only_seed_set_and_workspace(call):
    result = call("recipe.yml", "--only", "total", "--set", "n=7", "--workspace", "ws", "--json")
    done = json.loads(result.stdout)
    assert set(done["nodes"]) == {"x", "total"}
    assert Path(done["run"]).parent == Path("ws/runs").absolute()
    assert not Path(".skywright").exists()


def test_node_is_taken_from_an_earlier_run(call):
    call("recipe.yml", "-o", "first")
    done = json.loads(call("recipe.yml", "--set", "x=first", "--json").stdout)
    assert done["nodes"]["x"]["state"] == "cached"


def test_tables_go_to_a_file(call, folder):
    folder.write("sky.yml", "tables:\n  g:\n    z: !numpy.random.uniform [0.0, 1.0, 5]\n    a, b: "
                 "!numpy.ones [[5, 2]]\n")  # fmt: skip
    assert call("sky.yml", "-o", "sky.fits", "--seed", "3").exit_code == 0
    first = Table.read("sky.fits", hdu="G")
    assert first.colnames == ["z", "a", "b"]
    assert call("sky.yml", "-o", "sky.fits").exit_code == 2
    assert call("sky.yml", "-o", "sky.fits", "--overwrite", "--seed", "4").exit_code == 0
    assert (Table.read("sky.fits", hdu="G")["z"] != first["z"]).all()


def test_interrupt_is_one_line_and_exit_130(folder):
    folder.write("slow.yml", "a: !PKG.sleep [began]\n")
    command = [sys.executable, "-c", "from skywright.cli import app; app()", "run", "slow.yml"]
    process = subprocess.Popen(
        [*command, "--allow", folder.package], stderr=subprocess.PIPE, text=True, cwd=folder.path
    )
    end = time.monotonic() + 30
    while not Path("began").exists() and time.monotonic() < end:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=20)
    assert process.returncode == 130
    assert error.startswith("skywright: stopped")
    assert len(error.splitlines()) == 1


def test_verbose_writes_a_line_per_node(call):
    result = call("recipe.yml", "--verbose")
    assert [line.split()[1:3] for line in result.stderr.splitlines()[:3]] == [
        ["x", "computed"],
        ["total", "computed"],
        ["report", "computed"],
    ]


def test_ten_lines_of_python_do_what_the_recipe_does(call, folder):
    import importlib

    import numpy as np

    from skywright.data import artefacts

    done = json.loads(call("recipe.yml", "--json").stdout)
    report = importlib.import_module(folder.package).report(np.arange(4))
    assert artefacts.digest(report) == done["nodes"]["report"]["digest"]


def test_version_and_recipes():
    result = CliRunner().invoke(app, ["--version"])
    assert result.stdout.strip() == f"skywright {skywright.__version__}"
    assert "lens-search" in CliRunner().invoke(app, ["recipes"]).stdout


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["data", "--help"]])
def test_help_loads_no_science(arguments):
    code = (
        "import sys\nfrom skywright.cli import app\n"
        f"try:\n    app({arguments})\nexcept SystemExit:\n    pass\n"
        "heavy = {'numpy', 'astropy', 'torch', 'matplotlib', 'networkx', 'yaml'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_text_of_a_recipe_cannot_steer_the_terminal(call, folder):
    folder.write("recipe.yml", 'a: !skywright.data.open_survey {image: "\\e]0;x\\a.txt"}')
    for result in (call("recipe.yml"), call("recipe.yml", "-v")):
        assert result.exit_code == 1
        assert r"\x1b]0;x\x07.txt" in result.stderr
        assert "\x1b" not in result.stderr


def test_output_may_stand_where_skypy_has_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "two.yml").write_text("tables: {a: {x: [1, 2]}, b: {y: [3]}}\n")
    done = CliRunner().invoke(app, ["run", "two.yml", "out.parquet", "--workers", "0"])
    assert done.exit_code == 0, done.output
    assert "tables: out_a.parquet, out_b.parquet" in done.output
    both = CliRunner().invoke(app, ["run", "two.yml", "out.parquet", "-o", "other.fits"])
    assert both.exit_code == 2
    assert "name one place" in both.output
