"""The attack on a sample: whom it may attack, what it costs, and what is counted once."""

from dataclasses import replace

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable, vstack

from skywright.data import Images
from skywright.trust import attack_sample, judge, sum_attacks

RNG = np.random.default_rng
N, NOISE = 40, 2.0
OPTIONS = {"population": 12, "generations": 8}


@pytest.fixture
def sky():
    """Two rows of each of 20 galaxies, half of them labelled 1: those with light in the middle."""
    flux = RNG(0).normal(0, NOISE, (N, 2, 16, 16)).astype(np.float32)
    truth = np.arange(N) % 2
    flux[truth == 1, :, 6:10, 6:10] += 5 * NOISE
    images = Images(flux, ("g", "r"), u.ct, 0.2 * u.arcsec, np.arange(N) + 100)
    return images, truth, np.arange(N) // 2


def middle(images):
    """The logit of somebody who adds up the middle: no few pixels of S/N 10 can turn it."""
    return np.asarray(images.flux)[:, :, 6:10, 6:10].sum(axis=(1, 2, 3)) / NOISE - 80.0


def hottest(images):
    """The logit of somebody who looks for three hot pixels: any galaxy falls."""
    top = np.sort(np.asarray(images.flux)[:, 0].reshape(len(images), -1), axis=1)
    return top[:, -3:].mean(axis=1) / NOISE - 6.0


def attack(scores, sky, rng=0, **options):
    images, truth, groups = sky
    roles = np.where(groups < 15, "test", "train")
    given = {"truth": truth, "roles": roles, "groups": groups, "n": 8, **OPTIONS, **options}
    return attack_sample(scores, images, RNG(rng), **given)


def test_only_right_test_images_of_different_galaxies_are_attacked(sky):
    images, truth, _ = sky
    done = attack(hottest, sky, n=50)
    right = (hottest(images) > 0) == (truth > 0)
    rows = done["object_id"] - 100
    assert right[rows].all()
    assert (done["group"] < 15).all()
    assert len(np.unique(done["group"])) == len(done) > 8
    assert len(attack(hottest, sky, n=3)) == 3


def test_a_net_of_hot_pixels_falls_and_one_of_light_stands(sky):
    fallen, stands = attack(hottest, sky), attack(middle, sky)
    assert fallen["fooled"].mean() > 0.4
    assert not stands["fooled"].any()
    assert (stands["queries"] == 12 * 9).all()
    assert (stands["queries_at_random"] == 12 * 9).all()  # as many as evolution


def test_no_change_exceeds_the_noise_times_the_budget(sky):
    images, truth, _ = sky
    largest, pixels = [], []

    def watched(seen):
        if len(seen) == 12:
            same = np.abs(np.asarray(seen.flux)[:, None] - images.flux[None]).sum(axis=(2, 3, 4))
            change = np.abs(np.asarray(seen.flux) - images.flux[same.argmin(axis=1)])
            largest.append(change.max())
            pixels.append((change > 0).any(axis=1).sum(axis=(1, 2)).max())
        return middle(seen)

    table = attack(watched, sky, n=2, snr=4.0, pixels=2)
    assert 2.5 * NOISE < max(largest) < 4 * NOISE * 1.3  # the noise of each image is measured
    assert max(pixels) == 2
    assert abs(np.median(table["change"].to_value(u.ct)) / (4 * NOISE) - 1) < 0.3


def test_the_budget_is_in_electrons_where_the_gain_is_known_and_variance_is_the_noise(sky):
    images, truth, groups = sky
    variance = np.full((N, 2, 1, 1), NOISE**2)
    sky = replace(images, variance=variance), truth, groups
    table = attack(middle, sky, gain={"g": 10.0, "r": 30.0}, n=2)
    np.testing.assert_allclose(table["change"].to_value(u.electron), 10 * NOISE * 20.0)
    assert "400 electron" in sum_attacks(table)["budget"]
    assert (
        "10 times the noise of a pixel (20 ct)" in sum_attacks(attack(middle, sky, n=2))["budget"]
    )


def test_a_galaxy_that_several_nets_judged_counts_once(sky):
    one = attack(hottest, sky, n=4)
    other = one.copy()
    one["fooled"], other["fooled"] = True, False
    both = sum_attacks(vstack([one, other]))
    assert both["n"] == 4
    assert both["successes"] == pytest.approx(2.0)
    assert both["pixels"] == 3
    assert both["queries"] <= 12 * 9
    assert sum_attacks(one)["successes"] == 4
    assert sum_attacks(one[:0]) is None


def test_a_net_that_is_never_right_leaves_nothing_to_attack(sky):
    images, truth, groups = sky
    nothing = attack(lambda seen: middle(seen) * 0 + 1, (images, truth * 0, groups))
    assert len(nothing) == 0
    assert sum_attacks(nothing) is None
    some = attack(middle, sky, n=2)
    assert sum_attacks(vstack([nothing, some]))["n"] == 2


def test_the_judge_takes_the_sum(sky):
    images, truth, groups = sky
    roles = np.where(groups < 10, "train", "test")
    scores = QTable({"object_id": images.object_id, "mean": middle(images) / 40})
    found = {}
    for name, net in (("hot", hottest), ("light", middle)):
        report = judge(
            task="classification", rng=RNG(0), items=images, truth=truth, groups=groups,
            roles=roles, scores=scores, resamples=50, attack=sum_attacks(attack(net, sky)),
        )  # fmt: skip
        found[name] = next(f for f in report.evidence["findings"] if f["rule"] == "S2")
    assert found["light"]["state"] == "passed"
    assert found["light"]["number"]["value"] == 0
    assert found["hot"]["number"]["value"] > 0.4
    assert "a random search" in found["hot"]["evidence"]
