"""Calibration against scikit-learn and against simulated truth."""

import numpy as np
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss

from skywright.trust.budget import survey_weights
from skywright.trust.calibration import (
    brier_skill,
    calibration_error,
    calibration_slope,
    prior_correct,
    reliability,
    reliability_bins,
)
from skywright.trust.resampling import bootstrap_groups, percentile_interval


@pytest.fixture
def rare():
    rng = np.random.default_rng(0)
    logits = rng.normal(-5, 2.5, 40_000)
    return logits, rng.random(40_000) < expit(logits)


def test_slope_and_intercept_are_those_of_scikit_learn(rare):
    logits, labels = rare
    weights = np.random.default_rng(1).integers(0, 3, (2, len(logits))).astype(float)
    slope, intercept = calibration_slope(2 * logits + 1, labels, weights)
    for i in range(2):
        fit = LogisticRegression(C=1e6, tol=1e-8)
        fit.fit((2 * logits + 1)[:, None], labels, sample_weight=weights[i])
        assert slope[i] == pytest.approx(fit.coef_[0, 0], abs=2e-4)
        assert intercept[i] == pytest.approx(fit.intercept_[0], abs=2e-3)


def test_calibrated_scores_have_slope_one_and_overconfident_ones_less(rare):
    logits, labels = rare
    weights = np.ones(len(logits))
    slope, intercept = calibration_slope(logits, labels, weights)
    assert slope == pytest.approx(1, abs=0.06)
    assert intercept == pytest.approx(0, abs=0.15)
    assert calibration_slope(2 * logits, labels, weights)[0] == pytest.approx(0.5, abs=0.03)


def test_separated_classes_still_give_a_finite_slope():
    slope, intercept = calibration_slope(
        np.array([-2.0, -1.0, 1.0, 2.0]), np.array([0, 0, 1, 1]), np.ones(4)
    )
    assert np.isfinite([slope, intercept]).all()
    assert slope > 1


def test_prior_correction_makes_a_balanced_posterior_the_rare_one():
    rng = np.random.default_rng(2)
    labels = rng.random(400_000) < 0.01
    x = rng.normal(3.0 * labels)
    balanced_posterior = 3.0 * x - 4.5
    corrected = prior_correct(balanced_posterior, 0.5, 0.01)
    assert expit(corrected).mean() == pytest.approx(0.01, rel=0.03)


def test_brier_skill_is_one_minus_the_ratio_of_brier_scores(rare):
    logits, labels = rare
    weights = np.random.default_rng(3).random(len(logits))
    constant = np.full(len(logits), np.average(labels, weights=weights))
    expected = 1 - brier_score_loss(labels, expit(logits), sample_weight=weights) / (
        brier_score_loss(labels, constant, sample_weight=weights)
    )
    assert brier_skill(expit(logits), labels, weights) == pytest.approx(expected)


def test_reliability_of_calibrated_scores_lies_on_the_diagonal(rare):
    logits, labels = rare
    probability = expit(logits)
    index = reliability_bins(probability, labels, bins=6)
    weights = np.ones((1, len(logits)))
    observed = reliability(labels, weights, index)[0]
    promised = reliability(probability, weights, index)[0]
    assert len(observed) == 6
    np.testing.assert_allclose(observed, promised, rtol=0.15)


def test_plain_calibration_error_is_refused_for_rare_positives(rare):
    logits, labels = rare
    few = labels & (np.cumsum(labels) <= 200)
    with pytest.raises(ValueError, match="Use expected_against_true"):
        calibration_error(expit(logits), few, np.ones(len(logits)))


def test_calibration_error_of_a_constant_offset_is_the_offset():
    rng = np.random.default_rng(4)
    probability = rng.uniform(0.3, 0.6, 100_000)
    labels = rng.random(100_000) < probability
    weights = np.ones(100_000)
    assert calibration_error(probability, labels, weights) < 0.01
    assert calibration_error(probability + 0.2, labels, weights) == pytest.approx(0.2, abs=0.01)


@pytest.mark.parametrize("spread", [0.05, 0.3])
def test_logits_that_know_nothing_are_not_called_calibrated(spread):
    rng = np.random.default_rng(3)
    labels, groups = np.arange(2000) % 2, np.arange(2000)
    logits = rng.normal(-5.3, spread, 2000)
    weights = survey_weights(labels, 0.005, bootstrap_groups(groups, 300, rng))
    slope, _ = calibration_slope(logits, labels, weights)
    low, high = percentile_interval(slope[1:])
    assert low < 0 < high
    # means of 1,000 logits on either side differ by chance; a slope is that over the variance
    assert slope[1:].std() == pytest.approx(np.sqrt(2 / 1000) / spread, rel=0.2)


def test_equal_logits_have_no_slope():
    labels = np.arange(10) % 2
    slope, intercept = calibration_slope(np.full(10, -5.0), labels, np.ones(10))
    assert np.isnan(slope)
    assert np.isnan(intercept)
