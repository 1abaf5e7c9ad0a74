"""Boosted trees that estimate a number, and their errors."""

import numpy as np
import pytest
from astropy.table import QTable

from skywright.find import predict_table, predict_values
from skywright.learn import fit_regressor, tune_classifier

SCATTER = 0.1


def _sample(n=1500):
    rng = np.random.default_rng(0)
    values = rng.uniform(0.5, 4.0, n)
    table = QTable({"object_id": np.arange(n) + 3})
    table["log"] = np.log(values) + SCATTER * rng.normal(size=n)
    table["other"] = rng.normal(size=n)
    labels = np.arange(n) % 3 > 0
    values[~labels] = np.nan
    return table, values, labels.astype(int), np.repeat(["train", "validation", "test"], n // 3)


@pytest.fixture(scope="module")
def model():
    return fit_regressor(*_sample())


def test_estimates_follow_the_truth_and_errors_hold(model):
    table, values, labels, roles = _sample()
    found = predict_values(model, table, roles=roles)
    rows = np.flatnonzero(roles == "test")
    np.testing.assert_array_equal(found.object_id, table["object_id"][rows])
    lens = labels[rows] == 1
    miss = np.log(found.mean[lens] / values[rows][lens])
    assert abs(np.median(miss)) < 0.03
    assert np.std(miss) == pytest.approx(SCATTER, rel=0.35)
    inside = np.abs(found.mean - values[rows])[lens] < found.aleatoric[lens]
    assert inside.mean() == pytest.approx(0.68, abs=0.1)


def test_same_seed_same_bytes(model):
    assert fit_regressor(*_sample()).estimator == model.estimator
    assert "Regressor" in model.card


def test_other_models_are_refused(model):
    table, _, labels, roles = _sample()
    with pytest.raises(ValueError, match="no classical classifier"):
        predict_table(model, table)
    classifier = tune_classifier(table, labels, roles, trials=1)
    with pytest.raises(ValueError, match="holds no regressor"):
        predict_values(classifier, table)
    del table["log"]
    with pytest.raises(ValueError, match="lacks the features"):
        predict_values(model, table)


def test_nothing_to_judge_is_no_error(model):
    table, *_ = _sample()
    assert len(predict_values(model, table, roles=np.full(len(table), "train"))) == 0


@pytest.mark.parametrize("value", [0.0, -1.0, np.nan, np.inf])
def test_values_that_are_none_are_refused(value):
    table, values, labels, roles = _sample()
    values[1] = value
    with pytest.raises(ValueError, match="not above zero"):
        fit_regressor(table, values, labels, roles)
    with pytest.raises(ValueError, match="values for"):
        fit_regressor(table, values[:-1], labels, roles)
