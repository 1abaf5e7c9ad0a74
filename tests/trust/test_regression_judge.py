"""The judge of uncertainties: who passes, who fails and why, on predictors that are known."""

import numpy as np
import pytest
from astropy.table import QTable, vstack
from scipy.stats import pearsonr

from skywright.trust import bootstrap_groups, judge_regression
from skywright.trust.regression_judge import _conformal, _pearson
from skywright.trust.regression_rows import Said, Truth
from skywright.trust.resampling import wilson
from skywright.trust.rules.uncertainty import intervals_everywhere

N = 1500


def _world(seed=0):
    """y = x + noise of known sigma; the exact posterior is normal with that sigma."""
    rng = np.random.default_rng(seed)
    tables = []
    for widest in (0.1, 0.2):
        role = np.repeat(["calibration", "inside", "far"], [2000, N, N])
        sd = widest * rng.uniform(1, 10, len(role))
        mean = rng.uniform(-20, 20, len(role))
        y = mean + sd * rng.normal(size=len(role)) + 5 * (role == "far")
        tables.append(
            QTable({"widest": np.full(len(role), widest), "object_id": np.arange(len(role)),
                    "role": role, "y": y, "mean": mean, "sd": sd})
        )  # fmt: skip
    return vstack(tables)


def _exact(world):
    from skywright.trust.regression import score_normal

    part = world[world["role"] == "inside"]
    scores = score_normal(*(np.asarray(part[k]) for k in ("y", "mean", "sd")))
    return QTable({**{k: part[k] for k in ("widest", "object_id", "mean", "sd")}, **scores})


def _says(world, factor=1.0, share=0.1, seeds=(0, 1), shift=0.0):
    parts = []
    for seed in seeds:
        part = world[["widest", "object_id", "mean"]]
        part["mean"] = part["mean"] + shift * world["sd"]
        part["seed"] = np.full(len(world), seed)
        part["aleatoric"] = np.sqrt(1 - share**2) * factor * world["sd"]
        part["epistemic"] = share * factor * world["sd"]
        parts.append(part)
    return vstack(parts)


@pytest.fixture(scope="module")
def judged():
    world = _world()
    surprise = world[["widest", "object_id"]]
    surprise["surprise"] = np.where(world["role"] == "far", 2.0, 0.0) + world["sd"]
    return judge_regression(
        world,
        {
            "ensemble": _says(world),
            "narrow": _says(world, factor=0.5),
            "shifted": _says(world, shift=1.0),
        },
        value="y",
        by="widest",
        exact=_exact(world),
        propagated=world[["widest", "object_id", "mean", "sd"]],
        halved={"ensemble": _says(world, share=0.15)},
        surprise=surprise,
        published={"ensemble": {"widest_0_2.mse": 0.49}},
        warnings={"narrow": QTable({"warnings": ["<b>Dropout</b> collapsed"]})},
        resamples=100,
        rng=np.random.default_rng(1),
    )


def test_good_and_bad_are_told_apart(judged):
    failed = {(c["method"], c["figure"]) for c in judged.evidence["checks"] if not c["passed"]}
    assert ("narrow", "coverage_error") in failed
    assert ("narrow", "nll_gap") in failed
    assert ("shifted", "mse_ratio") in failed
    mine = {figure for method, figure in failed if method == "ensemble"}
    assert mine <= {"conformal_error", "conformal_lowest", "conformal_highest"}
    # widths are wrong by one factor: conformal prediction mends that
    mended = judged.results["narrow.widest_0_2.conformal_error"]["value"]
    assert mended < 0.3 * judged.results["narrow.widest_0_2.coverage_error"]["value"]
    assert "Narrow fails" in judged.verdict


def test_every_figure_has_its_interval(judged):
    drawn = {k: v for k, v in judged.results.items() if ".seeds." not in k}  # seeds are equal here
    assert intervals_everywhere(drawn).passed
    world = _world()
    some = world[(world["role"] == "inside") & (world["widest"] == 0.2)]
    x = some["sd"] / some["mean"]
    expected = pearsonr(np.sqrt(1 - 0.1**2) * x, x)  # what is said is the truth, times a number
    found = judged.results["ensemble.widest_0_2.correlation"]
    assert found["value"] == pytest.approx(expected.statistic)
    # the exact answer and the laboratory's are one here
    assert judged.results["exact.widest_0_2.correlation"]["value"] == pytest.approx(1)
    # far from the training nothing is covered: each of the levels 0.01 to 1 is missed by itself
    far = judged.results["ensemble.widest_0_2.coverage_error.far"]
    assert far["value"] > 0.4
    assert far["low"] < far["value"] < far["high"]
    lowest = judged.results["ensemble.widest_0_2.conformal_lowest"]
    low, high = wilson(lowest["value"], N)
    assert (lowest["low"], lowest["high"]) == pytest.approx((low, high), abs=0.004)


def test_a_correlation_is_that_of_scipy():
    x, y = np.random.default_rng(3).multivariate_normal([5, -2], [[1, 0.4], [0.4, 2]], 400).T
    counts = bootstrap_groups(np.arange(400), 400, np.random.default_rng(4))
    found, expected = _pearson(x, y, counts), pearsonr(x, y)
    assert found[0] == pytest.approx(expected.statistic)
    interval = expected.confidence_interval(0.95)
    assert np.quantile(found[1:], [0.025, 0.975]) == pytest.approx(interval, abs=0.02)
    assert found[7] == pytest.approx(pearsonr(np.repeat(x, counts[7]), np.repeat(y, counts[7]))[0])
    assert (_pearson(np.ones(400), y, counts) == 0).all()


def test_figures_are_exact_where_they_can_be(judged):
    for key in ("widest_0_1", "widest_0_2"):
        results = {k.removeprefix(f"ensemble.{key}."): v for k, v in judged.results.items()
                   if k.startswith(f"ensemble.{key}.")}  # fmt: skip
        assert results["mse_ratio"]["value"] == pytest.approx(1)
        assert results["nll_gap"]["value"] == pytest.approx(0, abs=1e-9)
        assert results["spearman"]["value"] == pytest.approx(1)
        assert results["halved_epistemic"]["value"] == pytest.approx(1.5)
        assert results["halved_aleatoric"]["value"] == pytest.approx(
            np.sqrt((1 - 0.15**2) / (1 - 0.1**2))
        )
        assert results["seeds.mse_ratio"]["n"] == 2
        assert results["coverage_90.far"]["value"] < results["coverage_90"]["value"] - 0.05
        assert results["mse"]["low"] < results["mse"]["value"] < results["mse"]["high"]
        assert results["mse"]["n"] == N
    alarm = judged.results["alarm.widest_0_1.auroc.far"]
    assert alarm["value"] == 1


def test_the_page_shows_it_all_and_escapes_what_it_is_given(judged):
    assert "&lt;b&gt;Dropout&lt;/b&gt; collapsed" in judged.html
    assert "<b>Dropout" not in judged.html
    for words in ("Paper, ours, exact", "0.49", "widest 0.2", "What is not reached", "<svg"):
        assert words in judged.html


def test_rows_are_matched_by_identifier_and_missing_ones_are_refused():
    world = _world()
    given = {
        "value": "y", "by": "widest", "exact": _exact(world), "resamples": 20,
        "propagated": world[["widest", "object_id", "mean", "sd"]],
    }  # fmt: skip
    says = _says(world)
    turned = says[np.random.default_rng(3).permutation(len(says))]
    first, second = (
        judge_regression(world, {"ensemble": s}, rng=np.random.default_rng(0), **given).results
        for s in (says, turned)
    )
    assert first == second
    with pytest.raises(ValueError, match="predictions lack some"):
        judge_regression(
            world, {"ensemble": says[10:]}, rng=np.random.default_rng(0),
            **given,
        )  # fmt: skip


def test_a_calibration_unlike_the_judged_rows_is_found_in_every_draw():
    rng, n = np.random.default_rng(0), 2000
    y = rng.normal(size=2 * n) * np.repeat([0.5, 1.0], n)  # as small as on rows that were fitted
    rows = Truth(np.arange(2 * n), y, np.repeat(["calibration", "inside"], n))
    said = Said(np.zeros(2 * n), np.ones(2 * n), np.zeros(2 * n), None)
    found = _conformal(said, rows, np.ones((2, n)), rng)
    assert found["conformal_highest"][0] < 0.7
