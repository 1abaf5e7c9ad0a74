"""Draw the truth of a painted sample: which galaxy gets an arc, an impostor, or nothing."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from astropy.table import QTable

from skywright.data import Images, Psf
from skywright.sky.behind import Behind, choose_sources, snr_of_sources
from skywright.sky.colours import draw_colours, faint_colours
from skywright.sky.field import Field, read_field
from skywright.sky.impostors import match_impostors
from skywright.sky.masses import draw_masses
from skywright.sky.psf import gaussian_psf
from skywright.sky.scene import ARM
from skywright.sky.sources import SOURCE_FWHM, draw_sources, place_sources
from skywright.sky.truth import assemble

__all__ = ["draw_arcs", "draw_systems", "finish", "log_uniform"]


def draw_systems(
    galaxies: QTable,
    images: Images,
    *,
    n: int,
    rng: np.random.Generator,
    lens_fraction: float = 0.5,
    impostor_fraction: float = 0.4,
    snr: tuple[float, float] | None = (2.0, 100.0),
    radius_fwhm: tuple[float, float] = (1.0, 8.0),
    sources: QTable | None = None,
    zero_point: Mapping[str, float] | None = None,
    psf: Psf | None = None,
) -> QTable:
    """Draw ``n`` painted cutouts for training and for the selection function.

    Arc S/N and Einstein radius are log-uniform and independent of the galaxy and of each other,
    so that completeness can be read off everywhere. Galaxies are used about equally often and
    each carries lenses, impostors and nothing in the same proportions: which galaxy it is says
    nothing about the label.

    Parameters
    ----------
    galaxies : QTable
        Columns ``object_id, x, y, q, theta, radius, flux_<band>``; see
        `skywright.find.select_galaxies`.
    images : Images
        Their cutouts, row by row, with ``variance`` and ``psf_fwhm``.
    n : int
        Number of painted cutouts.
    rng : Generator
        Source of randomness.
    lens_fraction : float
        Share of lenses.
    impostor_fraction : float
        Share of impostors among the others; the rest stays untouched.
    snr : (low, high)
        Range of arc S/N; None takes that which the magnitudes of ``sources`` come to.
    radius_fwhm : (low, high) [FWHM]
        Range of Einstein radii, in widths of the widest point spread function.
    sources : QTable, optional
        Catalogue whose rows lie behind the lenses, each as often: ``mag_<band>`` [AB mag],
        ``angular_size`` [angle] (half-light radius; at most 0.4 Einstein radii are painted).
        Without it, colours are those of the small faint galaxies of the field, sizes 0.3 to 1.2
        FWHM.
    zero_point : dict, optional
        Band -> AB magnitude of one unit of the images; needed with ``sources``.
    psf : Psf, optional
        Where ``snr`` is None, the point spread function that `paint` is to use.

    Returns
    -------
    QTable
        One row per painted cutout: ``object_id`` (0, 1, …), ``group`` (the galaxy's identifier),
        ``row`` (of ``galaxies``), ``label``, ``kind``, ``theta_e`` [pixel], ``theta_e_fwhm``,
        ``snr``, ``magnification``, ``area`` and ``twin_area`` [pixel] of impostors, ``share``
        (n, band), and what `paint` needs to render: masses, clumps, arms.

    Raises
    ------
    ValueError
        The cutouts do not belong to the galaxies, lack variance or point spread function, or are
        too small for the largest Einstein radius.
    """
    field = read_field(galaxies, images)
    check_fractions(n, lens_fraction, impostor_fraction)
    largest = radius_fwhm[1] * field.fwhm
    if largest > field.pixels / 2:
        raise ValueError(
            f"an Einstein radius of {radius_fwhm[1]:g} FWHM is {largest:.1f} pixels, more than "
            f"half the cutout ({field.pixels / 2:g}): cut out at least {int(2 * largest) + 1} "
            f"pixels, or ask for radius_fwhm up to {field.pixels / 2 / field.fwhm:.1f}"
        )
    row, kind = _deal(len(galaxies), n, lens_fraction, impostor_fraction, rng)
    touched = kind != "untouched"
    theta_e = log_uniform(*radius_fwhm, int(touched.sum()), rng) * field.fwhm
    behind = None
    if sources is not None:
        behind = choose_sources(sources, field, images, zero_point or {}, len(theta_e), rng)
    if snr is not None:
        signal = log_uniform(*snr, len(theta_e), rng)
        arcs = draw_arcs(field, row[touched], theta_e, signal, rng, behind)
    elif behind is not None:
        arcs = draw_arcs(field, row[touched], theta_e, np.ones(len(theta_e)), rng, behind)
        arcs["snr"] = snr_of_sources(arcs, behind.flux, images, row[touched], psf)
    else:
        raise ValueError("snr is None: give sources, whose magnitudes say how bright arcs are")
    return finish(field, row, kind, arcs, rng)


def finish(
    field: Field, row: np.ndarray, kind: np.ndarray, arcs: QTable, rng: np.random.Generator
) -> QTable:
    """Turn the arcs of impostor rows into impostors, and put all rows together."""
    fake = kind[kind != "untouched"] == "impostor"
    if fake.any():
        matched = match_impostors(
            arcs[fake],
            pixels=field.pixels,
            psf=gaussian_psf(field.sharp),
            fwhm=field.fwhm,
            rng=rng,
        )
        for name in arcs.colnames:
            arcs[name][fake] = matched[name]
    return assemble(field, row, kind, arcs)


def draw_arcs(
    field: Field,
    row: np.ndarray,
    theta_e: np.ndarray,
    snr: np.ndarray,
    rng: np.random.Generator,
    behind: Behind | None = None,
) -> QTable:
    """Draw masses and sources for galaxies with given Einstein radii [pixel] and arc S/N."""
    masses = draw_masses(field.q[row], field.theta[row], rng)
    size = SOURCE_FWHM if behind is None else (behind.radius_fwhm, behind.radius_fwhm)
    sources = draw_sources(theta_e, field.fwhm, rng, size)
    x, y, magnification = place_sources(
        masses,
        sources["radius"][:, 0] / theta_e,
        field.pixels / 2 / theta_e,
        field.fwhm / theta_e,
        rng,
    )
    sources["x"] += (field.x[row] + x * theta_e)[:, None]
    sources["y"] += (field.y[row] + y * theta_e)[:, None]
    n = len(row)
    if behind is None:
        share = draw_colours(faint_colours(field.galaxies, field.bands), n, rng)
    else:
        share = behind.share
    columns = {
        # As long as the longest kind, so that impostors can be named in place.
        "kind": np.full(n, "lens", dtype="U10"),
        "theta_e": theta_e,
        "snr": snr,
        "magnification": magnification,
        "area": np.full(n, np.nan),
        "twin_area": np.full(n, np.nan),
        "share": share,
        "x_galaxy": field.x[row],
        "y_galaxy": field.y[row],
        "q_galaxy": field.q[row],
        "phi_galaxy": field.theta[row],
    }
    return QTable(
        columns
        | masses
        | {f"clump_{name}": values for name, values in sources.items()}
        | {f"arm_{name}": np.full(n, np.nan) for name in ARM}
    )


def log_uniform(low: float, high: float, n: int, rng: np.random.Generator) -> np.ndarray:
    """Draw ``n`` numbers whose logarithm is uniform between ``low`` and ``high``."""
    if not 0 < low <= high:
        raise ValueError(f"got the range {low:g} to {high:g}; expected 0 < low <= high")
    return np.asarray(np.exp(rng.uniform(np.log(low), np.log(high), n)))


def _deal(
    galaxies: int, n: int, lens_fraction: float, impostor_fraction: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Deal kinds to galaxies: every galaxy as often, and each with its share of every kind."""
    row = np.sort(np.concatenate([rng.permutation(galaxies) for _ in range(-(-n // galaxies))])[:n])
    lens = every(n, lens_fraction, rng)
    kind = np.where(lens, "lens", "untouched").astype("U10")
    others = np.flatnonzero(~lens)
    kind[others[every(len(others), impostor_fraction, rng)]] = "impostor"
    order = rng.permutation(n)
    return row[order], kind[order]


def every(n: int, fraction: float, rng: np.random.Generator) -> np.ndarray:
    """Choose ``round(n * fraction)`` of ``n`` evenly along the row, from a random start."""
    return np.roll(np.diff(np.round(np.arange(n + 1) * fraction)) > 0, rng.integers(max(n, 1)))


def check_fractions(n: int, lens_fraction: float, impostor_fraction: float) -> None:
    if n < 1:
        raise ValueError(f"n is {n}; expected at least one painted cutout")
    for name, value in (("lens_fraction", lens_fraction), ("impostor_fraction", impostor_fraction)):
        if not 0 <= value <= 1:
            raise ValueError(f"{name} is {value}; expected between 0 and 1")
