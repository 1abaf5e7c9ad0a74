"""How supernovae differ from each other: brightness, stretch, colour and type."""

from __future__ import annotations

import numpy as np

from skywright.sky.transients.templates import CORE_COLLAPSE, MEAN_MAGNITUDES, VEGA_TO_AB

__all__ = [
    "IA_MAGNITUDE",
    "draw_core_collapse_parameters",
    "draw_ia_parameters",
    "ia_stretch",
]

# Of x1 = colour = 0 in B (AB), for H0 = 70: -19.253 of Riess et al. 2022, ApJ 934, L7 (H0 = 73.04)
IA_MAGNITUDE = -19.253 + 5 * np.log10(70 / 73.04) + VEGA_TO_AB


def draw_ia_parameters(
    size: int,
    *,
    magnitude: float = float(IA_MAGNITUDE),
    alpha: float = 0.141,
    beta: float = 3.101,
    scatter: float = 0.1,
    x1_std: float = 1.0,
    colour_std: float = 0.1,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    r"""Draw shape, colour and brightness of type Ia supernovae.

    .. math:: M_B = M_0 - \alpha x_1 + \beta c + \epsilon

    Parameters
    ----------
    size : int
        Number of supernovae.
    magnitude : float [mag]
        Absolute B magnitude (AB) at maximum for x1 = c = 0; the default belongs to H0 = 70.
    alpha, beta : float
        How slower ones are brighter, and redder ones fainter.
    scatter : float [mag]
        What is left: the standard deviation of a normal distribution.
    x1_std, colour_std : float
        Standard deviations of x1 and of the colour [mag] about 0. SALT2 defines x1 so that it has
        mean 0 and variance 1 in its sample; 0.1 mag is the usual width in colour.
    rng : Generator
        Source of randomness.

    Returns
    -------
    x1, colour, M_B : (size,) [1, mag, mag]

    References
    ----------
    Tripp 1998, A&A 331, 815; alpha and beta: Betoule et al. 2014, A&A 568, A22, table 10.

    Examples
    --------
    >>> x1, colour, M_B = draw_ia_parameters(1000, rng=np.random.default_rng(0))
    >>> bool(abs(M_B.mean() + 19.43) < 0.05)
    True
    """
    if not min(scatter, x1_std, colour_std) >= 0:
        raise ValueError(
            f"scatter {scatter}, x1_std {x1_std}, colour_std {colour_std}: expected none negative"
        )
    x1 = rng.normal(0.0, x1_std, size)
    colour = rng.normal(0.0, colour_std, size)
    rest = rng.normal(0.0, scatter, size)
    return x1, colour, magnitude - alpha * x1 + beta * colour + rest


def ia_stretch(x1: float | np.ndarray) -> np.ndarray:
    r"""Return the factor that a light curve is slower by than the template.

    .. math:: s = 0.98 + 0.091 x_1 + 0.003 x_1^2 - 0.00075 x_1^3

    Parameters
    ----------
    x1 : (…)
        Shape as of SALT2; beyond +-5, where nothing was fitted, the stretch of +-5.

    References
    ----------
    Guy et al. 2007, A&A 466, 11, section 6.

    Examples
    --------
    >>> ia_stretch([-1.0, 0.0, 1.0]).round(3)
    array([0.893, 0.98 , 1.073])
    """
    x = np.clip(np.asarray(x1, dtype=float), -5.0, 5.0)
    return np.asarray(0.98 + 0.091 * x + 0.003 * x**2 - 0.00075 * x**3)


def draw_core_collapse_parameters(
    size: int, *, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw spectra and brightness of core-collapse supernovae.

    Parameters
    ----------
    size : int
        Number of supernovae.
    rng : Generator
        Source of randomness.

    Returns
    -------
    template : (size,) str
        II-P, II-L and stripped stars with the shares of a volume; see `load_series`.
    M_B : (size,) [mag]
        Absolute B magnitude (AB) at maximum, normal about the mean of the type, for H0 = 70.

    References
    ----------
    Shares: Smith et al. 2011, MNRAS 412, 1522, table 1; magnitudes: Richardson et al. 2014,
    AJ 147, 118, table 1. But for the mean of II-P neither was checked against the paper.

    Examples
    --------
    >>> template, M_B = draw_core_collapse_parameters(3, rng=np.random.default_rng(0))
    >>> template.tolist()
    ['CSP-2004gv', 'SDSS-000018', 'SDSS-000018']
    """
    names = np.array(list(CORE_COLLAPSE))
    kinds, shares = zip(*CORE_COLLAPSE.values(), strict=True)
    chosen = rng.choice(len(names), size=size, p=np.array(shares) / sum(shares))
    mean, scatter = np.array([MEAN_MAGNITUDES[kind] for kind in kinds])[chosen].T
    return names[chosen], rng.normal(mean + VEGA_TO_AB, scatter)
