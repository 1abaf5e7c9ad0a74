"""How many halos there are: mass functions, number densities above a mass, and linear bias."""

from __future__ import annotations

import numpy as np
from astropy.cosmology import FLRW

from skywright.sky.halos.border import NS, SIGMA8, colossus_bias, colossus_mass_function
from skywright.sky.halos.checks import checked_masses, checked_redshifts
from skywright.sky.halos.subhalos import mean_subhalos
from skywright.sky.halos.tabulated import at_halos, cumulative

__all__ = ["halo_bias", "halo_mass_function", "halo_number_density"]

_HEAVIEST = 1e17  # Msun: no halo of any redshift is heavier
_STEP = 0.02  # in ln(mass), of integrals


def halo_mass_function(
    mass: np.ndarray,
    redshift: np.ndarray,
    cosmology: FLRW,
    *,
    model: str = "tinker08",
    mass_definition: str = "200m",
    sigma8: float = SIGMA8,
    ns: float = NS,
) -> np.ndarray:
    r"""Return the halo mass function :math:`dn / d\ln M` on a grid of redshifts and masses.

    Models are those of colossus, also beyond the masses and redshifts they were fitted in; the
    power spectrum is that of Eisenstein & Hu 1998.

    Parameters
    ----------
    mass : (mass,) or float [Msun]
        Halo masses.
    redshift : (z,) or float
        Redshifts.
    cosmology : FLRW
        LambdaCDM, wCDM or w0waCDM, flat or not, with baryons. Neutrinos count as massless.
    model : str
        ``press74`` (Press & Schechter), ``sheth99`` (Sheth & Tormen), ``tinker08`` (Tinker et
        al.), ``despali16``, ``bocquet16`` and others; the error for an unknown name lists all.
    mass_definition : str
        One that the model was fitted in: ``fof`` for the first two; ``200m``, ``200c``, ``vir``, …
    sigma8, ns : float
        Normalisation and slope of the power spectrum; by default those of Planck 2018.

    Returns
    -------
    (z, mass) [1 / Mpc3], without the axes of plain numbers
        Comoving number density per unit of ln(mass).

    Raises
    ------
    ValueError
        When the model is unknown or was not fitted in the definition, the cosmology cannot be
        used, or a mass or a redshift makes no sense.

    References
    ----------
    Diemer 2018, ApJS 239, 35 (colossus); the papers of the models.

    Examples
    --------
    >>> from astropy.cosmology import Planck18
    >>> n = halo_mass_function([1e12, 1e14], 0.5, Planck18, model="sheth99", mass_definition="fof")
    >>> [f"{x:.2e}" for x in n]
    ['1.79e-03', '1.23e-05']
    """
    masses, z = checked_masses(mass), checked_redshifts(redshift)
    if not masses.size * z.size:
        return np.empty(z.shape + masses.shape)
    table = colossus_mass_function(
        masses.ravel(), z.ravel(), cosmology, model, mass_definition, sigma8, ns
    )
    return table.reshape(z.shape + masses.shape)


def halo_number_density(
    mass: np.ndarray,
    redshift: np.ndarray,
    cosmology: FLRW,
    *,
    model: str = "tinker08",
    mass_definition: str = "200m",
    subhalos: str | None = None,
    sigma8: float = SIGMA8,
    ns: float = NS,
) -> np.ndarray:
    """Return the comoving number density of halos heavier than each of a list of halos.

    It is what `match_abundance` matches galaxies by.

    Parameters
    ----------
    mass : (…) [Msun]
        Halo masses; of subhalos those at infall.
    redshift : (…)
        Their redshifts.
    cosmology, model, mass_definition, sigma8, ns
        As for `halo_mass_function`.
    subhalos : str, optional
        Count subhalos too: ``"all"`` or ``"first"``, as `draw_subhalos` draws them. By default
        hosts alone are counted.

    Returns
    -------
    (…) [1 / Mpc3]

    Examples
    --------
    >>> from astropy.cosmology import Planck18
    >>> f"{halo_number_density(1e14, 0.0, Planck18):.2e}"
    '1.72e-05'
    """
    masses, z = checked_masses(mass), checked_redshifts(redshift)
    if masses.size and masses.max() >= _HEAVIEST:
        raise ValueError(f"halo masses up to {masses.max():.3g} Msun; expected less than 1e17 Msun")

    def above(nodes: np.ndarray, redshifts: np.ndarray) -> np.ndarray:
        log_mass = np.arange(np.log(nodes[0]), np.log(_HEAVIEST) + _STEP, _STEP)
        density = colossus_mass_function(
            np.exp(log_mass), redshifts, cosmology, model, mass_definition, sigma8, ns
        )
        # from the heaviest down: sums of small numbers lose no digits
        tail = cumulative(-log_mass[::-1], density[:, ::-1])[:, ::-1]
        if subhalos is not None:
            lighter = np.maximum(log_mass[:, None] - log_mass, 0.0)
            tail = tail + density @ mean_subhalos(lighter, subhalos) * _STEP
        logs = np.log(np.maximum(tail, 1e-200))
        return np.exp([np.interp(np.log(nodes), log_mass, row) for row in logs])

    return at_halos(above, masses, z)


def halo_bias(
    mass: np.ndarray,
    redshift: np.ndarray,
    cosmology: FLRW,
    *,
    model: str = "tinker10",
    mass_definition: str = "200m",
    sigma8: float = SIGMA8,
    ns: float = NS,
) -> np.ndarray:
    """Return the linear bias of halos.

    Parameters
    ----------
    mass : (…) [Msun]
        Halo masses.
    redshift : (…)
        Their redshifts.
    cosmology, mass_definition, sigma8, ns
        As for `halo_mass_function`.
    model : str
        ``tinker10`` or another of colossus; the error for an unknown name lists all.

    Returns
    -------
    (…)

    References
    ----------
    Tinker et al. 2010, ApJ 724, 878, eq. 6, for ``tinker10``.

    Examples
    --------
    >>> from astropy.cosmology import Planck18
    >>> halo_bias([1e12, 1e14], 0.5, Planck18).round(2)
    array([0.95, 2.79])
    """
    masses, z = checked_masses(mass), checked_redshifts(redshift)
    return at_halos(
        lambda m, zs: colossus_bias(m, zs, cosmology, model, mass_definition, sigma8, ns), masses, z
    )
