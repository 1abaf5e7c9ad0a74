"""Time a catalogue of galaxies beside SkyPy, from the same file in SkyPy's format.

    python benchmarks/galaxies.py

One run, ugriz of two populations with B < 23 on 10 deg2: from reading the file to the written FITS
tables, in one process and on one core each. Both are warm, but for our table of band fluxes, which
is made anew in every run, as SkyPy makes its own. Columns are compared by two-sample
Kolmogorov-Smirnov tests on equal numbers of galaxies; redshifts differ by SkyPy's steps between
nodes, see `skywright.sky.redshifts_from_comoving_density`.
"""

from __future__ import annotations

import importlib
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from astropy.table import Table
from scipy.stats import ks_2samp

from skywright.flow import load, run
from skywright.sky.populations import magnitudes

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "verify")]
record: Any = importlib.import_module("record").record

RECIPE = ROOT / "tests" / "sky" / "recipes" / "sdss_photometry.yml"
AREA, AREAS = 10.0, (1.0, 10.0, 30.0)
SAMPLE = 20_000


def skypy(area: float, out: Path) -> float:
    """Return the seconds that SkyPy takes, file to file."""
    from astropy import units as u
    from skypy.pipeline import Pipeline

    start = time.perf_counter()
    np.random.seed(1)  # noqa: NPY002 - SkyPy knows no other way
    pipeline = Pipeline.read(str(RECIPE))
    pipeline.execute(parameters={"area": area * u.deg**2})
    pipeline.write(str(out), overwrite=True)
    return time.perf_counter() - start


def ours(area: float, out: Path) -> float:
    """Return our seconds in this process, with a store and a table that know nothing."""
    magnitudes._block.cache_clear()
    with tempfile.TemporaryDirectory() as store:
        start = time.perf_counter()
        run(load(RECIPE, set=[f"area={area} deg2"]), workspace=store, out=out, workers=0)
        return time.perf_counter() - start


def compare(one: Path, other: Path) -> dict[str, float]:
    """Return the distance of each column, of samples whose 5 % point is 0.0136."""
    rng = np.random.default_rng(0)
    found = {}
    for name in ("blue", "red"):
        a, b = (Table.read(path, hdu=name) for path in (one, other))
        rows = [rng.choice(len(t), SAMPLE, replace=False) for t in (a, b)]
        for column in (c for c in a.colnames if a[c].ndim == 1):
            found[f"{name}.{column}"] = float(
                ks_2samp(a[column][rows[0]], b[column][rows[1]]).statistic
            )
    return found


def main() -> None:
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        skypy(0.01, folder / "warm.fits")
        ours(0.01, folder / "warm-too.fits")
        theirs = min(skypy(AREA, folder / "skypy.fits") for _ in range(5))
        seconds = {a: min(ours(a, folder / f"{a:g}{i}.fits") for i in range(5)) for a in AREAS}
        counts = {
            area: sum(len(Table.read(folder / f"{area:g}0.fits", hdu=t)) for t in ("blue", "red"))
            for area in AREAS
        }
        distance = compare(folder / f"{AREA:g}0.fits", folder / "skypy.fits")
    rates = {f"{area:g} deg2": counts[area] / seconds[area] for area in AREAS}
    figures = {
        "skypy_seconds_10_deg2": theirs,
        "seconds_10_deg2": seconds[AREA],
        "times_faster": theirs / seconds[AREA],
        "galaxies_per_second": rates,
        "ks_distance": distance,
    }
    for key, value in figures.items():
        print(key, value)
    record("galaxies-speed", figures)


if __name__ == "__main__":
    main()
