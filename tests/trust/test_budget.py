"""Recall and purity under an inspection budget, at survey prevalence."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from skywright.trust.budget import (
    expected_against_true,
    purity_at_budget,
    recall_at_budget,
    selected,
    share,
    survey_weights,
)


def test_recall_and_purity_of_two_gaussians_are_the_closed_form():
    rng = np.random.default_rng(0)
    labels = np.repeat([1, 0], [40_000, 40_000])
    scores = rng.normal(2.5 * labels)
    prevalence, budget = 0.005, 0.02

    def share_above(threshold):
        return prevalence * norm.sf(threshold - 2.5) + (1 - prevalence) * norm.sf(threshold)

    grid = np.linspace(0, 6, 60_001)
    threshold = grid[np.argmin(np.abs(share_above(grid) - budget))]
    truth = norm.sf(threshold - 2.5)
    assert recall_at_budget(scores, labels, prevalence, budget) == pytest.approx(truth, abs=0.01)
    assert purity_at_budget(scores, labels, prevalence, budget) == pytest.approx(
        truth * prevalence / budget, abs=0.005
    )


@given(st.integers(0, 10_000), st.floats(0.01, 1.0))
def test_selection_spends_the_budget_exactly_and_in_order(seed, budget):
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, 8, 40).astype(float)
    weights = rng.integers(0, 5, (3, 40)) + np.eye(3, 40)
    inside = selected(scores, weights, budget)
    np.testing.assert_allclose((inside * weights).sum(axis=1), budget * weights.sum(axis=1))
    assert (np.diff(inside[:, np.argsort(scores)], axis=1) >= 0).all()
    for score in np.unique(scores):
        assert np.ptp(inside[:, scores == score], axis=1).max() == 0


def test_a_constant_score_finds_what_chance_finds():
    labels = np.array([1, 0, 0, 1, 0])
    assert recall_at_budget(np.zeros(5), labels, 0.005, 0.02) == pytest.approx(0.02)
    assert purity_at_budget(np.zeros(5), labels, 0.005, 0.02) == pytest.approx(0.005)


def test_counts_mean_the_same_as_replicated_rows():
    rng = np.random.default_rng(3)
    scores, labels = rng.normal(size=60), rng.integers(0, 2, 60)
    counts = rng.integers(0, 4, 60)
    replicated = recall_at_budget(np.repeat(scores, counts), np.repeat(labels, counts), 0.01, 0.1)
    assert recall_at_budget(scores, labels, 0.01, 0.1, counts) == pytest.approx(float(replicated))


def test_each_resample_is_brought_to_the_prevalence():
    labels = np.array([1, 1, 0, 0, 0])
    counts = np.array([[1, 1, 1, 1, 1], [3, 0, 1, 0, 2]])
    weights = survey_weights(labels, 0.02, counts)
    np.testing.assert_allclose(weights @ labels, [0.02, 0.02])
    np.testing.assert_allclose(weights.sum(axis=1), 1)


def test_share_of_an_absent_subset_is_undefined():
    inside, weights = np.ones(2), np.array([0.0, 1.0])
    found = share(inside, weights, np.array([[True, False], [False, True]]))
    assert np.isnan(found[0])
    assert found[1] == 1


def test_expected_number_is_the_true_one_for_calibrated_probabilities():
    rng = np.random.default_rng(4)
    probability = rng.beta(0.05, 2, 200_000)
    label = rng.random(200_000) < probability
    expected, true = expected_against_true(probability, label, np.ones(200_000))
    assert expected.shape == (4,)
    np.testing.assert_allclose(expected, true, rtol=0.03)
    doubted, _ = expected_against_true(probability / 2, label, np.ones(200_000))
    np.testing.assert_allclose(doubted / true, 0.5, rtol=0.03)


@pytest.mark.parametrize("budget", [0.0, 1.5, -0.1])
def test_impossible_budgets_are_refused(budget):
    with pytest.raises(ValueError, match="budget is"):
        selected(np.zeros(2), np.ones(2), budget)


def test_impossible_prevalence_is_refused():
    with pytest.raises(ValueError, match="prevalence is 1.2"):
        survey_weights(np.array([0, 1]), 1.2)
