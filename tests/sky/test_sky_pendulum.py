"""Pendulums against brute force: the posterior over a plain grid, moments by hand."""

import astropy.units as u
import numpy as np
import pytest
from scipy.stats import kstest, norm, pearsonr, spearmanr

from skywright.sky import (
    draw_pendulum_tests,
    draw_pendulums,
    pendulum_inputs,
    pendulum_posterior,
    perturb_pendulums,
    propagate_pendulum_errors,
    reverse_swings,
    scatter_of_swings,
)

PERIODS = [f"period_{i}" for i in range(10)]


def test_draws_are_those_of_the_paper():
    drawn = draw_pendulums(20_000, rng=np.random.default_rng(0))
    for name, low, high, unit in (
        ("gravity", 5, 15, "m / s2"),
        ("true_length", 0.2, 0.8, "m"),
        ("angle", 5, 15, "deg"),
        ("mass", 0.02, 0.1, "kg"),
    ):
        values = drawn[name].to_value(unit)
        assert kstest((values - low) / (high - low), "uniform").pvalue > 1e-3, name
    assert kstest((drawn["noise"] - 0.01) / 0.19, "uniform").pvalue > 1e-3
    miss = (drawn["length"] / drawn["true_length"] - 1).value / 0.02
    assert kstest(miss, "norm").pvalue > 1e-3
    period = 2 * np.pi * np.sqrt(drawn["true_length"] / drawn["gravity"]).to_value(u.s)
    z = np.stack([(drawn[p].value / period - 1) / drawn["noise"] for p in PERIODS])
    assert kstest(z.ravel(), "norm").pvalue > 1e-3
    assert (drawn["role"] == "validation").mean() == pytest.approx(0.1)
    assert pendulum_inputs(drawn).colnames == ["object_id", "angle", "length", "mass", *PERIODS]


def test_posterior_is_that_of_a_plain_grid():
    drawn = draw_pendulums(3, rng=np.random.default_rng(3))
    found = pendulum_posterior(drawn)
    g = np.linspace(5, 15, 201)[:, None, None]
    s = np.linspace(0.01, 0.2, 96)[None, :, None]
    for row, one in zip(drawn, found, strict=True):
        measured = row["length"].value
        low, high = np.clip([0.88 * measured, 1.12 * measured], 0.2, 0.8)
        length = np.linspace(low, high, 81)
        log = norm.logpdf(measured, length, 0.02 * length)
        period = 2 * np.pi * np.sqrt(length / g)
        times = np.array([row[p].value for p in PERIODS])
        square = ((times[:, None, None, None] - period) ** 2).sum(0)
        log = log - 0.5 * square / (s * period) ** 2 - 10 * np.log(s * period)
        density = np.exp(log - log.max()).sum(axis=(1, 2))
        g1 = g[:, 0, 0]
        density /= np.trapezoid(density, g1)
        mean = np.trapezoid(density * g1, g1)
        sd = np.sqrt(np.trapezoid(density * (g1 - mean) ** 2, g1))
        assert one["mean"] == pytest.approx(mean, abs=0.01 * sd)
        assert one["sd"] == pytest.approx(sd, rel=0.02)
        truth = row["gravity"].value
        assert one["nll"] == pytest.approx(-np.log(np.interp(truth, g1, density)), abs=0.02)
        below = np.where(g1 <= truth, density, 0)
        assert one["pit"] == pytest.approx(np.trapezoid(below, g1), abs=0.02)
        draws = np.random.default_rng(0).choice(g1, 20_000, p=density / density.sum())
        other = np.random.default_rng(1).permutation(draws)
        crps = np.abs(draws - truth).mean() - 0.5 * np.abs(draws - other).mean()
        assert one["crps"] == pytest.approx(crps, abs=0.03 * sd)


def test_posterior_is_calibrated_and_beats_propagation():
    drawn = draw_pendulums(1500, rng=np.random.default_rng(4))
    exact, laboratory = pendulum_posterior(drawn), propagate_pendulum_errors(drawn)
    truth = drawn["gravity"].value
    assert kstest(exact["pit"], "uniform").pvalue > 1e-3
    error = np.mean((exact["mean"] - truth) ** 2)
    assert error == pytest.approx(0.5, abs=0.06)
    assert np.mean((laboratory["mean"] - truth) ** 2) > 1.2 * error
    z = (laboratory["mean"] - truth) / laboratory["sd"]
    assert np.mean(np.abs(z) < 1) == pytest.approx(0.68, abs=0.04)
    assert (np.diff(exact["quantiles"], axis=1) > 0).all()


def test_little_noise_can_be_read_but_ranks_of_sigma_hardly_show_it():
    ranks = []
    for widest in (0.05, 0.2):
        drawn = draw_pendulums(1000, rng=np.random.default_rng(0), widest=widest)
        exact, laboratory = (
            pendulum_posterior(drawn, widest=widest),
            propagate_pendulum_errors(drawn),
        )
        relative = laboratory["sd"] / laboratory["mean"]
        assert pearsonr(exact["sd"] / exact["mean"], relative).statistic > 0.7
        # of a sigma that is a constant share of gravity
        ranks.append(spearmanr(exact["mean"], exact["sd"]).statistic)
    assert ranks == pytest.approx([0.8, 0.4], abs=0.06)


def test_test_sets_lie_where_they_say():
    tests = draw_pendulum_tests(100, rng=np.random.default_rng(1), widest=0.05)
    sets, sizes = np.unique(tests["role"], return_counts=True)
    assert dict(zip(sets.tolist(), sizes.tolist(), strict=True)) == {
        "calibration": 100, "inside": 100, "length 0.8-1.2": 50, "length 1.2-1.6": 50,
        "gravity 10-25": 50,
    }  # fmt: skip
    far = tests["role"] == "length 1.2-1.6"
    assert tests["true_length"][far].min() >= 1.2 * u.m
    assert tests["noise"].max() <= 0.05
    assert len(pendulum_posterior(tests, widest=0.05, role="inside")) == 100
    assert len(np.unique(tests["object_id"])) == len(tests)


def test_impossible_draws_are_refused():
    with pytest.raises(ValueError, match="least noise"):
        draw_pendulums(3, rng=np.random.default_rng(0), widest=0.01)
    with pytest.raises(ValueError, match="n is 0"):
        draw_pendulums(0, rng=np.random.default_rng(0))


def test_faults_of_a_laboratory_do_what_they_say():
    rng = np.random.default_rng(2)
    tests = draw_pendulum_tests(400, rng=rng, widest=0.05, first=1000)
    severities = {"ruler": [0.05], "clock": [0.02], "timing": [0.1], "missed": [2]}
    found = perturb_pendulums(tests, rng, n=300, severities=severities)
    inputs, key = found["inputs"], found["key"]
    assert inputs.colnames == pendulum_inputs(tests).colnames
    assert inputs["object_id"].tolist() == key["object_id"].tolist() == list(range(1200))
    inside = tests["object_id"][tests["role"] == "inside"]
    before = {}
    for kind in severities:
        rows = key["kind"] == kind
        assert len(np.unique(key["original"][rows])) == 300
        assert np.isin(key["original"][rows], inside).all()
        clean = tests[key["original"][rows] - 1000]
        before[kind] = clean, inputs[rows]
    clean, worse = before["ruler"]
    np.testing.assert_allclose(worse["length"] / clean["length"], 1.05)
    clean, worse = before["clock"]
    np.testing.assert_allclose(worse["period_3"] / clean["period_3"], 1.02)
    clean, worse = before["missed"]
    factors = np.stack([worse[p] / clean[p] for p in PERIODS], axis=1)
    np.testing.assert_allclose(np.sort(factors, axis=1)[:, -3:], [[1, 2, 2]] * 300)
    assert (factors.max(axis=0) == 2).all()  # any of the ten
    clean, worse = before["timing"]
    added = np.stack([worse[p] / clean[p] - 1 for p in PERIODS])
    assert float(added.std()) == pytest.approx(0.1, rel=0.06)
    assert (worse["length"] == clean["length"]).all()
    with pytest.raises(ValueError, match="expected one of ruler, clock"):
        perturb_pendulums(tests, rng, severities={"earthquake": [1]})


def test_the_order_of_the_swings_says_nothing_of_gravity():
    drawn = draw_pendulums(50, rng=np.random.default_rng(5))
    turned = reverse_swings(drawn)
    np.testing.assert_array_equal(turned["period_9"], drawn["period_0"])
    np.testing.assert_allclose(scatter_of_swings(turned), scatter_of_swings(drawn))
    np.testing.assert_allclose(
        propagate_pendulum_errors(turned)["mean"], propagate_pendulum_errors(drawn)["mean"]
    )
    assert np.corrcoef(scatter_of_swings(drawn), drawn["noise"])[0, 1] > 0.9
    assert len(pendulum_inputs(drawn, role="validation")) == 5
