"""Counts of simulated galaxies, their intervals, and what they are compared with."""

import astropy.units as u
import numpy as np
import pytest
from astropy.cosmology import Planck18
from astropy.table import QTable, vstack

from skywright.trust import count_galaxies, population_report
from skywright.trust.population import density_per_deg2


def cell(number, n=300, seed=0):
    rng = np.random.default_rng(seed + number)
    galaxies = QTable(
        {
            "z": rng.uniform(0, 1, n),
            "mag_r": rng.uniform(16, 20, n),
            "M_B": rng.uniform(-22, -20, n),
            "size": 10 ** rng.normal(0.5, 0.2, n) * u.kpc,
            "ellipticity": rng.uniform(0, 1, n),
        }
    )
    counts = count_galaxies({"all": galaxies}, 0.5 * u.deg**2, Planck18)
    counts.add_column(np.full(len(counts), number), 0, "cell")
    return counts


def test_every_galaxy_is_counted_once():
    counts = cell(0)
    for quantity in ("z", "mag_r", "log_size", "ellipticity"):
        assert counts["count"][counts["quantity"] == quantity].sum() == 300
    slices = [q for q in dict.fromkeys(counts["quantity"]) if q.startswith("M_B")]
    assert slices == [f"M_B {a:g}<z<{a + 0.2:.1g}" for a in (0.2, 0.4, 0.6, 0.8)]
    volume = counts["volume"][counts["quantity"] == slices[0]][0]
    whole = Planck18.comoving_volume([0.2, 0.4]).value
    assert volume == pytest.approx(np.diff(whole)[0] * 0.5 / 41252.96, rel=1e-5)


def test_interval_between_cells_covers():
    """Cells whose density scatters by 20 %: the interval holds the true density 95 % of times."""
    covered = 0
    for trial in range(200):
        rng = np.random.default_rng(trial)
        rows = []
        for number in range(6):
            n = rng.poisson(100 * max(rng.normal(1, 0.2), 0.1))
            rows.append(QTable({"cell": [number], "quantity": ["z"], "population": ["x"],
                                "low": [0.0], "high": [0.1], "count": [n], "volume": [np.nan],
                                "area": [1.0] * u.deg**2}))  # fmt: skip
        found = density_per_deg2(vstack(rows))
        covered += found["low"] <= 100 <= found["high"]
    assert 0.90 <= covered / 200 <= 0.99


def test_one_cell_has_the_interval_of_poisson():
    report = population_report(cell(0))
    found = report.results["galaxies_per_deg2"]
    assert found["value"] == 600
    assert (found["low"], found["high"]) == pytest.approx((534.1, 671.9), abs=0.2)  # Gehrels
    assert "by Poisson alone" in report.verdict
    assert "No observed counts were given" in report.verdict


def test_ratio_to_observed_counts(tmp_path):
    counts = vstack([cell(number) for number in range(3)])
    seen = QTable({"magnitude": np.arange(15, 21, 0.1), "dered_r": np.full(60, 30)})
    seen.write(tmp_path / "seen.ecsv")
    report = population_report(counts, str(tmp_path / "seen.ecsv"), 4 * u.deg**2)
    # 900 galaxies on 1.5 deg2 over 4 mag: 150 per deg2 and mag; observed 75
    ratio = report.results["ratio.r.17-18"]
    assert ratio["value"] == pytest.approx(2, abs=0.25)
    assert ratio["low"] < 2 < ratio["high"]
    assert "Beside the observed counts" in report.html


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (QTable({"mag": [1.0]}), "expected magnitude"),
        (
            QTable({"magnitude": np.arange(15, 21, 0.5), "n_K": np.ones(12)}),
            "none of the simulated",
        ),
    ],
)
def test_observed_counts_that_do_not_fit_are_refused(table, message):
    with pytest.raises(ValueError, match=message):
        population_report(cell(0), table)


def test_page_needs_nothing_else():
    page = population_report(vstack([cell(number) for number in range(3)])).html
    assert page.count("<svg") == 5
    assert "http" not in page.replace("http://www.w3.org", "")
