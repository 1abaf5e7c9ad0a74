"""Cutouts of galaxies that do not exist, as like those of a survey as its averages say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import astropy.units as u
import numpy as np
import torch
from astropy.table import QTable
from scipy.ndimage import gaussian_filter1d
from scipy.optimize import brentq

from skywright.data import Images, Psf
from skywright.data.cutouts import make_room
from skywright.sky.field import Field, bare, read_field
from skywright.sky.noise import correlate
from skywright.sky.painting import add_light, electrons_of, point_spread
from skywright.sky.psf import SIGMA_PER_FWHM
from skywright.sky.rendering import render
from skywright.sky.scene import ACCURACY

__all__ = ["simulate_lookalikes"]

LEAST = 0.02  # share of the light in a band, where noise made the flux of a galaxy negative
THINNEST, ROUNDEST = 0.15, 0.98
SMALLEST = 0.3  # half-light radius [pixel]
INDEX = (0.5, 4.0)  # of Sersic: clumps and discs to ellipticals
FAINTEST = 0.1  # neighbours in units of the galaxies that were selected: faint ones are many


def simulate_lookalikes(
    galaxies: QTable,
    images: Images,
    *,
    n: int,
    rng: np.random.Generator,
    psf: Psf | None = None,
    gain: float | Mapping[str, float] | None = None,
    neighbours: float = 4.0,
    batch: int = 64,
    scratch: Path | None = None,
    progress: Callable[[float], None] | None = None,
) -> dict[str, Any]:
    """Simulate ``n`` cutouts with a galaxy in the middle, neighbours, and the noise of a survey.

    A net can learn on them what arcs are before it sees the sky, of which there is little. Of the
    survey they know only averages: mean and covariance of ln(flux) in every band, ln(radius) and
    the logit of the axis ratio, from which all galaxies are drawn; the median of the noise, tied
    together over pixels so far that a point source sees as much of it as in the survey, and not
    between bands; and the point spread function. No galaxy and no pixel of the survey is in them,
    so that they may be shared between the folds of a cross-fit.

    Parameters
    ----------
    galaxies : QTable
        Columns ``object_id, x, y, q, theta, radius, flux_<band>``; see
        `skywright.find.select_galaxies`.
    images : Images
        Their cutouts, row by row, with ``variance`` and ``psf_fwhm``.
    n : int
        Number of cutouts.
    rng : Generator
        Source of randomness.
    psf : Psf, optional
        Point spread function; by default a Gaussian of ``images.psf_fwhm``.
    gain : float or mapping, optional
        Electrons per unit of flux, for all bands or by band; None adds no photon noise.
    neighbours : float
        Mean number of galaxies around the one in the middle.
    batch : int
        Cutouts rendered at once.
    scratch : Path, optional
        Folder for pixels that are too many for memory.
    progress : callable, optional
        Is told the fraction done.

    Returns
    -------
    dict
        ``galaxies`` with the columns named above, and ``images``, as `draw_systems` and `paint`
        take them.

    Raises
    ------
    ValueError
        ``n`` or ``neighbours`` has no meaning, galaxies and cutouts do not fit together, or fewer
        than 3 galaxies have a flux and a size.
    """
    if n < 1 or not neighbours >= 0:
        raise ValueError(f"got n={n}, neighbours={neighbours}; expected n >= 1, neighbours >= 0")
    field = read_field(galaxies, images)
    fwhm = float(np.mean(np.asarray(images.psf_fwhm)))
    light, there = _draw_light(field, fwhm, n, neighbours, rng)
    sky, tie = _empty_sky(field, images, n, scratch)
    spread, electrons = point_spread(images, psf), electrons_of(gain, images.bands)
    # cutouts of few galaxies go together: one without flux would cost as much as any
    order = np.argsort(there, kind="stable")
    for start in range(0, n, batch):
        rows = order[start : start + batch]
        most = int(there[rows].max())
        here = {
            name: torch.as_tensor(values[rows, :most], dtype=torch.float32)
            for name, values in light.items()
            if not name.startswith("seen")
        }
        drawn = render(
            None, None, lens_light=here, pixels=field.pixels, scale=1.0, psf=spread,
            accuracy=ACCURACY, dtype=torch.float32,
        ).clamp_min(0).numpy()  # fmt: skip
        noise = correlate(rng.standard_normal(drawn.shape, np.float32), tie)
        noise *= np.sqrt(sky.variance[rows])
        sky.flux[rows] = add_light(
            np.rint(noise) if images.quantised else noise, drawn, images, electrons, rng
        )
        if progress is not None:
            progress(min(start + batch, n) / n)
    return {"galaxies": _table({k: v[:, 0] for k, v in light.items()}, field), "images": sky}


def _draw_light(
    field: Field, fwhm: float, n: int, neighbours: float, rng: np.random.Generator
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Draw galaxies (cutout, galaxy), that in the middle first, and how many there are in each.

    ``seen_radius`` and ``seen_q`` are what would be measured; the others are what `render` takes.
    """
    there = 1 + rng.poisson(neighbours, n)
    shape = (n, int(there.max()))
    flux, radius, q = _draw(_logs(field), n * shape[1], rng)
    first = np.arange(shape[1]) == 0
    exists = np.arange(shape[1]) < there[:, None]
    dimmed = np.where(first, 1.0, np.exp(rng.uniform(np.log(FAINTEST), 0, shape)))
    # that in the middle lies somewhere in the pixel that a cutout is centred on
    reach = np.where(first, 0.5, field.pixels / 2)
    offset = np.where(first, field.pixels // 2 - (field.pixels - 1) / 2, 0.0)
    intrinsic, thin = _intrinsic(radius.reshape(shape), q.reshape(shape), fwhm)
    light = {
        "amplitude": flux.reshape(*shape, -1) * (dimmed * exists)[..., None],
        "seen_radius": radius.reshape(shape),
        "seen_q": q.reshape(shape),
        "radius": intrinsic,
        "q": thin,
        "n": np.exp(rng.uniform(np.log(INDEX[0]), np.log(INDEX[1]), shape)),
        "phi": rng.uniform(0, np.pi, shape),
        "x0": offset + rng.uniform(-reach, reach, shape),
        "y0": offset + rng.uniform(-reach, reach, shape),
    }
    return light, there


def _logs(field: Field) -> np.ndarray:
    """Return ln(flux) of each band, ln(radius) and logit(q) of the galaxies, (n, band + 2)."""
    flux = np.stack([bare(field.galaxies[f"flux_{band}"]) for band in field.bands], axis=1)
    radius = bare(field.galaxies["radius"])
    total = flux.sum(axis=1, keepdims=True)
    q = np.clip(field.q, THINNEST, ROUNDEST)
    sound = np.isfinite(flux).all(1) & (total[:, 0] > 0) & np.isfinite(radius) & (radius > 0)
    if sound.sum() < 3:
        raise ValueError(
            f"{sound.sum()} of {len(sound)} galaxies have a finite positive flux and radius; "
            "expected at least 3, for a mean and a covariance"
        )
    flux = np.log(np.maximum(flux, LEAST * total)[sound])
    return np.column_stack([flux, np.log(radius[sound]), np.log(q / (1 - q))[sound]])


def _draw(
    logs: np.ndarray, n: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw flux (n, band), measured radius and axis ratio from the normal that fits ``logs``."""
    drawn = rng.multivariate_normal(logs.mean(axis=0), np.cov(logs.T), n)
    q = np.clip(1 / (1 + np.exp(-drawn[:, -1])), THINNEST, ROUNDEST)
    return np.exp(drawn[:, :-2]), np.exp(drawn[:, -2]), q


def _intrinsic(radius: np.ndarray, q: np.ndarray, fwhm: float) -> tuple[np.ndarray, np.ndarray]:
    """Return radius and axis ratio before the point spread function, as if all were Gaussian."""
    seen = np.stack([radius / np.sqrt(q), radius * np.sqrt(q)])
    major, minor = np.sqrt(np.maximum(seen**2 - (fwhm / 2) ** 2, SMALLEST**2))
    return np.sqrt(major * minor), np.clip(minor / major, THINNEST, ROUNDEST)


def _empty_sky(field: Field, images: Images, n: int, scratch: Path | None) -> tuple[Images, float]:
    """Return ``n`` cutouts to fill, with the noise they are to have and how far it is tied."""
    blocks = [np.median(block.variance, axis=(0, 2, 3)) for block in images.blocks()]
    variance = np.median(blocks, axis=0)
    excess = 1.0 if images.noise_excess is None else float(np.median(images.noise_excess))
    shape = (n, len(field.bands), field.pixels, field.pixels)
    sky = Images(
        flux=make_room(shape, np.dtype(np.float32), scratch, "flux"),
        bands=images.bands,
        unit=images.unit,
        scale=images.scale,
        object_id=np.arange(n, dtype=np.int64),
        variance=np.tile(variance[:, None, None], (n, 1, 1, 1)),
        psf_fwhm=images.psf_fwhm,
        noise_excess=np.full(n, excess),
        quantised=images.quantised,
        saturation=images.saturation,
        reason=images.reason,
    )
    return sky, _tie(excess, field.fwhm * SIGMA_PER_FWHM)


def _tie(excess: float, sigma: float) -> float:
    """Return the width [pixel] of the Gaussian by which noise gets an ``excess``; 0 where it is 1.

    Smoothed with a Gaussian point spread function of ``sigma`` [pixel], such noise has ``excess``
    times the spread of independent pixels.
    """
    point = np.zeros(1 + 2 * int(np.ceil(40 * sigma + 20)))
    point[len(point) // 2] = 1
    alone = (gaussian_filter1d(point, sigma) ** 2).sum()

    def ratio(width: float) -> float:
        # in one dimension a ratio of variances, which is that of spreads in two
        tied = gaussian_filter1d(point, width) if width else point
        return float((gaussian_filter1d(tied, sigma) ** 2).sum() / (tied**2).sum() / alone)

    widest = 4 * sigma
    if excess <= 1 or excess >= ratio(widest):
        return 0.0 if excess <= 1 else widest
    return float(brentq(lambda width: ratio(width) - excess, 0.0, widest, xtol=1e-3))


def _table(middle: dict[str, np.ndarray], field: Field) -> QTable:
    """Return the galaxies in the middle as a catalogue of detections would have them."""
    n, centre = len(middle["q"]), (field.pixels - 1) / 2
    flux = {f"flux_{b}": middle["amplitude"][:, i] for i, b in enumerate(field.bands)}
    units = {name: getattr(field.galaxies[name], "unit", None) for name in ("radius", *flux)}
    columns = {"radius": middle["seen_radius"]} | flux
    return QTable(
        {
            "object_id": np.arange(n, dtype=np.int64),
            "tile": np.arange(n, dtype=np.int64),
            "x": centre + middle["x0"],
            "y": centre + middle["y0"],
            "q": middle["seen_q"],
            "theta": middle["phi"] * u.rad,
        }
        | {name: v if units[name] is None else v * units[name] for name, v in columns.items()}
    )
