"""Run the recipe ``lens-images`` and keep what its report says, and a picture of its page."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from lens_search import picture
from record import ROOT, record
from run_recipe import run

PICTURE = ROOT / "docs" / "figures" / "lens-images-report.png"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        done = run("lens-images", "--preset", "small", "-o", "out", cwd=place)
        report = json.loads((place / "out" / "report.json").read_text())
        picture(place / "out" / "report.html", PICTURE)
    results = report["results"]
    figures: dict[str, Any] = {
        kind: rows(results, kind)
        for kind in ("images", "auroc", "auroc_snr", "clue", "noise_ratio")
    }
    figures["verdict"] = report["verdict"]
    figures["seconds"] = {name: node["seconds"] for name, node in done["nodes"].items()}
    print(json.dumps(figures, indent=1))
    record("training_set", figures)
    assert all(abs(row["value"] - 1) < 0.02 for row in figures["noise_ratio"])
    found = {row["of"]: row for row in figures["clue"]}
    assert found["order"]["low"] <= 0.55
    assert found["background rms"]["low"] <= 0.55


def rows(results: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    """Return the results of a kind, one row each."""
    found = []
    for key, result in results.items():
        head, _, rest = key.partition(".")
        if head == kind:
            kept = {k: result[k] for k in ("value", "low", "high", "n", "passed") if k in result}
            found.append({"of": rest or "all", **kept})
    return found


if __name__ == "__main__":
    main()
