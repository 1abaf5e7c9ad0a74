"""Magnitudes of spectra that are sums of templates, from a table of band fluxes in redshift."""

from __future__ import annotations

import warnings
from functools import lru_cache

import astropy.constants as const
import astropy.units as u
import numpy as np
from scipy.sparse import csr_array

from skywright.sky.populations.filter_names import FILTER, Filters

__all__ = ["band_coverage", "band_fluxes", "mag_ab"]

_BLOCK = 1 << 14  # galaxies that are combined at a time
_NODES = 64  # redshifts that are integrated at a time
# Of 3631 Jy in erg / (s cm2 Angstrom), times the square of the wavelength in Angstrom.
_AB = float((3631 * u.Jy * const.c).to_value("erg Angstrom / (s cm2)"))


def mag_ab(
    wavelength: u.Quantity | np.ndarray,
    spectrum: u.Quantity | np.ndarray,
    filters: Filters,
    *,
    redshift: float | np.ndarray | None = None,
    coefficients: np.ndarray | None = None,
    distmod: float | np.ndarray | None = None,
    interpolate: int | bool = 1000,
) -> np.ndarray:
    r"""Return AB magnitudes of spectra seen through filters.

    .. math:: m = -2.5 \log_{10} \frac{(1+z)^{-1} \int f_\lambda\left(\lambda / (1+z)\right)
        R(\lambda) \, \lambda \, d\lambda}
        {\int 3631\,\mathrm{Jy} \, (c / \lambda^2) \, R(\lambda) \, \lambda \, d\lambda} + \mu

    Band fluxes are tabulated over redshift once for each template and interpolated as fluxes; each
    galaxy then costs one sum over templates.

    Parameters
    ----------
    wavelength : (w,) [Angstrom]
        Of the spectra, ascending; a bare array is in Angstrom.
    spectrum : ([template,] w) [erg / (s cm2 Angstrom)]
        Emitted flux density; a bare array is in this unit. Beyond its wavelengths it is zero.
    filters : str or list of str
        As `speclite.filters.load_filters` takes them: ``"sdss2010-*"``, ``["lsst2023-g"]``.
    redshift : (…), optional
        Redshifts of galaxies; the spectra at rest by default.
    coefficients : ([…,] template), optional
        Shares of the templates in each galaxy; without them each template has a magnitude.
    distmod : (…) [mag], optional
        Distance moduli.
    interpolate : int or False
        Most redshifts that are computed one by one. More are interpolated between redshifts whose
        even step is the largest power of two that puts at least this many into their range.

    Returns
    -------
    ([…,] [template,] [filter]) [mag]
        Without the last axis for a single filter that is no list. Infinite where no light comes
        through; see `band_coverage`.

    Raises
    ------
    ValueError
        When shapes do not belong together, or a filter is not known.

    References
    ----------
    Blanton et al. 2003, AJ 125, 2348, eq. 2 to 4.
    """
    waves, spectra = _checked(wavelength, spectrum)
    templates = spectra.reshape(-1, len(waves))
    z = np.zeros(1) if redshift is None else np.asarray(redshift, dtype=float).ravel()
    if not (z > -1).all():
        raise ValueError("redshifts have to be above -1, and not NaN")
    table, place, step = _table(waves, templates, filters, z, int(interpolate))
    shares = _shares(coefficients, len(templates), len(z))
    flux = np.zeros((len(z), *table.shape[1 if shares is None else 2 :]))
    for start in range(0, len(z), _BLOCK):
        part = slice(start, start + _BLOCK)
        low, high = table[place[part]], table[np.minimum(place[part] + 1, len(table) - 1)]
        between = low + step[part, None, None] * (high - low)
        flux[part] = between if shares is None else np.einsum("zt,ztf->zf", shares[part], between)
    with np.errstate(divide="ignore"):
        magnitudes = -2.5 * np.log10(flux)
    shape = () if redshift is None else np.shape(redshift)
    inner = spectra.shape[:-1] if shares is None else ()
    magnitudes = magnitudes.reshape(*shape, *inner, table.shape[-1])
    if distmod is not None:
        moduli = np.asarray(distmod, dtype=float)
        magnitudes = magnitudes + moduli.reshape(*moduli.shape, *(1,) * (len(inner) + 1))
    one = isinstance(filters, str) and magnitudes.shape[-1] == 1
    return np.asarray(magnitudes[..., 0] if one else magnitudes)


def band_fluxes(
    wavelength: np.ndarray, spectra: np.ndarray, filters: Filters, redshift: np.ndarray
) -> np.ndarray:
    """Return the fluxes of redshifted templates through filters, in units of 3631 Jy.

    Parameters
    ----------
    wavelength : (w,) [Angstrom]
        Ascending.
    spectra : (template, w) [erg / (s cm2 Angstrom)]
        Emitted flux densities.
    filters
        See `mag_ab`.
    redshift : (node,)
        Redshifts.

    Returns
    -------
    (node, template, filter)
    """
    stretch = 1 + np.asarray(redshift, dtype=float)
    columns = []
    for waves, response in load_responses(filters):
        # the standard source is looked at where the spectra are, so that its magnitude is zero
        inside = wavelength[(wavelength > waves[0]) & (wavelength < waves[-1])]
        at = np.union1d(waves, inside)
        norm = _standard_flux(at, np.interp(at, waves, response))
        parts = [
            _weights(wavelength, waves, response, stretch[i : i + _NODES]) @ spectra.T
            for i in range(0, max(len(stretch), 1), _NODES)
        ]
        columns.append(np.concatenate(parts) / (stretch[:, None] * norm))
    return np.stack(columns, axis=-1)


def band_coverage(
    wavelength: u.Quantity | np.ndarray, filters: Filters, redshift: np.ndarray
) -> np.ndarray:
    """Tell whether spectra reach over the whole of each filter; where not, they count as zero.

    Parameters
    ----------
    wavelength : (w,) [Angstrom]
        Of the spectra.
    filters
        See `mag_ab`.
    redshift : (…)
        Redshifts.

    Returns
    -------
    (…, filter) bool
    """
    waves = u.Quantity(wavelength, u.Angstrom).value
    stretch = 1 + np.asarray(redshift, dtype=float)[..., None]
    ends = np.array([response[0][[0, -1]] for response in load_responses(filters)])
    return np.asarray((waves[0] * stretch <= ends[:, 0]) & (waves[-1] * stretch >= ends[:, 1]))


def load_responses(filters: Filters) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return wavelengths [Angstrom] and responses of filters that speclite knows."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of speclite about parts of astropy that it asks for
        from speclite.filters import load_filters

    names = [filters] if isinstance(filters, str) else list(filters)
    if not all(FILTER.fullmatch(name) for name in names):  # speclite takes others for files
        raise ValueError(f"filters {names}; expected names of speclite, as 'sdss2010-r'")
    try:
        loaded = load_filters(*names)
    except (ValueError, OSError) as error:
        raise ValueError(
            f"filters {names}: {error}; expected names as speclite has them"
        ) from error
    return [(np.asarray(f.wavelength, float), np.asarray(f.response, float)) for f in loaded]


def _weights(
    wavelength: np.ndarray, waves: np.ndarray, response: np.ndarray, stretch: np.ndarray
) -> csr_array:
    """Return what turns spectra at ``wavelength`` into integrals over the filter: (node, w).

    Spectrum and response are straight lines between their points. The integral over a bin of the
    spectrum then needs two moments of the filter alone, whose running integrals are polynomials
    between the points of the filter: no common grid is made, and nothing is approximated.
    """
    low = np.maximum(np.searchsorted(wavelength, waves[0] / stretch) - 1, 0)
    high = np.minimum(np.searchsorted(wavelength, waves[-1] / stretch) + 1, len(wavelength))
    count = np.maximum(high - low, 0)
    row = np.repeat(np.arange(len(stretch)), count)
    start = np.append(0, np.cumsum(count))
    column = np.arange(start[-1]) - start[row] + low[row]
    x = wavelength[column] * stretch[row]
    first, second = _running_moments(x, waves, response)
    inside = np.diff(row) == 0
    zeroth = np.where(inside, np.diff(first), 0.0)
    steps = np.where(inside, np.diff(x), 1.0)
    share = np.where(inside, np.diff(second) - x[:-1] * zeroth, 0.0) / steps
    weight = np.append(zeroth - share, 0.0)[: len(x)]
    weight[1:] += share
    return csr_array((weight, column, start), shape=(len(stretch), len(wavelength)))


def _standard_flux(waves: np.ndarray, response: np.ndarray) -> float:
    """Return the integral of a source of 3631 Jy, of straight lines between wavelengths."""
    curves = [_AB / waves**2, response, waves]
    ends = np.prod(curves, axis=0)
    middle = np.prod([(curve[1:] + curve[:-1]) / 2 for curve in curves], axis=0)
    # Simpson's rule is exact for the product of three straight lines
    return float(np.sum(np.diff(waves) * (ends[1:] + 4 * middle + ends[:-1]) / 6))


def _running_moments(
    x: np.ndarray, waves: np.ndarray, response: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the integrals of R w and of R w**2 up to each x."""
    slope = np.diff(response) / np.diff(waves)
    left = waves[:-1]
    # R w = a + b u + c u^2 with u the way from the point to the left
    a, b, c = response[:-1] * left, response[:-1] + slope * left, slope

    def up_to(k: np.ndarray, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        first = u * (a[k] + u * (b[k] / 2 + u * c[k] / 3))
        second = a[k] / 2 + u * (b[k] / 3 + u * c[k] / 4)
        return first, left[k] * first + u**2 * second

    every = np.arange(len(left))
    whole = [np.append(0.0, np.cumsum(part)) for part in up_to(every, np.diff(waves))]
    x = np.clip(x, waves[0], waves[-1])
    k = np.minimum(np.searchsorted(waves, x, side="right") - 1, len(left) - 1)
    first, second = up_to(k, x - left[k])
    return whole[0][k] + first, whole[1][k] + second


def _checked(
    wavelength: u.Quantity | np.ndarray, spectrum: u.Quantity | np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    waves = u.Quantity(wavelength, u.Angstrom).value
    spectra = u.Quantity(spectrum, "erg / (s cm2 Angstrom)").value
    if waves.ndim != 1 or spectra.shape[-1:] != waves.shape or not (np.diff(waves) > 0).all():
        raise ValueError(
            f"wavelength has shape {waves.shape}, spectrum {spectra.shape}; expected ascending "
            "wavelengths, and spectra with them along the last axis"
        )
    return waves, spectra


def _shares(coefficients: np.ndarray | None, templates: int, galaxies: int) -> np.ndarray | None:
    if coefficients is None:
        return None
    shares = np.asarray(coefficients, dtype=float)
    if shares.shape[-1:] != (templates,) or shares.size not in (templates, templates * galaxies):
        raise ValueError(
            f"coefficients have shape {shares.shape}; expected {templates} templates along the "
            f"last axis, of one or of {galaxies} galaxies"
        )
    return np.broadcast_to(shares.reshape(-1, templates), (galaxies, templates))


def _table(
    wavelength: np.ndarray,
    spectra: np.ndarray,
    filters: Filters,
    z: np.ndarray,
    most: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return band fluxes at some redshifts, the one below each galaxy, its share of the step."""
    if not most or len(z) <= most or z.min() == z.max():
        nodes, place = np.unique(z, return_inverse=True)
        return band_fluxes(wavelength, spectra, filters, nodes), place, np.zeros(len(z))
    step = 2.0 ** np.floor(np.log2((z.max() - z.min()) / most))
    place = np.floor(z / step).astype(int)
    first, last = place.min() // _NODES, (place.max() + 1) // _NODES
    names = (filters,) if isinstance(filters, str) else tuple(filters)
    curves = wavelength.tobytes(), spectra.tobytes()
    blocks = [_block(*curves, names, step, i) for i in range(first, last + 1)]
    return np.concatenate(blocks), place - first * _NODES, z / step - place


@lru_cache(maxsize=512)
def _block(
    wavelength: bytes, spectra: bytes, filters: tuple[str, ...], step: float, block: int
) -> np.ndarray:
    """Return one block of the table: populations and parts of the sky share their redshifts."""
    waves = np.frombuffer(wavelength)
    nodes = step * np.arange(block * _NODES, (block + 1) * _NODES)
    return band_fluxes(waves, np.frombuffer(spectra).reshape(-1, len(waves)), filters, nodes)
