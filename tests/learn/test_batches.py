"""Order, augmentation and shares of galaxies."""

import numpy as np
import pytest
import torch

from skywright.learn.batches import Batches, augment, turn
from skywright.learn.rows import take_share
from skywright.learn.scaling import scale_images, signal_to_noise


def test_eight_views_are_different_and_keep_every_pixel():
    image = torch.arange(9.0).reshape(1, 1, 3, 3)
    views = {tuple(turn(image, view).flatten().tolist()) for view in range(8)}
    assert len(views) == 8
    assert all(sorted(view) == list(range(9)) for view in views)


def test_augmentation_only_turns_and_shifts():
    images = torch.randn(64, 2, 9, 9)
    out = augment(images, torch.Generator().manual_seed(0), shift=0)
    for before, after in zip(images, out, strict=True):
        matches = [torch.equal(turn(before[None], v)[0], after) for v in range(8)]
        assert sum(matches) == 1
    point = torch.zeros(200, 1, 9, 9)
    point[:, :, 4, 4] = 1
    moved = augment(point, torch.Generator().manual_seed(0), shift=2)
    places = {tuple(p[1:].tolist()) for p in torch.nonzero(moved[:, 0])}
    assert places == {(y, x) for y in range(2, 7) for x in range(2, 7)}


def test_a_cutout_that_is_not_square_keeps_its_shape():
    images = torch.randn(40, 1, 6, 8)
    out = augment(images, torch.Generator().manual_seed(0), shift=1)
    assert out.shape == images.shape


def test_batches_hold_every_row_once_and_their_own_labels(arcs):
    images, labels, _, _ = arcs
    rows = np.arange(5, 300, 3)
    scaled = scale_images(images[rows])
    for preload in (10**9, 1):
        batches = Batches(images, rows, labels, 16, preload=preload)
        parts = list(batches)
        assert len(parts) == len(batches)
        assert max(len(p[1]) for p in parts) - min(len(p[1]) for p in parts) <= 1
        np.testing.assert_array_equal(torch.cat([p[0] for p in parts]).numpy(), scaled)
        np.testing.assert_array_equal(torch.cat([p[1] for p in parts]).numpy(), labels[rows])


def test_processes_share_a_batch_without_overlap(arcs, monkeypatch):
    images, labels, _, _ = arcs

    def read(rank, ranks):
        monkeypatch.setattr("skywright.learn.batches._rank", lambda: rank)
        monkeypatch.setattr("skywright.learn.batches._ranks", lambda: ranks)
        generator = torch.Generator().manual_seed(3)
        return [p[0] for p in Batches(images, np.arange(40), labels, 20, generator)]

    for whole, first, second in zip(read(0, 1), read(0, 2), read(1, 2), strict=True):
        assert torch.equal(whole[0::2], first)
        assert torch.equal(whole[1::2], second)


def test_smaller_shares_are_within_larger_ones_and_galaxies_stay_whole():
    groups = np.repeat(np.arange(50), 3)
    rows = np.arange(150)
    kept = [set(take_share(rows, groups, f, seed=1).tolist()) for f in (0.2, 0.5, 1.0)]
    assert kept[0] < kept[1] < kept[2]
    assert [len(k) for k in kept] == [30, 75, 150]
    for share in kept:
        assert all(({3 * g, 3 * g + 1, 3 * g + 2} <= share) == (3 * g in share) for g in groups)
    assert take_share(rows, groups, 0.2, seed=2).tolist() != sorted(kept[0])


def test_noise_comes_from_the_variance_or_from_the_border(arcs):
    from dataclasses import replace

    images = arcs[0]
    given = signal_to_noise(images[:40])
    measured = signal_to_noise(replace(images, variance=None)[:40])
    np.testing.assert_allclose(given, images.flux[:40] / 2.0, rtol=1e-6)
    flux = (images.flux[:40] * 1e-25).astype("f4")
    variance = images.variance[:40].astype(float) * 1e-50
    tiny = signal_to_noise(replace(images[:40], flux=flux, variance=variance))
    np.testing.assert_allclose(tiny, given, rtol=1e-5)
    ratio = np.median(measured / given, axis=(2, 3))
    assert np.median(ratio) == pytest.approx(1, abs=0.1)
