"""Spectra, band fluxes and light curves against closed forms, without any data from outside."""

import gzip

import astropy.units as u
import numpy as np
import pytest
from astropy.cosmology import FlatLambdaCDM
from astropy.io import fits
from astropy.table import QTable, Table
from astropy.utils.masked import Masked
from scipy import integrate, stats

from skywright.sky.transients import supernovae
from skywright.sky.transients.dust import extinction_curve
from skywright.sky.transients.kilonova import KILONOVA_COMPONENTS, kilonova_series, kilonova_sphere
from skywright.sky.transients.series import SpectralSeries, read_spectral_series
from skywright.sky.transients.templates import load_series

pytest.importorskip("speclite")

from skywright.sky.transients.bands import tabulate_bands  # noqa: E402 - after the skip
from skywright.sky.transients.light_curves import light_curves  # noqa: E402
from skywright.sky.transients.models import light_curve_magnitudes  # noqa: E402

LOWEST = 1e-3
COSMOLOGY = FlatLambdaCDM(H0=70, Om0=0.3)
GRIZ = ["lsst2023-g", "lsst2023-r", "lsst2023-i", "lsst2023-z"]


@pytest.fixture
def rng():
    return np.random.default_rng(8)


def rise_and_fall(phase):
    """Return a brightness that is 1 at phase 0 and a cubic, which splines follow exactly."""
    return 1 - (phase / 60) ** 2 + (phase / 90) ** 3


def flat_series(phases=None):
    """Return spectra of the same flux density per frequency at all wavelengths: AB magnitudes."""
    phase = np.linspace(-20, 50, 15) if phases is None else phases
    wave = np.geomspace(900, 30_000, 4000)
    return SpectralSeries(phase, wave, rise_and_fall(phase)[:, None] * 0.1088 / wave**2)


@pytest.fixture
def flat_file(tmp_path):
    """Return a text file of such spectra."""
    series = flat_series()
    rows = [
        f"{p:.4f} {w:.4f} {f:.9e}"
        for p, spectrum in zip(series.phase, series.flux[:, ::4], strict=True)
        for w, f in zip(series.wavelength[::4], spectrum, strict=True)
    ]
    file = tmp_path / "flat.SED.gz"
    file.write_bytes(gzip.compress(("# SNTYPE: IIP\n" + "\n".join(rows)).encode()))
    return file


def visits(step=1.0, bands=GRIZ, **columns):
    mjd = np.arange(60_000.0, 60_200.0, step)
    return Table({"mjd": mjd, "band": np.resize(bands, len(mjd))} | columns)


def expected_flux(z, magnitude, phase):
    """Return the flux [nJy] of flat spectra: they are 2.5 log(1 + z) brighter than unshifted."""
    distance = magnitude + COSMOLOGY.distmod(z).value
    return 3631e9 * (1 + z) * rise_and_fall(phase) * 10 ** (-0.4 * distance)


def test_light_curves_in_closed_form(flat_file, rng):
    events = QTable(
        {
            "event_id": [3, 8, 5],
            "z": [0.05, 0.4, 1.1],
            "mjd_peak": [60_050.0, 60_060.3, 60_080.0],
            "M_B": [-19.0, -18.0, -21.5],
            "x1": [0.0, 1.5, -2.0],
        }
    )
    seen = light_curves(events, visits(0.5), COSMOLOGY, template=str(flat_file), rng=rng)
    assert seen.colnames == ["event_id", "mjd", "band", "flux"]
    for row in events:
        mine = seen[seen["event_id"] == row["event_id"]]
        slower = (1 + row["z"]) * float(supernovae.ia_stretch(row["x1"]))
        phase = (mine["mjd"].value - row["mjd_peak"]) / slower
        truth = expected_flux(row["z"], row["M_B"], phase)
        # the normalisation finds the maximum of a parabola that splines follow
        np.testing.assert_allclose(mine["flux"].to_value("nJy"), truth, rtol=2e-4)
        assert (np.diff(mine["mjd"].value) > 0).all()
        # every visit within the phases of the spectra, and no other
        days = visits(0.5)["mjd"] - row["mjd_peak"]
        assert len(mine) == ((days >= -20 * slower) & (days <= 50 * slower)).sum()


def test_a_window_keeps_its_phases(flat_file, rng):
    events = QTable({"event_id": [0], "z": [0.5], "mjd_peak": [60_090.0], "M_B": [-19.0]})
    given = (events, visits(), COSMOLOGY)
    seen = light_curves(*given, template=str(flat_file), window=(-10, 20), rng=rng)
    days = seen["mjd"].value - 60_090
    assert days.min() == -15
    assert days.max() == 30


def test_spectra_at_ten_parsec_need_no_magnitude(flat_file, rng):
    events = QTable({"event_id": ["a"], "z": [0.3], "mjd_peak": [60_090.0]})
    seen = light_curves(events, visits(), COSMOLOGY, template=str(flat_file), rng=rng)
    phase = (seen["mjd"].value - 60_090) / 1.3
    # 0.1088 / w**2 is 3631 Jy
    np.testing.assert_allclose(seen["flux"].value, expected_flux(0.3, 0.0, phase), rtol=1e-3)


def test_units_are_read(flat_file, rng):
    events = QTable({"event_id": [0], "z": [0.5], "mjd_peak": [60_090.0], "M_B": [-19.0]})
    cadence = visits(depth=np.full(200, 24.0))
    plain = light_curves(events, cadence, COSMOLOGY, template=str(flat_file), noise=False, rng=rng)
    events["mjd_peak"] = ([60_090.0] * u.d).to(u.yr)
    events["M_B"] = [-19.0] * u.mag
    cadence["depth"].unit = "mag"
    again = light_curves(events, cadence, COSMOLOGY, template=str(flat_file), noise=False, rng=rng)
    np.testing.assert_allclose(again["flux"], plain["flux"], rtol=1e-6)
    np.testing.assert_allclose(again["flux_err"], plain["flux_err"], rtol=1e-6)


def test_what_makes_no_sense_is_refused(flat_file, rng):
    events = QTable(
        {"event_id": [0, 0], "z": [0.5, 0.5], "mjd_peak": [6e4, 6e4], "M_B": [-19, -18]}
    )
    given = {"cadence": visits(), "cosmology": COSMOLOGY, "template": str(flat_file), "rng": rng}
    with pytest.raises(ValueError, match="repeated"):
        light_curves(events, **given)
    with pytest.raises(ValueError, match="ascending phases"):
        light_curves(events[:1], window=(20, -10), **given)


def test_an_event_before_the_survey_has_no_rows(flat_file, rng):
    events = QTable({"event_id": [0], "z": [0.1], "mjd_peak": [59_000.0], "M_B": [-19.0]})
    seen = light_curves(events, visits(), COSMOLOGY, template=str(flat_file), rng=rng)
    assert len(seen) == 0
    empty = light_curves(events[:0], visits(depth=np.full(200, 24.0)), COSMOLOGY, rng=rng)
    assert empty.colnames == ["event_id", "mjd", "band", "flux", "flux_err"]


@pytest.mark.parametrize(
    "columns",
    [
        {"depth": np.full(20_000, 22.0)},
        {"zero_point": np.full(20_000, 30.0), "sky_noise": np.full(20_000, 40.0)},
    ],
)
def test_noise(columns, flat_file, rng):
    cadence = visits(0.01, **columns)
    events = QTable({"event_id": [0], "z": [0.1], "mjd_peak": [60_050.0], "M_B": [-17.5]})
    given = (events, cadence, COSMOLOGY)
    noisy = light_curves(*given, template=str(flat_file), rng=rng)
    plain = light_curves(*given, template=str(flat_file), noise=False, rng=rng)
    pull = (noisy["flux"] - plain["flux"]) / noisy["flux_err"]
    assert stats.kstest(pull.value, "norm").pvalue > LOWEST
    flux, error = plain["flux"].value, plain["flux_err"].value
    if "depth" in columns:
        limit = 3631e9 * 10 ** (-0.4 * 22.0)
        # Ivezić et al. 2019, eq. 5, as the inverse of the signal to noise
        x = limit / flux
        np.testing.assert_allclose((error / flux) ** 2, 0.001 * x + 0.039 * x**2)
    else:
        electrons = flux * 10 ** (0.4 * 30) / 3631e9
        np.testing.assert_allclose(flux / error, electrons / np.sqrt(electrons + 40**2))


def test_light_ends(rng):
    table = tabulate_bands(flat_series(), GRIZ, (0.0, 0.2))
    z = np.full(4, 0.1)
    phase = np.array([-20.001, -20.0, 50.0, 50.0 + 111.3])
    flux = table.flux("lsst2023-r", z, phase)
    assert flux[0] == 0 < flux[1]
    assert flux[3] / flux[2] == pytest.approx(np.exp(-1))


def test_colour_leaves_the_blue_maximum(rng):
    series = flat_series()
    table = tabulate_bands(series, ["bessell-B", "bessell-V"], (0.0, 0.0), colour=(-0.3, 0.5))
    colour = np.linspace(-0.3, 0.5, 9)
    z, phase = np.zeros(9), np.zeros(9)
    blue, green = (-2.5 * np.log10(table.flux(b, z, phase, colour)) for b in table.bands)
    np.testing.assert_allclose(blue, 0, atol=2e-4)
    # E(B - V) between broad bands is within 5 per cent of that of the law
    np.testing.assert_allclose(blue - green, colour, atol=0.05 * 0.5)


def test_extinction_of_published_bands():
    # Cardelli, Clayton & Mathis 1989, table 3, for R_V = 3.1: J, H and K at x [1 / micrometre]
    bands = {0.80: 0.282, 0.63: 0.190, 0.46: 0.114}
    found = extinction_curve(1e4 / np.array(list(bands)))
    np.testing.assert_allclose(found, list(bands.values()), atol=0.003)
    assert float(extinction_curve(5494.5)) == pytest.approx(1, abs=2e-3)
    with pytest.raises(ValueError, match="910 Angstrom"):
        extinction_curve(np.array([500.0]))


def test_a_kilonova_is_a_sphere_of_balanced_heat():
    mass, velocity, opacity, coldest = KILONOVA_COMPONENTS[1]
    time = np.array([0.3, 1.0, 4.0, 12.0])
    temperature, radius = kilonova_sphere(time, mass, velocity, opacity, coldest)
    light = 4 * np.pi * radius**2 * 5.670374e-5 * temperature**4
    a, b, d = (
        np.interp(0.047, [0.01, 0.05], [_between(0.152, *ends) for ends in zip(*rows, strict=True)])
        for rows in ([(0.56, 0.27), (1.31, 0.55)], [(0.17, 0.10), (0.21, 0.13)],
                     [(0.74, 0.60), (1.13, 0.90)])
    )  # fmt: skip
    delay = 2 * opacity * mass * 1.98841e33 / (13.4 * velocity * 2.99792458e10**2) / 86400**2

    def heating(t, end):
        raw = mass * 1.98841e33 * 4e18 * (0.5 - np.arctan((t * 86400 - 1.3) / 0.11) / np.pi) ** 1.3
        kept = 0.36 * (np.exp(-a * t) + np.log1p(2 * b * t**d) / (2 * b * t**d))
        return raw * kept * np.exp((t**2 - end**2) / delay) * 2 * t / delay

    for end, found in zip(time, light, strict=True):
        points = np.append(np.geomspace(1e-6, end, 40)[:-1], end)
        truth = sum(
            integrate.quad(heating, *ends, args=(end,), limit=200)[0]
            for ends in zip(points[:-1], points[1:], strict=True)
        )
        assert found == pytest.approx(truth, rel=2e-3)
    assert temperature.min() == coldest


def _between(velocity, low, high):
    return low + (high - low) * (velocity - 0.1) / 0.1


def test_a_kilonova_looks_like_the_one_of_2017(rng):
    # AT 2017gfo after 11 hours at 40 Mpc: i = 17.48, z = 17.59 (Soares-Santos et al. 2017)
    z = 0.0098
    nearby = FlatLambdaCDM(H0=73.5, Om0=0.3)
    found = light_curve_magnitudes("kn_kn.SED", [0.47], z, ["i", "z"], nearby, rng=rng)
    np.testing.assert_allclose(found[0], [17.48, 17.59], atol=0.4)
    assert kilonova_series().kind == "KN"


def test_parameters_of_type_ia(rng):
    x1, colour, magnitude = supernovae.draw_ia_parameters(50_000, magnitude=-19.4, rng=rng)
    rest = magnitude + 19.4 + 0.141 * x1 - 3.101 * colour
    for values, width in ((x1, 1.0), (colour, 0.1), (rest, 0.1)):
        assert stats.kstest(values, stats.norm(0, width).cdf).pvalue > LOWEST
    with pytest.raises(ValueError, match="negative"):
        supernovae.draw_ia_parameters(3, colour_std=-0.1, rng=rng)
    assert float(supernovae.ia_stretch(-99.0)) == float(supernovae.ia_stretch(-5.0)) > 0.5


def test_core_collapse_types_have_their_shares(rng):
    template, magnitude = supernovae.draw_core_collapse_parameters(50_000, rng=rng)
    plateau = template == "SDSS-000018"
    assert plateau.mean() == pytest.approx(48.2 / 91.2, abs=0.01)
    for name, mean, scatter in (
        ("SDSS-000018", -16.75, 0.98),
        ("Nugent+Scolnic_IIL", -17.98, 0.86),
    ):
        drawn = stats.norm(mean - 0.09, scatter)
        assert stats.kstest(magnitude[template == name], drawn.cdf).pvalue > LOWEST


@pytest.mark.parametrize("name", ["flat", "flatnoise", "variable", "variablenoise", "static"])
def test_models_without_spectra(name, rng):
    times = np.tile(np.arange(500.0), 2)
    found = light_curve_magnitudes(name, times, 0.5, "gri", COSMOLOGY, rng=rng)
    assert found.shape == (1000, 3)
    apart = found[500:] - found[:500]
    if name.endswith("noise"):
        assert apart.std() == pytest.approx(0.25 * np.sqrt(2), rel=0.1)
    else:
        assert (apart == 0).all()  # the same moment, the same light
    steps = np.diff(found[:500], axis=0)
    if name == "variable":
        np.testing.assert_allclose(steps, steps[:, :1] * np.ones(3))
    if name == "flat":
        assert (steps == 0).all()
    if name == "static":
        assert (found == 99).all()


def test_variable_light_is_a_damped_random_walk():
    # days far apart are independent; near ones are correlated as exp(-t / 20 d)
    days = np.array([-300.0, -5.0, 0.0, 15.0, 25.0, 300.0])
    walks = np.array(
        [
            light_curve_magnitudes("variable", days, 0.5, "g", COSMOLOGY, rng=rng)[:, 0]
            - light_curve_magnitudes("flat", days, 0.5, "g", COSMOLOGY, rng=same)[:, 0]
            for rng, same in (
                (np.random.default_rng(i), np.random.default_rng(i)) for i in range(4000)
            )
        ]
    )
    for walk in walks.T:
        assert stats.kstest(walk, stats.norm(0, 3**-0.5).cdf).pvalue > LOWEST
    expected = np.exp(-np.abs(days[:, None] - days) / 20)
    np.testing.assert_allclose(np.corrcoef(walks.T), expected, atol=0.06)


@pytest.mark.parametrize("name", ["variable", "flat", "kn_kn"])
def test_a_seed_is_an_object_at_any_times(name):
    few, many = np.array([3.25, -7.5]), np.linspace(-50, 200, 1001)
    one, two = (
        light_curve_magnitudes(name, times, 0.01, "gr", COSMOLOGY, rng=np.random.default_rng(2))
        for times in (few, many)
    )
    np.testing.assert_allclose(one, two[[np.flatnonzero(many == t)[0] for t in few]])


def test_models_of_spectra_from_files(flat_file, rng):
    folder = flat_file.parent
    (folder / "user").mkdir()
    flat_file.rename(folder / "user" / "mine.SED.gz")
    times = np.array([-5.0, 0.0, 400.0, -100.0])
    given = (times, 0.3, ["g", "r", "i", "z", "Y"], COSMOLOGY)
    user = light_curve_magnitudes("user_mine.SED", *given, rng=rng, folder=folder)
    distance = COSMOLOGY.distmod(0.3).value - 2.5 * np.log10(1.3)
    np.testing.assert_allclose(user[1], distance, atol=1e-3)  # 0.1088 / w**2 is 3631 Jy
    assert (user[3] == 99).all()  # before the first phase
    assert (user[2] > user[1] + 2).all()
    collapsed = light_curve_magnitudes("cc_mine", *given, rng=rng, folder=folder / "user")
    np.testing.assert_allclose(collapsed[:3], user[:3] - 16.84, atol=1e-3)
    thermal = light_curve_magnitudes("ia_mine", *given, rng=rng, folder=folder / "user")
    np.testing.assert_allclose(thermal[:3], user[:3] + supernovae.IA_MAGNITUDE, atol=1e-3)


def test_spectra_of_an_unknown_type_have_no_mean(flat_file, rng):
    text = gzip.decompress(flat_file.read_bytes()).replace(b"IIP", b"odd")
    flat_file.write_bytes(gzip.compress(text))
    given = ([0.0], 0.3, ["g"], COSMOLOGY)
    with pytest.raises(ValueError, match="type 'odd' of itself"):
        light_curve_magnitudes("cc_flat", *given, rng=rng, folder=flat_file.parent)


@pytest.mark.parametrize(
    ("model", "change", "says"),
    [
        ("ia", {}, "no model 'ia'"),
        ("flat_x", {}, "no model"),
        ("quasar", {}, "no model"),
        ("cc_../../etc/passwd", {}, "is a path"),
        ("cc_nothing", {}, "no series of spectra 'nothing' in the folder"),
        ("user_hsiao", {}, "no series of spectra"),
        ("kn_kn", {"redshift": 0.0}, "above 0"),
        ("kn_kn", {"redshift": np.nan}, "above 0"),
        ("kn_kn", {"band_names": ["F160W"]}, "no filter is known"),
        ("kn_kn", {"band_names": ["nobody-x"]}, "nobody"),
        ("flat", {"times_days_since_peak": [[0.0]]}, "expected finite days"),
        ("flat", {"times_days_since_peak": [np.nan]}, "expected finite days"),
    ],
)
def test_bad_models_are_refused(model, change, says, rng, tmp_path):
    given = {"times_days_since_peak": [0.0], "redshift": 0.1, "band_names": ["g"]}
    with pytest.raises(ValueError, match=says):
        light_curve_magnitudes(
            model, **given | change, cosmology=COSMOLOGY, rng=rng, folder=tmp_path
        )


def test_without_data_the_way_out_is_named(monkeypatch, tmp_path):
    from skywright.sky.transients import templates

    templates._known.cache_clear()
    monkeypatch.setenv("SKYWRIGHT_DATA", str(tmp_path))
    for name in ("hsiao", "SDSS-000018"):
        with pytest.raises(FileNotFoundError, match="SKYWRIGHT_DATA"):
            load_series(name)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "no rows"),
        (b"1 2 3\n", "four or more"),
        (b"1 2\n3 4\n", "2 columns"),
        (b"1 2 x\n", "flat.SED"),
        (b"\x00\xff\xfe", "flat.SED"),
        ("".join(f"{d} {w} 1\n" for d in range(5) for w in range(5))[:-6].encode(), "rows"),
        ("".join(f"{d} {w} 0\n" for d in range(5) for w in range(5)).encode(), "no light"),
        ("".join(f"{d} {w} nan\n" for d in range(5) for w in range(5)).encode(), "finite"),
    ],
)
def test_damaged_text_is_refused(content, says, tmp_path):
    file = tmp_path / "flat.SED"
    file.write_bytes(content)
    with pytest.raises(ValueError, match=says):
        read_spectral_series(file)


def test_a_truncated_archive_is_refused(flat_file):
    flat_file.write_bytes(flat_file.read_bytes()[:500])
    with pytest.raises(ValueError, match=r"flat\.SED\.gz"):
        read_spectral_series(flat_file)
    with pytest.raises(FileNotFoundError):
        read_spectral_series(flat_file.parent / "none.SED")


def test_an_image_of_spectra(tmp_path):
    phase, wave = np.arange(-10.0, 31, 5), np.arange(2000.0, 9001, 50)
    flux = np.sin(wave / 900) + 2 + phase[:, None] / 40
    header = fits.Header({"CRVAL1": 2000, "CDELT1": 50, "CRPIX1": 1, "CRVAL2": -5, "CDELT2": 5})
    header["CRPIX2"] = 2
    fits.PrimaryHDU(flux, header).writeto(tmp_path / "sed.fits")
    series = read_spectral_series(tmp_path / "sed.fits")
    np.testing.assert_allclose(series.phase, phase)
    assert np.diff(series.wavelength).max() <= 10
    truth = np.sin(series.wavelength / 900) + 2 + phase[:, None] / 40
    np.testing.assert_allclose(series.flux, truth, atol=1e-6)
    (tmp_path / "bad.fits").write_bytes((tmp_path / "sed.fits").read_bytes()[:1000])
    with pytest.raises(ValueError, match="bad.fits"):
        read_spectral_series(tmp_path / "bad.fits")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"phase": [0, 1, 2, 2]}, "ascend"),
        ({"wavelength": [5, 4, 3, 2]}, "ascend"),
        ({"flux": np.ones((4, 3))}, "shape"),
        ({"flux": np.full((4, 4), np.inf)}, "finite"),
        ({"flux": np.zeros((4, 4))}, "no light"),
    ],
)
def test_bad_series_are_refused(change, says):
    given = {"phase": [0, 1, 2, 3], "wavelength": [1, 2, 3, 4], "flux": np.ones((4, 4))}
    with pytest.raises(ValueError, match=says):
        SpectralSeries(**{k: np.array(v, dtype=float) for k, v in (given | change).items()})


def test_spectra_without_blue_light_cannot_be_normalised():
    red = SpectralSeries(np.arange(5.0), np.geomspace(1e4, 2e4, 50), np.ones((5, 50)))
    with pytest.raises(ValueError, match="no light in B"):
        tabulate_bands(red, ["lsst2023-y"], (0, 0.1))


@pytest.mark.parametrize(
    ("events", "cadence", "says"),
    [
        ({"z": None}, {}, "'z'"),
        ({"M_B": None, "template": ["hsiao"]}, {}, "M_B"),
        ({"z": [0.0]}, {}, "above 0"),
        ({"z": [np.nan]}, {}, "finite"),
        ({"mjd_peak": [np.inf]}, {}, "finite"),
        ({"mjd_peak": [3.0] * u.m}, {}, "finite numbers .d.; got float64 m"),
        ({"M_B": Masked([-16.0], mask=True)}, {}, "masked"),
        ({"event_id": None}, {}, "'event_id' is missing"),
        ({"template": ["nothing"]}, {}, "no series"),
        ({}, {"mjd": None}, "'mjd' is missing"),
        ({}, {"band": None}, "'band' is missing"),
        ({}, {"mjd": [np.nan]}, "finite numbers"),
        ({}, {"mjd": ["today"]}, "finite numbers"),
        ({}, {"mjd": [], "band": []}, "no visits"),
        ({}, {"band": ["r"]}, "names of speclite"),
        ({}, {"depth": [np.nan]}, "finite numbers"),
        ({}, {"zero_point": [30.0]}, "go together"),
        ({}, {"zero_point": [30.0], "sky_noise": [-1.0]}, "sky_noise"),
    ],
)
def test_bad_tables_are_refused(events, cadence, says, rng):
    good = {"event_id": [0], "z": [0.1], "mjd_peak": [60_000.0], "M_B": [-16.0]}
    survey = {"mjd": [60_001.0], "band": ["lsst2023-r"]}
    tables = [
        Table({k: v for k, v in (had | new).items() if v is not None})
        for had, new in ((good, events), (survey, cadence))
    ]
    with pytest.raises(ValueError, match=says):
        light_curves(*tables, COSMOLOGY, template="kilonova", rng=rng)
