"""Sizes of galaxies on the sky and in kiloparsec."""

from __future__ import annotations

import astropy.units as u
import numpy as np
from astropy.cosmology import FLRW

__all__ = [
    "angular_size",
    "early_type_lognormal_size",
    "late_type_lognormal_size",
    "linear_lognormal_size",
]


def angular_size(
    physical_size: u.Quantity, redshift: float | np.ndarray, cosmology: FLRW
) -> u.Quantity:
    """Return the angle that a size subtends at a redshift.

    Parameters
    ----------
    physical_size : Quantity (…) [length]
        Radius.
    redshift : (…)
        Redshift.
    cosmology : FLRW
        For the angular diameter distance.

    Returns
    -------
    Quantity (…) [rad]

    Examples
    --------
    >>> import astropy.units as u
    >>> from astropy.cosmology import Planck18
    >>> angular_size(5 * u.kpc, 0.5, Planck18).to("arcsec").round(3)
    <Quantity 0.795 arcsec>
    """
    if not (np.asarray(redshift) > 0).all():
        raise ValueError("redshifts have to be positive: at zero there is no distance")
    distance = cosmology.angular_diameter_distance(redshift)
    return np.arctan(u.Quantity(physical_size) / distance)


def late_type_lognormal_size(
    magnitude: float | np.ndarray,
    alpha: float,
    beta: float,
    gamma: float,
    M0: float,  # noqa: N803 - the published name
    sigma1: float,
    sigma2: float,
    size: int | tuple[int, ...] | None = None,
    *,
    rng: np.random.Generator,
) -> u.Quantity:
    r"""Draw half-light radii of late-type galaxies, lognormal about their mean relation.

    .. math:: \log_{10} \bar R = -0.4 \alpha M + (\beta - \alpha)
        \log_{10}\left[1 + 10^{-0.4 (M - M_0)}\right] + \gamma, \quad
        \sigma_{\ln R} = \sigma_2 + \frac{\sigma_1 - \sigma_2}{1 + 10^{-0.8 (M - M_0)}}

    Parameters
    ----------
    magnitude : (…) [mag]
        Absolute magnitude.
    alpha, beta, gamma, M0
        Of the mean relation.
    sigma1, sigma2
        Scatter of ln R at the faint and at the bright end.
    size : int or tuple, optional
        Shape of the result.
    rng : Generator
        Source of randomness.

    Returns
    -------
    Quantity (…) [kpc]

    References
    ----------
    Shen et al. 2003, MNRAS 343, 978, eq. 15 and 16.
    """
    faintness = np.asarray(magnitude, dtype=float) - M0
    mean = -0.4 * alpha * np.asarray(magnitude) + gamma
    mean = mean + (beta - alpha) * np.log10(1 + 10 ** (-0.4 * faintness))
    return _lognormal(mean, _scatter(faintness, sigma1, sigma2), size, rng)


def early_type_lognormal_size(
    magnitude: float | np.ndarray,
    a: float,
    b: float,
    M0: float,  # noqa: N803 - the published name
    sigma1: float,
    sigma2: float,
    size: int | tuple[int, ...] | None = None,
    *,
    rng: np.random.Generator,
) -> u.Quantity:
    r"""Draw half-light radii of early-type galaxies, :math:`\log_{10} \bar R = -0.4 a M + b`.

    Parameters
    ----------
    magnitude : (…) [mag]
        Absolute magnitude.
    a, b
        Of the mean relation.
    M0, sigma1, sigma2, size, rng
        As for `late_type_lognormal_size`.

    Returns
    -------
    Quantity (…) [kpc]

    References
    ----------
    Shen et al. 2003, MNRAS 343, 978, eq. 14 and 16.
    """
    magnitude = np.asarray(magnitude, dtype=float)
    scatter = _scatter(magnitude - M0, sigma1, sigma2)
    return _lognormal(-0.4 * a * magnitude + b, scatter, size, rng)


def linear_lognormal_size(
    magnitude: float | np.ndarray,
    a_mu: float,
    b_mu: float,
    sigma: float | np.ndarray,
    size: int | tuple[int, ...] | None = None,
    *,
    rng: np.random.Generator,
) -> u.Quantity:
    r"""Draw half-light radii, lognormal about a power law, :math:`\log_{10} \bar R = a M + b`.

    Parameters
    ----------
    magnitude : (…) [mag]
        Absolute magnitude.
    a_mu, b_mu
        Slope and intercept.
    sigma
        Scatter of ln R.
    size, rng
        As for `late_type_lognormal_size`.

    Returns
    -------
    Quantity (…) [kpc]

    References
    ----------
    Herbel et al. 2017, JCAP 08, 035, eq. 3.14; the base of the mean is that of SkyPy.
    """
    mean = a_mu * np.asarray(magnitude, dtype=float) + b_mu
    return _lognormal(mean, np.asarray(sigma), size, rng)


def _scatter(faintness: np.ndarray, sigma1: float, sigma2: float) -> np.ndarray:
    return np.asarray(sigma2 + (sigma1 - sigma2) / (1 + 10 ** (-0.8 * faintness)))


def _lognormal(
    log10_mean: np.ndarray,
    scatter: np.ndarray,
    size: int | tuple[int, ...] | None,
    rng: np.random.Generator,
) -> u.Quantity:
    shape = np.broadcast_shapes(log10_mean.shape, scatter.shape) if size is None else size
    radius = 10**log10_mean * np.exp(scatter * rng.standard_normal(shape))
    return radius * u.kpc
