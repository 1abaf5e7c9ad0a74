"""Tests of posteriors on normal ones, whose answer is known."""

import numpy as np
import pytest

from skywright.trust import (
    c2st,
    expected_coverage,
    parameter_coverage,
    rank_uniformity,
    sbc_ranks,
    tarp,
)

RNG = np.random.default_rng


def posterior(width=1.0, n=600, draws=99, seed=0):
    rng = RNG(seed)
    centre = rng.normal(0, 2, (n, 3))
    truth = centre + rng.normal(size=(n, 3))
    return truth, centre[:, None] + width * rng.normal(size=(n, draws, 3))


@pytest.mark.parametrize(("width", "fine"), [(1.0, True), (0.6, False), (1.6, False)])
def test_ranks_are_uniform_for_right_widths_alone(width, fine):
    truth, samples = posterior(width)
    result = rank_uniformity(sbc_ranks(truth, samples), 99)
    assert (result["p"] > 0.01) == fine
    assert result["counts"].sum(axis=1).tolist() == [600] * 3


def test_bins_that_hold_unequal_numbers_of_ranks_do_not_reject():
    ranks = RNG(1).integers(0, 101, (20_000, 1))
    result = rank_uniformity(ranks, 100, bins=20)
    assert result["p"] > 0.01
    assert result["expected"].max() > result["expected"].min()


def test_uniformity_rejects_as_often_as_it_says():
    rng = RNG(2)
    p = np.array([rank_uniformity(rng.integers(0, 100, (300, 1)), 99)["p"] for _ in range(400)])
    assert (p < 0.05).mean() == pytest.approx(0.05, abs=0.035)


def test_coverage_of_parameters_is_nominal_and_falls_with_the_width():
    rows = parameter_coverage(*posterior(n=3000))
    assert all(r["low"] - 0.015 < r["level"] < r["high"] + 0.015 for r in rows)
    narrow = parameter_coverage(*posterior(0.5), levels=[0.9])
    assert all(r["high"] < 0.75 for r in narrow)
    assert [r["parameter"] for r in narrow] == [0, 1, 2]
    truth, samples = posterior(n=50)
    twice = [np.concatenate([a] * 4) for a in (truth, samples)]
    parents = np.tile(np.arange(50), 4)
    sure = parameter_coverage(*twice, levels=[0.68])[0]
    honest = parameter_coverage(*twice, levels=[0.68], groups=parents, rng=RNG(3))[0]
    assert honest["high"] - honest["low"] > 1.6 * (sure["high"] - sure["low"])
    tarps = np.tile(tarp(truth, samples, RNG(0)), 4)
    rows = expected_coverage(tarps, [0.68], groups=parents, rng=RNG(3))
    assert rows[0]["n_groups"] == 50


def test_tarp_is_uniform_for_right_posteriors_and_piles_up_for_narrow_ones():
    truth, samples = posterior(n=2000)
    rows = expected_coverage(tarp(truth, samples, RNG(0)))
    assert all(r["low"] - 0.01 < r["level"] < r["high"] + 0.01 for r in rows)
    truth, samples = posterior(0.3, n=2000)
    values = tarp(truth, samples, RNG(0))
    assert np.abs(2 * values - 1).mean() > 0.6
    references = np.zeros_like(truth)
    assert (tarp(truth, samples, RNG(0), references) != values).any()


def test_c2st_is_a_half_for_equal_samples_and_one_for_disjoint_ones():
    rng = RNG(3)
    a, b = rng.normal(size=(2, 400, 2))
    same = c2st(a, b, RNG(0))
    assert same["low"] < 0.5 < same["high"]
    assert c2st(a, b + 9, RNG(0), classifier="boosting")["value"] == 1.0
    turned = a @ np.linalg.cholesky([[1, 0.9], [0.9, 1]]).T
    assert c2st(turned, b, RNG(0))["low"] > 0.55


def test_wrong_shapes_are_refused():
    with pytest.raises(ValueError, match="expected \\(n, parameter\\)"):
        sbc_ranks(np.zeros(3), np.zeros((3, 2)))
    with pytest.raises(ValueError, match="not finite"):
        sbc_ranks(np.zeros((1, 1)), np.full((1, 2, 1), np.nan))
    with pytest.raises(ValueError, match="'net' or 'boosting'"):
        c2st(np.zeros((9, 1)), np.zeros((9, 1)), RNG(0), classifier="forest")
