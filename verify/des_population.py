"""Make the tables of the training set ``des``: galaxies that lens, sources, field, impostors.

    python verify/des_population.py

Writes ``src/skywright/sky/deeplenstronomy/des/*.txt``; needs the extra ``sky`` for the templates.

Lens galaxies are early types, drawn by how much sky they lens: by the velocity dispersion function
of Choi, Park & Vogeley 2007 (ApJ 658, 884, section 3: sigma* 161 km/s, alpha 2.32, beta 2.67), the
volume, and the area within the Einstein radius of a source at redshift 1.5. Their luminosity
follows L ~ sigma^4 with M_r = -22.5 at 250 km/s, a scatter of 0.4 mag and passive evolution of
0.85 mag per unit redshift (rounded from Bernardi et al. 2003, AJ 125, 1849). Sources and the field
are the blue galaxies of Herbel et al. 2017, as in the recipe ``galaxies``, whose sizes and spectra
are taken here. Impostors are sources made brighter by what lensing would have done to them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import astropy.units as u
import numpy as np
from astropy.cosmology import FlatLambdaCDM

from skywright import sky

FOLDER = Path(__file__).parents[1] / "src" / "skywright" / "sky" / "deeplenstronomy" / "des"
COSMOLOGY = FlatLambdaCDM(70, 0.3)
ROWS = 1000
BANDS = tuple("griz")
SOURCE_REDSHIFT = 1.5
FAINTEST = 24.0  # in r: fainter sources leave no arc in the survey
SLOWEST = 240  # km/s: below, arcs are lost in the seeing
RED = {
    "alpha0": np.array([2.461, 2.358, 2.568, 2.268, 2.402]),
    "alpha1": np.array([2.410, 2.340, 2.200, 2.540, 2.464]),
    "weight": np.array([3.84e9, 1.57e6, 3.91e8, 4.66e10, 3.03e7]),
}
BLUE = {
    "alpha0": np.array([2.079, 3.524, 1.917, 1.992, 2.536]),
    "alpha1": np.array([2.265, 3.862, 1.921, 1.685, 2.480]),
    "weight": np.array([3.47e9, 3.31e6, 2.13e9, 1.64e10, 1.01e9]),
}

Columns = dict[str, np.ndarray]


def main() -> None:
    rng = np.random.default_rng(20)
    sources = draw_sources(rng, 0.9, 2.0)
    write("galaxies", lens_galaxies(rng))
    write("sources", {
        "CONFIGURATION_1-PLANE_2-REDSHIFT": sources["redshift"],
        **light("CONFIGURATION_1-PLANE_2-OBJECT_2", sources, disc(rng, 0.0, 0.45)),
    })  # fmt: skip
    write("field", light("PLANE_2-OBJECT_1", draw_sources(rng, 0.3, 2.0), disc(rng, 4.5, 8.0)))
    brighter = 2.5 * np.log10(np.exp(rng.uniform(np.log(2), np.log(12), ROWS)))
    others = draw_sources(rng, 0.9, 2.0)
    x, y = disc(rng, 0.9, 2.4)
    path = "PLANE_1-OBJECT_2-LIGHT_PROFILE_1"
    columns = {f"{path}-magnitude-{b}": others[b] - brighter for b in BANDS}
    place = {f"CONFIGURATION_6-{path}-center_x": x, f"CONFIGURATION_6-{path}-center_y": y}
    write("impostors", columns | place)


def lens_galaxies(rng: np.random.Generator) -> Columns:
    """Return columns of the galaxies in the middle, and of a partner at the same redshift."""
    sigma = draw_from(np.linspace(SLOWEST, 400, 500), lambda s: (s / 161) ** 1.32
                      * np.exp(-((s / 161) ** 2.67)) * s**4, rng)  # fmt: skip
    z = draw_from(np.linspace(0.1, 0.8, 500), lensing_weight, rng)
    magnitude = -22.5 - 10 * np.log10(sigma / 250) - 0.85 * z + rng.normal(0, 0.4, ROWS)
    galaxies = spectra(RED, z, magnitude, "sdss2010-r", rng)
    kpc = sky.early_type_lognormal_size(magnitude, 0.6, -4.63, -20.52, 0.48, 0.25, rng=rng)
    galaxies["radius"] = sky.angular_size(kpc, z, COSMOLOGY).to_value(u.arcsec)
    e1, e2 = shapes(sky.beta_ellipticity(0.2, 7, ROWS, rng=rng), rng)
    galaxies |= {"e1": e1, "e2": e2}
    columns = {"PLANE_1-REDSHIFT": z, **light("PLANE_1-OBJECT_1", galaxies, None)}
    mass = "PLANE_1-OBJECT_1-MASS_PROFILE_1"
    columns |= {f"{mass}-sigma_v": sigma, f"{mass}-e1": e1, f"{mass}-e2": e2}
    fainter = rng.uniform(0, 1.5, ROWS)
    e1, e2 = shapes(sky.beta_ellipticity(0.2, 7, ROWS, rng=rng), rng)
    partner = {b: galaxies[b] + fainter for b in BANDS} | {"e1": e1, "e2": e2}
    partner["radius"] = galaxies["radius"] * 10 ** (-0.4 * 0.6 * fainter)
    return columns | light("CONFIGURATION_5-PLANE_1-OBJECT_2", partner, disc(rng, 0.8, 2.6))


def lensing_weight(z: np.ndarray) -> np.ndarray:
    """Return volume times the area that a galaxy lenses, per redshift."""
    volume = COSMOLOGY.differential_comoving_volume(z).value
    between = COSMOLOGY.angular_diameter_distance(z, SOURCE_REDSHIFT)
    ratio = (between / COSMOLOGY.angular_diameter_distance(SOURCE_REDSHIFT)).to_value("")
    return np.asarray(volume * ratio**2)


def draw_sources(rng: np.random.Generator, near: float, far: float) -> Columns:
    """Return blue galaxies down to the faintest magnitude: redshift, magnitudes, shape."""
    grid = np.arange(near, far + 0.005, 0.01)
    z, magnitude = sky.schechter_lf(
        grid,
        -0.9408582 * grid - 20.40492365,
        0.00370253 * np.exp(grid / -9.73858),
        -1.3,
        25.5,
        0.3 * u.deg**2,
        COSMOLOGY,
        rng=rng,
    )
    found = spectra(BLUE, z, magnitude, "bessell-B", rng)
    kept = np.flatnonzero((found["r"] < FAINTEST) & (found["r"] > 20))
    rows = rng.choice(kept, ROWS, replace=False)
    red = magnitude - 0.6  # M_r from M_B, of a blue galaxy
    kpc = sky.late_type_lognormal_size(
        red[rows], 0.21, 0.53, -1.31, -20.52, 0.48, 0.25, rng=rng
    )  # fmt: skip
    e1, e2 = shapes(
        sky.ryden04_ellipticity(0.222, 0.057, -1.85, 0.89, ROWS, rng=rng), rng
    )  # fmt: skip
    return {b: found[b][rows] for b in BANDS} | {
        "redshift": z[rows],
        # discs at redshift z are smaller by about (1 + z)
        "radius": sky.angular_size(kpc / (1 + z[rows]), z[rows], COSMOLOGY).to_value(u.arcsec),
        "e1": e1,
        "e2": e2,
    }


def spectra(
    kind: dict[str, Any], z: np.ndarray, magnitude: np.ndarray, band: str, rng: np.random.Generator
) -> Columns:
    """Return apparent magnitudes in the bands of DECam."""
    coefficients = sky.dirichlet_coefficients(z, **kind, rng=rng)
    mass = sky.galaxy_stellar_mass(coefficients, magnitude, band)
    filters = [f"decam2014-{b}" for b in BANDS]
    seen = sky.apparent_magnitudes(coefficients, z, filters, COSMOLOGY, stellar_mass=mass)
    return dict(zip(BANDS, seen.T, strict=True))


def light(prefix: str, found: Columns, place: tuple[np.ndarray, np.ndarray] | None) -> Columns:
    path = f"{prefix}-LIGHT_PROFILE_1"
    columns = {f"{path}-magnitude-{b}": found[b] for b in BANDS}
    columns |= {f"{path}-R_sersic": np.clip(found["radius"], 0.05, 6)}
    columns |= {f"{path}-{e}": found[e] for e in ("e1", "e2")}
    if place is not None:
        columns |= {f"{path}-center_x": place[0], f"{path}-center_y": place[1]}
    return columns


def shapes(ellipticity: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return e1, e2 of modulus (1 - q) / (1 + q), at random angles."""
    angle = rng.uniform(0, 2 * np.pi, len(ellipticity))
    modulus = np.clip(ellipticity, 0, 0.8)
    return modulus * np.cos(angle), modulus * np.sin(angle)


def disc(rng: np.random.Generator, inner: float, outer: float) -> tuple[np.ndarray, np.ndarray]:
    """Return places spread evenly over a ring of the sky [arcsec]."""
    radius = np.sqrt(rng.uniform(inner**2, outer**2, ROWS))
    angle = rng.uniform(0, 2 * np.pi, ROWS)
    return radius * np.cos(angle), radius * np.sin(angle)


def draw_from(grid: np.ndarray, density: Any, rng: np.random.Generator) -> np.ndarray:
    cumulative = np.cumsum(density(grid))
    return np.interp(rng.uniform(0, cumulative[-1], ROWS), cumulative, grid)


def write(name: str, columns: Columns) -> None:
    table = np.stack([*columns.values(), np.ones(ROWS)], axis=1)
    lines = [" ".join(f"{value:.5g}" for value in row) for row in table]
    text = "\n".join([" ".join([*columns, "WEIGHT"]), *lines])
    (FOLDER / f"{name}.txt").write_text(f"{text}\n")
    print(f"{name}: {len(columns)} columns")


if __name__ == "__main__":
    main()
