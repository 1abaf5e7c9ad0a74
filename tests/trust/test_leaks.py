"""Leak tests catch what is planted and let clean data pass."""

import astropy.units as u
import numpy as np
import pytest

from skywright.data import Images
from skywright.trust import (
    auroc,
    background_rms_ratio,
    duplicates,
    pixel_features,
    separability,
    shared_pixels,
    shuffled_label_auroc,
)

N, SIZE = 300, 24


def images(flux, **options):
    options = {"quantised": False} | options
    return Images(
        flux=flux.astype(np.float32),
        bands=("g", "r"),
        unit=u.ct,
        scale=0.1 * u.arcsec,
        object_id=np.arange(len(flux)),
        **options,
    )


@pytest.fixture
def galaxies():
    rng = np.random.default_rng(0)
    r = np.hypot(*np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2)
    light = rng.uniform(50, 200, (N, 1, 1, 1)) * np.exp(-r / rng.uniform(1.5, 3, (N, 1, 1, 1)))
    return light + rng.normal(20, 3, (N, 2, SIZE, SIZE))


@pytest.fixture
def arcs():
    r = np.hypot(*np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2)
    return 30 * np.exp(-0.5 * ((r - 5) / 1) ** 2)[None, None]


def judge(a, b):
    groups = np.arange(N)
    return separability(
        pixel_features(a),
        pixel_features(b),
        groups,
        groups + N,
        np.random.default_rng(1),
        resamples=100,
    )


def test_sets_of_one_kind_are_not_separable(galaxies):
    rng = np.random.default_rng(3)
    a, b = (galaxies + rng.normal(0, 3, galaxies.shape) for _ in range(2))
    result = judge(images(a), images(b))
    assert result["passed"], result
    assert result["n_groups"] == 2 * N


def test_what_is_periodic_in_the_groups_does_not_steer_the_folds():
    """Every fifth row is of the one kind: folds dealt out in order would each hold one kind."""
    place = np.arange(400)
    kind, one = (place % 5).astype(float)[:, None], place % 5 == 0

    def asked():
        return separability(
            kind[~one], kind[one], place[~one], place[one], np.random.default_rng(2), resamples=100
        )

    found = asked()
    assert found["low"] > 0.99
    assert asked() == found


def test_a_planted_lowest_bit_is_caught(galaxies):
    whole = np.rint(galaxies)
    planted = 2 * (whole // 2) + (np.random.default_rng(4).random(whole.shape) < 0.6)
    result = judge(images(whole, quantised=True), images(planted, quantised=True))
    assert not result["passed"]
    assert result["low"] > 0.9


def test_rounding_hidden_in_floats_is_caught(galaxies):
    result = judge(images(galaxies), images(np.rint(galaxies * 8) / 8))
    assert result["low"] > 0.9


def test_a_shifted_histogram_is_caught(galaxies):
    wide = 20 + (galaxies - 20) * 1.15
    sigma = np.full((N, 2, 1, 1), 9.0)
    result = judge(images(galaxies, variance=sigma), images(wide, variance=sigma))
    assert not result["passed"]


def test_noise_counted_twice_is_caught_and_painting_alone_is_not(galaxies, arcs):
    rng, groups = np.random.default_rng(5), np.arange(N) // 2
    untouched = images(galaxies)
    clean = background_rms_ratio(images(galaxies + arcs), untouched, groups, rng)
    assert clean["passed"]
    assert clean["value"] == pytest.approx(1, abs=1e-3)
    twice = galaxies + arcs + rng.normal(0, 3, galaxies.shape)
    caught = background_rms_ratio(images(twice), untouched, groups, rng)
    assert not caught["passed"]
    assert caught["value"] == pytest.approx(np.sqrt(2), abs=0.03)
    assert caught["n_groups"] == N // 2


def test_noise_counted_twice_is_caught_in_whole_numbers(galaxies, arcs):
    rng, groups = np.random.default_rng(6), np.arange(N)
    untouched = images(np.rint(galaxies), quantised=True)
    clean = images(np.rint(galaxies) + np.rint(arcs), quantised=True)
    assert background_rms_ratio(clean, untouched, groups, rng)["passed"]
    slightly = images(np.rint(galaxies + arcs + rng.normal(0, 1, galaxies.shape)), quantised=True)
    assert not background_rms_ratio(slightly, untouched, groups, rng)["passed"]


def test_cutouts_of_other_galaxies_are_refused(galaxies):
    with pytest.raises(ValueError, match="same galaxies in the same order"):
        background_rms_ratio(
            images(galaxies), images(galaxies[:9]), np.arange(N), np.random.default_rng(0)
        )


def test_shuffled_labels_pass_at_chance_and_fail_with_knowledge():
    rng = np.random.default_rng(7)
    labels = rng.integers(0, 2, 3000)
    noise, folds = rng.normal(size=(6, 3000)), np.arange(3000) % 4
    assert shuffled_label_auroc(noise, labels, folds)["passed"]
    mixed = rng.permuted(np.tile(labels, (6, 1)), axis=1)
    assert shuffled_label_auroc(noise, mixed, folds)["passed"]
    assert not shuffled_label_auroc(noise + 0.15 * labels, labels, folds)["passed"]


def test_nets_that_know_how_many_they_were_taught_know_nothing():
    rng = np.random.default_rng(9)
    folds = np.arange(4000) % 4
    labels = rng.permuted(np.tile(np.arange(4000) % 2, (6, 1)), axis=1)
    taught = np.array([[row[folds != f].mean() for f in range(4)] for row in labels])
    scores = taught[:, folds] + 1e-3 * rng.normal(size=labels.shape)
    pooled = np.mean([auroc(s, y) for s, y in zip(scores, labels, strict=True)])
    judged = shuffled_label_auroc(scores, labels, folds)
    assert pooled < judged["value"] - 0.003
    assert judged["passed"]


def test_shuffles_that_scatter_too_much_prove_nothing():
    rng = np.random.default_rng(8)
    labels = rng.integers(0, 2, 100)
    tilts = np.array([[-0.5], [0.5], [-0.3], [0.3]])
    scores = rng.normal(size=(4, 100)) + tilts * labels
    result = shuffled_label_auroc(scores, labels, np.zeros(100))
    assert result["low"] < 0.5 < result["high"]
    assert not result["passed"]


def test_one_shuffle_is_not_enough():
    with pytest.raises(ValueError, match="at least two shuffles"):
        shuffled_label_auroc(np.zeros(10), np.arange(10) % 2, np.zeros(10))


def test_copies_across_the_split_are_found(galaxies, arcs):
    roles = np.repeat(["train", "validation", "test"], 100)
    clean = duplicates(images(galaxies), roles)
    assert clean["passed"]
    assert clean["n"] == 100
    planted = galaxies + 0
    planted[250] = planted[10]
    planted[260] = planted[150] + arcs[0]
    found = duplicates(images(planted), roles)
    assert (found["value"], found["identical"]) == (2, 1)
    assert not found["passed"]


def test_smooth_light_alone_does_not_look_like_a_copy(galaxies):
    roles = np.repeat(["train", "test"], N // 2)
    bright = galaxies - 20
    assert duplicates(images(20 + 5 * bright), roles)["passed"]


def test_cutouts_that_share_a_pixel_across_the_split_are_counted():
    x, y = np.array([100.0, 147.0, 148.0, 100.0]), np.full(4, 50.0)
    roles = np.array(["train", "test", "test", "test"])
    tile = np.array([0, 0, 0, 1])
    found = shared_pixels(x, y, roles, 48, tile)
    assert (found["value"], found["n"], found["passed"]) == (1, 3, False)
    assert shared_pixels(x[1:], y[1:], roles[1:], 48)["passed"]
