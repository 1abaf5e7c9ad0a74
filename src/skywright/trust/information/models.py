"""Models of the density ratio: mixtures of columns, or of one column and a gap."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from skywright.trust.information.integrals import mean_under
from skywright.trust.information.mixtures import Mixtures, log_density
from skywright.trust.information.samples import normal_scores, standardise

__all__ = ["Part", "Terms", "gap_parts", "log_ratio", "plain_value"]

Terms = list[tuple[float, list[int]]]
ROUNDING = 1e-9  # of the gap: what varies less is the rounding of a shift


class Part(NamedTuple):
    """Columns with one mixture of their own, and which log densities of it are summed.

    Parameters
    ----------
    points : (n, dimension)
        Of unit variance.
    terms : list of (float, list of int)
        Factor and dimensions of each margin.
    offset : (n,) or 0
        What the change of variables adds to each row, in nats.
    """

    points: np.ndarray
    terms: Terms
    offset: np.ndarray | float = 0.0


def log_ratio(part: Part, mixtures: Mixtures) -> np.ndarray:
    """Return the sum of log densities of margins of each mixture at each row: (mixture, n)."""
    total = np.zeros((len(mixtures.weights), len(part.points))) + part.offset
    for factor, axes in part.terms:
        total += factor * log_density(mixtures.margin(axes), part.points[:, axes])
    return total


def plain_value(part: Part, mixture: Mixtures) -> float:
    """Return the integral under one fitted mixture."""
    return float(mean_under(mixture, part.terms)[0] + np.mean(part.offset))


def gap_parts(columns: list[np.ndarray], terms: Terms) -> list[Part]:
    """Return the parts of a pair of which one is always the larger; none for other columns.

    Such a density may end in an edge at y = x, which no Gaussians can follow. But given x, the
    entropy of y is that of the gap y - x, so that

        I(x; y) = I(x; y - x) + h(y) - h(y - x),

    and neither x and log(y - x) nor log(y - x) itself have that edge. Columns that are negative
    throughout change their sign first, which changes no information.
    """
    if len(columns) != 2:
        return []
    signed = [-column if column.max() < 0 else column for column in columns]
    lower, upper = sorted(signed, key=lambda column: float(column[0]))
    gap = upper - lower
    if gap.min() <= 0 or np.ptp(gap) < ROUNDING * gap.max():
        return []
    points = normal_scores([lower, gap])
    return [Part(points, terms), _entropy(upper, -1.0), _entropy(gap, 1.0)]


def _entropy(column: np.ndarray, factor: float) -> Part:
    """Return the part for the log density of one column; in logarithms where it is positive."""
    positive = column.min() > 0
    scale = np.log(column) if positive else column
    offset = -np.log(scale.std()) - (scale if positive else 0.0)
    return Part(standardise([scale]), [(factor, [0])], factor * offset)
