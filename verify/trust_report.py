"""The trust report of a classifier of 10,000 objects: how long it takes, and how it looks.

Once for a table, from the run to the page; and once the rules on 10,000 images, which cost most.

Screenshots, light and dark, of a desktop and a phone, go to docs/figures; they need chromium.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.table import QTable
from record import record

from skywright import flow, trust
from skywright.cli.trust import judge_run
from skywright.data import Images

ROOT = Path(__file__).resolve().parents[1]
LAB = ROOT / "tests" / "bad_lab"
OBJECTS = 10_000  # judged; a third of the stars are
LIMIT = 60.0  # s
SIDE, BANDS, FOLDS = 48, ("g", "r", "i"), 4  # of the images
SIZES = {"desktop": (1200, 1000), "phone": (400, 860)}


def main() -> None:
    sys.path.insert(0, str(LAB))
    with tempfile.TemporaryDirectory() as place:
        workspace = Path(place) / "work"
        plan = flow.load(LAB / "sound.yml", set={"n": 3 * OBJECTS}, allow=["bad_lab"])
        run = flow.run(plan, workspace=workspace, workers=0)
        inside = run.nodes["judged"]["seconds"]
        start = time.perf_counter()
        findings, page = judge_run(run.folder, workspace, False, None, quiet=True)
        outside = time.perf_counter() - start
        judged = int(run.results["auroc"]["n"])
        shots = shoot(page, Path(place))
    images, image_rules = judge_images(np.random.default_rng(0))
    computed = sum(finding.state in ("passed", "failed") for finding in findings)
    figures = {
        "objects": judged,
        "rules_computed": computed,
        "seconds_of_rules_on_data": inside,
        "seconds_of_rules_on_the_run_and_the_page": outside,
        "seconds_of_rules_on_images": images,
        "rules_computed_on_images": image_rules,
        "limit_seconds": LIMIT,
        "screenshots": shots,
    }
    for name, value in figures.items():
        print(f"{name}: {value}")
    record("trust-report", figures)
    assert judged >= 0.95 * OBJECTS, judged
    assert inside + outside < LIMIT, inside + outside
    assert images + outside < LIMIT, images + outside


def judge_images(rng: np.random.Generator) -> tuple[float, int]:
    """Return the seconds of all rules that one run of a cross-fitted image classifier can have."""
    label = rng.integers(0, 2, OBJECTS)
    flux = rng.normal(size=(OBJECTS, len(BANDS), SIDE, SIDE)).astype(np.float32)
    flux += (0.1 * label * rng.normal(size=OBJECTS))[:, None, None, None].astype(np.float32)
    object_id = np.arange(OBJECTS)
    images = Images(flux, BANDS, u.nJy, 0.2 * u.arcsec, object_id)
    fold = rng.integers(0, FOLDS, OBJECTS)
    roles = QTable(
        {
            "fold": np.repeat(np.arange(FOLDS), OBJECTS),
            "role": np.concatenate([np.where(fold == k, "test", "train") for k in range(FOLDS)]),
        }
    )
    scores, simple = (
        QTable({"object_id": object_id, "mean": 2 * label - 1 + spread * rng.normal(size=OBJECTS)})
        for spread in (1.0, 1.5)
    )
    start = time.perf_counter()
    report = trust.judge(
        task="classification", rng=rng, items=images, truth=label, scores=scores, roles=roles,
        groups=object_id, baselines={"simple": simple, "domain": simple}, real=images,
        deployment=images, strata=QTable({"flux": flux.mean(axis=(1, 2, 3))}),
    )  # fmt: skip
    seconds = time.perf_counter() - start
    states = [finding["state"] for finding in report.evidence["findings"]]
    return seconds, sum(state in ("passed", "failed") for state in states)


def shoot(page: Path, place: Path) -> list[str]:
    """Look at the page as people will, and keep what was seen."""
    browser = shutil.which("chromium")
    if browser is None:
        return []
    made = []
    for name, (width, height) in SIZES.items():
        for tone in ("light", "dark"):
            file = ROOT / "docs" / "figures" / f"trust-{name}-{tone}.png"
            scheme = 0 if tone == "dark" else 1  # blink: 0 prefers dark, 1 light
            subprocess.run(
                [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                 "--disable-background-networking", f"--user-data-dir={place / name / tone}",
                 f"--blink-settings=preferredColorScheme={scheme}",
                 f"--window-size={width},{height}", f"--screenshot={file}", page.as_uri()],
                check=True, capture_output=True, timeout=120,
            )  # fmt: skip
            made.append(file.name)
    return made


if __name__ == "__main__":
    main()
