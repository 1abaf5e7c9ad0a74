"""Colours of the light that is painted: those of the small faint galaxies of the same field."""

from __future__ import annotations

import numpy as np
from astropy.table import QTable

__all__ = ["draw_colours", "faint_colours"]

FLOOR = 0.02  # least share of a band, where the noise of a faint galaxy would make it negative
JITTER = 0.05  # natural logarithm, per band: no two systems share a colour to the last digit
FEWEST = 10  # below this, half of a half of the field is no distribution


def faint_colours(galaxies: QTable, bands: tuple[str, ...]) -> np.ndarray:
    """Return the share of each band in the light of the field's small faint galaxies.

    Sources behind a lens are drawn from the galaxies that a field has most of. Those are the
    small faint ones of the same image: fainter and smaller than the median, which makes the
    painted colours free of any model of spectra, filters or display stretch.

    Parameters
    ----------
    galaxies : QTable
        Columns ``flux_<band>``, ``radius``; see ``skywright.find.detect``.
    bands : (band,)
        Names in the order wanted.

    Returns
    -------
    (galaxy, band)
        Shares that are positive and add up to 1.
    """
    flux = np.stack([_plain(galaxies[f"flux_{band}"]) for band in bands], axis=1)
    total, radius = flux.sum(axis=1), _plain(galaxies["radius"])
    sound = np.isfinite(flux).all(axis=1) & np.isfinite(radius) & (total > 0)
    if not sound.any():
        raise ValueError(
            f"none of {len(galaxies)} galaxies has finite flux in the bands {', '.join(bands)} and "
            "a positive total: no colour can be drawn; look at the columns flux_<band>"
        )
    faint = sound & (total <= np.median(total[sound])) & (radius <= np.median(radius[sound]))
    chosen = faint if faint.sum() >= FEWEST else sound
    share = flux[chosen] / total[chosen, None]
    return _normalised(np.maximum(share, FLOOR))


def draw_colours(pool: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Draw ``n`` colours from ``pool`` with a small scatter.

    Parameters
    ----------
    pool : (galaxy, band)
        See `faint_colours`.
    n : int
        How many.
    rng : Generator
        Source of randomness.

    Returns
    -------
    (n, band)
        Shares that add up to 1.
    """
    chosen = pool[rng.integers(len(pool), size=n)]
    return _normalised(chosen * np.exp(JITTER * rng.standard_normal(chosen.shape)))


def _normalised(share: np.ndarray) -> np.ndarray:
    return np.asarray(share / share.sum(axis=1, keepdims=True))


def _plain(column: object) -> np.ndarray:
    return np.asarray(getattr(column, "value", column), dtype=float)
