"""Pairs of lens and source, drawn by lensing cross-section out of two catalogues.

All pairs of a million galaxies with a million others are never formed. A deflector gets a Poisson
number of candidates for the largest cross-section that any source may have behind it; a candidate
is kept with the share that its own distance has in the largest one, and only if the lens equation
has two solutions or more for a place drawn evenly. What is left is an exact Poisson process of all
pairs, each by its own cross-section.
"""

from __future__ import annotations

import astropy.units as u
import numpy as np
from astropy.cosmology import FLRW
from astropy.table import QTable

from skywright.sky.lens_population.checks import checked_area, checked_column
from skywright.sky.lens_population.einstein_radii import RADIAN, distance_ratio, isothermal_angle
from skywright.sky.lens_population.isothermal import isothermal_images, multiple_image_reach
from skywright.sky.lens_population.magnification import disc_magnification

__all__ = ["draw_lenses"]

MASS = ("q", "phi", "gamma1", "gamma2")
STRONGEST = 0.9  # shear beyond which a lens has no images to speak of
ABOUT = {
    "object_id": "row",
    "deflector": "row in the catalogue of deflectors",
    "source": "row in the catalogue of sources",
    "theta_e": "Einstein radius on the intermediate axis",
    "x": "source position relative to the lens",
    "y": "source position relative to the lens",
    "images": "images of the centre of the source",
    "separation": "largest distance between two images",
    "magnification": "flux of all images over that of the source",
}


def draw_lenses(
    deflectors: QTable,
    sources: QTable,
    source_area: u.Quantity,
    cosmology: FLRW,
    *,
    rng: np.random.Generator,
) -> QTable:
    """Draw all strong lenses of a catalogue of deflectors before a catalogue of sources.

    Sources lie evenly on the sky, whatever their catalogue covers: a small deep one serves many
    square degrees of deflectors. Neither its clustering nor matter along the line of sight is
    followed.

    Parameters
    ----------
    deflectors : QTable
        ``z``, ``sigma_v`` [km/s], ``q``, ``phi`` [rad], ``gamma1``, ``gamma2``; see
        `draw_deflectors` and `galaxy_deflectors`. Other columns come along as ``lens_…``.
    sources : QTable
        ``z``, half-light radius ``angular_size`` [angle] and ``ellipticity``, (1 - q) / (1 + q).
        Other columns, as magnitudes, come along as ``source_…``; they are those without lensing.
    source_area : Quantity [solid angle]
        Area of the sky that the catalogue of sources stands for.
    cosmology : FLRW
        For distances.
    rng : Generator
        Source of randomness.

    Returns
    -------
    QTable
        A row for each source with several images: ``object_id``, ``deflector`` and ``source``
        (rows of the catalogues), ``z_l``, ``z_s``, ``sigma_v``, ``theta_e`` [arcsec], ``q``,
        ``phi`` [rad], ``gamma1``, ``gamma2``, source position ``x``, ``y`` [arcsec], number of
        ``images``, their ``separation`` [arcsec], the ``magnification`` of the source as an
        exponential disc, ``source_q``, ``source_phi`` [rad], the same as ``e1``, ``e2`` and
        ``source_e1``, ``source_e2`` (lenstronomy's), and the columns of both catalogues.

    Raises
    ------
    ValueError
        A column is missing or holds what is no such quantity, or the area is not positive.

    References
    ----------
    Collett 2015 (arXiv:1507.02657); Lewis & Shedler 1979 (thinning).

    Examples
    --------
    >>> from astropy.cosmology import FlatLambdaCDM
    >>> n = 2000
    >>> lenses = QTable({"z": np.full(n, 0.5), "sigma_v": np.full(n, 250.0) * u.km / u.s})
    >>> for name in ("q", "phi", "gamma1", "gamma2"):
    ...     lenses[name] = np.full(n, 0.8 if name == "q" else 0.0)
    >>> lenses["phi"] *= u.rad
    >>> sources = QTable({"z": [2.0], "angular_size": [0.2] * u.arcsec, "ellipticity": [0.1]})
    >>> drawn = draw_lenses(
    ...     lenses, sources, 1e-5 * u.deg**2, FlatLambdaCDM(H0=70, Om0=0.3),
    ...     rng=np.random.default_rng(1),
    ... )
    >>> expected = n * np.pi * 1.144**2 / (1e-5 * 3600**2)
    >>> abs(len(drawn) / expected - 1) < 0.2
    True
    """
    lens, behind = _read_deflectors(deflectors), _read_sources(sources)
    area = checked_area(source_area, "source_area")
    i, j, place = _candidates(lens, behind["z"], area, cosmology, rng)
    theta_e = isothermal_angle(lens["sigma_v"][i]) * distance_ratio(
        lens["z"][i], behind["z"][j], cosmology
    )
    mass = {name: lens[name][i] for name in MASS}
    x, y, mu = isothermal_images(*place, **mass)
    several = (mu != 0).sum(axis=1) > 1
    rows = {"theta_e": theta_e, "u": place[0], "v": place[1], "deflector": i, "source": j}
    rows = {name: values[several] for name, values in (rows | mass).items()}
    shape = _shapes(behind, rows, rng)
    size = shape["source_size"] / rows["theta_e"]
    disc = (rows["u"], rows["v"], size, shape["source_q"], shape["source_phi"])
    return _table(
        rows
        | shape
        | {
            "z_l": lens["z"][rows["deflector"]],
            "z_s": behind["z"][rows["source"]],
            "sigma_v": lens["sigma_v"][rows["deflector"]],
            "images": (mu[several] != 0).sum(axis=1),
            "separation": _separation(x[several], y[several]) * rows["theta_e"],
            "magnification": disc_magnification(*disc, **{name: rows[name] for name in MASS}),
        },
        deflectors,
        sources,
    )


def _read_deflectors(table: QTable) -> dict[str, np.ndarray]:
    lens = {
        "z": checked_column(table, "z", low=0.0),
        "sigma_v": checked_column(table, "sigma_v", u.km / u.s, low=0.0, high=3000.0),
        "q": checked_column(table, "q", low=0.05, high=1.0),
        "phi": checked_column(table, "phi", u.rad),
        "gamma1": checked_column(table, "gamma1", low=-STRONGEST, high=STRONGEST),
        "gamma2": checked_column(table, "gamma2", low=-STRONGEST, high=STRONGEST),
    }
    if (np.hypot(lens["gamma1"], lens["gamma2"]) > STRONGEST).any():
        raise ValueError(f"a deflector has a shear above {STRONGEST}; take such rows out first")
    return lens


def _read_sources(table: QTable) -> dict[str, np.ndarray]:
    return {
        "z": checked_column(table, "z", low=0.0),
        "size": checked_column(table, "angular_size", u.arcsec, low=0.0),
        "ellipticity": checked_column(table, "ellipticity", low=0.0, high=1.0),
    }


def _candidates(
    lens: dict[str, np.ndarray],
    z_s: np.ndarray,
    area: float,
    cosmology: FLRW,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw pairs and places [Einstein radius] by an upper bound of the cross-section, thinned."""
    if not len(z_s):
        return np.empty(0, dtype=int), np.empty(0, dtype=int), np.empty((2, 0))
    order = np.argsort(z_s, kind="stable")
    behind = len(z_s) - np.searchsorted(z_s[order], lens["z"], side="right")
    most = distance_ratio(lens["z"], z_s.max(), cosmology)
    reach = multiple_image_reach(lens["q"], lens["gamma1"], lens["gamma2"], lens["phi"])
    bound = reach * isothermal_angle(lens["sigma_v"]) * most / RADIAN
    i = np.repeat(np.arange(len(bound)), rng.poisson(np.pi * bound**2 * behind / area))
    j = order[len(z_s) - 1 - (rng.random(len(i)) * behind[i]).astype(int)]
    ratio = distance_ratio(lens["z"][i], z_s[j], cosmology)
    kept = rng.random(len(i)) < (ratio / most[i]) ** 2
    i, j = i[kept], j[kept]
    radius, angle = reach[i] * np.sqrt(rng.random(len(i))), rng.uniform(0, 2 * np.pi, len(i))
    return i, j, radius * np.stack([np.cos(angle), np.sin(angle)])


def _shapes(
    behind: dict[str, np.ndarray], rows: dict[str, np.ndarray], rng: np.random.Generator
) -> dict[str, np.ndarray]:
    e = behind["ellipticity"][rows["source"]]
    return {
        "source_q": (1 - e) / (1 + e),
        "source_phi": rng.uniform(0, np.pi, len(e)),
        "source_size": behind["size"][rows["source"]],
    }


def _separation(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the largest distance between two of the images (n, image), NaN where there is none."""
    distance = np.hypot(x[:, :, None] - x[:, None], y[:, :, None] - y[:, None])
    return np.asarray(np.nan_to_num(distance).max(axis=(1, 2), initial=0.0))


def _table(rows: dict[str, np.ndarray], deflectors: QTable, sources: QTable) -> QTable:
    table = QTable(
        {
            "object_id": np.arange(len(rows["q"]), dtype=np.int64),
            **{name: rows[name] for name in ("deflector", "source", "z_l", "z_s")},
            "sigma_v": rows["sigma_v"] * u.km / u.s,
            "theta_e": rows["theta_e"] * u.arcsec,
            "q": rows["q"],
            "phi": rows["phi"] * u.rad,
            **{name: rows[name] for name in ("gamma1", "gamma2")},
            "x": rows["u"] * rows["theta_e"] * u.arcsec,
            "y": rows["v"] * rows["theta_e"] * u.arcsec,
            "images": rows["images"].astype(np.int64),
            "separation": rows["separation"] * u.arcsec,
            "magnification": rows["magnification"],
            "source_q": rows["source_q"],
            "source_phi": rows["source_phi"] * u.rad,
            **_ellipticity("", rows["q"], rows["phi"]),
            **_ellipticity("source_", rows["source_q"], rows["source_phi"]),
        }
    )
    for name, text in ABOUT.items():
        table[name].info.description = text
    for prefix, catalogue, used in (
        ("lens", deflectors, ("z", "sigma_v", *MASS)),
        ("source", sources, ("z", "ellipticity")),
    ):
        chosen = rows["deflector" if prefix == "lens" else "source"]
        for name in catalogue.colnames:
            if name not in used:
                column = catalogue[name][chosen]
                # in arcsec as all other angles, for readers that take numbers without units
                known = getattr(column, "unit", None)
                angle = name == "angular_size" and known is not None
                table[f"{prefix}_{name}"] = column.to(u.arcsec) if angle else column
    return table


def _ellipticity(prefix: str, q: np.ndarray, phi: np.ndarray) -> dict[str, np.ndarray]:
    """Return the ellipticities that other lens codes take."""
    e = (1 - q) / (1 + q)
    return {f"{prefix}e1": e * np.cos(2 * phi), f"{prefix}e2": e * np.sin(2 * phi)}
