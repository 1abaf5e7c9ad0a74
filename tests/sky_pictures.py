"""Skies made for tests: round galaxies and stars of known place and flux on Gaussian noise."""

from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS


def paint(shape, x, y, flux, sigma, noise=1.0, seed=0, sky=5.0):
    """Return an image with Gaussian sources; nothing of skywright is used."""
    rng = np.random.default_rng(seed)
    image = rng.normal(sky, noise, shape).astype(np.float32)
    for px, py, f, s in zip(x, y, flux, sigma, strict=True):
        reach = int(8 * s)
        y0, y1 = max(0, int(py) - reach), min(shape[0], int(py) + reach)
        x0, x1 = max(0, int(px) - reach), min(shape[1], int(px) + reach)
        line, column = np.mgrid[y0:y1, x0:x1]
        r2 = (column - px) ** 2 + (line - py) ** 2
        image[y0:y1, x0:x1] += f * np.exp(-0.5 * r2 / s**2) / (2 * np.pi * s**2)
    return image


def grid(shape, step=60):
    """Return positions of a grid of sources, off pixel centres."""
    y, x = np.mgrid[step // 2 : shape[0] - step // 3 : step, step // 2 : shape[1] - 9 : step]
    return x.ravel() + 0.3, y.ravel() - 0.2


def header(unit="nJy", scale=0.2, ra=40.0, dec=-30.0, shape=(300, 300)):
    """Return a FITS header with a tangent projection."""
    world = WCS(naxis=2)
    world.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    world.wcs.crval = [ra, dec]
    world.wcs.crpix = [shape[1] / 2, shape[0] / 2]
    world.wcs.cdelt = [-scale / 3600, scale / 3600]
    result = world.to_header()
    if unit:
        result["BUNIT"] = unit
    return result


def write(path: Path, image, **options) -> str:
    """Write a FITS file and return its name."""
    fits.PrimaryHDU(image, header(**options)).writeto(path, overwrite=True)
    return str(path)
