"""Clustered positions: lognormal fields of galaxy density in shells of redshift."""

from __future__ import annotations

from typing import Any

import astropy.units as u
import numpy as np
from astropy.cosmology import FLRW
from astropy_healpix import healpix_to_xyz
from scipy.fft import irfft2, next_fast_len, rfft2
from scipy.special import gamma

from skywright.sky.populations.positions import checked_cells, positions_in

__all__ = ["clustered_positions", "field_contrast", "lognormal_field", "shell_correlation"]

Field = dict[str, Any]

WIDEST = 0.5  # radian from the middle: beyond, a plane is no sky
THINNEST = 5  # correlation lengths: in thinner shells Limber's equation gives far too much
PADDING = 1.5  # of the field's own width, so that its edges do not know of each other


def lognormal_field(
    redshift: np.ndarray,
    cells: int | np.ndarray,
    nside: int,
    cosmology: FLRW,
    correlation_length: u.Quantity = 5.59 / 0.7 * u.Mpc,
    slope: float = 1.84,
    resolution: int = 16,
    *,
    rng: np.random.Generator,
) -> Field:
    r"""Draw the density contrast of galaxies in shells of redshift over a footprint.

    The contrast :math:`\delta = e^{G - \sigma^2 / 2} - 1` of a Gaussian field :math:`G` with
    correlation :math:`\ln(1 + w)` is lognormal with correlation :math:`w` and never below -1.
    Shells are independent of each other, and the power law goes on to separations at which real
    galaxies correlate less: counts in cells scatter too much at high redshift. The sky is
    taken as flat over the footprint (Lambert's projection keeps its areas).

    Parameters
    ----------
    redshift : (shell + 1,)
        Edges of the shells, ascending.
    cells, nside
        Footprint; see `uniform_positions`.
    cosmology : FLRW
        For distances.
    correlation_length : Quantity [Mpc]
        Comoving :math:`r_0` of :math:`\xi(r) = (r / r_0)^{-\gamma}`; by default that of all
        galaxies of the SDSS, 5.59 Mpc / h with h = 0.7 (Zehavi et al. 2005).
    slope : float
        :math:`\gamma`, between 1 and 3.
    resolution : int
        Pixels along the side of a cell, a power of two.
    rng : Generator
        Source of randomness.

    Returns
    -------
    dict
        ``contrast`` (shell, cell, pixel) float32, ``redshift``, ``cells``, ``nside``,
        ``resolution``: what `field_contrast` and `clustered_positions` take.

    Raises
    ------
    ValueError
        When the edges do not ascend, a value has no meaning, or the footprint is wider than
        about 57 degrees.

    References
    ----------
    Coles & Jones 1991, MNRAS 248, 1, eq. 15 and 32; Zehavi et al. 2005, ApJ 630, 1, section 4.
    """
    edges = np.asarray(redshift, dtype=float)
    cells = checked_cells(cells, nside)
    if edges.ndim != 1 or len(edges) < 2 or edges[0] < 0 or not (np.diff(edges) > 0).all():
        raise ValueError("redshift has to be edges of shells, two or more, ascending from 0 or up")
    if resolution < 1 or resolution & (resolution - 1):
        raise ValueError(f"resolution is {resolution}; expected a power of two")
    x, y = _plane(cells, nside, resolution)
    step = np.sqrt(4 * np.pi / 12) / (nside * resolution)
    size = next_fast_len(int(np.ceil(PADDING * max(np.ptp(x), np.ptp(y)) / step)) + 8, real=True)
    lag = step * np.minimum(np.arange(size), size - np.arange(size))
    angle = np.hypot(lag[:, None], lag[None, : size // 2 + 1])
    angle[0, 0] = 0.38 * step  # mean of the pairs within a pixel, near enough
    full = np.concatenate([angle, angle[:, 1 : (size + 1) // 2][:, ::-1]], axis=1)
    i, j = (np.round((w - w.min()) / step).astype(int) for w in (x, y))
    contrast = np.empty((len(edges) - 1, *x.shape), dtype=np.float32)
    for shell, (low, high) in enumerate(zip(edges[:-1], edges[1:], strict=True)):
        w = shell_correlation(full, low, high, cosmology, correlation_length, slope)
        contrast[shell] = _draw(w, rng)[i, j]
    return {
        "contrast": contrast,
        "redshift": edges,
        "cells": cells,
        "nside": int(nside),
        "resolution": int(resolution),
    }


def shell_correlation(
    angle: np.ndarray,
    z_low: float,
    z_high: float,
    cosmology: FLRW,
    correlation_length: u.Quantity,
    slope: float,
) -> np.ndarray:
    r"""Return the angular correlation of galaxies in a shell, for angles well below its depth.

    .. math:: w(\theta) = \sqrt\pi \, \frac{\Gamma((\gamma - 1) / 2)}{\Gamma(\gamma / 2)} \,
        \frac{r_0^\gamma}{\Delta\chi} (\chi \theta)^{1 - \gamma}

    Parameters
    ----------
    angle : (…) [rad]
        Separations, positive.
    z_low, z_high : float
        Edges of the shell.
    cosmology : FLRW
        For distances.
    correlation_length : Quantity [Mpc]
        Comoving.
    slope : float
        Of the correlation in space.

    Returns
    -------
    (…)

    References
    ----------
    Limber 1953, ApJ 117, 134; Peebles 1980, The Large-Scale Structure of the Universe, eq. 52.9.
    """
    r0 = u.Quantity(correlation_length).to_value("Mpc")
    if not r0 > 0 or not 1 < slope < 3:
        raise ValueError(
            f"correlation length {correlation_length}, slope {slope}; expected a positive length "
            "and a slope between 1 and 3"
        )
    near, far = cosmology.comoving_distance([z_low, z_high]).to_value("Mpc")
    if far - near < THINNEST * r0:
        raise ValueError(
            f"the shell from z = {z_low:g} to {z_high:g} is {far - near:.0f} Mpc deep; expected "
            f"{THINNEST} correlation lengths ({THINNEST * r0:.0f} Mpc) or more"
        )
    factor = np.sqrt(np.pi) * gamma((slope - 1) / 2) / gamma(slope / 2)
    across = (near + far) / 2 * np.asarray(angle)
    return np.asarray(factor * r0**slope / (far - near) * across ** (1 - slope))


def field_contrast(field: Field, cell: int, redshift: np.ndarray) -> np.ndarray:
    """Return the density of a cell over the mean, at redshifts (…); 1 outside the shells.

    Multiply the density of a population with it, so that the number of galaxies in the cell
    follows the field as their positions do.
    """
    edges = field["redshift"]
    mean = 1 + field["contrast"][:, _row(field, cell)].mean(axis=-1, dtype=float)
    shell = np.searchsorted(edges, redshift, side="right") - 1
    inside = (shell >= 0) & (shell < len(mean))
    return np.where(inside, mean[np.clip(shell, 0, len(mean) - 1)], 1.0)


def clustered_positions(
    redshift: np.ndarray, field: Field, cell: int, *, rng: np.random.Generator
) -> tuple[u.Quantity, u.Quantity]:
    """Draw positions in a cell that follow a field; outside its shells they are uniform.

    Parameters
    ----------
    redshift : (n,)
        Redshifts of the galaxies.
    field : dict
        From `lognormal_field`.
    cell : int
        Cell of its footprint.
    rng : Generator
        Source of randomness.

    Returns
    -------
    ra, dec : (n,) [deg]
    """
    z = np.asarray(redshift, dtype=float)
    density = 1 + field["contrast"][:, _row(field, cell)].astype(float)
    shell = np.searchsorted(field["redshift"], z, side="right") - 1
    pixels = density.shape[-1]
    pixel = rng.integers(pixels, size=len(z))
    for number, weight in enumerate(density):
        members = np.flatnonzero(shell == number)
        pixel[members] = rng.choice(pixels, len(members), p=weight / weight.sum())
    fine = int(cell) * pixels + pixel
    return positions_in(fine, field["nside"] * field["resolution"], rng)


def _row(field: Field, cell: int) -> int:
    where = np.flatnonzero(field["cells"] == cell)
    if not len(where):
        raise ValueError(f"cell {cell} is not in the footprint of the field")
    return int(where[0])


def _plane(cells: np.ndarray, nside: int, resolution: int) -> tuple[np.ndarray, np.ndarray]:
    """Return where the pixels (cell, pixel) are in Lambert's plane around the footprint [rad]."""
    pixels = cells[:, None] * resolution**2 + np.arange(resolution**2)
    r = np.stack(healpix_to_xyz(pixels, nside * resolution, order="nested"), axis=-1)
    middle = r.reshape(-1, 3).mean(axis=0)
    middle /= np.linalg.norm(middle)
    across = np.cross(middle, [0.0, 0.0, 1.0] if abs(middle[2]) < 0.9 else [1.0, 0.0, 0.0])
    across /= np.linalg.norm(across)
    cosine = r @ middle
    if cosine.min() < np.cos(WIDEST):
        raise ValueError(
            "the footprint reaches more than 28 degrees from its middle: the field is drawn on a "
            "plane; take a smaller one, or several"
        )
    scale = np.sqrt(2 / (1 + cosine))
    return r @ across * scale, r @ np.cross(middle, across) * scale


def _draw(w: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw one periodic lognormal contrast with correlation ``w`` (lag, lag)."""
    power = np.maximum(rfft2(np.log1p(w)).real, 0.0)  # rounding, and a little of the period
    gaussian = irfft2(np.sqrt(power) * rfft2(rng.standard_normal(w.shape)), s=w.shape)
    variance = irfft2(power, s=w.shape)[0, 0]
    return np.asarray(np.expm1(gaussian - variance / 2))
