"""Simulated fields against photometry and noise worked out by hand."""

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable
from scipy.optimize import curve_fit
from scipy.special import erf

from skywright.sky import simulate_fields

BANDS = ("g", "r", "i")
SEEING = dict.fromkeys(BANDS, "0.8 arcsec")
AREA = 0.01 * u.deg**2


def _galaxies(magnitude=18.0, absolute=-22.0, radius=0.4):
    magnitude, absolute = np.atleast_1d(magnitude), np.atleast_1d(absolute)
    table = {f"mag_{band}": magnitude.astype(float) for band in BANDS}
    return QTable(
        table
        | {
            "M_r": absolute * np.ones(len(magnitude)),
            "angular_size": np.full(len(magnitude), radius) * u.arcsec,
            "ellipticity": np.full(len(magnitude), 0.1),
        }
    )


def _simulate(galaxies=None, neighbours=None, **given):
    options = {
        "n": 4,
        "area": AREA,
        "seeing": SEEING,
        "rng": np.random.default_rng(0),
        "survey": "lsst",
        "pixels": 41,
        "magnitude": (10, 35),
    }
    galaxies = _galaxies() if galaxies is None else galaxies
    neighbours = _galaxies()[:0] if neighbours is None else neighbours
    return simulate_fields(galaxies, neighbours, **(options | given))


def _pixels(survey):
    return np.stack([tile.flux for tile in survey.tiles])


def test_noise_is_that_of_the_coadd():
    """Sky and read noise of LSST after ten years; sky brightness, zero point and exposures."""
    flux = _pixels(_simulate(_galaxies(magnitude=34.0), n=8, pixels=61))
    for band, (zero, sky, visits) in enumerate(
        [(28.30, 22.26, 200), (28.13, 21.20, 460), (27.79, 20.48, 460)]
    ):
        time = 15.0 * visits
        electrons = 10 ** (-0.4 * (sky - zero)) * 0.2**2 * time
        rms = np.sqrt(electrons + visits * 10.0**2) / time * 10 ** (0.4 * (30 - zero))
        assert flux[:, band].std() == pytest.approx(rms, rel=0.02)
        assert abs(flux[:, band].mean()) < 5 * rms / np.sqrt(flux[:, band].size)


def test_flux_is_that_of_the_magnitude():
    flux = _pixels(_simulate(_galaxies(magnitude=16.0, radius=0.1), pixels=61))
    expected = 10 ** (0.4 * (30 - 16.0))
    # a de Vaucouleurs profile has 1 % of its light beyond 60 half-light radii
    np.testing.assert_allclose(flux.sum(axis=(2, 3)), expected, rtol=0.015)


def test_a_compact_galaxy_is_as_wide_as_the_seeing():
    image = _pixels(_simulate(_galaxies(magnitude=12.0, radius=0.001)))[0, 1]
    y, x = np.indices(image.shape)

    def star(_, x0, y0, sigma, total):
        edges = [
            (erf((w + 0.5 - c) / sigma / 2**0.5) - erf((w - 0.5 - c) / sigma / 2**0.5)) / 2
            for w, c in ((x, x0), (y, y0))
        ]
        return (total * edges[0] * edges[1]).ravel()

    fit, _ = curve_fit(star, None, image.ravel(), p0=[20, 20, 2, image.sum()])
    # the width of what is seen is in quadrature that of the atmosphere and the pixel
    seen = np.hypot(fit[2] * np.sqrt(8 * np.log(2)), np.sqrt(8 * np.log(2) / 12))
    assert seen * 0.2 == pytest.approx(0.8, rel=0.02)
    assert np.hypot(fit[0] - 20, fit[1] - 20) < 0.8


def test_luminous_galaxies_are_lenses_more_often():
    pair = _galaxies(magnitude=[15.0, 18.0], absolute=[-24.0, -21.5], radius=0.1)
    flux = _pixels(_simulate(pair, n=300, pixels=21))[:, 1].sum(axis=(1, 2))
    bright = (flux > 10 ** (0.4 * (30 - 16.5))).mean()
    assert bright == pytest.approx(10 / 11, abs=3 * np.sqrt(10 / 11 / 11 / 300))


def test_neighbours_are_as_many_as_on_the_sky():
    neighbours = _galaxies(magnitude=np.full(400, 20.0), radius=0.05)
    n, pixels = 200, 61
    flux = _pixels(_simulate(_galaxies(magnitude=34.0), neighbours, n=n, pixels=pixels))
    mean = 400 * float((pixels * 0.2 * u.arcsec) ** 2 / AREA)
    number = flux[:, 1].sum(axis=(1, 2)) / 10 ** (0.4 * (30 - 20.0))
    # some light of those near the edge is lost
    assert number.mean() == pytest.approx(mean, abs=4 * np.sqrt(mean / n) + 0.04 * mean)
    assert number.std() == pytest.approx(np.sqrt(mean), rel=0.25)


def test_crowding_multiplies_neighbours():
    neighbours = _galaxies(magnitude=np.full(400, 20.0), radius=0.05)
    given = {"neighbours": neighbours, "n": 200, "pixels": 61}
    total = [
        _pixels(_simulate(_galaxies(magnitude=34.0), crowding=crowding, **given)).sum()
        for crowding in (1.0, 3.0)
    ]
    assert total[1] / total[0] == pytest.approx(3.0, rel=0.15)


def test_correlated_noise_keeps_its_variance_and_has_the_correlation_of_a_gaussian():
    width = 0.7
    given = {"n": 8, "pixels": 81}
    white = _pixels(_simulate(_galaxies(magnitude=34.0), **given))[:, 1]
    noise = _pixels(_simulate(_galaxies(magnitude=34.0), correlation=width, **given))[:, 1]
    assert noise.std() == pytest.approx(white.std(), rel=0.02)
    for lag in (1, 2):
        found = (noise[..., lag:] * noise[..., :-lag]).mean() / noise.var()
        assert found == pytest.approx(np.exp(-(lag**2) / (4 * width**2)), abs=0.03)


def test_seeds_alone_decide():
    same = [_pixels(_simulate(rng=np.random.default_rng(5))) for _ in range(2)]
    np.testing.assert_array_equal(*same)
    assert (same[0] != _pixels(_simulate(rng=np.random.default_rng(6)))).all()


def test_the_survey_says_what_it_is():
    told = []
    survey = _simulate(n=5, batch=2, survey="des", progress=told.append)
    assert survey.bands == BANDS
    assert survey.scale == 0.263 * u.arcsec
    assert survey.unit == u.ct
    assert survey.zero_point == dict.fromkeys(BANDS, 30.0)
    assert told == [0.4, 0.8, 1.0]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"survey": "sdss"}, "expected one of des"),
        ({"seeing": {"H": "1 arcsec"}}, r"seeing has the bands \('H',\)"),
        ({"seeing": {}}, "expected some of"),
        ({"seeing": {"r": "-1 arcsec"}}, "positive angles"),
        ({"crowding": -1.0}, "got crowding -1.0"),
        ({"correlation": float("nan")}, "correlation nan"),
        ({"n": 0}, "at least one field"),
        ({"magnitude": (20, 17)}, r"expected \(bright, faint\)"),
        ({"magnitude": (19, 20)}, "none of 1 galaxies"),
        ({"galaxies": _galaxies()["mag_g", "M_r"]}, "the galaxies lack the columns"),
        ({"neighbours": _galaxies()["mag_g", "M_r"]}, "the neighbours lack the columns"),
    ],
)
def test_bad_input_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        _simulate(**given)
