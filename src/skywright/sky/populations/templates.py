"""Galaxies whose spectra are sums of the five templates of kcorrect."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.cosmology import FLRW
from astropy.io import fits

from skywright.sky.populations.filter_names import Filters
from skywright.sky.populations.spectrum_templates import SpectrumTemplates

__all__ = [
    "KCorrectTemplates",
    "absolute_magnitudes",
    "apparent_magnitudes",
    "galaxy_stellar_mass",
    "m300",
    "m1000",
    "metallicity",
]

_FILE = "skypy/data/kcorrect/k_nmf_derived.default.fits"


class KCorrectTemplates(SpectrumTemplates):
    """The spectra of kcorrect for one solar mass of stars each, at 10 pc, and what they hold.

    The file comes with the wheel of SkyPy, of which nothing else is used.

    Parameters
    ----------
    hdu : int
        Extension of the spectra: 1 as seen, the others as kcorrect documents them.

    Attributes
    ----------
    templates : Quantity (5, w) [erg / (s cm2 Angstrom)]
        Spectra.
    wavelength : Quantity (w,) [Angstrom]
        Their wavelengths, from 600 Angstrom to 320 micrometre.
    mass, mremain, mets, mass300, mass1000 : (5,)
        Mass formed and remaining, metallicity, mass formed in the last 300 and 1000 Myr.

    Raises
    ------
    FileNotFoundError
        SkyPy's wheel is not installed.

    References
    ----------
    Blanton & Roweis 2007, AJ 133, 734, section 3.
    """

    def __init__(self, hdu: int = 1) -> None:
        with fits.open(_template_file()) as file:
            arrays = [file[i].data.astype(float) for i in (hdu, 11, 16, 17, 18, 19, 20)]
        self.templates = arrays[0] * u.Unit("erg / (s cm2 Angstrom)")
        self.wavelength = arrays[1] * u.Angstrom
        self.mass, self.mremain, self.mets, self.mass300, self.mass1000 = arrays[2:]

    def stellar_mass(
        self, coefficients: np.ndarray, magnitudes: np.ndarray, filter: Filters
    ) -> np.ndarray:
        """Return the mass [Msun] (n,) that gives galaxies absolute magnitudes in a filter."""
        unit = self.absolute_magnitudes(coefficients, filter)
        return np.asarray(10 ** (0.4 * (unit - np.asarray(magnitudes))))

    def metallicity(self, coefficients: np.ndarray) -> np.ndarray:
        """Return the metallicity (…) of galaxies (…, 5), weighted with the mass that remains."""
        remaining = _shares(coefficients) * self.mremain
        return np.asarray(remaining @ self.mets / remaining.sum(axis=-1))

    def m300(self, coefficients: np.ndarray, stellar_mass: np.ndarray | None = None) -> np.ndarray:
        """Return the mass (…) formed in the last 300 Myr, as a share or of a mass."""
        return self._young(coefficients, self.mass300, stellar_mass)

    def m1000(self, coefficients: np.ndarray, stellar_mass: np.ndarray | None = None) -> np.ndarray:
        """Return the mass (…) formed in the last 1000 Myr, as a share or of a mass."""
        return self._young(coefficients, self.mass1000, stellar_mass)

    def _young(
        self, coefficients: np.ndarray, formed: np.ndarray, mass: np.ndarray | None
    ) -> np.ndarray:
        shares = _shares(coefficients)
        young = shares @ formed / (shares @ self.mass)
        return np.asarray(young if mass is None else young * np.asarray(mass))


def absolute_magnitudes(
    coefficients: np.ndarray,
    filters: Filters,
    stellar_mass: np.ndarray | None = None,
) -> np.ndarray:
    """Return absolute AB magnitudes; see `KCorrectTemplates.absolute_magnitudes`."""
    return _kcorrect().absolute_magnitudes(coefficients, filters, stellar_mass)


def apparent_magnitudes(
    coefficients: np.ndarray,
    redshift: np.ndarray,
    filters: Filters,
    cosmology: FLRW,
    *,
    stellar_mass: np.ndarray | None = None,
    resolution: int = 1000,
) -> np.ndarray:
    """Return apparent AB magnitudes; see `KCorrectTemplates.apparent_magnitudes`."""
    return _kcorrect().apparent_magnitudes(
        coefficients, redshift, filters, cosmology, stellar_mass=stellar_mass, resolution=resolution
    )


def galaxy_stellar_mass(
    coefficients: np.ndarray, magnitudes: np.ndarray, filter: Filters
) -> np.ndarray:
    """Return masses [Msun] of absolute magnitudes; see `KCorrectTemplates.stellar_mass`."""
    return _kcorrect().stellar_mass(coefficients, magnitudes, filter)


def metallicity(coefficients: np.ndarray) -> np.ndarray:
    """Return metallicities; see `KCorrectTemplates.metallicity`."""
    return _kcorrect().metallicity(coefficients)


def m300(coefficients: np.ndarray, stellar_mass: np.ndarray | None = None) -> np.ndarray:
    """Return the mass formed in the last 300 Myr; see `KCorrectTemplates.m300`."""
    return _kcorrect().m300(coefficients, stellar_mass)


def m1000(coefficients: np.ndarray, stellar_mass: np.ndarray | None = None) -> np.ndarray:
    """Return the mass formed in the last 1000 Myr; see `KCorrectTemplates.m1000`."""
    return _kcorrect().m1000(coefficients, stellar_mass)


@cache
def _kcorrect() -> KCorrectTemplates:
    return KCorrectTemplates()


def _template_file() -> Path:
    try:
        file = Path(str(distribution("skypy").locate_file(_FILE)))
    except PackageNotFoundError:
        file = Path()
    if not file.is_file():
        raise FileNotFoundError(
            "the templates of kcorrect come with the wheel of SkyPy: pip install 'skywright[sky]'"
        )
    return file


def _shares(coefficients: np.ndarray) -> np.ndarray:
    shares = np.asarray(coefficients, dtype=float)
    if shares.shape[-1:] != (5,):
        raise ValueError(
            f"coefficients have shape {shares.shape}; expected five templates along the last axis"
        )
    return shares
