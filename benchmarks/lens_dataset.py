"""Time a data set from its configuration file to arrays, beside lenstronomy on the same systems.

    python benchmarks/lens_dataset.py

griz, 100 x 100 pixels, one thread; seconds are those of the processor, so that others on the
machine do not count. The configuration is that of the package (``des-lenses``): an
isothermal ellipsoid with shear, a Sersic galaxy, a Sersic source and one beside it, Gaussian seeing
drawn for every image and band, noise. We read the file, draw and render. lenstronomy, which is what
deeplenstronomy renders with, gets the drawn systems for nothing, and is timed from `SimAPI` to the
noisy array. Accuracy is the largest residual over the peak against lenstronomy at 15 x 15 samples
a pixel, without noise.
"""

from __future__ import annotations

import importlib
import os
import sys
import time
import warnings
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import torch
from astropy.table import Row, Table
from lenstronomy.SimulationAPI.sim_api import SimAPI

from skywright.sky import (
    draw_lens_configuration,
    read_lens_configuration,
    render_lens_configuration,
    simulate_lenses,
)
from skywright.sky.deeplenstronomy.recipe import ROWS

sys.path.insert(0, str(Path(__file__).parents[1] / "verify"))
record: Any = importlib.import_module("record").record

FILE = Path(str(files("skywright") / "sky" / "deeplenstronomy" / "des" / "des.yaml"))
CHANGES = {"IMAGE.PARAMETERS.numPix": 100, "DATASET.PARAMETERS.SIZE": 100_000}
CONFIGURATION = "CONFIGURATION_1"
BANDS = "griz"
OURS, THEIRS, CHECKED = 384, 24, 8  # sets that are timed, and compared
REFERENCE = 15
LEAST_RATIO = 3.0
MILLION = 1_000_000


def main() -> None:
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    simulation = read_lens_configuration(FILE, changes=CHANGES)
    table = draw_lens_configuration(simulation, CONFIGURATION, range(THEIRS))
    rates: dict[str, list[float]] = {"ours": [], "theirs": []}
    for _ in range(3):  # in turn, so that both meet the same machine
        rates["ours"].append(our_rate())
        rates["theirs"].append(their_rate(table))
    ours, theirs = max(rates["ours"]), max(rates["theirs"])
    figures: dict[str, Any] = {
        "sets_per_second": ours,
        f"lenstronomy {version('lenstronomy')}, supersampling 3": theirs,
        "times_faster": ours / theirs,
        "times_faster_in_each_turn": [
            a / b for a, b in zip(rates["ours"], rates["theirs"], strict=True)
        ],
        **accuracy(table[:CHECKED]),
        "hours_of_one_core_for_1e6_sets": MILLION / ours / 3600,
        "gigabytes_of_1e6_sets": MILLION * 4 * 100 * 100 * 4 / 1e9,
        "load": os.getloadavg()[0],
    }
    for name, value in figures.items():
        print(f"{name}: {value}")
    record("lens_dataset_speed", figures)
    assert figures["times_faster"] >= LEAST_RATIO, figures["times_faster"]
    assert figures["residual_median"] <= figures["residual_median_of_lenstronomy"]


def our_rate() -> float:
    """Return sets per second, in blocks as the engine makes them."""
    simulate_lenses(FILE, CONFIGURATION, range(4), changes=CHANGES)
    start = time.process_time()
    for first in range(0, OURS, ROWS):
        simulate_lenses(FILE, CONFIGURATION, range(first, first + ROWS), changes=CHANGES)
    return OURS / (time.process_time() - start)


def their_rate(table: Table) -> float:
    render_set(table[0], 3, noise=True)
    start = time.process_time()
    for row in table:
        render_set(row, 3, noise=True)
    return len(table) / (time.process_time() - start)


def render_set(row: Row, supersampling: int, *, noise: bool, bands: str = BANDS) -> np.ndarray:
    return np.array([render_band(row, band, supersampling, noise) for band in bands])


def render_band(row: Row, band: str, supersampling: int, noise: bool) -> np.ndarray:
    """Return the image of one row in one band by lenstronomy."""

    def of(path: str) -> Any:
        return row[f"{path}-{band}"]

    observed = ("exposure_time", "magnitude_zero_point", "sky_brightness", "seeing") + (
        "num_exposures",
        "read_noise",
        "pixel_scale",
    )
    instrument = {name: float(of(name)) for name in observed}
    sersic = ["SERSIC_ELLIPSE"]
    models = {"lens_model_list": ["SIE", "SHEAR"], "lens_light_model_list": sersic}
    simulator = SimAPI(
        100,
        instrument | {"psf_type": "GAUSSIAN", "data_count_unit": "e-", "ccd_gain": 1.0},
        models | {"source_light_model_list": sersic * 2},
    )
    lens = [
        {k: of(f"PLANE_1-OBJECT_1-MASS_PROFILE_1-{k}") for k in ("theta_E", "e1", "e2")},
        {k: of(f"PLANE_1-OBJECT_1-SHEAR_PROFILE_1-{k}") for k in ("gamma1", "gamma2")},
    ]
    galaxies = [light(of, f"PLANE_{p}-OBJECT_{o}") for p, o in ((1, 1), (2, 1), (2, 2))]
    lens_light, source, _ = simulator.magnitude2amplitude(galaxies[:1], galaxies[1:])
    model = simulator.image_model_class(
        {"supersampling_factor": supersampling, "supersampling_convolution": True}
    )
    image = model.image(lens, source, lens_light)
    return image + simulator.noise_for_model(image) if noise else image


def light(of: Any, prefix: str) -> dict[str, float]:
    path = f"{prefix}-LIGHT_PROFILE_1"
    names = ["magnitude", "R_sersic", "n_sersic", "e1", "e2"]
    names += ["center_x", "center_y"] if prefix.startswith("PLANE_2") else []
    return {name: float(of(f"{path}-{name}")) for name in names}


def accuracy(table: Table) -> dict[str, float]:
    """Compare both engines with the finest, in the band of the narrowest seeing on average."""
    simulation = read_lens_configuration(FILE, changes=CHANGES)
    band = BANDS[-1]
    made = render_lens_configuration(table, simulation, return_planes=True).planes
    assert made is not None
    ours = made[:, :3].sum(1)[:, BANDS.index(band)].astype(float)
    rows = range(len(table))
    true = np.array([render_band(table[i], band, REFERENCE, False) for i in rows])
    theirs = np.array([render_band(table[i], band, 3, False) for i in rows])
    found = {}
    for name, images in (("", ours), ("_of_lenstronomy", theirs)):
        residual = np.abs(images - true).max((1, 2)) / true.max((1, 2))
        found[f"residual_median{name}"] = float(np.median(residual))
        found[f"residual_worst{name}"] = float(residual.max())
    return found


if __name__ == "__main__":
    main()
