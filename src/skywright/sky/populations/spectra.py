"""Coefficients of galaxy spectra that are sums of templates."""

from __future__ import annotations

import numpy as np

__all__ = ["dirichlet_coefficients"]


def dirichlet_coefficients(
    redshift: float | np.ndarray,
    alpha0: np.ndarray,
    alpha1: np.ndarray,
    z1: float = 1.0,
    weight: np.ndarray | None = None,
    *,
    rng: np.random.Generator,
) -> np.ndarray:
    r"""Draw the shares of templates in the spectra of galaxies.

    .. math:: \alpha_i(z) = \alpha_{i,0}^{1 - z/z_1} \, \alpha_{i,1}^{z/z_1}

    Parameters
    ----------
    redshift : (…)
        Redshift of each galaxy.
    alpha0, alpha1 : (template,)
        Parameters of the Dirichlet distribution at redshift 0 and at ``z1``, positive.
    z1 : float
        The second redshift.
    weight : (template,), optional
        Multiplies the shares, which are then brought to a sum of 1 again.
    rng : Generator
        Source of randomness.

    Returns
    -------
    (…, template)
        Shares that sum to 1.

    Raises
    ------
    ValueError
        When the parameters do not belong to the same templates.

    References
    ----------
    Herbel et al. 2017, JCAP 08, 035, section 3.3.

    Examples
    --------
    >>> shares = dirichlet_coefficients(0.3, [1.0, 2.0], [2.0, 1.0], rng=np.random.default_rng(0))
    >>> float(shares.sum().round(12))
    1.0
    """
    first, second = np.asarray(alpha0, dtype=float), np.asarray(alpha1, dtype=float)
    if first.ndim != 1 or first.shape != second.shape:
        raise ValueError(
            f"alpha0 has shape {first.shape}, alpha1 {second.shape}; expected one number a template"
        )
    if weight is not None and np.shape(weight) != first.shape:
        raise ValueError(
            f"weight has shape {np.shape(weight)}; expected {len(first)} numbers, one a template"
        )
    share = np.asarray(redshift, dtype=float)[..., None] / z1
    drawn = rng.gamma(first ** (1 - share) * second**share)
    drawn = drawn if weight is None else drawn * np.asarray(weight)
    return np.asarray(drawn / drawn.sum(axis=-1, keepdims=True))
