"""A file in SkyPy's format gives the tables that SkyPy gives, the same with any workers."""

from pathlib import Path

import numpy as np
import pytest
from astropy.table import Table

from skywright.flow import RecipeError, load, run
from skywright.flow.aliases import SKYPY
from skywright.flow.names import resolve

RECIPE = Path(__file__).parent / "recipes" / "sdss_photometry.yml"

pytest.importorskip("speclite")


@pytest.mark.parametrize("name", sorted(SKYPY))
def test_every_name_of_skypy_leads_to_a_step(name):
    assert resolve(name).__name__ in (name.rpartition(".")[2], "galaxy_stellar_mass")


def test_sdss_photometry(tmp_path):
    plan = load(RECIPE, set=["area=0.5 deg2"], seed=3)
    run(plan, workspace=tmp_path / "one", out=tmp_path / "one.fits", workers=1)
    run(plan, workspace=tmp_path / "two", out=tmp_path / "two.fits", workers=2)
    mean = {"blue": (0.69, 22.09), "red": (0.72, 22.37)}  # as SkyPy 0.5.5 has them
    for name, (z, r) in mean.items():
        one, two = (Table.read(tmp_path / f"{n}.fits", hdu=name) for n in ("one", "two"))
        for column in one.colnames:
            np.testing.assert_array_equal(one[column], two[column])
        assert one["z"].mean() == pytest.approx(z, abs=0.03)
        assert one["mag_r"].mean() == pytest.approx(r, abs=0.1)
        assert np.isfinite([one[f"mag_{band}"] for band in "griz"]).all()


def test_catalogues_do_not_wait_for_torch():
    import subprocess
    import sys

    code = (
        "import sys; from skywright.sky import schechter_lf, apparent_magnitudes; "
        "from skywright.flow import load; load(sys.argv[1]); "
        "assert 'torch' not in sys.modules; from skywright.sky import render; render.__name__"
    )
    subprocess.run([sys.executable, "-c", code, str(RECIPE)], check=True)


@pytest.mark.parametrize("name", ["/tmp/secret.ecsv", "secret.ecsv", "sdss2010-../../x", "a b-c"])
def test_a_filter_is_no_file(name):
    from skywright.sky import mag_ab

    with pytest.raises(ValueError, match="expected names of speclite"):
        mag_ab([1e3, 2e3, 9e3], [1.0, 1.0, 1.0], name)


def test_the_default_cosmology_of_published_files(tmp_path):
    file = tmp_path / "default.yml"
    file.write_text(
        "cosmology: !astropy.cosmology.default_cosmology.get []\n"
        "d: !skypy.galaxies.morphology.angular_size {physical_size: 5 kpc, redshift: 0.5}\n"
    )
    done = run(load(file), workspace=tmp_path / "ws", workers=0)
    assert done["d"].to_value("arcsec") == pytest.approx(0.795, abs=0.01)
    file.write_text("a: !astropy.cosmology.default_cosmology.set [Planck13]\n")
    with pytest.raises(RecipeError, match="not among what recipes may use"):
        load(file)
