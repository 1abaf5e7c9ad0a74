"""Hostile and broken recipes: each is refused with file and line, and nothing happens.

The recipes are in ``hostile/``, each of a class of its own, which its first line states; the
second states the line that has to be reported, the third a part of the message.
"""

import contextlib
import os
import re
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skywright.flow import RecipeError, describe, load

HOSTILE = sorted((Path(__file__).parent / "hostile").glob("*.yml"))
FORBIDDEN = ("canary_package", "numpy.f2py", "scipy.io.matlab", "skywright.cli.run", "distutils")

STEPS = """
from typing import Annotated, Literal
import astropy.units as u
from astropy.cosmology import FLRW

def far(distance: u.Quantity["length"]) -> float:
    return 1.0

@u.quantity_input
def wide(angle: u.deg) -> float:
    return 1.0

def count(n: int) -> int:
    return n

def scale(factor: float | None = None) -> float:
    return 1.0

def choose(how: Literal["fast", "slow"]) -> str:
    return how

def volume(z: float, cosmology: FLRW) -> float:
    return z
"""


def header(path):
    lines = path.read_text().splitlines()[:3]
    return [line.partition(": ")[2] for line in lines]


@pytest.fixture
def canaries(tmp_path, monkeypatch):
    """Work in a folder where any deed would show."""
    packages = tmp_path / "packages"
    packages.mkdir()
    (packages / "canary_package.py").write_text("open('canary', 'w').close()\nstrike = print\n")
    (packages / "quiet_steps.py").write_text(STEPS)
    monkeypatch.syspath_prepend(str(packages))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    before = set(sys.modules)
    yield here
    sys.modules.pop("quiet_steps", None)
    assert not [m for m in set(sys.modules) - before if m.startswith(FORBIDDEN)]
    assert not list(here.iterdir())


def test_every_case_is_of_a_class_of_its_own():
    classes = [header(path)[0] for path in HOSTILE]
    assert len(set(classes)) == len(HOSTILE) >= 100


@pytest.mark.parametrize("path", HOSTILE, ids=lambda p: p.stem)
def test_hostile_recipe_is_refused_with_its_line(path, canaries):
    _, line, says = header(path)
    with pytest.raises(RecipeError) as caught:
        load(path, allow=["quiet_steps"])
    assert f"{path}:{line}: " in str(caught.value)
    assert says in str(caught.value)
    assert (caught.value.mark.file, caught.value.mark.line) == (str(path), int(line))
    key = top_key(path, int(line))
    if key:
        assert f"{path}:{line}: {key}" in str(caught.value)


def top_key(path, line):
    """Return the key of the file above a line, by its text; None where the file is no YAML."""
    with contextlib.suppress(yaml.YAMLError, OverflowError, ValueError):
        yaml.compose(path.read_text(), yaml.SafeLoader)
        above = path.read_text().splitlines()[:line]
        keys = [re.match(r"(\w+):", text) for text in above]
        return next((key[1] for key in reversed(keys) if key), None)


def test_most_cases_are_yaml_and_their_path_is_reported():
    lines = {path: int(header(path)[1]) for path in HOSTILE}
    assert sum(top_key(path, line) is not None for path, line in lines.items()) >= 80


def bomb(base="[lol]"):
    steps = [f"a0: &a0 {base}"]
    steps += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
    return "\n".join(steps).encode()


FILES = {
    "aliases that multiply": (bomb(), 6, "once its aliases are expanded"),
    "merge keys that multiply": (
        b"b0: &b0 {x: 1}\n"
        + b"".join(
            b"b%d: &b%d {<<: [%s]}\n" % (i, i, b"*b%d, *b%d, *b%d" % (i - 1, i - 1, i - 1))
            for i in range(1, 20)
        ),
        None,
        "once its aliases are expanded",
    ),
    "brackets a thousand deep": (b"a:\n  " + b"[" * 1000, 2, "nested more than"),
    "indentation a thousand deep": (
        b"\n".join(b" " * i + b"a:" for i in range(1000)),
        50,
        "nested more than",
    ),
    "calls a hundred deep": (
        b"a: " + b"!numpy.sum [" * 100 + b"1" + b"]" * 100,
        1,
        "nested more than",
    ),
    "a file that is too large": (b"# x\n" * 300_000, 1, "larger than"),
    "a binary file": (b"\x89HDF\r\n\x1a\n\x00\x00\x00", 1, "is not UTF-8"),
    "bytes that are no UTF-8": (b"a: 1\nb: caf\xe9\n", 2, "byte 0xe9 is not UTF-8"),
    "a control character": (b"a: 1\nb: \x00\n", 2, "U+0000"),
    "a number of ten thousand digits": (b"a: 1\nb: " + b"9" * 10_000, 2, "is no int"),
    "a unit without end": (b"a: 1 " + b"m " * 5_000, 1, "is no unit"),
    "a reference of a hundred thousand letters": (b"a: $" + b"x" * 100_000, 1, "nothing is called"),
    "a tag of a hundred thousand letters": (b"a: !" + b"x." * 50_000 + b"x []", 1, "dotted path"),
    "a parameter that is referred to too often": (
        b"parameters: {p: [" + b"1, " * 20_000 + b"1]}\na: [" + b"$p, " * 60 + b"]",
        2,
        "values in all",
    ),
    "an empty name of a column": (b"tables:\n  t:\n    'a,,b': 1\n", 3, "cannot be a name"),
    "digits that are no number": (b"a: $b\nc: " + b"1" * 100_000 + b"x", 1, "'b'"),
    "more nodes than can be": (b"".join(b"a%d: 1\n" % i for i in range(10_001)), None, "10,000"),
    "a cosmology that is put in too often": (
        b"cosmology: !astropy.cosmology.FlatLambdaCDM\n  H0: 70\n  Om0: 0.3\n  meta: {x: ["
        + b"1, " * 9_000
        + b"1]}\na: ["
        + b"$cosmology, " * 9_000
        + b"1]\n",
        1,
        "more than 100 values",
    ),  # fmt: skip
    "a sweep that collects another": (
        b"parameters: {p: 0, q: 0}\nrecipe: {sweep: {p: %b, q: %b}}\na: $p\nb: [$a.*, $q]\n"
        % (str(list(range(2_000))).encode(), str(list(range(2_000))).encode()),
        4,
        "values in all",
    ),
    "a power of ten in a unit": (b"a: 1\nb: 1 (10**999999999) m\n", 2, "is no unit"),
    "a power of ten in the root of a unit": (b"a: 1 sqrt(10**999999999)\n", 1, "is no unit"),
    "powers of powers in a unit": (b"a: 1 (((m999)999)999)\n", 1, "is no unit"),
    "a long list in every copy of a sweep": (
        b"recipe: {sweep: {n: %b}}\nparameters: {n: 0}\na: [$n, %b1]\n"
        % (str(list(range(9_000))).encode(), b"1, " * 80_000),
        3,
        "values in all",
    ),
    "a swept parameter in a long list": (
        b"recipe: {sweep: {n: %b}}\nparameters: {n: 0}\na: [%b$n]\n"
        % (str(list(range(45_000))).encode(), b"$n, " * 45_000),
        3,
        "values in all",
    ),
    "a chain of groups that is too long": (
        b"".join(b"g%d: {p: $g%d.p}\n" % (i, i + 1) for i in range(12_000)) + b"g12000: {p: 1}\n",
        1,
        "more than 10,000 nodes",
    ),
    "tables that are too many": (
        b"tables:\n" + b"".join(b"  t%d: {a: 1}\n" % i for i in range(20_000)),
        1,
        "more than 10,000 nodes",
    ),
    "a column of an empty table": (b"tables:\n  t:\na: $t.z\n", 3, "has no column 'z'"),
    "a part whose name is a novel": (
        b"parameters: {p: {x: 1}}\na: $p." + b"xy" * 100_000,
        2,
        "has no part",
    ),
    "a second document is never read": (b"a: $b\n---\nc: !os.system [x]\n", 1, "'b'"),
}


@pytest.mark.parametrize("name", FILES)
def test_hostile_file_is_refused_with_its_line(name, canaries, tmp_path):
    content, line, says = FILES[name]
    path = tmp_path / "recipe.yml"
    path.write_bytes(content)
    with pytest.raises(RecipeError) as caught:
        load(path)
    assert says in str(caught.value)
    assert caught.value.mark.file == str(path)
    assert line is None or caught.value.mark.line == line
    assert len(str(caught.value)) < 1000


def test_files_that_are_no_files(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for file, says in [
        (tmp_path, "directory"),
        (tmp_path / "pipe", "no regular file"),
        ("/dev/zero", "no regular file"),
        (tmp_path / "nothing.yml", "No such file"),
        ("a\0b.yml", "cannot be read"),
        ("x" * 5000 + ".yml", "cannot be read"),
        ("lens-serch", "did you mean 'lens-search'"),
    ]:
        with pytest.raises(RecipeError, match=says) as caught:
            load(file)
        assert caught.value.mark.file == str(file)


def test_long_chains_are_followed_to_their_ends(tmp_path):
    recipe = tmp_path / "chain.yml"
    groups = [f"g{i}: {{p: $g{i + 1}.p}}" for i in range(4_000)] + ["g4000: {p: !numpy.sum [[1]]}"]
    tables = ["tables:", "  t0: {a: 1}"] + [f"  t{i}: {{a: $t{i - 1}}}" for i in range(1, 1_500)]
    recipe.write_text("\n".join(groups + tables))
    plan = load(recipe)  # with a step that takes the square of their number, this takes minutes
    assert list(plan.graph.predecessors("g0")) == ["g4000"]
    assert list(plan.graph.predecessors("t1499.a")) == ["t1498.complete"]


COMMANDS = {
    "a preset that is not there": ({"preset": "tinny"}, "did you mean 'tiny'"),
    "a parameter that is not there": ({"set": ["m=3"]}, "no parameter or node 'm'"),
    "an entry that is not there": ({"set": ["grid.hihg=3"]}, "did you mean 'high'"),
    "a setting without a value": ({"set": ["n"]}, "expected name=value"),
    "a call in a setting": ({"set": ["n=!os.system [touch]"]}, "where a plain value is needed"),
    "a call nested in a setting": ({"set": ["n={x: [!numpy.sum [1]]}"]}, "plain value is needed"),
    "a reference in a setting": ({"set": ["n=$grid"]}, "where a plain value is needed"),
    "a bomb in a setting": ({"set": ["n=" + "[" * 500]}, "nested more than"),
    "a bad quantity in a setting": ({"set": ["n=3 blind mice"]}, "is no unit"),
    "an object for a parameter": ({"set": {"n": object()}}, "cannot be the value"),
    "a computed node without a run": ({"set": ["total=nowhere"]}, "the folder of an earlier run"),
    "a sweep over mappings": ({"set": ["seed=[{a: 1}]"]}, "swept over"),
    "a node that is not there": ({"only": "totl"}, "did you mean 'total'"),
    "a dotted package": ({"allow": ["os.path"]}, "top-level package"),
    "a private package": ({"allow": ["__main__"]}, "top-level package"),
    "a negative seed": ({"seed": -1}, "expected a whole number"),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_wrong_command_is_refused(name, canaries, tmp_path):
    options, says = COMMANDS[name]
    path = tmp_path / "recipe.yml"
    path.write_text(
        "recipe: {presets: {tiny: {n: 1}}, sweep: {seed: [0, 1]}}\n"
        "parameters: {n: 3, seed: 0, grid: {low: 1, high: 2}}\n"
        "total: !numpy.sum [[$n, $seed]]\n"
    )
    with pytest.raises(RecipeError, match=".") as caught:
        load(path, **options)
    assert says in str(caught.value)


PARTS = st.sampled_from(
    ["a", "b", ": ", "- ", "\n", "\n  ", "[", "]", "{", "}", ", ", "&a ", "*a", "!", "!!", "|", ">",
     "!numpy.sum ", "!len ", "!os.system ", "$a", "$a.b", "$a.*", "3 km", "1e5", "'", '"', "#",
     "---\n", "%TAG ! x\n", "<<: ", "? ", "\t", "\\", "recipe: ", "tables: ", "parameters: ",
     "cosmology: ", ".init: ", ".depends: ", ".map: ", "sweep: ", "presets: ", "=", "~", "@",
     "\u2028", "\ufeff"]
)  # fmt: skip


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.one_of(
        st.binary(max_size=200), st.lists(PARTS, max_size=30).map(lambda p: "".join(p).encode())
    )
)
def test_any_bytes_give_a_plan_or_a_recipe_error(tmp_path, content):
    path = tmp_path / "recipe.yml"
    path.write_bytes(content)
    try:
        load(path)
    except RecipeError as error:
        caught = error
    else:
        return
    assert caught.mark is not None
    assert caught.mark.file == str(path)


SCALARS = st.sampled_from(
    ["1", "a", "$a", "$b.c", "$n", "$n.x", "$t", "$t.z", "$t.complete", "$a.*", "$t.*",
     "$cosmology", "null", "true", "1.5", "3 km", "-1", "0x" + "f" * 5000, "text", "tiny",
     ">= 1", "!numpy.sum", "!numpy.pi", "!len", "!astropy.cosmology.Planck18"]
)  # fmt: skip
KEYS = st.sampled_from(
    ["a", "b", "n", "t", "z", "x, y", "loc", "start", "stop", "num", "axis", ".init", ".depends",
     ".map", ".rows", "title", "cite", "presets", "sweep", "expect", "report", "tiny", "a.b", "<<"]
)  # fmt: skip
CALLS = st.sampled_from(
    [
        "",
        "",
        "",
        "!numpy.sum ",
        "!numpy.linspace ",
        "!numpy.cumsum ",
        "!astropy.table.Table ",
        "!list ",
    ]
)
TREES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.tuples(CALLS, st.lists(inner, max_size=3)).map(lambda t: f"{t[0]}[{', '.join(t[1])}]"),
        st.tuples(CALLS, st.dictionaries(KEYS, inner, max_size=4)).map(
            lambda t: t[0] + "{" + ", ".join(f"'{k}': {v}" for k, v in t[1].items()) + "}"
        ),
    ),
    max_leaves=12,
)
SECTIONS = st.sampled_from(["recipe", "parameters", "tables", "cosmology", "a", "b", "c"])


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.dictionaries(SECTIONS, TREES, max_size=6),
    st.sampled_from(["", "tiny"]),
    st.sampled_from([[], ["n=2"], ["n.x=3"], ["a=."], ["n=[1, 2]"]]),
    st.sampled_from([None, "a", "t"]),
)
def test_any_tree_gives_a_plan_or_a_recipe_error(tmp_path, sections, preset, given, only):
    sections = {"parameters": "{n: {x: 1}}", "tables": "{t: {z: 1}}", **sections}
    path = tmp_path / "recipe.yml"
    path.write_text("".join(f"{name}: {tree}\n" for name, tree in sections.items()))
    with contextlib.suppress(RecipeError):
        describe(load(path, preset=preset, set=given, only=only))


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.one_of(st.text(max_size=60), st.lists(PARTS, max_size=12).map("".join)))
def test_any_setting_gives_a_plan_or_a_recipe_error(tmp_path, text):
    path = tmp_path / "recipe.yml"
    path.write_text("parameters: {n: 1, m: {x: 2}}\na: [$n, $m.x]\n")
    for setting in (text, f"n={text}", f"m.x={text}"):
        with contextlib.suppress(RecipeError):
            load(path, set=[setting])


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.one_of(st.from_regex(r"[a-z_]{1,8}", fullmatch=True), st.text(max_size=4)), max_size=5
    )
)
def test_any_name_is_an_object_or_a_recipe_error(parts):
    from skywright.flow.names import resolve

    for top in ([], ["numpy"], ["astropy", "table"], ["skywright", "data"]):
        with contextlib.suppress(RecipeError):
            resolve(".".join([*top, *parts]))
