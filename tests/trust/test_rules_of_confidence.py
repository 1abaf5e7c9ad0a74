"""Rules on confidence, shifts and insight, each once kept and once broken."""

import numpy as np
import pytest
from astropy.table import QTable
from scipy.special import expit

from skywright.trust.rules.insight import (
    attributions_checked,
    failures_shown,
    latents_mean_something,
    physics_holds,
)
from skywright.trust.rules.shifts import (
    adaptation_blind_to_target_labels,
    attack_bounded,
    outsiders_recognised,
    shifts_measured,
    symmetries_kept,
)
from skywright.trust.rules.uncertainty import (
    classes_calibrated,
    conformal_covers,
    intervals_everywhere,
    posteriors_calibrated,
    predictions_calibrated,
    spread_splits_rightly,
    subgroups_calibrated,
)

N = 1500


def draw(seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=N)
    spread = np.exp(rng.normal(-1, 0.3, N))
    return rng, truth, truth + spread * rng.normal(size=N), spread, np.arange(N)


@pytest.mark.parametrize(("factor", "kept"), [(1.0, True), (0.6, False), (1.6, False)])
def test_errors_have_to_be_as_large_as_they_are_said_to_be(factor, kept):
    _, truth, answers, spread, groups = draw()
    assert predictions_calibrated(answers, factor * spread, truth, groups).passed == kept


@pytest.mark.parametrize(("factor", "kept"), [(1.0, True), (0.6, False), (1.6, False)])
def test_posteriors_have_to_be_as_wide_as_they_err(factor, kept):
    rng, *_ = draw()
    truth = rng.normal(size=(500, 2))
    middle = (truth + rng.normal(size=(500, 2))) / 2  # of a normal prior and a normal error
    samples = middle[:, None] + factor * np.sqrt(0.5) * rng.normal(size=(500, 100, 2))
    assert posteriors_calibrated({"truth": truth, "samples": samples}, rng).passed == kept


@pytest.mark.parametrize(("shift", "kept"), [(0.05, True), (0.6, False)])
def test_logits_may_be_a_little_off_and_no_more(shift, kept):
    rng, *_ = draw(3)
    logits = rng.normal(-1, 2, 20_000)
    truth = (rng.random(20_000) < expit(logits)).astype(int)
    assert classes_calibrated(logits + shift, truth, np.arange(20_000)).passed == kept


def test_a_subgroup_with_errors_of_its_own_is_found():
    rng, truth, answers, spread, groups = draw()
    strata = QTable({"field": rng.integers(3, size=N)})
    assert subgroups_calibrated(strata, "regression", answers, truth, groups, spread).passed
    worse = np.where(strata["field"] == 2, 0.5, 1.0) * spread
    found = subgroups_calibrated(strata, "regression", answers, truth, groups, worse)
    assert not found.passed
    assert "field 2" in found.evidence


def test_rows_of_another_kind_are_not_covered():
    rng, *_ = draw()
    alone = np.arange(300), np.arange(500)
    assert conformal_covers(rng.random(300), rng.random(500), *alone).passed
    assert not conformal_covers(rng.random(300), 1.3 * rng.random(500), *alone).passed
    # covered, but not exchangeable: the same share beyond the limit, by another law
    other = np.where(np.arange(500) < 450, 0.0, 0.95)
    assert not conformal_covers(np.linspace(0, 1, 300), other, *alone).passed


def test_rows_of_few_groups_do_not_cry_wolf():
    rng = np.random.default_rng(7)
    groups = np.repeat(np.arange(40), 50)
    alarms = 0
    for _ in range(100):
        first, second = (np.repeat(rng.random(40), 50) for _ in range(2))
        alarms += not conformal_covers(first, second, groups, groups).passed
    assert alarms <= 3


def test_the_epistemic_part_has_to_grow_with_half_the_data():
    headline = {"epistemic": 0.1, "aleatoric": 1.0}
    half = {"data": {"0.5": {"epistemic": 0.14, "aleatoric": 1.01}}}
    assert spread_splits_rightly(half, headline).passed
    half["data"]["0.5"]["epistemic"] = 0.1
    assert not spread_splits_rightly(half, headline).passed


def shift(change, kind="depth"):
    ends = {"change": change, "change_low": change - 0.02, "change_high": change + 0.02}
    return [{"kind": "clean"}, {"kind": kind, "severity": 0.5, **ends}]


def test_a_shift_suite_has_to_be_there_and_is_warned_of_when_it_costs():
    assert shifts_measured(shift(-0.05), images=False).passed
    assert shifts_measured(shift(-0.3), images=False).severity == "WARN"
    found = shifts_measured(shift(-0.05), images=True)
    assert not found.passed
    assert "cosmic_rays" in found.evidence


def test_an_attack_that_mostly_succeeds_is_found():
    attack = {"n": 50, "successes": 10, "random": 2, "pixels": 1, "budget": "1000 electrons"}
    assert attack_bounded(attack).passed
    assert not attack_bounded(attack | {"successes": 45}).passed
    assert not attack_bounded(attack | {"random": 45}).passed  # nor may chance succeed


@pytest.mark.parametrize(("n", "passed"), [(1, False), (3, False), (4, True)])
def test_an_attack_on_so_few_images_that_all_may_fall_tells_nothing(n, passed):
    attack = {"n": n, "successes": 0, "random": 0, "pixels": 1, "budget": "1000 electrons"}
    assert attack_bounded(attack).passed == passed
    assert not attack_bounded(attack | {"successes": n}).passed


def test_an_alarm_has_to_ring_and_doubt_to_go_with_error():
    sound = {"value": 0.9, "low": 0.85, "high": 0.95}
    gain = {"gain": {"value": 0.1, "low": 0.05, "high": 0.15}}
    assert outsiders_recognised(sound, gain).passed
    assert not outsiders_recognised({"value": 0.5, "low": 0.45, "high": 0.55}, gain).passed
    assert not outsiders_recognised(
        sound, {"gain": {"value": 0.0, "low": -0.02, "high": 0.02}}
    ).passed


def test_an_adaptation_that_was_not_tested_for_harm_is_found():
    fits = {"model": {"training": {"rows_sha256": "a"}}}
    gains = dict.fromkeys(("source to target", "target to source", "label shift"), {"value": 0.1})
    domains = {"labelled_sha256": ["a"]}
    assert adaptation_blind_to_target_labels(fits, domains, gains).passed
    del gains["label shift"]
    assert not adaptation_blind_to_target_labels(fits, domains, gains).passed


def test_a_share_of_source_rows_is_told_by_the_whole():
    gains = dict.fromkeys(("source to target", "target to source", "label shift"), {"value": 0.1})
    fits = {"half": {"training": {"rows_sha256": "part", "whole_sha256": "a"}}}
    assert adaptation_blind_to_target_labels(fits, {"labelled_sha256": ["a"]}, gains).passed
    assert not adaptation_blind_to_target_labels(fits, {"labelled_sha256": ["b"]}, gains).passed
    del fits["half"]["training"]["whole_sha256"]
    assert not adaptation_blind_to_target_labels(fits, {"labelled_sha256": ["a"]}, gains).passed


def test_an_answer_that_turns_with_the_image_is_found():
    answers = np.linspace(-1, 1, 50)
    assert symmetries_kept({"mirror": answers + 1e-3}, answers).passed
    assert not symmetries_kept({"mirror": answers[::-1]}, answers).passed


def test_maps_that_do_not_depend_on_the_weights_are_found():
    gain = {"value": 0.2, "passed": True}
    kept = {
        "randomisation": {"value": 0.1, "limit": 0.5, "passed": True},
        "deletion_gain": gain,
        "insertion_gain": gain,
    }
    assert attributions_checked(kept).passed
    assert not attributions_checked(kept | {"deletion_gain": {**gain, "passed": False}}).passed
    alike = {"value": 0.9, "limit": 0.5, "passed": False}
    assert not attributions_checked(kept | {"randomisation": alike}).passed


def test_information_without_its_error_is_found():
    table = QTable(
        {"latent": ["a"], "quantity": ["z"], "value": [0.3], "error": [0.02], "p_value": [0.001]}
    )
    assert latents_mean_something(table).passed
    assert latents_mean_something(table).evidence.endswith("nat")
    table.meta["unit"] = "bit"
    assert latents_mean_something(table).evidence.endswith("bit")
    table["error"] = np.nan
    assert not latents_mean_something(table).passed


def test_answers_against_known_physics_are_found():
    rng = np.random.default_rng(0)
    snr = rng.normal(size=200)
    good = snr + rng.normal(size=200)
    assert physics_holds({"snr": (snr, "increasing")}, good).passed
    assert not physics_holds({"snr": (snr, "decreasing")}, good).passed
    with pytest.raises(ValueError, match="expected increasing or decreasing"):
        physics_holds({"snr": (snr, "up")}, good)


def test_failures_have_to_be_shown():
    assert failures_shown([{"object_id": "1", "loss": 3.0}], {}).passed
    assert not failures_shown([], {}).passed


def test_an_interval_without_ends_is_none():
    for end in (float("nan"), None):
        assert not intervals_everywhere({"auroc": {"value": 0.9, "low": end, "high": end}}).passed
    assert intervals_everywhere({"n": {"value": 7, "low": 7, "high": 7}}).passed


def test_a_subgroup_whose_positives_are_all_missed_is_seen():
    rng = np.random.default_rng(5)
    p = rng.uniform(0.2, 0.8, 1000)
    labels = (rng.random(1000) < p).astype(int)
    crowded = QTable({"crowded": np.repeat([0, 1], 500)})
    given = {"strata": crowded, "task": "classification", "groups": np.arange(1000)}
    logits = np.log(p / (1 - p))
    assert subgroups_calibrated(answers=logits, truth=labels, **given).passed
    labels[500:] = 0
    found = subgroups_calibrated(answers=logits, truth=labels, **given)
    assert not found.passed
    assert "crowded 1, biased" in found.evidence


def test_few_positives_promised_and_none_seen_is_no_fault():
    rare = {"strata": QTable({"field": np.repeat([0, 1], 200)}), "task": "classification"}
    logits, labels = np.full(400, -6.0), np.zeros(400, dtype=int)
    assert subgroups_calibrated(
        answers=logits, truth=labels, groups=np.arange(400), **rare
    ).passed  # fmt: skip


def test_rows_of_one_galaxy_are_no_evidence_of_physics():
    passed = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        snr, good = (np.repeat(rng.normal(size=30), 50) for _ in range(2))
        groups = np.repeat(np.arange(30), 50)
        passed += physics_holds({"snr": (snr, "increasing")}, good, groups).passed
    assert passed <= 4  # 1 of 40 expected; 16 when rows count
