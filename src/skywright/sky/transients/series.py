"""Series of spectra: how the light of an event changes, as functions of phase and wavelength."""

from __future__ import annotations

import gzip
import warnings
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.utils.exceptions import AstropyWarning
from scipy.interpolate import make_interp_spline

__all__ = ["SpectralSeries", "read_spectral_series"]

_FEWEST = 4  # phases that a cubic spline needs
_STEP = 10.0  # Angstrom; spectra with wider steps are made finer by splines


@dataclass(frozen=True)
class SpectralSeries:
    """Spectra of one event at its own phases.

    Parameters
    ----------
    phase : (p,) [d]
        Days in the rest frame, ascending, at least four; the series says what happens at 0.
    wavelength : (w,) [Angstrom]
        In the rest frame, ascending.
    flux : (p, w) [erg / (s cm2 Angstrom)]
        Flux density at 10 pc, or of any scale where the brightness is set apart.
    kind : str
        Type of the event, as ``"IIP"``; empty where it is not known.

    Raises
    ------
    ValueError
        When shapes do not belong together, something is not finite, or there is no light.
    """

    phase: np.ndarray
    wavelength: np.ndarray
    flux: np.ndarray
    kind: str = ""

    def __post_init__(self) -> None:
        phase, wave, flux = (np.asarray(a) for a in (self.phase, self.wavelength, self.flux))
        if phase.ndim != 1 or wave.ndim != 1 or flux.shape != (len(phase), len(wave)):
            raise ValueError(
                f"phase has shape {phase.shape}, wavelength {wave.shape}, flux {flux.shape}; "
                "expected (p,), (w,) and (p, w)"
            )
        if not all(np.isfinite(a).all() for a in (phase, wave, flux)):
            raise ValueError("a series of spectra has to be finite everywhere")
        if len(phase) < _FEWEST or len(wave) < _FEWEST:
            raise ValueError(f"{len(phase)} phases, {len(wave)} wavelengths; expected four or more")
        if not ((np.diff(phase) > 0).all() and (np.diff(wave) > 0).all() and wave[0] >= 0):
            raise ValueError("phases and wavelengths have to ascend, wavelengths from 0 or above")
        if not (flux > 0).any():
            raise ValueError("there is no light in the series of spectra")


def read_spectral_series(path: str | Path) -> SpectralSeries:
    """Read a series of spectra.

    Parameters
    ----------
    path : path
        FITS, an image whose axes are wavelength and phase (as of sncosmo); or text, also
        compressed (``.gz``), with the columns day, wavelength [Angstrom] and flux for every
        wavelength of every day (as of SNANA).

    Returns
    -------
    SpectralSeries
        Spectra of an image whose steps are wider than 10 Angstrom are made finer by cubic splines,
        as sncosmo follows them between its points.

    Raises
    ------
    ValueError
        When the file is damaged or is no such series; the message names it.
    """
    file = Path(path)
    try:
        return _read_image(file) if file.suffix in (".fits", ".fit") else _read_text(file)
    except FileNotFoundError:
        raise
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{file}: {error}; expected a FITS image of phase and wavelength, or text with the "
            "columns day, wavelength and flux"
        ) from error


def _read_image(file: Path) -> SpectralSeries:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AstropyWarning)  # of damage; what is missing is an error
        with fits.open(BytesIO(file.read_bytes())) as hdus:
            header, flux = hdus[0].header, np.asarray(hdus[0].data, dtype=float)
    if flux.ndim != 2:
        raise ValueError(f"the image has {flux.ndim} axes")
    wave, phase = (
        header[f"CRVAL{axis}"]
        + header[f"CDELT{axis}"] * (np.arange(size) + 1 - header.get(f"CRPIX{axis}", 1))
        for axis, size in ((1, flux.shape[1]), (2, flux.shape[0]))
    )
    if header["CDELT1"] > _STEP:
        steps = int(np.ceil((wave[-1] - wave[0]) / _STEP))
        fine = np.linspace(wave[0], wave[-1], steps + 1)
        wave, flux = fine, make_interp_spline(wave, flux, axis=1)(fine)
    return SpectralSeries(phase, wave, flux)


def _read_text(file: Path) -> SpectralSeries:
    opener = gzip.open if file.suffix == ".gz" else open
    with opener(file, "rt", encoding="utf-8") as stream:
        lines = stream.read().splitlines()
    kinds = [line.split("SNTYPE:")[1].strip() for line in lines if "SNTYPE:" in line]
    numbers = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    if not numbers:
        raise ValueError("no rows")
    rows = np.loadtxt(numbers, ndmin=2)
    if rows.shape[1] != 3:
        raise ValueError(f"{rows.shape[1]} columns")
    phase, wave = np.unique(rows[:, 0]), np.unique(rows[:, 1])
    rows = rows[np.lexsort((rows[:, 1], rows[:, 0]))]
    if len(rows) != len(phase) * len(wave) or (rows[:, 1].reshape(len(phase), -1) != wave).any():
        raise ValueError(f"{len(rows)} rows are not {len(phase)} days of {len(wave)} wavelengths")
    return SpectralSeries(phase, wave, rows[:, 2].reshape(len(phase), -1), "".join(kinds[:1]))
