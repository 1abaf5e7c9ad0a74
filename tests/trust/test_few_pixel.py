"""The few-pixel attack keeps its budget, finds what is there, and is fair to its rival."""

import numpy as np
import pytest

from skywright.trust import attack_few_pixels, latent_distance, pixel_budget
from skywright.trust.few_pixel import change_pixels

RNG = np.random.default_rng
N, BANDS, SIZE = 6, 2, 12
SPOT = (3, 7)


def images():
    return RNG(0).normal(0, 1, (N, BANDS, SIZE, SIZE)).astype(np.float32)


def brittle(batch):
    """Class 1 as soon as one pixel, in its first band alone, is bright; class 2 never."""
    spot = batch[:, 0, SPOT[0], SPOT[1]] - np.abs(batch[:, 1, SPOT[0], SPOT[1]])
    distance = np.abs(batch[:, 0]).max(axis=(1, 2)) / 100
    return np.stack([np.full(len(batch), 2.0), spot - distance, np.full(len(batch), -9.0)], axis=1)


def bright(batch):
    """Class 1 when the brightest pixel of the first band exceeds 2.5: any pixel will do."""
    top = batch[:, 0].max(axis=(1, 2))
    return np.stack([np.full(len(batch), 2.5), top], axis=1)


def tame(low=-1.0, high=2.0):
    return np.clip(images(), low, high)


@pytest.mark.parametrize("pixels", [1, 3])
@pytest.mark.parametrize("search", ["evolution", "random", "ends"])
def test_never_more_pixels_nor_more_change_than_the_budget(pixels, search):
    flux = images()
    budget = pixel_budget(flux, pixels, electrons=200.0, gain=np.array([100.0, 400.0]))
    result = attack_few_pixels(
        brittle, flux, np.zeros(N, int), budget, RNG(1), search=search, population=30, generations=6
    )
    assert result["changed"].max() <= pixels
    change = np.abs(result["images"] - flux)
    assert (change.max(axis=(0, 2, 3)) <= np.array([2.0, 0.5]) + 1e-5).all()
    assert (result["images"].min(axis=(0, 2, 3)) >= flux.min(axis=(0, 2, 3)) - 1e-5).all()
    assert (result["images"].max(axis=(0, 2, 3)) <= flux.max(axis=(0, 2, 3)) + 1e-5).all()
    assert (result["queries"] <= 30 * 7).all()
    np.testing.assert_allclose(result["largest_change"], change.max(axis=(1, 2, 3)))


@pytest.mark.parametrize("pixels", [1, 2, 5])
def test_no_candidate_changes_more_pixels(pixels):
    flux = images()
    budget = pixel_budget(flux, pixels)
    genes = RNG(2).random((200, pixels * (2 + BANDS)))
    genes[0], genes[1], genes[2], genes[3] = 0.0, 1.0, 0.0, 1.0
    genes[2:4].reshape(2, pixels, -1)[..., 2:] += [[[-1.0]], [[1.0]]]
    changed = change_pixels(flux[0], genes, budget)
    assert ((changed != flux[0]).any(axis=1).sum(axis=(1, 2)) <= pixels).all()
    assert ((changed != flux[0]).any(axis=1).sum(axis=(1, 2)) == pixels).mean() > 0.5
    np.testing.assert_array_equal(changed[:2], changed[2:4])  # no value beyond the budget


def test_a_change_that_has_to_be_the_largest_is_found():
    """Only a pixel at the ends of its range in both bands turns the class, wherever it is."""

    def extreme(batch):
        worst = (batch[:, 0] - batch[:, 1]).max(axis=(1, 2))
        return np.stack([np.full(len(batch), 5.999), worst], axis=1)

    flux = tame(low=-1.0, high=1.0)
    flux[0, 0, 0, 0], flux[0, 1, 0, 0] = 3.0, -3.0
    done = [
        attack_few_pixels(
            extreme, flux[1:], np.zeros(N - 1, int), pixel_budget(flux), RNG(9), search=search,
            population=10, generations=4,
        )["success"]["value"]
        for search in ("evolution", "ends", "random")
    ]  # fmt: skip
    assert done == [1.0, 1.0, 0.0]


def test_evolution_follows_a_slope_that_random_draws_do_not():
    """The score rewards being near the spot, so that a search can learn where to look."""

    def sloped(batch):
        y, x = np.mgrid[:SIZE, :SIZE]
        near = np.exp(-np.hypot(y - SPOT[0], x - SPOT[1]) / 3)
        lit = (np.maximum(batch[:, 0] - 2, 0) * near).max(axis=(1, 2))
        return np.stack([np.full(len(batch), 1.9), lit], axis=1)

    flux = tame(high=1.9)
    flux[0, :, 0, 0] = 4.0  # the range of the data, so the pixel has to be nearly as bright
    budget = pixel_budget(flux)
    options = {"population": 30, "generations": 20}
    done = {
        search: attack_few_pixels(
            sloped, flux[1:], np.zeros(N - 1, int), budget, RNG(3), search=search, **options
        )
        for search in ("evolution", "random")
    }
    assert done["evolution"]["success"]["value"] >= 0.8
    assert done["random"]["success"]["value"] < done["evolution"]["success"]["value"]
    assert done["evolution"]["success"]["low"] < done["evolution"]["success"]["value"]


def test_success_is_what_the_classifier_says_of_the_changed_image():
    flux = tame()
    flux[0, 0, 0, 0] = 4.0
    result = attack_few_pixels(bright, flux[1:], np.zeros(N - 1, int), pixel_budget(flux), RNG(4))
    said = bright(result["images"]).argmax(axis=1) == 1
    np.testing.assert_array_equal(result["fooled"], said)
    assert result["fooled"].all()
    hopeless = pixel_budget(flux, snr=0.1, rms=1.0)
    options = {"population": 10, "generations": 3}
    result = attack_few_pixels(bright, flux[1:], np.zeros(N - 1, int), hopeless, RNG(5), **options)
    assert result["success"]["value"] == 0
    assert (result["queries"] == 40).all()


def test_a_target_must_be_reached_itself():
    flux = tame()
    flux[0, 0, 0, 0] = 4.0
    budget, labels = pixel_budget(flux), np.zeros(N - 1, int)

    def three(batch):
        return np.concatenate([bright(batch), np.full((len(batch), 1), -1.0)], axis=1)

    options = {"population": 20, "generations": 4}
    for target, fooled in ((1, True), (2, False)):
        result = attack_few_pixels(
            three, flux[1:], labels, budget, RNG(6), targets=labels + target, **options
        )
        assert result["fooled"].all() == fooled


def test_whole_populations_are_scored_in_one_call():
    sizes = []

    def watched(batch):
        sizes.append(len(batch))
        return brittle(batch)

    options = {"population": 25, "generations": 3}
    budget = pixel_budget(images(), snr=0.01, rms=1.0)
    attack_few_pixels(watched, images()[:1], np.zeros(1, int), budget, RNG(7), **options)
    assert sizes == [1] + [25] * 4


def test_what_cannot_be_attacked_is_refused():
    budget = pixel_budget(images())
    with pytest.raises(ValueError, match="6 of 6 images are wrong"):
        attack_few_pixels(brittle, images(), np.full(N, 2), budget, RNG(0))
    with pytest.raises(ValueError, match="expected another one"):
        attack_few_pixels(
            brittle, images(), np.zeros(N, int), budget, RNG(0), targets=np.zeros(N, int)
        )
    with pytest.raises(ValueError, match="evolution, random, ends"):
        attack_few_pixels(brittle, images(), np.zeros(N, int), budget, RNG(0), search="luck")
    with pytest.raises(ValueError, match="expected gain="):
        pixel_budget(images(), electrons=1e4)
    with pytest.raises(ValueError, match="at least one"):
        pixel_budget(images(), 0)


def test_latent_distance_does_not_know_the_scale_of_the_latents():
    rng = RNG(8)
    labels = np.repeat([0, 1, 2], 50)
    clean = np.eye(3)[labels] * 5 + rng.normal(0, 0.3, (150, 3))
    changed = clean + rng.normal(0, 1, (150, 3))
    one = latent_distance(clean, changed, labels, RNG(0))
    ten = latent_distance(10 * clean, 10 * changed, labels, RNG(0))
    assert one == pytest.approx(ten)
    assert one["low"] < one["value"] < one["high"]
    # from one class to the next is a distance of one
    moved = clean + (np.eye(3)[(labels + 1) % 3] - np.eye(3)[labels]) * 5
    assert latent_distance(clean, moved, labels, RNG(0))["value"] == pytest.approx(1, rel=0.02)
    with pytest.raises(ValueError, match="no distance to another"):
        latent_distance(clean, changed, np.zeros(150), RNG(0))
