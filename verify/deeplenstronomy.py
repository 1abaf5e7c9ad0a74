"""Files of deeplenstronomy: exact numbers of images, columns, errors, and the same bits everywhere.

Reads the published demonstration from ``SKYWRIGHT_DATA`` and variants of it that stand for the
other published files: with sections given twice, without masses, with a single plane.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
from astropy.table import Table
from record import record

from skywright.sky import (
    draw_lens_configuration,
    read_lens_configuration,
    render_lens_configuration,
)
from skywright.sky.deeplenstronomy import ConfigurationError
from skywright.sky.deeplenstronomy.model import Simulation

TESTS = Path(__file__).resolve().parents[1] / "tests" / "sky"
DEMO = Path(os.environ["SKYWRIGHT_DATA"]) / "deeplenstronomy" / "demo.yaml"
SURVEYS = (None, "des", "delve", "lsst", "hst", "euclid", "ztf")
ROWS = 100_000
IMAGES = 24
SEED = 7


def main() -> None:
    figures = {
        **count_images(),
        **columns(),
        **broken_files(),
        **same_bits(),
        **rates(),
    }
    for name, value in figures.items():
        print(f"{name}: {value}")
    record("deeplenstronomy", figures)


def count_images() -> dict[str, Any]:
    """Draw every configuration of every dialect under every survey; each number is exact."""
    wrong, drawn = 0, 0
    with tempfile.TemporaryDirectory() as folder:
        for name, (text, compat) in dialects().items():
            file = Path(folder) / f"{name}.yaml"
            file.write_text(text)
            if compat:
                assert refused(file), f"{name} was taken without compat"
            for survey in SURVEYS:
                simulation = read_lens_configuration(file, survey=survey, compat=compat)
                for c in simulation.configurations:
                    table = draw_lens_configuration(simulation, c.label, seed=SEED)
                    drawn += len(table)
                    wrong += len(table) != int(simulation.size * c.fraction)
                    first = render_lens_configuration(table[:1], simulation)
                    assert np.isfinite(first.flux).all()
    assert wrong == 0
    return {"dialects_read": len(dialects()), "rows_drawn": drawn, "wrong_numbers_of_images": wrong}


def dialects() -> dict[str, tuple[str, bool]]:
    """Return the demonstration as it is, and as other published files are written."""
    text = DEMO.read_text()
    mass = text.index("        MASS_PROFILE_1", text.index("GALAXY_2"))
    shear = text.index("        SHEAR_PROFILE_1", mass)
    survey = text[text.index("IMAGE:") : text.index("SPECIES:")]
    single = """
    CONFIGURATION_5:
        NAME: JustAGalaxy
        FRACTION: 0.2
        PLANE_1:
            OBJECT_1: LENS
            PARAMETERS: {REDSHIFT: {DISTRIBUTION: {NAME: uniform, PARAMETERS: {minimum: 0.05,
                         maximum: 0.3}}}}
"""
    return {
        "demo": (text, False),
        "sections_twice": (f"{text}\n{survey}", True),
        "source_without_mass": (text[:mass] + text[shear:], True),
        "one_plane": (text.replace("FRACTION: 0.25", "FRACTION: 0.2") + single, True),
    }


def refused(file: Path) -> bool:
    """Return whether a file is refused."""
    try:
        read_lens_configuration(file)
    except ConfigurationError:
        return True
    return False


def columns() -> dict[str, Any]:
    """Compare columns with those that deeplenstronomy writes."""
    simulation = read_lens_configuration(DEMO)
    table = draw_lens_configuration(simulation, "CONFIGURATION_1", seed=SEED)
    published = (TESTS / "deeplenstronomy_columns.txt").read_text().split()
    wanted = {f"{name}-{band}" for name in published for band in simulation.bands}
    lacking = wanted - set(table.colnames)
    assert not lacking, lacking
    return {
        "columns": len(table.colnames),
        "columns_of_deeplenstronomy": len(wanted),
        "columns_lacking": len(lacking),
    }


def broken_files() -> dict[str, Any]:
    """Read broken files; each has to be refused with its line and path."""
    files = sorted((TESTS / "deeplenstronomy_broken").glob("*.yaml"))
    told = 0
    for file in files:
        line, _, path = file.read_text().split("\n")[1].removeprefix("# ").partition(" ")
        try:
            read_lens_configuration(file)
        except ConfigurationError as error:
            start = f"{file}:{line}: {path}: " if path else f"{file}:{line}: "
            told += any(str(problem).startswith(start) for problem in error.problems)
    assert len(files) >= 40
    assert told == len(files)
    return {"broken_files": len(files), "broken_files_refused_with_line_and_path": told}


def digest(survey: str | None, rows: tuple[int, int]) -> list[str]:
    """Return a digest of each image and its row, from one block."""
    torch.set_num_threads(1)
    simulation = read_lens_configuration(DEMO, survey=survey)
    found = []
    for c in simulation.configurations:
        table = draw_lens_configuration(simulation, c.label, range(*rows), seed=SEED)
        images = render_lens_configuration(table, simulation)
        for row, flux in zip(table, images.flux, strict=True):
            text = "|".join(str(value) for value in row)
            found.append(hashlib.sha256(text.encode() + flux.tobytes()).hexdigest())
    return found


def same_bits() -> dict[str, Any]:
    """Compare one block with many, and one worker with two."""
    size = IMAGES // 4
    thirds = [(0, 1), (1, 4), (4, size)]
    compared = 0
    for survey in (None, "des"):
        whole = sorted(digest(survey, (0, size)))
        blocks = sorted(sum((digest(survey, rows) for rows in thirds), []))
        with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
            parts = pool.map(digest, [survey] * 3, thirds)
            workers = sorted(sum(parts, []))
        assert whole == blocks == workers
        compared += len(whole)
    return {"images_compared": compared, "images_that_differ_between_blocks_or_workers": 0}


def rates() -> dict[str, Any]:
    """Time drawing and rendering of the demonstration on one core."""
    torch.set_num_threads(1)
    simulation = read_lens_configuration(DEMO)
    start = time.perf_counter()
    table = draw_lens_configuration(simulation, "CONFIGURATION_1", range(ROWS), seed=SEED)
    drawing = time.perf_counter() - start
    surveyed = read_lens_configuration(DEMO, survey="des")
    varied = draw_lens_configuration(surveyed, "CONFIGURATION_1", range(IMAGES), seed=SEED)
    return {
        "seconds_for_100000_rows": drawing,
        "columns_of_them": len(table.colnames),
        "image_sets_per_second_of_one_seeing": sets_per_second(table[:IMAGES], simulation),
        "image_sets_per_second_of_different_seeing": sets_per_second(varied, surveyed),
    }


def sets_per_second(table: Table, simulation: Simulation) -> float:
    """Time the rendering of rows: images of all bands per second."""
    start = time.perf_counter()
    render_lens_configuration(table, simulation)
    return len(table) / (time.perf_counter() - start)


if __name__ == "__main__":
    main()
