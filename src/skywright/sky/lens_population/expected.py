"""How many lenses a square degree holds for a survey, beside what others found."""

from __future__ import annotations

import astropy.units as u
import numpy as np
from astropy.table import QTable, vstack
from scipy.stats import chi2

from skywright.sky.lens_population.checks import check_columns, checked_area
from skywright.sky.lens_population.selection import select_lenses
from skywright.sky.surveys import SurveyName

__all__ = ["count_interval", "expected_lenses"]

# Lenses and area [deg2]: Collett 2015 (arXiv:1507.02657), abstract, for lens light
# removed down to its photon noise and images of the best seeing added up.
PUBLISHED = {
    "des": (2_400, 5_000),
    "lsst": (120_000, 20_000),
    "euclid": (170_000, 15_000),
}


def expected_lenses(
    lenses: QTable,
    sky_area: u.Quantity,
    surveys: tuple[SurveyName, ...] = ("des", "lsst", "euclid"),
) -> QTable:
    """Count the lenses that surveys see, per square degree, beside published forecasts.

    Parameters
    ----------
    lenses : QTable
        From `draw_lenses`, with magnitudes in bands of the surveys.
    sky_area : Quantity [solid angle]
        Area of the sky that the deflectors cover.
    surveys : tuple of str
        Of `survey_conditions`, in their median conditions.

    Returns
    -------
    QTable
        Of each survey the ``lenses`` found, the number ``per_deg2`` with the ends ``low`` and
        ``high`` of its 95 % interval, and ``published``, the forecast of Collett 2015 per deg2,
        NaN where there is none. The interval is that of the draw (see `count_interval`), not of
        the model.

    Raises
    ------
    ValueError
        As `select_lenses`; or the area is not positive.

    References
    ----------
    Collett 2015 (arXiv:1507.02657).
    """
    area = checked_area(sky_area, "sky_area") * np.rad2deg(1.0) ** 2
    check_columns(lenses, "deflector", "source")
    rows = []
    for survey in surveys:
        seen = select_lenses(lenses, survey)
        number, degrees = PUBLISHED.get(survey, (np.nan, 1.0))
        low, high = count_interval(_deflectors(seen), np.asarray(seen["source"]))
        rows.append(
            QTable(
                {
                    "survey": [survey],
                    "lenses": [len(seen)],
                    "per_deg2": [len(seen) / area],
                    "low": [low / area],
                    "high": [high / area],
                    "published": [number / degrees],
                }
            )
        )
    return vstack(rows)


def _deflectors(lenses: QTable) -> np.ndarray:
    """Return a number for each deflector: rows of one cell are others in the next."""
    row = np.asarray(lenses["deflector"])
    if "cell" not in lenses.colnames:
        return row
    pairs = np.stack([np.asarray(lenses["cell"]), row], axis=1)
    return np.unique(pairs, axis=0, return_inverse=True)[1].ravel()


def count_interval(
    deflector: np.ndarray, source: np.ndarray, level: float = 0.95
) -> tuple[float, float]:
    r"""Return the interval of a number of pairs out of two catalogues.

    Pairs that share a galaxy are not independent: a few bright sources, taken from a small area,
    may make many lenses. The variance is that of both groupings,
    :math:`\sum_i n_i^2 + \sum_j n_j^2 - N` over deflectors and sources, and the interval that of
    a Poisson number with as many independent events.

    Parameters
    ----------
    deflector, source : (N,)
        Which galaxies make the pairs.
    level : float
        Of the interval.

    Returns
    -------
    low, high : float

    References
    ----------
    Cameron, Gelbach & Miller 2011, J. Bus. Econ. Stat. 29, 238, eq. 2.11; Garwood 1936,
    Biometrika 28, 437.

    Examples
    --------
    >>> low, high = count_interval(np.arange(10), np.arange(10))
    >>> round(low, 1), round(high, 1)
    (4.8, 18.4)
    """
    number = len(deflector)
    if not number:
        return 0.0, float(chi2.ppf((1 + level) / 2, 2) / 2)
    shared = (np.unique(deflector, return_counts=True)[1] ** 2).sum()
    shared += (np.unique(source, return_counts=True)[1] ** 2).sum()
    each = max(1.0, (shared - number) / number)  # pairs that come together
    events = number / each
    low = chi2.ppf((1 - level) / 2, 2 * events) / 2
    high = chi2.ppf((1 + level) / 2, 2 * events + 2) / 2
    return float(each * low), float(each * high)
