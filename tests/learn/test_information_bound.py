"""The bound of nets on mutual information in several dimensions, beside the truth."""

import numpy as np
import pytest

from skywright.learn import estimate_information, information


def sample(rho, size, n=1000):
    x, noise = np.random.default_rng(0).normal(size=(2, n, size))
    return x, rho * x + np.sqrt(1 - rho**2) * noise


@pytest.mark.parametrize("size", [1, 4])
def test_bound_is_close_below_the_truth(size):
    true = -0.5 * size * np.log(1 - 0.6**2)
    found = estimate_information(*sample(0.6, size), epochs=20, folds=2)
    assert 0.75 * true < found["value"] < true + 2 * found["error"]


def test_independent_samples_have_none():
    found = estimate_information(*sample(0.0, 3), epochs=10)
    assert abs(found["value"]) < 0.03
    assert found["low"] <= found["high"]


def test_same_seed_same_value_and_units():
    x, y = sample(0.6, 2, 400)
    first = estimate_information(x, y, epochs=3)
    assert estimate_information(x, y, epochs=3) == first
    bits = estimate_information(x, y, epochs=3, unit="bit")
    assert bits["value"] == pytest.approx(first["value"] / np.log(2))


@pytest.mark.parametrize(
    ("x", "y", "settings", "message"),
    [
        (np.ones((300, 2)), np.ones((300, 1)), {}, "column 0 of x is constant"),
        (np.full((300, 1), np.nan), np.ones((300, 1)), {}, "row 0 of x is not finite"),
        (np.arange(300), np.arange(299), {}, "300 rows and y has 299"),
        (np.arange(100), np.arange(100), {}, "expected at least 200"),
        (np.arange(300), np.arange(300), {"folds": 1}, "expected 2 to 30"),
        (np.arange(300), np.arange(300), {"folds": 31}, "expected 2 to 30"),
        (np.arange(300), np.arange(300), {"batch": 0}, "batch is 0"),
        (np.ma.masked_equal(np.arange(300), 7), np.arange(300), {}, "row 7 of x is not finite"),
        (["a"] * 300, np.arange(300), {}, "x holds <U1"),
        (np.arange(300), np.arange(300), {"unit": "dB"}, "expected one of nat, bit"),
        (np.ones((3, 2, 2)), np.arange(300), {}, "dimension"),
    ],
)
def test_what_cannot_be_used_is_refused(x, y, settings, message):
    with pytest.raises(ValueError, match=message):
        estimate_information(x, y, **settings)


def test_far_rows_do_not_meet_a_net_that_extrapolates():
    """One row at 1e6 in both made -65,000 nats."""
    x, y = sample(0.6, 1, 400)
    x[0] = y[0] = 1e6
    found = estimate_information(x, y, epochs=5, folds=2)
    assert abs(found["value"]) < 0.3


def test_rows_are_judged_in_parts(monkeypatch):
    x, y = sample(0.6, 2, 300)
    whole = estimate_information(x, y, epochs=3, folds=2)
    monkeypatch.setattr(information, "JUDGED", 40)
    parts = estimate_information(x, y, epochs=3, folds=2)
    assert parts["value"] == pytest.approx(whole["value"], abs=1e-5)
