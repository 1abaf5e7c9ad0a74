"""The noise excess is 1 for independent noise and follows what ties pixels and bands together."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from skywright.data.artefacts import digest, load, save
from skywright.data.noise import measure_noise_excess, with_excess

FWHM = 2.5


@pytest.fixture
def white(paint_arcs):
    """Return 60 images of independent noise in three bands."""
    images, _ = paint_arcs(np.zeros(60, dtype=int), size=48)
    noise = np.random.default_rng(2).normal(size=images.flux.shape) * 2.0
    return replace(images, flux=noise.astype(np.float32))


def smoothed(images, sigma):
    flux = gaussian_filter(images.flux, (0, 0, sigma, sigma))
    return replace(images, flux=flux * (2.0 / flux.std()))


def test_independent_noise_has_no_excess(white):
    assert measure_noise_excess(white) == pytest.approx(1.0, abs=0.04)


def test_equal_bands_count_once(white):
    same = replace(white, flux=np.repeat(white.flux[:, :1], 3, axis=1))
    assert measure_noise_excess(same) == pytest.approx(np.sqrt(3), rel=0.04)


def test_smoothed_pixels_follow_the_power_on_the_scale_of_the_psf(white):
    # noise smoothed with s and seen through p: variance s^2 / (s^2 + p^2) times white above white
    s, p = 0.8, FWHM / np.sqrt(8 * np.log(2))
    own = 1 / (4 * np.pi * s**2)
    seen = 1 / (4 * np.pi * (s**2 + p**2))
    expected = np.sqrt(seen / own * 4 * np.pi * p**2)
    assert measure_noise_excess(smoothed(white, s)) == pytest.approx(expected, rel=0.05)


def test_sources_and_bad_pixels_hardly_count(white):
    flux = white.flux.copy()
    flux[:, :, 20:25, 20:25] += 300.0
    mask = np.zeros((len(white), 48, 48), dtype=bool)
    mask[:, 5, 5] = True
    flux[:, :, 5, 5] = np.nan
    marked = replace(white, flux=flux, mask=mask)
    assert measure_noise_excess(marked) == pytest.approx(1.0, abs=0.08)


def test_without_noise_or_width_nothing_is_claimed(white):
    for images in (replace(white, variance=None), replace(white, psf_fwhm=None), white[:0]):
        assert with_excess(images).noise_excess == 1.0


def test_it_travels_with_the_images(white, tmp_path):
    images = with_excess(smoothed(white, 0.8))
    assert images.noise_excess > 1.2
    save(images, tmp_path / "images")
    assert load(tmp_path / "images").noise_excess == images.noise_excess
    assert images[:3].noise_excess == images.noise_excess
    assert digest(images) != digest(replace(images, noise_excess=1.0))
