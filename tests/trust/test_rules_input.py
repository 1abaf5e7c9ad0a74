"""What a judge is given is refused, not misread, when it does not fit together."""

import astropy.units as u
import numpy as np
import pytest
from astropy.table import MaskedColumn, QTable
from astropy.utils.masked import Masked

from skywright.data.splits import digest_rows
from skywright.trust import judge
from skywright.trust.rules.baselines import KINDS
from skywright.trust.rules.baselines import baselines_run_and_tuned as tuned
from skywright.trust.rules.leaks import fitted_on_training_alone
from skywright.trust.rules.leaks import test_set_opened as opened

N = 300
ROLES = np.array(["train"] * 120 + ["validation"] * 60 + ["test"] * 120)
LABELS = np.random.default_rng(0).integers(2, size=N)
ITEMS = QTable(
    {
        "object_id": np.arange(N),
        "flux": np.random.default_rng(1).normal(5, 1, N) * u.Jy,
        "colour": np.random.default_rng(2).normal(size=N),
    }
)
SCORES = QTable({"object_id": np.arange(N), "mean": 2.0 * LABELS - 1 + 0.7 * ITEMS["colour"]})


def judged(**changes):
    given = {
        "task": "classification", "rng": np.random.default_rng(3), "items": ITEMS,
        "truth": LABELS, "roles": ROLES, "scores": SCORES, "groups": np.arange(N), "resamples": 20,
    }  # fmt: skip
    return judge(**given | changes)


def state(report, rule):
    return next(f["state"] for f in report.evidence["findings"] if f["rule"] == rule)


def test_labels_may_be_booleans():
    plain, boolean = judged(), judged(truth=LABELS.astype(bool))
    assert boolean.results["auroc"]["value"] == plain.results["auroc"]["value"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"truth": np.where(LABELS, "star", "galaxy")}, "expected numbers"),
        ({"truth": 2 * LABELS - 1}, "expected 0 and 1"),
        ({"truth": np.where(np.arange(N) == N - 1, np.nan, LABELS)}, "no finite truth"),
        ({"scores": SCORES[:-7]}, "7 of 120 test rows have no score"),
        ({"strata": QTable({"flux": np.ones(N + 1)})}, "one a row"),
        ({"physics": {"snr": [np.ones(N - 1), "increasing"]}}, "one a row"),
        ({"positions": QTable({"ra": np.zeros(N), "dec": np.zeros(N)})}, "without separation"),
        ({"items": QTable({"object_id": np.arange(N), "name": ["a"] * N})}, "no column of numbers"),
        ({"deployment": ITEMS["object_id", "flux"]}, "has no colour"),
    ],
)
def test_what_does_not_fit_is_refused(changes, said):
    with pytest.raises(ValueError, match=said):
        judged(**changes)


def test_a_row_without_truth_may_have_another_role():
    roles, truth = ROLES.copy(), LABELS.astype(float)
    roles[0], truth[0] = "unlabelled", np.nan
    assert judged(roles=roles, truth=truth).results


@pytest.mark.parametrize("masked", [Masked, MaskedColumn, np.ma.MaskedArray])
def test_a_masked_truth_is_missing_and_not_what_lies_under_the_mask(masked):
    mask = np.arange(N) == N - 1
    with pytest.raises(ValueError, match="1 learned or judged rows have no finite truth"):
        judged(truth=masked(LABELS, mask=mask))
    assert judged(truth=masked(LABELS, mask=~np.isfinite(LABELS))).results


def test_a_masked_feature_is_a_missing_one():
    items = ITEMS.copy()
    items["colour"] = MaskedColumn(items["colour"], mask=np.arange(N) % 10 == 0)
    assert judged(items=items).evidence["facts"]["items"]["missing"] == {"colour": 0.1}


def test_a_deployment_is_read_by_name_and_unit():
    other = ITEMS["colour", "object_id", "flux"][:100]
    other["flux"] = other["flux"].to(u.mJy)
    other["more"] = 1.0
    assert state(judged(deployment=other), "D4") == "passed"
    other["flux"] *= 1000
    assert state(judged(deployment=other), "D4") == "failed"


@pytest.mark.parametrize(("rows", "told"), [("all", ["flux"]), ("roles", ["flux"]), ("train", [])])
def test_features_that_were_scaled_by_test_rows_are_named(rows, told):
    roles, items = ROLES.copy(), ITEMS.copy()
    roles[:5] = "spare"
    used = {"all": np.ones(N, bool), "roles": roles != "spare", "train": roles == "train"}[rows]
    flux = ITEMS["flux"].value
    items["flux"] = ((flux - flux[used].mean()) / flux[used].std()).astype(np.float32)
    splits = judged(items=items, roles=roles).evidence["facts"]["splits"]
    assert splits[0]["scaled_by_all"] == told
    assert fitted_on_training_alone({}, splits).passed == (not told)


def test_source_rows_of_training_and_validation_may_teach_together():
    domain = np.where(np.arange(N) % 3 == 0, "target", "source")
    known = judged(domain=domain).evidence["facts"]["domains"]
    for roles in (["train"], ["validation"], ["train", "validation"]):
        rows = np.flatnonzero(np.isin(ROLES, roles) & (domain == "source"))
        assert digest_rows(rows) in known["labelled_sha256"]
    assert digest_rows(np.flatnonzero(ROLES != "test")) not in known["labelled_sha256"]


def test_two_judges_of_the_same_rows_draw_the_same_resamples():
    scores = SCORES.copy()
    scores["mean"] += np.random.default_rng(5).normal(0, 0.01, N)
    first, other, less = (
        judged(**changes).evidence["facts"]["headline"]["draws"]
        for changes in ({}, {"scores": scores}, {"truth": 1 - LABELS})
    )
    assert first["sha256"] == other["sha256"] != less["sha256"]
    assert first["values"] != other["values"]
    assert len(first["values"]) == 21


def test_a_flag_among_the_features_can_be_the_answer():
    items = ITEMS.copy()
    items["is_variable"] = LABELS == 1
    strongest = judged(items=items).evidence["facts"]["strongest"]
    assert (strongest["name"], strongest["value"]) == ("is_variable", 1.0)


def test_a_fit_on_all_rows_has_read_the_test_rows():
    splits = judged().evidence["facts"]["splits"]
    fits = {"model": {"training": {"rows_sha256": digest_rows(np.flatnonzero(ROLES == "train"))}}}
    assert opened(fits, splits, 1).passed
    for rows in (np.arange(N), np.flatnonzero(ROLES != "validation")):
        fits["model"]["training"]["rows_sha256"] = digest_rows(rows)
        assert not opened(fits, splits, 1).passed


def test_a_fit_on_test_rows_with_those_of_any_other_side_has_read_them():
    roles = ROLES.astype("<U11")
    roles[:20], roles[20:40] = "calibration", "margin"
    splits = judged(roles=roles).evidence["facts"]["splits"]
    for key, sides in (
        ("rows_sha256", ("train", "validation", "calibration", "margin")),
        ("rows_sha256", ("train", "calibration")),
        ("validation_sha256", ("validation",)),
    ):
        rows = np.isin(roles, sides)
        fits = {"model": {"training": {key: digest_rows(np.flatnonzero(rows))}}}
        assert opened(fits, splits, 1).passed
        rows |= roles == "test"
        fits["model"]["training"][key] = digest_rows(np.flatnonzero(rows))
        assert not opened(fits, splits, 1).passed


def test_a_start_that_was_fitted_on_test_rows_counts_as_the_fit():
    splits = [
        {"fold": f, "train_sha256": f"train {f}", "test_sha256": f"test {f}"} for f in ("0", "1")
    ]
    for start, lawful in (("lookalikes", True), ("train 0", True), ("test 0", False),
                          ("train 1", False)):  # fmt: skip
        training = {"rows_sha256": "train 0", "start_rows_sha256": ["others", start]}
        assert opened({"net[fold=0,seed=1]": {"training": training}}, splits, 1).passed is lawful


def test_the_trials_of_a_model_whose_score_is_a_feature_are_not_those_of_the_baseline():
    fits = {
        "first": {"training": {"trials": 10}},
        "boosting[fold=0]": {"training": {"trials": 50}},
        "boosting[fold=1]": {"training": {"trials": 40}},
    }
    found = tuned(dict.fromkeys(KINDS), [], {"simple": list(fits)}, fits)
    assert found.passed
    assert found.number["trials"] == 40


def test_what_is_served_is_judged_by_what_is_served():
    """One answer of ten is far outside; that a thousand others were not asked is no excuse."""
    many = ITEMS["object_id", "flux", "colour"][np.arange(10 * N) % N]
    many["object_id"] = np.arange(10 * N)
    many["flux"][0] *= 100
    served = QTable({"object_id": np.arange(10), "mean": np.zeros(10)})
    facts = judged(deployment=many, served=served).evidence["facts"]["served"]
    assert facts == {"outside": 0.1, "n": 10}
    served["in_domain"] = np.arange(10) > 0
    assert judged(deployment=many, served=served).evidence["facts"]["served"]["outside"] == 0
    served["object_id"] = -1 - np.arange(10)
    with pytest.raises(ValueError, match="10 of 10 served objects are not in the deployment"):
        judged(deployment=many, served=served)


def test_shifts_of_rows_that_nobody_judges_are_refused():
    shifts = QTable({"object_id": np.arange(50), "kind": ["noise"] * 50, "severity": np.ones(50)})
    shifts["mean"] = 0.0
    with pytest.raises(ValueError, match="no judged row has a score for every kind"):
        judged(shifts=shifts)


def test_a_point_lets_off_no_model_of_what_is_judged():
    scores = SCORES.copy()
    scores["seed"] = 0
    assert judged(scores=scores, point={"seed": 0}).results
    scores["seed"] = np.arange(N) % 2
    with pytest.raises(ValueError, match="point says seed = 0, but scores are also of seed = 1"):
        judged(scores=scores, point={"seed": 0})


def test_rows_that_calibrate_come_before_those_that_chose():
    """Validation scores are too good here: sets that they calibrate would not cover."""
    rng, roles = np.random.default_rng(5), ROLES.astype("<U11")
    roles[:60] = "calibration"
    means = (2.0 * LABELS - 1) * np.where(roles == "validation", 9.0, rng.normal(1, 2, N))
    given = {"scores": QTable({"object_id": np.arange(N), "mean": means})}
    assert state(judged(roles=roles, **given), "U6") == "passed"
    assert state(judged(**given), "U6") == "failed"
    truth = np.where(roles == "calibration", np.nan, LABELS)
    with pytest.raises(ValueError, match="60 learned or judged rows have no finite truth"):
        judged(roles=roles, truth=truth, **given)


def test_models_of_other_data_of_a_sweep_are_not_held_against_the_split():
    report = judged(point={"widest": np.float64(0.2)})
    splits = report.evidence["facts"]["splits"]
    mine = {"mean": splits[0]["mean"], "rows_sha256": splits[0]["train_sha256"]}
    others = {**mine, "mean": [9.0, 9.0]}

    def holds(**fits):
        found = {f"net[{k}]": {"scaling": v, "training": {}} for k, v in fits.items()}
        return fitted_on_training_alone(found, splits).passed

    assert holds(**{"widest=0.2,seed=0": mine, "widest=0.05,seed=0": others})
    assert not holds(**{"widest=0.2,seed=0": others})
    assert not holds(**{"seed=0": others})
    assert not holds(**{"widest=0.05,seed=0": {**mine, "rows_sha256": "of all rows"}})
