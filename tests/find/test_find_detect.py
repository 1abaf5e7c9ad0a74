"""Sources are found where they were painted, with the flux and shape they were given."""

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable, Table
from sky_pictures import grid, paint, write

from skywright.data import cut_out, open_survey
from skywright.data.artefacts import digest
from skywright.find.detect import detect
from skywright.find.positions import locate
from skywright.find.psf import fit_moffat, measure_psf
from skywright.find.select import select_galaxies

SHAPE = (420, 480)


@pytest.fixture(scope="module")
def sky(tmp_path_factory):
    """Half stars of sigma 1.5 pixels, half galaxies of sigma 3."""
    folder = tmp_path_factory.mktemp("sky")
    x, y = grid(SHAPE)
    sigma = np.where(np.arange(len(x)) % 2, 1.5, 3.0)
    flux = np.where(np.arange(len(x)) % 2, 2000.0, 6000.0)
    g = write(folder / "g.fits", paint(SHAPE, x, y, flux, sigma, seed=1), shape=SHAPE)
    r = write(folder / "r.fits", paint(SHAPE, x, y, 2 * flux, sigma, seed=2), shape=SHAPE)
    return open_survey({"g": g, "r": r}), (x, y, flux, sigma)


def near(sources, x, y):
    distance = np.hypot(sources["x"][:, None] - x, sources["y"][:, None] - y)
    return distance.argmin(axis=0), distance.min(axis=0)


def test_finds_everything_and_nothing_else(sky):
    survey, (x, y, flux, sigma) = sky
    sources = detect(survey, threshold=3.0)
    row, distance = near(sources, x, y)
    assert len(sources) == len(x)
    assert distance.max() < 0.2
    found = sources[row]
    assert sources["flux_g"].unit == u.nJy
    assert np.allclose(found["flux_g"].value, flux, rtol=0.08)
    assert np.allclose(found["flux_r"].value, 2 * flux, rtol=0.06)
    # Half of a round Gaussian lies within 1.177 sigma.
    assert np.allclose(found["radius"], 1.177 * sigma, rtol=0.08)
    assert np.allclose(found["a"], sigma, rtol=0.15)
    assert (found["q"] > 0.85).all()
    assert np.array_equal(found["point_like"], sigma < 2)
    ra, dec = survey.tiles[0].sky(found["x"], found["y"])
    assert np.array_equal(found["ra"].to_value(u.deg), ra)
    assert np.array_equal(found["dec"].to_value(u.deg), dec)


def test_signal_to_noise_is_that_of_the_aperture(sky):
    survey, (x, y, flux, sigma) = sky
    sources = detect(survey, threshold=3.0)
    row, _ = near(sources, x, y)
    # Two bands of noise 1, flux f and 2f: added they have 3f / sqrt(2) and noise 1. A Kron
    # aperture of 2.5 radii holds nearly all of it in pi r^2 pixels, r = 2.5 * 1.2533 sigma.
    expected = 3 * flux / np.sqrt(2) / np.sqrt(np.pi * (2.5 * 1.2533 * sigma) ** 2)
    assert np.allclose(sources["snr"][row], expected, rtol=0.2)


def test_an_ellipse_has_its_shape(tmp_path):
    line, column = np.mgrid[:200, :200] - 100.0
    angle = np.deg2rad(30)
    along = column * np.cos(angle) + line * np.sin(angle)
    across = -column * np.sin(angle) + line * np.cos(angle)
    image = 100 * np.exp(-0.5 * ((along / 6) ** 2 + (across / 3) ** 2))
    image += np.random.default_rng(0).normal(0, 0.5, image.shape)
    sources = detect(open_survey(write(tmp_path / "e.fits", image.astype("f4"))), threshold=4.0)
    main = sources[np.argmax(sources["snr"])]
    assert abs(main["q"] - 0.5) < 0.03
    assert abs(main["theta"] - angle) < 0.03
    assert abs(main["a"] - 6) < 0.4


def test_blocks_do_not_show(sky):
    survey, _ = sky
    whole = detect(survey, threshold=3.0)
    pieces = detect(survey, threshold=3.0, block=131)
    assert len(pieces) == len(whole)
    for name in ("x", "y", "flux_g", "snr", "radius"):
        assert np.allclose(np.asarray(pieces[name]), np.asarray(whole[name]), rtol=1e-4), name
    assert digest(detect(survey, threshold=3.0)) == digest(whole)


def test_blends_are_parted(tmp_path):
    image = paint((100, 100), [45.0, 57.0], [50.0, 50.0], [4000.0, 4000.0], [2.5, 2.5])
    assert len(detect(open_survey(write(tmp_path / "b.fits", image)), threshold=3.0)) == 2


def test_masked_and_infinite_pixels_make_no_source(tmp_path):
    image = paint((200, 200), [100.0], [100.0], [4000.0], [3.0])
    image[20:24, 20:24] = np.inf
    image[60, 60] = np.nan
    image[150:153, 30:33] = 1e6
    mask = np.zeros((200, 200), "i2")
    mask[149:154, 29:34] = 1
    survey = open_survey(write(tmp_path / "i.fits", image), mask=write(tmp_path / "m.fits", mask))
    sources = detect(survey, threshold=4.0)
    assert len(sources) == 1
    assert abs(sources["x"][0] - 100) < 0.2


def test_saturated_share(tmp_path):
    image = paint((100, 100), [50.0], [50.0], [40000.0], [3.0])
    image = np.minimum(image, 200)
    sources = detect(open_survey(write(tmp_path / "s.fits", image), saturation=200), threshold=3.0)
    assert 0.05 < sources["saturated"][0] < 0.6


def test_empty_field_is_an_empty_table_and_then_a_clear_error(tmp_path):
    image = np.random.default_rng(0).normal(0, 1, (200, 200)).astype("f4")
    survey = open_survey(write(tmp_path / "e.fits", image))
    sources = detect(survey, threshold=5.0)
    assert len(sources) == 0
    assert {"object_id", "tile", "x", "y", "flux_band1", "snr", "point_like"} <= set(
        sources.colnames
    )
    with pytest.raises(ValueError, match="no point-like source among 0"):
        measure_psf(survey, sources)
    psf = measure_psf(survey, sources, psf=3.0)
    with pytest.raises(ValueError, match="no usable galaxy among 0 sources"):
        select_galaxies(sources, psf=psf, size=32)


def test_a_constant_image_is_empty(tmp_path):
    survey = open_survey(write(tmp_path / "c.fits", np.full((200, 200), 7, "f4")))
    assert len(detect(survey)) == 0


@pytest.mark.parametrize("kind", ["csv", "ecsv", "fits", "parquet", "table", "sky"])
def test_positions_stand_in_for_detection(kind, sky, tmp_path):
    survey, (x, y, flux, _) = sky
    wanted = Table({"object_id": np.arange(5) + 70, "x": x[:5], "y": y[:5]})
    if kind == "sky":
        ra, dec = survey.tiles[0].sky(x[:5], y[:5])
        wanted = Table({"object_id": np.arange(5) + 70, "RA": ra, "DEC": dec})
    given = wanted
    if kind in ("csv", "ecsv", "fits"):
        given = str(tmp_path / f"p.{kind}")
        wanted.write(given)
    if kind == "parquet":
        from skywright.data.tables import write_table

        given = str(tmp_path / "p.parquet")
        write_table(wanted, tmp_path / "p.parquet")
    sources = detect(survey, positions=given, block=131)
    assert sources["object_id"].tolist() == [70, 71, 72, 73, 74]
    assert np.allclose(sources["x"], x[:5], atol=1e-6)
    assert np.allclose(sources["flux_g"].value, flux[:5], rtol=0.08)


def test_positions_where_nothing_is(sky):
    survey, _ = sky
    sources = detect(survey, positions=Table({"x": [3.0, 9999.0], "y": [3.0, 3.0]}))
    assert len(sources) == 1
    assert abs(sources["snr"][0]) < 6


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (Table({"a": [1]}), "expected x and y"),
        (Table({"x": ["b"], "y": [1]}), "no number"),
        (Table({"x": [-50.0], "y": [1.0]}), "inside the survey"),
        (Table({"ra": [220.0], "dec": [30.0]}), "inside the survey"),
        (Table({"x": [1.0, 2.0], "y": [1.0, 2.0], "id": [1, 1]}), "not unique"),
    ],
)
def test_bad_positions_are_refused(table, words, sky):
    with pytest.raises(ValueError, match=words):
        detect(sky[0], positions=table)


def test_known_objects_may_all_lie_elsewhere(sky):
    elsewhere = Table({"x": [-500.0], "y": [3.0]})
    with pytest.raises(ValueError, match="none of 1 positions lies inside"):
        locate(sky[0], elsewhere)
    assert len(locate(sky[0], elsewhere, required=False)) == 0


def test_missing_and_broken_tables_of_positions(sky, tmp_path):
    with pytest.raises(FileNotFoundError, match="no such table"):
        detect(sky[0], positions="nowhere.csv")
    (tmp_path / "p.fits").write_bytes(b"nonsense")
    with pytest.raises(ValueError, match="cannot be read as a table"):
        detect(sky[0], positions=str(tmp_path / "p.fits"))


def test_select_and_cut_out_agree(sky):
    survey, (_, _, _, sigma) = sky
    sources = detect(survey, threshold=3.0)
    psf = measure_psf(survey, sources)
    galaxies = select_galaxies(sources, psf=psf, size=64)
    assert 0 < len(galaxies) < (sigma > 2).sum()
    assert not galaxies["point_like"].any()
    assert len(cut_out(survey, galaxies, psf=psf, size=64)) == len(galaxies)


def test_tiles_are_searched_one_by_one(tmp_path):
    images = [paint((200, 200), [80.0 + 20 * i], [90.0], [4000.0], [3.0], seed=i) for i in (0, 1)]
    survey = open_survey([write(tmp_path / f"{i}.fits", im) for i, im in enumerate(images)])
    sources = detect(survey, threshold=4.0)
    assert sources["tile"].tolist() == [0, 1]
    assert np.allclose(sources["x"], [80, 100], atol=0.3)
    assert len(np.unique(sources["object_id"])) == 2


def test_a_mosaic_of_3000_pixels(tmp_path):
    """The small form of the 20,000 pixel mosaic in verify/bad_data.py."""
    x, y = grid((3000, 3000), 200)
    image = paint((3000, 3000), x, y, np.full(len(x), 3000.0), np.full(len(x), 3.0))
    survey = open_survey(write(tmp_path / "m.fits", image))
    sources = detect(survey, threshold=4.0, block=1024)
    assert len(sources) == len(x)
    psf = measure_psf(survey, sources, psf="0.6 arcsec")
    galaxies = select_galaxies(sources, psf=psf, size=48)
    cutouts = cut_out(survey, galaxies, psf=psf, size=48)
    assert len(cutouts) == len(x)
    middle = cutouts.flux[:, 0, 22:27, 22:27].mean(axis=(1, 2))
    assert (middle > 30).all()


def test_hubble_deep_field_has_its_galaxies():
    survey = open_survey("hubble-deep-field")
    sources = detect(survey)
    psf = measure_psf(survey, sources)
    galaxies = select_galaxies(sources, psf=psf, size=48)
    assert 500 < len(galaxies) < 700
    assert ((psf.fwhm > 1.5) & (psf.fwhm < 3)).all()
    assert psf.upper_limit
    assert "upper limit" in psf.origin
    assert isinstance(galaxies, QTable)
    # The large red elliptical and the face-on spiral of the picture.
    for x, y in ((290, 108), (124, 401)):
        assert np.hypot(galaxies["x"] - x, galaxies["y"] - y).min() < 4


def test_moffat_is_recovered():
    line, column = np.mgrid[-12:13, -12:13]
    r2 = (line**2 + column**2).ravel().astype(float)
    for fwhm, beta in ((2.0, 3.0), (4.5, 2.5), (3.0, 8.0)):
        core = fwhm / 2 / np.sqrt(2 ** (1 / beta) - 1)
        found = fit_moffat(r2, (1 + r2 / core**2) ** -beta)
        assert np.allclose(found, (fwhm, beta), rtol=0.01)


def test_psf_is_measured_from_stars(sky):
    survey, _ = sky
    psf = measure_psf(survey, detect(survey, threshold=3.0))
    # Painted at pixel centres, so the pixel does not widen it: 2.3548 sigma.
    assert np.allclose(psf.fwhm, 2.3548 * 1.5, rtol=0.03)
    assert np.allclose(psf.half_light, 1.1774 * 1.5, rtol=0.05)
    assert not psf.upper_limit
    assert psf.origin.startswith(f"measured from {psf.stars} point-like")


def test_psf_is_taken_as_given(sky, tmp_path):
    survey, _ = sky
    sources = detect(survey, threshold=3.0)[:0]
    assert np.allclose(measure_psf(survey, sources, psf="0.9 arcsec").fwhm, 4.5)
    assert np.allclose(
        measure_psf(survey, sources, psf={"g": 3, "r": 0.5 * u.arcsec}).fwhm, [3, 2.5]
    )
    line, column = np.mgrid[-10:11, -10:11]
    kernel = np.exp(-0.5 * (line**2 + column**2) / 2.0**2)
    path = write(tmp_path / "psf.fits", kernel.astype("f4"))
    psf = measure_psf(survey, sources, psf=path)
    assert psf.origin == "given"
    assert psf.kernel.shape == (2, 21, 21)
    assert np.allclose(psf.kernel.sum(axis=(1, 2)), 1)
    assert np.allclose(psf.fwhm, 4.71, rtol=0.02)


@pytest.mark.parametrize(
    ("psf", "words"),
    [({"g": 3}, "expected"), ("3 Jy", "Jy"), (-1, "positive"), ("nowhere.fits", "nowhere")],
)
def test_bad_psf_is_refused(psf, words, sky):
    with pytest.raises((ValueError, OSError, u.UnitsError), match=words):
        measure_psf(sky[0], QTable(), psf=psf)
