import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import time

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable
from flow_plans import Package, library, plan, ref

from skywright import flow
from skywright.data import Images, Predictions, artefacts
from skywright.flow.collect import cut, join
from skywright.flow.events import RunError

STEPS = """
    import os, signal, time
    from pathlib import Path

    def die(flag, times):
        seen = len(list(Path(flag).iterdir()))
        if seen < times:
            Path(flag, str(seen)).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return seen

    def epochs(n, notes, scratch, progress):
        first = len(list(scratch.iterdir()))
        for epoch in range(first, n):
            time.sleep(0.2)
            (scratch / str(epoch)).touch()
            Path(notes, f"{epoch}-{os.getpid()}").touch()
            progress((epoch + 1) / n)
        return n

    def double(x, rng):
        return 2 * x + rng.normal(size=len(x))

    def matrix(x, rng):
        square = rng.normal(size=(200, 200))
        return square @ square + len(x)

    def noisy():
        print("said by a step")
        return 1

    def tough(x):
        return [] if len(x) < 2 else 1 / 0
"""


@pytest.fixture
def steps(tmp_path, monkeypatch):
    package = Package(tmp_path, monkeypatch)
    package.write("steps", STEPS)
    return package


def test_worker_that_dies_once_is_replaced(tmp_path, steps):
    (tmp_path / "flag").mkdir()
    nodes = {"a": steps.call("steps.die", str(tmp_path / "flag"), 1), "b": library("abs", -1)}
    run = flow.run(plan(tmp_path, nodes, steps), workspace=tmp_path / "ws", workers=2)
    assert run["a"] == 1
    assert run["b"] == 1


def test_worker_that_dies_twice_is_an_error(tmp_path, steps):
    (tmp_path / "flag").mkdir()
    nodes = {"a": steps.call("steps.die", str(tmp_path / "flag"), 9)}
    run = flow.run(plan(tmp_path, nodes, steps), workspace=tmp_path / "ws", workers=1)
    assert run.exit_code == 1
    assert "died twice (signal SIGKILL)" in run.nodes["a"]["message"]


def test_what_steps_print_is_in_the_log(tmp_path, steps, capfd):
    nodes = {"a": steps.call("steps.noisy")}
    run = flow.run(plan(tmp_path, nodes, steps), workspace=tmp_path / "ws", workers=1)
    assert "said by a step" in (run.folder / "run.log").read_text()
    assert capfd.readouterr() == ("", "")


def wait_for(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.02)


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGINT])
def test_stopped_run_goes_on_where_it_was(tmp_path, steps, sign):
    notes = tmp_path / "notes"
    notes.mkdir()
    script = f"""
        import sys; sys.path[:0] = [{str(tmp_path)!r}, {os.path.dirname(__file__)!r}]
        from pathlib import Path
        from importlib import import_module
        from flow_plans import plan, library
        from skywright import flow
        from skywright.flow.plan import Call
        step = import_module("{steps.name}.steps").epochs
        call = Call("{steps.name}.steps.epochs", step, (8, {str(notes)!r}))
        nodes = {{"first": library("numpy.arange", 3), "net": call}}
        made = plan(Path("."), nodes, allow=("{steps.name}",))
        flow.run(made, workspace="ws", workers=1)
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)], cwd=tmp_path, stderr=subprocess.DEVNULL
    )
    wait_for(lambda: len(list(notes.iterdir())) >= 3)
    process.send_signal(sign)
    process.wait(timeout=20)
    worker = int(next(notes.iterdir()).name.split("-")[1])
    wait_for(lambda: not is_alive(worker))
    before = len(list(notes.iterdir()))
    assert before < 8
    call = steps.call("steps.epochs", 8, str(notes))
    nodes = {"first": library("numpy.arange", 3), "net": call}
    events = []
    made = plan(tmp_path, nodes, steps)
    run = flow.run(made, workspace=tmp_path / "ws", workers=1, progress=events.append)
    assert {n: v["state"] for n, v in run.nodes.items()} == {"first": "cached", "net": "computed"}
    done = sorted(int(p.name.split("-")[0]) for p in notes.iterdir())
    assert done == list(range(8))  # no epoch was done twice
    assert not list((tmp_path / "ws" / "scratch").iterdir())
    assert not list((tmp_path / "ws" / "store").glob("tmp-*"))
    assert [e.fraction for e in events if e.node == "net" and 0 < e.fraction < 1]


def is_alive(process):
    with contextlib.suppress(OSError, IndexError), open(f"/proc/{process}/stat") as file:
        return file.read().split()[2] != "Z"
    return False


def wide(steps):
    nodes = {"x": library("numpy.arange", 10.0)}
    for i in range(4):
        nodes[f"m{i}"] = steps.call("steps.matrix", ref("x"))
        nodes[f"d{i}"] = steps.call("steps.double", x=ref("x"), map="x", rows=3)
    return nodes | {"sum": library("numpy.stack", [ref(f"d{i}") for i in range(4)])}


def digests(run):
    assert run.ok, run.nodes
    return {n: v["digest"] for n, v in run.nodes.items()}


def test_digests_do_not_depend_on_the_number_of_workers(tmp_path, steps):
    made = plan(tmp_path, wide(steps), steps)
    runs = [flow.run(made, workspace=tmp_path / f"ws{n}", workers=n) for n in (1, 2, 4)]
    assert digests(runs[0]) == digests(runs[1]) == digests(runs[2])
    assert len(set(digests(runs[0]).values())) == 10


def test_dask_gives_the_same_though_a_worker_is_killed(tmp_path, steps):
    distributed = pytest.importorskip("distributed")
    (tmp_path / "flag").mkdir()
    nodes = wide(steps) | {"a": steps.call("steps.die", str(tmp_path / "flag"), 1)}
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, processes=True
    ) as cluster:
        made = plan(tmp_path, nodes, steps)
        address = cluster.scheduler_address
        remote = flow.run(made, workspace=tmp_path / "dask", dask=address)
        failing = plan(tmp_path, {"bad": steps.call("steps.tough", [1, 2])}, steps)
        failed = flow.run(failing, workspace=tmp_path / "dask", dask=address)
    assert len(list((tmp_path / "flag").iterdir())) == 1
    local = flow.run(plan(tmp_path, wide(steps), steps), workspace=tmp_path / "ws", workers=2)
    assert {n: d for n, d in digests(remote).items() if n != "a"} == digests(local)
    assert failed.nodes["bad"]["message"] == "ZeroDivisionError: division by zero"


def test_dask_that_does_not_answer_is_a_clear_error(tmp_path, steps, monkeypatch):
    monkeypatch.setattr("skywright.flow.workers.TIMEOUT", 1)
    with pytest.raises(RunError, match="no Dask scheduler answers at tcp://127.0.0.1:1"):
        flow.run(plan(tmp_path, {"a": 1}), workspace=tmp_path / "ws", dask="tcp://127.0.0.1:1")


def test_blocks_are_cached_one_by_one_and_joined_equal_the_whole(tmp_path, steps):
    steps.write("small", "def negative(x):\n    assert len(x) <= 4\n    return -x\n")
    mapped = steps.call("small.negative", x=ref("x"), map="x", rows=4)
    made = plan(tmp_path, {"x": library("numpy.arange", 10.0), "mapped": mapped}, steps)
    run = flow.run(made, workspace=tmp_path / "ws", workers=1)
    assert run["mapped"].tolist() == (-np.arange(10.0)).tolist()
    entries = [p for p in (tmp_path / "ws" / "store").iterdir() if p.name != "locks"]
    assert len(entries) == 2 + 3  # nodes and blocks
    (tmp_path / "ws" / "store" / run.nodes["mapped"]["key"] / "artefact.json").unlink()
    assert flow.run(made, workspace=tmp_path / "ws", workers=1)["mapped"][9] == -9


def images(n, lazy=None):
    flux = np.arange(n * 2 * 4 * 4, dtype="float32").reshape(n, 2, 4, 4)
    made = Images(
        flux, ("g", "r"), u.nJy, 0.2 * u.arcsec, np.arange(n), variance=flux[:, :, :1, :1]
    )
    if lazy is None:
        return made
    artefacts.save(made, lazy)
    return artefacts.load(lazy)


@pytest.mark.parametrize(
    "whole",
    [
        np.arange(12).reshape(6, 2),
        np.arange(6.0) * u.Jy,
        QTable({"a": np.arange(6), "b": np.arange(6.0) * u.m}),
        {"a": np.arange(6), "b": np.arange(6.0) * u.m},
        list(range(6)),
        Predictions(np.arange(6), np.arange(6.0), epistemic=np.ones(6)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_joined_blocks_are_the_whole(whole):
    blocks = [cut(whole, slice(i, i + 4)) for i in (0, 4)]
    assert len(next(iter(blocks[1].values())) if isinstance(whole, dict) else blocks[1]) == 2
    assert artefacts.digest(join(blocks)) == artefacts.digest(whole)


def test_joined_images_stay_on_disk_until_sliced(tmp_path):
    whole = images(7)
    blocks = [images(7)[i : i + 3] for i in (0, 3, 6)]
    for i, block in enumerate(blocks):
        artefacts.save(block, tmp_path / str(i))
    joined = join([artefacts.load(tmp_path / str(i)) for i in range(3)])
    assert not isinstance(joined.flux, np.ndarray)
    for rows in (slice(0, 7), slice(2, 4), slice(3, 6), slice(6, 9), slice(5, 5)):
        assert np.array_equal(joined.flux[rows], whole.flux[rows])
    assert artefacts.digest(joined) == artefacts.digest(whole)


@pytest.mark.parametrize("value", [3.0, object()])
def test_what_has_no_rows_cannot_be_cut(value):
    with pytest.raises(TypeError, match="cannot be cut into rows"):
        cut(value, slice(0, 1))


def test_no_module_of_the_current_folder_is_run(tmp_path, steps, monkeypatch):
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    for name in ("json", "pickle", "numpy", "skywright"):
        (here / f"{name}.py").write_text("open('canary', 'w').close()\n")
    run = flow.run(plan(tmp_path, {"a": library("abs", -1)}), workspace=tmp_path / "ws", workers=1)
    assert run["a"] == 1
    assert not (here / "canary").exists()
