"""Events and light curves of one file in SkyPy's grammar, the same with any workers."""

import os
from pathlib import Path

import numpy as np
import pytest
from astropy.table import Table

from skywright.flow import load, run

RECIPE = Path(__file__).parent / "recipes" / "transients.yml"

pytest.importorskip("speclite")


@pytest.mark.skipif(
    not os.environ.get("SKYWRIGHT_DATA"), reason="SKYWRIGHT_DATA names no folder of spectra"
)
def test_transients(tmp_path):
    plan = load(RECIPE, set=["area=0.5 deg2", "nights=60"], seed=3)
    run(plan, workspace=tmp_path / "one", out=tmp_path / "one.fits", workers=1)
    run(plan, workspace=tmp_path / "two", out=tmp_path / "two.fits", workers=2)
    tables = ("thermonuclear", "core_collapse", "black_holes", "neutron_stars")
    for name in (*tables, "ia_light_curves", "cc_light_curves", "kilonova_light_curves"):
        one, two = (Table.read(tmp_path / f"{n}.fits", hdu=name) for n in ("one", "two"))
        assert len(one) > 10
        for column in one.colnames:
            np.testing.assert_array_equal(one[column], two[column])
    events = Table.read(tmp_path / "one.fits", hdu="thermonuclear")
    seen = Table.read(tmp_path / "one.fits", hdu="ia_light_curves")
    assert set(seen["event_id"]) <= set(events["event_id"])
    assert (seen["flux_err"] > 0).all()
