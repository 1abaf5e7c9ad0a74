"""`skywright trust` and `skywright release` on runs of a small recipe."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from astropy.table import QTable
from typer.testing import CliRunner

from skywright.cli import app
from skywright.flow import RecipeError, load_again

LAB = Path(__file__).parents[1] / "bad_lab"
SMALL = {"n": 900, "trials": 5}
FEW = """      shuffled: {a: {shuffle: true, seed: [3, 4, 5, 6, 7, 8]}}
      without: {squares: {squares: false}}
      data: {"0.5": {fraction: 0.5}}
      other: {trials: {trials: 1}}
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a finished run of sound work, named ``first``."""
    folder = tmp_path_factory.mktemp("trust")
    sys.path.insert(0, str(LAB))
    text = (LAB / "sound.yml").read_text()
    head, rest = text.split("    variants:\n")
    rest = rest[rest.index("    card:") :]
    (folder / "stars.yml").write_text(f"{head}    variants:\n{FEW}{rest}")
    settings = [f"--set={name}={value}" for name, value in SMALL.items()]
    done = call(folder, "run", "stars.yml", "-o", "first", *settings, *ALLOW)
    assert done.exit_code == 0, done.output
    yield folder
    sys.path.remove(str(LAB))


ALLOW = ("--allow", "bad_lab", "--workers", "0")


def call(folder, *arguments):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        return CliRunner().invoke(app, list(map(str, arguments)))


def findings(folder):
    kept = json.loads((folder / "first" / "trust.json").read_text())
    return {finding["rule"]: finding for finding in kept["findings"]}


def test_a_run_leaves_its_findings_and_a_page(place):
    found = findings(place)
    assert len(found) == 43
    assert found["L1"]["state"] == "passed"
    assert found["P2"]["state"] == "not computed"
    page = (place / "first" / "trust.html").read_text()
    assert all(f'id="{rule}"' in page for rule in found)
    assert "<script" not in page


def test_what_was_not_computed_stops_a_release(place):
    done = call(place, "release", "first", "-o", "model")
    assert done.exit_code == 1
    assert "P2 a second run gives the same: not computed" in done.output
    assert not (place / "model").exists()


def test_comparisons_are_made_once_and_then_known(place):
    done = call(place, "trust", "first", "--complete", "--workers", 0)
    assert "the same again" in done.output
    found = findings(place)
    assert not [rule for rule, one in found.items() if one["state"] == "not computed"]
    assert found["M3"]["detail"]["gains"]["squares"] > 0
    assert found["L5"]["state"] == "passed"  # a comparison is no new look at the test rows
    again = call(place, "trust", "first", "--complete", "--workers", 0)
    assert "1 of " not in again.output


def test_a_plan_is_that_of_the_run_with_its_settings(place):
    plan = load_again(place / "first", {"squares": False})
    assert plan.parameters["n"] == SMALL["n"]
    assert plan.parameters["squares"] is False
    with pytest.raises(RecipeError, match="is no run folder"):
        load_again(place)


def test_rules_are_taught_and_unknown_ones_named(place):
    done = call(place, "trust", "--explain", "l2")
    assert done.exit_code == 0
    assert "## How to mend it" in done.output
    assert call(place, "trust", "--explain", "Z9").exit_code == 2
    assert call(place, "trust", "nowhere").exit_code == 2
    assert call(place, "trust").exit_code == 2


def test_a_release_holds_models_card_and_domain(place):
    done = call(place, "release", "first", "-o", "released")
    assert done.exit_code == 0, done.output
    assert "## Intended use" in (place / "released" / "README.md").read_text()
    hull = json.loads((place / "released" / "domain.json").read_text())
    assert len(hull["low"]) == len(hull["features"])
    assert call(place, "release", "first", "-o", "released").exit_code == 1


def test_another_name_of_the_recipe_does_not_hide_a_look_at_the_test_rows(place):
    (place / "variables.yml").write_text((place / "stars.yml").read_text())
    settings = {**SMALL, "squares": "false"}
    settings = [f"--set={name}={value}" for name, value in settings.items()]
    done = call(place, "run", "variables.yml", "-o", "second", *settings, *ALLOW)
    assert done.exit_code == 0, done.output
    call(place, "trust", "first")
    assert "judged in 2 runs" in findings(place)["L5"]["evidence"]


def test_a_release_takes_the_place_of_what_was_fitted(place):
    settings = [f"--set={name}={value}" for name, value in SMALL.items()]
    done = call(place, "run", "stars.yml", "-o", "used", *settings, "--set=model=released", *ALLOW)
    assert done.exit_code == 0, done.output
    first, used = (
        json.loads((place / name / "provenance.json").read_text()) for name in ("first", "used")
    )
    assert used["nodes"]["served"]["digest"] == first["nodes"]["served"]["digest"]
    (place / "released" / first["nodes"]["model[seed=0]"]["folder"] / "config.json").write_text(
        "{}"
    )
    done = call(place, "run", "stars.yml", *settings, "--set=model=released", *ALLOW)
    assert "damaged" in done.output


def test_scores_that_lack_rows_are_refused():
    from skywright.trust import judge

    table = QTable({"object_id": np.arange(40), "x": np.arange(40.0)})
    roles = np.repeat(["train", "test"], 20)
    with pytest.raises(ValueError, match="have no score"):
        judge(
            task="classification", rng=np.random.default_rng(0), items=table,
            truth=np.arange(40) % 2, roles=roles, groups=np.arange(40),
            scores=QTable({"object_id": np.arange(40), "mean": np.arange(40.0)}),
            baselines={"simple": QTable({"object_id": np.arange(30), "mean": np.arange(30.0)})},
        )  # fmt: skip
