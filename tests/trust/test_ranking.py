"""Rank metrics against scikit-learn, brute force and replication."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from skywright.trust.ranking import auroc, roc, tpr_at_false_positives

labelled = st.lists(
    st.tuples(st.integers(0, 6), st.booleans(), st.integers(0, 3)), min_size=2, max_size=60
).filter(lambda rows: len({label for _, label, w in rows if w}) == 2)


def columns(rows):
    scores, labels, weights = (np.array(c) for c in zip(*rows, strict=True))
    return scores.astype(float), labels.astype(int), weights


def brute_tpr(scores, labels, k):
    best = 0.0
    for threshold in np.unique(scores):
        chosen = scores >= threshold
        if (chosen & (labels == 0)).sum() <= k:
            best = max(best, (chosen & (labels == 1)).sum() / labels.sum())
    return best


@given(labelled)
def test_weighted_auroc_with_ties_is_that_of_scikit_learn(rows):
    scores, labels, weights = columns(rows)
    expected = roc_auc_score(labels, scores, sample_weight=weights)
    assert auroc(scores, labels, weights) == pytest.approx(expected)


@given(labelled, st.integers(0, 12))
def test_rate_before_false_positives_is_that_of_trying_every_threshold(rows, k):
    scores, labels, weights = columns(rows)
    replicated = [np.repeat(v, weights) for v in (scores, labels)]
    assert tpr_at_false_positives(scores, labels, k, weights) == pytest.approx(
        brute_tpr(*replicated, k)
    )


def test_a_tie_at_the_top_makes_tpr0_zero():
    labels = np.array([1, 1, 0, 0])
    assert tpr_at_false_positives(np.array([1.0, 1.0, 1.0, 0.0]), labels, 0) == 0
    assert tpr_at_false_positives(np.array([2.0, 1.0, 1.0, 0.0]), labels, 0) == 0.5


def test_weights_with_leading_axes_judge_every_row_of_weights():
    rng = np.random.default_rng(0)
    scores, labels = rng.integers(0, 30, 200).astype(float), rng.integers(0, 2, 200)
    counts = rng.integers(0, 4, (5, 200))
    for metric in (auroc, lambda s, y, w: tpr_at_false_positives(s, y, 3, w)):
        together = metric(scores, labels, counts)
        assert together.shape == (5,)
        np.testing.assert_allclose(together, [metric(scores, labels, c) for c in counts])


def test_auroc_without_a_class_is_undefined():
    assert np.isnan(auroc(np.arange(3.0), np.ones(3)))


def test_roc_of_two_gaussians_is_the_closed_form():
    rng = np.random.default_rng(1)
    labels = np.repeat([0, 1], 200_000)
    at = np.array([0.001, 0.01, 0.1, 0.5])
    np.testing.assert_allclose(
        roc(rng.normal(labels), labels, at), norm.sf(norm.isf(at) - 1), atol=0.005
    )


def test_nan_scores_are_refused():
    with pytest.raises(ValueError, match="1 of 2 scores are NaN"):
        auroc(np.array([0.0, np.nan]), np.array([0, 1]))
