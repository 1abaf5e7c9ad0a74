"""Information of all pairs of columns, and the report of it."""

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.table import QTable, Table

from skywright import trust
from skywright.trust.rules.uncertainty import intervals_everywhere


@pytest.fixture(scope="module")
def mine():
    rng = np.random.default_rng(0)
    z = rng.normal(size=(200, 2))
    spiral = rng.random(200) > 0.5
    z[:, 1] += 8 * spiral
    table = Table({"z0": z[:, 0], "z1": z[:, 1]})
    table["mass"] = z[:, 0] + 0.5 * rng.normal(size=200)
    table["kind"] = np.where(spiral, "spiral", "<elliptical>")
    return table


def test_table_and_its_page(mine, tmp_path):
    mine.write(tmp_path / "mine.ecsv")
    rng = np.random.default_rng(1)
    found = trust.tabulate_information(
        str(tmp_path / "mine.ecsv"), permutations=99, bootstraps=5, rng=rng
    )
    values = {(row["latent"], row["quantity"]): row for row in found}
    assert values["z0", "mass"]["value"] == pytest.approx(0.8, abs=0.15)
    assert values["z1", "kind"]["value"] == pytest.approx(np.log(2), abs=0.1)
    assert values["z1", "kind"]["q_value"] < 0.05
    assert abs(values["z1", "mass"]["value"]) < 0.05
    trials = trust.estimate_known(
        trust.plan_estimates(2, [60], ["D1", "independent"]),
        permutations=19, bootstraps=5, rng=rng,
    )  # fmt: skip
    report = trust.information_report(trials, found)
    assert report.results["information.z0.mass"]["value"] == values["z0", "mass"]["value"]
    assert intervals_everywhere(report.results).passed
    spread = report.results["scatter.D1.60"]
    # two estimates say little of their scatter: Student's square has one degree of freedom
    assert spread["high"] / spread["value"] == pytest.approx(31.9, rel=0.01)
    assert spread["low"] / spread["value"] == pytest.approx(0.446, rel=0.01)
    firm = int((found["q_value"] < 0.05).sum())
    assert report.verdict.startswith(f"{firm} of 4 pairs depend on each other.")
    assert report.html.count("<svg") == 2
    assert "<elliptical>" not in report.html
    assert "http" not in report.html.replace("http://www.w3.org", "")
    assert trust.information_figure(found).startswith("<svg")


def test_no_table_is_no_pairs():
    none = trust.tabulate_information(rng=np.random.default_rng(0))
    assert len(none) == 0
    with pytest.raises(ValueError, match="no rows"):
        trust.information_figure(none)
    with pytest.raises(ValueError, match="no trials"):
        trust.information_report(QTable({"distribution": []}), none)


def test_columns_that_are_missing_are_named(mine):
    with pytest.raises(ValueError, match="there is no age"):
        trust.tabulate_information(mine, quantities=["age"], rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match="latent 'z0' and quantity 'flat': y is constant"):
        trust.information_table(mine[["z0"]], Table({"flat": np.zeros(200)}))


@pytest.mark.parametrize(
    ("latents", "quantities", "message"),
    [
        (np.ma.masked_array(np.arange(80.0).reshape(40, 2), mask=[[1, 0]] * 3 + [[0, 0]] * 37),
         Table({"m": np.arange(40.0)}), "3 of 40 values of x are not finite"),
        (np.arange(40.0), Table({"m": np.arange(40.0)}), r"latents have shape \(40,\)"),
        (np.ones((40, 0)), Table({"m": np.arange(40.0)}), "there are no pairs"),
        (np.ones((40, 2)), Table(), "there are no pairs"),
        (np.ones((40, 2)), {"m": np.arange(40.0)}, "a dict; expected a Table"),
        (np.arange(40.0)[:, None], QTable({"s": SkyCoord(np.arange(40) * u.deg, 0 * u.deg)}),
         "quantity 's': y does not hold numbers"),
    ],
)  # fmt: skip
def test_tables_that_cannot_be_used_are_refused(latents, quantities, message):
    with pytest.raises(ValueError, match=message):
        trust.information_table(latents, quantities)


def test_report_without_tests_counts_no_discoveries(mine):
    rng = np.random.default_rng(0)
    settings = {"permutations": 0, "bootstraps": 2, "rng": rng}
    found = trust.tabulate_information(mine, ["z0"], ["mass"], **settings)
    trials = trust.estimate_known(trust.plan_estimates(2, [40], ["independent"]), **settings)
    report = trust.information_report(trials, found)
    assert "depend" not in report.verdict
    assert "p < 0.05" not in report.verdict
    assert np.isnan(report.results["found.independent.40"]["value"])
