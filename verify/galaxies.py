"""The recipe ``galaxies``: the same rows with any workers; time and memory up to 100 deg2.

A user's view: the command, timed from its start to the written Parquet files, with an empty
workspace each time. Memory is the largest resident size of any process.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from record import peak_memory_mb, record
from run_recipe import run

CELLS = (3, 9, 30)  # of 3.36 deg2
SKYPY = Path(__file__).parents[1] / "tests" / "sky" / "recipes" / "sdss_photometry.yml"
COARSE = ("--set", "cell=0..5", "--set", "nside=128", "--set", "m_lim=22")


def columns(path: Path) -> dict[str, str]:
    """Return the digest of the bytes of every column."""
    table = pq.read_table(path)
    found = {}
    for name in table.column_names:
        column = table[name].combine_chunks()
        flat = column.flatten() if hasattr(column, "flatten") else column
        found[name] = hashlib.sha256(np.asarray(flat).tobytes()).hexdigest()
    return found


def same_rows(folder: Path) -> int:
    """Run with 0, 1, 2 and 4 workers; return how many columns were compared."""
    found = []
    for workers in ("0", "1", "2", "4"):
        run("galaxies", *COARSE, "--workers", workers, "--workspace", f"w{workers}", "-o",
            f"{workers}.parquet", "--seed", "5", cwd=folder)  # fmt: skip
        found.append(
            {f"{t}.{k}": v for t in ("blue", "red")
             for k, v in columns(folder / f"{workers}_{t}.parquet").items()}
        )  # fmt: skip
    assert all(each == found[0] for each in found), "rows depend on the number of workers"
    return len(found[0])


def reordered(folder: Path) -> int:
    """Run SkyPy's file and one with the tables and columns the other way round."""
    head, tables = SKYPY.read_text().split("tables:\n")
    blue, red = tables.split("  red:\n")
    (folder / "turned.yml").write_text(f"{head}tables:\n  red:\n{red}{blue}")
    found = []
    for name, file in (("straight", str(SKYPY)), ("turned", "turned.yml")):
        run(file, "--set", "area=0.5 deg2", "--workspace", name, "-o", f"{name}.parquet",
            cwd=folder)  # fmt: skip
        found.append({t: columns(folder / f"{name}_{t}.parquet") for t in ("blue", "red")})
    assert found[0] == found[1], "rows depend on the order of the file"
    return sum(len(table) for table in found[0].values())


def area(cells: int, folder: Path) -> dict[str, Any]:
    """Return time, galaxies and memory of a run on some cells."""
    made = run("galaxies", "--set", f"cell=0..{cells - 1}", "--workspace", f"area{cells}", "-o",
               f"area{cells}.parquet", cwd=folder)  # fmt: skip
    galaxies = sum(
        pq.read_metadata(folder / f"area{cells}_{t}.parquet").num_rows for t in ("blue", "red")
    )
    provenance = json.loads((Path(made["run"]) / "provenance.json").read_text())
    return {
        "deg2": cells * 3.357,
        "galaxies": galaxies,
        "seconds": made["wall"],
        "galaxies_per_second": galaxies / made["wall"],
        "largest_worker_mb": provenance["memory"] / 1e6,
        "largest_process_mb": peak_memory_mb(),
    }


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        figures: dict[str, Any] = {
            "columns_equal_with_0_1_2_4_workers": same_rows(folder),
            "columns_equal_when_reordered": reordered(folder),
        }
        rows = [area(cells, folder) for cells in CELLS]
    figures["area"] = {f"{row['deg2']:.0f} deg2": row for row in rows}
    print(json.dumps(figures, indent=1, default=float))
    record("galaxies", figures)
    small, large = rows[0], rows[-1]
    # linear: no slower a galaxy on ten times the area; flat: what a worker holds does not grow
    assert large["galaxies_per_second"] > 0.8 * small["galaxies_per_second"]
    assert large["largest_worker_mb"] < 1.3 * small["largest_worker_mb"]


if __name__ == "__main__":
    main()
