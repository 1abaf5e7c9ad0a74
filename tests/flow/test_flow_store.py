import errno
import json
import os
import resource
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from flow_plans import Package, library, plan, ref

from skywright import flow
from skywright.flow import store as module
from skywright.flow.store import Store

KEY = "a" * 64


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "ws")


def fill(store, value=(1.0, 2.0, 3.0)):
    with store.lock(KEY):
        return store.put(KEY, np.array(value))


def files(store):
    return sorted(p for p in (store.root / KEY).rglob("*") if p.is_file())


def test_entry_is_found_with_what_it_took(store):
    with store.lock(KEY):
        put = store.put(KEY, np.arange(7), seconds=2.5, memory=10)
    found = store.find(KEY)
    assert found == put
    assert (found.seconds, found.memory, found.length) == (2.5, 10, 7)
    assert store.find("b" * 64) is None


@pytest.mark.parametrize(
    "label",
    [
        "[" * 200_000,
        {"memory": None},
        {"seconds": "long"},
        {"length": "many"},
        {"digest": None},
        {"files": {}},
    ],
)
def test_a_label_that_somebody_wrote_is_not_trusted(store, label):
    fill(store)
    path = store.root / KEY / "entry.json"
    if isinstance(label, dict):
        label = json.dumps(json.loads(path.read_text()) | label)
    path.write_text(label)
    assert store.find(KEY) is None


def truncate(path):
    path.write_bytes(path.read_bytes()[:-1])


def flip(path):
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def pipe(path):
    path.unlink()
    os.mkfifo(path)


def device(path):
    path.unlink()
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize("damage", [truncate, flip, os.unlink, pipe, device])
def test_any_damage_to_any_file_is_found_and_mended(store, damage):
    fill(store)
    for file in files(store):
        damage(file)
        assert store.find(KEY) is None, file
        fill(store)
        assert store.find(KEY) is not None


def test_value_that_cannot_be_saved_leaves_nothing(store):
    with store.lock(KEY), pytest.raises(TypeError):
        store.put(KEY, lambda: 1)
    assert store.find(KEY) is None
    assert [p.name for p in store.root.iterdir()] == ["locks"]
    assert not list((store.root / "locks").iterdir())


def test_leftovers_of_a_killed_process_are_removed(store):
    left = store.root / f"tmp-{KEY}-dead"
    left.mkdir(parents=True)
    fill(store)
    assert not left.exists()


def test_full_disk_leaves_no_half_entry(store, monkeypatch):
    def full(value, folder):
        (folder / "half").write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(module.artefacts, "save", full)
    with store.lock(KEY), pytest.raises(OSError, match="No space left"):
        store.put(KEY, np.arange(3))
    assert [p.name for p in store.root.iterdir()] == ["locks"]


def limited(tmp_path, code, size=100_000):
    """Run code in a process that may not write files of more than so many bytes."""
    script = textwrap.dedent(
        """
        import sys
        sys.path[:0] = [FOLDER, HERE]
        from pathlib import Path
        from flow_plans import library, plan, ref
        from skywright import flow
        """
    ).replace("FOLDER", repr(str(tmp_path)))
    script = script.replace("HERE", repr(os.path.dirname(__file__))) + textwrap.dedent(code)
    return subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)),
    )


def test_run_on_a_full_disk_ends_with_a_clear_error_and_goes_on_later(tmp_path):
    code = """
        nodes = {"small": library("numpy.arange", 10), "big": library("numpy.arange", 1_000_000)}
        run = flow.run(plan(Path("."), nodes), workspace="ws", workers=1)
        print(run.nodes["small"]["state"], run.nodes["big"]["message"])
        assert run.exit_code == 1
    """
    done = limited(tmp_path, code)
    assert done.returncode == 0, done.stderr
    assert "computed the disk of" in done.stdout
    assert "is full: nothing of this node was kept" in done.stdout
    assert not list((tmp_path / "ws" / "store").glob("tmp-*"))
    nodes = {"small": library("numpy.arange", 10), "big": library("numpy.arange", 1_000_000)}
    run = flow.run(plan(tmp_path, nodes), workspace=tmp_path / "ws", workers=1)
    assert [run.nodes[n]["state"] for n in nodes] == ["cached", "computed"]


def test_full_disk_outside_a_step_is_one_clear_line(tmp_path):
    code = """
        made = plan(Path("."), {"a": library("numpy.arange", 3)}, parameters={"p": "x" * 9000})
        try:
            flow.run(made, workspace="ws", workers=1)
        except flow.RunError as error:
            print(error)
    """
    done = limited(tmp_path, code, 8000)
    assert done.stdout.startswith(f"the disk of {tmp_path / 'ws'} is full"), done.stderr
    (run,) = (tmp_path / "ws" / "runs").iterdir()
    assert not (run / "provenance.json").exists()


def test_damaged_entry_is_rebuilt_in_a_run(tmp_path):
    nodes = {"a": library("numpy.arange", 10), "b": library("numpy.sum", ref("a"))}
    first = flow.run(plan(tmp_path, nodes), workspace=tmp_path / "ws", workers=1)
    entry = tmp_path / "ws" / "store" / first.nodes["a"]["key"]
    for file in entry.iterdir():
        if file.name != module.LABEL:
            os.truncate(file, 3)
    again = flow.run(plan(tmp_path, nodes), workspace=tmp_path / "ws", workers=1)
    assert {n: s["state"] for n, s in again.nodes.items()} == {"a": "computed", "b": "cached"}
    assert again.nodes["a"]["digest"] == first.nodes["a"]["digest"]


SLOW = """
    import time
    from pathlib import Path

    def step(folder, x):
        Path(folder, f"{x}-{time.time_ns()}").touch()
        time.sleep(0.3)
        return x
"""


def test_two_runs_at_once_compute_each_node_once(tmp_path, monkeypatch):
    package = Package(tmp_path, monkeypatch)
    package.write("slow", SLOW)
    (tmp_path / "notes").mkdir()
    notes = str(tmp_path / "notes")
    script = f"""
        from importlib import import_module
        from flow_plans import Call
        slow = import_module("{package.name}.slow").step
        path = "{package.name}.slow.step"
        nodes = {{f"n{{i}}": Call(path, slow, ({notes!r}, i)) for i in range(4)}}
        made = plan(Path("."), nodes, allow=("{package.name}",))
        run = flow.run(made, workspace="ws", workers=2)
        print(*sorted(v["state"] for v in run.nodes.values()))
    """
    head = f"import sys; sys.path[:0] = [{str(tmp_path)!r}, {os.path.dirname(__file__)!r}]\n"
    head += "from pathlib import Path\nfrom flow_plans import plan\nfrom skywright import flow\n"
    command = [sys.executable, "-c", head + textwrap.dedent(script)]
    both = [
        subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    states = " ".join(p.communicate(timeout=60)[0] for p in both).split()
    assert [p.returncode for p in both] == [0, 0]
    assert len(list((tmp_path / "notes").iterdir())) == 4
    assert (states.count("computed"), states.count("cached")) == (4, 4)
