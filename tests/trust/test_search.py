"""The judge of a search on samples whose right answer is known."""

import json

import numpy as np
import pytest
from astropy.table import QTable, vstack

from skywright.trust import judge_search
from skywright.trust.completeness import SNR_EDGES, THETA_EDGES, completeness_map

N, GALAXIES, FOLDS = 1200, 200, 4
PREVALENCE, BUDGET = 0.005, 0.02


@pytest.fixture
def truth():
    rng = np.random.default_rng(0)
    label = np.arange(N) % 2
    kind = np.where(label == 1, "lens", np.where(np.arange(N) % 4 == 0, "ring", "untouched"))
    painted = kind != "untouched"
    group = 10 + rng.integers(0, GALAXIES, N)
    return QTable(
        {
            "object_id": 5000 + rng.permutation(N),
            "group": group,
            "row": group - 10,
            "label": label,
            "kind": kind,
            "theta_e": np.where(painted, 2.5 * 8 ** rng.random(N), np.nan),
            "theta_e_fwhm": np.where(painted, 8 ** rng.random(N), np.nan),
            "snr": np.where(painted, 2 * 50 ** rng.random(N), 0.0),
        }
    )


def scores(truth, logits, seeds=(0,)):
    """Scores of every row by the net of its fold, in another order than the truth."""
    rng = np.random.default_rng(1)
    fold = np.asarray(truth["group"]) % FOLDS
    tables = [
        QTable(
            {
                "fold": fold,
                "seed": np.full(N, seed),
                "object_id": truth["object_id"],
                "mean": logits + 0.1 * seed,
            }
        )
        for seed in seeds
    ]
    table = vstack(tables)
    return table[rng.permutation(len(table))]


def features(truth, arc=None, flux=None):
    rng = np.random.default_rng(2)
    return QTable(
        {
            "object_id": truth["object_id"],
            "arc_statistic": rng.normal(size=N) if arc is None else arc,
            "flux": rng.normal(size=N) if flux is None else flux,
        }
    )


def judge(truth, net, boosting, table=None, **options):
    return judge_search(
        truth,
        net,
        boosting,
        features(truth) if table is None else table,
        prevalence=PREVALENCE,
        budget=BUDGET,
        rng=np.random.default_rng(3),
        resamples=100,
        **options,
    )


def above_ten(truth):
    """Logits that know every arc above S/N 10 and nothing else."""
    return np.where((truth["label"] == 1) & (truth["snr"] > 10), 9.0, -3.0)


def test_every_figure_of_a_search_that_finds_arcs_above_ten(truth):
    blind = np.zeros(N)
    report = judge(truth, scores(truth, above_ten(truth), (0, 1, 2)), scores(truth, blind))
    lens = np.asarray(truth["label"]) == 1
    known = float((np.asarray(truth["snr"])[lens] > 10).mean())
    chance = (BUDGET - PREVALENCE * known) / (1 - PREVALENCE * known)
    value = {name: result["value"] for name, result in report.results.items()}
    assert value["recall"] == pytest.approx(known + (1 - known) * chance)
    assert value["purity"] == pytest.approx(value["recall"] * PREVALENCE / BUDGET)
    assert value["recall_bright"] == 1
    assert value["recall_faint"] == pytest.approx(chance)
    assert value["recall_snr_10_20"] == 1
    assert value["recall_snr_5_10"] == pytest.approx(chance)
    assert value["auroc"] == pytest.approx(known + (1 - known) / 2)
    assert value["tpr0"] == pytest.approx(known)
    assert value["tpr10"] == pytest.approx(known)
    assert value["false_positive_rate_ring"] == pytest.approx(chance)
    assert value["boosting.recall"] == pytest.approx(BUDGET)
    assert value["boosting.tpr0"] == 0
    assert value["gain_over_boosting"] == pytest.approx(value["recall"] - BUDGET)
    assert value["seeds.recall"] == pytest.approx(value["recall"])
    assert report.results["seeds.recall"]["n"] == 3


def test_members_of_a_committee_are_judged_one_by_one(truth):
    knows, blind = scores(truth, above_ten(truth), (0,)), scores(truth, np.zeros(N), (1,))
    value = {
        name: result["value"]
        for name, result in judge(truth, vstack([knows, blind]), blind).results.items()
    }
    alone = judge(truth, knows, blind).results["recall"]["value"]
    assert value["recall"] == pytest.approx(alone)  # a member without an opinion changes nothing
    baseline = alone - value["gain"]
    assert value["gain_one_seed"] == pytest.approx((alone + BUDGET) / 2 - baseline)
    assert value["gain_one_seed"] < value["gain"]


def test_intervals_and_numbers_of_galaxies_stand_beside_every_figure(truth):
    report = judge(truth, scores(truth, above_ten(truth)), scores(truth, np.zeros(N)))
    lens = np.asarray(truth["label"]) == 1
    bright = lens & (np.asarray(truth["snr"]) > 20) & (np.asarray(truth["theta_e_fwhm"]) > 3)
    recall = report.results["recall_bright"]
    assert recall["n"] == bright.sum()
    assert recall["n_groups"] == len(np.unique(np.asarray(truth["group"])[bright]))
    assert recall["low"] < 1 <= recall["high"]
    for name, result in report.results.items():
        assert result["low"] <= result["value"] + 1e-9, name
        assert result["value"] <= result["high"] + 1e-9, name
    json.dumps([report.results, report.evidence], allow_nan=False)


@pytest.mark.parametrize(
    ("net", "boosting", "says"),
    [
        (9.0, 0.0, "Gain over the best baseline, "),
        (9.0, 9.0, "No evidence of gain over the best baseline, gradient boosting"),
        (0.0, 9.0, "The best baseline, gradient boosting, beats the network"),
    ],
)
def test_the_verdict_opens_with_gain_or_none(truth, net, boosting, says):
    known = above_ten(truth) > 0
    report = judge(truth, scores(truth, net * known), scores(truth, boosting * known))
    assert report.verdict.startswith(says)
    if net == boosting:
        assert report.results["gain"]["value"] == 0
        assert report.results["gain"]["high"] == 0


def test_the_best_baseline_is_the_one_to_beat(truth):
    arc = above_ten(truth) + 0.0
    report = judge(
        truth, scores(truth, above_ten(truth)), scores(truth, np.zeros(N)), features(truth, arc=arc)
    )
    assert report.evidence["settings"]["baseline"] == "arc"
    assert report.results["gain"]["over"] == "arc"
    assert report.results["gain"]["value"] == 0
    assert "No evidence of gain over the best baseline, arc statistic" in report.verdict


def test_a_test_that_is_too_easy_is_said_to_be(truth):
    everything = np.where(np.asarray(truth["label"]) == 1, 9.0, -9.0)
    easy = judge(truth, scores(truth, everything), scores(truth, np.zeros(N)))
    assert "the test is too easy" in easy.verdict
    fair = judge(truth, scores(truth, above_ten(truth)), scores(truth, np.zeros(N)))
    assert "too easy" not in fair.verdict


def test_calibrated_logits_at_even_odds_are_calibrated_at_survey_prevalence(truth):
    rng = np.random.default_rng(4)
    labels = np.asarray(truth["label"])
    calibrated = 2.0 * rng.normal(2.0 * labels) - 2.0
    report = judge(truth, scores(truth, calibrated), scores(truth, 3 * calibrated))
    slope = report.results["calibration_slope"]
    assert slope["low"] < 1 < slope["high"]
    assert report.results["boosting.calibration_slope"]["high"] < 1
    ratio = report.results["top_5_percent_ratio"]
    assert ratio["low"] < 1 < ratio["high"]
    assert "agree with the outcome" in report.verdict


def test_a_feature_that_could_not_be_measured_ranks_last(truth):
    arc = above_ten(truth)
    missing = np.flatnonzero(arc > 0)[:20]
    arc[missing] = np.nan
    report = judge(
        truth, scores(truth, np.zeros(N)), scores(truth, np.zeros(N)), features(truth, arc=arc)
    )
    lens = np.asarray(truth["label"]) == 1
    assert report.results["arc.tpr0"]["value"] == pytest.approx((arc > 0).sum() / lens.sum())


def test_forecast_lenses_meet_the_negatives_of_the_sample(truth):
    net = scores(truth, above_ten(truth))
    forecast = truth[np.asarray(truth["label"]) == 1]
    report = judge(
        truth,
        net,
        scores(truth, np.zeros(N)),
        forecast_truth=forecast,
        forecast_net=net[np.isin(net["object_id"], forecast["object_id"])],
    )
    assert report.results["forecast.recall"]["value"] == pytest.approx(
        report.results["recall"]["value"]
    )
    assert report.results["forecast.recall"]["n"] == len(forecast)


def test_more_data_that_still_helps_is_reported(truth):
    known = above_ten(truth)
    half = np.where(np.asarray(truth["snr"]) > 30, known, -3.0)
    net = scores(truth, known)
    results = judge(truth, net, net, fractions={"0.5": scores(truth, half)}).results
    assert results["data_100_percent.recall"]["value"] == results["recall"]["value"]
    assert results["data_50_percent.recall"]["value"] < results["recall"]["value"]
    assert results["data_gain"]["low"] > 0


def test_scores_that_miss_rows_or_saw_them_are_refused(truth):
    net, blind = scores(truth, above_ten(truth)), scores(truth, np.zeros(N))
    with pytest.raises(ValueError, match="1 of 1200 objects have no score"):
        judge(truth, net[1:], blind)
    twice = vstack([net, net[:1]])
    twice["fold"][-1] += 1
    with pytest.raises(ValueError, match="test rows of more than one fold"):
        judge(truth, twice, blind)
    stranger = vstack([net, net[:1]])
    stranger["object_id"][-1] = -1
    with pytest.raises(ValueError, match="not in the truth"):
        judge(truth, stranger, blind)
    broken = net.copy()
    broken["mean"][0] = np.inf
    with pytest.raises(ValueError, match="not finite"):
        judge(truth, broken, blind)
    net.rename_column("mean", "score")
    with pytest.raises(ValueError, match="no column 'mean'"):
        judge(truth, net, blind)


def test_truth_without_both_classes_or_with_repeats_is_refused(truth):
    net = scores(truth, above_ten(truth))
    lenses = truth[np.asarray(truth["label"]) == 1]
    with pytest.raises(ValueError, match="expected both lenses and others"):
        judge(lenses, net, net, features(truth))
    with pytest.raises(ValueError, match="object_id repeats"):
        judge(vstack([truth, truth[:1]]), net, net, features(truth))


def test_a_sample_too_small_to_say_much_still_gives_plain_numbers(truth):
    few = truth[:24]
    net = scores(truth, np.zeros(N))
    net = net[np.isin(net["object_id"], few["object_id"])]
    table = features(truth)[np.isin(truth["object_id"], few["object_id"])]
    report = judge(few, net, net, table)
    json.dumps([report.results, report.evidence], allow_nan=False)
    assert report.verdict.startswith("No evidence of gain") or "beats" in report.verdict


def test_same_inputs_and_seed_give_the_same_report(truth):
    net, blind = scores(truth, above_ten(truth)), scores(truth, np.zeros(N))
    assert judge(truth, net, blind) == judge(truth, net, blind)


def test_completeness_cells_count_galaxies_and_cover_every_lens(truth):
    lens = truth[np.asarray(truth["label"]) == 1]
    snr, theta = np.asarray(lens["snr"]), np.asarray(lens["theta_e_fwhm"])
    cells = completeness_map(snr > 10, theta, snr, np.asarray(lens["group"]))
    assert len(cells) == (len(SNR_EDGES) - 1) * (len(THETA_EDGES) - 1)
    assert sum(cell["n"] for cell in cells) == len(lens)
    for cell in cells:
        inside = (snr >= cell["snr"][0]) & (snr < cell["snr"][1])
        inside &= (theta >= cell["theta"][0]) & (theta < cell["theta"][1])
        assert cell["n_groups"] == len(np.unique(np.asarray(lens["group"])[inside]))
        assert cell["value"] == float(cell["snr"][0] >= 10)
        assert cell["low"] <= cell["value"] <= cell["high"]


def test_an_empty_cell_says_so():
    cell = completeness_map(np.ones(1), np.array([1.5]), np.array([3.0]), np.array([0]))[-1]
    assert (cell["value"], cell["n"]) == (None, 0)
