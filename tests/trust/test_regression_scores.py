"""Scores of predicted distributions, and conformal promises, against plain simulation."""

import numpy as np
import pytest
from scipy.stats import kstest, norm, truncnorm

from skywright.trust import (
    bootstrap_groups,
    conformal_classes,
    conformal_interval,
    conformal_threshold,
    regression_figures,
    score_predictions,
    shift_weights,
)
from skywright.trust.bounded import score_bounded
from skywright.trust.conformal import conformal_levels
from skywright.trust.regression import coverage_error, score_normal, score_samples


def _figures(truth, mean, sd, **more):
    scores = score_predictions(truth, mean, sd, **more)
    counts = bootstrap_groups(np.arange(len(truth)), 200, np.random.default_rng(0))
    return regression_figures(scores, counts)


def test_calibrated_over_and_under_confident_are_told_apart():
    rng = np.random.default_rng(0)
    mean, sd = rng.normal(size=4000), rng.uniform(0.5, 2, 4000)
    truth = mean + sd * rng.normal(size=4000)
    good, narrow, wide = (_figures(truth, mean, factor * sd) for factor in (1, 0.6, 1.7))
    assert good["coverage_error"][0] < 0.01
    assert good["coverage_90"][0] == pytest.approx(0.9, abs=0.015)
    for bad, less in ((narrow, True), (wide, False)):
        assert bad["coverage_error"][0] > 0.1
        assert (bad["coverage_68"][0] < 0.6) == less
        assert bad["nll"][0] > good["nll"][0]
        assert bad["crps"][0] > good["crps"][0]
        assert bad["pit_ks"][0] > 4 * good["pit_ks"][0]
    low, high = np.quantile(good["mse"][1:], [0.025, 0.975])
    assert low < np.mean(sd**2) < high


def test_crps_of_a_normal_is_that_of_its_samples():
    rng = np.random.default_rng(1)
    truth, mean, sd = np.array([0.3, -2.0]), np.array([0.0, 1.0]), np.array([1.0, 2.0])
    samples = norm(mean[:, None], sd[:, None]).ppf((np.arange(2000) + 0.5) / 2000)
    shuffled = rng.permuted(samples, axis=1)
    exact, sampled = score_normal(truth, mean, sd), score_samples(truth, shuffled)
    assert sampled["crps"] == pytest.approx(exact["crps"], rel=2e-3)
    assert sampled["pit"] == pytest.approx(exact["pit"], abs=1e-3)


def test_ks_is_that_of_scipy():
    rng = np.random.default_rng(2)
    truth = rng.normal(0.2, 1, 500)
    figures = _figures(truth, np.zeros(500), np.ones(500))
    assert figures["pit_ks"][0] == pytest.approx(kstest(truth, "norm").statistic, rel=1e-9)


def test_a_known_range_gives_the_normal_that_is_cut_off():
    rng = np.random.default_rng(3)
    middle, spread = rng.uniform(4, 16, 500), rng.uniform(0.1, 3, 500)
    cut = truncnorm((5 - middle) / spread, (15 - middle) / spread, middle, spread)
    mean, sd = cut.mean(), cut.std()
    fair = (sd < 2.4) & (mean - 5 > 1.05 * sd) & (15 - mean > 1.05 * sd)
    truth = np.clip(cut.rvs(random_state=rng), 5, 15)
    scores = score_bounded(truth[fair], mean[fair], sd[fair], (5, 15))
    assert fair.sum() > 300
    assert scores["nll"] == pytest.approx(-cut.logpdf(truth)[fair], abs=0.01)
    assert scores["pit"] == pytest.approx(cut.cdf(truth)[fair], abs=2e-3)
    draws = cut.rvs((1000, 500), random_state=rng)[:, fair]
    other = cut.rvs((1000, 500), random_state=rng)[:, fair]
    crps = np.abs(draws - truth[fair]).mean(0) - 0.5 * np.abs(draws - other).mean(0)
    assert scores["crps"] == pytest.approx(crps, abs=0.25)
    assert scores["crps"].mean() == pytest.approx(crps.mean(), rel=0.01)
    with pytest.raises(ValueError, match="give no bounds"):
        score_bounded(np.array([16.0]), np.array([14.0]), np.array([1.0]), (5, 15))


def test_predictions_beyond_the_range_still_have_a_score():
    scores = score_bounded(
        np.array([5.1, 14.9, 9.0]), np.array([4.0, 15.5, 10.0]), np.array([0.3, 1.0, 9.0]), (5, 15)
    )
    for name, values in scores.items():
        assert np.isfinite(values).all(), name


def test_a_sigma_of_zero_is_refused():
    with pytest.raises(ValueError, match="expected all of them above 0"):
        score_normal(np.zeros(2), np.zeros(2), np.array([1.0, 0.0]))


def test_coverage_error_of_a_shifted_level():
    pit = (np.arange(1000) + 0.5) / 1000
    half = 0.5 + (pit - 0.5) / 2  # every interval is twice as wide as it should be
    level = np.arange(1, 101) / 101
    expected = np.abs(np.minimum(2 * level, 1) - level).mean()
    assert coverage_error(half, np.full((1, 1000), 1e-3))[0] == pytest.approx(expected, abs=2e-3)


def test_conformal_intervals_cover_whatever_the_model():
    rng = np.random.default_rng(4)
    covered = []
    for _ in range(40):
        truth, mean = rng.standard_t(2, (2, 500)), rng.normal(size=(2, 500))
        sd = rng.uniform(0.1, 3, (2, 500))
        low, high = conformal_interval(truth[0], mean[0], sd[0], mean[1], sd[1], level=0.9)
        covered.append(np.mean((truth[1] >= low) & (truth[1] <= high)))
    # 40 x 500 rows on 40 calibrations of 500: the standard deviation of the mean is 0.003
    assert np.mean(covered) == pytest.approx(0.9, abs=0.01)


def test_a_small_calibration_promises_nothing():
    assert conformal_threshold(np.arange(8.0), 0.9) == np.inf
    assert conformal_threshold(np.arange(9.0), 0.9) == 8
    assert conformal_levels(np.arange(9.0), np.array([-1.0, 8.5])).tolist() == [0.1, 1.0]
    with pytest.raises(ValueError, match="level is 1"):
        conformal_threshold(np.arange(8.0), 1)
    with pytest.raises(ValueError, match="one number for each score"):
        conformal_threshold(np.arange(8.0), 0.9, np.ones(3))


def test_weights_mend_a_shift_of_the_inputs():
    rng = np.random.default_rng(5)
    plain, mended = [], []
    for _ in range(20):
        x, new = rng.normal(0, 1, (1000, 1)), rng.normal(1, 1, (1000, 1))
        noise = lambda x: np.exp(0.7 * x[:, 0]) * rng.normal(size=len(x))  # noqa: E731
        scores, strange = np.abs(noise(x)), np.abs(noise(new))
        weights, weight = shift_weights(x, new)
        plain.append(np.mean(strange <= conformal_threshold(scores, 0.9)))
        mended.append(np.mean(strange <= conformal_threshold(scores, 0.9, weights, weight)))
    assert np.mean(plain) < 0.8
    assert np.mean(mended) == pytest.approx(0.9, abs=0.02)


def test_sets_of_classes_hold_the_true_one():
    rng = np.random.default_rng(6)
    logits = 2 * rng.normal(size=(6000, 4))
    true = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    labels = np.array([rng.choice(4, p=p) for p in true])
    boasted = true**3 / (true**3).sum(1, keepdims=True)  # too sure of itself
    sets = conformal_classes(boasted[:2000], labels[:2000], boasted[2000:], level=0.9)
    assert sets[np.arange(4000), labels[2000:]].mean() == pytest.approx(0.9, abs=0.02)
    assert 1 < sets.sum(1).mean() < 3
