"""The mean extinction curve of dust in the Milky Way."""

from __future__ import annotations

import numpy as np
from numpy.polynomial.polynomial import polyval

__all__ = ["extinction_curve"]

# Coefficients of a(x) and b(x) in powers of x - 1.82, x in 1 / micrometre; O'Donnell 1994.
_OPTICAL = (
    (1.0, 0.104, -0.609, 0.701, 1.137, -1.718, -0.827, 1.647, -0.505),
    (0.0, 1.952, 2.908, -3.989, -7.985, 11.102, 5.491, -10.805, 3.347),
)


def extinction_curve(wavelength: np.ndarray, r_v: float = 3.1) -> np.ndarray:
    r"""Return the extinction over that in V, :math:`A(\lambda) / A(V) = a(x) + b(x) / R_V`.

    Parameters
    ----------
    wavelength : (…) [Angstrom]
        From 910 Angstrom; beyond 3.3 micrometre the power law of the infrared goes on.
    r_v : float
        Ratio of total to selective extinction.

    References
    ----------
    Cardelli, Clayton & Mathis 1989, ApJ 345, 245, eq. 1 to 5; between 3030 and 9090 Angstrom
    O'Donnell 1994, ApJ 422, 158, eq. 1 and 2.

    Examples
    --------
    >>> extinction_curve(np.array([4400.0, 5500.0, 22000.0])).round(2)
    array([1.32, 1.  , 0.11])
    """
    x = 1e4 / np.asarray(wavelength, dtype=float)
    if not ((x > 0) & (x < 11)).all():
        raise ValueError("the extinction curve is known from 910 Angstrom on; got shorter or none")
    y = x - 1.82
    infrared, optical, ultraviolet = x < 1.1, x < 3.3, x < 8
    # far infrared to far ultraviolet; each wavelength takes the first branch that holds
    a = np.select(
        [infrared, optical, ultraviolet],
        [0.574 * x**1.61, polyval(y, _OPTICAL[0]), _near(x, 1.752, 0.316, 0.104, 4.67, 0.341)],
        polyval(x - 8, (-1.073, -0.628, 0.137, -0.070)),
    )
    b = np.select(
        [infrared, optical, ultraviolet],
        [-0.527 * x**1.61, polyval(y, _OPTICAL[1]), _near(x, -3.090, -1.825, -1.206, 4.62, 0.263)],
        polyval(x - 8, (13.670, 4.257, -0.420, 0.374)),
    )
    bend = np.where((x >= 5.9) & (x < 8), x - 5.9, 0.0)
    a += polyval(bend, (0, 0, -0.04473, -0.009779))
    b += polyval(bend, (0, 0, 0.2130, 0.1207))
    return np.asarray(a + b / r_v)


def _near(
    x: np.ndarray, c: float, slope: float, bump: float, x0: float, width: float
) -> np.ndarray:
    """Return a straight line and the bump at 2175 Angstrom."""
    return c - slope * x - bump / ((x - x0) ** 2 + width)
