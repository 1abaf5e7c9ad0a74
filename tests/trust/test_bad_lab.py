"""The rule book finds what is wrong in small flawed projects, and nothing in sound ones.

Each project of `tests/bad_lab` is a recipe that the engine runs on real arrays; its flaw is in its
data or its code. The rules see what any run leaves behind: artefacts and a record.
"""

import sys
from importlib import import_module
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "bad_lab"))
lab = import_module("lab")

FLAWED = lab.projects()
# a rule that was not computed does not stop these: their other runs are made by verify/bad_lab.py
COMPARED = {"L6", "M3", "M4", "M6", "P2", "U5"}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """Return a workspace for all projects: what they share is computed once."""
    folder = tmp_path_factory.mktemp("lab")
    (folder / "recipes").mkdir()
    return folder


def judged(name, twin, workspace):
    file = lab.write_recipe(name, twin, workspace / "recipes")
    return lab.judge_recipe(file, workspace, variants=lab.plain(name).get("needs", ()))


def test_there_are_twenty_flaws_of_a_dozen_rules():
    rules = {lab.plain(name)["trips"] for name in FLAWED}
    assert len(FLAWED) >= 20
    assert len(rules) >= 12


@pytest.mark.parametrize("name", FLAWED)
def test_a_flaw_trips_its_rule_and_no_other(name, workspace):
    about = lab.plain(name)
    findings = judged(name, "flawed", workspace)
    assert sorted(lab.failed(findings, "ERROR")) == sorted([about["trips"], *about["lawful"]])
    assert {f.rule for f in findings if f.state == "not computed"} <= COMPARED


@pytest.mark.parametrize("name", FLAWED)
def test_its_mended_twin_trips_none(name, workspace):
    findings = judged(name, "mended", workspace)
    assert lab.failed(findings, "ERROR") == []
    assert len(lab.failed(findings, "WARN")) <= 1


@pytest.mark.parametrize("name", lab.clean())
def test_sound_work_trips_none(name, workspace):
    findings = lab.judge_recipe(lab.clean()[name], workspace)
    assert lab.failed(findings, "ERROR") == []
    assert len(lab.failed(findings, "WARN")) <= 1
    assert {f.rule for f in findings if f.state == "not computed"} <= COMPARED
