"""What can be known of a pendulum: the exact posterior of gravity, and propagation of errors."""

from __future__ import annotations

import astropy.units as u
import numpy as np
from astropy.table import QTable
from scipy.special import erfc, gamma, gammaln

from skywright.sky.pendulum.drawing import (
    GRAVITY,
    LEAST_NOISE,
    LENGTH,
    LENGTH_ERROR,
    SWINGS,
)

__all__ = ["marginal_likelihood", "pendulum_posterior", "propagate_pendulum_errors"]

NODES = 321  # of gravity, evenly spaced in its logarithm: six to the narrowest posterior's sd
LENGTHS = 32
SHAPE = (SWINGS - 1) / 2
REACH = 6.0  # errors of the length around the measured one
BLOCK = 8  # arrays that fit into the cache
QUANTILES = 99
UNIT = u.m / u.s**2


def pendulum_posterior(
    pendulums: QTable,
    *,
    widest: float = 0.2,
    length: tuple[float, float] = LENGTH,
    gravity: tuple[float, float] = GRAVITY,
    role: str | None = None,
) -> QTable:
    """Return the posterior of gravity of somebody who knows how pendulums were drawn.

    Noise is integrated out in closed form, true length and gravity on a grid. No estimator can
    have a lower expected squared error than ``mean``, or a lower negative logarithmic score.

    Parameters
    ----------
    pendulums : QTable
        From `draw_pendulums`.
    widest : float
        Largest relative noise of a period that they were drawn with.
    length, gravity : (low, high) [m], [m/s2]
        Ranges they were drawn from.
    role : str, optional
        The role to look at; None takes all rows.

    Returns
    -------
    QTable
        ``object_id``, ``mean`` and ``sd`` [m/s2]; at the true gravity ``nll`` [nat], ``crps``
        [m/s2] and ``pit``, the posterior's distribution function; ``quantiles``, at 0.01 … 0.99.
    """
    if role is not None:
        pendulums = pendulums[np.asarray(pendulums["role"]) == role]
    nodes = np.geomspace(*gravity, NODES)
    parts = []
    for start in range(0, len(pendulums), BLOCK):
        part = pendulums[start : start + BLOCK]
        truth = np.asarray(part["gravity"].to_value(UNIT))
        grid = np.broadcast_to(nodes, (len(part), NODES))
        log = marginal_likelihood(part, np.column_stack([grid, truth]), widest, length)
        peak = log[:, :-1].max(axis=1, keepdims=True)
        parts.append(_summarise(nodes, np.exp(log - peak), truth))
    columns = {k: np.concatenate([part[k] for part in parts]) for k in parts[0]}
    return QTable({"object_id": np.asarray(pendulums["object_id"]), **columns})


def marginal_likelihood(
    pendulums: QTable, gravity: np.ndarray, widest: float, length: tuple[float, float] = LENGTH
) -> np.ndarray:
    r"""Return ln p(measured length, periods | gravity) up to a constant of each pendulum.

    With period :math:`T = 2\pi\sqrt{L/g}` and :math:`b = \sum_i (T_i/T - 1)^2/2`, ten periods of
    relative noise s have the likelihood :math:`(sT)^{-10} e^{-b/s^2}`. Over a flat prior of s
    between a and w it integrates to :math:`T^{-10}\,\tfrac12 b^{-9/2}\,[\gamma(9/2, b/a^2) -
    \gamma(9/2, b/w^2)]`. Gauss and Legendre integrate over the true length.

    Parameters
    ----------
    pendulums : QTable
        From `draw_pendulums`; n rows.
    gravity : (n, k) [m/s2]
        Where to evaluate.
    widest : float
        w above.
    length : (low, high) [m]
        Range of the flat prior of the true length.

    Returns
    -------
    (n, k)
    """
    measured = np.asarray(pendulums["length"].to_value(u.m))
    times = _periods(pendulums)
    low = np.clip(measured / (1 + REACH * LENGTH_ERROR), *length)
    high = np.clip(measured / (1 - REACH * LENGTH_ERROR), *length)
    # a length measured far outside of the range is no reason for an empty integral
    low, high = np.where(low < high, low, length[0]), np.where(low < high, high, length[1])
    node, weight = np.polynomial.legendre.leggauss(LENGTHS)
    true = low[:, None] + (high - low)[:, None] * (node + 1) / 2
    log_length = -0.5 * ((measured[:, None] / true - 1) / LENGTH_ERROR) ** 2 - np.log(true)
    log_length += np.log(weight * (high - low)[:, None])
    period = 2 * np.pi * np.sqrt(true[:, None, :] / gravity[:, :, None])
    mean = times.mean(axis=1)[:, None, None]
    scatter = ((times - times.mean(axis=1, keepdims=True)) ** 2).sum(axis=1)[:, None, None]
    b = (scatter + SWINGS * (mean - period) ** 2) / (2 * period**2)
    log = _log_noise_integral(b, widest) - SWINGS * np.log(period) + log_length[:, None, :]
    top = log.max(axis=2, keepdims=True)
    top = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(np.exp(log - top).sum(axis=2)) + top[..., 0])


def propagate_pendulum_errors(pendulums: QTable) -> QTable:
    """Estimate gravity as in a students' laboratory, with propagated errors.

    Parameters
    ----------
    pendulums : QTable
        From `draw_pendulums`; only what was measured is used.

    Returns
    -------
    QTable
        ``object_id``, ``mean`` and ``sd`` [m/s2]: g = 4 pi2 L / T2 with the mean period T, whose
        error is the scatter of the periods over c4 and the square root of their number.

    References
    ----------
    Caldeira & Nord 2020, arXiv:2004.10710, eq. 9; Holtzman 1950, Ind. Qual. Control 7, 13 (c4).
    """
    times = _periods(pendulums)
    period = times.mean(axis=1)
    c4 = np.sqrt(2 / (SWINGS - 1)) * np.exp(gammaln(SWINGS / 2) - gammaln((SWINGS - 1) / 2))
    error = times.std(axis=1, ddof=1) / c4 / np.sqrt(SWINGS) / period
    mean = 4 * np.pi**2 * np.asarray(pendulums["length"].to_value(u.m)) / period**2
    sd = mean * np.hypot(2 * error, LENGTH_ERROR)
    object_id = np.asarray(pendulums["object_id"])
    return QTable({"object_id": object_id, "mean": mean, "sd": sd})


def _periods(pendulums: QTable) -> np.ndarray:
    """Return the measured periods (n, swing) [s]."""
    return np.stack([pendulums[f"period_{i}"].to_value(u.s) for i in range(SWINGS)], axis=1)


def _log_noise_integral(b: np.ndarray, widest: float) -> np.ndarray:
    """Return ln of the integral over the noise, up to a constant."""
    inside = _upper_gamma(b / widest**2) - _upper_gamma(b / LEAST_NOISE**2)
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(inside) - SHAPE * np.log(b))


def _upper_gamma(x: np.ndarray) -> np.ndarray:
    """Return the regularised upper incomplete gamma function at (SWINGS - 1) / 2, a half-integer.

    Ten times faster than scipy's for any shape; DLMF 8.4.6 and 8.8.12.
    """
    root = np.sqrt(x)
    power, total = root / gamma(1.5), np.zeros_like(x)
    for k in range(SWINGS // 2 - 1):
        total += power
        power = power * x / (k + 1.5)
    return np.asarray(erfc(root) + np.exp(-x) * total)


def _summarise(
    nodes: np.ndarray, likelihood: np.ndarray, truth: np.ndarray
) -> dict[str, np.ndarray]:
    """Return moments, quantiles and scores of densities (n, NODES + 1), the last at the truth."""
    step = np.diff(nodes)
    density, at_truth = likelihood[:, :-1], likelihood[:, -1]
    weight = np.zeros(len(nodes))
    weight[:-1] += step / 2
    weight[1:] += step / 2
    norm = density @ weight
    density, at_truth = density / norm[:, None], at_truth / norm
    mean = density @ (weight * nodes)
    sd = np.sqrt(np.maximum(density @ (weight * nodes**2) - mean**2, 0))
    pieces = (density[:, 1:] + density[:, :-1]) / 2 * step
    cdf = np.concatenate([np.zeros((len(density), 1)), np.cumsum(pieces, axis=1)], axis=1)
    levels = np.arange(1, QUANTILES + 1) / (QUANTILES + 1)
    quantiles = np.stack([np.interp(levels, row, nodes) for row in cdf])
    pit = np.array([np.interp(g, nodes, row) for g, row in zip(truth, cdf, strict=True)])
    # CRPS = int F2 + int_g (1 - 2F): no integrand jumps at the truth
    halves = (cdf[:, 1:] + cdf[:, :-1]) / 2 * step
    area = np.concatenate([np.zeros((len(density), 1)), np.cumsum(halves, axis=1)], axis=1)
    cell, rows = np.clip(np.searchsorted(nodes, truth) - 1, 0, None), np.arange(len(truth))
    left = area[rows, cell] + (truth - nodes[cell]) * (cdf[rows, cell] + pit) / 2
    crps = cdf**2 @ weight + (nodes[-1] - truth) - 2 * (area[:, -1] - left)
    with np.errstate(divide="ignore"):
        nll = -np.log(at_truth)
    return {"mean": mean, "sd": sd, "nll": nll, "crps": crps, "pit": pit, "quantiles": quantiles}
