"""The main job in its small preset: how well it ranks, how long it takes, what it needs."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

from record import ROOT, peak_memory_mb, record
from run_recipe import run

FIGURES = ROOT / "docs" / "figures"


def main() -> int:
    place = ROOT / ".skywright" / "verify"
    place.mkdir(parents=True, exist_ok=True)
    result = run("lens-search", "--preset", "small", cwd=place)
    report = json.loads((Path(result["run"]) / "report.json").read_text())
    record(
        "lens-search",
        {
            "command": "skywright run lens-search --preset small",
            "seconds": result["wall"],
            "peak_memory_mb": peak_memory_mb(),
            "verdict": report["verdict"],
            "results": report["results"],
            "expect": result["expect"],
            "node_seconds": {n: v["seconds"] for n, v in result["nodes"].items()},
        },
    )
    FIGURES.mkdir(exist_ok=True)
    shutil.copy(Path(result["run"]) / "report.html", place / "report.html")
    return 0


if __name__ == "__main__":
    sys.exit(main())
