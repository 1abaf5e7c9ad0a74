"""Light curves of events as a survey sees them, in one long table."""

from __future__ import annotations

import astropy.units as u
import numpy as np
from astropy.cosmology import FLRW
from astropy.table import QTable, Table

from skywright.sky.transients.bands import AB_FLUX, BandTable, tabulate_bands
from skywright.sky.transients.cadence import Visits, flux_errors, read_cadence
from skywright.sky.transients.columns import read_column
from skywright.sky.transients.supernovae import ia_stretch
from skywright.sky.transients.templates import CORE_COLLAPSE, load_series

__all__ = ["light_curves"]

_UNITS = {"z": "", "mjd_peak": "d", "M_B": "mag", "x1": "", "colour": "mag"}
_OPTIONAL = ("M_B", "x1", "colour")

Rows = tuple[np.ndarray, np.ndarray, np.ndarray]  # event, visit, flux [nJy]


def light_curves(
    events: Table,
    cadence: Table,
    cosmology: FLRW,
    *,
    template: str = "hsiao",
    window: tuple[float, float] | None = None,
    noise: bool = True,
    rng: np.random.Generator,
) -> QTable:
    r"""Observe events: one row for every visit to every event while it lasts.

    .. math:: F = 3631\,\mathrm{Jy} \; f_{band}(z, p, c) \, 10^{-0.4 (M_B + \mu(z))},
        \quad p = \frac{t - t_{peak}}{(1 + z) \, s}

    with the band flux :math:`f` of spectra that are stretched by :math:`s`, reddened by :math:`c`,
    seen at redshift :math:`z` and brightest in B at magnitude zero (`tabulate_bands`).

    Parameters
    ----------
    events : Table
        ``event_id``; ``z``; ``mjd_peak`` [d], when phase 0 of the spectra is seen; ``M_B`` [mag,
        AB], the maximum in the rest frame. Optional: ``x1``, which stretches; ``colour`` [mag];
        ``template``. Kilonovae and files may do without ``M_B``: their spectra are then taken as
        they are, at 10 pc.
    cadence : Table
        Visits: ``mjd`` [d], ``band`` (as speclite names it); for noise ``depth`` [mag], at which
        a point source has a signal to noise of 5, or ``zero_point`` [mag] of one electron with
        ``sky_noise`` [electrons].
    cosmology : FLRW
        For distances.
    template : str
        Spectra of all events, where they have no column of it: a name or a file for
        `load_series`.
    window : (first, last) [d], optional
        Days about the maximum, in the rest frame and for stretch 1, that are kept; by default all
        phases of the spectra.
    noise : bool
        Whether fluxes are scattered by their errors.
    rng : Generator
        Source of randomness.

    Returns
    -------
    QTable
        ``event_id``, ``mjd`` [d], ``band``, ``flux`` [nJy] and, with a depth or a zero point,
        ``flux_err`` [nJy]; in the order of events, then of time. What was not seen has no rows.

    Raises
    ------
    ValueError
        When a column is missing, not finite or of another unit, an identifier is repeated, or a
        band or series of spectra is not known.

    Examples
    --------
    >>> events = Table({"event_id": [7], "z": [0.1], "mjd_peak": [60000.0], "M_B": [-17.0]})
    >>> cadence = Table({"mjd": [60001.0, 60002.0], "band": ["lsst2023-i", "lsst2023-r"]})
    >>> from astropy.cosmology import Planck18
    >>> rng = np.random.default_rng(0)
    >>> seen = light_curves(events, cadence, Planck18, template="kilonova", rng=rng)
    >>> seen.colnames, len(seen)
    (['event_id', 'mjd', 'band', 'flux'], 2)
    """
    facts, names = _read_events(events, cosmology, template)
    visits = read_cadence(cadence)
    if window is not None and not window[0] < window[1]:
        raise ValueError(f"window is {window}; expected two ascending phases [d]")
    parts = []
    for name in np.unique(names):
        rows = np.flatnonzero(names == name)
        table = _tabulate(str(name), {key: values[rows] for key, values in facts.items()}, visits)
        parts.append(_observe(rows, facts, visits, table, window or (table.first, table.last)))
    event, visit, flux = _join(parts)
    order = np.lexsort((visit, event))
    event, visit, flux = event[order], visit[order], flux[order]
    errors = flux_errors(flux, visit, visits)
    seen = QTable(
        {
            "event_id": np.asarray(events["event_id"])[event],
            "mjd": visits.mjd[visit] * u.d,
            "band": visits.band[visit],
        }
    )
    if errors is not None and noise:
        flux = flux + errors * rng.standard_normal(len(flux))
    seen["flux"] = flux * u.nJy
    if errors is not None:
        seen["flux_err"] = errors * u.nJy
    return seen


def _tabulate(name: str, facts: dict[str, np.ndarray], visits: Visits) -> BandTable:
    """Return the band fluxes of all events with the same spectra."""
    if "M_B" not in facts and name in ("hsiao", *CORE_COLLAPSE):
        raise ValueError(f"events with the spectra {name!r} need a column 'M_B' [mag]")
    return tabulate_bands(
        load_series(name),
        sorted(set(visits.band)),
        _range(facts["z"]),
        colour=_range(facts["colour"]) if "colour" in facts else None,
        normalise="M_B" in facts,
    )


def _observe(
    rows: np.ndarray,
    facts: dict[str, np.ndarray],
    visits: Visits,
    table: BandTable,
    window: tuple[float, float],
) -> Rows:
    """Return all visits to some events within a window of phases, and the true fluxes."""
    z, peak = facts["z"][rows], facts["mjd_peak"][rows]
    slower = (1 + z) * facts["stretch"][rows]
    found = []
    for band in table.bands:
        number = np.flatnonzero(visits.band == band)
        times = visits.mjd[number]
        first = np.searchsorted(times, peak + window[0] * slower, side="left")
        end = np.searchsorted(times, peak + window[1] * slower, side="right")
        count = np.maximum(end - first, 0)
        which = np.repeat(np.arange(len(rows)), count)
        # first, first + 1, … of every event in turn
        step = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)
        visit = number[first[which] + step]
        phase = (visits.mjd[visit] - peak[which]) / slower[which]
        event = rows[which]
        colour = facts["colour"][event] if "colour" in facts else None
        light = table.flux(band, z[which], phase, colour)
        found.append((event, visit, facts["brightness"][event] * light))
    return _join(found)


def _join(parts: list[Rows]) -> Rows:
    """Return the parts one after the other; no rows where there are none."""
    nothing = (np.zeros(0, dtype=int), np.zeros(0, dtype=int), np.zeros(0))
    event, visit, flux = (np.concatenate(column) for column in zip(nothing, *parts, strict=True))
    return event, visit, flux


def _read_events(
    events: Table, cosmology: FLRW, template: str
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return checked columns as bare arrays with stretch and brightness, and names of spectra."""
    facts = {
        name: read_column(events, name, unit, "table of events")
        for name, unit in _UNITS.items()
        if name not in _OPTIONAL or name in events.colnames
    }
    if "event_id" not in events.colnames:
        raise ValueError(f"events have the columns {events.colnames}; 'event_id' is missing")
    if len(np.unique(np.asarray(events["event_id"]))) < len(events):
        raise ValueError("event_id has to be another one in every row; some are repeated")
    if (facts["z"] <= 0).any():
        raise ValueError(f"redshifts go down to {facts['z'].min()}; expected all above 0")
    facts["stretch"] = ia_stretch(facts["x1"]) if "x1" in facts else np.ones(len(events))
    distmod = cosmology.distmod(facts["z"]).value if len(events) else np.zeros(0)
    # flux [nJy] of what has magnitude 0 at 10 pc
    facts["brightness"] = AB_FLUX * 10 ** (-0.4 * (facts.get("M_B", 0.0) + distmod))
    names = events["template"] if "template" in events.colnames else template
    return facts, np.broadcast_to(np.asarray(names).astype(str), len(events))


def _range(values: np.ndarray) -> tuple[float, float]:
    return float(values.min()), float(values.max())
