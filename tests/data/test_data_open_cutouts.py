"""Stacks of cutouts become surveys of small tiles, or a clear error."""

import os
from pathlib import Path

import astropy.units as u
import numpy as np
import pytest
from astropy.io import fits

from skywright.data import Survey, Tile, central_positions, open_cutouts
from skywright.data.artefacts import digest, load, save

SCALE = "0.263 arcsec"
needs_data = pytest.mark.skipif(
    not os.environ.get("SKYWRIGHT_DATA"), reason="SKYWRIGHT_DATA names no folder of public data"
)


@pytest.fixture
def stacks():
    rng = np.random.default_rng(3)
    return {band: rng.normal(size=(4, 30, 31)).astype("f4") for band in "grz"}


def _write(folder, stacks):
    for band, stack in stacks.items():
        fits.writeto(folder / f"{band}.fits", stack)
    return {band: str(folder / f"{band}.fits") for band in stacks}


def test_cutout_i_is_tile_i(stacks, tmp_path):
    survey = open_cutouts(
        _write(tmp_path, stacks), scale=SCALE, zero_point=30, gain={**dict.fromkeys("grz", 4)}
    )
    assert survey.bands == ("g", "r", "z")
    assert survey.scale == 0.263 * u.arcsec
    assert survey.zero_point == dict.fromkeys("grz", 30.0)
    assert len(survey.tiles) == 4
    for index, tile in enumerate(survey.tiles):
        flux, variance, bad = tile.read(5, 20, 3, 30)
        np.testing.assert_array_equal(flux, [stacks[b][index, 5:20, 3:30] for b in "grz"])
        assert variance is None
        assert not bad.any()


def test_pixels_that_are_not_finite_are_masked(stacks, tmp_path):
    stacks["r"][2, 7, 9] = np.nan
    survey = open_cutouts(_write(tmp_path, stacks), scale=SCALE)
    flux, _, bad = survey.tiles[2].read(0, 30, 0, 31)
    assert np.argwhere(bad).tolist() == [[7, 9]]
    assert not flux[:, 7, 9].any()


def test_centres_are_the_middle_of_each_tile(stacks, tmp_path):
    centres = central_positions(open_cutouts(_write(tmp_path, stacks), scale=SCALE))
    assert centres["object_id"].tolist() == centres["tile"].tolist() == [0, 1, 2, 3]
    assert set(centres["x"]) == {15.0}
    assert set(centres["y"]) == {14.5}


def test_without_cutouts_the_stand_in_is_searched():
    stand_in = _made(np.zeros((1, 8, 8)))
    assert open_cutouts(None, scale=SCALE, stand_in=stand_in) is stand_in
    with pytest.raises(ValueError, match="or a stand_in"):
        open_cutouts(None, scale=SCALE)


def test_a_tile_of_pixels_is_stored_and_read_like_a_file(tmp_path):
    pixels = np.random.default_rng(0).normal(size=(1, 8, 9)).astype("f4")
    survey = _made(pixels)
    save(survey, tmp_path / "kept")
    again = load(tmp_path / "kept")
    np.testing.assert_array_equal(again.tiles[0].read(0, 8, 0, 9)[0], pixels)
    assert digest(again) == digest(survey)
    assert digest(_made(pixels + 1)) != digest(survey)
    again.tiles[0].read(2, 4, 2, 4)[0][:] = 7
    np.testing.assert_array_equal(again.tiles[0].read(0, 8, 0, 9)[0], pixels)


def _made(pixels):
    return Survey((Tile("made", pixels.shape[1:], pixels),), ("g",), u.ct, 0.263 * u.arcsec)


def _fewer(stacks):
    stacks["z"] = stacks["z"][:3]


def _smaller(stacks):
    stacks["z"] = stacks["z"][:, :, :30]


def _empty(stacks):
    stacks["r"][1] = np.nan


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_fewer, r"band 'z' has 3 cutouts of \(30, 31\) pixels, band 'g' 4"),
        (_smaller, r"band 'z' has 4 cutouts of \(30, 30\)"),
        (_empty, "no pixel of band 'r of cutout 1' is finite"),
    ],
)
def test_stacks_that_do_not_match_are_refused(stacks, tmp_path, spoil, message):
    spoil(stacks)
    with pytest.raises(ValueError, match=message):
        open_cutouts(_write(tmp_path, stacks), scale=SCALE)


def test_what_cannot_be_understood_is_refused(stacks, tmp_path):
    files = _write(tmp_path, stacks)
    for given, message in (
        ({"cutouts": {}}, "empty mapping"),
        ({"cutouts": "des-background"}, "expected a mapping band: file"),
        ({"scale": "0.263 mag"}, "expected an angle per pixel"),
        ({"scale": "-1 arcsec"}, "expected an angle per pixel"),
        ({"unit": "furlong of light"}, "no unit that astropy knows"),
        ({"zero_point": {"g": 30}}, "zero_point has the bands"),
        ({"gain": float("nan")}, "expected a finite number"),
    ):
        with pytest.raises(ValueError, match=message):
            open_cutouts(**({"cutouts": files, "scale": SCALE} | given))
    broken = Path(files["r"])
    broken.write_bytes(broken.read_bytes()[:4000])
    with pytest.raises(ValueError, match="truncated"):
        open_cutouts(files, scale=SCALE)
    with pytest.raises(FileNotFoundError, match="no such image"):
        open_cutouts({"g": str(tmp_path / "none.fits")}, scale=SCALE)


def test_public_data_that_are_not_here_are_asked_for(monkeypatch, tmp_path):
    monkeypatch.setenv("SKYWRIGHT_DATA", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="skywright data fetch des-backgrounds"):
        open_cutouts("des-backgrounds", scale=SCALE)


@needs_data
def test_the_46_cutouts():
    survey = open_cutouts("des-backgrounds", scale=SCALE)
    folder = Path(os.environ["SKYWRIGHT_DATA"]) / "strong_lenses" / "des_background_images"
    assert survey.bands == ("g", "r", "i", "z", "Y")
    assert {tile.shape for tile in survey.tiles} == {(91, 91)}
    assert len(survey.tiles) == 46
    expected = fits.getdata(folder / "z.fits")[45]
    np.testing.assert_array_equal(survey.tiles[45].read(0, 91, 0, 91)[0][3], expected)
