"""The published catalogue: what is in it, in which unit, and that other programs read it."""

import io

import astropy.units as u
import numpy as np
import pytest
from astropy.io import fits
from astropy.io.votable import parse_single_table
from astropy.io.votable.ucd import check_ucd
from astropy.table import QTable
from astropy.wcs import WCS

from skywright.data import Images, open_survey
from skywright.data.artefacts import load, save
from skywright.serve import candidates, products


@pytest.fixture
def ranked():
    """Three galaxies, out of order, without sky positions."""
    return QTable(
        {
            "object_id": np.array([7, 3, 5]),
            "tile": np.zeros(3, dtype=int),
            "x": [40.2, 60.0, 30.0],
            "y": [50.7, 20.0, 70.0],
            "ra": [np.nan] * 3,
            "dec": [np.nan] * 3,
            "flux_g": [1.0, 2.0, 3.0],
            "logit": [0.0, 3.0, -2.0],
            "spread": [0.1, 0.2, 0.3],
            "networks": [3, 3, 3],
            "probability": [0.2, 0.9, 0.01],
            "rank": [2, 1, 3],
            "expected_purity": [0.55, 0.9, 0.37],
            "inspect": [True, True, False],
            "known": [False, False, True],
            "einstein_radius": [10.0, 2.0, np.nan],
            "einstein_radius_error": [1.0, 1.0, np.nan],
        }
    )


@pytest.fixture
def survey(tmp_path):
    """Return a function that writes an image and opens it."""

    def write(wcs):
        header = fits.Header({"BUNIT": "nJy"})
        if wcs:
            header.update(
                {
                    "CTYPE1": "RA---TAN",
                    "CTYPE2": "DEC--TAN",
                    "CRPIX1": 50.0,
                    "CRPIX2": 45.0,
                    "CRVAL1": 150.0,
                    "CRVAL2": 2.0,
                    "CDELT1": -0.2 / 3600,
                    "CDELT2": 0.2 / 3600,
                    "CUNIT1": "deg",
                    "CUNIT2": "deg",
                }
            )
        pixels = np.random.default_rng(0).normal(size=(90, 100)).astype(np.float32)
        fits.writeto(tmp_path / "g.fits", pixels, header)
        scale = None if wcs else 0.2 * u.arcsec
        return open_survey({"g": str(tmp_path / "g.fits")}, scale=scale), pixels

    return write


def cut(pixels, ranked, size=12):
    """Cut by hand what the products should hold; the rows stand in another order."""
    rows = [1, 2, 0]
    flux = []
    for row in rows:
        x0 = int(np.floor(ranked["x"][row] + 0.5)) - size // 2
        y0 = int(np.floor(ranked["y"][row] + 0.5)) - size // 2
        flux.append(pixels[None, y0 : y0 + size, x0 : x0 + size])
    return Images(
        np.stack(flux),
        ("g",),
        u.nJy,
        0.2 * u.arcsec,
        object_id=np.asarray(ranked["object_id"])[rows],
    )


def with_sky(ranked, survey):
    ranked["ra"], ranked["dec"] = survey.tiles[0].sky(ranked["x"], ranked["y"])
    return ranked


def test_catalogue_is_sorted_and_has_units_and_ucds(ranked, survey):
    table = candidates(ranked, survey(wcs=False)[0])
    assert list(table["object_id"]) == [3, 7, 5]
    assert table["einstein_radius"].unit == u.arcsec
    assert table["einstein_radius"][1].value == pytest.approx(2.0)  # 10 pixels of 0.2 arcsec
    assert table["flux_g"].unit == u.nJy
    assert table["x"].unit == u.pix
    assert "ra" not in table.colnames
    for name in table.colnames:
        assert table[name].info.description
        assert check_ucd(table[name].info.meta["ucd"], check_controlled_vocabulary=True), name


def test_catalogue_keeps_the_sky_and_survives_the_disk(ranked, survey, tmp_path):
    opened, _ = survey(wcs=True)
    table = candidates(with_sky(ranked, opened), opened, top=2)
    save(table, tmp_path / "out")
    back = load(tmp_path / "out")
    assert len(back) == 2
    assert back["ra"].unit == u.deg
    assert back["ra"].info.meta["ucd"] == "pos.eq.ra;meta.main"
    assert back["probability"].info.description.startswith("Probability of a lens")


def test_radii_stay_in_pixels_without_a_scale(ranked, survey, tmp_path):
    opened, pixels = survey(wcs=False)
    fits.writeto(tmp_path / "bare.fits", pixels, fits.Header({"BUNIT": "ct"}))
    bare = open_survey({"g": str(tmp_path / "bare.fits")})
    table = candidates(ranked, bare)
    assert table["einstein_radius"].unit == u.pix
    assert table["einstein_radius"][1].value == 10
    assert opened.scale is not None


def test_a_table_that_was_never_ranked_is_refused(ranked, survey):
    del ranked["rank"]
    with pytest.raises(ValueError, match=r"expected rank, object_id.*skywright\.find\.rank"):
        candidates(ranked, survey(wcs=False)[0])


def test_votable_opens_elsewhere(ranked, survey):
    opened, pixels = survey(wcs=True)
    table = candidates(with_sky(ranked, opened), opened)
    files = products(table, cut(pixels, ranked))
    votable = parse_single_table(io.BytesIO(files.content["candidates.vot"]))
    assert votable.nrows == 3
    fields = {field.name: field for field in votable.fields}
    assert fields["ra"].ucd == "pos.eq.ra;meta.main"
    assert fields["einstein_radius"].unit == u.arcsec
    assert fields["rank"].description


def test_regions_lie_where_the_objects_are(ranked, survey):
    opened, pixels = survey(wcs=True)
    images = cut(pixels, ranked)
    on_sky = products(candidates(with_sky(ranked, opened), opened), images)
    text = on_sky.content["candidates.reg"].decode()
    assert "\nfk5\n" in text
    circles = [line for line in text.splitlines() if line.startswith("circle")]
    assert len(circles) == 3  # two to inspect, and the known lens
    ra, dec, radius = circles[1].partition("(")[2].partition(")")[0].split(",")
    assert float(ra) == pytest.approx(ranked["ra"][0], abs=1e-6)
    assert float(dec) == pytest.approx(ranked["dec"][0], abs=1e-6)
    assert radius == '2.000"'
    assert "color=cyan" in circles[2]

    ranked["ra"] = ranked["dec"] = np.full(3, np.nan)
    in_pixels = products(candidates(ranked, opened), images)
    text = in_pixels.content["candidates-tile0.reg"].decode()
    assert "\nimage\n" in text
    assert "circle(41.20,51.70,10.00) # text={2: p=0.2}" in text


def test_fits_cutouts_hold_the_pixels_and_the_place(ranked, survey):
    opened, pixels = survey(wcs=True)
    table = candidates(with_sky(ranked, opened), opened)
    files = products(table, cut(pixels, ranked), survey=opened, cutouts=2)
    with fits.open(io.BytesIO(files.content["cutouts.fits"])) as hdus:
        assert [hdu.name for hdu in hdus[1:]] == ["RANK0001", "RANK0002"]
        second = hdus["RANK0002"]
        header = second.header
        assert (header["OBJECT"], header["BUNIT"], header["BAND1"]) == ("7", "nJy", "g")
        assert header["PIXSCALE"] == pytest.approx(0.2)
        np.testing.assert_array_equal(second.data[0], pixels[45:57, 34:46])
        # the galaxy's own pixel, through the cutout's world coordinates
        x = ranked["x"][0] + header["LTV1"]
        y = ranked["y"][0] + header["LTV2"]
        ra, dec = WCS(header).celestial.wcs_pix2world(x, y, 0)
        assert ra == pytest.approx(header["RA"], abs=1e-7)
        assert dec == pytest.approx(header["DEC"], abs=1e-7)


def test_products_are_the_same_every_time(ranked, survey):
    opened, pixels = survey(wcs=True)
    table = candidates(with_sky(ranked, opened), opened)
    first, second = (products(table, cut(pixels, ranked), survey=opened) for _ in range(2))
    assert first.content == second.content


def test_a_candidate_without_cutout_is_an_error(ranked, survey):
    opened, pixels = survey(wcs=False)
    images = cut(pixels, ranked)[:2]
    with pytest.raises(ValueError, match="candidate 7 has no cutout"):
        products(candidates(ranked, opened), images)
