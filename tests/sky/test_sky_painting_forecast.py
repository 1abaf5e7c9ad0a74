from dataclasses import replace

import astropy.units as u
import numpy as np
import pytest

from skywright.sky import draw_forecast, paint


@pytest.fixture(scope="module")
def forecast(field):
    return draw_forecast(*field, n=800, rng=np.random.default_rng(2), brightest=1.6 * u.arcsec)


def test_einstein_radius_grows_as_the_root_of_the_flux(field):
    galaxies, images = field
    flux = (galaxies["flux_g"] + galaxies["flux_r"]).value
    exact = draw_forecast(
        galaxies, images, n=300, rng=np.random.default_rng(0), brightest=8.0, scatter=0.0
    )
    lens = exact[np.asarray(exact["label"]) == 1]
    top = np.sort(flux)[-5:].mean()
    np.testing.assert_allclose(lens["theta_e"], 8.0 * np.sqrt(flux[lens["row"]] / top))


def test_galaxies_are_lenses_in_proportion_to_their_cross_section(field, forecast):
    galaxies, _ = field
    flux = (galaxies["flux_g"] + galaxies["flux_r"]).value
    lens = np.asarray(forecast["label"]) == 1
    rows = np.asarray(forecast["row"])
    # Every galaxy of this field is bright enough to be within bounds nearly always.
    expected = (flux**2).sum() / flux.sum()
    assert abs(flux[rows[lens]].mean() / expected - 1) < 0.15
    assert abs(flux[rows[~lens]].mean() / flux.mean() - 1) < 0.15
    scale = np.asarray(forecast["theta_e"])[lens] / np.sqrt(flux[rows[lens]])
    assert abs(np.std(np.log10(scale)) - 0.2) < 0.03


def test_signal_follows_the_source_counts(forecast):
    snr = np.asarray(forecast["snr"])[np.asarray(forecast["label"]) == 1]
    assert snr.min() >= 2
    assert snr.max() <= 100
    # N(> s) for exponent 1.75 between 2 and 100.
    expected = (10**-0.75 - 100**-0.75) / (2**-0.75 - 100**-0.75)
    assert abs(np.mean(snr > 10) - expected) < 0.06


def test_impostors_have_the_radii_of_the_lenses(forecast):
    fake = ~np.isin(np.asarray(forecast["kind"]).astype(str), ("lens", "untouched"))
    lens = np.asarray(forecast["label"]) == 1
    assert fake.sum() == 160
    theta_e = np.asarray(forecast["theta_e"])
    assert abs(np.median(theta_e[fake]) / np.median(theta_e[lens]) - 1) < 0.25
    assert theta_e[fake | lens].min() >= 1.2
    assert theta_e[fake | lens].max() <= 24


def test_forecast_can_be_painted(field, forecast):
    painted = paint(field[1], forecast[:60], rng=np.random.default_rng(0))
    assert np.isfinite(painted.flux).all()


def test_normalisation_without_scale_is_in_widths_or_pixels(field):
    galaxies, images = field
    unknown = replace(images, scale=None, reason="a picture")
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="have no scale"):
        draw_forecast(galaxies, unknown, n=4, rng=rng, brightest=1.0 * u.arcsec)
    assert len(draw_forecast(galaxies, unknown, n=4, rng=rng)) == 4
    with pytest.raises(ValueError, match="positive Einstein radius"):
        draw_forecast(galaxies, images, n=4, rng=rng, brightest=-1.0)
    with pytest.raises(ValueError, match="hardly any Einstein radius"):
        draw_forecast(galaxies, images, n=4, rng=rng, brightest=1e-3)
