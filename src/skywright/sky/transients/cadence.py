"""When, in which bands and how deeply a survey looks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from astropy.table import Table

from skywright.sky.populations.magnitudes import load_responses
from skywright.sky.transients.bands import AB_FLUX
from skywright.sky.transients.columns import read_column

__all__ = ["Visits", "flux_errors", "read_cadence"]

_GAMMA = 0.039  # how soon photon noise of the source counts; Ivezić et al. 2019, table 2
_SIGNIFICANCE = 5.0


@dataclass(frozen=True)
class Visits:
    """The visits of a survey, in the order of time.

    Parameters
    ----------
    mjd : (v,) [d]
        Times.
    band : (v,) str
        Filters as speclite names them.
    depth : (v,) [nJy], optional
        Flux of a point source at a signal to noise of 5.
    background : (v,) [nJy], optional
        Noise of the sky below a point source.
    electron : (v,) [nJy], optional
        Flux of one electron; given with ``background``, instead of ``depth``.
    """

    mjd: np.ndarray
    band: np.ndarray
    depth: np.ndarray | None = None
    background: np.ndarray | None = None
    electron: np.ndarray | None = None


def read_cadence(cadence: Table) -> Visits:
    """Check a table of visits and bring it in the order of time.

    Parameters
    ----------
    cadence : Table
        Columns ``mjd`` [d] and ``band``; for noise ``depth`` [mag], or ``zero_point`` [mag], the
        magnitude of one electron, and ``sky_noise`` [electrons], the noise of the sky below a point
        source.

    Raises
    ------
    ValueError
        When a column is missing or half a pair, there are no visits, a number is not finite, or a
        band is not known.
    """
    names = cadence.colnames
    mjd = read_column(cadence, "mjd", "d", "cadence")
    if "band" not in names:
        raise ValueError(f"the cadence has the columns {names}; 'band' is missing")
    if ("zero_point" in names) != ("sky_noise" in names):
        raise ValueError(f"the cadence has {names}; 'zero_point' and 'sky_noise' go together")
    if len(cadence) == 0:
        raise ValueError("the cadence has no visits; expected one row each")
    order = np.argsort(mjd, kind="stable")
    band = np.asarray(cadence["band"]).astype(str)[order]
    for name in sorted(set(band)):
        if len(load_responses(name)) != 1:
            raise ValueError(f"band {name!r} of the cadence stands for several; name one a visit")
    visits = {"mjd": mjd[order], "band": band}
    if "depth" in names:
        depth = read_column(cadence, "depth", "mag", "cadence")[order]
        visits["depth"] = AB_FLUX * 10 ** (-0.4 * depth)
    elif "zero_point" in names:
        zero_point = read_column(cadence, "zero_point", "mag", "cadence")[order]
        noise = read_column(cadence, "sky_noise", "", "cadence")[order]
        if (noise < 0).any():
            raise ValueError(f"sky_noise goes down to {noise.min()}; expected electrons, 0 or more")
        visits["electron"] = AB_FLUX * 10 ** (-0.4 * zero_point)
        visits["background"] = noise * visits["electron"]
    return Visits(**visits)


def flux_errors(flux: np.ndarray, visit: np.ndarray, visits: Visits) -> np.ndarray | None:
    r"""Return the errors of fluxes, or None when the cadence says nothing of noise.

    .. math:: \sigma^2 = (0.04 - \gamma) F F_5 + \gamma F_5^2, \quad \gamma = 0.039

    from the depth, the flux :math:`F_5` at a signal to noise of 5; or the sum of the variance of
    the sky and of the electrons that the source gives.

    Parameters
    ----------
    flux : (n,) [nJy]
        True fluxes.
    visit : (n,) int
        In which visit each is seen.
    visits : Visits
        All of them.

    Returns
    -------
    (n,) [nJy]

    References
    ----------
    Ivezić et al. 2019, ApJ 873, 111 (arXiv:0805.2366), eq. 5.
    """
    if visits.depth is not None:
        faintest = visits.depth[visit]
        sky = _GAMMA * faintest**2
        return np.asarray(np.sqrt(sky + (1 / _SIGNIFICANCE**2 - _GAMMA) * flux * faintest))
    if visits.background is not None and visits.electron is not None:
        return np.asarray(np.sqrt(visits.background[visit] ** 2 + flux * visits.electron[visit]))
    return None
