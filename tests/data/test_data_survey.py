"""Files become a survey with units and sizes, or a clear error."""

import os
from dataclasses import replace

import astropy.units as u
import h5py
import numpy as np
import pytest
from astropy.io import fits
from PIL import Image
from sky_pictures import header, paint, write

from skywright.data import open_survey, searched_area
from skywright.data.artefacts import digest, load, save
from skywright.data.fetch import path as data_path

SHAPE = (120, 150)
needs_data = pytest.mark.skipif(
    not os.environ.get("SKYWRIGHT_DATA"), reason="SKYWRIGHT_DATA names no folder of public data"
)


@pytest.fixture
def image():
    return paint(SHAPE, [40.0], [50.0], [500.0], [2.0])


@pytest.fixture
def one(image, tmp_path):
    return write(tmp_path / "g.fits", image)


def test_single_band(one, image):
    survey = open_survey(one)
    assert survey.bands == ("band1",)
    assert survey.unit == u.nJy
    assert abs(survey.scale - 0.2 * u.arcsec) < 1e-6 * u.arcsec
    flux, variance, mask = survey.tiles[0].read(10, 30, 5, 25)
    assert np.array_equal(flux[0], image[10:30, 5:25])
    assert variance is None
    assert not mask.any()
    ra, dec = survey.tiles[0].sky([149.0], [149.0])
    assert abs(ra[0] - 40) < 1e-3
    assert abs(dec[0] + 30) < 1e-3


def test_bands_weights_and_masks(image, one, tmp_path):
    second = write(tmp_path / "r.fits", 2 * image)
    weight = np.full(SHAPE, 4.0, "f4")
    weight[0, 0] = 0
    hidden = np.zeros(SHAPE, "i2")
    hidden[1, 1] = 8
    w = write(tmp_path / "w.fits", weight)
    m = write(tmp_path / "m.fits", hidden)
    survey = open_survey({"g": one, "r": second}, weight=w, mask=m, zero_point={"g": 30, "r": 29})
    assert survey.zero_point == {"g": 30.0, "r": 29.0}
    flux, variance, mask = survey.tiles[0].read(0, 5, 0, 5)
    assert flux.shape == (2, 5, 5)
    assert np.all(variance[:, 2:] == 0.25)
    assert np.argwhere(mask).tolist() == [[0, 0], [1, 1]]
    assert np.all(flux[:, mask] == 0)
    assert np.allclose(flux[1], 2 * flux[0])


@pytest.mark.parametrize("kind", ["cube", "extensions", "compressed", "hdf5", "gz"])
def test_formats_hold_the_same_pixels(kind, image, tmp_path):
    stack = np.stack([image, image + 1])
    options = {}
    if kind == "cube":
        path = write(tmp_path / "c.fits", stack)
        options["bands"] = ["a", "b"]
    elif kind == "gz":
        path = write(tmp_path / "c.fits.gz", stack)
        options["bands"] = ["a", "b"]
    elif kind == "hdf5":
        path = str(tmp_path / "c.h5")
        with h5py.File(path, "w") as store:
            store["image/flux"] = stack
            store["other"] = np.arange(3)
        options = {"bands": ["a", "b"], "unit": "nJy", "scale": "0.2 arcsec"}
    else:
        path = str(tmp_path / "e.fits")
        make = fits.CompImageHDU if kind == "compressed" else fits.ImageHDU
        extra = {"compression_type": "GZIP_2", "quantize_level": 0} if kind == "compressed" else {}
        hdus = [make(p, header(), name=n, **extra) for n, p in zip("AB", stack, strict=True)]
        fits.HDUList([fits.PrimaryHDU(), *hdus]).writeto(path)
    survey = open_survey(path, **options)
    assert survey.bands == ("a", "b")
    assert np.array_equal(survey.tiles[0].read(3, 90, 7, 66)[0], stack[:, 3:90, 7:66])
    save(survey, tmp_path / "s")
    assert load(tmp_path / "s") == survey
    assert digest(load(tmp_path / "s")) == digest(survey)


def test_companion_extensions_have_to_be_named(image, tmp_path):
    path = tmp_path / "m.fits"
    hdus = [fits.ImageHDU(image, header(), name=n) for n in ("SCI1", "RMS1")]
    fits.HDUList([fits.PrimaryHDU(), *hdus]).writeto(path)
    with pytest.raises(ValueError, match=r"SCI1.*name them"):
        open_survey(str(path))
    assert open_survey(f"{path}[SCI1]").tiles[0].shape == SHAPE
    assert open_survey({"g": f"{path}[1]"}).bands == ("g",)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "LA", "P", "I;16"])
def test_pictures(mode, tmp_path):
    rng = np.random.default_rng(2)
    if mode == "I;16":
        picture = Image.fromarray(rng.integers(0, 60000, (20, 30)).astype(np.uint16))
    else:
        picture = Image.fromarray(rng.integers(0, 256, (20, 30, 3)).astype(np.uint8)).convert(mode)
    if "A" in mode:
        alpha = np.full((20, 30), 255, np.uint8)
        alpha[0] = 0
        picture.putalpha(Image.fromarray(alpha))
    path = tmp_path / "p.png"
    picture.save(path)
    survey = open_survey(str(path), unit="ct")
    assert len(survey.bands) == (3 if mode in ("RGB", "RGBA", "P") else 1)
    assert survey.quantised
    assert survey.saturation == (65535 if mode == "I;16" else 255)
    assert survey.scale is None
    assert "no world coordinate system" in survey.reason
    mask = survey.tiles[0].read(0, 20, 0, 30)[2]
    assert mask.sum() == (30 if "A" in mode else 0)


def test_bad_pixels_are_masked(image, tmp_path):
    image[3, 4], image[5, 6], image[7, 8] = np.nan, np.inf, -np.inf
    flux, _, mask = open_survey(write(tmp_path / "n.fits", image)).tiles[0].read(0, 10, 0, 10)
    assert np.argwhere(mask).tolist() == [[3, 4], [5, 6], [7, 8]]
    assert np.isfinite(flux).all()


def test_tiles_have_to_agree(one, image, tmp_path):
    other = write(tmp_path / "t.fits", image, ra=41.0)
    assert len(open_survey([one, other]).tiles) == 2
    coarse = write(tmp_path / "u.fits", image, scale=0.4)
    with pytest.raises(ValueError, match="wide"):
        open_survey([one, coarse])
    with pytest.raises(ValueError, match="bands"):
        open_survey([one, {"z": other}])
    with pytest.raises(ValueError, match="one a tile"):
        open_survey([one, other], mask=one)


def refused(tmp_path, image, case):
    """Return (image argument, options, error, words) of one broken input."""
    write(tmp_path / "good.fits", image)
    bad = tmp_path / "bad.fits"
    match case:
        case "missing":
            return "nowhere.fits", {}, FileNotFoundError, "no such image"
        case "empty file":
            bad.write_bytes(b"")
            return str(bad), {}, ValueError, "is empty"
        case "truncated":
            content = (tmp_path / "good.fits").read_bytes()
            bad.write_bytes(content[: len(content) // 2])
            return str(bad), {}, ValueError, "truncated"
        case "truncated header":
            bad.write_bytes((tmp_path / "good.fits").read_bytes()[:1000])
            return str(bad), {}, ValueError, "bad.fits"
        case "truncated gz":
            whole = tmp_path / "g.fits.gz"
            write(whole, image)
            whole.write_bytes(whole.read_bytes()[:-4000])
            return str(whole), {}, ValueError, "g.fits.gz"
        case "truncated jpeg":
            path = tmp_path / "p.jpg"
            Image.fromarray(np.zeros((90, 90, 3), np.uint8)).save(path)
            path.write_bytes(path.read_bytes()[:-400])
            return str(path), {"unit": "ct"}, ValueError, "p.jpg"
        case "wrong type":
            path = tmp_path / "notes.txt"
            path.write_text("not an image")
            return str(path), {}, ValueError, "not a type"
        case "wrong content":
            bad.write_text("not an image " * 400)
            return str(bad), {}, ValueError, "bad.fits"
        case "no image":
            fits.PrimaryHDU().writeto(bad)
            return str(bad), {}, ValueError, "no image"
        case _:
            return refused_content(tmp_path, image, case)


def refused_content(tmp_path, image, case):
    """Return the same of one input whose file is sound, but not what is in it."""
    good = write(tmp_path / "good.fits", image)
    bad = tmp_path / "bad.fits"
    match case:
        case "no pixels":
            path = tmp_path / "z.h5"
            with h5py.File(path, "w") as store:
                store["flux"] = np.zeros((0, 5))
            return str(path), {"unit": "ct"}, ValueError, "no pixels"
        case "all NaN":
            return write(bad, image * np.nan), {}, ValueError, "no pixel of band"
        case "no unit":
            return write(bad, image, unit=""), {}, ValueError, "unit='ct'"
        case "strange unit":
            return write(bad, image, unit="parrots"), {}, ValueError, "parrots"
        case "two units":
            return {"g": good, "r": write(bad, image, unit="Jy")}, {}, ValueError, "one unit"
        case "two shapes":
            return {"g": good, "r": write(bad, image[:-1])}, {}, ValueError, "shape"
        case "two skies":
            return {"g": good, "r": write(bad, image, dec=-30.001)}, {}, ValueError, "disagree"
        case "wrong scale":
            return good, {"scale": "0.5 arcsec"}, ValueError, "wide"
        case "scale without unit":
            return good, {"scale": 0.2}, ValueError, "angle per pixel"
        case "half a zero point":
            return {"g": good, "r": good}, {"zero_point": {"g": 30}}, ValueError, "zero_point"
        case "zero point in Jy":
            return good, {"zero_point": 3 * u.Jy}, u.UnitsError, "zero_point"
        case "weight of another shape":
            return good, {"weight": write(bad, image[:-1])}, ValueError, "weight"
        case "no tiles":
            return [], {}, ValueError, "empty list"
        case "a number":
            return 3, {}, TypeError, "file name"
        case "four axes":
            return write(bad, image[None, None]), {}, ValueError, "shape"
    raise AssertionError(case)


CASES = [
    *("missing", "empty file", "truncated", "truncated header", "truncated gz", "truncated jpeg"),
    *("wrong type", "wrong content", "no image", "no pixels", "all NaN", "no unit"),
    *("strange unit", "two units", "two shapes", "two skies", "wrong scale"),
    *("scale without unit", "half a zero point", "zero point in Jy", "weight of another shape"),
    *("no tiles", "a number", "four axes"),
]


@pytest.mark.parametrize("case", CASES)
def test_bad_input_is_refused(case, image, tmp_path):
    source, options, error, words = refused(tmp_path, image, case)
    with pytest.raises(error, match=words):
        open_survey(source, **options)


def test_window_outside_is_refused(one):
    with pytest.raises(ValueError, match="leaves tile"):
        open_survey(one).tiles[0].read(0, 121, 0, 10)


@needs_data
def test_des_lens():
    folder = data_path("des-lens")
    name = "DESJ033056.9318-522813.0188"
    survey = open_survey(
        {b: str(folder / f"{name}_{b}_sci.fits") for b in "griz"},
        weight={b: str(folder / f"{name}_{b}_wht.fits") for b in "griz"},
        unit="adu",
    )
    assert survey.tiles[0].shape == (100, 100)
    assert abs(survey.scale.to_value(u.arcsec) - 0.263) < 1e-3
    _, variance, mask = survey.tiles[0].read(0, 100, 0, 100)
    assert (variance[:, ~mask] > 0).all()


@needs_data
def test_euclid_lens():
    path = data_path("euclid-lens")
    with pytest.raises(ValueError, match="VIS_BGSUB"):
        open_survey(str(path))
    survey = open_survey({"VIS": f"{path}[VIS_BGSUB]"}, unit="nJy")
    assert survey.scale is not None
    flux, _, mask = survey.tiles[0].read(0, 100, 0, 100)
    assert flux[:, ~mask].std() > 0


def test_area_leaves_out_edges_and_bad_pixels(tmp_path):
    image = paint((700, 300), [], [], [], [])
    image[600:610, 100:200] = np.nan
    survey = open_survey(write(tmp_path / "a.fits", image, scale=0.2, shape=(700, 300)))
    centres = sum(24 <= y <= 676 and 24 <= x <= 276 for y in range(700) for x in range(300))
    expected = (centres - 1000) * (0.2 / 3600) ** 2
    assert searched_area(survey, size=48).to_value(u.deg**2) == pytest.approx(expected)
    assert searched_area(survey, size=400).value == 0
    pixels = open_survey("hubble-deep-field")
    assert 0.89 < float(searched_area(pixels, size=48) / pixels.area) < 0.91
    assert searched_area(replace(survey, scale=None, reason="a picture"), size=48) is None


def test_no_picture_starts_a_program(tmp_path, monkeypatch):
    started = tmp_path / "started"
    (tmp_path / "gs").write_text(f"#!/bin/sh\ntouch {started}\n")
    (tmp_path / "gs").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    picture = tmp_path / "p.png"
    picture.write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n%%EOF\n")
    with pytest.raises(OSError, match="cannot identify image file"):
        open_survey(picture, scale="1 arcsec", unit="ct")
    assert not started.exists()
