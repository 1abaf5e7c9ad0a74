"""Subhalos: how many a host has, and draws of them, by the mass they had when they fell in."""

from __future__ import annotations

import numpy as np

from skywright.sky.halos.checks import checked_masses
from skywright.sky.halos.tabulated import cumulative, draw_from_rows

__all__ = ["draw_subhalos", "mean_subhalos", "subhalo_mass_function"]

# Normalisation and slope of two power laws, and of the exponential: Jiang & van den Bosch 2016,
# eq. 14 for those that fell in directly, table A1 (unevolved, all orders) for all.
_FITS = {
    "first": ((0.13, -0.83), (1.33, -0.02), (5.67, 1.19)),
    "all": ((0.22, -0.91), (0.0, 0.0), (6.0, 3.0)),
}
_STEP = 0.01  # in ln(mass ratio)


def subhalo_mass_function(mass_ratio: np.ndarray, *, order: str = "all") -> np.ndarray:
    r"""Return how many subhalos a host has, per unit of ln of the mass at infall over its own.

    .. math:: \frac{dN}{d\ln\psi} = \left(\gamma_1 \psi^{\alpha_1} + \gamma_2 \psi^{\alpha_2}\right)
        e^{-\beta \psi^\omega}, \quad \psi = m_\mathrm{infall} / M

    The function is unevolved: it counts everything that fell in, at the mass it had then, also
    what tides have stripped or merged since. It is the same for all hosts and redshifts.

    Parameters
    ----------
    mass_ratio : (…)
        Mass of the subhalo at infall over the mass of the host now, between 0 and 1.
    order : str
        ``"first"``: what fell into the host itself; ``"all"``: also what was in these already.

    Returns
    -------
    (…)

    Raises
    ------
    ValueError
        When a ratio is not between 0 and 1, or the order is unknown.

    References
    ----------
    Jiang & van den Bosch 2016, MNRAS 458, 2848 (arXiv:1403.6827), eq. 14 and table A1.

    Examples
    --------
    >>> subhalo_mass_function([0.001, 0.1]).round(3)
    array([118.147,   1.778])
    """
    if order not in _FITS:
        raise ValueError(f"order is {order!r}; expected one of {', '.join(map(repr, _FITS))}")
    ratio = np.asarray(mass_ratio, dtype=float)
    if not ((ratio > 0) & (ratio <= 1)).all():
        raise ValueError("mass ratios have to be above 0 and at most 1")
    (first, slope), (second, other), (beta, omega) = _FITS[order]
    powers = first * ratio**slope + second * ratio**other
    return np.asarray(powers * np.exp(-beta * ratio**omega))


def draw_subhalos(
    host_mass: np.ndarray,
    m_min: float,
    *,
    order: str = "all",
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Draw the subhalos of hosts: their number is a Poisson draw of each host.

    Parameters
    ----------
    host_mass : (host,) [Msun]
        Masses of the hosts.
    m_min : float [Msun]
        Least mass at infall.
    order : str
        As for `subhalo_mass_function`.
    rng : Generator
        Source of randomness.

    Returns
    -------
    host : (n,) int
        Index of the host of each subhalo, ascending.
    mass : (n,) [Msun]
        Masses at infall.

    Raises
    ------
    ValueError
        When a mass is not positive, or the order is unknown.

    Examples
    --------
    >>> host, mass = draw_subhalos([1e13, 1e14], 1e11, rng=np.random.default_rng(3))
    >>> np.bincount(host), bool((mass > 1e11).all())
    (array([  9, 140]), True)
    """
    hosts, least = np.atleast_1d(checked_masses(host_mass)), checked_masses(m_min)
    if least.ndim:
        raise ValueError(f"m_min is {m_min}; expected one mass in Msun")
    depth = np.log(np.maximum(hosts / least, 1.0))
    mean = mean_subhalos(depth, order)
    host = np.repeat(np.arange(len(hosts)), rng.poisson(mean))
    nodes, density = _table(float(depth.max(initial=0.0)), order)
    area = rng.random(len(host)) * mean[host]
    below = draw_from_rows(nodes, density, np.zeros(len(host), dtype=int), area)
    return host, hosts[host] * np.exp(-below)


def mean_subhalos(depth: np.ndarray, order: str) -> np.ndarray:
    """Return the mean number of subhalos of a host.

    Parameters
    ----------
    depth : (…)
        ln of the mass of the host over the least mass that counts, not negative.
    order : str
        As for `subhalo_mass_function`.
    """
    nodes, density = _table(float(np.max(depth, initial=0.0)), order)
    return np.asarray(np.interp(depth, nodes, cumulative(nodes, density)[0]))


def _table(depth: float, order: str) -> tuple[np.ndarray, np.ndarray]:
    """Return nodes of -ln of the mass ratio down to a depth, and the mass function there."""
    nodes = np.arange(0.0, depth + 2 * _STEP, _STEP)
    return nodes, subhalo_mass_function(np.exp(-nodes), order=order)[None]
