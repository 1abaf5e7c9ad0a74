"""Tests of the data: two samples, support of the training set, wrong labels."""

import numpy as np
import pytest
from scipy.special import expit

from skywright.trust import covariate_shift, estimate_label_noise, mmd, mmd_test, outside_support

RNG = np.random.default_rng


def test_mmd_of_nearly_equal_samples_is_nearly_zero():
    rows = RNG(0).normal(size=(300, 3))
    # two halves of identical rows; with all pairs unbiased, not exactly zero
    assert abs(mmd(rows, rows + 1e-9)) < 0.005
    assert mmd(rows, rows + 5) > 0.5


def test_mmd_is_that_of_its_equation():
    a, b = RNG(1).normal(size=(5, 2)), RNG(2).normal(1, 1, (4, 2))

    def kernel(x, y):
        return np.exp(-((x - y) ** 2).sum() / (2 * 0.7**2))

    aa = np.mean([kernel(a[i], a[j]) for i in range(5) for j in range(5) if i != j])
    bb = np.mean([kernel(b[i], b[j]) for i in range(4) for j in range(4) if i != j])
    ab = np.mean([kernel(x, y) for x in a for y in b])
    assert mmd(a, b, width=0.7) == pytest.approx(aa + bb - 2 * ab)


def test_mmd_is_unbiased_over_200_null_draws():
    rng = RNG(3)
    values = np.array([mmd(*rng.normal(size=(2, 100, 2))) for _ in range(200)])
    assert abs(values.mean()) < 3 * values.std(ddof=1) / np.sqrt(200)
    assert (values < 0).mean() > 0.3


def test_mmd_sees_half_a_sigma_and_seldom_cries_wolf():
    rng = RNG(4)

    def rejected(shift, draws):
        tests = [
            mmd_test(
                rng.normal(size=(200, 1)), rng.normal(shift, 1, (200, 1)), rng, permutations=99
            )
            for _ in range(draws)
        ]
        return np.mean([test["p"] <= 0.05 for test in tests])

    assert rejected(0.5, 60) > 0.95
    assert rejected(0.0, 60) < 0.15


def test_classifier_tells_shifted_data_and_copies_of_galaxies_stay_together():
    rng = RNG(5)
    a, b = rng.normal(size=(2, 300, 2))
    same, other = covariate_shift(a, b, RNG(0)), covariate_shift(a, b + 1.5, RNG(0))
    assert same["low"] < 0.55
    assert other["low"] > 0.8
    assert not other["passed"]
    groups = np.repeat(np.arange(60), 5)
    grouped = covariate_shift(a[groups], b[groups], RNG(0), train_groups=groups, test_groups=groups)
    assert grouped["n_groups"] == 120
    assert grouped["low"] < 0.6


def test_what_lies_outside_the_training_set_is_counted_even_in_a_hole():
    rng = RNG(6)
    angle = rng.uniform(0, 2 * np.pi, 3000)
    ring = np.stack([np.cos(angle), np.sin(angle)], 1) * rng.uniform(0.9, 1.1, (3000, 1))
    fresh = outside_support(ring[:1500], ring[1500:])
    assert fresh["low"] < fresh["expected"] + 0.01
    middle = outside_support(ring, rng.normal(0, 0.1, (100, 2)))
    assert middle["value"] > 0.95
    mixed = outside_support(ring, np.concatenate([ring[:300], np.full((100, 2), 9.0)]))
    assert mixed["value"] == pytest.approx(0.25, abs=0.02)
    assert mixed["outside"][-100:].all()
    with pytest.raises(ValueError, match="more than 10 neighbours"):
        outside_support(ring[:5], ring)


@pytest.mark.parametrize("share", [0.0, 0.05, 0.2])
def test_label_noise_is_found_where_classes_are_apart(share):
    rng = RNG(7)
    truth = np.arange(4000) % 2
    x = rng.normal(6.0 * truth - 3, 1)
    labels = np.where(rng.random(4000) < share, 1 - truth, truth)
    # the best answer for noisy labels: what a model fitted on them tends to
    clean = expit(6 * x)
    result = estimate_label_noise(clean * (1 - share) + (1 - clean) * share, labels, RNG(0))
    assert result["value"] == pytest.approx(share, abs=0.012)
    assert result["low"] <= result["value"] <= result["high"]
    assert result["joint"].sum() == pytest.approx(1)
    wrong = np.isin(result["suspects"], np.flatnonzero(labels != truth))
    assert wrong.sum() >= 0.9 * max(len(wrong), (labels != truth).sum())


def test_asymmetric_noise_shows_in_the_joint():
    rng = RNG(8)
    truth = rng.integers(0, 3, 6000)
    labels = np.where((truth == 1) & (rng.random(6000) < 0.3), 2, truth)
    probability = np.full((6000, 3), 0.05)
    probability[np.arange(6000), truth] = 0.9
    joint = estimate_label_noise(probability, labels, RNG(0))["joint"]
    assert joint[2, 1] == pytest.approx(0.1, abs=0.01)
    assert joint[1, 2] == joint[0, 1] == 0
    with pytest.raises(ValueError, match="no row is labelled"):
        estimate_label_noise(probability, np.zeros(6000, int), RNG(0))
