"""The noise excess is 1 for independent noise, follows what ties pixels together, and no source."""

from dataclasses import replace

import numpy as np
import pytest
from astropy.table import QTable
from scipy.ndimage import gaussian_filter
from sky_pictures import write

from skywright.data import Psf, cut_out, open_survey
from skywright.data.artefacts import digest, load, save
from skywright.data.noise import spread_of_noise

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
    assert np.isnan(spread_of_noise(pulls, ~SOUND, FWHM))


def cutouts(folder, noise, psf=True, **options):
    """Return two cutouts of a survey of this noise, in one band."""
    survey = open_survey(write(folder / "g.fits", 10 + 2 * noise), **options)
    width = Psf(survey.bands, np.array([FWHM]), np.array([np.inf]), "given")
    catalog = {"object_id": [1, 2], "tile": [0, 0], "x": [100.0, 300.0], "y": [90.0, 200.0]}
    return cut_out(survey, QTable(catalog), psf=width if psf else None)


def test_cutouts_carry_what_the_survey_has(white, tmp_path):
    independent = cutouts(tmp_path, white[0]).noise_excess
    tied = cutouts(tmp_path, smoothed(white, 0.8)[0]).noise_excess
    assert independent == pytest.approx(1.0, abs=0.06)
    assert tied == pytest.approx(2.1, rel=0.1)
    assert cutouts(tmp_path, smoothed(white, 0.8)[0], psf=False).noise_excess == 1.0


def test_a_weight_that_says_too_much_makes_an_excess(white, tmp_path):
    weight = write(tmp_path / "w.fits", np.full(SHAPE, 1.0, "f4"))  # the variance is 4
    assert cutouts(tmp_path, white[0], weight=weight).noise_excess == pytest.approx(2.0, rel=0.06)


def test_it_travels_with_the_images(white, tmp_path):
    images = cutouts(tmp_path, smoothed(white, 0.8)[0])
    save(images, tmp_path / "images")
    assert load(tmp_path / "images").noise_excess == images.noise_excess
    assert images[:1].noise_excess == images.noise_excess
    assert digest(images) != digest(replace(images, noise_excess=1.0))
