"""Band fluxes of a series of spectra, tabulated once and then followed by splines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import CubicSpline, NdBSpline, make_interp_spline

from skywright.sky.populations.magnitudes import band_fluxes
from skywright.sky.transients.dust import extinction_curve
from skywright.sky.transients.series import SpectralSeries

__all__ = ["AB_FLUX", "BandTable", "peak_flux", "tabulate_bands"]

AB_FLUX = 3631e9  # nJy of magnitude zero
_Z_STEP, _COLOUR_STEP = 0.01, 0.08
_COBALT = 111.3  # days; mean life of the cobalt 56 that late light comes from
_REFERENCE = "bessell-B"


@dataclass(frozen=True)
class BandTable:
    """Fluxes of one kind of event through bands, at any phase, redshift and colour.

    Made by `tabulate_bands`.

    Parameters
    ----------
    bands : tuple of str
        Names of filters as speclite has them.
    splines : tuple of NdBSpline
        Of redshift, phase and, where there is one, colour; one a band.
    first, last : float [d]
        Phases that the series covers.
    """

    bands: tuple[str, ...]
    splines: tuple[NdBSpline, ...]
    first: float
    last: float

    def flux(
        self,
        band: str,
        redshift: np.ndarray,
        phase: np.ndarray,
        colour: np.ndarray | None = None,
    ) -> np.ndarray:
        """Return the flux at 10 pc in units of 3631 Jy.

        Before its first phase an event has no light; after the last it fades like cobalt 56.

        Parameters
        ----------
        band : str
            One of the bands.
        redshift : (n,)
            Within what was tabulated.
        phase : (n,) [d]
            In the rest frame of an event of stretch 1.
        colour : (n,) [mag], optional
            Needed where, and only where, the table has colours.
        """
        inside = np.clip(phase, self.first, self.last)
        places = [redshift, inside] if colour is None else [redshift, inside, colour]
        spline = self.splines[self.bands.index(band)]
        # a spline may undershoot where there is next to no light
        flux = np.maximum(spline(np.stack(np.broadcast_arrays(*places), axis=-1)), 0.0)
        fading = np.exp(-np.maximum(phase - self.last, 0.0) / _COBALT)
        return np.asarray(np.where(phase < self.first, 0.0, flux * fading))


def tabulate_bands(
    series: SpectralSeries,
    bands: Sequence[str],
    redshift: tuple[float, float],
    *,
    colour: tuple[float, float] | None = None,
    normalise: bool = True,
    r_v: float = 3.1,
) -> BandTable:
    """Tabulate band fluxes of a series of spectra: K-corrections are in them.

    The table has a node every 0.01 in redshift and 0.08 in colour, and at the phases of the
    series; between them cubic splines are followed. Along the phases this is the same as the
    integral over spectra that follow such splines.

    Parameters
    ----------
    series : SpectralSeries
        Spectra.
    bands : sequence of str
        Names of filters as speclite has them.
    redshift : (low, high)
        Range that is asked for.
    colour : (low, high) [mag], optional
        Range of colours: E(B - V) of the dust law that reddens or, below zero, makes bluer.
    normalise : bool
        Whether the brightest B magnitude in the rest frame is made 0 (AB), whatever the colour.
    r_v : float
        Of the dust law.

    Returns
    -------
    BandTable

    References
    ----------
    Hogg et al. 2002, arXiv:astro-ph/0210394 (K-corrections).
    """
    z = _nodes(*redshift, _Z_STEP)
    colours = np.zeros(1) if colour is None else _nodes(*colour, _COLOUR_STEP)
    # the law ends at 1000 Angstrom, and hardly any light is below
    law = r_v * extinction_curve(np.maximum(series.wavelength, 1000.0), r_v)
    slices = []
    for reddening in colours:
        flux = series.flux * 10 ** (-0.4 * reddening * law)
        scale = peak_flux(series.phase, series.wavelength, flux) if normalise else 1.0
        slices.append(band_fluxes(series.wavelength, flux, list(bands), z) / scale)
    axes = [z, series.phase] if colour is None else [z, series.phase, colours]
    values = slices[0] if colour is None else np.stack(slices, axis=2)
    splines = tuple(_spline(axes, values[..., band]) for band in range(len(bands)))
    return BandTable(tuple(bands), splines, float(series.phase[0]), float(series.phase[-1]))


def peak_flux(phase: np.ndarray, wavelength: np.ndarray, flux: np.ndarray) -> float:
    """Return the largest flux through B in the rest frame, in units of 3631 Jy."""
    curve = CubicSpline(phase, band_fluxes(wavelength, flux, _REFERENCE, np.zeros(1))[0, :, 0])
    turns = curve.derivative().roots(extrapolate=False)
    largest = float(np.max(curve(np.concatenate([turns[np.isfinite(turns)], phase]))))
    if not largest > 0:
        raise ValueError("the series of spectra has no light in B, by which it is normalised")
    return largest


def _nodes(low: float, high: float, step: float) -> np.ndarray:
    """Return nodes of a cubic spline: at least four, even where the range is a single value."""
    count = max(int(np.ceil((high - low) / step)) + 1, 4)
    half = max(high - low, step) / 2
    return np.linspace((low + high) / 2 - half, (low + high) / 2 + half, count)


def _spline(axes: Sequence[np.ndarray], values: np.ndarray) -> NdBSpline:
    """Return the tensor product of cubic splines through values on a grid."""
    knots = []
    for axis, nodes in enumerate(axes):
        spline = make_interp_spline(nodes, np.moveaxis(values, axis, 0), k=3)
        knots.append(spline.t)
        values = np.moveaxis(spline.c, 0, axis)
    return NdBSpline(tuple(knots), np.ascontiguousarray(values), 3)
