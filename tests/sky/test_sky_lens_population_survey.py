"""What surveys see of a population of lenses, its images, and the recipe that makes all of it."""

import shutil
from pathlib import Path

import astropy.units as u
import h5py
import numpy as np
import pytest
from astropy.modeling.models import Sersic1D
from astropy.table import QTable
from scipy import integrate

from skywright.data.tables import read_table, write_table
from skywright.flow import load, run
from skywright.sky.lens_population.expected import count_interval, expected_lenses
from skywright.sky.lens_population.images import render_lenses
from skywright.sky.lens_population.selection import (
    arc_signal_to_noise,
    lens_brightness,
    select_lenses,
    survey_conditions,
)
from skywright.sky.surveys import SURVEYS

IMAGES = Path(__file__).parent / "recipes" / "lens_images.yaml"
RECIPE = Path(__file__).parent / "recipes" / "lens_population.yml"


@pytest.fixture
def rng():
    return np.random.default_rng(12)


def lenses(n=3, **columns):
    """Return lenses that the LSST sees well, but for what is changed."""
    zero = np.zeros(n)
    values = {
        "object_id": np.arange(n),
        "deflector": np.arange(n),
        "source": np.arange(n),
        "theta_e": zero + 1.5 << u.arcsec,
        "q": zero + 0.8,
        "phi": zero << u.rad,
        "gamma1": zero,
        "gamma2": zero,
        "x": zero + 0.2 << u.arcsec,
        "y": zero + 0.1 << u.arcsec,
        "images": np.full(n, 2),
        "magnification": zero + 8.0,
        "source_angular_size": zero + 0.2 << u.arcsec,
        "source_q": zero + 0.7,
        "source_phi": zero + 0.5 << u.rad,
        "source_mag_i": zero + 24.0,
    }
    return QTable({**values, **columns})


@pytest.mark.parametrize(("survey", "band"), [("lsst", "i"), ("lsst", "g"), ("euclid", "VIS")])
def test_depth_against_lenstronomy(survey, band):
    pytest.importorskip("lenstronomy")
    from lenstronomy.SimulationAPI.observation_api import SingleBand

    depth, seeing, electron = survey_conditions(survey)[band]
    given = SURVEYS[survey]
    number = given.bands.index(band)
    observed = SingleBand(
        pixel_scale=given.scale,
        exposure_time=given.exposure_time[number],
        num_exposures=given.exposures[number],
        magnitude_zero_point=given.zero_point[number],
        read_noise=given.read_noise,
        sky_brightness=given.sky[number],
        seeing=seeing,
        psf_type="GAUSSIAN",
        ccd_gain=1.0,
    )
    pixel = observed.background_noise
    sigma = seeing / 2.354820045 / given.scale
    noise = pixel * np.sqrt(4 * np.pi) * sigma
    assert observed.magnitude2cps(depth) / noise == pytest.approx(5.0, rel=1e-3)
    total = given.exposure_time[number] * given.exposures[number]
    assert observed.magnitude2cps(electron) * total == pytest.approx(1.0)


def test_signal_to_noise_in_its_limits():
    """A point at the depth has 5; a wide disc what the sum over its pixels gives."""
    condition = (27.0, 0.7)
    alone = (np.array([27.0]), np.array([1.0]), np.array([0.0]), np.array([1]))
    assert arc_signal_to_noise(*alone, condition)[0] == pytest.approx(5.0)
    size, scale = 3.0, 0.2
    y, x = np.mgrid[-150:151, -150:151] * scale
    disc = np.exp(-1.678347 * np.hypot(x, y) / size)
    flux = 10 ** (-0.4 * (22.0 - 27.0)) * disc / disc.sum()
    sigma = 0.7 / 2.354820045
    pixel = (1 / 5.0) / np.sqrt(4 * np.pi * sigma**2) * scale
    truth = np.sqrt(((flux / pixel) ** 2).sum())
    wide = (np.array([22.0]), np.array([1.0]), np.array([size]), np.array([0]))
    assert arc_signal_to_noise(*wide, condition)[0] == pytest.approx(truth, rel=0.01)


def test_photon_noise():
    """Without a sky, n electrons have a signal to noise of sqrt(n), and less over a bright lens."""
    bright = (np.array([20.0]), np.array([4.0]), np.array([0.3]), np.array([2]))
    condition = (40.0, 0.1, 27.5)
    electrons = 4 * 10 ** (0.4 * 7.5)
    assert arc_signal_to_noise(*bright, condition)[0] == pytest.approx(electrons**0.5, rel=1e-3)
    assert arc_signal_to_noise(*bright, condition, np.array([18.0]))[0] < 0.8 * electrons**0.5


def test_brightness_against_astropy():
    model = Sersic1D(amplitude=1.0, r_eff=0.8, n=4)
    total = integrate.quad(lambda r: 2 * np.pi * r * model(r), 0, 2000, limit=500)[0]
    radius = np.array([0.2, 0.8, 2.0])
    found = lens_brightness(np.array([19.0]), np.array([0.8]), radius)
    truth = 19.0 - 2.5 * np.log10(model(radius) / total)
    np.testing.assert_allclose(found, truth, atol=0.01)


@pytest.mark.parametrize(
    ("column", "good", "bad"),
    [
        ("magnification", 3.01, 2.99),
        # mu r_s > s, with seeing 0.71 in i
        ("source_angular_size", 0.71 / 8 + 0.001, 0.71 / 8 - 0.001),
        # theta_e^2 > r_s^2 + (s / 2)^2
        ("theta_e", np.hypot(0.2, 0.355) + 1e-3, np.hypot(0.2, 0.355) - 1e-3),
        ("source_mag_i", 25.0, 28.0),
    ],
)
def test_each_criterion(column, good, bad):
    unit = 1 if column in ("magnification", "source_mag_i") else u.arcsec
    size = {"source_angular_size": np.full(2, 0.3) * u.arcsec} if column == "magnification" else {}
    table = lenses(2, **size | {column: np.array([good, bad]) * unit})
    seen = select_lenses(table, "lsst")
    assert seen["object_id"].tolist() == [0]
    assert seen["band"][0] == "i"
    assert seen["snr"][0] > 20


def test_the_best_band_counts_and_darkness_is_not_seen():
    table = lenses(2, source_mag_g=np.array([23.0, np.inf]), source_mag_i=np.array([np.inf, 24.0]))
    seen = select_lenses(table, "lsst")
    assert seen["band"].tolist() == ["g", "i"]
    assert len(select_lenses(lenses(2), {"i": (20.0, 0.7)})) == 0
    assert len(select_lenses(lenses(0), "lsst")) == 0


@pytest.mark.parametrize(
    ("table", "conditions", "message"),
    [
        (lenses(), "kepler", "expected one of des"),
        (lenses(), "euclid", "no magnitudes in a band of euclid"),
        (lenses(), {"r": (25.0, 0.8)}, "no column 'source_mag_r'"),
        (lenses(), {"i": (25.0, -1.0)}, "expected its depth"),
        (lenses(), {"i": (25.0,)}, "expected its depth"),
        (lenses(source_mag_i=np.full(3, np.nan)), "lsst", "holds NaN"),
        (lenses(theta_e=np.ones(3) * u.kg), "lsst", "is in kg"),
    ],
)
def test_bad_conditions_are_refused(table, conditions, message):
    with pytest.raises(ValueError, match=message):
        select_lenses(table, conditions)


def test_numbers_per_square_degree():
    found = expected_lenses(lenses(30), 10 * u.deg**2, ("lsst",))
    row = found[0]
    assert (row["lenses"], row["per_deg2"], row["published"]) == (30, 3.0, 6.0)
    assert row["low"] == pytest.approx(2.024, abs=0.01)  # of 30: 20.24 to 42.83, Garwood 1936
    assert row["high"] == pytest.approx(4.283, abs=0.01)
    with pytest.raises(TypeError, match="solid angle"):
        expected_lenses(lenses(), 10.0)


def test_intervals_hold_when_sources_are_shared(rng):
    """Sources of a small field make many lenses or none: the truth is covered all the same."""
    weight, inside, trials = 40.0, 0, 600
    for _ in range(trials):
        sources = rng.random(rng.poisson(60)) < 0.3  # a few of a small field can be seen at all
        each = rng.poisson(weight / 18.0, size=len(sources)) * sources
        source = np.repeat(np.arange(len(each)), each)
        low, high = count_interval(np.arange(len(source)), source)
        inside += low <= weight <= high
    assert 0.92 < inside / trials < 0.99
    assert count_interval(np.empty(0, int), np.empty(0, int))[0] == 0


def test_images_have_the_flux_of_the_lensed_source(rng):
    table = lenses(
        4,
        q=np.ones(4),
        x=np.full(4, 0.6) * u.arcsec,
        y=np.full(4, 0.3) * u.arcsec,
        source_mag_i=np.array([22.0, 23.0, 24.0, 25.0]),
        source_angular_size=np.full(4, 0.03) * u.arcsec,
    )
    clean = render_lenses(table, "lsst", pixels=60, noise=False, rng=rng)
    assert (clean.unit, clean.bands, clean.flux.shape) == (u.nJy, ("i",), (4, 1, 60, 60))
    total = clean.flux.sum(axis=(1, 2, 3))
    ratio = total / 10 ** (0.4 * (31.4 - np.array([22.0, 23.0, 24.0, 25.0])))
    np.testing.assert_allclose(ratio, 2 * 1.5 / np.hypot(0.6, 0.3), rtol=0.01)  # of a sphere
    # the arc is on the side of the source
    half = clean.flux[0, 0]
    assert half[:, 30:].sum() > half[:, :30].sum()
    noisy = render_lenses(table, "lsst", pixels=60, rng=rng)
    residual = (noisy.flux - clean.flux)[:, :, :8]
    np.testing.assert_allclose(residual.std(axis=(1, 2, 3)) ** 2, noisy.variance.ravel(), rtol=0.2)
    # sky of lsst in i, as lenstronomy has it: 20.48 mag/arcsec^2 over 6900 s
    rate = 10 ** (0.4 * (27.79 - 20.48)) * 0.2**2
    truth = (rate * 6900 + 460 * 100) / 6900**2 * 10 ** (0.8 * (31.4 - 27.79))
    np.testing.assert_allclose(noisy.variance.ravel(), truth, rtol=1e-4)


def test_images_with_light_of_the_lens(rng):
    light = {
        "lens_mag_i": np.full(3, 20.0),
        "lens_angular_size": np.full(3, 0.5) * u.arcsec,
        "lens_ellipticity": np.full(3, 0.1),
        "lens_phi_light": np.zeros(3) * u.rad,
    }
    lit = render_lenses(lenses(3, **light), "lsst", pixels=64, noise=False, rng=rng)
    dark = render_lenses(lenses(3), "lsst", pixels=64, noise=False, rng=rng)
    flux = (lit.flux - dark.flux).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(flux, 10 ** (0.4 * 11.4), rtol=0.1)  # wings leave the cutout
    with pytest.raises(ValueError, match="no magnitudes in a band of euclid"):
        render_lenses(lenses(), "euclid", rng=rng)
    assert len(render_lenses(lenses(0), "lsst", pixels=8, rng=rng)) == 0


@pytest.mark.recipe
def test_galaxies_become_lenses_and_images(tmp_path):
    pytest.importorskip("speclite")
    small = ["nside=128", "source_area=0.004 deg2", "pixels=32"]
    plan = load(RECIPE, set=small, seed=3)
    for name, workers in (("one", 0), ("two", 2)):
        run(plan, workspace=tmp_path / name, out=tmp_path / f"{name}.parquet", workers=workers)
    one, two = (read_table(tmp_path / f"{name}_lenses.parquet") for name in ("one", "two"))
    assert len(one) > 20
    for name in one.colnames:
        np.testing.assert_array_equal(one[name], two[name])
    assert set(np.asarray(one["cell"])) == {0, 1}
    seen = read_table(tmp_path / "one_seen.parquet")
    assert set(zip(seen["cell"], seen["object_id"], strict=True)) <= set(
        zip(one["cell"], one["object_id"], strict=True)
    )
    assert (one["z_s"] > one["z_l"]).all()
    stacks = [_flux(tmp_path / name) for name in ("one", "two")]
    np.testing.assert_array_equal(*stacks)
    assert len(stacks[0]) == (np.asarray(seen["cell"]) == 0).sum() > 0


def _flux(workspace):
    """Return the images of the first cell."""
    (folder,) = workspace.rglob("images@cell=0")
    with h5py.File(next(folder.resolve().rglob("*.h5"))) as stored:
        return stored["image/flux"][()]


def lit_lenses():
    """Return lenses with light, which differ."""
    e, phi = 0.2, np.array([0.3, 1.2, 2.5])
    light = {
        "z_l": np.array([0.3, 0.4, 0.5]),
        "z_s": np.array([1.0, 1.5, 2.0]),
        "theta_e": np.array([1.0, 1.3, 1.6]) << u.arcsec,
        "q": np.full(3, (1 - e) / (1 + e)),
        "phi": phi << u.rad,
        "gamma1": np.array([0.0, 0.03, -0.05]),
        "gamma2": np.array([0.02, 0.0, 0.04]),
        "e1": e * np.cos(2 * phi),
        "e2": e * np.sin(2 * phi),
        "source_q": np.full(3, (1 - e) / (1 + e)),
        "source_e1": np.full(3, e * np.cos(1.0)),
        "source_e2": np.full(3, e * np.sin(1.0)),
        "lens_mag_i": np.array([19.0, 19.5, 20.0]),
        "lens_angular_size": np.full(3, 0.6) << u.arcsec,
        "lens_ellipticity": np.full(3, 0.1),
        "lens_phi_light": np.full(3, 0.7) << u.rad,
        "lens_e1_light": np.full(3, 0.1 * np.cos(1.4)),
        "lens_e2_light": np.full(3, 0.1 * np.sin(1.4)),
    }
    return lenses(3, **light)


def test_a_table_of_lenses_feeds_files_of_deeplenstronomy(tmp_path, rng):
    """Images made the other way, from columns of the table, are those of `render_lenses`."""
    pytest.importorskip("skywright.sky.deeplenstronomy")
    from skywright.sky import (
        draw_lens_configuration,
        read_lens_configuration,
        render_lens_configuration,
    )

    table = lit_lenses()
    write_table(table, tmp_path / "lenses.parquet")
    shutil.copy(IMAGES, tmp_path)
    simulation = read_lens_configuration(tmp_path / IMAGES.name)
    rows = draw_lens_configuration(simulation, "CONFIGURATION_1", seed=4)
    theirs = render_lens_configuration(rows, simulation)
    ours = render_lenses(table, "lsst", pixels=32, rng=rng)
    sigma = np.sqrt(ours.variance[:, 0])
    unit = 10 ** (0.4 * (31.4 - 27.79))
    for image, z in zip(theirs.flux, rows["PLANE_1-REDSHIFT-i"], strict=True):
        mine = int(np.argmin(np.abs(np.asarray(table["z_l"]) - z)))
        difference = image[0] * unit - ours.flux[mine, 0]
        # two draws of noise differ by sqrt(2), and by the photons of the light in the middle
        assert np.std(difference[:8]) < 1.7 * sigma[mine]
        assert np.abs(np.mean(difference)) < 0.3 * sigma[mine]
