"""How well a survey measures and finds galaxies: magnitude errors and completeness."""

from __future__ import annotations

import numpy as np

__all__ = ["logistic_completeness_function", "magnitude_error_rykoff"]


def magnitude_error_rykoff(
    magnitude: float | np.ndarray,
    magnitude_limit: float | np.ndarray,
    magnitude_zp: float | np.ndarray,
    a: float | np.ndarray,
    b: float | np.ndarray,
    error_limit: float = np.inf,
) -> np.ndarray:
    r"""Return the error of a magnitude in a survey of given depth.

    .. math:: \sigma_m = \frac{2.5}{\ln 10}
        \left[\frac{1 + F_{noise} / F}{F \, t_{eff}}\right]^{1/2},
        \quad t_{eff} = e^{a + b (m_{lim} - 21)}, \quad
        F_{noise} = (F_{lim} / 10)^2 \, t_{eff} - F_{lim}

    Parameters
    ----------
    magnitude : (…) [mag]
        Apparent magnitude.
    magnitude_limit : float or (…) [mag]
        Magnitude at a signal to noise of 10.
    magnitude_zp : float or (…) [mag]
        Zero point, in which flux is ``10**(-0.4 (m - zp))``.
    a, b
        Of the effective exposure time.
    error_limit : float [mag]
        No error is larger.

    References
    ----------
    Rykoff, Rozo & Keisler 2015, arXiv:1509.00870, eq. 3 to 7.
    """
    flux, limit = (
        10 ** (-0.4 * (np.asarray(m) - magnitude_zp)) for m in (magnitude, magnitude_limit)
    )
    time = np.exp(a + b * (np.asarray(magnitude_limit) - 21.0))
    noise = (limit / 10) ** 2 * time - limit
    error = 2.5 / np.log(10) * np.sqrt((1 + noise / flux) / (flux * time))
    return np.asarray(np.minimum(error, error_limit))


def logistic_completeness_function(
    magnitude: float | np.ndarray,
    magnitude_95: float | np.ndarray,
    magnitude_50: float | np.ndarray,
) -> np.ndarray:
    r"""Return the share of galaxies that a survey finds, :math:`1 / (1 + e^{\kappa (m - m_{50})})`.

    Parameters
    ----------
    magnitude : (…) [mag]
        Apparent magnitude.
    magnitude_95, magnitude_50 : float or (…) [mag]
        Where 95 % and 50 % are found.

    References
    ----------
    López-Sanjuan et al. 2017, A&A 599, A62, eq. 14, as SkyPy writes it.

    Examples
    --------
    >>> float(logistic_completeness_function(24.0, 23.0, 24.0))
    0.5
    """
    steepness = np.log(1 / 19) / (np.asarray(magnitude_95) - magnitude_50)
    return np.asarray(1 / (1 + np.exp(steepness * (np.asarray(magnitude) - magnitude_50))))
