"""A made-up field of galaxies: cutouts, catalogue, known noise."""

from dataclasses import replace
from pathlib import Path

import astropy.units as u
import numpy as np
import pytest
import yaml
from astropy.io import fits
from astropy.table import QTable

from skywright.data import Images

BANDS = ("g", "r")
SIZE = 48


def make_field(n=40, quantised=False, seed=0):
    rng = np.random.default_rng(seed)
    variance = rng.uniform(1.0, 4.0, (n, 2, 1, 1)).astype(np.float32)
    flux = rng.normal(20.0, 1.0, (n, 2, SIZE, SIZE)).astype(np.float32) * np.sqrt(variance)
    galaxies = QTable(
        {
            "object_id": np.arange(n) * 7 + 100,
            "x": 300 + rng.uniform(-0.5, 0.5, n),
            "y": 400 + rng.uniform(-0.5, 0.5, n),
            "q": rng.uniform(0.4, 1.0, n),
            "theta": rng.uniform(-np.pi / 2, np.pi / 2, n) * u.rad,
            "radius": rng.uniform(1.5, 5.0, n) * u.pix,
            "flux_g": rng.lognormal(6, 1, n) * u.ct,
            "flux_r": rng.lognormal(6, 1, n) * u.ct,
        }
    )
    images = Images(
        flux=np.rint(flux) if quantised else flux,
        bands=BANDS,
        unit=u.ct,
        scale=0.2 * u.arcsec,
        object_id=np.asarray(galaxies["object_id"]),
        variance=variance,
        psf_fwhm=np.array([2.4, 2.1]),
        quantised=quantised,
        saturation=255.0 if quantised else None,
    )
    return galaxies, images


@pytest.fixture(scope="session")
def field():
    return make_field()


@pytest.fixture(scope="session")
def whole_field():
    return make_field(quantised=True)


@pytest.fixture(scope="session")
def without():
    """Return a function that takes a part away from images."""
    return lambda images, name: replace(images, **{name: None})


@pytest.fixture(scope="session")
def make_lens_config():
    """Return a maker of a small configuration of deeplenstronomy: lens, source, supernova."""
    text = (Path(__file__).parent / "small_lenses.yaml").read_text()
    return lambda: yaml.safe_load(text)


@pytest.fixture
def make_backgrounds(tmp_path):
    """Return a maker of a folder of background images, whose pixels hold their numbers."""

    def make(count, pixels, bands="gr"):
        folder = tmp_path / "backgrounds"
        folder.mkdir()
        cube = np.ones((count, pixels, pixels)) * np.arange(count)[:, None, None]
        for i, band in enumerate(bands):
            fits.writeto(folder / f"{band}.fits", (cube + 100 * i).astype(np.float32))
        return folder

    return make
