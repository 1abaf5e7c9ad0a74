"""From simulated to real, and Einstein radii: figures against scikit-learn and numpy."""

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from skywright.data import Report
from skywright.trust import judge_radii, judge_transfer
from skywright.trust.tables import transfer_table

SCALE = 0.5 * u.arcsec
KEPT = {"value": 1.0, "low": 0.9, "high": 1.1}
KEYS = ("auroc", "auroc_wide", "auroc_wide_impostors", "auroc_wide_detectable")


def _truth(n=600, groups=30, seed=0):
    rng = np.random.default_rng(seed)
    kind = np.array(["lens", "lens", "untouched", "ring"])[np.arange(n) % 4]
    touched = kind != "untouched"
    return QTable(
        {
            "object_id": np.arange(n) + 50,
            "group": rng.integers(groups, size=n),
            "label": (kind == "lens").astype(int),
            "kind": kind,
            "theta_e": np.where(touched, rng.uniform(1.0, 6.0, n), np.nan),
            "snr": np.where(touched, rng.uniform(5, 100, n), 0.0),
        }
    )


def _domain(truth, shift, seed):
    rng = np.random.default_rng(seed)
    label, ids = np.asarray(truth["label"]), np.asarray(truth["object_id"])

    def scores(strength):
        return QTable({"object_id": ids, "mean": strength * label + rng.normal(size=len(ids))})

    true = np.where(label == 1, truth["theta_e"], 2.0)
    radii = QTable({"object_id": ids, "mean": 1.1 * true, "aleatoric": 0.2 * true})
    features = QTable(
        {
            "object_id": ids,
            "arc_statistic": scores(0.5)["mean"],
            "flux": rng.normal(size=len(ids)),
            "einstein_radius": true,
            "einstein_radius_error": 0.1 * true,
        }
    )
    return {
        "truth": truth,
        "net": scores(shift),
        "boosting": scores(1.0),
        "features": features,
        "radii": radii,
    }


@pytest.fixture(scope="module")
def judged():
    simulated, real = _domain(_truth(seed=1), 2.5, 2), _domain(_truth(seed=3), 1.5, 4)
    own = _domain(real["truth"], 2.0, 5)["net"]
    empty = Report(results={"kept": KEPT}, verdict="Before.")
    report = judge_transfer(
        empty,
        simulated=simulated,
        real=real,
        own=own,
        scale=SCALE,
        rng=np.random.default_rng(0),
        resamples=200,
    )
    return report, simulated, real, own


def _expected(domain, scores, key):
    truth = domain["truth"]
    lens, kind = np.asarray(truth["label"]) == 1, np.asarray(truth["kind"])
    wide = lens & (np.asarray(truth["theta_e"]) * 0.5 > 1.2)
    true, false = {
        "auroc": (lens, ~lens),
        "auroc_wide": (wide, kind == "untouched"),
        "auroc_wide_impostors": (wide, kind == "ring"),
        "auroc_wide_detectable": (wide & (np.asarray(truth["snr"]) > 20), kind == "untouched"),
    }[key]
    rows = true | false
    return roc_auc_score(true[rows], np.asarray(scores["mean"])[rows])


@pytest.mark.parametrize("key", KEYS)
def test_areas_are_those_of_scikit_learn(judged, key):
    report, simulated, real, own = judged
    arc = QTable({"mean": real["features"]["arc_statistic"]})
    expected = {
        "simulated": _expected(simulated, simulated["net"], key),
        "transfer": _expected(real, real["net"], key),
        "own": _expected(real, own, key),
        "transfer.boosting": _expected(real, real["boosting"], key),
        "transfer.arc": _expected(real, arc, key),
    }
    for name, value in expected.items():
        found = report.results[f"{name}.{key}"]
        assert found["value"] == pytest.approx(value, abs=1e-12)
        assert found["low"] < value < found["high"]
        assert found["n_groups"] == 30
    drop = expected["simulated"] - expected["transfer"]
    assert report.results[f"drop.{key}"]["value"] == pytest.approx(drop, abs=1e-12)
    gain = expected["transfer"] - expected["transfer.boosting"]
    assert report.results[f"transfer_gain.{key}"]["over"] == "boosting"
    assert report.results[f"transfer_gain.{key}"]["value"] == pytest.approx(gain, abs=1e-12)


def test_differences_on_the_same_cutouts_are_paired():
    real = _domain(_truth(seed=3), 1.5, 4)
    report = judge_transfer(
        Report(results={}, verdict=""),
        simulated=_domain(_truth(seed=1), 2.5, 2),
        real=real,
        own=real["net"],
        scale=SCALE,
        rng=np.random.default_rng(0),
        resamples=50,
    )
    same = report.results["own_gain.auroc"]
    assert same["value"] == same["low"] == same["high"] == 0.0


def test_what_was_judged_before_stays_and_the_page_says_the_rest(judged):
    report = judged[0]
    assert report.results["kept"] == KEPT
    assert report.verdict.startswith("Before. Networks trained on simulated fields alone")
    page = transfer_table(report.results)
    assert f"{report.results['transfer.auroc_wide']['value']:.3f}<small>" in page
    assert transfer_table({"kept": KEPT}) == ""


def test_radii_of_regression_and_of_rings_are_both_judged(judged):
    results = judged[0].results
    assert results["radius.all.bias"]["value"] == pytest.approx(0.1)
    assert results["ring.all.bias"]["value"] == pytest.approx(0.0)


def test_several_folds_may_have_judged_a_row(judged):
    _, simulated, real, own = judged
    twice = QTable(
        {
            "fold": np.repeat([0, 1], len(own)),
            "object_id": np.tile(real["net"]["object_id"], 2),
            "mean": np.concatenate([real["net"]["mean"] - 3, real["net"]["mean"] + 3]),
        }
    )
    report = judge_transfer(
        Report(results={}, verdict=""),
        simulated=simulated,
        real=real | {"net": twice},
        own=own,
        scale=SCALE,
        rng=np.random.default_rng(0),
        resamples=10,
    )
    expected = judged[0].results["transfer.auroc"]["value"]
    assert report.results["transfer.auroc"]["value"] == pytest.approx(expected)


def test_injected_lenses_are_judged_against_the_untouched_cutouts_of_the_sample(judged):
    _, simulated, real, own = judged
    injected = _domain(_truth(seed=6), 3.0, 7)
    report = judge_transfer(
        Report(results={}, verdict=""),
        simulated=simulated,
        real=real,
        own=own,
        scale=SCALE,
        rng=np.random.default_rng(0),
        resamples=100,
        injected=injected,
    )
    wide = (np.asarray(injected["truth"]["label"]) == 1) & (
        np.asarray(injected["truth"]["theta_e"]) * 0.5 > 1.2
    )
    rest = np.asarray(real["truth"]["kind"]) == "untouched"
    labels = np.repeat([1, 0], [wide.sum(), rest.sum()])
    expected = {}
    for name in ("net", "boosting"):
        both = (np.asarray(domain[name]["mean"]) for domain in (injected, real))
        expected[name] = roc_auc_score(
            labels, np.concatenate([a[b] for a, b in zip(both, (wide, rest), strict=True)])
        )
    found = report.results["injected.auroc_wide"]
    assert found["value"] == pytest.approx(expected["net"], abs=1e-12)
    assert found["low"] < found["value"] < found["high"]
    assert found["n"] == wide.sum() + rest.sum()
    assert found["median_snr"] == np.median(np.asarray(injected["truth"]["snr"])[wide])
    gain = report.results["injected_gain.auroc_wide"]
    assert gain["over"] == "boosting"
    assert gain["value"] == pytest.approx(expected["net"] - expected["boosting"], abs=1e-12)
    assert "catalogue" in transfer_table(report.results)


def test_a_missing_class_is_named(judged):
    _, simulated, real, own = judged
    narrow = real["truth"].copy()
    narrow["theta_e"] /= 10
    with pytest.raises(ValueError, match="no lens for auroc_wide: paint more systems"):
        judge_transfer(
            Report(results={}, verdict=""),
            simulated=simulated,
            real=real | {"truth": narrow},
            own=own,
            scale=SCALE,
            rng=np.random.default_rng(0),
        )


def _radii(truth, factor, scatter, error):
    rng = np.random.default_rng(8)
    true = np.where(np.asarray(truth["label"]) == 1, truth["theta_e"], 1.0)
    guess = factor * true * np.exp(scatter * rng.normal(size=len(truth)))
    return QTable(
        {
            "object_id": truth["object_id"],
            "einstein_radius": guess,
            "einstein_radius_error": error * true,
        }
    )[::-1]


def test_radius_figures_are_those_of_the_noise_put_in():
    truth = _truth(n=8000, groups=2000)
    results = judge_radii(
        truth, _radii(truth, 1.2, 0.1, 0.12), rng=np.random.default_rng(0), resamples=100
    )
    assert results["all.bias"]["value"] == pytest.approx(0.2, abs=0.01)
    assert results["all.scatter"]["value"] == pytest.approx(0.12, rel=0.06)
    assert results["all.slope"]["value"] == pytest.approx(1.0, abs=0.02)
    far = 1 - norm.cdf(np.log(1.3 / 1.2) / 0.1) + norm.cdf(np.log(0.7 / 1.2) / 0.1)
    assert results["all.outliers"]["value"] == pytest.approx(far, abs=0.02)
    inside = norm.cdf(np.log(1.12 / 1.2) / 0.1) - norm.cdf(np.log(0.88 / 1.2) / 0.1)
    assert results["all.coverage"]["value"] == pytest.approx(inside, abs=0.02)
    assert results["all.bias"]["n"] == 4000
    bins = [results[f"snr_{name}.bias"]["n"] for name in ("5_20", "20_50", "50_200")]
    assert sum(bins) == 4000


def test_radii_that_are_missing_are_refused():
    truth = _truth()
    good = _radii(truth, 1.0, 0.1, 0.1)
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="no estimate above zero"):
        judge_radii(truth, good[good["object_id"] > 100], rng=rng)
    bad = good.copy()
    bad["einstein_radius"][:] = np.nan
    with pytest.raises(ValueError, match="no estimate above zero"):
        judge_radii(truth, bad, rng=rng)
    truth["label"] = 0
    with pytest.raises(ValueError, match="no lens in the truth"):
        judge_radii(truth, good, rng=rng)
