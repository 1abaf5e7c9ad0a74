"""No galaxy and no pixel is on both sides of a split; planted leaks are found."""

import numpy as np
import pytest
from astropy.table import QTable
from hypothesis import given, settings
from hypothesis import strategies as st

from skywright.data import assert_disjoint, cross_fit, sky_regions, split_groups

SIDES = ("train", "validation", "test")


def field(n=600, shape=(900, 1000), seed=0, tiles=1):
    rng = np.random.default_rng(seed)
    return QTable(
        {
            "object_id": rng.permutation(n) * 3 + 5,
            "tile": rng.integers(0, tiles, n),
            "x": rng.uniform(30, shape[1] - 30, n),
            "y": rng.uniform(30, shape[0] - 30, n),
        }
    )


def shared_pixels(galaxies, size, one, other):
    """Count pairs of cutouts with a common pixel, pixel by pixel, the slow way."""
    count = 0
    for i in one:
        for j in other:
            boxes = []
            for k in (i, j):
                y = int(np.floor(galaxies["y"][k] + 0.5)) - size // 2
                x = int(np.floor(galaxies["x"][k] + 0.5)) - size // 2
                boxes.append({(a, b) for a in range(y, y + size) for b in range(x, x + size)})
            same = galaxies["tile"][i] == galaxies["tile"][j]
            count += bool(same and boxes[0] & boxes[1])
    return count


@pytest.mark.parametrize("tiles", [1, 3])
def test_regions_are_equal_and_compact(tiles):
    galaxies = field(tiles=tiles)
    regions = sky_regions(galaxies, n=8)
    assert regions["object_id"].tolist() == galaxies["object_id"].tolist()
    assert np.bincount(regions["region"]).tolist() == [75] * 8
    shuffled = galaxies[::-1]
    assert np.array_equal(sky_regions(shuffled, n=8)["region"][::-1], regions["region"])
    if tiles == 1:
        for r in range(8):
            inside = regions["region"] == r
            box = np.ptp(galaxies["x"][inside]) * np.ptp(galaxies["y"][inside])
            assert box < 1.2 * 900 * 1000 / 8


def test_regions_cross_tiles_by_their_sky():
    galaxies = field(200, tiles=2)
    ra = 359.9 + galaxies["x"] / 3600 + 0.3 * galaxies["tile"]
    galaxies["ra"], galaxies["dec"] = ra % 360, galaxies["y"] / 3600 - 40
    regions = sky_regions(galaxies, n=2)["region"]
    assert len(set(zip(galaxies["tile"].tolist(), regions.tolist(), strict=True))) <= 3
    ra = np.asarray(ra)
    assert ra[regions == 0].max() < ra[regions == 1].min() + 0.005


def test_too_few_objects_for_the_regions():
    with pytest.raises(ValueError, match="regions"):
        sky_regions(field(3), n=4)


@pytest.mark.parametrize("size", [16, 48])
def test_folds_cover_everything_once(size):
    galaxies = field()
    regions = sky_regions(galaxies, n=8)["region"]
    groups = np.random.default_rng(1).choice(galaxies["object_id"], 2000)
    tested = np.zeros(2000, int)
    for fold in range(4):
        role = cross_fit(groups, galaxies, regions, fold=fold, folds=4, size=size)["role"]
        tested += role == "test"
        for side in SIDES:
            assert (role == side).sum() > 20
        assert (role == "train").sum() > (role == "validation").sum()
        again = cross_fit(groups, galaxies, regions, fold=fold, folds=4, size=size)["role"]
        assert np.array_equal(role, again)
    assert np.all(tested == 1)


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 2**31), size=st.sampled_from([5, 8, 13]), tiles=st.sampled_from([1, 2]))
def test_nothing_is_shared(seed, size, tiles):
    galaxies = field(60, (150, 170), seed, tiles)
    regions = sky_regions(galaxies, n=8)["region"]
    rows = np.arange(60)
    role = cross_fit(galaxies["object_id"], galaxies, regions, fold=1, folds=4, size=size)["role"]
    for one, other in (("train", "test"), ("train", "validation"), ("validation", "test")):
        assert shared_pixels(galaxies, size, rows[role == one], rows[role == other]) == 0
    # The margin takes nothing that it need not take.
    for row in rows[role == "margin"]:
        kept = rows[(role == "test") | (role == "validation")]
        assert shared_pixels(galaxies, size, [row], kept) > 0


def planted(distance):
    return QTable(
        {
            "object_id": [7, 8, 9],
            "tile": [0] * 3,
            "x": [50.0, 50.0 + distance, 300.0],
            "y": [50.0] * 3,
        }
    )


def test_a_galaxy_on_both_sides_is_refused():
    with pytest.raises(ValueError, match="galaxy 8 is on both sides: train and test"):
        assert_disjoint([7, 8, 8], planted(100), ["train", "train", "test"], size=20)


def test_one_shared_column_of_pixels_is_refused():
    with pytest.raises(ValueError, match=r"galaxies 7 \(train\) and 8 \(test\) share pixels"):
        assert_disjoint([7, 8], planted(19), ["train", "test"], size=20)
    assert_disjoint([7, 8], planted(20), ["train", "test"], size=20)
    assert_disjoint([7, 8], planted(19), ["train", "train"], size=20)
    assert_disjoint([7, 8], planted(19), ["train", "margin"], size=20)


def test_validation_is_guarded_too():
    for pair in (["validation", "test"], ["train", "validation"]):
        with pytest.raises(ValueError, match="share pixels"):
            assert_disjoint([7, 8], planted(5), pair, size=20)


def test_other_tiles_share_nothing():
    galaxies = planted(5)
    galaxies["tile"] = [0, 1, 0]
    assert_disjoint([7, 8], galaxies, ["train", "test"], size=20)


def test_tiles_that_overlap_on_the_sky_share_pixels():
    galaxies = planted(100)
    galaxies["tile"] = [0, 1, 1]
    galaxies["ra"] = np.array([10.0, 10.0 + 25 * 0.2 / 3600, 10.02])
    galaxies["dec"] = np.zeros(3)
    with pytest.raises(ValueError, match="share pixels"):
        assert_disjoint([7, 8], galaxies, ["train", "test"], size=20)
    assert_disjoint([7, 9], galaxies, ["train", "test"], size=20)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"fold": 4}, "fold 4 of 4"),
        ({"regions": np.zeros(5, int)}, "5 regions for 600"),
        ({"regions": np.arange(600) % 3}, "3 regions for 4 folds"),
        ({"groups": [1]}, "no galaxy's object_id"),
        ({"size": 2000}, "nothing for"),
    ],
)
def test_bad_splits_are_refused(change, words):
    galaxies = field()
    options = {
        "groups": galaxies["object_id"],
        "galaxies": galaxies,
        "regions": sky_regions(galaxies, n=8)["region"],
        "fold": 0,
        "folds": 4,
        "size": 48,
    }
    with pytest.raises(ValueError, match=words):
        cross_fit(**{**options, **change})


def test_unknown_roles_are_refused():
    with pytest.raises(ValueError, match="role 'other'"):
        assert_disjoint([7], planted(5), ["other"], size=20)


def test_groups_are_dealt_whole_and_a_tenth_validates():
    groups = np.repeat(np.arange(40), 3)
    role = np.asarray(split_groups(groups, np.random.default_rng(0))["role"])
    assert set(role) == {"train", "validation"}
    assert (role.reshape(40, 3) == role.reshape(40, 3)[:, :1]).all()
    assert (role == "validation").sum() == 12
    other = np.asarray(split_groups(groups, np.random.default_rng(1))["role"])
    assert (role != other).any()


@pytest.mark.parametrize(("groups", "share"), [([3, 3], 0.1), ([1, 2], 0.0), ([1, 2], 1.0)])
def test_nothing_to_deal_is_refused(groups, share):
    with pytest.raises(ValueError, match="expected at least 2 groups and a share between 0 and 1"):
        split_groups(groups, np.random.default_rng(0), validation=share)


def test_both_roles_are_there_however_few_groups():
    for share in (0.01, 0.99):
        role = np.asarray(split_groups([1, 2], np.random.default_rng(0), validation=share)["role"])
        assert sorted(role) == ["train", "validation"]
