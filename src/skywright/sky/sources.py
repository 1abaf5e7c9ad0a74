"""Sources behind a lens: what they look like, and where they have to lie to make arcs."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import ArrayLike

from skywright.sky.lensing import trace

__all__ = ["CLUMPS", "SOURCE_FWHM", "draw_sources", "place_sources"]

CLUMPS = 4
# Half-light radius of the body in widths of the point spread function: 0.1 to 0.4 arcsec, as
# galaxies at redshifts of 1 to 3 have, at the resolution of a deep field.
SOURCE_FWHM = (0.3, 1.2)
LARGEST = 0.4  # in Einstein radii: a larger source makes a blob, not an arc
LEAST_MAGNIFICATION = 3.0  # Collett 2015
LEAST_INSIDE = 0.5  # share of the lensed light that has to fall into the cutout
GRID, REACH = 72, 2.6  # rays per axis, and half of their side in Einstein radii
FARTHEST = 1.1  # in Einstein radii: beyond, magnification is below 3 for every lens drawn here
TRIES = 300
SMALLEST = 0.08  # in Einstein radii: a smaller disc would be hit by too few rays


def draw_sources(
    theta_e: np.ndarray,
    fwhm: float,
    rng: np.random.Generator,
    source_fwhm: tuple[ArrayLike, ArrayLike] = SOURCE_FWHM,
) -> dict[str, np.ndarray]:
    """Draw sources of one to four Sersic components: a body and star-forming clumps in it.

    Parameters
    ----------
    theta_e : (n,) [pixel]
        Einstein radius, which bounds the size.
    fwhm : float [pixel]
        Full width at half maximum of the point spread function.
    rng : Generator
        Source of randomness.
    source_fwhm : (low, high) [FWHM]
        Range of half-light radii of the body, in widths of the point spread function; each may
        be one for all or (n,).

    Returns
    -------
    dict of (n, clump)
        ``x``, ``y`` about the centre of the body and ``radius`` [pixel], ``n``, ``q`` [1], ``phi``
        [rad], ``flux`` (share of the source). A clump that a source does not have has flux 0.
    """
    n = len(theta_e)
    shape = (n, CLUMPS)
    body = np.minimum(_log_uniform(*source_fwhm, n, rng) * fwhm, LARGEST * theta_e)
    radius = body[:, None] * rng.uniform(0.2, 0.5, shape)
    distance = body[:, None] * rng.uniform(0.3, 1.6, shape)
    azimuth = rng.uniform(0, 2 * np.pi, shape)
    flux = rng.uniform(0.1, 0.5, shape)
    radius[:, 0], distance[:, 0], flux[:, 0] = body, 0, 1
    flux[np.arange(CLUMPS) >= rng.integers(1, CLUMPS + 1, n)[:, None]] = 0
    index = rng.uniform(0.5, 1.0, shape)
    index[:, 0] = rng.uniform(0.5, 2.0, n)
    q = rng.uniform(0.6, 1.0, shape)
    q[:, 0] = rng.uniform(0.3, 1.0, n)
    return {
        "x": distance * np.cos(azimuth),
        "y": distance * np.sin(azimuth),
        "radius": radius,
        "n": index,
        "q": q,
        "phi": rng.uniform(0, np.pi, shape),
        "flux": flux / flux.sum(axis=1, keepdims=True),
    }


def place_sources(
    masses: dict[str, np.ndarray],
    radius: np.ndarray,
    half: np.ndarray,
    fwhm: np.ndarray,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw source positions uniformly over the part of the source plane that makes arcs.

    That part is where a disc of the source's radius is magnified at least 3 times and stretched
    to more than the point spread function (magnification times radius above its width: else the
    images are points to everybody), so that every configuration (rings, quads, cusps, folds,
    doubles) occurs as often as its cross-section says, and where at least half of its light falls
    into the cutout. The last matters for Einstein
    radii of more than about half the half side, whose most lopsided doubles are left out. A source
    so small that 300 draws find no such place gets the best of them.

    Parameters
    ----------
    masses : dict of (n,)
        See `draw_masses`; the Einstein radius is the unit of length.
    radius : (n,) [Einstein radius]
        Half-light radius of the source.
    half : (n,) [Einstein radius]
        Half the side of the cutout.
    fwhm : (n,) [Einstein radius]
        Full width at half maximum of the point spread function.
    rng : Generator
        Source of randomness.

    Returns
    -------
    x, y : (n,) [Einstein radius]
        Position relative to the lens.
    magnification : (n,) [1]
        Of the disc, counted with rays.

    Raises
    ------
    ValueError
        Nowhere does half of the light of a source fall into the cutout.

    References
    ----------
    Collett 2015 (arXiv:1507.02657): a lens counts when its total magnification
    exceeds 3 and its tangential stretch is resolved.
    """
    n = len(radius)
    found, trial, best = np.zeros((3, n)), np.zeros((2, n)), np.zeros(n)
    left = np.arange(n)
    for _ in range(TRIES):
        if not left.size:
            break
        distance = FARTHEST * np.sqrt(rng.random(left.size))
        azimuth = rng.uniform(0, 2 * np.pi, left.size)
        trial[:, left] = distance * np.cos(azimuth), distance * np.sin(azimuth)
        done = np.zeros(n, dtype=bool)
        for rows in np.array_split(left, -(-left.size // 256)):
            total, inside = _count_rays(masses, radius, half, trial, rows)
            kept = inside >= LEAST_INSIDE * total
            stretch = np.minimum(total / LEAST_MAGNIFICATION, total * radius[rows] / fwhm[rows])
            better = kept & (stretch > best[rows])
            best[rows[better]] = stretch[better]
            found[:, rows[better]] = *trial[:, rows[better]], total[better]
            arc = (total >= LEAST_MAGNIFICATION) & (total * radius[rows] > fwhm[rows])
            done[rows] = arc & kept
        left = left[~done[left]]
    if (best == 0).any():
        raise ValueError(
            f"of {(best == 0).sum()} sources (first: row {np.flatnonzero(best == 0)[0]}) half of "
            "the light falls nowhere into the cutout: cut out more pixels, or draw smaller radii"
        )
    return found[0], found[1], found[2]


def _count_rays(
    masses: dict[str, np.ndarray],
    radius: np.ndarray,
    half: np.ndarray,
    place: np.ndarray,
    rows: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Return image area over source area of a disc, all of it and that inside the cutout."""
    disc = np.maximum(radius[rows], SMALLEST)
    axis = (torch.arange(GRID, dtype=torch.float32) + 0.5) * (2 * REACH / GRID) - REACH
    lens = {
        name: _column(masses[key][rows])
        for name, key in (("q", "q_lens"), ("phi", "phi_lens"), ("gamma1",) * 2, ("gamma2",) * 2)
    }
    at_x, at_y = trace(axis[None, None, :], axis[None, :, None], {"theta_e": 1.0, **lens})
    x, y = (_column(w[rows]) for w in place)
    hit = (at_x - x) ** 2 + (at_y - y) ** 2 < _column(disc) ** 2
    cut = _column(half[rows])
    seen = hit & (axis[None, None, :].abs() < cut) & (axis[None, :, None].abs() < cut)
    area = (2 * REACH / GRID) ** 2 / (np.pi * disc**2)
    return hit.sum((1, 2)).numpy() * area, seen.sum((1, 2)).numpy() * area


def _column(values: np.ndarray) -> torch.Tensor:
    return torch.as_tensor(values, dtype=torch.float32)[:, None, None]


def _log_uniform(low: ArrayLike, high: ArrayLike, n: int, rng: np.random.Generator) -> np.ndarray:
    return np.asarray(np.exp(rng.uniform(np.log(low), np.log(high), n)))
