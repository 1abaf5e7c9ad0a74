"""One-to-one matches, completeness and purity where the answer is planted."""

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from skywright.trust import judge_detections, match_detections


@pytest.fixture
def field():
    rng = np.random.default_rng(0)
    true = rng.uniform(0, 2000, (500, 2))
    magnitude = rng.uniform(20, 26, 500)
    seen = magnitude < 24
    found = true[seen] + rng.normal(0, 0.3, (seen.sum(), 2))
    false = rng.uniform(0, 2000, (50, 2))
    return np.concatenate([found, false]), true, seen, magnitude


def test_what_was_planted_is_found_and_what_was_not_is_impure(field):
    found, true, seen, magnitude = field
    measured = np.concatenate([magnitude[seen], np.full(50, 25.5)])
    result = judge_detections(
        found, true, 2.0, found_mag=measured, true_mag=magnitude, edges=[20, 22, 24, 26, 28]
    )
    complete = result["completeness_by_magnitude"]
    assert [c["value"] for c in complete[:2]] == [1.0, 1.0]
    assert complete[2]["value"] < 0.02
    assert complete[3] == {"magnitude": [26, 28], "value": None, "low": None, "high": None, "n": 0}
    assert complete[0]["low"] < 1.0 == complete[0]["high"]
    assert result["purity"]["value"] == pytest.approx(seen.sum() / len(found), abs=0.01)
    assert result["purity_by_magnitude"][2]["value"] < 0.05


def test_images_fail_as_a_whole_and_so_are_resampled():
    """Half of the images see nothing: 40 objects in 8 images are eight trials, not forty."""
    true = np.stack([np.arange(40) * 10.0, np.zeros(40)], axis=1)
    image = np.repeat(np.arange(8), 5)
    seen = image % 2 == 0
    options = {"found_mag": np.full(20, 21.0), "true_mag": np.full(40, 21.0), "edges": [20, 22]}
    alone = judge_detections(true[seen], true, 1.0, **options)["completeness"]
    result = judge_detections(
        true[seen], true, 1.0, **options, found_group=image[seen], true_group=image,
        rng=np.random.default_rng(0),
    )  # fmt: skip
    together = result["completeness"]
    assert together["value"] == alone["value"] == 0.5
    # eight images, half of them dark: the binomial deviation of a share of 8
    assert together["high"] - together["low"] == pytest.approx(2 * 1.96 * (0.25 / 8) ** 0.5, 0.2)
    assert alone["high"] - alone["low"] < 0.31
    assert result["completeness_by_magnitude"][0]["n_groups"] == 8
    assert result["purity"]["low"] < 1.0  # all images agree: no width would claim too much
    with pytest.raises(ValueError, match="a generator to resample"):
        judge_detections(true[seen], true, 1.0, **options, true_group=image)


def test_matches_are_one_to_one_and_as_close_as_the_best_assignment(field):
    found, true, _, _ = field
    i, j, separation = match_detections(found, true, 2.0)
    assert len(set(i)) == len(i) == len(set(j))
    np.testing.assert_allclose(separation, np.hypot(*(found[i] - true[j]).T))
    distance = cdist(found, true)
    rows, columns = linear_sum_assignment(np.where(distance <= 2, distance, 1e3))
    best = distance[rows, columns] <= 2
    assert dict(zip(i, j, strict=True)) == dict(zip(rows[best], columns[best], strict=True))


def test_an_object_found_twice_counts_once():
    i, j, _ = match_detections(np.array([[0, 0.5], [0, 0.1]]), np.zeros((1, 2)), 1.0)
    assert (i.tolist(), j.tolist()) == ([1], [0])


def test_the_sky_is_a_sphere_at_the_pole_and_across_zero():
    true = SkyCoord([0.0, 10.0, 190.0] * u.deg, [0.0, 89.9999, 89.9999] * u.deg)
    found = SkyCoord([359.9999, 190.0] * u.deg, [0.0, 89.9999] * u.deg)
    i, j, separation = match_detections(found, true, 1 * u.arcsec)
    assert dict(zip(i, j, strict=True)) == {0: 0, 1: 2}
    np.testing.assert_allclose(separation[i == 0], np.deg2rad(1e-4), rtol=1e-4)


def test_nothing_matches_nothing_and_mixed_positions_are_refused():
    assert len(match_detections(np.empty((0, 2)), np.zeros((1, 2)), 1.0)[0]) == 0
    sky = SkyCoord([0] * u.deg, [0] * u.deg)
    with pytest.raises(TypeError, match="expected alike"):
        match_detections(sky, np.zeros((1, 2)), 1.0)
    with pytest.raises(u.UnitsError, match="expected an angle"):
        match_detections(sky, sky, 1.0)
