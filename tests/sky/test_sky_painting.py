from dataclasses import replace

import numpy as np
import pytest

from skywright.data import Psf
from skywright.sky import draw_systems, paint, painted_light


@pytest.fixture(scope="module")
def drawn(field):
    return draw_systems(*field, n=80, rng=np.random.default_rng(1))


@pytest.fixture(scope="module")
def whole(whole_field):
    return draw_systems(*whole_field, n=80, rng=np.random.default_rng(1))


def test_snr_is_the_root_of_summed_squares_over_bands_and_pixels(field, drawn):
    _, images = field
    painted = paint(images, drawn, rng=np.random.default_rng(0))
    row = np.asarray(drawn["row"])
    added = painted.flux.astype(float) - images.flux[row]
    measured = np.sqrt((added**2 / images.variance[row]).sum(axis=(1, 2, 3)))
    # Flux is float32 around 20: a pixel is rounded by 1e-6 and there are 4608 of them.
    np.testing.assert_allclose(measured, drawn["snr"], rtol=2e-4, atol=2e-4)


def test_untouched_rows_keep_every_bit(field, whole_field, drawn, whole):
    for (_, images), systems in ((field, drawn), (whole_field, whole)):
        painted = paint(images, systems, rng=np.random.default_rng(0))
        same = np.asarray(systems["kind"]) == "untouched"
        assert same.sum() == 24
        assert painted.flux.dtype == images.flux.dtype
        before = images.flux[np.asarray(systems["row"])]
        assert painted.flux[same].tobytes() == before[same].tobytes()
        assert np.all((painted.flux != before).any(axis=(1, 2, 3)) == ~same)


def test_rows_carry_the_identity_and_noise_of_their_system(field, drawn):
    _, images = field
    painted = paint(images, drawn, rng=np.random.default_rng(0))
    np.testing.assert_array_equal(painted.object_id, drawn["object_id"])
    np.testing.assert_array_equal(painted.variance, images.variance[np.asarray(drawn["row"])])


def test_dither_gives_whole_numbers_whose_mean_is_the_light(whole_field, whole):
    _, images = whole_field
    row = int(np.flatnonzero(np.asarray(whole["kind"]) == "lens")[0])
    many = whole[np.full(400, row)]
    many["snr"] = 30.0
    light = painted_light(images, many[:1])[0]
    painted = paint(images, many, rng=np.random.default_rng(3))
    added = painted.flux - images.flux[int(many["row"][0])]
    np.testing.assert_array_equal(added, np.rint(added))
    # A rounded value is the whole part plus a coin of probability p, of variance p (1 - p).
    part = light - np.floor(light)
    mean, fair = added.mean(axis=0), (part > 0.05) & (part < 0.95)
    pull = (mean - light)[fair] / np.sqrt((part * (1 - part))[fair] / len(many))
    assert fair.sum() > 150
    assert np.abs(pull).max() < 5
    assert abs(pull.std() - 1) < 0.15
    total = (part * (1 - part)).sum() / len(many)
    assert abs((mean - light).sum()) < 4 * np.sqrt(total)


def test_painted_values_stop_at_saturation(whole_field, whole):
    _, images = whole_field
    bright = whole[np.asarray(whole["kind"]) != "untouched"][:20]
    bright["snr"] = 3000.0
    painted = paint(images, bright, rng=np.random.default_rng(0))
    assert painted.flux.max() == 255
    # A pixel above saturation before is not cut: only painted light is.
    high = images.flux.copy()
    high[:, 0, 0, 0] = 300
    painted = paint(replace(images, flux=high), bright, rng=np.random.default_rng(0))
    assert np.all(painted.flux[:, 0, 0, 0] == 300)


def test_photon_noise_only_where_the_gain_is_known(field, drawn):
    _, images = field
    row = int(np.flatnonzero(np.asarray(drawn["kind"]) == "lens")[0])
    many = drawn[np.full(600, row)]
    many["snr"] = 100.0
    light = painted_light(images, many[:1])[0].astype(float)
    noisy = paint(images, many, rng=np.random.default_rng(0), gain=4.0)
    added = noisy.flux.astype(float) - images.flux[int(many["row"][0])]
    where = light > 0.1 * light.max()
    ratio = added.var(axis=0)[where] / (light[where] / 4.0)
    assert abs(ratio.mean() - 1) < 0.03
    bands = {band: 4.0 if band == images.bands[0] else 1e9 for band in images.bands}
    mixed = paint(images, many, rng=np.random.default_rng(0), gain=bands)
    spread = (mixed.flux.astype(float) - images.flux[int(many["row"][0])]).var(axis=0)
    assert abs((spread[0] / (light[0] / 4.0))[where[0]].mean() - 1) < 0.05
    assert (spread[1:] < 1e-3 * spread[0].max()).all()
    quiet = paint(images, many[:2], rng=np.random.default_rng(0))
    np.testing.assert_array_equal(quiet.flux[0], quiet.flux[1])


def test_same_generator_same_image_and_rows_do_not_depend_on_the_others(whole_field, whole, field):
    _, images = whole_field
    first = paint(images, whole, rng=np.random.default_rng(5))
    again = paint(images, whole, rng=np.random.default_rng(5), batch=17)
    np.testing.assert_array_equal(first.flux, again.flux)
    other = paint(images, whole, rng=np.random.default_rng(6))
    assert (first.flux != other.flux).any()
    # The light of a row is the same in any block; only dither follows the generator of the block.
    all_rows, block = painted_light(images, whole), painted_light(images, whole[30:50])
    np.testing.assert_allclose(block, all_rows[30:50], rtol=1e-4, atol=1e-5)


def test_bands_have_the_colour_and_the_sharpness_they_should(field, drawn):
    _, images = field
    light = painted_light(images, drawn)
    lens = np.asarray(drawn["label"]) == 1
    share = light[lens].sum(axis=(2, 3))
    share /= share.sum(axis=1, keepdims=True)
    inside = np.asarray(drawn["theta_e_fwhm"])[lens] < 4  # else the edge cuts bands differently
    np.testing.assert_allclose(share[inside], drawn["share"][lens][inside], rtol=0.02)
    psf = Psf(("g", "r"), np.array([4.0, 2.1]), np.array([3.0, 3.0]), "given")
    wide = painted_light(images, drawn, psf=psf)[lens]
    sharp = [(p**2).sum(axis=(1, 2)) / p.sum(axis=(1, 2)) ** 2 for p in (wide[:, 0], wide[:, 1])]
    assert np.all(sharp[0] < sharp[1])


def test_progress_ends_at_one(field, drawn):
    told = []
    paint(*(field[1], drawn[:10]), rng=np.random.default_rng(0), batch=4, progress=told.append)
    assert told == [0.4, 0.8, 1.0]


def test_what_does_not_fit_is_refused(field, drawn, without):
    _, images = field
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="of 3 cutouts"):
        paint(images[:3], drawn, rng=rng)
    with pytest.raises(ValueError, match="name different galaxies"):
        paint(images[::-1], drawn, rng=rng)
    with pytest.raises(ValueError, match="no variance"):
        paint(without(images, "variance"), drawn, rng=rng)
    with pytest.raises(ValueError, match="no psf_fwhm"):
        paint(without(images, "psf_fwhm"), drawn, rng=rng)
    with pytest.raises(ValueError, match="gain is .*-1"):
        paint(images, drawn, rng=rng, gain=-1.0)
    wrong = Psf(("r", "g"), np.ones(2) * 2, np.ones(2) * 4, "given")
    with pytest.raises(ValueError, match="has bands"):
        paint(images, drawn, psf=wrong, rng=rng)
