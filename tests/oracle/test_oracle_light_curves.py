"""Light curves of the type Ia template against sncosmo, dust against the library `extinction`."""

import os

import astropy.units as u
import numpy as np
import pytest
from astropy.cosmology import FlatLambdaCDM
from astropy.io import fits
from astropy.table import Table

pytest.importorskip("speclite")

from skywright.data.fetch import path  # noqa: E402 - after the skip
from skywright.sky import draw_ia_parameters, light_curve_magnitudes, light_curves  # noqa: E402
from skywright.sky.populations.magnitudes import load_responses  # noqa: E402
from skywright.sky.transients.bands import tabulate_bands  # noqa: E402
from skywright.sky.transients.dust import extinction_curve  # noqa: E402
from skywright.sky.transients.supernovae import IA_MAGNITUDE, ia_stretch  # noqa: E402
from skywright.sky.transients.templates import load_series  # noqa: E402

pytestmark = [
    pytest.mark.oracle,
    pytest.mark.skipif(
        not os.environ.get("SKYWRIGHT_DATA"), reason="SKYWRIGHT_DATA names no folder of spectra"
    ),
]

COSMOLOGY = FlatLambdaCDM(H0=70, Om0=0.3)
GRIZY = [f"decam2014-{band}" for band in "grizY"]


def band_of(sncosmo, name):
    ((waves, response),) = load_responses(name)
    return sncosmo.Bandpass(waves, response, name=name)


@pytest.fixture(scope="module")
def hsiao():
    """Return phases, wavelengths and fluxes of the file, by its own header."""
    with fits.open(path("type-ia-sed")) as hdus:
        flux = hdus[0].data.astype(float)
    return np.arange(22) * 5.0 - 20, np.arange(481) * 50.0 + 1000, flux


def test_light_curves_are_those_of_sncosmo(hsiao):
    sncosmo = pytest.importorskip("sncosmo")
    rng = np.random.default_rng(4)
    n = 12
    x1, _, magnitude = draw_ia_parameters(n, rng=rng)
    events = Table(
        {"event_id": np.arange(n), "z": rng.uniform(0.02, 0.95, n), "x1": x1, "M_B": magnitude}
    )
    events["mjd_peak"] = rng.uniform(60_000, 60_100, n)
    mjd = np.arange(59_950, 60_250, 3.7)
    cadence = Table({"mjd": mjd, "band": np.resize(GRIZY, len(mjd))})
    seen = light_curves(events, cadence, COSMOLOGY, rng=rng)
    blue = band_of(sncosmo, "bessell-B")
    bands = {name: band_of(sncosmo, name) for name in GRIZY}
    for event in events:
        model = sncosmo.Model(sncosmo.StretchSource(*hsiao))
        model.set(z=event["z"], t0=event["mjd_peak"], s=float(ia_stretch(event["x1"])))
        model.set_source_peakabsmag(event["M_B"], blue, "ab", cosmo=COSMOLOGY)
        mine = seen[seen["event_id"] == event["event_id"]]
        for name, band in bands.items():
            rows = mine[mine["band"] == name]
            truth = model.bandflux(band, rows["mjd"].value, zp=31.4, zpsys="ab")  # nJy
            days = event["mjd_peak"] + np.arange(-20.0, 60) * (1 + event["z"])
            brightest = model.bandflux(band, days, zp=31.4, zpsys="ab").max()
            # in the first days the splines of sncosmo go below zero; ours end there
            off = np.abs(rows["flux"].to_value("nJy") - np.maximum(truth, 0)) / brightest
            assert len(rows) > 5
            assert off.max() < 1e-3


def test_reddened_bands_are_integrals(hsiao):
    dust = pytest.importorskip("extinction")
    from scipy.interpolate import RectBivariateSpline

    spectra = RectBivariateSpline(*hsiao)
    rng = np.random.default_rng(6)
    table = tabulate_bands(load_series("hsiao"), GRIZY, (0.02, 0.9), colour=(-0.35, 0.45))
    wave = np.arange(1000.0, 11_500, 1.0)

    def flux(name, z, phase, colour):
        """Return the flux through a band over that of 3631 Jy, on a grid of one Angstrom."""
        ((at, response),) = load_responses(name)
        seen = np.arange(at[0], at[-1] + 0.5)
        through = np.interp(seen, at, response)
        rest = spectra(phase, seen / (1 + z), grid=False)
        rest = rest * 10 ** (-0.4 * dust.odonnell94(seen / (1 + z), 3.1 * colour, 3.1)) / (1 + z)
        standard = (3631 * u.Jy).to("erg / (s cm2 AA)", u.spectral_density(seen * u.AA)).value
        return np.trapezoid(rest * through * seen) / np.trapezoid(standard * through * seen)

    for _ in range(12):
        z, phase, colour = rng.uniform(0.02, 0.9), rng.uniform(-15, 60), rng.uniform(-0.35, 0.45)
        scale = max(flux("bessell-B", 0.0, p, colour) for p in np.arange(-3, 3, 0.1))
        for name in GRIZY:
            peak = max(flux(name, z, p, colour) for p in np.arange(-15, 40, 5.0)) / scale
            mine = table.flux(name, np.array([z]), np.array([phase]), np.array([colour]))
            assert abs(mine[0] - flux(name, z, phase, colour) / scale) < 1.5e-3 * peak
    np.testing.assert_allclose(extinction_curve(wave), dust.odonnell94(wave, 1.0, 3.1), rtol=1e-9)


def test_core_collapse_spectra_are_read_and_normalised():
    for name in ("SDSS-000018", "Nugent+Scolnic_IIL", "CSP-2004gv"):
        series = load_series(name)
        table = tabulate_bands(series, ["bessell-B"], (0.0, 0.0))
        phase = np.arange(series.phase[0], series.phase[-1], 0.05)
        flux = table.flux("bessell-B", np.zeros(len(phase)), phase)
        assert flux.max() == pytest.approx(1, abs=1e-3)
        assert series.kind in ("IIP", "IIL", "Ib")


def test_known_spectra_need_no_file(tmp_path):
    given = ([0.0], 0.1, ["r", "Y"], COSMOLOGY)
    for folder in (None, tmp_path):
        for model in ("cc_SDSS-000018.SED", "cc_CSP-2004gv", "ia_hsiao"):
            rng = np.random.default_rng(0)
            found = light_curve_magnitudes(model, *given, rng=rng, folder=folder)
            assert (found > 18).all()
            assert (found < 23).all()


def test_random_models_have_the_brightness_of_their_population():
    rng = np.random.default_rng(9)
    days, distance = np.arange(-15.0, 25, 1), COSMOLOGY.distmod(0.01).value

    def brightest(model):
        given = (model, days, 0.01, ["bessell-B"], COSMOLOGY)
        return light_curve_magnitudes(*given, rng=rng).min() - distance

    found = np.array([brightest("ia_random") for _ in range(80)])
    # Tripp's relation with normal x1 and colour: 0.141, 0.310 and 0.1 mag in quadrature
    width = np.sqrt(0.141**2 + 0.3101**2 + 0.1**2)
    assert abs(found.mean() - IA_MAGNITUDE) < 4 * width / np.sqrt(80) + 0.02
    assert found.std() == pytest.approx(width, rel=0.35)
    assert brightest("ia_hsiao") == pytest.approx(IA_MAGNITUDE, abs=0.02)
    # means of II-P, II-L and Ib in the shares of a volume: -17.1 (Vega), scattered by a magnitude
    kinds = np.array([brightest("cc_random") for _ in range(80)])
    assert abs(kinds.mean() + 17.1 + 0.09) < 4 * 1.1 / np.sqrt(80)
    assert 0.8 < kinds.std() < 1.5
