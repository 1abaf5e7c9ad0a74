"""Galaxies whose spectra are sums of templates."""

from __future__ import annotations

import astropy.units as u
import numpy as np
from astropy.cosmology import FLRW

from skywright.sky.populations.distances import distance_modulus
from skywright.sky.populations.filter_names import Filters
from skywright.sky.populations.magnitudes import mag_ab

__all__ = ["SpectrumTemplates"]


class SpectrumTemplates:
    """Magnitudes of any set of templates; a subclass says which.

    Attributes
    ----------
    templates : Quantity (template, w) [erg / (s cm2 Angstrom)]
        Spectra as seen from 10 pc.
    wavelength : Quantity (w,) [Angstrom]
        Their wavelengths, ascending.

    Examples
    --------
    >>> class Flat(SpectrumTemplates):
    ...     wavelength = np.geomspace(1e3, 1e5, 500) * u.AA
    ...     templates = np.full((1, 500), 1e-9) * u.Unit("erg / (s cm2 AA)")
    >>> Flat().absolute_magnitudes(np.ones((2, 1)), "sdss2010-r").round(2)
    array([1.14, 1.14])
    """

    templates: u.Quantity
    wavelength: u.Quantity

    def absolute_magnitudes(
        self,
        coefficients: np.ndarray,
        filters: Filters,
        stellar_mass: np.ndarray | None = None,
    ) -> np.ndarray:
        """Return absolute AB magnitudes ([…,] filter) of galaxies ([…,] template).

        Parameters
        ----------
        coefficients : (…, template)
            Shares of the templates.
        filters : str or list of str
            See `mag_ab`.
        stellar_mass : (…), optional
            Mass that the shares are of; 1 by default.
        """
        shares = np.asarray(coefficients, dtype=float)
        magnitudes = mag_ab(
            self.wavelength,
            self.templates,
            filters,
            redshift=np.zeros(shares.shape[:-1]),
            coefficients=shares,
        )
        return _brightened(magnitudes, stellar_mass)

    def apparent_magnitudes(
        self,
        coefficients: np.ndarray,
        redshift: np.ndarray,
        filters: Filters,
        cosmology: FLRW,
        *,
        stellar_mass: np.ndarray | None = None,
        resolution: int = 1000,
    ) -> np.ndarray:
        """Return apparent AB magnitudes (n, filter) of galaxies (n, template) at redshifts (n,).

        Parameters
        ----------
        coefficients, filters, stellar_mass
            As for `absolute_magnitudes`.
        redshift : (n,)
            Redshifts.
        cosmology : FLRW
            For distance moduli.
        resolution : int
            Most redshifts that are computed; see `mag_ab`.
        """
        magnitudes = mag_ab(
            self.wavelength,
            self.templates,
            filters,
            redshift=redshift,
            coefficients=coefficients,
            distmod=distance_modulus(redshift, cosmology),
            interpolate=resolution,
        )
        return _brightened(magnitudes, stellar_mass)


def _brightened(magnitudes: np.ndarray, mass: np.ndarray | None) -> np.ndarray:
    """Return magnitudes of galaxies of given masses."""
    if mass is None:
        return magnitudes
    gain = 2.5 * np.log10(np.asarray(mass, dtype=float))
    return np.asarray(magnitudes - gain.reshape(*gain.shape, *(1,) * (magnitudes.ndim - gain.ndim)))
