"""Concentrations of halos: radius over scale radius, the median and the scatter about it."""

from __future__ import annotations

import numpy as np
from astropy.cosmology import FLRW

from skywright.sky.halos.border import NS, SIGMA8, colossus_concentration
from skywright.sky.halos.checks import checked_masses, checked_redshifts
from skywright.sky.halos.definitions import convert_halo_mass, threshold_density
from skywright.sky.halos.tabulated import at_halos

__all__ = ["draw_concentrations", "halo_concentration"]

_MARGIN = 1.5  # masses of another definition are tabulated this much beyond their estimate


def halo_concentration(
    mass: np.ndarray,
    redshift: np.ndarray,
    cosmology: FLRW,
    *,
    model: str = "diemer19",
    mass_definition: str = "200m",
    sigma8: float = SIGMA8,
    ns: float = NS,
) -> np.ndarray:
    """Return the median concentration of halos.

    Models are those of colossus, also beyond the masses and redshifts they were fitted in. For a
    mass definition a model was not fitted in, masses and concentrations are converted as those of
    NFW halos.

    Parameters
    ----------
    mass : (…) [Msun]
        Halo masses.
    redshift : (…)
        Their redshifts.
    cosmology, sigma8, ns
        As for `halo_mass_function`.
    model : str
        ``diemer19`` (Diemer & Joyce 2019), ``duffy08``, ``dutton14``, ``ishiyama21`` or another;
        the error for an unknown name lists all.
    mass_definition : str
        Definition of the masses and of the result, any overdensity.

    Returns
    -------
    (…)

    Raises
    ------
    ValueError
        When the model is unknown or has no value for a halo, or an argument makes no sense.

    Examples
    --------
    >>> from astropy.cosmology import Planck18
    >>> halo_concentration([1e12, 1e15], 0.0, Planck18, mass_definition="200c").round(2)
    array([8.32, 3.76])
    """
    masses, z = checked_masses(mass), checked_redshifts(redshift)

    def table(nodes: np.ndarray, redshifts: np.ndarray) -> np.ndarray:
        def native(definition: str, z: float) -> np.ndarray:
            if definition == mass_definition:
                return nodes
            ends = [
                threshold_density(np.asarray(z), cosmology, name)
                for name in (mass_definition, definition)
            ]
            ratio = ends[0] / ends[1]
            low, high = min(ratio, 1 / _MARGIN), max(ratio, _MARGIN)
            return np.geomspace(nodes[0] * low, nodes[-1] * high, len(nodes) + 100)

        definition, known, values = colossus_concentration(
            native, redshifts, cosmology, model, mass_definition, sigma8, ns
        )
        if definition == mass_definition:
            return values
        found = [
            convert_halo_mass(m, c, z, cosmology, definition, mass_definition)
            for m, c, z in zip(known, values, redshifts, strict=True)
        ]
        return np.stack([np.interp(np.log(nodes), np.log(m), c) for m, c in found])

    return at_halos(table, masses, z)


def draw_concentrations(
    mass: np.ndarray,
    redshift: np.ndarray,
    cosmology: FLRW,
    *,
    model: str = "diemer19",
    mass_definition: str = "200m",
    scatter: float = 0.16,
    sigma8: float = SIGMA8,
    ns: float = NS,
    rng: np.random.Generator,
) -> np.ndarray:
    """Draw concentrations of halos, lognormal about the median of a model.

    Parameters
    ----------
    mass, redshift, cosmology, model, mass_definition, sigma8, ns
        As for `halo_concentration`.
    scatter : float [dex]
        Rms of log10 of the concentration; 0.16 is that of all halos, relaxed ones have less.
    rng : Generator
        Source of randomness.

    Returns
    -------
    (…)

    References
    ----------
    Diemer & Kravtsov 2015, ApJ 799, 108, for the scatter.
    """
    if not 0 <= scatter < 1:
        raise ValueError(f"scatter is {scatter}; expected a number of dex from 0 up to 1")
    median = halo_concentration(
        mass,
        redshift,
        cosmology,
        model=model,
        mass_definition=mass_definition,
        sigma8=sigma8,
        ns=ns,
    )
    return np.asarray(median * 10 ** (scatter * rng.standard_normal(median.shape)))
