"""A finished run can be planned again as it was, whatever its parameters were set to."""

import pytest

from skywright import flow

RECIPE = """\
recipe: {sweep: {seed: [0, 1, 2]}}
parameters: {name: abc, depth: 1 mag, seed: 0}
one: !numpy.repeat [$seed, 2]
"""


def again(folder, *settings):
    recipe = folder / "short.yml"
    recipe.write_text(RECIPE, "utf-8")
    plan = flow.load(recipe, set=list(settings))
    run = flow.run(plan, workspace=folder / "work", workers=0)
    return plan, flow.load_again(run.folder)


@pytest.mark.parametrize(
    "text",
    ['"1"', '"true"', '"null"', '"2 mag"', '"a: b"', '"# c"', '""', "2 mag", "[2 mag, x]",
     '{"a": 3 km, "b": "1"}', "1e-5", "é"],
)  # fmt: skip
def test_what_was_set_keeps_its_kind(tmp_path, text):
    plan, planned = again(tmp_path, f"name={text}")
    assert repr(planned.parameters) == repr(plan.parameters)


def test_a_sweep_that_was_set_to_the_usual_value_stays_short(tmp_path):
    plan, planned = again(tmp_path, "seed=0")
    assert list(planned.nodes) == list(plan.nodes) == ["one[seed=0]"]


def test_a_sweep_that_was_left_alone_stays_whole(tmp_path):
    plan, planned = again(tmp_path)
    assert list(planned.nodes) == list(plan.nodes)
    assert len(planned.nodes) == 3


@pytest.mark.parametrize("change", ["edited", "moved"])
def test_the_recipe_of_the_run_counts_not_what_stands_there_now(tmp_path, change):
    plan, _ = again(tmp_path, "name=b")
    folder = next((tmp_path / "work" / "runs").iterdir())
    if change == "edited":
        (tmp_path / "short.yml").write_text(RECIPE.replace("2]\n", "3]\n"), "utf-8")
    else:
        (tmp_path / "short.yml").unlink()
    planned = flow.load_again(folder)
    assert planned.parameters == plan.parameters
    assert planned.nodes["one[seed=0]"].value.args == plan.nodes["one[seed=0]"].value.args


@pytest.mark.parametrize(("change", "said"), [("edited", "edited after the run"), ("gone", "lost")])
def test_a_run_whose_recipe_is_not_what_was_run_says_so(tmp_path, change, said):
    again(tmp_path)
    copy = next((tmp_path / "work" / "runs").iterdir()) / "recipe.yml"
    copy.unlink()
    if change == "edited":
        copy.write_text(RECIPE.replace("parameters: {name: abc", "parameters: {called: abc"))
    with pytest.raises(flow.RecipeError, match=said):
        flow.load_again(copy.parent)
