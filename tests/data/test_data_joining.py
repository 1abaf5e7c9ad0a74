"""Rows that were drawn apart come into one table, without changing sides."""

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable

from skywright.data import draw_groups, join_samples, take_highest


def table(first, roles):
    number = first + np.arange(len(roles))
    return QTable({"object_id": number, "role": roles, "length": number * 1.0 * u.m})


LEARNED = table(0, ["validation", "train", "train"])
TESTED = table(3, ["calibration", "inside", "far away, in another laboratory"])


def test_learned_rows_keep_their_numbers_and_one_role_is_judged():
    both = join_samples(LEARNED, TESTED, test="inside")
    assert both["object_id"].tolist() == list(range(6))
    assert both["role"].tolist() == [
        "validation", "train", "train", "calibration", "test", "far away, in another laboratory",
    ]  # fmt: skip
    assert both["length"].unit == u.m
    assert LEARNED["role"].tolist() == ["validation", "train", "train"]


@pytest.mark.parametrize(
    ("learned", "tested", "said"),
    [
        (LEARNED, table(2, ["inside"]), "1 identifiers are in both tables, as 2"),
        (LEARNED, table(3, ["calibration"]), "expected train and validation in the one"),
        (LEARNED, table(3, ["inside", "train"]), "roles .* tested"),
        (table(0, ["train", "inside"]), TESTED, "roles .* are learned"),
    ],
)
def test_rows_on_the_wrong_side_are_refused(learned, tested, said):
    with pytest.raises(ValueError, match=said):
        join_samples(learned, tested, test="inside")


def test_the_highest_point_of_a_sweep_is_taken():
    swept = QTable({"widest": [0.05, 0.2, 0.1, 0.2] * u.one, "x": np.arange(4)})
    assert take_highest(swept, "widest")["x"].tolist() == [1, 3]
    with pytest.raises(ValueError, match="no column 'noise'; the table has widest, x"):
        take_highest(swept, "noise")


def test_drawn_rows_are_of_different_groups_and_any_may_be_drawn():
    rows, groups = np.arange(3, 30), np.arange(30) // 3
    drawn = [draw_groups(rows, groups, 4, np.random.default_rng(i)) for i in range(60)]
    assert all(len(np.unique(groups[some])) == 4 for some in drawn)
    assert set(np.concatenate(drawn).tolist()) == set(range(3, 30))
    assert len(draw_groups(rows, groups, 99, np.random.default_rng(0))) == 9
    assert len(draw_groups(rows[:0], groups, 4, np.random.default_rng(0))) == 0
