"""Ranking of galaxies by several networks under a budget."""

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable

from skywright.find import rank


def _galaxies(n=10):
    return QTable(
        {
            "object_id": np.arange(n) + 5,
            "x": np.arange(n) * 10.0,
            "y": np.zeros(n),
            "ra": 150 + np.arange(n) * 0.01,
            "dec": np.full(n, 2.0),
        }
    )


def _scores(means, n=10):
    ids = np.tile(np.arange(n) + 5, len(means))
    seeds = np.repeat(np.arange(len(means)), n)
    return QTable({"seed": seeds, "object_id": ids, "mean": np.concatenate(means)})


def test_logits_are_averaged_and_shifted_to_the_survey():
    first, second = np.arange(10.0), np.arange(10.0) + 2
    table = rank(_galaxies(), _scores([first, second]), budget=0.2, prevalence=0.01)
    assert table["object_id"].tolist() == list(range(14, 4, -1))
    np.testing.assert_allclose(table["logit"], np.arange(10)[::-1] + 1)
    np.testing.assert_allclose(table["spread"], 1.0)
    assert set(table["networks"]) == {2}
    odds = np.exp(table["logit"]) * 0.01 / 0.99  # balanced training: odds times prior odds
    np.testing.assert_allclose(table["probability"], odds / (1 + odds))
    np.testing.assert_allclose(
        table["expected_purity"], np.cumsum(table["probability"]) / np.arange(1, 11)
    )
    assert table["rank"].tolist() == list(range(1, 11))
    assert table["inspect"].tolist() == [True] * 2 + [False] * 8


@pytest.mark.parametrize(("budget", "count"), [(0.001, 1), (0.5, 5), (3, 3), (99, 10)])
def test_budget_is_a_share_or_a_number(budget, count):
    table = rank(_galaxies(), _scores([np.arange(10.0)]), budget=budget, prevalence=0.01)
    assert table["inspect"].sum() == count


def test_order_does_not_depend_on_the_input_order():
    scores = _scores([np.zeros(10)])
    turned = rank(_galaxies()[::-1], scores[::-1], budget=0.1, prevalence=0.01)
    straight = rank(_galaxies(), scores, budget=0.1, prevalence=0.01)
    assert turned["object_id"].tolist() == straight["object_id"].tolist()


def test_galaxies_without_a_judge_are_left_out_and_radii_are_joined():
    features = QTable(
        {
            "object_id": [9, 5],
            "einstein_radius": [3.5, 2.0],
            "einstein_radius_error": [0.5, 0.6],
        }
    )
    table = rank(_galaxies(), _scores([np.arange(6.0)], n=6), features, budget=0.5, prevalence=0.01)
    assert table["object_id"].tolist() == [10, 9, 8, 7, 6, 5]
    np.testing.assert_array_equal(
        table["einstein_radius"], [np.nan, 3.5, np.nan, np.nan, np.nan, 2.0]
    )


@pytest.mark.parametrize(
    ("known", "radius", "found"),
    [
        (QTable({"ra": [150.0201, 10.0], "dec": [2.0, 2.0]}), None, [7]),
        (QTable({"ra": [150.021], "dec": [2.0]}), 5 * u.arcsec, [7]),
        (QTable({"ra": [150.021], "dec": [2.0]}), None, []),
        (QTable({"x": [31.0, 55.0], "y": [1.0, 0.0]}), None, [8]),
        (QTable({"x": [55.0], "y": [0.0]}), 6 * u.pix, [10, 11]),
        (QTable({"x": np.empty(0), "y": np.empty(0)}), None, []),
    ],
)
def test_known_objects_are_marked(known, radius, found):
    table = rank(
        _galaxies(),
        _scores([np.arange(10.0)]),
        budget=1,
        prevalence=0.01,
        known=known,
        radius=radius,
    )
    assert sorted(table["object_id"][table["known"]]) == found


def test_a_known_lens_is_looked_for_in_its_own_image():
    galaxies = _galaxies()
    galaxies["tile"] = np.arange(10) % 2
    x, y = (np.asarray(galaxies[name], dtype=float) for name in "xy")
    known = QTable({"tile": [1, 1], "x": x[[2, 3]], "y": y[[2, 3]]})
    table = rank(galaxies, _scores([np.arange(10.0)]), budget=1, prevalence=0.01, known=known)
    assert table["object_id"][table["known"]].tolist() == [galaxies["object_id"][3]]


def test_a_known_lens_that_is_no_galaxy_of_the_list_counts_as_missed():
    galaxies = _galaxies()
    known = QTable({"x": [31.0, 31.2, 500.0], "y": [1.0, 1.0, 500.0]})
    best = [9.0 * (number == 3) for number in range(10)]
    for budget, inspected in ((1, 2), (10, 2)):
        table = rank(galaxies, _scores([best]), budget=budget, prevalence=0.01, known=known)
        assert table.meta["known"] == 3
        assert table.meta["known_judged"] == 2
        assert table.meta["known_inspected"] == inspected


def test_what_cannot_be_ranked_is_refused():
    galaxies, scores = _galaxies(), _scores([np.arange(10.0)])
    with pytest.raises(ValueError, match="2 scores are not finite"):
        rank(galaxies, _scores([[np.nan, np.inf, *range(8)]]), budget=1, prevalence=0.01)
    with pytest.raises(ValueError, match="share no object_id"):
        rank(galaxies[:2], scores[5:], budget=1, prevalence=0.01)
    with pytest.raises(ValueError, match="expected object_id and mean"):
        rank(galaxies, galaxies, budget=1, prevalence=0.01)
    with pytest.raises(ValueError, match="budget is 0"):
        rank(galaxies, scores, budget=0, prevalence=0.01)
    with pytest.raises(ValueError, match="survey prevalence"):
        rank(galaxies, scores, budget=1, prevalence=0)
    galaxies["ra"] = np.nan
    with pytest.raises(ValueError, match="no galaxy has them"):
        rank(galaxies, scores, budget=1, prevalence=0.01, known=QTable({"ra": [1.0], "dec": [1.0]}))
