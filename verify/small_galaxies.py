"""Galaxies of three kinds from the package's own sky, and a small net that tells them apart.

Ellipticals, spirals and lenses in g, r, i: 32 x 32 pixels of 0.263 arcsec, seeing 0.9 arcsec, 900 s
a band, Poisson noise. Pixels are electrons above the sky. Colours overlap, and so do faint arcs
with none: some galaxies cannot be told.
"""

from __future__ import annotations

import astropy.units as u
import numpy as np
import torch
from torch import nn

from skywright.data import Images
from skywright.nets import ResNet
from skywright.sky import gaussian_psf, render, sersic, spiral

SCALE, PIXELS, SEEING = 0.263, 32, 0.9
BANDS = ("g", "r", "i")
SKY = np.array([1800.0, 4500.0, 9000.0])  # electrons per pixel: 22.0, 21.0, 20.0 mag/arcsec2
ZERO_POINT = 2.5 * np.log10(SKY / SCALE**2) + np.array([22.0, 21.0, 20.0])  # of one electron
KINDS = ("elliptical", "spiral", "lens")
# colours g - r and r - i
# magnitudes in r of galaxies and of what they lens
BRIGHT = ((19.5, 22.0), (24.0, 26.5))
FAINT = ((20.5, 22.8), (25.0, 27.0))
Magnitudes = tuple[tuple[float, float], tuple[float, float]]
COLOURS = np.array([[0.8, 0.35], [0.6, 0.25], [0.8, 0.35]])


def draw_galaxies(
    n: int, rng: np.random.Generator, magnitudes: Magnitudes = BRIGHT
) -> tuple[Images, np.ndarray]:
    """Return noisy images of ``n`` galaxies and their kinds, 0 to 2."""
    kinds = rng.permutation(np.arange(n) % 3)
    flux = np.empty((n, 3, PIXELS, PIXELS))
    for kind in range(3):
        rows = np.flatnonzero(kinds == kind)
        for start in range(0, len(rows), 256):
            block = rows[start : start + 256]
            flux[block] = _render(kind, len(block), rng, magnitudes)
    sky = SKY[:, None, None]
    noisy = rng.poisson(np.maximum(flux, 0) + sky) - sky
    images = Images(
        flux=noisy.astype(np.float32),
        bands=BANDS,
        unit=u.electron,
        scale=SCALE * u.arcsec,
        object_id=np.arange(n),
        variance=np.broadcast_to(sky, (n, 3, 1, 1)).astype(np.float32),
        psf_fwhm=np.full(3, SEEING / SCALE),
    )
    return images, kinds


def _render(kind: int, n: int, rng: np.random.Generator, magnitudes: Magnitudes) -> np.ndarray:
    def draw(low: float, high: float) -> torch.Tensor:
        return torch.as_tensor(rng.uniform(low, high, n))

    light = {
        "profile": spiral if kind == 1 else sersic,
        "amplitude": _flux(rng.uniform(*magnitudes[0], n), COLOURS[kind], rng),
        "radius": draw(0.7, 1.5),
        "q": draw(0.5, 1.0),
        "phi": draw(0, np.pi),
        "x0": draw(-0.15, 0.15),
        "y0": draw(-0.15, 0.15),
    }
    light |= {"arms": 2.0, "turn": draw(0, np.pi)} if kind == 1 else {"n": 4.0}
    lens, source = None, None
    if kind == 2:
        lens = {"theta_e": draw(0.9, 1.8), "q": draw(0.6, 0.95), "phi": draw(0, np.pi)}
        source = {
            "amplitude": _flux(rng.uniform(*magnitudes[1], n), np.array([0.2, 0.1]), rng),
            "radius": draw(0.15, 0.35),
            "x0": draw(-0.35, 0.35),
            "y0": draw(-0.35, 0.35),
        }
    psf = gaussian_psf(SEEING)
    image = render(lens, source, lens_light=light, pixels=PIXELS, scale=SCALE, psf=psf)
    return image.numpy()


def _flux(r: np.ndarray, colours: np.ndarray, rng: np.random.Generator) -> torch.Tensor:
    """Return electrons (n, 1, band) of galaxies of magnitude r with scattered colours."""
    gr, ri = (colours[:, None] + rng.normal(0, 0.15, (2, len(r)))).tolist()
    magnitudes = np.stack([r + np.array(gr), r, r - np.array(ri)], axis=1)
    return torch.as_tensor(10 ** (-0.4 * (magnitudes - ZERO_POINT)))[:, None]


def scale(flux: np.ndarray) -> torch.Tensor:
    """Return what the net sees: the arcsinh of signal over noise of the sky."""
    snr = flux / np.sqrt(SKY, dtype=np.float32)[:, None, None]
    return torch.from_numpy(np.arcsinh(snr).astype(np.float32))


def train(
    images: Images, kinds: np.ndarray, *, epochs: int = 12, width: int = 8, seed: int = 0
) -> nn.Module:
    """Return a net of three outputs, trained with turns and mirror images."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    net = ResNet(3, width=width, outputs=3)
    x, y = scale(np.asarray(images.flux)), torch.from_numpy(kinds)
    batches = [len(x) // 64, 64]
    optimiser = torch.optim.AdamW(net.parameters(), lr=1e-2, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 1e-2, epochs * batches[0])
    for _ in range(epochs):
        order = torch.from_numpy(rng.permutation(len(x))[: batches[0] * batches[1]])
        for rows in order.reshape(batches):
            view = torch.rot90(x[rows], int(rng.integers(4)), (2, 3))
            view = view.flip(3) if rng.integers(2) else view
            optimiser.zero_grad()
            nn.functional.cross_entropy(net(view), y[rows]).backward()
            optimiser.step()
            schedule.step()
    return net.eval()


@torch.inference_mode()
def scores(net: nn.Module, flux: np.ndarray) -> np.ndarray:
    """Return logits (n, 3) of images in electrons."""
    return np.asarray(net(scale(flux)).numpy())
