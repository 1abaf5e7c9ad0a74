import pytest
from flow_plans import Package, library, plan, ref

from skywright import flow
from skywright.flow.named_files import configurations, digest_named
from skywright.flow.sources import Sources


@pytest.fixture
def room(tmp_path, monkeypatch):
    package = Package(tmp_path, monkeypatch)
    package.write("__init__", "from PKG.one import first as first\nfrom PKG.two import second\n")
    package.write("one", "import numpy as np\n\ndef first():\n    return np.e\n")
    package.write("two", "def second():\n    from PKG import first\n    return first()\n")
    package.write("three", "def third():\n    return 3\n")
    return package


def reached(package, path):
    found = Sources((package.name,)).of(package.call(path))
    return {m.removeprefix(f"{package.name}.") for m in found}


def test_room_that_reexports_everything_does_not_tie_it_together(room):
    assert reached(room, "one.first") == {"one", "numpy"}


def test_reexport_leads_to_the_module_that_defines_it(room):
    assert reached(room, "two.second") == {"two", "one", "numpy"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("from .three import third", {"new", "three"}),
        ("from . import three", {"new", "three"}),
        ("import PKG.three", {"new", "three"}),
        ("def f():\n    from PKG import three", {"new", "three"}),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import PKG.three", {"new"}),
        ("import importlib\nimportlib.import_module('PKG.three')", {"new", "three"}),
        ("import PKG", {"new", "PKG", "one", "two", "numpy"}),
        ("from PKG import *", {"new", "PKG", "one", "two", "numpy"}),
        (
            "import importlib\ndef g(x):\n    importlib.import_module(x)",
            {"new", "PKG", "one", "two", "three", "numpy"},
        ),
        (
            "import importlib\nROOM = 'PKG.three'\n\n"
            "def g(x):\n    importlib.import_module(ROOM + x)",
            {"new", "three"},
        ),
        ("import astropy.units as u", {"new", "astropy"}),
        ("import json, os.path", {"new"}),
        ("try:\n    import not_there_at_all\nexcept ImportError:\n    pass", {"new", "ABSENT"}),
    ],
)
def test_what_a_module_reaches(room, text, expected):
    code = text.replace("import_module(x)", "import_module")
    room.write("new", f"def step():\n    return 1\n{code}\n")
    call = room.call("new.step")
    room.write("new", f"def step():\n    return 1\n{text}\n")
    found = set(Sources((room.name,)).of(call))
    names = {"PKG": room.name, "ABSENT": "not_there_at_all"}
    full = {m: f"{room.name}.{m}" for m in ("new", "one", "two", "three")} | names
    assert found == {full.get(m, m) for m in expected}


def test_files_beside_a_module_that_reads_them_count(room):
    room.write("page", "from pathlib import Path\nHERE = Path(__file__)\n\ndef make():\n    pass\n")
    (room.folder / "page.html").write_text("one")
    first = Sources((room.name,)).of(room.call("page.make"))
    (room.folder / "page.html").write_text("two")
    assert Sources((room.name,)).of(room.call("page.make")) != first


def test_library_counts_by_its_version():
    import numpy as np
    import sklearn

    assert Sources(()).of(library("numpy.add"))["numpy"] == np.__version__
    assert Sources(()).of(library("sklearn.metrics.auc"))["sklearn"] == sklearn.__version__


def test_method_of_an_object_counts_the_class(room):
    found = Sources(()).of(library("astropy.cosmology.Planck15.comoving_distance"))
    assert "astropy" in found


def test_files_that_a_configuration_names_are_inputs_too(tmp_path, monkeypatch):
    package = Package(tmp_path, monkeypatch)
    package.write(
        "steps",
        """
        from pathlib import Path

        def rows(config):
            folder = Path(config).parent
            return [(folder / "data.txt").read_text(), (folder / "sky" / "map.txt").read_text()]
        """,
    )
    (tmp_path / "sky").mkdir()
    (tmp_path / "sky" / "map.txt").write_text("3")
    (tmp_path / "data.txt").write_text("1")
    config = tmp_path / "c.yaml"
    config.write_text("A: &a [{file: data.txt, other: c.yaml}]\nB: {PATH: sky, again: *a}\n")
    made = plan(tmp_path, {"x": package.call("steps.rows", config=str(config))}, package)

    def run():
        done = flow.run(made, workspace=tmp_path / "ws", workers=1)
        return done.nodes["x"]["state"], done["x"]

    assert run() == ("computed", ["1", "3"])
    (tmp_path / "data.txt").write_text("22")
    assert run() == ("computed", ["22", "3"])
    (tmp_path / "sky" / "map.txt").write_text("44")
    assert run() == ("computed", ["22", "44"])
    (tmp_path / "unnamed.txt").write_text("5")
    assert run()[0] == "cached"


@pytest.fixture
def configured(tmp_path, monkeypatch):
    """A step that follows INPUT as deeplenstronomy does, and one that reads something else."""
    package = Package(tmp_path, monkeypatch)
    package.write(
        "steps",
        """
        from pathlib import Path
        import yaml

        def rows(config, changes=None):
            folder, found, name = Path(config).parent, [], Path(config).name
            while name:
                read = yaml.safe_load((folder / name).read_text()) | (changes or {})
                found.append(read.get("VALUE"))
                if "FILE" in read:
                    found.append((folder / read["FILE"]).read_text())
                name = read.get("INPUT")
            return found

        def other(config):
            return Path(config).read_text()
        """,
    )
    sky = tmp_path / "sky"
    (sky / "deep").mkdir(parents=True)
    (sky / "notes").write_text("# no suffix\n---\nVALUE: 0\nINPUT: one.yaml\n")
    (sky / "one.yaml").write_text("VALUE: 1\nINPUT: deep/two.yml\n")
    (sky / "deep" / "two.yml").write_text("VALUE: 2\nFILE: table.txt\nAGAIN: one.yaml\n")
    (sky / "table.txt").write_text("3")
    (sky / "else.txt").write_text("4")
    return package, sky


def states(tmp_path, package, nodes):
    done = flow.run(plan(tmp_path, nodes, package), workspace=tmp_path / "ws", workers=1)
    return {name: node["state"] for name, node in done.nodes.items()}, done


@pytest.mark.parametrize("edited", ["notes", "one.yaml", "deep/two.yml", "table.txt"])
def test_a_file_named_at_any_depth_re_runs_exactly_what_depends_on_it(configured, tmp_path, edited):
    package, sky = configured
    nodes = {
        "x": package.call("steps.rows", config=str(sky / "notes")),
        "after": library("len", ref("x")),
        "apart": package.call("steps.other", config=str(sky / "else.txt")),
    }
    first, _ = states(tmp_path, package, nodes)
    assert set(first.values()) == {"computed"}
    assert set(states(tmp_path, package, nodes)[0].values()) == {"cached"}
    text = (sky / edited).read_text()
    (sky / edited).write_text(text.replace("VALUE: ", "VALUE: 1") if "VALUE" in text else "33")
    again, done = states(tmp_path, package, nodes)
    assert again == {"x": "computed", "after": "computed", "apart": "cached"}
    assert done["x"] == nodes["x"].target(str(sky / "notes"))


def test_a_file_named_by_a_change_of_a_configuration_counts(configured, tmp_path):
    package, sky = configured
    changes = {"FILE": "else.txt"}
    nodes = {"x": package.call("steps.rows", config=str(sky / "notes"), changes=changes)}
    states(tmp_path, package, nodes)
    assert states(tmp_path, package, nodes)[0] == {"x": "cached"}
    (sky / "else.txt").write_text("44")
    again, done = states(tmp_path, package, nodes)
    assert again == {"x": "computed"}
    assert "44" in done["x"]


def test_files_that_swap_their_content_count(configured, tmp_path):
    package, sky = configured
    (sky / "notes").write_text("FILE: table.txt\nOTHER: else.txt\n")
    nodes = {"x": package.call("steps.rows", config=str(sky / "notes"))}
    states(tmp_path, package, nodes)
    (sky / "table.txt").write_text("4")
    (sky / "else.txt").write_text("3")
    assert states(tmp_path, package, nodes)[0] == {"x": "computed"}


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("a.yaml", "[x, y]", True),
        ("a.YML", "a: [", True),
        ("a", "\n# note\n'A B': {}\n", True),
        ("a.txt", "\ufeffDATASET:\n  NAME: x\n", True),
        ("a.txt", "mag z\n1: 2\n", False),
        ("a.csv", "a,b\n1,2\n", False),
        ("a.txt", "", False),
        ("a.yaml", "a: 1\n" + "#" * 1_000_001, False),
    ],
)
def test_a_configuration_is_known_by_suffix_or_by_its_first_line(tmp_path, name, text, found):
    (tmp_path / name).write_text(text, "utf-8")
    assert bool(configurations([str(tmp_path / name)])) is found


def test_following_names_ends(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for i in range(300):  # each names the next, the last the first
        (tmp_path / f"{i}.yaml").write_text(f"a: {(i + 1) % 300}.yaml\nb: {'x' * 5000}\nc: .\n")
    (tmp_path / "pipe.yaml").symlink_to("0.yaml")
    digests = digest_named("pipe.yaml")
    assert 100 <= len(digests) <= 102
    assert digest_named("none.yaml") is None
    assert digest_named("a\0b") is None
