"""Compare lenses at several redshifts with lenstronomy: images, positions, magnifications, delays.

    python verify/lens_planes.py [number of systems]

Systems of a lens, a second lens that shines, and a source behind both, against lenstronomy's
multi-plane ray tracing at 15 x 15 samples per pixel; points in the last plane; time delays behind
one plane of several masses, and behind two. Then a galaxy in a middle plane, of which another
program draws no ring. About three minutes on two cores.
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
from record import record

from skywright import sky

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "oracle"))
oracle: Any = importlib.import_module("lenstronomy_planes")

SYSTEMS = 100
POINTS = 100
PIXELS = 64
FAINTEST = 0.05  # magnification of images that are compared
NEAR_A_CAUSTIC = 30.0


def compare(seed: int) -> dict[str, Any]:
    """Return the residual over the peak and the error of flux of one system."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    system = oracle.draw_planes(np.random.default_rng([4, seed]))
    scale, fwhm = oracle.single.SURVEYS[system["survey"]]
    truth = oracle.reference_image(system, PIXELS)
    image = sky.render_planes(
        oracle.our_planes(system),
        cosmology=oracle.COSMOLOGY,
        pixels=PIXELS,
        scale=scale,
        psf=sky.gaussian_psf(fwhm),
    )[0, 0].numpy()
    return {
        "survey": system["survey"],
        "residual": float(np.abs(image - truth).max() / truth.max()),
        "flux": float(abs(image.sum() / truth.sum() - 1)),
    }


def points_behind_planes(seed: int) -> dict[str, float]:
    """Return the worst errors of all images of one point behind two lenses."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    system = oracle.draw_planes(np.random.default_rng([5, seed]))
    near, mid, far = system["redshifts"]
    source = 0.5 * system["source"]["x0"], 0.5 * system["source"]["y0"]
    lenses = [system["lens"], system["middle"]]
    planes = sky.arrange_planes(lenses, [near, mid], far, oracle.COSMOLOGY)
    found = sky.image_positions(*source, planes, reach=4.0, step=0.1, faintest=FAINTEST)
    late = sky.time_delays(found[0][0], found[1][0], lenses, [near, mid], far, oracle.COSMOLOGY)[
        0
    ].numpy()
    x, y, mu = (v[0, 0].numpy() for v in found)
    model, arguments = oracle.lens_model(system)
    back_x, back_y = model.ray_shooting(x, y, arguments)
    true_mu = model.magnification(x, y, arguments)
    arrival = model.arrival_time(x, y, arguments)
    seen_x, seen_y, seen_mu, _ = oracle.images_of_point(system, *source)
    errors = _errors(mu, true_mu, late, arrival - arrival.min())
    # Their images that are not among ours; of ours theirs may miss some, so these are traced back.
    bright = np.abs(seen_mu) > 2 * FAINTEST
    gap = np.hypot(seen_x[bright, None] - x, seen_y[bright, None] - y).min(1, initial=np.inf)
    pixel = oracle.single.SURVEYS["des"][0]
    stretch = np.sqrt(np.abs(true_mu)) if len(mu) else 0.0
    return errors | {
        "images": len(mu),
        "theirs": int(bright.sum()),
        "missed": int((gap > 0.02 * pixel).sum()),
        "position_pixel": float(gap[gap < 0.02 * pixel].max(initial=0)) / pixel,
        "traced_back_pixel": float(
            (np.hypot(back_x - source[0], back_y - source[1]) * stretch).max() / pixel
        ),
    }


def _errors(
    mu: np.ndarray, true_mu: np.ndarray, late: np.ndarray, true_late: np.ndarray
) -> dict[str, float]:
    usual = np.abs(true_mu) < NEAR_A_CAUSTIC
    later = true_late > 0.01  # days; relative errors of nothing say nothing
    return {
        "magnification": float(np.abs(mu / true_mu - 1)[usual].max(initial=0)),
        "delay": float(np.abs(late / np.where(later, true_late, 1) - 1)[later].max(initial=0)),
    }


LENSES = {
    "SIE + SHEAR": [
        ("SIE", {"theta_E": 1.2, "e1": 0.15, "e2": -0.08}),
        ("SHEAR", {"gamma1": 0.03, "gamma2": -0.04}),
    ],
    "EPL": [("EPL", {"theta_E": 1.1, "gamma": 1.8, "e1": 0.1, "e2": 0.1})],
    "SIS + POINT_MASS": [
        ("SIS", {"theta_E": 1.0}),
        ("POINT_MASS", {"theta_E": 0.2, "center_x": 0.7, "center_y": 0.5}),
    ],
    "NFW + SIS": [("NFW", {"Rs": 5.0, "alpha_Rs": 1.5}), ("SIS", {"theta_E": 0.6})],
    "NFW_ELLIPSE": [("NFW_ELLIPSE", {"Rs": 5.0, "alpha_Rs": 3.0, "e1": 0.1, "e2": 0.05})],
    "HERNQUIST": [("HERNQUIST", {"sigma0": 1.0, "Rs": 1.5})],
    "PJAFFE + SHEAR": [
        ("PJAFFE", {"sigma0": 3.0, "Ra": 0.2, "Rs": 4.0}),
        ("SHEAR", {"gamma1": -0.05, "gamma2": 0.02}),
    ],
    "TNFW (back end)": [("TNFW", {"Rs": 4.0, "alpha_Rs": 2.5, "r_trunc": 8.0})],
}
PRESENT = {"NFW_ELLIPSE": "NFW_ELLIPSE_POTENTIAL"}


def delays_behind_one_plane(name: str) -> dict[str, float]:
    """Return the worst errors of the images of twenty points behind one plane."""
    rng = np.random.default_rng(6)
    profiles = LENSES[name]
    lens = [sky.mass_part(profile, parameters) for profile, parameters in profiles]
    model = oracle.LensModel(
        [PRESENT.get(profile, profile) for profile, _ in profiles],
        z_lens=0.5,
        z_source=1.7,
        cosmo=oracle.COSMOLOGY,
    )
    arguments = [parameters for _, parameters in profiles]
    worst = {"images": 0, "magnification": 0.0, "delay": 0.0}
    for _ in range(20):
        source = rng.uniform(-0.25, 0.25, 2)
        found = sky.image_positions(*source, lens, reach=4.0, step=0.2, faintest=FAINTEST)
        late = sky.time_delays(found[0][0], found[1][0], lens, 0.5, 1.7, oracle.COSMOLOGY)
        x, y, mu = (v[0, 0].numpy() for v in found)
        arrival = model.arrival_time(x, y, arguments)
        errors = _errors(
            mu, model.magnification(x, y, arguments), late[0].numpy(), arrival - arrival.min()
        )
        worst = {k: max(worst[k], errors.get(k, 0.0)) for k in worst} | {
            "images": worst["images"] + len(mu)
        }
    return worst


def ring() -> dict[str, float]:
    """Draw a galaxy in the middle plane, exactly behind a lens of 2 arcsec."""
    sigma, redshifts = 0.05, [0.3, 0.9, 2.0]
    galaxy = sky.light_part("GAUSSIAN", {"sigma": sigma}, [[1.0]])
    planes = [
        {"redshift": redshifts[0], "lens": sky.mass_part("SIS", {"theta_E": 2.0})},
        {"redshift": redshifts[1], "light": galaxy},
        {"redshift": redshifts[2], "light": galaxy | {"amplitude": 1e-9 * galaxy["amplitude"]}},
    ]
    image = sky.render_planes(
        planes, cosmology=oracle.COSMOLOGY, pixels=80, scale=0.1, psf=sky.gaussian_psf(0.2)
    )[0, 0].numpy()
    axis = (np.arange(80) - 39.5) * 0.1
    radius = np.hypot(axis, axis[:, None])
    d = oracle.COSMOLOGY.angular_diameter_distance_z1z2
    near, mid, far = redshifts
    einstein = 2.0 * float((d(near, mid) * d(0, far) / (d(0, mid) * d(near, far))).value)
    return {
        "einstein_radius": einstein,
        "mean_radius": float((image * radius).sum() / image.sum()),
        "magnification": float(image.sum()),
        # A point at b is seen 2 theta / b brighter; the mean of 1 / b is sqrt(pi / 2) / sigma.
        "magnification_expected": float(2 * einstein * np.sqrt(np.pi / 2) / sigma),
    }


def judge(
    images: dict[str, float],
    points: dict[str, float],
    single: dict[str, dict[str, float]],
    circle: dict[str, float],
) -> dict[str, bool]:
    return {
        "median_below_1_percent": images["residual_median"] < 0.01,
        "95_percent_below_2_percent": images["residual_95"] < 0.02,
        "flux_within_0.3_percent": images["flux_worst"] < 0.003,
        "positions_within_0.02_pixel": points["position_pixel"] < 0.02
        and points["traced_back_pixel"] < 0.02
        and points["missed"] == 0,
        "magnifications_within_1_percent": max(
            points["magnification"], *(row["magnification"] for row in single.values())
        )
        < 0.01,
        "delays_within_0.5_percent": max(
            points["delay"], *(row["delay"] for row in single.values())
        )
        < 0.005,
        "ring_where_it_should_be": abs(circle["mean_radius"] / circle["einstein_radius"] - 1) < 0.02
        and abs(circle["magnification"] / circle["magnification_expected"] - 1) < 0.01,
    }


def main() -> None:
    warnings.simplefilter("ignore")
    count = int(sys.argv[1]) if len(sys.argv) > 1 else SYSTEMS
    start = time.time()
    with multiprocessing.get_context("spawn").Pool(len(os.sched_getaffinity(0))) as pool:
        rows = pool.map(compare, range(count), chunksize=4)
        found = pool.map(points_behind_planes, range(POINTS), chunksize=4)
    residual, flux = (np.array([row[k] for row in rows]) for k in ("residual", "flux"))
    images = {
        "systems": count,
        "residual_median": float(np.median(residual)),
        "residual_95": float(np.quantile(residual, 0.95)),
        "residual_worst": float(residual.max()),
        "flux_median": float(np.median(flux)),
        "flux_worst": float(flux.max()),
    }
    sums = ("images", "theirs", "missed")
    points = {k: float((sum if k in sums else max)(row[k] for row in found)) for k in found[0]}
    single = {name: delays_behind_one_plane(name) for name in LENSES}
    circle = ring()
    met = judge(images, points, single, circle)
    for title, figures in (("images", images), ("points", points), ("ring", circle)):
        print(title, figures)
    for name, row in single.items():
        print(f"{name:>20}", row)
    print(met)
    figures = {"images": images, "points": points, "one_plane": single, "ring": circle}
    met = {name: bool(value) for name, value in met.items()}
    figures |= {"against": f"lenstronomy {version('lenstronomy')}, supersampling 15", "met": met}
    record("lens_planes", figures | {"seconds": round(time.time() - start)})
    if not all(met.values()):
        sys.exit(1)


if __name__ == "__main__":
    main()
