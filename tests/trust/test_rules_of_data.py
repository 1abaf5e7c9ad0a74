"""Rules on data, baselines and training, each once kept and once broken."""

import astropy.units as u
import numpy as np
import pytest

from skywright.data import Images
from skywright.data.hull import fit_hull, outside_hull
from skywright.trust.rules.baselines import cost_beside_accuracy, gain_over_best_baseline
from skywright.trust.rules.data import (
    balance_and_shift,
    data_card_complete,
    domain_covered,
    simulation_like_real,
)
from skywright.trust.rules.leaks import (
    answer_among_features,
    copies_across_splits,
    fitted_on_training_alone,
    groups_across_splits,
    strongest_feature,
    turned_copies_across_splits,
)
from skywright.trust.rules.training import (
    components_ablated,
    gradients_alive,
    learning_curve,
    searches_recorded,
    settings_matter,
)

ROLES = np.array([["train"] * 60 + ["validation"] * 20 + ["test"] * 40])


def metric(value, half=0.01):
    return {"value": value, "low": value - half, "high": value + half}


def pictures(flux):
    return Images(
        flux=flux.astype(np.float32),
        bands=("g",),
        unit=u.nJy,
        scale=0.2 * u.arcsec,
        object_id=np.arange(len(flux)),
    )


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_turned_images_of_the_training_set_are_found_among_the_tested(turns):
    flux = np.random.default_rng(0).normal(size=(120, 1, 6, 6))
    assert turned_copies_across_splits(pictures(flux), ROLES).passed
    flux[100] = np.rot90(flux[3], turns, axes=(-2, -1))
    flux[101] = flux[70][..., ::-1]
    found = turned_copies_across_splits(pictures(flux), ROLES)
    assert not found.passed
    assert found.number["value"] == 2


def test_a_group_on_both_sides_is_found():
    groups = np.arange(120)
    assert groups_across_splits(ROLES, groups).passed
    groups[110] = 5
    assert not groups_across_splits(ROLES, groups).passed


def test_means_of_a_scaler_tell_the_rows_that_it_saw():
    split = {"train_sha256": "a", "mean": [1.0, 2.0]}
    fits = {"model": {"scaling": {"rows_sha256": "a", "mean": [1.0, 2.0]}}}
    assert fitted_on_training_alone(fits, [split]).passed
    fits["model"]["scaling"]["mean"] = [1.0, 2.1]
    assert not fitted_on_training_alone(fits, [split]).passed


def test_means_of_a_net_of_the_package_are_compared_by_the_names_of_its_features():
    split = {"train_sha256": "a", "mean": [1.0, 2.0], "features": ["flux", "colour"]}
    config = {
        "features": ["flux", "colour"],
        "scaling": {"rows_sha256": "a", "inputs": {"mean": [1.0, 2.1]}},
        "training": {"rows_sha256": "a"},
    }
    fits = {"model": config}
    assert not fitted_on_training_alone(fits, [split]).passed
    config["scaling"]["inputs"]["mean"] = [1.0, 2.0]
    assert fitted_on_training_alone(fits, [split]).passed
    config["scaling"]["inputs"]["mean"] = [1.0, 2.1]
    # of other features, or of a share of the rows, the means are not known
    assert fitted_on_training_alone({"model": config | {"features": ["x", "y"]}}, [split]).passed
    for block in ("scaling", "training"):
        config[block]["rows_sha256"] = "share"
    assert fitted_on_training_alone(fits, [split]).passed


def test_knowledge_from_shuffled_labels_is_a_leak():
    assert answer_among_features({"shuffled": {"labels": metric(0.5, 0.03)}}, 0.5).passed
    assert not answer_among_features({"shuffled": {"labels": metric(0.6, 0.03)}}, 0.5).passed


def test_one_model_of_shuffled_labels_is_off_chance_and_their_mean_is_not():
    scattered = {**metric(0.6, 0.03), "seeds": [0.6, 0.35, 0.55, 0.45, 0.52, 0.48]}
    assert answer_among_features({"shuffled": {"labels": scattered}}, 0.5).passed
    told = {**metric(0.6, 0.03), "seeds": [0.6, 0.62, 0.59]}
    assert not answer_among_features({"shuffled": {"labels": told}}, 0.5).passed
    few = {**metric(0.6, 0.03), "seeds": [0.72, 0.88]}
    assert "too few shuffles" in answer_among_features({"shuffled": {"labels": few}}, 0.5).evidence


def test_the_strongest_feature_is_the_telltale_one():
    rng = np.random.default_rng(1)
    truth = rng.integers(2, size=300)
    features = np.stack([rng.normal(size=300), truth - 0.5 + 0.01 * rng.normal(size=300)], axis=1)
    found = strongest_feature(features, ["noise", "answer"], truth, "classification")
    assert found["name"] == "answer"
    assert found["value"] == 1


def test_a_data_card_names_what_is_missing():
    card = {
        "data": {"source": "SDSS", "release": "1", "selection": "all", "licence": "CC0-1.0",
                 "date": "2026-11"}
    }  # fmt: skip
    items = {"units": {"flux": "nJy"}, "missing": {}, "rows": 3, "sha256": "0" * 64}
    assert data_card_complete(card, items).passed
    for key, said in (("date", "2026-13"), ("date", "soon"), ("licence", "CC0"), ("source", "?")):
        assert not data_card_complete({"data": card["data"] | {key: said}}, items).passed
    for date in ("that of the run", "1995-12, or that of the survey", 2017):
        assert data_card_complete({"data": card["data"] | {"date": date}}, items).passed
    del card["data"]["licence"]
    found = data_card_complete(card, items)
    assert not found.passed
    assert "licence" in found.evidence


def test_a_shift_between_training_and_test_rows_is_seen():
    rng = np.random.default_rng(2)
    features = rng.normal(size=(120, 2))
    labels = rng.integers(2, size=120)
    judged = (rng.normal(size=40), labels[80:], np.arange(80, 120))
    about = (ROLES, np.arange(120), labels, "classification", rng, *judged)
    assert balance_and_shift(features, *about).passed
    moved = features + 2 * (ROLES[0] == "test")[:, None]
    assert not balance_and_shift(moved, *about).passed


def test_a_shift_in_a_later_fold_is_seen():
    rng = np.random.default_rng(2)
    roles = np.array([np.roll(ROLES[0], 40 * fold) for fold in range(3)])
    features = rng.normal(size=(120, 2)) + 2 * (roles[1] == "test")[:, None]
    about = (roles, np.arange(120), np.arange(120.0), "regression", rng)
    found = balance_and_shift(features, *about, *(np.arange(120.0),) * 3)
    assert not found.passed
    assert "worst of 3 folds" in found.evidence


def test_labels_that_look_wrong_are_counted():
    rng = np.random.default_rng(4)
    clean = rng.integers(2, size=2000)
    wrong = rng.random(2000) < 0.1
    labels, logits = np.where(wrong, 1 - clean, clean), np.log(9) * (2 * clean - 1)
    roles = np.array([["train", "test"] * 1000])
    tested = roles[0] == "test"
    found = balance_and_shift(
        rng.normal(size=(2000, 1)), roles, np.arange(2000), labels, "classification", rng,
        logits[tested], labels[tested], np.flatnonzero(tested),
    ).detail["label_noise"]  # fmt: skip
    assert found["low"] < wrong[tested].mean() < found["high"]


def test_simulated_items_are_told_from_real_ones():
    rng = np.random.default_rng(3)
    real = rng.normal(size=(120, 2))
    assert simulation_like_real(rng.normal(size=(120, 2)), real, rng).passed
    assert not simulation_like_real(rng.normal(size=(120, 2)) + 2, real, rng).passed


def test_a_deployment_outside_the_training_is_seen():
    rng = np.random.default_rng(4)
    features = rng.normal(size=(120, 2))
    assert domain_covered(features, ROLES, 0.5 * rng.normal(size=(100, 2))).passed
    assert not domain_covered(features, ROLES, rng.normal(size=(100, 2)) + 4).passed


@pytest.mark.parametrize(("n", "features"), [(300, 5), (300, 200), (2000, 50)])
def test_a_hull_holds_new_rows_of_the_same_kind_and_no_others(n, features):
    x = np.random.default_rng(5).normal(size=(2 * n, features))
    hull = fit_hull(x[:n], [str(i) for i in range(features)])
    assert outside_hull(hull, x[n:]).mean() < 0.05
    assert outside_hull(hull, x[n:] + 8 * np.eye(features)[0]).all()


@pytest.mark.parametrize(("gain", "severity"), [(0.1, None), (0.005, "WARN"), (-0.1, "ERROR")])
def test_a_gain_has_to_beat_the_best_baseline(gain, severity):
    found = gain_over_best_baseline({**metric(gain), "over": "simple"})
    assert found.passed == (severity is None)
    if severity == "WARN":
        assert found.severity == "WARN"
        assert "no evidence of gain" in found.evidence


def test_a_model_without_its_cost_is_found():
    headline = {**metric(0.9), "metric": "auroc"}
    costs = {"net": {"seconds": 3.0, "numbers": 10}}
    assert cost_beside_accuracy(costs, headline).passed
    assert not cost_beside_accuracy({"net": {"seconds": None}}, headline).passed


def test_a_search_whose_trials_are_lost_is_found():
    fits = {"model": {"training": {"trials": 2}}}
    history = {"penalty": ["1", "2"], "validation_loss": ["0.3", "0.2"]}
    assert searches_recorded(fits, {"model": history}).passed
    assert not searches_recorded(fits, {"model": {k: v[:1] for k, v in history.items()}}).passed
    assert not searches_recorded(fits, {"model": {"penalty": ["1", "2"]}}).passed


def test_a_switch_that_changes_nothing_is_dead():
    headline = metric(0.9)
    assert components_ablated({"without": {"squares": metric(0.8)}}, headline).passed
    assert not components_ablated({"without": {"squares": metric(0.9)}}, headline).passed
    assert settings_matter({"other": {"rate": metric(0.89)}}, headline).passed
    assert not settings_matter({"other": {"rate": metric(0.9)}}, headline).passed


def test_a_learning_curve_that_still_rises_is_seen():
    assert learning_curve({"data": {"0.5": metric(0.9)}}, metric(0.905)).passed
    assert not learning_curve({"data": {"0.5": metric(0.8)}}, metric(0.9)).passed
    assert "dead" in learning_curve({"data": {"0.5": metric(0.9)}}, metric(0.9)).evidence


def test_a_rise_on_the_same_resamples_is_a_paired_one():
    rng = np.random.default_rng(0)
    hard = 0.05 * rng.normal(size=201)  # of the rows, for both runs alike
    runs = [
        metric(value, 0.1) | {"draws": {"values": (value + hard).tolist(), "sha256": "a"}}
        for value in (0.92, 0.9)
    ]
    assert not learning_curve({"data": {"0.5": runs[1]}}, runs[0]).passed
    runs[1]["draws"]["sha256"] = "b"  # of other rows
    assert learning_curve({"data": {"0.5": runs[1]}}, runs[0]).passed


def test_a_net_that_notes_no_gradients_is_found():
    kept = {"step": [0.0, 5.0], "loss": [1.0, 0.5], "fresh": [1.0, 0.5], "accumulated": [1.0, 0.5]}
    assert gradients_alive({"net": {"net": "ResNet", "training": {"gradients": kept}}}).passed
    assert gradients_alive({"booster": {"training": {}}}).passed
    assert not gradients_alive({"net": {"net": "ResNet", "training": {}}}).passed


def test_a_gradient_that_is_no_number_is_found():
    kept = {"fit": [1.0, np.nan], "penalty": [0.5, 0.5]}
    found = gradients_alive({"net": {"net": "ResNet", "training": {"gradients": kept}}})
    assert not found.passed
    assert "fit is no number half-way" in found.evidence


def test_neighbours_on_one_column_are_no_copies():
    found = 0
    for seed in range(10):
        table = np.random.default_rng(seed).normal(size=(3000, 1))
        roles = np.array([["train"] * 2000 + ["test"] * 1000])
        found += not copies_across_splits(table, roles).passed
        table[2500] = table[7]
        assert copies_across_splits(table, roles).number["value"] >= 1
    assert found == 0


def test_a_measurement_that_only_the_chosen_have_tells_the_answer():
    rng = np.random.default_rng(3)
    truth = rng.integers(2, size=400)
    followed = np.where(truth == 1, rng.normal(size=400), np.nan)
    found = strongest_feature(
        np.stack([rng.normal(size=400), followed], axis=1), ["colour", "lines"], truth,
        "classification",
    )  # fmt: skip
    assert found["name"] == "whether there is a lines"
    assert found["value"] == 1.0


def test_a_gain_that_is_no_number_is_no_gain():
    gain = {"value": np.nan, "low": np.nan, "high": np.nan, "over": "simple"}
    assert not gain_over_best_baseline(gain).passed
