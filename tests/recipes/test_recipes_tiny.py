"""Every recipe of the package runs in its tiny preset and ends with what it promises."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from skywright.flow import load, recipes

COMMAND = Path(sys.executable).parent / "skywright"


def run(*arguments, cwd):
    done = subprocess.run(
        [COMMAND, "run", *arguments, "--json"], cwd=cwd, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


@pytest.mark.recipe
@pytest.mark.parametrize("name", sorted(recipes()))
def test_tiny_preset_runs_and_then_is_cached(name, tmp_path):
    first = run(name, "--preset", "tiny", "-o", "out", cwd=tmp_path)
    assert first["ok"]
    states = [node["state"] for node in first["nodes"].values()]
    # two nodes that are the same, such as two empty tables, are computed once
    assert set(states) <= {"computed", "cached"}
    assert states.count("computed") > 0.9 * len(states)
    assert (tmp_path / "out" / "report.html").stat().st_size > 10_000
    assert json.loads((tmp_path / "out" / "report.json").read_text())["results"]
    # every recipe gives the rule book all that one run can give: what is open needs other runs
    summary = json.loads((tmp_path / "out" / "trust.json").read_text())["summary"]
    assert set(summary["not_computed"]) <= {"L6", "M1", "M3", "M4", "M6", "U5", "P2"}

    again = run(name, "--preset", "tiny", cwd=tmp_path)
    assert {node["state"] for node in again["nodes"].values()} == {"cached"}
    assert {n: v["digest"] for n, v in again["nodes"].items()} == {
        n: v["digest"] for n, v in first["nodes"].items()
    }
    assert again["results"] == first["results"]


@pytest.mark.parametrize(
    ("name", "node"),
    [("lens-search", "labels"), ("lens-search-des", "labels"), ("pendulum", "values")],
)
def test_each_seed_learns_another_order_of_shuffled_labels(name, node):
    """Rule L6 takes seeds for independent shuffles."""
    plan = load(name, preset="tiny")
    copies = [one for one in plan.graph if one.partition("[")[0] == node]
    assert copies
    assert all("seed=" in one for one in copies)


@pytest.mark.parametrize(
    ("name", "last"), [("lens-search", "search_scores"), ("lens-search-des", "search_scores")]
)
def test_a_given_model_is_not_trained_again(name, last, tmp_path):
    """What the next tile needs is in the node ``model``."""
    whole = load(name, preset="tiny")
    earlier = tmp_path / "earlier"
    for node in (node for node in whole.graph if node.partition("[")[0] == "model"):
        (earlier / "artefacts" / node).mkdir(parents=True)
    (earlier / "provenance.json").write_text("{}")
    plan = load(name, preset="tiny", set=[f"model={earlier}"])
    left = {node.partition("[")[0] for node in plan.graph}
    assert {last, "boosting_scores", "judged", "report"} <= left
    trained = {"net", "half_net", "own_net", "pretrained", "boosting", "lookalike_boosting"}
    assert not left & (trained | {"lookalikes", "lookalike_painted"})
