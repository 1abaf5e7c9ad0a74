"""Masses of the two bodies of a merger: exact draws from published distributions."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr, ndtri

__all__ = [
    "gaussian_neutron_star_masses",
    "power_law_peak_masses",
    "uniform_neutron_star_masses",
]


def power_law_peak_masses(
    size: int,
    *,
    alpha: float = 3.4,
    beta: float = 1.1,
    m_min: float = 5.1,
    m_max: float = 87.0,
    delta_m: float = 4.8,
    mu: float = 34.0,
    sigma: float = 3.6,
    peak_share: float = 0.039,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    r"""Draw masses of two black holes from a power law with a peak.

    .. math:: p(m_1) \propto \left[(1 - \lambda) \, P(m_1) + \lambda \, G(m_1)\right] S(m_1),
        \quad p(m_2 | m_1) \propto m_2^\beta \, S(m_2), \quad m_2 \le m_1

    with a power law :math:`P \propto m^{-\alpha}` and a normal distribution :math:`G`, both of
    integral 1 between the limits, and a smooth start
    :math:`S = [1 + \exp(\delta / x + \delta / (x - \delta))]^{-1}` at
    :math:`x = m - m_{min} < \delta`. The defaults are medians of the third catalogue.

    Parameters
    ----------
    size : int
        Number of mergers.
    alpha, beta : float
        Exponents of the heavier mass and of the mass ratio.
    m_min, m_max : float [Msun]
        Limits.
    delta_m : float [Msun]
        Width of the smooth start; 0 for a sharp one.
    mu, sigma : float [Msun]
        Of the peak.
    peak_share : float
        Share of the peak before the start is smoothed.
    rng : Generator
        Source of randomness.

    Returns
    -------
    mass_1, mass_2 : (size,) [Msun]
        In the frame of the source, the heavier first.

    Raises
    ------
    ValueError
        When the limits or a width make no distribution.

    References
    ----------
    Talbot & Thrane 2018, ApJ 856, 173 (arXiv:1801.02699); Abbott et al. 2021, ApJ 913, L7
    (arXiv:2010.14533), eq. B3 to B7; numbers: Abbott et al. 2023, PRX 13, 011048
    (arXiv:2111.03634), rounded as in Iacovelli et al. 2022, ApJ 941, 208.

    Examples
    --------
    >>> m1, m2 = power_law_peak_masses(1000, rng=np.random.default_rng(0))
    >>> bool((m1 >= m2).all() and m2.min() > 5.1)
    True
    """
    _check_shape(alpha, beta, m_min, m_max, delta_m, mu, sigma, peak_share)
    first = np.empty(size)
    left = np.arange(size)
    while left.size:
        peak = rng.random(len(left)) < peak_share
        v = rng.random(len(left))
        low, high = ndtr((np.array([m_min, m_max]) - mu) / sigma)
        bump = mu + sigma * ndtri(low + v * (high - low))
        m = np.where(peak, bump, _power_law(-alpha, m_min, m_max, v))
        accepted = rng.random(len(left)) < _smooth_start(m, m_min, delta_m)
        first[left[accepted]] = m[accepted]
        left = left[~accepted]
    second = np.empty(size)
    left = np.arange(size)
    while left.size:
        m = _power_law(beta, m_min, first[left], rng.random(len(left)))
        # the start rises: over its value at the heavier mass, light pairs are not drawn for ever
        chance = _smooth_start(m, m_min, delta_m) / _smooth_start(first[left], m_min, delta_m)
        accepted = rng.random(len(left)) < chance
        second[left[accepted]] = m[accepted]
        left = left[~accepted]
    return first, second


def gaussian_neutron_star_masses(
    size: int, *, mean: float = 1.33, std: float = 0.09, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw masses of two neutron stars like those of double neutron stars in our Galaxy.

    Parameters
    ----------
    size : int
        Number of mergers.
    mean, std : float [Msun]
        Of a normal distribution, the same for both stars.
    rng : Generator
        Source of randomness.

    Returns
    -------
    mass_1, mass_2 : (size,) [Msun]
        The heavier first.

    References
    ----------
    Özel & Freire 2016, ARA&A 54, 401, section 2.5.
    """
    if not (mean > 0 and std >= 0 and mean > 5 * std):
        raise ValueError(f"mean {mean}, std {std}: expected a narrow distribution above zero")
    pairs = np.sort(rng.normal(mean, std, (2, size)), axis=0)
    return pairs[1], pairs[0]


def uniform_neutron_star_masses(
    size: int, *, low: float = 1.0, high: float = 2.5, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw masses of two neutron stars evenly between limits, independently of each other.

    Parameters
    ----------
    size : int
        Number of mergers.
    low, high : float [Msun]
        Limits.
    rng : Generator
        Source of randomness.

    Returns
    -------
    mass_1, mass_2 : (size,) [Msun]
        The heavier first.
    """
    if not 0 < low < high:
        raise ValueError(f"low {low}, high {high}: expected 0 < low < high")
    pairs = np.sort(rng.uniform(low, high, (2, size)), axis=0)
    return pairs[1], pairs[0]


def _check_shape(
    alpha: float,
    beta: float,
    m_min: float,
    m_max: float,
    delta_m: float,
    mu: float,
    sigma: float,
    peak_share: float,
) -> None:
    """Refuse what makes no distribution; of NaN, say, nothing would ever be drawn."""
    if not (
        np.isfinite([alpha, beta, m_min, m_max, delta_m, mu, sigma]).all()
        and 0 < m_min < m_max and delta_m >= 0 and sigma > 0 and 0 <= peak_share <= 1
    ):  # fmt: skip
        raise ValueError(
            f"alpha {alpha}, beta {beta}, m_min {m_min}, m_max {m_max}, delta_m {delta_m}, mu {mu},"
            f" sigma {sigma}, peak_share {peak_share}: expected finite numbers, "
            "0 < m_min < m_max, a start and a peak of some width, and a share between 0 and 1"
        )
    low, high = ndtr((np.array([m_min, m_max]) - mu) / sigma)
    if peak_share and not low < high:
        raise ValueError(
            f"mu {mu}, sigma {sigma}: nothing of the peak lies between {m_min} and {m_max}; "
            "expected one that does, or a peak_share of 0"
        )


def _power_law(exponent: float, low: float, high: float | np.ndarray, v: np.ndarray) -> np.ndarray:
    """Return where the integral of a power law from ``low`` to ``high`` has the share ``v``."""
    b = exponent + 1
    if abs(b) < 1e-12:
        return np.asarray(low * (high / low) ** v)
    return np.asarray((low**b + v * (high**b - low**b)) ** (1 / b))


def _smooth_start(mass: np.ndarray, m_min: float, delta: float) -> np.ndarray:
    """Return the factor that rises from 0 at the lowest mass to 1 a width above it."""
    x = mass - m_min
    rising = (x > 0) & (x < delta)
    safe = np.where(rising, x, delta / 2)
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        rise = 1 / (1 + np.exp(delta / safe + delta / (safe - delta)))
    return np.where(rising, rise, np.where(x >= delta, 1.0, 0.0))
