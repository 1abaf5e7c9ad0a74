"""Lenses of a population: against formulas, lenstronomy and rendered images; and their number.

The numbers of lenses of three surveys stand beside published ones. Nothing is tuned to them.
Galaxies come from the recipe of the tests, and deflectors also from the velocity dispersion
function that the published forecast uses.
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from typing import Any

import astropy.units as u
import matplotlib
import numpy as np
from astropy.cosmology import FlatLambdaCDM
from astropy.table import QTable
from matplotlib.path import Path as Polygon
from record import ROOT, peak_memory_mb, record
from run_recipe import run
from scipy.special import gamma, gammaincinv

from skywright.data.tables import read_table
from skywright.sky import (
    draw_deflectors,
    draw_lenses,
    galaxy_deflectors,
    render_lenses,
    select_lenses,
    smail,
    survey_conditions,
)
from skywright.sky.lens_population.expected import count_interval, expected_lenses
from skywright.sky.lens_population.isothermal import (
    isothermal_images,
    multiple_image_area,
    multiple_image_reach,
)
from skywright.sky.photometry import arc_snr

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

RECIPE = ROOT / "tests" / "sky" / "recipes" / "lens_population.yml"
COSMOLOGY = FlatLambdaCDM(H0=70, Om0=0.3)
CELLS, CELL = 12, 4 * np.pi / (12 * 32**2) * np.rad2deg(1) ** 2 * u.deg**2
SOURCES = 0.3 * u.deg**2
GRID = np.linspace(0.02, 2.0, 100)
# All exposures of ten years added up, as Collett 2015 simulates it: depths follow from his sky,
# zero point and exposure times, and his seeing is that of the worst exposure.
COADD = {"g": (21.7, 3000), "r": (20.7, 6000), "i": (20.1, 6000)}
WORST = 1.905
MAGNIFIED, POINTS = 400, 4096
# Found so far: Walmsley et al. 2025 (arXiv:2503.15324), candidates of Euclid's first 63 deg2
FOUND = 497 / 63


def optical_depth(z_s: float) -> float:
    """Return the share of the sky that spheres lens: Gott, Park & Lee 1989, Choi et al. 2007."""
    moment = 161.0**4 * gamma((2.32 + 4) / 2.67) / gamma(2.32 / 2.67) / 299792.458**4
    distance = COSMOLOGY.comoving_distance(z_s).to_value("Mpc")
    return float(16 * np.pi**3 / 30 * 8.0e-3 * 0.7**3 * moment * distance**3)


def spheres() -> dict[str, dict[str, float]]:
    """Compare numbers of lensed points with the closed formula."""
    found = {}
    for z_s, square in ((0.5, 1000), (1.0, 150), (2.0, 50), (4.0, 10)):
        rng, area = np.random.default_rng(round(10 * z_s)), square * u.deg**2
        grid = np.linspace(0.0, z_s, 201)
        lenses = draw_deflectors(grid, area, COSMOLOGY, sigma_min=1, sigma_max=900, rng=rng)
        lenses["q"], lenses["gamma1"], lenses["gamma2"] = 1.0, 0.0, 0.0
        points = QTable({"z": np.full(200_000, z_s), "ellipticity": np.zeros(200_000)})
        points["angular_size"] = np.full(200_000, 1e-4) * u.arcsec
        pairs = draw_lenses(lenses, points, 1 * u.deg**2, COSMOLOGY, rng=rng)
        expected = optical_depth(z_s) * 200_000 * area.value
        low, high = count_interval(np.asarray(pairs["deflector"]), np.arange(len(pairs)))
        found[f"z_s = {z_s}"] = {
            "formula": optical_depth(z_s),
            "drawn": optical_depth(z_s) * len(pairs) / expected,
            "ratio": len(pairs) / expected,
            "low": low / expected,
            "high": high / expected,
        }
        assert abs(len(pairs) / expected - 1) < 2 * (high - low) / 2 / expected
    return found


def cross_sections() -> dict[str, dict[str, float]]:
    """Compare areas of multiple images with counts of sources, solved by lenstronomy."""
    from lenstronomy.LensModel.lens_model import LensModel
    from lenstronomy.LensModel.Solver.lens_equation_solver import LensEquationSolver

    model = LensModel(["SIE", "SHEAR"])
    solver, found = LensEquationSolver(model), {}
    for q, g1, g2 in ((0.9, 0, 0), (0.7, 0, 0), (0.5, 0, 0), (0.3, 0, 0), (0.5, -0.2, 0.1)):
        lens = [
            {"theta_E": 1.0, "e1": (1 - q) / (1 + q), "e2": 0.0, "center_x": 0.0, "center_y": 0.0},
            {"gamma1": g1, "gamma2": g2, "ra_0": 0.0, "dec_0": 0.0},
        ]
        angle, count = np.linspace(0, 2 * np.pi, 400), 100
        # lenstronomy leaves out images next to the centre: those of sources within this curve
        cut = model.ray_shooting(1e-6 * np.cos(angle), 1e-6 * np.sin(angle), lens)
        reach = multiple_image_reach(*(np.array([float(v)]) for v in (q, g1, g2, 0)))[0]
        axis = reach * ((np.arange(count) + 0.5) / count * 2 - 1)
        grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
        several = Polygon(np.transpose(cut)).contains_points(grid)
        for i in np.flatnonzero(~several):
            several[i] = len(solver.image_position_analytical(*grid[i], lens)[0]) > 1
        area, ours = several.mean() * 4 * reach**2, multiple_image_area(q, g1, g2)[0]
        name = f"q = {q}" + (f", shear {np.hypot(g1, g2):.2f}" if g1 else "")
        found[name] = {"area": ours, "lenstronomy": area, "ratio": ours / area}
        assert abs(ours / area - 1) < 0.01
    return found


def magnifications(lenses: QTable) -> dict[str, float]:
    """Compare magnifications of discs with the mean over 4,096 points of equal light."""
    rows = lenses[np.random.default_rng(3).permutation(len(lenses))[:MAGNIFIED]]
    theta = u.Quantity(rows["theta_e"], "arcsec").value
    share = (np.arange(POINTS) + 0.5) / POINTS
    radius, angle = gammaincinv(2, share) / 1.678347, np.pi * (3 - 5**0.5) * np.arange(POINTS)
    size = (u.Quantity(rows["source_angular_size"], "arcsec").value / theta)[:, None] * radius
    root = np.sqrt(np.asarray(rows["source_q"]))[:, None]
    a, b = size * np.cos(angle) / root, size * np.sin(angle) * root
    cos, sin = (f(u.Quantity(rows["source_phi"], "rad").value)[:, None] for f in (np.cos, np.sin))
    x = (u.Quantity(rows["x"], "arcsec").value / theta)[:, None] + a * cos - b * sin
    y = (u.Quantity(rows["y"], "arcsec").value / theta)[:, None] + a * sin + b * cos
    names = ("q", "phi", "gamma1", "gamma2")
    mass = (np.repeat(np.asarray(getattr(rows[n], "value", rows[n])), POINTS) for n in names)
    _, _, mu = isothermal_images(x.ravel(), y.ravel(), *mass)
    truth = np.abs(mu).sum(axis=1).reshape(x.shape).mean(axis=1)
    ratio = np.asarray(rows["magnification"]) / truth
    found = {"lenses": len(rows), "mean_ratio": float(ratio.mean()), "rms": float(ratio.std())}
    assert abs(found["mean_ratio"] - 1) < 0.01
    assert found["rms"] < 0.03
    return found


def galaxies(folder: Path) -> dict[str, QTable]:
    """Run the recipe on a part of the sky; return its tables."""
    values = {
        "cell": f"0..{CELLS - 1}",
        "nside": "32",
        "source_area": f"{SOURCES.value} deg2",
    }
    options = [part for item in values.items() for part in ("--set", "=".join(item))]
    run(str(RECIPE), *options, "--workers", "2", "-o", "sky.parquet", cwd=folder)
    return {name: read_table(folder / f"sky_{name}.parquet") for name in ("blue", "red", "lenses")}


def coadd() -> dict[str, tuple[float, float, float]]:
    """Return the conditions of Collett's simulation of all exposures of LSST."""
    found = {}
    for band, (sky, seconds) in COADD.items():
        electron = 28.13 + 2.5 * np.log10(seconds)
        noise = np.sqrt(4 * np.pi * (WORST / 2.3548) ** 2 * 10 ** (0.4 * (electron - sky)))
        found[band] = (electron - 2.5 * np.log10(5 * noise), WORST, electron)
    return found


def numbers(lenses: QTable, area: u.Quantity) -> dict[str, dict[str, float]]:
    """Return lenses per deg2 of surveys, with intervals, beside published forecasts."""
    table = expected_lenses(lenses, area)
    print(table)
    names = ("per_deg2", "low", "high", "published")
    rows = {str(row["survey"]): {name: float(row[name]) for name in names} for row in table}
    seen = select_lenses(lenses, coadd())
    low, high = count_interval(np.asarray(seen["deflector"]), np.asarray(seen["source"]))
    rows["lsst, seeing 1.9 arcsec"] = {
        "per_deg2": len(seen) / area.value,
        "low": low / area.value,
        "high": high / area.value,
        "published": 2.1,  # about 9,000 rows of the published table of a tenth of the sky
    }
    return rows


def signal_to_noise(lenses: QTable) -> dict[str, float]:
    """Compare the signal to noise that selects with that of rendered images."""
    seen = select_lenses(lenses, "lsst", snr=10.0)
    seen = seen[(seen["band"] == "i") & (seen["theta_e"] < 3 * u.arcsec)][:300]
    dark = seen[[name for name in seen.colnames if not name.startswith("lens_")]]
    for band in ("g", "r"):
        dark.remove_column(f"source_mag_{band}")
    images = render_lenses(dark, "lsst", pixels=64, noise=False, rng=np.random.default_rng(1))
    light = images.flux.astype(float)
    ratio = arc_snr(light, images.variance) / select_snr(dark)
    low, middle, high = np.percentile(ratio, [16, 50, 84])
    assert 0.8 < middle < 1.25
    return {"lenses": len(dark), "median_ratio": middle, "p16": low, "p84": high}


def select_snr(lenses: QTable) -> np.ndarray:
    """Return the estimate over the noise of the sky alone, as `arc_snr` counts it."""
    conditions = {"i": survey_conditions("lsst")["i"][:2]}
    return np.asarray(select_lenses(lenses, conditions, snr=0.0)["snr"])


def counts(blue: QTable) -> list[dict[str, float]]:
    """Return source counts beside those of the LSST Science Book (arXiv:0912.0201), 3.7."""
    i = np.asarray(getattr(blue["mag_i"], "value", blue["mag_i"]))
    square = SOURCES.to_value("arcmin2")
    return [
        {
            "i below": limit,
            "sources per arcmin2": float((i < limit).sum() / square),
            "published": 46 * 10 ** (0.31 * (limit - 25)),
            "median z": float(np.median(blue["z"][i < limit])),
            "published z": 2.674 * (0.0417 * limit - 0.744),
        }
        for limit in (22.0, 23.0, 24.0, 25.0, 26.0)
    ]


def with_published_redshifts(blue: QTable) -> QTable:
    """Return the sources with redshifts as of the LSST Science Book at their magnitude."""
    moved = QTable(blue, copy=True)
    i = np.clip(np.asarray(getattr(blue["mag_i"], "value", blue["mag_i"])), 18.5, 27.5)
    middle = 2.674 * (0.0417 * i - 0.744)
    moved["z"] = smail(middle, 2.0, 1.0, rng=np.random.default_rng(6))
    return moved


def dispersions(red: QTable, area: u.Quantity, drawn: QTable, drawn_area: u.Quantity) -> list:
    """Return deflectors per deg2 above 200 km/s: galaxies with a relation, and Choi's function."""
    made = galaxy_deflectors(red, rng=np.random.default_rng(2))
    rows = []
    for low, high in ((0.1, 0.4), (0.4, 0.7), (0.7, 1.0), (1.0, 1.5)):
        row: dict[str, Any] = {"redshift": f"{low} to {high}"}
        for name, table, deg2 in (
            ("galaxies", made, area.value),
            ("dispersion function", drawn, drawn_area.value),
        ):
            inside = (table["z"] > low) & (table["z"] < high)
            row[name] = float((table["sigma_v"][inside].value > 200).sum() / deg2)
        rows.append(row)
    return rows


def picture(lenses: QTable) -> None:
    """Plot what is drawn and what surveys see of it."""
    seen = {"LSST": select_lenses(lenses, "lsst"), "Euclid": select_lenses(lenses, "euclid")}
    sets = {"all": lenses} | seen
    figure, axes = plt.subplots(1, 3, figsize=(9, 2.9), layout="constrained")
    for axis, column, label, end in (
        (axes[0], "theta_e", "Einstein radius [arcsec]", 3.0),
        (axes[1], "z_l", "lens redshift", 2.0),
        (axes[2], "z_s", "source redshift", 5.0),
    ):
        for name, table in sets.items():
            values = np.asarray(getattr(table[column], "value", table[column]))
            axis.hist(values, np.linspace(0, end, 31), density=True, histtype="step", label=name)
        axis.set_xlabel(label)
        axis.set_yticks([])
    axes[0].legend(frameon=False)
    figure.savefig(ROOT / "docs" / "figures" / "lens-population.png", dpi=130)


def cut_by_depth(pairs: QTable) -> list[dict[str, Any]]:
    """Return the lenses whose sources are within a magnitude of the depth of the catalogue."""
    rows = []
    for name in ("des", "lsst", "euclid"):
        seen = select_lenses(pairs, name)
        i = np.asarray(getattr(seen["source_mag_i"], "value", seen["source_mag_i"]))
        row: dict[str, Any] = {"lenses of": name}
        for low, high in ((25.5, 26.0), (26.0, 26.5), (26.5, 27.0), (27.0, 27.5)):
            row[f"i {low} to {high}"] = float(((i > low) & (i <= high)).mean())
        rows.append(row)
    return rows


def medians(lenses: QTable) -> list[dict[str, Any]]:
    rows = []
    for name in ("all", "des", "lsst", "euclid"):
        table = lenses if name == "all" else select_lenses(lenses, name)
        row: dict[str, Any] = {"lenses of": name, "number": len(table)}
        for column in ("theta_e", "z_l", "z_s", "sigma_v", "magnification"):
            row[column] = float(np.median(np.asarray(table[column]))) if len(table) else None
        row["four images"] = float(np.mean(table["images"] > 3)) if len(table) else None
        rows.append(row)
    return rows


def speed(blue: QTable) -> tuple[dict[str, float], QTable, QTable]:
    """Time 100 deg2 of deflectors before the deep catalogue."""
    rng, start = np.random.default_rng(5), time.perf_counter()
    drawn = draw_deflectors(GRID, 100 * u.deg**2, COSMOLOGY, rng=rng)
    middle = time.perf_counter()
    pairs = draw_lenses(drawn, blue, SOURCES, COSMOLOGY, rng=rng)
    end = time.perf_counter()
    return (
        {
            "deflectors": len(drawn),
            "sources": len(blue),
            "lenses": len(pairs),
            "seconds_deflectors": middle - start,
            "seconds_lenses": end - middle,
            "peak_memory_mb": peak_memory_mb(),
        },
        drawn,
        pairs,
    )


def main() -> None:
    figures: dict[str, Any] = {"optical_depth": spheres(), "cross_section": cross_sections()}
    with tempfile.TemporaryDirectory() as name:
        tables = galaxies(Path(name))
    blue, red, lenses = tables["blue"], tables["red"], tables["lenses"]
    # cells number their deflectors by themselves
    lenses["deflector"] = lenses["deflector"] + 10_000_000 * np.asarray(lenses["cell"])
    area = CELLS * CELL
    figures["speed"], drawn, pairs = speed(blue)
    figures["galaxies"] = numbers(lenses, area)
    figures["dispersion_function"] = numbers(pairs, 100 * u.deg**2)
    moved = draw_lenses(
        drawn, with_published_redshifts(blue), SOURCES, COSMOLOGY, rng=np.random.default_rng(7)
    )
    figures["published_redshifts"] = numbers(moved, 100 * u.deg**2)
    figures["euclid_found_per_deg2"] = FOUND
    figures["signal_to_noise"] = signal_to_noise(lenses)
    figures["magnification"] = magnifications(lenses)
    figures["counts"] = counts(blue)
    figures["cut_by_depth"] = cut_by_depth(pairs)
    figures["dispersions"] = dispersions(red, area, drawn, 100 * u.deg**2)
    figures["medians"] = medians(lenses)
    picture(lenses)
    print(json.dumps(figures, indent=1, default=float))
    record("lens-population", figures)


if __name__ == "__main__":
    main()
