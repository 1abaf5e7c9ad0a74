"""Perturbations do to pixels what they say, in electrons, magnitudes, arcsec."""

from dataclasses import replace

import astropy.units as u
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from skywright.data import Images
from skywright.sky import cosmic_rays_per_megapixel, perturb, perturb_sample, shift_suite
from skywright.sky.perturbations.suite import KINDS, SEVERITIES, UNITS

SKY = 400.0  # electrons


def rng(seed=0):
    return np.random.default_rng(seed)


def exposures(n=200, size=32, gain=1.0, source=None, unit=u.electron, bands=("g", "r", "i")):
    """Poisson images of a source (y, x) [electron] over the sky, in a unit of gain electrons."""
    source = np.zeros((size, size)) if source is None else source
    counted = rng(1).poisson(SKY + source, (n, len(bands), size, size)) - SKY
    return Images(
        flux=(counted / gain).astype(np.float32),
        bands=bands,
        unit=unit,
        scale=0.2 * u.arcsec,
        object_id=np.arange(n),
        variance=np.full((n, len(bands), 1, 1), SKY / gain**2, dtype=np.float32),
        psf_fwhm=np.full(len(bands), 4.0),
    )


def blob(size=32, peak=4000.0, sigma=2.0):
    point = np.zeros((size, size))
    point[size // 2, size // 2] = 1
    point = gaussian_filter(point, sigma)
    return peak * point / point.max()


def fwhm_of(image):
    """Width of a round light distribution from its second moments."""
    y, x = np.indices(image.shape) - np.array(image.shape)[:, None, None] // 2
    return np.sqrt(8 * np.log(2) * (image * (x**2 + y**2)).sum() / image.sum() / 2)


@pytest.mark.parametrize("gain", [1.0, 5.0])
def test_a_shorter_exposure_has_the_noise_of_a_shorter_exposure(gain):
    source = blob()
    images = exposures(400, gain=gain, source=source, unit=u.nJy)
    short = perturb(images, "depth", 0.25, rng(), gain)
    pixels = short.flux[:, 0] * gain
    expected = (SKY + source) / 0.25
    np.testing.assert_allclose(pixels.mean(axis=0), source, atol=5 * np.sqrt(expected.max() / 400))
    # bright pixels get more noise than the sky: white noise would not do that
    np.testing.assert_allclose(pixels[:, 16, 16].var(), expected[16, 16], rtol=0.25)
    np.testing.assert_allclose(pixels[:, :6].var(), SKY / 0.25, rtol=0.02)
    np.testing.assert_allclose(short.variance, SKY / 0.25 / gain**2)
    same = perturb(perturb(images, "depth", 0.5, rng(2), gain), "depth", 0.5, rng(3), gain)
    assert same.flux.var() == pytest.approx(short.flux.var(), rel=0.02)


def test_a_wider_psf_is_as_wide_as_it_says_and_leaves_the_noise_white():
    images = exposures(100, size=48, source=blob(48, 1e6))
    wide = perturb(images, "psf", 1.2, rng())
    before, after = (fwhm_of(i.flux[:, 0].mean(axis=0).astype(float)) for i in (images, wide))
    assert after == pytest.approx(np.hypot(before, 6.0), rel=0.02)
    np.testing.assert_allclose(wide.psf_fwhm, np.hypot(4.0, 6.0))
    assert wide.flux.sum() == pytest.approx(images.flux.sum(), rel=1e-3)
    empty = perturb(exposures(100), "psf", 1.2, rng()).flux
    assert empty.var() == pytest.approx(SKY, rel=0.03)
    neighbours = (empty[..., 1:] * empty[..., :-1]).mean() / SKY
    assert abs(neighbours) < 0.02
    # all is not new noise: at scales wider than the kernel the old one stays
    old = gaussian_filter(exposures(100).flux, (0, 0, 6, 6))
    assert np.corrcoef(old.ravel(), gaussian_filter(empty, (0, 0, 6, 6)).ravel())[0, 1] > 0.8


def test_more_sky_is_brighter_and_noisier():
    images = exposures(gain=2.0, unit=u.nJy)
    bright = perturb(images, "background", 150.0, rng(), 2.0)
    assert (bright.flux - images.flux).mean() == pytest.approx(150, abs=0.2)
    assert (bright.flux * 2).var() == pytest.approx(SKY + 300, rel=0.02)
    np.testing.assert_allclose(bright.variance, (SKY + 300) / 4)


def test_zero_point_and_colour_are_magnitudes():
    images = exposures(4)
    faint = perturb(images, "zero_point", 2.5, rng())
    np.testing.assert_allclose(faint.flux, images.flux / 10, rtol=1e-5)
    np.testing.assert_allclose(faint.variance, images.variance / 100, rtol=1e-5)
    lit = replace(images, flux=np.abs(images.flux) + 1)
    red = perturb(lit, "colour", 0.3, rng()).flux / lit.flux
    np.testing.assert_allclose(-2.5 * np.log10(red[:, 0] / red[:, 2]), 0.3, atol=1e-4)
    with pytest.raises(ValueError, match="has no colour"):
        perturb(exposures(1, bands=("g",)), "colour", 0.3, rng())


def test_dead_pixels_are_as_many_as_asked():
    images = exposures()
    dead = perturb(images, "dead_pixels", 0.05, rng()).flux != images.flux
    assert dead.mean() == pytest.approx(0.05, rel=0.05)


def test_cosmic_rays_are_tracks_with_the_energy_of_muons():
    empty = replace(exposures(400), flux=np.zeros((400, 3, 32, 32), np.float32))
    hit = perturb(empty, "cosmic_rays", 500.0, rng(), gain=1.0)
    charge = hit.flux.sum(axis=(2, 3))
    rate = (charge > 0).mean()
    assert rate == pytest.approx(1 - np.exp(-500e-6 * 32**2), abs=0.04)
    # a muon straight through 100 um leaves some 7,300 electrons; slanted ones more, cut ones less
    assert 5_000 < np.median(charge[charge > 0]) < 20_000
    pixels = (hit.flux > 0).sum(axis=(2, 3))[charge > 0]
    assert np.median(pixels) > 3
    assert cosmic_rays_per_megapixel(0.017, 900, 15) == pytest.approx(34.4, abs=0.1)
    halved = perturb(empty, "cosmic_rays", 500.0, rng(), gain=2.0).flux
    np.testing.assert_allclose(halved * 2, hit.flux, rtol=1e-5)


def test_crop_keeps_the_middle_and_fills_with_sky():
    images = exposures(source=blob())
    cropped = perturb(images, "crop", 6, rng()).flux
    np.testing.assert_array_equal(cropped[..., 6:-6, 6:-6], images.flux[..., 6:-6, 6:-6])
    assert cropped[..., :6, :].std() == pytest.approx(np.sqrt(SKY), rel=0.03)
    assert not (cropped[..., :6, :] == images.flux[..., :6, :]).any()


def test_rotation_turns_and_comes_back():
    images = exposures(3, source=blob())
    images.flux[:, :, 5, 9] = 1e5
    quarter = perturb(images, "rotation", 90, rng()).flux
    np.testing.assert_array_equal(quarter, np.rot90(images.flux, axes=(-2, -1)))
    near = perturb(images, "rotation", 90 + 1e-9, rng()).flux
    np.testing.assert_allclose(near, quarter, atol=1)
    smooth = replace(images, flux=np.broadcast_to(blob(), images.flux.shape).astype(np.float32))
    there = perturb(perturb(smooth, "rotation", 33, rng()), "rotation", -33, rng()).flux
    np.testing.assert_allclose(there[..., 10:22, 10:22], smooth.flux[..., 10:22, 10:22], atol=20)


def test_steps_are_in_units_of_the_noise_which_is_measured_when_unknown():
    images = exposures()
    stepped = perturb(images, "quantisation", 2.0, rng()).flux
    ratio = stepped / (2 * np.sqrt(SKY))
    np.testing.assert_allclose(ratio, np.rint(ratio), atol=1e-4)
    unknown = perturb(replace(images, variance=None), "quantisation", 2.0, rng()).flux
    step = np.median([np.diff(np.unique(i)).min() for i in unknown[:20, 0]])
    assert step == pytest.approx(2 * np.sqrt(SKY), rel=0.1)


@pytest.mark.parametrize("bands", [("g", "r", "i"), ("g", "r")])
def test_jpeg_loses_more_at_lower_quality(bands):
    images = exposures(10, source=blob(peak=2000), bands=bands)
    errors = [
        np.std(perturb(images, "jpeg", severity, rng()).flux - images.flux)
        for severity in (0, 50, 90)
    ]
    assert errors[0] < np.sqrt(SKY)
    assert errors[0] < errors[1] < errors[2]


def test_the_suite_runs_every_kind_with_the_same_draws_for_a_kind():
    images = exposures(3)
    seen = [(kind, severity) for kind, severity, _ in shift_suite(images, rng())]
    assert seen == [(k, s) for k, values in SEVERITIES.items() for s in values]
    assert set(SEVERITIES) | {"background"} == set(KINDS) == set(UNITS)
    a, b = shift_suite(images, rng(), severities={"dead_pixels": (0.01, 0.1)})
    few, many = (part[2].flux != images.flux for part in (a, b))
    assert few.sum() > 0
    assert (few <= many).all()


@pytest.mark.parametrize("kind", KINDS)
def test_images_are_not_changed_in_place_and_nonsense_is_refused(kind):
    images = exposures(2)
    before = images.flux.copy()
    severity = SEVERITIES.get(kind, (10.0,))[-1]
    after = perturb(images, kind, severity, rng())
    np.testing.assert_array_equal(images.flux, before)
    assert after.flux.shape == before.shape
    assert after.flux.dtype == np.float32
    if kind not in ("zero_point", "colour", "rotation"):
        with pytest.raises(ValueError, match="expected"):
            perturb(images, kind, -1.0, rng())


def test_unknown_kinds_and_unknown_gains_say_what_to_do():
    with pytest.raises(ValueError, match="expected one of depth, psf"):
        perturb(exposures(1), "fog", 1.0, rng())
    with pytest.raises(ValueError, match="give gain="):
        perturb(exposures(1, unit=u.nJy), "depth", 0.5, rng())
    with pytest.raises(ValueError, match="cannot be added"):
        perturb(exposures(1), "depth", 2.0, rng())
    broken = exposures(3)
    broken.flux[1, 0, 4, 4] = np.nan
    with pytest.raises(ValueError, match="1 of 3 images"):
        perturb(broken, "psf", 0.5, rng())


def test_a_sample_is_stacked_with_a_key_to_every_image():
    rng = np.random.default_rng(8)
    flux = rng.normal(100, 3, size=(6, 2, 16, 16)).astype(np.float32)
    images = Images(flux, ("g", "r"), u.ct, 0.2 * u.arcsec, np.arange(40, 46))
    severities = {"zero_point": [0.5], "rotation": [90.0, 180.0]}
    found = perturb_sample(images, rng, n=4, severities=severities, background=[1.0])
    key, stack = found["key"], found["images"]
    assert len(key) == len(stack) == 4 * 4
    assert len(np.unique(stack.object_id)) == len(stack)
    assert set(key["kind"]) == {"zero_point", "rotation", "background"}
    turned = key["severity"] == 180.0
    for row, one in zip(key["row"][turned], np.flatnonzero(turned), strict=True):
        assert np.allclose(stack.flux[one], flux[row][..., ::-1, ::-1], atol=1e-3)
    assert (np.asarray(key["original"]) == np.asarray(key["row"]) + 40).all()


def test_the_gain_of_a_sample_may_be_given_by_band():
    images = exposures(4, unit=u.ct, bands=("g", "r"))

    def perturbed(gain):
        return perturb_sample(images, rng(), severities={"depth": [0.5]}, gain=gain)["images"].flux

    assert (perturbed({"r": 3.0, "g": 20.0}) == perturbed([20.0, 3.0])).all()
    assert (perturbed({"r": 20.0, "g": 3.0}) != perturbed([20.0, 3.0])).any()
    with pytest.raises(ValueError, match="gain has the bands"):
        perturbed({"g": 20.0})
