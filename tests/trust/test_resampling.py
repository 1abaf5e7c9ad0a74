"""Intervals on simulated truth: galaxies have to be resampled, not cutouts."""

from statistics import NormalDist

import numpy as np
import pytest
from scipy.stats import norm

from skywright.trust.ranking import auroc
from skywright.trust.resampling import (
    bootstrap_groups,
    estimate,
    percentile_interval,
    poisson_interval,
    wilson,
)

GALAXIES, CUTOUTS = 60, 8


def draw(rng):
    """Scores that share a random part within a galaxy, whose cutouts share their label."""
    labels = np.repeat(np.arange(GALAXIES) % 2, CUTOUTS)
    shared = np.repeat(rng.normal(size=GALAXIES), CUTOUTS)
    return labels + shared + rng.normal(size=labels.size) * 0.5, labels


def coverage(groups, rng, trials=200):
    truth = norm.cdf(1 / np.sqrt(2 * (1 + 0.25)))
    covered = 0
    for _ in range(trials):
        scores, labels = draw(rng)
        low, high = percentile_interval(
            auroc(scores, labels, bootstrap_groups(groups, 200, rng))[1:]
        )
        covered += low <= truth <= high
    return covered / trials


def test_resampling_galaxies_covers_the_truth_and_resampling_rows_does_not():
    rng = np.random.default_rng(0)
    galaxies = np.repeat(np.arange(GALAXIES), CUTOUTS)
    assert coverage(galaxies, rng) > 0.9
    assert coverage(np.arange(galaxies.size), rng) < 0.65


def test_rows_of_a_galaxy_are_drawn_together_and_the_first_row_is_the_sample():
    groups = np.array([5, 5, 9, 11, 9])
    counts = bootstrap_groups(groups, 500, np.random.default_rng(1))
    assert (counts[0] == 1).all()
    assert (counts[:, 0] == counts[:, 1]).all()
    assert (counts[:, 2] == counts[:, 4]).all()
    drawn = counts[1:, [0, 2, 3]].sum(axis=1)
    assert (drawn == 3).all()
    assert counts[1:].mean() == pytest.approx(1, abs=0.05)


def test_equal_scorers_have_a_paired_gain_of_exactly_zero():
    rng = np.random.default_rng(2)
    scores, labels = draw(rng)
    counts = bootstrap_groups(np.arange(labels.size) // CUTOUTS, 100, rng)
    gain = auroc(scores, labels, counts) - auroc(2 * scores + 3, labels, counts)
    result = estimate(gain, n=labels.size, n_groups=GALAXIES)
    assert (result["value"], result["low"], result["high"]) == (0, 0, 0)


def test_paired_gain_of_a_noisier_copy_is_sharper_than_unpaired_intervals():
    rng = np.random.default_rng(3)
    scores, labels = draw(rng)
    counts = bootstrap_groups(np.arange(labels.size) // CUTOUTS, 400, rng)
    a = auroc(scores, labels, counts)
    b = auroc(scores + rng.normal(size=scores.size), labels, counts)
    low, high = percentile_interval((a - b)[1:])
    alone = percentile_interval(a[1:])
    assert low > 0
    assert high - low < 0.7 * (alone[1] - alone[0])


def test_a_share_of_one_still_has_an_interval():
    result = estimate(np.ones(101), n=80, n_groups=20, proportion=True)
    assert result["low"] == pytest.approx(20 / (20 + NormalDist().inv_cdf(0.975) ** 2))
    assert result["high"] == 1


@pytest.mark.parametrize("truth", [0.05, 0.5, 0.95])
def test_wilson_covers_the_truth(truth):
    hits = np.random.default_rng(4).binomial(40, truth, 2000)
    ends = np.array([wilson(h / 40, 40) for h in hits])
    assert ((ends[:, 0] <= truth) & (truth <= ends[:, 1])).mean() > 0.92


def test_poisson_interval_covers_the_truth():
    counts = np.random.default_rng(5).poisson(3.0, 2000)
    ends = np.array([poisson_interval(int(c)) for c in counts])
    assert ((ends[:, 0] <= 3) & (ends[:, 1] >= 3)).mean() >= 0.95
    assert poisson_interval(0)[0] == 0


def test_undefined_resamples_are_left_out():
    assert percentile_interval(np.array([np.nan, 1.0, 1.0])) == (1.0, 1.0)
    assert np.isnan(percentile_interval(np.array([np.nan]))).all()
