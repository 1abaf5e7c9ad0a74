"""Arcs and impostors that are drawn for real galaxies, and the light that is painted."""

from dataclasses import replace

import astropy.units as u
import numpy as np
import pytest
from scipy import stats

from skywright.sky import arc_snr, draw_systems, effective_area, gaussian_psf, painted_light
from skywright.sky.draw import draw_arcs
from skywright.sky.field import read_field
from skywright.sky.impostors import match_impostors
from skywright.sky.truth import assemble


@pytest.fixture(scope="module")
def drawn(field):
    return draw_systems(*field, n=600, rng=np.random.default_rng(1))


def kind(systems):
    return np.asarray(systems["kind"]).astype(str)


def test_shares_of_kinds_are_exact_and_spread_over_galaxies(field, drawn):
    galaxies, _ = field
    counts = dict(zip(*np.unique(kind(drawn), return_counts=True), strict=True))
    assert counts["lens"] == 300
    assert counts["untouched"] == 180
    impostors = [counts[name] for name in ("companion", "satellites", "spiral", "ring")]
    assert sum(impostors) == 120
    assert min(impostors) >= 25
    uses = np.bincount(np.asarray(drawn["row"]))
    assert uses.min() == uses.max() == 600 // len(galaxies)
    lenses = np.bincount(np.asarray(drawn["row"])[np.asarray(drawn["label"]) == 1])
    assert lenses.min() >= 7
    assert lenses.max() <= 8
    np.testing.assert_array_equal(drawn["group"], galaxies["object_id"][drawn["row"]])
    assert len(np.unique(drawn["object_id"])) == 600
    # Shuffled: neighbours in the table are not on the same galaxy.
    assert np.mean(np.diff(np.asarray(drawn["row"])) == 0) < 0.1


def test_snr_and_radius_are_log_uniform_for_arcs_and_impostors_alike(drawn):
    lens = np.asarray(drawn["label"]) == 1
    fake = ~lens & (kind(drawn) != "untouched")
    for rows in (lens, fake):
        for name, low, high in (("snr", 2, 100), ("theta_e_fwhm", 1, 8)):
            values = np.log(np.asarray(drawn[name])[rows])
            assert values.min() >= np.log(low)
            assert values.max() <= np.log(high)
            uniform = stats.uniform(np.log(low), np.log(high / low))
            assert stats.kstest(values, uniform.cdf).pvalue > 0.001
    np.testing.assert_allclose(drawn["theta_e"][lens], 2.4 * drawn["theta_e_fwhm"][lens])


def test_untouched_rows_have_no_arc(drawn):
    rest = kind(drawn) == "untouched"
    assert np.all(np.asarray(drawn["snr"])[rest] == 0)
    assert np.isnan(np.asarray(drawn["theta_e"])[rest]).all()
    assert not np.asarray(drawn["label"])[rest].any()


def test_mass_follows_the_galaxy(field, drawn):
    galaxies, _ = field
    lens = drawn[np.asarray(drawn["label"]) == 1]
    row = np.asarray(lens["row"])
    q = np.asarray(galaxies["q"])[row]
    assert np.corrcoef(lens["q_lens"], q)[0, 1] > 0.8
    turn = np.asarray(lens["phi_lens"]) - galaxies["theta"][row].to_value(u.rad)
    aligned = np.mean(np.exp(2j * turn))
    # A scatter of 10 degrees leaves exp(-2 (0.1745)^2) = 0.94 of the alignment.
    assert abs(aligned.real - 0.94) < 0.02
    assert abs(aligned.imag) < 0.05
    shear = np.hypot(lens["gamma1"], lens["gamma2"])
    assert 0.045 < np.median(shear) < 0.055


def test_every_configuration_occurs_and_is_magnified(drawn):
    lens = drawn[np.asarray(drawn["label"]) == 1]
    assert np.min(lens["magnification"]) >= 3
    offset = np.hypot(
        lens["clump_x"][:, 0] - lens["x_galaxy"], lens["clump_y"][:, 0] - lens["y_galaxy"]
    )
    beta = offset / lens["theta_e"]
    assert np.mean(beta < 0.15) > 0.03  # rings and quads
    assert np.mean(beta > 0.4) > 0.2  # doubles
    small = np.asarray(lens["theta_e_fwhm"]) < 3
    # Uniform in area: inside a circle that all make arcs in, 2/3 of its radius on average.
    near = beta[small & (beta < 0.45)]
    assert abs(near.mean() / 0.45 - 2 / 3) < 3 * 0.236 / np.sqrt(len(near))


def test_arcs_lie_at_the_einstein_radius_in_the_cutout(field, drawn):
    _, images = field
    lens = drawn[np.asarray(drawn["label"]) == 1][:100]
    light = painted_light(images, lens)[:, 1].astype(float)
    y, x = np.indices(light.shape[1:]) - 23.5
    radius = np.hypot(
        x - np.asarray(lens["x_galaxy"])[:, None, None],
        y - np.asarray(lens["y_galaxy"])[:, None, None],
    )
    mean = (light * radius).sum(axis=(1, 2)) / light.sum(axis=(1, 2))
    ratio = mean / np.asarray(lens["theta_e"])
    assert 0.95 < np.median(ratio) < 1.35
    assert ratio.max() < 2.2


def test_impostors_have_the_flux_snr_and_colour_of_their_twins(field):
    galaxies, images = field
    facts = read_field(galaxies, images)
    rng = np.random.default_rng(7)
    n = 120
    row, untouched = np.resize(np.arange(len(galaxies)), n), np.full(n, "anything")
    theta_e = facts.fwhm * np.exp(rng.uniform(0, np.log(8), n))
    arcs = draw_arcs(facts, row, theta_e, np.exp(rng.uniform(1, 4, n)), rng)
    fakes = match_impostors(
        arcs, pixels=facts.pixels, psf=gaussian_psf(facts.sharp), fwhm=facts.fwhm, rng=rng
    )
    assert set(kind(fakes)) == {"companion", "satellites", "spiral", "ring"}
    assert np.abs(fakes["area"] / fakes["twin_area"] - 1).max() < 0.02
    # What was painted, per band and with the PSF of the band: nothing the matching computed.
    arc, fake = (
        painted_light(images, assemble(facts, row, untouched, t)).astype(float)
        for t in (arcs, fakes)
    )
    for light in (arc, fake):
        np.testing.assert_allclose(arc_snr(light, images.variance[row]), arcs["snr"], rtol=1e-4)
    ratio = fake.sum(axis=(2, 3)) / arc.sum(axis=(2, 3))
    assert np.quantile(np.abs(ratio - 1), 0.95) < 0.03
    assert abs(np.median(ratio) - 1) < 0.005
    area = [effective_area(t[:, 0]) * effective_area(t[:, 1]) for t in (fake, arc)]
    assert np.quantile(np.abs(np.sqrt(area[0] / area[1]) - 1), 0.95) < 0.03


def test_shared_noise_makes_arcs_of_the_same_snr_brighter(field):
    galaxies, images = field
    arcs = draw_systems(galaxies, images, n=20, rng=np.random.default_rng(3), lens_fraction=1.0)
    alone = painted_light(replace(images, noise_excess=None), arcs)
    shared = painted_light(replace(images, noise_excess=np.full(len(images), 2.0)), arcs)
    np.testing.assert_allclose(shared, 2 * alone, rtol=1e-5, atol=1e-12)
    variance = images.variance[np.asarray(arcs["row"])]
    np.testing.assert_allclose(
        arc_snr(shared, variance, np.full(len(shared), 2.0)), arcs["snr"], rtol=1e-4
    )


def test_colours_are_those_of_small_faint_galaxies(field, drawn):
    galaxies, _ = field
    total = (galaxies["flux_g"] + galaxies["flux_r"]).value
    size = galaxies["radius"].value
    faint = (total <= np.median(total)) & (size <= np.median(size))
    pool = (galaxies["flux_g"].value / total)[faint]
    touched = kind(drawn) != "untouched"
    share = np.asarray(drawn["share"])[touched]
    np.testing.assert_allclose(share.sum(axis=1), 1)
    assert stats.ks_2samp(share[:, 0], pool).statistic < 0.15
    assert share.min() >= 0.01


def test_same_generator_same_truth(field):
    first, again = (draw_systems(*field, n=30, rng=np.random.default_rng(4)) for _ in range(2))
    for name in first.colnames:
        np.testing.assert_array_equal(first[name], again[name])
    other = draw_systems(*field, n=30, rng=np.random.default_rng(5))
    assert np.any(np.asarray(other["snr"]) != np.asarray(first["snr"]))


def test_bad_input_is_refused(field, without):
    galaxies, images = field
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="do not match row by row"):
        draw_systems(galaxies[::-1], images, n=4, rng=rng)
    with pytest.raises(ValueError, match="do not match row by row"):
        draw_systems(galaxies[:5], images, n=4, rng=rng)
    with pytest.raises(ValueError, match="no variance"):
        draw_systems(galaxies, without(images, "variance"), n=4, rng=rng)
    with pytest.raises(ValueError, match="no psf_fwhm"):
        draw_systems(galaxies, without(images, "psf_fwhm"), n=4, rng=rng)
    with pytest.raises(ValueError, match="cut out at least 73 pixels"):
        draw_systems(galaxies, images, n=4, rng=rng, radius_fwhm=(1, 15))
    with pytest.raises(ValueError, match="lack the columns"):
        draw_systems(galaxies["object_id", "x", "y"], images, n=4, rng=rng)
    with pytest.raises(ValueError, match="0 < low <= high"):
        draw_systems(galaxies, images, n=4, rng=rng, snr=(0, 10))
    with pytest.raises(ValueError, match="lens_fraction is 2"):
        draw_systems(galaxies, images, n=4, rng=rng, lens_fraction=2.0)
    with pytest.raises(ValueError, match="at least one"):
        draw_systems(galaxies, images, n=0, rng=rng)
    dark = galaxies.copy()
    dark["flux_g"] = -1 * u.ct
    dark["flux_r"] = -1 * u.ct
    with pytest.raises(ValueError, match="no colour can be drawn"):
        draw_systems(dark, images, n=4, rng=rng)
