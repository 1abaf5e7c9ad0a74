"""A workspace with runs in it, written file by file as the layout says."""

import json

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable

from skywright.data.artefacts import save


def write_run(folder, name, tables, *, recipe="lens-search", ended="2026-01-02T03:04:05+00:00"):
    """Write a run folder; ``tables`` is node -> QTable."""
    nodes = {}
    for node, table in tables.items():
        place = "artefacts/" + node.replace("[", "@").removesuffix("]")
        save(table, folder / place)
        nodes[node] = {"state": "computed", "folder": place}
    nodes["gone"] = {"state": "cached", "folder": None}
    record = {
        "run": name,
        "state": "done",
        "nodes": nodes,
        "expect": {},
        "recipe": {"file": f"/somewhere/{recipe}.yml"},
        "ended": ended,
        "seconds": 5.0,
    }
    (folder / "provenance.json").write_text(json.dumps(record))
    return folder


def stars(n=3, shift=0.0):
    """Return a table with units, text, truth values and a masked value."""
    table = QTable()
    table["object_id"] = np.arange(n)
    table["flux_g"] = (np.arange(n) + shift) * u.nJy
    table["flux_g"].info.meta = {"ucd": "phot.flux"}
    table["flux_g"].info.description = "Flux in g"
    table["kind"] = np.array(["a", "b", "c"] * n)[:n]
    table["known"] = np.arange(n) % 2 == 0
    return table


@pytest.fixture
def run_writer():
    """Return `write_run`."""
    return write_run


@pytest.fixture
def workspace(tmp_path):
    """Two runs, the older one in a folder elsewhere, and a swept node."""
    place = tmp_path / "ws"
    (place / "runs").mkdir(parents=True)
    new = {"candidates": stars(), "my-node": stars(2)}
    for fold in (0, 1):
        new[f"scores[fold={fold},net=cnn]"] = stars(2, shift=10.0 * fold)
    write_run(place / "runs" / "search-2", "search-2", new, ended="2026-02-01T00:00:00+00:00")
    away = tmp_path / "away"
    away.mkdir()
    write_run(away, "search-1", {"candidates": stars(5), "old": stars(1)})
    (place / "runs" / "search-1.json").write_text(json.dumps({"path": str(away)}))
    return place
