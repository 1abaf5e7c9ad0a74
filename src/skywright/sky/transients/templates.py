"""The series of spectra that are known by name, and how bright events of each type are."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from skywright.data.fetch import path
from skywright.sky.transients.kilonova import kilonova_series
from skywright.sky.transients.series import SpectralSeries, read_spectral_series

__all__ = ["CORE_COLLAPSE", "MEAN_MAGNITUDES", "VEGA_TO_AB", "load_series"]

VEGA_TO_AB = -0.09  # mag in B; Blanton & Roweis 2007, AJ 133, 734, table 1

# Type -> (mean, scatter) of the absolute B magnitude at maximum (Vega, H0 = 70), corrected for
# extinction and Malmquist bias; Richardson et al. 2014, AJ 147, 118, table 1.
MEAN_MAGNITUDES = {
    "Ia": (-19.25, 0.50),
    "Ib": (-17.45, 1.12),
    "Ic": (-17.66, 1.18),
    "IIb": (-16.99, 0.92),
    "IIL": (-17.98, 0.90),
    "IIP": (-16.75, 0.98),
    "IIn": (-18.53, 1.36),
}

# Series -> (type, share of core-collapse supernovae in a volume, in per cent); Smith et al. 2011,
# MNRAS 412, 1522, table 1. The Ib stands for all stripped stars (IIb 10.6, Ib 7.1, Ic 14.9,
# peculiar 4.0); type IIn (8.8) has no series.
CORE_COLLAPSE = {
    "SDSS-000018": ("IIP", 48.2),
    "Nugent+Scolnic_IIL": ("IIL", 6.4),
    "CSP-2004gv": ("Ib", 36.6),
}


def load_series(name: str, folder: str | Path | None = None) -> SpectralSeries:
    """Return a series of spectra by name.

    Parameters
    ----------
    name : str
        ``hsiao``, ``kilonova``, one of `CORE_COLLAPSE`, or a file in ``folder``.
    folder : path, optional
        Where files lie; a name that is in it goes first.

    Returns
    -------
    SpectralSeries

    Raises
    ------
    FileNotFoundError
        The data are not on this machine; the message says how to get them.
    ValueError
        There is no such series, or the name is a path.
    """
    if Path(name).name != name or name in ("", ".", ".."):
        raise ValueError(f"{name!r} is no name of a series of spectra: give a file name alone")
    file = _in_folder(name, folder)
    if file is not None:
        return _read(file)
    if name == "kilonova":
        return _kilonova()
    if name == "hsiao":
        return _read(path("type-ia-sed"))
    if name in CORE_COLLAPSE:
        return _read(path("core-collapse-seds") / f"{name}.SED.gz")
    known = ", ".join(["hsiao", "kilonova", *CORE_COLLAPSE])
    where = "no folder was given" if folder is None else f"there is no such file in {folder}"
    raise ValueError(f"no series of spectra {name!r}: {where}; known by name are {known}")


def _in_folder(name: str, folder: str | Path | None) -> Path | None:
    if folder is None:
        return None
    endings = ("", ".gz", ".SED", ".SED.gz", ".dat", ".fits")
    files = (Path(folder) / f"{name}{ending}" for ending in endings)
    return next((file for file in files if file.is_file()), None)


@cache
def _read(file: Path) -> SpectralSeries:
    return read_spectral_series(file)


@cache
def _kilonova() -> SpectralSeries:
    return kilonova_series()
