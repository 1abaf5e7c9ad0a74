"""Cutouts hold the right pixels and their noise, from memory or from disk."""

import numpy as np
import pytest
from astropy.table import QTable
from hypothesis import given, settings
from hypothesis import strategies as st
from sky_pictures import paint, write

from skywright.data import Psf, cut_out, measure_background, open_survey
from skywright.data.artefacts import digest, load, save

SHAPE = (300, 340)


@pytest.fixture(scope="module")
def mosaic(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mosaic")
    image = paint(SHAPE, [100.0, 200.0], [100.0, 150.0], [3000.0, 900.0], [3.0, 1.5], noise=2.0)
    image[120, 130] = np.nan
    return image, write(folder / "g.fits", image), folder


def catalog(x, y, tile=0):
    n = len(x)
    return QTable(
        {
            "object_id": np.arange(n) + 10,
            "tile": np.full(n, tile),
            "x": np.asarray(x, float),
            "y": np.asarray(y, float),
        }
    )


def around(survey, objects):
    """Return the level of the sky at each object of a survey of one tile and band."""
    return measure_background(survey.tiles[0]).at(objects["x"], objects["y"])[0][0]


def test_pixels_are_those_of_the_mosaic_above_the_sky(mosaic):
    image, path, _ = mosaic
    objects = catalog([100.4, 24.0, 200.5], [99.6, 24.0, 150.0])
    psf = Psf(("band1",), np.array([3.5]), np.array([np.inf]), "given")
    cutouts = cut_out(open_survey(path), objects, psf=psf, size=48)
    assert cutouts.flux.shape == (3, 1, 48, 48)
    sky = around(open_survey(path), objects)
    assert np.allclose(cutouts.flux[0, 0], image[76:124, 76:124] - sky[0], atol=1e-4)
    assert np.allclose(cutouts.flux[1, 0], image[0:48, 0:48] - sky[1], atol=1e-4)
    assert np.allclose(cutouts.flux[2, 0], image[126:174, 177:225] - sky[2], atol=1e-4)
    assert cutouts.object_id.tolist() == [10, 11, 12]
    assert cutouts.psf_fwhm.tolist() == [3.5]


def test_variance_is_that_of_the_sky(mosaic):
    _, path, _ = mosaic
    cutouts = cut_out(open_survey(path), catalog([100.0, 200.0], [100.0, 150.0]), size=32)
    assert np.allclose(cutouts.variance, 4.0, rtol=0.06)


def test_weight_gives_a_map_and_bad_pixels_are_filled(mosaic):
    image, path, folder = mosaic
    weight = np.full(SHAPE, 0.25, "f4")
    weight[:, 130:] = 0.5
    w = write(folder / "w.fits", weight)
    cutouts = cut_out(open_survey(path, weight=w), catalog([130.0], [120.0]), size=16)
    assert cutouts.variance.shape == (1, 1, 16, 16)
    assert np.argwhere(cutouts.mask[0]).tolist() == [[8, 8]]
    assert cutouts.flux[0, 0, 8, 8] == 0
    assert cutouts.variance[0, 0, 8, 7] == 4
    assert cutouts.variance[0, 0, 8, 9] == 2
    assert cutouts.variance[0, 0, 8, 8] > 0


def test_a_bright_sky_is_no_light_of_the_object(tmp_path):
    image = paint(SHAPE, [100.0], [100.0], [3000.0], [3.0], noise=2.0)
    objects = catalog([100.0], [100.0])
    dark, bright = (
        cut_out(open_survey(write(tmp_path / f"{sky}.fits", image + sky)), objects, size=32)
        for sky in (0, 4000)
    )
    assert np.allclose(dark.flux, bright.flux, atol=0.01)
    assert np.allclose(dark.variance, bright.variance, rtol=0.01)


def test_whole_numbers_stay_whole_and_saturate_above_the_sky(tmp_path):
    image = np.random.default_rng(0).normal(500.3, 20, SHAPE).round().astype("i2")
    survey = open_survey(write(tmp_path / "i.fits", image), saturation=2000)
    cutouts = cut_out(survey, catalog([100.0], [100.0]), size=32)
    assert cutouts.quantised
    assert np.array_equal(cutouts.flux, np.rint(cutouts.flux))
    assert abs(np.median(cutouts.flux)) <= 2
    assert cutouts.saturation == 2000 + cutouts.flux[0, 0, 0, 0] - image[84, 84]


@pytest.mark.parametrize(("factor", "words"), [(0, "no noise"), (1e-35, "near"), (1e32, "near")])
def test_noise_that_arithmetic_cannot_hold_is_refused(tmp_path, factor, words):
    image = np.random.default_rng(0).normal(0, factor, SHAPE).astype("f4")
    survey = open_survey(write(tmp_path / "n.fits", image))
    with pytest.raises(ValueError, match=words):
        cut_out(survey, catalog([100.0], [100.0]), size=32)


@pytest.mark.parametrize(("x", "y"), [(23.4, 100.0), (100.0, 277.0), (316.6, 100.0), (-5.0, 9.0)])
def test_edges_are_refused(mosaic, x, y):
    with pytest.raises(ValueError, match="leave tile 0, as that of object 10"):
        cut_out(open_survey(mosaic[1]), catalog([x], [y]), size=48)


def test_catalogue_is_checked(mosaic):
    survey = open_survey(mosaic[1])
    with pytest.raises(ValueError, match="lacks"):
        cut_out(survey, QTable({"x": [1.0]}), size=8)
    with pytest.raises(ValueError, match="tile 3"):
        cut_out(survey, catalog([50.0], [50.0], tile=3), size=8)


def test_on_disk_equals_in_memory(mosaic, tmp_path, monkeypatch):
    survey = open_survey(mosaic[1])
    rng = np.random.default_rng(4)
    objects = catalog(rng.uniform(20, 310, 50), rng.uniform(20, 270, 50))
    eager = cut_out(survey, objects, size=16)
    monkeypatch.setattr("skywright.data.cutouts.IN_MEMORY", 0)
    stored = cut_out(survey, objects, size=16, scratch=tmp_path)
    assert isinstance(stored.flux, np.memmap)
    assert digest(stored) == digest(eager)
    save(stored, tmp_path / "a")
    assert digest(load(tmp_path / "a")) == digest(eager)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**31), size=st.sampled_from([1, 7, 16, 33]))
def test_blocks_of_reading_do_not_show(seed, size, mosaic):
    image = mosaic[0]
    rng = np.random.default_rng(seed)
    objects = catalog(rng.uniform(40, 290, 9), rng.uniform(40, 250, 9))
    cutouts = cut_out(open_survey(mosaic[1]), objects, size=size)
    sky = around(open_survey(mosaic[1]), objects)
    for row, flux, mask, level in zip(objects, cutouts.flux, cutouts.mask, sky, strict=True):
        y = int(np.floor(row["y"] + 0.5)) - size // 2
        x = int(np.floor(row["x"] + 0.5)) - size // 2
        truth = image[y : y + size, x : x + size]
        assert np.allclose(flux[0][~mask], truth[~mask] - level, atol=1e-4)
        assert np.array_equal(mask, ~np.isfinite(truth))


def test_background_follows_a_gradient(tmp_path):
    y, x = np.mgrid[:400, :400]
    level = 10 + 0.02 * x + 0.01 * y
    image = np.random.default_rng(3).normal(level, 1 + x / 400).astype("f4")
    image[100:160, 100:160] += 500
    sky = measure_background(open_survey(write(tmp_path / "b.fits", image)).tiles[0], 50)
    found, rms = sky.window(50, 350, 50, 350)
    assert np.abs(found[0] - level[50:350, 50:350]).max() < 0.8
    assert np.allclose(rms[0, 0], 1 + x[50, 50:350] / 400, rtol=0.12)
    assert found.dtype == np.float32


def test_sky_of_whole_numbers_is_not_coarse(tmp_path):
    image = np.round(np.random.default_rng(3).normal(20.3, 1.5, (256, 256))).astype("i2")
    sky = measure_background(open_survey(write(tmp_path / "b.fits", image)).tiles[0])
    assert abs(sky.level.mean() - 20.3) < 0.15
    # Rounding adds a variance of 1/12.
    assert abs(sky.rms.mean() / np.hypot(1.5, 12**-0.5) - 1) < 0.03
