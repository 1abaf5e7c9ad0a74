"""Small painted samples whose truth is known because plain numpy painted them."""

import signal

import astropy.units as u
import numpy as np
import pytest

from skywright.data import Images

# Started in the background by a shell, pytest and all it starts would ignore the interrupts that
# some tests send.
signal.signal(signal.SIGINT, signal.default_int_handler)


def paint(labels, size=32, seed=0, snr=40.0, bands=("g", "r", "i")):
    """Galaxies with an arc (label 1) or with a round companion of the same flux (label 0)."""
    rng = np.random.default_rng(seed)
    middle = (size - 1) / 2
    y, x = np.mgrid[:size, :size] - middle
    flux = np.empty((len(labels), len(bands), size, size), dtype=np.float32)
    radius = rng.uniform(5, size / 2 - 5, len(labels))
    for i, label in enumerate(labels):
        galaxy = 30 * np.exp(-np.hypot(x, y / rng.uniform(0.7, 1)) / 2)
        angle = rng.uniform(0, 2 * np.pi)
        turn = np.angle(np.exp(1j * (np.arctan2(y, x) - angle)))
        if label:
            light = np.exp(-0.5 * ((np.hypot(x, y) - radius[i]) ** 2 + (turn / 0.5) ** 2))
        else:
            dx, dy = x - radius[i] * np.cos(angle), y - radius[i] * np.sin(angle)
            light = np.exp(-0.5 * (dx**2 + dy**2) / 1.5**2)
        light *= snr / np.sqrt(len(bands) * (light**2).sum())
        colour = np.linspace(1.3, 0.7, len(bands))[:, None, None]
        noise = rng.normal(size=(len(bands), size, size))
        flux[i] = 2.0 * (galaxy / colour + light * colour + noise)
    variance = np.full((len(labels), len(bands), 1, 1), 4.0, dtype=np.float32)
    images = Images(
        flux=flux,
        bands=tuple(bands),
        unit=u.nJy,
        scale=0.2 * u.arcsec,
        object_id=np.arange(len(labels)) + 1000,
        variance=variance,
        psf_fwhm=np.full(len(bands), 2.5),
    )
    return images, radius


@pytest.fixture(scope="session")
def arcs():
    """Return images, labels, roles and radii of 360 painted galaxies."""
    rng = np.random.default_rng(5)
    labels = rng.permutation(np.arange(360) % 2)
    images, radius = paint(labels)
    roles = np.array(["train"] * 200 + ["validation"] * 60 + ["test"] * 100)
    return images, labels, roles, radius


@pytest.fixture(scope="session")
def paint_arcs():
    """Return the painter: ``paint(labels, size, seed, snr, bands) -> (Images, radius)``."""
    return paint


@pytest.fixture(scope="session")
def fitted(arcs):
    """Return a small net fitted on the painted galaxies."""
    from skywright.learn import fit
    from skywright.nets import ResNet

    images, labels, roles, _ = arcs
    return fit(
        ResNet, images=images, labels=labels, roles=roles, options={"width": 8}, epochs=24, seed=1
    )
