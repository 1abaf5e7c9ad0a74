"""Attributions are judged where the important pixels are planted."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from skywright.trust import judge_attributions
from skywright.trust.attributions import deletion_curve, rank_correlation

RNG = np.random.default_rng


@pytest.fixture
def planted():
    """Images whose score is the light inside a square that moves."""
    rng = RNG(0)
    images = rng.uniform(0.5, 1.0, (20, 2, 10, 10))
    truth = np.zeros_like(images)
    for i in range(20):
        y, x = rng.integers(0, 7, 2)
        truth[i, :, y : y + 3, x : x + 3] = 1
    return images, truth


def test_rank_correlation_is_spearmans():
    a, b = RNG(1).normal(size=(2, 3, 2, 5, 5))
    expected = [spearmanr(x.ravel(), y.ravel())[0] for x, y in zip(a, b, strict=True)]
    np.testing.assert_allclose(rank_correlation(a, b), expected)
    assert np.isnan(rank_correlation(np.ones((1, 4)), np.ones((1, 4)))[0])


def test_deletion_starts_whole_and_ends_empty(planted):
    images, truth = planted

    def score(batch):
        return (batch * truth[0]).sum(axis=(1, 2, 3))

    full = score(images[:1])[0]
    deletion = deletion_curve(score, images[0], truth[0].sum(axis=0))
    insertion = deletion_curve(score, images[0], truth[0].sum(axis=0), insertion=True)
    assert (deletion[0], deletion[-1]) == pytest.approx((full, 0))
    assert (insertion[0], insertion[-1]) == pytest.approx((0, full))
    # nine pixels of a hundred matter: gone after two of twenty steps
    assert deletion[2] == pytest.approx(0)
    assert insertion[2] == pytest.approx(full)
    np.testing.assert_allclose(deletion + insertion, full)


def test_true_maps_pass_and_maps_of_edges_fail(planted):
    images, truth = planted
    # one score for all images, so that it can be asked for a batch: light in a fixed square
    mask = np.zeros((2, 10, 10))
    mask[:, 4:7, 4:7] = 1

    def score(batch):
        return (batch * mask).sum(axis=(1, 2, 3))

    true_map = images * mask + RNG(2).normal(0, 1e-3, images.shape)
    other = RNG(3).normal(size=images.shape)
    good = judge_attributions(true_map, other, score, images, RNG(0))
    assert all(
        good[name]["passed"] for name in ("randomisation", "deletion_gain", "insertion_gain")
    )
    # a map that is the image itself does not change with the weights, and ranks nothing
    edges = judge_attributions(images, images, score, images, RNG(0))
    assert not edges["randomisation"]["passed"]
    assert edges["randomisation"]["value"] == pytest.approx(1)
    blind = judge_attributions(other, true_map, score, images, RNG(0))
    assert not blind["deletion_gain"]["passed"]
    assert not blind["insertion_gain"]["passed"]
