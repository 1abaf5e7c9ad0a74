"""Attributions are judged where the important pixels are planted."""

import numpy as np
import pytest
from astropy.table import vstack
from scipy.stats import spearmanr

from skywright.trust import compare_attributions, judge_attributions, pool_attributions
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
    # an interval of 95 % over 20 images lets a blind map pass now and then
    options = {"resamples": 200}
    blind = [
        judge_attributions(
            RNG(i).normal(size=images.shape), other, score, images, RNG(i), **options
        )
        for i in range(10, 30)
    ]
    for name in ("deletion_gain", "insertion_gain"):
        assert sum(found[name]["passed"] for found in blind) <= 4


def test_copies_of_an_object_do_not_make_the_verdict_surer(planted):
    images, truth = planted
    found = compare_attributions(
        images * truth, RNG(3).normal(size=images.shape), lambda batch: batch.mean(axis=(1, 2, 3)),
        images, RNG(0), groups=np.arange(20),
    )  # fmt: skip
    copies = vstack([found] * 9)
    once, often = (pool_attributions(table, RNG(1)) for table in (found, copies))
    for name in ("randomisation", "deletion_gain"):
        width, other = (r[name]["high"] - r[name]["low"] for r in (once, often))
        assert other == pytest.approx(width, rel=1e-6)
        assert often[name]["value"] == pytest.approx(once[name]["value"])
    assert (often["deletion"]["n"], often["deletion"]["n_groups"]) == (180, 20)
    with pytest.raises(ValueError, match="no image was explained"):
        pool_attributions(found[:0], RNG(1))
