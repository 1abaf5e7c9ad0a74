"""Cutouts of galaxies that do not exist: what they share with a survey, and what they do not."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from skywright.sky import draw_systems, paint, simulate_lookalikes
from skywright.sky.lookalikes import _tie
from skywright.sky.noise import correlate


@pytest.fixture(scope="module")
def imagined(field):
    return simulate_lookalikes(*field, n=400, rng=np.random.default_rng(3))


def logs(galaxies):
    names = ("flux_g", "flux_r", "radius")
    return np.log(np.stack([np.asarray(getattr(galaxies[n], "value", galaxies[n])) for n in names]))


def test_they_have_the_units_noise_and_identifiers_that_painting_needs(field, imagined):
    real, made = field[1], imagined["images"]
    assert made.flux.shape == (400, 2, 48, 48)
    assert (made.bands, made.unit, made.scale) == (real.bands, real.unit, real.scale)
    np.testing.assert_array_equal(made.object_id, imagined["galaxies"]["object_id"])
    expected = np.median(real.variance, axis=(0, 2, 3))
    np.testing.assert_allclose(made.variance[:, :, 0, 0], np.tile(expected, (400, 1)))
    # the faint half of the pixels is sky
    low = made.flux[:, 0][made.flux[:, 0] < 0]
    assert np.sqrt(np.mean(low**2)) == pytest.approx(np.sqrt(expected[0]), rel=0.05)


def test_galaxies_follow_the_mean_and_scatter_of_the_survey_and_none_is_of_it(field, imagined):
    real, made = logs(field[0]), logs(imagined["galaxies"])
    error = real.std(axis=1) / np.sqrt(real.shape[1])
    assert np.all(np.abs(made.mean(axis=1) - real.mean(axis=1)) < 4 * error / np.sqrt(10))
    np.testing.assert_allclose(np.cov(made), np.cov(real), atol=0.15)
    assert not np.isin(made[0], real[0]).any()


def test_only_averages_of_the_survey_matter(field):
    galaxies, images = field[0].copy(), field[1]
    galaxies["q"] = np.clip(galaxies["q"], 0.5, 0.8)  # far from the limits of the simulation
    galaxies["flux_r"] = 2 * galaxies["flux_g"] ** 0.9 * galaxies["flux_g"].unit ** 0.1
    # every galaxy mirrored at the mean: none is left, mean and covariance are
    others = galaxies.copy()
    for name in ("flux_g", "flux_r", "radius"):
        logs_of = np.log(galaxies[name].value)
        others[name] = np.exp(2 * logs_of.mean() - logs_of) * galaxies[name].unit
    logit = np.log(galaxies["q"] / (1 - galaxies["q"]))
    others["q"] = 1 / (1 + np.exp(logit - 2 * logit.mean()))
    pixels = replace(images, flux=np.random.default_rng(0).permutation(images.flux) * 7)
    made, again = (
        simulate_lookalikes(*known, n=40, rng=np.random.default_rng(3))
        for known in ((galaxies, images), (others, pixels))
    )
    for name in ("flux_g", "radius", "q"):
        np.testing.assert_allclose(again["galaxies"][name], made["galaxies"][name], rtol=1e-4)
    np.testing.assert_allclose(again["images"].flux, made["images"].flux, rtol=1e-3, atol=0.05)


def test_the_galaxy_in_the_middle_is_where_its_table_says(imagined):
    flux = imagined["images"].flux.sum(axis=1)
    bright = np.asarray(imagined["galaxies"]["flux_g"]).argsort()[-40:]
    y, x = np.mgrid[:48, :48]
    near = np.hypot(x - 24, y - 24) < 4
    light = np.maximum(flux[bright], 0) * near
    for axis, grid in (("x", x), ("y", y)):
        measured = (light * grid).sum(axis=(1, 2)) / light.sum(axis=(1, 2))
        off = measured - np.asarray(imagined["galaxies"][axis])[bright]
        assert abs(np.median(off)) < 0.1
    corner = np.floor(np.asarray(imagined["galaxies"]["x"]) + 0.5) - 24
    assert np.all(corner == 0)


def test_arcs_are_painted_on_them_as_on_any_cutout(imagined):
    systems = draw_systems(**imagined, n=60, rng=np.random.default_rng(1))
    painted = paint(imagined["images"], systems, rng=np.random.default_rng(2))
    touched = np.asarray(systems["snr"]) > 0
    changed = (painted.flux != imagined["images"].flux[systems["row"]]).any(axis=(1, 2, 3))
    np.testing.assert_array_equal(changed, touched)


def test_whole_numbers_stay_whole_and_saturate(whole_field):
    made = simulate_lookalikes(*whole_field, n=50, rng=np.random.default_rng(0))["images"]
    assert made.quantised
    assert made.flux.max() <= 255
    np.testing.assert_array_equal(made.flux, np.floor(made.flux))


def test_photons_add_their_noise_where_the_gain_is_known(field):
    few, many = (
        simulate_lookalikes(*field, n=50, rng=np.random.default_rng(0), gain=gain)["images"].flux
        for gain in (0.05, 1e6)
    )
    plain = simulate_lookalikes(*field, n=50, rng=np.random.default_rng(0))["images"].flux
    bright = plain > np.quantile(plain, 0.99)
    assert np.std((few - plain)[bright]) > 10 * np.std((many - plain)[bright])


def test_noise_is_tied_together_as_far_as_in_the_survey():
    white = np.random.default_rng(0).standard_normal((40, 96, 96))
    for excess in (1.0, 1.3, 1.6):
        tied = correlate(white, _tie(excess, 1.0))
        assert tied.std() == pytest.approx(1, abs=0.01)
        ratio = gaussian_filter(tied, 1.0, axes=(1, 2)).std()
        ratio /= gaussian_filter(white, 1.0, axes=(1, 2)).std()
        assert ratio == pytest.approx(excess, rel=0.02)
    # noise that is one over the whole seeing cannot be tied further
    assert _tie(100.0, 1.0) == 4


@pytest.mark.parametrize(
    "bad", [{"n": 0}, {"n": 5, "neighbours": -1.0}, {"n": 5, "neighbours": np.nan}]
)
def test_senseless_numbers_are_refused(field, bad):
    with pytest.raises(ValueError, match="expected n >= 1, neighbours >= 0"):
        simulate_lookalikes(*field, rng=np.random.default_rng(0), **bad)


def test_galaxies_without_flux_are_refused(field):
    galaxies = field[0].copy()
    galaxies["flux_g"] *= np.nan
    with pytest.raises(ValueError, match="0 of 40 galaxies have a finite positive flux"):
        simulate_lookalikes(galaxies, field[1], n=5, rng=np.random.default_rng(0))


@pytest.mark.parametrize("factor", [1e-25, 1e25])
def test_the_unit_of_the_pixels_changes_nothing(field, imagined, factor):
    galaxies, images = field
    scaled = galaxies.copy()
    for name in ("flux_g", "flux_r"):
        scaled[name] = galaxies[name] * factor
    variance = np.asarray(images.variance, dtype=float) * factor**2
    pixels = replace(images, flux=images.flux * factor, variance=variance)
    again = simulate_lookalikes(scaled, pixels, n=400, rng=np.random.default_rng(3))["images"]
    noise = np.sqrt(imagined["images"].variance)
    pulls = np.abs(again.flux / factor - imagined["images"].flux) / noise
    assert pulls.max() < 1e-2


def test_many_pixels_go_to_a_file(field, tmp_path, monkeypatch):
    monkeypatch.setattr("skywright.data.cutouts.IN_MEMORY", 1)
    made = simulate_lookalikes(*field, n=20, rng=np.random.default_rng(3), scratch=tmp_path)
    plain = simulate_lookalikes(*field, n=20, rng=np.random.default_rng(3))
    assert isinstance(made["images"].flux, np.memmap)
    np.testing.assert_array_equal(made["images"].flux, plain["images"].flux)
