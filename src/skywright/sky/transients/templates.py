"""The series of spectra that are known by name, and how bright events of each type are."""

from __future__ import annotations

from functools import cache, lru_cache
from pathlib import Path

from skywright.data.fetch import path
from skywright.sky.transients.kilonova import kilonova_series
from skywright.sky.transients.series import SpectralSeries, read_spectral_series

__all__ = ["CORE_COLLAPSE", "MEAN_MAGNITUDES", "VEGA_TO_AB", "load_series"]

VEGA_TO_AB = -0.09  # mag in B; Blanton & Roweis 2007, AJ 133, 734, table 1

# Type -> (mean, scatter) of the absolute B magnitude at maximum (Vega, H0 = 70), corrected for
# extinction and Malmquist bias; Richardson et al. 2014, AJ 147, 118 (arXiv:1403.5755), table 1.
# Its abstract confirms the means of Ia and IIP; the others are quoted alike in one public code and
# were not checked against the paper. Others quote a second set for it (IIP -16.80, IIn -18.62).
MEAN_MAGNITUDES = {
    "Ia": (-19.25, 0.50),
    "Ib": (-17.45, 1.12),
    "Ic": (-17.66, 1.18),
    "IIb": (-16.99, 0.92),
    "IIL": (-17.98, 0.86),
    "IIP": (-16.75, 0.98),
    "IIn": (-18.53, 1.36),
}

# Series -> (type, share of core-collapse supernovae in a volume, in per cent); Smith et al. 2011,
# MNRAS 412, 1522, table 1, not checked against the paper. The Ib stands for all stripped stars (IIb
# 10.6, Ib 7.1, Ic 14.9, peculiar 4.0); type IIn (8.8) has no series.
CORE_COLLAPSE = {
    "SDSS-000018": ("IIP", 48.2),
    "Nugent+Scolnic_IIL": ("IIL", 6.4),
    "CSP-2004gv": ("Ib", 36.6),
}


def load_series(name: str | Path) -> SpectralSeries:
    """Return a series of spectra by its name, or from a file.

    Parameters
    ----------
    name : str or path
        ``hsiao``, ``kilonova``, one of `CORE_COLLAPSE`, or a file for `read_spectral_series`.

    Returns
    -------
    SpectralSeries

    Raises
    ------
    FileNotFoundError
        The data are not on this machine; the message says how to get them.
    ValueError
        There is no such series, or the file is none.

    Examples
    --------
    >>> load_series("kilonova").kind
    'KN'
    """
    if name in ("hsiao", "kilonova", *CORE_COLLAPSE):
        return _known(str(name))
    file = Path(name)
    if not file.is_file():
        known = ", ".join(["hsiao", "kilonova", *CORE_COLLAPSE])
        raise ValueError(f"no series of spectra {str(name)!r}; expected a file, or one of {known}")
    status = file.stat()
    return _read(file, status.st_size, status.st_mtime_ns)


@cache
def _known(name: str) -> SpectralSeries:
    if name == "kilonova":
        return kilonova_series()
    if name == "hsiao":
        return read_spectral_series(path("type-ia-sed"))
    return read_spectral_series(path("core-collapse-seds") / f"{name}.SED.gz")


@lru_cache(maxsize=64)
def _read(file: Path, *_: int) -> SpectralSeries:
    """Read a file; size and time tell whether it is the one that was read before."""
    return read_spectral_series(file)
