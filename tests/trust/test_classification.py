"""Metrics of classifiers against scikit-learn, identities, and simulated truth."""

import numpy as np
import pytest
from scipy.special import expit, logit, softmax
from sklearn.metrics import average_precision_score, log_loss, roc_auc_score

from skywright.trust import average_precision, judge_classification
from skywright.trust.probability_scores import (
    brier,
    brier_decomposition,
    calibration_gap,
    equal_mass_bins,
    equal_width_bins,
)
from skywright.trust.temperatures import class_slope


def two_classes(n=3000, seed=0, offset=0.0):
    rng = np.random.default_rng(seed)
    logits = rng.normal(offset, 2, n)
    return expit(logits), (rng.random(n) < expit(logits)).astype(int)


def three_classes(n=3000, seed=0):
    rng = np.random.default_rng(seed)
    p = softmax(rng.normal(0, 2, (n, 3)), axis=1)
    return p, (p.cumsum(axis=1) < rng.random(n)[:, None]).sum(axis=1)


def judge(p, y, **options):
    return judge_classification(p, y, rng=np.random.default_rng(1), resamples=100, **options)


def test_average_precision_is_that_of_scikit_learn_with_ties_and_weights():
    rng = np.random.default_rng(0)
    scores, labels, weights = rng.integers(0, 9, 300), rng.integers(0, 2, 300), rng.random((2, 300))
    found = average_precision(scores.astype(float), labels, weights)
    expected = [average_precision_score(labels, scores, sample_weight=w) for w in weights]
    np.testing.assert_allclose(found, expected)


def test_two_classes_agree_with_scikit_learn():
    p, y = two_classes()
    results = judge(p, y)
    assert results["accuracy"]["value"] == pytest.approx(((p > 0.5) == y).mean())
    assert results["auroc"]["value"] == pytest.approx(roc_auc_score(y, p))
    assert results["log_loss"]["value"] == pytest.approx(log_loss(y, p))
    assert all(r["low"] <= r["value"] <= r["high"] for r in results.values())
    assert results["calibration_slope"]["value"] == pytest.approx(1, abs=0.1)


def test_three_classes_agree_with_scikit_learn():
    p, y = three_classes()
    results = judge(p, y)
    assert results["auroc"]["value"] == pytest.approx(roc_auc_score(y, p, multi_class="ovr"))
    assert results["log_loss"]["value"] == pytest.approx(log_loss(y, p))
    assert results["brier"]["value"] == pytest.approx(((p - np.eye(3)[y]) ** 2).sum(axis=1).mean())
    assert results["class_2_true"]["value"] == pytest.approx((y == 2).mean())
    assert results["ece"]["value"] < results["ece"]["calibrated"]


def test_brier_score_is_its_three_parts_for_any_bins_and_weights():
    p, y = two_classes(500)
    weights = np.random.default_rng(2).random((3, 500))
    for index in (equal_width_bins(p, 4), equal_mass_bins(p, bins=7)):
        reliability, resolution, uncertainty = brier_decomposition(p, y, weights, index)
        np.testing.assert_allclose(
            reliability - resolution + uncertainty, brier(p, y, weights), rtol=1e-12
        )


def test_reliability_is_the_square_of_an_offset_that_all_share():
    p = np.repeat([0.2, 0.6], 1000)
    y = np.concatenate([np.arange(1000) < 300, np.arange(1000) < 700])
    reliability, _, _ = brier_decomposition(p, y, np.ones(2000), equal_width_bins(p))
    assert reliability == pytest.approx(0.01)
    assert calibration_gap(p, y, np.ones(2000), equal_width_bins(p)) == pytest.approx(0.1)


def test_bins_of_equal_mass_hold_it():
    values, weights = np.random.default_rng(0).random((2, 3000))
    index = equal_mass_bins(values, weights, 10)
    np.testing.assert_allclose(np.bincount(index, weights), weights.sum() / 10, rtol=0.01)
    assert set(equal_mass_bins(np.zeros(50))) == {0}


def test_rare_positives_get_counts_in_place_of_calibration_errors():
    p, y = two_classes(20_000, offset=-6)
    assert y.mean() < 0.05
    results = judge(p, y)
    assert not {"ece", "adaptive_ece"} & set(results)
    top = results["top_1_percent_expected"], results["top_1_percent_true"]
    assert top[0]["value"] == pytest.approx(top[1]["value"], rel=0.2)
    assert {"calibration_slope", "brier_skill"} <= set(results)


def test_a_balanced_sample_brought_to_a_rare_survey_is_judged_as_rare():
    p, y = two_classes(4000)
    at_survey = expit(logit(p) + logit(0.01) - logit(y.mean()))
    results = judge(at_survey, y, prevalence=0.01)
    assert "ece" not in results
    assert results["uncertainty"]["value"] == pytest.approx(0.01 * 0.99)


def test_calibration_errors_of_an_overconfident_score_exceed_chance():
    p, y = two_classes()
    good, bad = judge(p, y), judge(expit(2 * logit(p)), y)
    for name in ("ece", "adaptive_ece"):
        assert good[name]["value"] < good[name]["calibrated"] < bad[name]["low"]


def test_intervals_widen_when_rows_are_copies():
    p, y = two_classes(300)
    copies = judge(np.repeat(p, 4), np.repeat(y, 4), groups=np.repeat(np.arange(300), 4))
    rows = judge(np.repeat(p, 4), np.repeat(y, 4))
    width = {k: r["auroc"]["high"] - r["auroc"]["low"] for k, r in enumerate((rows, copies))}
    assert width[1] > 1.5 * width[0]


def test_slope_of_several_classes_inverts_a_temperature():
    p, y = three_classes(20_000)
    weights = np.ones((2, len(y)))
    for factor in (0.5, 1.0, 3.0):
        hot = softmax(factor * np.log(p), axis=1)
        np.testing.assert_allclose(class_slope(hot, y, weights) * factor, 1, atol=0.04)


@pytest.mark.parametrize(
    ("p", "y", "message"),
    [
        (np.array([0.1, 3.0]), [0, 1], "logits need"),
        (np.array([0.1, np.nan]), [0, 1], "range from"),
        (np.array([0.1, 0.2]), [0, 2], "expected the columns"),
        (np.array([0.1]), [0, 1], "1 probabilities for 2"),
        (np.full((2, 3), 0.2), [0, 1], "sum to one"),
    ],
)
def test_what_is_no_probability_is_refused(p, y, message):
    with pytest.raises(ValueError, match=message):
        judge_classification(p, np.array(y), rng=np.random.default_rng(0))
