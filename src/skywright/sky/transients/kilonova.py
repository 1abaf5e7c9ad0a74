"""The light of a kilonova: ejecta that expand, are heated by radioactive decay and cool."""

from __future__ import annotations

from collections.abc import Sequence

import astropy.constants as const
import astropy.units as u
import numpy as np
from scipy.interpolate import interpn

from skywright.sky.transients.series import SpectralSeries

__all__ = ["KILONOVA_COMPONENTS", "kilonova_series", "kilonova_sphere"]

# Mass [Msun], velocity [c], opacity [cm2 / g] and lowest temperature [K] of the blue, purple and
# red ejecta of GW170817: Villar et al. 2017, table 3, three components; masses and velocities were
# not checked against the paper.
KILONOVA_COMPONENTS = (
    (0.020, 0.266, 0.5, 674.0),
    (0.047, 0.152, 3.0, 1308.0),
    (0.011, 0.137, 10.0, 3745.0),
)

_MSUN, _C, _DAY = float(const.M_sun.cgs.value), float(const.c.cgs.value), 86400.0
_SIGMA = float(const.sigma_sb.cgs.value)
_TEN_PC = float((10 * u.pc).cgs.value)
_BETA = 13.4  # of the density profile: how long light needs to diffuse out
_STEPS = 4000  # of the integral over the heating, even in the logarithm of time
_EARLIEST = 1e-6  # days; where it begins

# How much of the heat stays: masses [Msun], velocities [c], and a, b, d of Barnes et al. 2016,
# table 1, to 0.05 Msun and 0.3 c; the last mass and velocity are those that MOSFiT goes on with.
_GRID = (np.array([1e-3, 5e-3, 1e-2, 5e-2, 1e-1]), np.array([0.1, 0.2, 0.3, 0.4]))
_THERMAL = np.stack(
    [
        [[2.01, 4.52, 8.16, 16.3], [0.81, 1.9, 3.2, 5.0], [0.56, 1.31, 2.19, 3.0],
         [0.27, 0.55, 0.95, 2.0], [0.20, 0.39, 0.65, 0.9]],
        [[0.28, 0.62, 1.19, 2.4], [0.19, 0.28, 0.45, 0.65], [0.17, 0.21, 0.31, 0.45],
         [0.10, 0.13, 0.15, 0.17], [0.06, 0.11, 0.12, 0.12]],
        [[1.12, 1.39, 1.52, 1.65], [0.86, 1.21, 1.39, 1.5], [0.74, 1.13, 1.32, 1.4],
         [0.60, 0.90, 1.13, 1.25], [0.63, 0.79, 1.04, 1.5]],
    ],
    axis=-1,
)  # fmt: skip


def kilonova_series(
    components: Sequence[tuple[float, float, float, float]] = KILONOVA_COMPONENTS,
) -> SpectralSeries:
    """Return the spectra of a kilonova, a sum of black spheres, at days since the merger.

    Parameters
    ----------
    components : sequence of (mass, velocity, opacity, temperature)
        Of each part of the ejecta [Msun, c, cm2 / g, K]; by default those of GW170817.

    Returns
    -------
    SpectralSeries
        From 0.05 to 30 days and 1000 Angstrom to 5 micrometre, at 10 pc.

    References
    ----------
    Villar et al. 2017, ApJ 851, L21 (arXiv:1710.11576), eq. 1 to 5.

    Examples
    --------
    >>> series = kilonova_series()
    >>> series.phase[[0, -1]].tolist()
    [0.05, 30.0]
    """
    phase = np.geomspace(0.05, 30.0, 80)
    wavelength = np.geomspace(1e3, 5e4, 800)
    flux = np.zeros((len(phase), len(wavelength)))
    for mass, velocity, opacity, coldest in components:
        temperature, radius = kilonova_sphere(phase, mass, velocity, opacity, coldest)
        flux += _black_body(wavelength, temperature[:, None]) * (radius[:, None] / _TEN_PC) ** 2
    phase[[0, -1]] = 0.05, 30.0  # geomspace rounds them
    return SpectralSeries(phase, wavelength, flux, kind="KN")


def kilonova_sphere(
    time: np.ndarray, mass: float, velocity: float, opacity: float, coldest: float
) -> tuple[np.ndarray, np.ndarray]:
    r"""Return temperature and radius of the photosphere of one part of the ejecta.

    .. math:: L(t) = \frac{2}{t_d^2} e^{-t^2 / t_d^2} \int_0^t L_{in} \epsilon_{th} \,
        e^{t'^2 / t_d^2} \, t' \, dt', \quad t_d^2 = \frac{2 \kappa M}{\beta v c}, \quad
        L_{in} = 4 \times 10^{18} M \left[\frac{1}{2} - \frac{1}{\pi}
        \arctan \frac{t - 1.3}{0.11}\right]^{1.3}

    The photosphere has the radius :math:`v t` until it has cooled to its lowest temperature; then
    it keeps that and recedes.

    Parameters
    ----------
    time : (…) [d]
        Since the merger, positive.
    mass, velocity, opacity, coldest : float [Msun, c, cm2 / g, K]
        Of the ejecta; between 0.001 and 0.1 Msun, and 0.1 and 0.4 c.

    Returns
    -------
    temperature : (…) [K]
    radius : (…) [cm]

    References
    ----------
    Villar et al. 2017, eq. 1 to 5; heating: Korobkin et al. 2012, MNRAS 426, 1940, eq. 4;
    thermalisation: Barnes et al. 2016, ApJ 829, 110, eq. 34 and table 1; beyond 0.05 Msun and 0.3 c
    as MOSFiT has it (Guillochon et al. 2018, ApJS 236, 6).
    """
    t = np.asarray(time, dtype=float)
    luminosity = _luminosity(t, mass, velocity, opacity)
    expanding = velocity * _C * t * _DAY
    temperature = (luminosity / (4 * np.pi * _SIGMA * expanding**2)) ** 0.25
    receding = np.sqrt(luminosity / (4 * np.pi * _SIGMA)) / coldest**2
    cold = temperature < coldest
    return np.where(cold, coldest, temperature), np.where(cold, receding, expanding)


def _luminosity(time: np.ndarray, mass: float, velocity: float, opacity: float) -> np.ndarray:
    """Return the light [erg / s] that leaves the ejecta at times [d]."""
    grid = np.geomspace(_EARLIEST, time.max(), _STEPS)
    heat = mass * _MSUN * 4e18 * (0.5 - np.arctan((grid * _DAY - 1.3) / 0.11) / np.pi) ** 1.3
    a, b, d = interpn(_GRID, _THERMAL, [[mass, velocity]])[0]
    depth = 2 * b * grid**d
    kept = 0.36 * (np.exp(-a * grid) + np.log1p(depth) / depth)
    delay = 2 * opacity * mass * _MSUN / (_BETA * velocity * _C**2) / _DAY**2
    # both exponentials in one, which does not overflow when the ejecta have long been transparent
    rise = grid**2 / delay
    area = _leaky_integral(rise, heat * kept)
    return np.asarray(np.interp(time, grid, area))


def _leaky_integral(x: np.ndarray, source: np.ndarray) -> np.ndarray:
    """Return the integral of source(x') exp(x' - x) dx' up to each x, straight between points."""
    step = np.diff(x)
    decay = np.exp(-step)
    # weights of the source at the end and the start of a step of which it is a straight line
    small = step < 1e-4
    safe = np.where(small, 1.0, step)
    end = np.where(small, step / 2 - step**2 / 6, 1 - (1 - decay) / safe)
    start = np.where(small, step / 2 - step**2 / 3, (1 - decay) / safe - decay)
    gain = end * source[1:] + start * source[:-1]
    total = np.zeros(len(x))
    for i in range(len(step)):
        total[i + 1] = total[i] * decay[i] + gain[i]
    return total


def _black_body(wavelength: np.ndarray, temperature: np.ndarray) -> np.ndarray:
    """Return the flux density that leaves a black surface [erg / (s cm2 Angstrom)]."""
    h, c, k = (float(q.cgs.value) for q in (const.h, const.c, const.k_B))
    cm = wavelength * 1e-8
    density = 2 * np.pi * h * c**2 / cm**5 / np.expm1(h * c / (cm * k * temperature))
    return np.asarray(density * 1e-8)
