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
