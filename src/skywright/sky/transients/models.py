"""Light curves by the names of deeplenstronomy's models."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from astropy.cosmology import FLRW
from scipy.signal import lfilter

from skywright.sky.transients.bands import BandTable, tabulate_bands
from skywright.sky.transients.series import SpectralSeries
from skywright.sky.transients.supernovae import (
    IA_MAGNITUDE,
    draw_core_collapse_parameters,
    draw_ia_parameters,
    ia_stretch,
)
from skywright.sky.transients.templates import (
    CORE_COLLAPSE,
    MEAN_MAGNITUDES,
    VEGA_TO_AB,
    load_series,
)

__all__ = ["NO_LIGHT", "light_curve_magnitudes"]

NO_LIGHT = 99.0  # mag
_BRIGHT, _FAINT, _COLOUR = 12.0, 23.0, 2.0  # ranges of light that is not from spectra [mag]
_NOISE = 0.25  # mag
_WIDTH, _MEMORY = 3**-0.5, 20.0  # of variable light: mag, as even steps of up to 1 have; days
# Letters of bands -> filters of speclite; a name with a hyphen is one of speclite already.
_FILTERS = {band: f"decam2014-{band}" for band in "ugrizY"} | {
    "y": "lsst2023-y",
    "VIS": "Euclid-VIS",
}


def light_curve_magnitudes(
    model_name: str,
    times_days_since_peak: np.ndarray,
    redshift: float,
    band_names: Sequence[str],
    cosmology: FLRW,
    *,
    rng: np.random.Generator,
    folder: str | Path | None = None,
) -> np.ndarray:
    """Return apparent AB magnitudes of one object, at any times, by the name of a model.

    ``static``
        No light: magnitude 99.
    ``flat``, ``variable``
        Constant between 12 and 23, each band up to 2 brighter or fainter; or a damped random walk
        about that, of 0.58 mag and 20 days, the same in all bands.
    ``flatnoise``, ``variablenoise``
        The same, with normal noise of 0.25 mag.
    ``ia_random``, ``cc_random``
        Type Ia with drawn stretch, colour and brightness (`draw_ia_parameters`); core collapse
        with drawn spectra and brightness (`draw_core_collapse_parameters`).
    ``ia_NAME``, ``cc_NAME``
        Spectra of a file at the mean brightness of type Ia, or of the type that the file names.
    ``kn_NAME``
        Kilonova of GW170817, days counted from the merger; the name does not matter.
    ``user_NAME``
        Spectra of a file, taken as flux density at 10 pc.

    Generators of the same seed give the same object, whatever times are asked for; only noise is
    drawn anew for every time.

    Parameters
    ----------
    model_name : str
        One of the above.
    times_days_since_peak : (time,) [d]
        For the observer, in any order.
    redshift : float
        Redshift of the object.
    band_names : sequence of str
        Letters of DECam bands, ``y`` and ``VIS``, or names that speclite has.
    cosmology : FLRW
        For the distance.
    rng : Generator
        Source of randomness.
    folder : path, optional
        Of spectra; files lie in it or in its sub-folders ``ia``, ``cc``, ``user``.

    Returns
    -------
    (time, band) [mag]
        99 where there is no light.

    Raises
    ------
    ValueError
        When a model, a file or a band is not known, or the redshift is not above 0.
    FileNotFoundError
        The spectra are not on this machine; the message says how to get them.

    References
    ----------
    Damped random walk: Kelly, Bechtold & Siemiginowska 2009, ApJ 698, 895, eq. 1.

    Examples
    --------
    >>> from astropy.cosmology import Planck18
    >>> rng = np.random.default_rng(0)
    >>> light_curve_magnitudes("kn_kn.SED", [0.5, 5.0], 0.01, ["i"], Planck18, rng=rng).round(0)
    array([[18.],
           [20.]])
    """
    times = np.asarray(times_days_since_peak, dtype=float)
    if times.ndim != 1 or not np.isfinite(times).all():
        raise ValueError(f"times have shape {times.shape}; expected finite days, (time,)")
    kind, _, name = model_name.partition("_")
    if kind in ("flat", "flatnoise", "variable", "variablenoise", "static") and not name:
        return _without_spectra(kind, times, len(band_names), rng)
    if kind not in ("ia", "cc", "kn", "user") or not name:
        raise ValueError(
            f"no model {model_name!r}; expected flat, flatnoise, variable, variablenoise, static, "
            "ia_random, cc_random, or ia_, cc_, kn_, user_ and a name"
        )
    if not (np.isfinite(redshift) and redshift > 0):
        raise ValueError(f"redshift is {redshift}; expected a number above 0")
    filters = [_filter(band) for band in band_names]
    table, magnitude, stretch, colour = _object(kind, name, filters, redshift, folder, rng)
    phase = times / (1 + redshift) / stretch
    z, c = np.full(times.shape, redshift), None if colour is None else np.full(times.shape, colour)
    flux = np.stack([table.flux(band, z, phase, c) for band in filters], axis=-1)
    with np.errstate(divide="ignore"):
        apparent = -2.5 * np.log10(flux) + magnitude + float(cosmology.distmod(redshift).value)
    return np.asarray(np.minimum(apparent, NO_LIGHT))


def _object(
    kind: str,
    name: str,
    filters: list[str],
    redshift: float,
    folder: str | Path | None,
    rng: np.random.Generator,
) -> tuple[BandTable, float, float, float | None]:
    """Return band fluxes, absolute magnitude, stretch and, if any, colour of one object."""
    magnitude, stretch, colour = 0.0, 1.0, None
    if kind == "kn":
        series = load_series("kilonova")
    elif (kind, name) == ("ia", "random"):
        series = load_series("hsiao")
        x1, colours, magnitudes = draw_ia_parameters(1, rng=rng)
        magnitude, colour, stretch = (float(v[0]) for v in (magnitudes, colours, ia_stretch(x1)))
    elif (kind, name) == ("cc", "random"):
        templates, magnitudes = draw_core_collapse_parameters(1, rng=rng)
        series, magnitude = load_series(str(templates[0])), float(magnitudes[0])
    else:
        series = _series(kind, name, folder)
        magnitude = 0.0 if kind == "user" else _mean_magnitude(kind, name, series)
    table = tabulate_bands(
        series,
        filters,
        (redshift, redshift),
        colour=None if colour is None else (colour, colour),
        normalise=kind in ("ia", "cc"),
    )
    return table, magnitude, stretch, colour


def _series(kind: str, name: str, folder: str | Path | None) -> SpectralSeries:
    """Return the spectra of a file in a folder, or else those that are known by the name."""
    if Path(name).name != name:
        raise ValueError(
            f"{name!r} is a path; expected the name of a file in the folder of spectra"
        )
    known = name.removesuffix(".gz").removesuffix(".SED")
    if folder is not None:
        endings = ("", ".gz", ".SED", ".SED.gz", ".dat", ".fits")
        files = [Path(folder) / part / f"{name}{end}" for part in (kind, "") for end in endings]
        file = next((file for file in files if file.is_file()), None)
        if file is not None:
            return load_series(file)
    if kind == "user" or known not in ("hsiao", *CORE_COLLAPSE):
        raise ValueError(
            f"no series of spectra {name!r} in the folder {folder}; known without a file are "
            f"ia_hsiao and cc_ with one of {', '.join(CORE_COLLAPSE)}"
        )
    return load_series(known)


def _mean_magnitude(kind: str, name: str, series: SpectralSeries) -> float:
    """Return the mean absolute B magnitude (AB) of the type that a series is of."""
    if kind == "ia":
        return float(IA_MAGNITUDE)
    if series.kind not in MEAN_MAGNITUDES:
        raise ValueError(
            f"{name} says type {series.kind!r} of itself; expected a line '# SNTYPE: TYPE' with "
            f"one of {', '.join(MEAN_MAGNITUDES)}, by which its brightness is known"
        )
    return MEAN_MAGNITUDES[series.kind][0] + VEGA_TO_AB


def _without_spectra(
    kind: str, times: np.ndarray, bands: int, rng: np.random.Generator
) -> np.ndarray:
    """Return (time, band) magnitudes of a model that knows neither spectra nor distance."""
    if kind == "static":
        return np.full((len(times), bands), NO_LIGHT)
    level = rng.uniform(_BRIGHT, _FAINT) + rng.uniform(-_COLOUR, _COLOUR, bands)
    magnitudes = np.broadcast_to(level, (len(times), bands))
    if kind.startswith("variable"):
        magnitudes = magnitudes + _damped_walk(times, rng)[:, None]
    if kind.endswith("noise"):
        magnitudes = magnitudes + rng.normal(0.0, _NOISE, magnitudes.shape)
    return np.array(magnitudes)


def _damped_walk(times: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a damped random walk [mag] at times, straight between days.

    It starts at day 0 and goes both ways, so that a generator of the same seed gives the same walk
    whatever times are asked for: images of one source differ by their delay alone.
    """
    ways = [np.random.default_rng(seed) for seed in rng.integers(1 << 63, size=2)]
    first = _WIDTH * rng.standard_normal()
    kept = np.exp(-1 / _MEMORY)
    walks = []
    for way, farthest in zip(ways, (times.max(initial=0.0), -times.min(initial=0.0)), strict=True):
        kicks = _WIDTH * np.sqrt(1 - kept**2) * way.standard_normal(int(np.ceil(farthest)) + 1)
        walks.append(lfilter([1.0], [1.0, -kept], kicks, zi=[kept * first])[0])
    forward, backward = walks
    walk = np.concatenate([backward[::-1], [first], forward])
    return np.asarray(np.interp(times, np.arange(-len(backward), len(forward) + 1), walk))


def _filter(band: str) -> str:
    if "-" in band:
        return band
    if band not in _FILTERS:
        raise ValueError(
            f"no filter is known for band {band!r}; expected {', '.join(_FILTERS)}, or a name of "
            "speclite, such as 'lsst2023-g'"
        )
    return _FILTERS[band]
