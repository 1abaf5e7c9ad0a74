"""The noise excess is 1 for independent noise, follows what ties pixels together, and no source."""

from dataclasses import replace

import numpy as np
import pytest
from astropy.table import QTable
from scipy.ndimage import gaussian_filter
from sky_pictures import write

from skywright.data import Psf, cut_out, open_survey
from skywright.data.artefacts import digest, load, save
from skywright.data.background import measure_background
from skywright.data.noise import measure_noise_excess, spread_of_noise

FWHM = 2.4
SHAPE = (512, 512)
SOUND = np.zeros(SHAPE, dtype=bool)


@pytest.fixture(scope="module")
def white():
    return np.random.default_rng(2).normal(size=(3, *SHAPE))


def excess(pulls, bad=SOUND):
    """Return the median over boxes of 64 pixels, as it is measured: one box scatters by a tenth."""
    corners = [(y, x) for y in range(0, 512, 64) for x in range(0, 512, 64)]
    boxes = [(slice(y, y + 64), slice(x, x + 64)) for y, x in corners]
    return np.median([spread_of_noise(pulls[(..., *box)], bad[box], FWHM) for box in boxes])


def smoothed(noise, sigma):
    result = gaussian_filter(noise, (0, sigma, sigma))
    return result / result.std()


def sources(count, width, seed=0):
    """Return light of sources up to 100 times the noise, over a third of the picture if wide."""
    rng = np.random.default_rng(seed)
    light = np.zeros(SHAPE)
    light[tuple(rng.integers(0, SHAPE[0], (2, count)))] = rng.uniform(50, 800, count)
    return gaussian_filter(light, width)


def test_independent_noise_has_no_excess(white):
    assert excess(white) == pytest.approx(1.0, abs=0.03)


def test_equal_bands_count_once(white):
    same = np.repeat(white[:1], 3, axis=0)
    assert excess(same) == pytest.approx(np.sqrt(3), rel=0.03)


def test_smoothed_pixels_follow_the_power_on_the_scale_of_the_psf(white):
    # smoothed with s, white noise has variance 1 / (4 pi s^2); seen through p, of s^2 + p^2
    s, p = 0.8, FWHM / np.sqrt(8 * np.log(2))
    expected = np.sqrt(4 * np.pi * p**2 * s**2 / (s**2 + p**2))
    assert excess(smoothed(white, s)) == pytest.approx(expected, rel=0.06)


@pytest.mark.parametrize(("count", "width"), [(600, 1.2), (600, 3.5), (150, 6.0)])
def test_sources_and_their_wings_are_no_noise(white, count, width):
    light = sources(count, width)
    assert (light > 1).mean() > 0.03
    assert excess(white + light) == pytest.approx(1.0, abs=0.1)


def test_bad_pixels_do_not_count(white):
    bad = SOUND.copy()
    bad[::40, 7] = True
    pulls = white.copy()
    pulls[:, bad] = np.nan
    assert excess(pulls, bad) == pytest.approx(1.0, abs=0.03)
    assert excess(pulls) == pytest.approx(1.0, abs=0.03)  # nobody marked them
    assert np.isnan(spread_of_noise(pulls, ~SOUND, FWHM))


def test_scattered_bad_pixels_leave_it_measurable(white):
    bad = np.random.default_rng(5).random(SHAPE) < 0.1
    assert spread_of_noise(white, bad, 5.0) == pytest.approx(1.0, abs=0.05)


def test_a_padded_picture_has_no_spread():
    assert np.isnan(spread_of_noise(np.zeros((3, 64, 64)), np.zeros((64, 64), bool), FWHM))


@pytest.mark.parametrize("fwhm", [2.0, 8.0, 12.0])
def test_a_wide_point_spread_is_measured_in_wide_windows(white, fwhm, tmp_path):
    survey = open_survey(write(tmp_path / "g.fits", 10 + 2 * white[0]))
    sky = measure_background(survey.tiles[0])
    assert measure_noise_excess(survey.tiles[0], sky, fwhm) == pytest.approx(1.0, abs=0.1)
    tied = gaussian_filter(white[0], fwhm / np.sqrt(8 * np.log(2)))
    survey = open_survey(write(tmp_path / "t.fits", 10 + 2 * tied / tied.std()))
    sky = measure_background(survey.tiles[0])
    # white noise through the same Gaussian once more, see below with s = p
    expected = np.sqrt(2 * np.pi) * fwhm / np.sqrt(8 * np.log(2))
    found = measure_noise_excess(survey.tiles[0], sky, fwhm)
    assert found == pytest.approx(expected, rel=0.2)


def cutouts(folder, noise, psf=True, **options):
    """Return two cutouts of a survey of this noise, in one band."""
    survey = open_survey(write(folder / "g.fits", 10 + 2 * noise), **options)
    width = Psf(survey.bands, np.array([FWHM]), np.array([np.inf]), "given")
    catalog = {"object_id": [1, 2], "tile": [0, 0], "x": [100.0, 300.0], "y": [90.0, 200.0]}
    return cut_out(survey, QTable(catalog), psf=width if psf else None)


def test_cutouts_carry_what_the_survey_has(white, tmp_path):
    independent = cutouts(tmp_path, white[0]).noise_excess
    tied = cutouts(tmp_path, smoothed(white, 0.8)[0]).noise_excess
    assert independent.shape == (2,)
    assert independent == pytest.approx([1.0, 1.0], abs=0.06)
    assert tied == pytest.approx([2.1, 2.1], rel=0.1)
    assert cutouts(tmp_path, smoothed(white, 0.8)[0], psf=False).noise_excess is None


def test_every_tile_has_its_own(white, tmp_path):
    files = [write(tmp_path / "a.fits", 10 + 2 * white[0]),
             write(tmp_path / "b.fits", 10 + 2 * smoothed(white, 0.8)[0])]  # fmt: skip
    weight = write(tmp_path / "w.fits", np.full(SHAPE, 25.0, "f4"))  # the variance is 4
    catalog = {"object_id": [1, 2], "tile": [1, 0], "x": [100.0, 300.0], "y": [90.0, 200.0]}
    # one tile without a weight: the rms is the noise of all, and the weight says nothing
    for weights in (None, [weight, None]):
        survey = open_survey(files, weight=weights)
        psf = Psf(survey.bands, np.array([FWHM]), np.array([np.inf]), "given")
        images = cut_out(survey, QTable(catalog), psf=psf)
        assert images.noise_excess == pytest.approx([2.1, 1.0], rel=0.1)


def test_a_sky_full_of_holes_is_said_to_be_unmeasured(white, tmp_path):
    mask = np.random.default_rng(1).random(SHAPE) < 0.9
    file = write(tmp_path / "m.fits", mask.astype("i2"))
    with pytest.warns(UserWarning, match="too few good pixels"):
        images = cutouts(tmp_path, white[0], mask=file)
    assert images.noise_excess.tolist() == [1.0, 1.0]


def test_a_weight_that_says_too_much_makes_an_excess(white, tmp_path):
    weight = write(tmp_path / "w.fits", np.full(SHAPE, 1.0, "f4"))  # the variance is 4
    found = cutouts(tmp_path, white[0], weight=weight).noise_excess
    assert found == pytest.approx([2.0, 2.0], rel=0.06)


def test_it_travels_with_the_images(white, tmp_path):
    images = cutouts(tmp_path, smoothed(white, 0.8)[0])
    save(images, tmp_path / "images")
    np.testing.assert_array_equal(load(tmp_path / "images").noise_excess, images.noise_excess)
    assert images[:1].noise_excess == images.noise_excess[:1]
    assert digest(images) != digest(replace(images, noise_excess=np.ones(2)))


@pytest.mark.parametrize("excess", [np.ones(3), np.array([1.0, np.nan]), np.array([1.0, 0.0])])
def test_an_excess_that_cannot_be_is_refused(white, tmp_path, excess):
    images = cutouts(tmp_path, white[0])
    with pytest.raises(ValueError, match="one number above zero for each"):
        replace(images, noise_excess=excess)
