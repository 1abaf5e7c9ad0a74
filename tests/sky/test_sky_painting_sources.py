"""Arcs whose sources are galaxies of a catalogue: colours, sizes and brightness."""

from dataclasses import replace

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable

from skywright.data import Psf
from skywright.sky import arc_snr, draw_systems, painted_light, select_sources
from skywright.sky.field import read_field
from skywright.sky.sources import place_sources

ZERO_POINT = {"g": 30.0, "r": 29.0}
SIZES = np.array([0.1, 0.2, 0.3])  # arcsec; 0.1 arcsec is 0.21 FWHM here


@pytest.fixture
def sources():
    return QTable(
        {
            "z": [1.0, 1.5, 2.0],
            "mag_g": [24.0, 23.0, 22.0],
            "mag_r": [23.0, 23.0, 23.0],
            "angular_size": SIZES * u.arcsec,
        }
    )


def draw(field, sources, **options):
    options = {"n": 120, "zero_point": ZERO_POINT, "rng": np.random.default_rng(3)} | options
    return draw_systems(*field, sources=sources, **options)


def test_colours_and_sizes_are_those_of_the_catalogue(field, sources):
    drawn = draw(field, sources, radius_fwhm=(3, 8))
    lens = np.asarray(drawn["label"]) == 1
    counts = 10 ** (-0.4 * np.array([[24 - 30, 23 - 29], [23 - 30, 23 - 29], [22 - 30, 23 - 29]]))
    share = counts / counts.sum(axis=1, keepdims=True)
    size = np.asarray(drawn["clump_radius"])[lens, 0] * 0.2
    row = np.argmin(np.abs(size[:, None] - SIZES), axis=1)
    np.testing.assert_allclose(size, SIZES[row], rtol=1e-6)
    np.testing.assert_allclose(np.asarray(drawn["share"])[lens], share[row], rtol=1e-6)
    assert np.bincount(row, minlength=3).min() > 5


def test_signal_to_noise_is_that_of_the_lensed_magnitudes(field, sources):
    _, images = field
    drawn = draw(field, sources, lens_fraction=1.0, snr=None, radius_fwhm=(2, 4))
    light = painted_light(images, drawn)
    row = np.asarray(drawn["row"])
    np.testing.assert_allclose(arc_snr(light, images.variance[row]), drawn["snr"], rtol=1e-3)
    # flux is conserved but for the magnification, which rays counted roughly
    flux = 10 ** (-0.4 * (23.0 - ZERO_POINT["r"]))
    boost = light[:, 1].sum(axis=(1, 2)) / flux
    assert np.median(boost / np.asarray(drawn["magnification"])) == pytest.approx(1, abs=0.1)
    assert np.min(boost) > 1.5


def test_brightness_holds_through_any_point_spread_function(field, sources):
    _, images = field
    psf = Psf(images.bands, images.psf_fwhm, np.array([2.5, 3.0]), "made up")
    options = {"lens_fraction": 1.0, "snr": None, "radius_fwhm": (2, 4), "n": 40}
    drawn = draw(field, sources, psf=psf, **options)
    through_wings = painted_light(images, drawn, psf=psf).sum(axis=(2, 3))
    gaussian = painted_light(images, draw(field, sources, **options)).sum(axis=(2, 3))
    # wings lose some light over the edge of a cutout, and never make light
    assert np.median(through_wings / gaussian) == pytest.approx(0.97, abs=0.04)


def test_sources_that_no_place_makes_an_arc_of_get_the_best_one():
    n = 4
    masses = {
        "q_lens": np.full(n, 0.5),
        "phi_lens": np.zeros(n),
        "gamma1": np.zeros(n),
        "gamma2": np.zeros(n),
    }
    shape = {"half": np.full(n, 10.0), "fwhm": np.full(n, 2.0), "rng": np.random.default_rng(0)}
    x, y, magnification = place_sources(masses, np.full(n, 0.1), **shape)
    assert (magnification * 0.1 < 2.0).all()
    assert (magnification > 3).all()
    assert np.hypot(x, y).max() < 1.1
    with pytest.raises(ValueError, match="half of the light falls nowhere into the cutout"):
        place_sources(masses, np.full(n, 0.1), **shape | {"half": np.full(n, 0.1)})


def test_masked_sources_are_refused_and_dark_ones_passed_over(field, sources):
    masked = QTable(sources, masked=True)
    masked["mag_g"] = np.ma.MaskedArray([-99.0, 23.0, -99.0], [True, False, True])
    with pytest.raises(ValueError, match="'mag_g' is in None or holds NaN"):
        draw(field, masked)
    with pytest.raises(ValueError, match="'mag_g' is in None or holds NaN"):
        select_sources(masked, redshift=(0, 3), faintest={"g": 25.0})
    dark = sources.copy()
    dark["mag_g"], dark["mag_r"] = [np.inf, np.inf, 23.0], [np.inf, np.inf, 23.0]
    drawn = draw(field, dark, lens_fraction=1.0)
    size = np.asarray(drawn["clump_radius"])[:, 0] * 0.2
    assert size.min() >= 0.19  # the third source, 0.3 arcsec or 0.4 Einstein radii
    dark["mag_g"], dark["mag_r"] = [np.inf] * 3, [np.inf] * 3
    with pytest.raises(ValueError, match="nothing is left to be lensed"):
        draw(field, dark)


def test_without_a_catalogue_no_brightness_is_known(field):
    with pytest.raises(ValueError, match="give sources"):
        draw_systems(*field, n=20, snr=None, rng=np.random.default_rng(0))


def test_sources_are_chosen_by_redshift_and_magnitude(sources):
    kept = select_sources(sources, redshift=(1.2, 3.0), faintest={"g": 22.5})
    assert kept["z"].tolist() == [2.0]
    with pytest.raises(ValueError, match="no source is left"):
        select_sources(sources, redshift=(5, 6), faintest={"g": 30.0})
    with pytest.raises(ValueError, match="no column 'mag_Y'"):
        select_sources(sources, redshift=(1, 2), faintest={"Y": 30.0})


def test_parts_of_the_sources_share_no_row_and_leave_none_out(sources):
    bounds = {"redshift": (0.5, 2.0), "faintest": {"r": 25.0}}
    parts = [select_sources(sources, part=(k, 2), **bounds)["z"].tolist() for k in range(2)]
    assert parts == [[1.0, 2.0], [1.5]]
    with pytest.raises(ValueError, match="part is"):
        select_sources(sources, part=(2, 2), **bounds)


def test_sources_that_do_not_fit_the_images_are_refused(field, sources):
    galaxies, images = field
    without = {name: sources[name] for name in sources.colnames if name != "mag_r"}
    with pytest.raises(ValueError, match="no column 'mag_r'"):
        draw(field, QTable(without))
    with pytest.raises(ValueError, match=r"no zero point for \['r'\]"):
        draw(field, sources, zero_point={"g": 30.0})
    bare = replace(images, scale=None, reason="nobody knows")
    with pytest.raises(ValueError, match="nobody knows"):
        draw((galaxies, bare), sources)
    plain = sources.copy()
    plain["angular_size"] = SIZES
    with pytest.raises(ValueError, match="'angular_size' has no unit"):
        draw(field, plain)
    tiny = sources.copy()
    tiny["angular_size"] = [0.01, 0.0, 0.02] * u.arcsec
    with pytest.raises(ValueError, match="nothing is left to be lensed"):
        draw(field, tiny)


def test_a_source_too_small_to_be_resolved_is_passed_over(field, sources):
    mixed = sources.copy()
    mixed["angular_size"] = [0.01, 0.2, 0.0] * u.arcsec
    drawn = draw(field, mixed)
    size = np.asarray(drawn["clump_radius"])[np.asarray(drawn["label"]) == 1, 0] * 0.2
    assert size.max() <= 0.2 + 1e-6
    assert size.min() >= 0.04  # 0.4 Einstein radii, the smallest of which is 1 FWHM
    assert read_field(*field).fwhm * 0.2 == pytest.approx(0.48)
