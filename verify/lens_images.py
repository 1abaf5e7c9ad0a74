"""Compare 300 random lens systems with lenstronomy, image by image and position by position.

    python verify/lens_images.py [number of systems]

Truth: lenstronomy at 15 x 15 samples per pixel, convolved on that grid. Four pixel scales, three
point spread functions, 100 x 100 pixels. Under ten minutes on two cores.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import sys
import time
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lenstronomy.LensModel.Solver.lens_equation_solver import LensEquationSolver
from record import record

from skywright import sky
from skywright.sky.images_of_points import image_positions

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "oracle"))
oracle: Any = importlib.import_module("lenstronomy_images")

SYSTEMS = 300
PIXELS = 100
POSITIONS = 100
CLOSER = 6


def render(system: dict[str, Any], dtype: torch.dtype) -> np.ndarray:
    scale, fwhm = oracle.SURVEYS[system["survey"]]
    if system["psf"] == "pixel":
        kernel = oracle.cell_kernel("pixel", fwhm, scale / 3)
        psf = sky.pixel_psf(torch.as_tensor(kernel), scale, 3)
    else:
        make = {"gaussian": sky.gaussian_psf, "moffat": sky.moffat_psf}
        psf = make[system["psf"]](fwhm)
    source, galaxy = (
        {**system[name], "amplitude": torch.full((1, 1, 1), system[name]["amplitude"])}
        for name in ("source", "lens_light")
    )
    image = sky.render(
        system["lens"],
        source,
        pixels=PIXELS,
        scale=scale,
        psf=psf,
        lens_light=galaxy,
        dtype=dtype,
    )
    return image[0, 0].double().numpy()


def compare(seed: int) -> dict[str, Any]:
    """Return residuals over the peak, and relative errors of flux, of one system."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    system = oracle.draw_system(np.random.default_rng([2, seed]))
    truth = oracle.reference_image(system, PIXELS)
    images = {
        "float64": render(system, torch.float64),
        "float32": render(system, torch.float32),
        "lenstronomy 1": oracle.reference_image(system, PIXELS, supersample=1),
        "lenstronomy 3": oracle.reference_image(system, PIXELS, supersample=3),
        "lenstronomy 5": oracle.reference_image(system, PIXELS, supersample=5),
    }
    row: dict[str, Any] = {"seed": seed, "survey": system["survey"], "psf": system["psf"]}
    for name, image in images.items():
        row[name] = np.abs(image - truth).max() / truth.max()
        row[f"{name} flux"] = abs(image.sum() / truth.sum() - 1)
    return row


def compare_closer(seed: int) -> dict[str, float]:
    """Return the errors of our image and of the reference against a reference twice as fine."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    system = oracle.draw_system(np.random.default_rng([2, seed]))
    truth = oracle.reference_image(system, PIXELS, supersample=31)
    found: dict[str, float] = {"seed": seed}
    for name, image in (
        ("ours", render(system, torch.float64)),
        ("reference", oracle.reference_image(system, PIXELS)),
    ):
        found[name] = np.abs(image - truth).max() / truth.max()
        found[f"{name} flux"] = abs(image.sum() / truth.sum() - 1)
    return found


def positions(kind: str) -> dict[str, float]:
    """Return worst errors of positions [DES pixel] and magnifications, and wrong numbers."""
    rng = np.random.default_rng(7)
    worst: dict[str, float] = {"position_pixel": 0.0, "magnification": 0.0, "wrong_number": 0}
    for _ in range(POSITIONS):
        ours, model, arguments = oracle.draw_lens(kind, rng)
        source = rng.uniform(-0.3, 0.3, 2)
        x, y = LensEquationSolver(model).image_position_from_source(
            *source, arguments, min_distance=0.02, search_window=7, precision_limit=1e-10
        )
        true = model.magnification(x, y, arguments)
        seen = np.abs(true) > 1e-2
        found = image_positions(*source, ours, reach=3.5, step=0.2, faintest=1e-2)
        image_x, image_y, mu = (v[0, 0].numpy() for v in found)
        worst["wrong_number"] += len(mu) != seen.sum()
        for a, b, m in zip(x[seen], y[seen], true[seen], strict=True):
            distance = np.hypot(image_x - a, image_y - b)
            pixels = distance.min() / oracle.SURVEYS["des"][0]
            worst["position_pixel"] = max(worst["position_pixel"], pixels)
            if abs(m) < 30:
                error = abs(mu[np.argmin(distance)] / m - 1)
                worst["magnification"] = max(worst["magnification"], error)
    return {name: float(value) for name, value in worst.items()}


def summary(rows: list[dict[str, Any]], name: str) -> dict[str, float]:
    residual = np.array([row[name] for row in rows])
    flux = np.array([row[f"{name} flux"] for row in rows])
    return {
        "residual_median": float(np.median(residual)),
        "residual_95": float(np.quantile(residual, 0.95)),
        "residual_worst": float(residual.max()),
        "flux_median": float(np.median(flux)),
        "flux_worst": float(flux.max()),
    }


def show(title: str, table: dict[str, dict[str, float]]) -> None:
    print(title)
    print(f"{'':>16}{'median':>9}{'95 %':>9}{'worst':>9}{'flux med':>9}{'worst':>9}")
    for name, figures in table.items():
        print(f"{name:>16}" + "".join(f"{100 * v:8.3f}%" for v in figures.values()))


def judge(ours: dict[str, float], places: dict[str, dict[str, float]]) -> dict[str, bool]:
    return {
        "median_below_1_percent": ours["residual_median"] < 0.01,
        "95_percent_below_2_percent": ours["residual_95"] < 0.02,
        "flux_within_0.3_percent": ours["flux_worst"] < 0.003,
        "positions_within_0.02_pixel": all(p["position_pixel"] < 0.02 for p in places.values()),
        "magnifications_within_1_percent": all(p["magnification"] < 0.01 for p in places.values()),
    }


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else SYSTEMS
    start = time.time()
    with multiprocessing.get_context("spawn").Pool(len(os.sched_getaffinity(0))) as pool:
        rows = pool.map(compare, range(count), chunksize=4)
        worst = sorted(rows, key=lambda row: -row["float64 flux"])[:CLOSER]
        closer = pool.map(compare_closer, [row["seed"] for row in worst], chunksize=1)
    table = {key: summary(rows, key) for key in rows[0] if f"{key} flux" in rows[0]}
    parts = {
        value: summary([row for row in rows if row[key] == value], "float64")
        for key in ("survey", "psf")
        for value in sorted({row[key] for row in rows})
    }
    show(f"{count} systems, largest residual over the peak, and flux, against 15 x 15", table)
    show("float64 by survey and point spread", parts)
    print(f"the {CLOSER} with the largest error of flux, against 31 x 31 samples:")
    for row in closer:
        print(f"{row['seed']:>16}", {k: f"{100 * v:.3f}%" for k, v in row.items() if k != "seed"})
    places = {kind: positions(kind) for kind in ("sie", "nfw")}
    print("image positions and magnifications, worst:", places)
    met = judge(table["float64"], places)
    print(met)
    figures = {"systems": count, "pixels": PIXELS, "engines": table, "float64_parts": parts}
    figures |= {"against": f"lenstronomy {version('lenstronomy')}, supersampling 15"}
    figures |= {"worst_flux_against_31": closer, "positions": places, "met": met}
    record("lens_images", figures | {"seconds": round(time.time() - start)})
    if not all(met.values()):
        sys.exit(1)


if __name__ == "__main__":
    main()
