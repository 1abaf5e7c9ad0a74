"""Random search of boosted trees, and the bytes it leaves behind."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import skops.io
from astropy import units as u
from astropy.table import QTable
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from skywright.find import predict_table
from skywright.learn import tune_classifier
from skywright.learn.domain import table_hull
from skywright.learn.estimators import dump_estimator, load_estimator


def _sample(n=500):
    rng = np.random.default_rng(0)
    values = rng.normal(size=(n, 4))
    labels = (values[:, 0] * values[:, 1] + 0.3 * rng.normal(size=n) > 0).astype(int)
    values[rng.uniform(size=n) < 0.05, 2] = np.nan
    table = QTable({"object_id": np.arange(n) + 7, **{f"f{i}": values[:, i] for i in range(4)}})
    table["f3"] = table["f3"] * u.nJy
    roles = np.array(["train"] * 300 + ["validation"] * 100 + ["test"] * 100)
    return table, labels, roles


@pytest.fixture(scope="module")
def tuned():
    told = []
    model = tune_classifier(
        *_sample(), trials=6, rng=np.random.default_rng(1), progress=told.append
    )
    return model, told


def test_finds_a_product_of_features(tuned):
    model, told = tuned
    table, labels, roles = _sample()
    scores = predict_table(model, table, roles=roles)
    assert scores.object_id.tolist() == list(range(407, 507))
    assert roc_auc_score(labels[400:], scores.mean) > 0.85
    assert told == pytest.approx([i / 6 for i in range(1, 7)])


def test_every_trial_is_kept_and_the_best_is_used(tuned):
    history, config = tuned[0].history, tuned[0].config
    assert {len(column) for column in history.values()} == {6}
    best = int(np.argmin(history["validation_loss"]))
    assert config["options"]["learning_rate"] == history["learning_rate"][best]
    assert config["options"]["max_iter"] == history["max_iter"][best]
    assert config["features"] == ["f0", "f1", "f2", "f3"]


def test_strangers_among_the_rows_are_flagged(tuned):
    table, _, roles = _sample()
    assert predict_table(tuned[0], table, roles=roles).in_domain.mean() > 0.9
    table["f1"][400:403] = 30.0
    flags = predict_table(tuned[0], table, roles=roles).in_domain
    assert not flags[:3].any()
    assert flags[3:].mean() > 0.9


def test_a_hull_is_drawn_in_features_that_are_known_and_not_too_many():
    matrix = np.random.default_rng(0).normal(size=(50, 100))
    matrix[:, 1] = np.nan
    assert table_hull(matrix[:, :3], ["a", "b", "c"])["hull"]["features"] == ["a", "c"]
    assert table_hull(matrix, [str(i) for i in range(100)]) == {}


def test_test_labels_change_nothing(tuned):
    table, labels, roles = _sample()
    changed = np.where(roles == "test", 1 - labels, labels)
    again = tune_classifier(table, changed, roles, trials=6, rng=np.random.default_rng(1))
    assert again == tuned[0]


def test_shuffled_labels_give_chance():
    table, labels, roles = _sample()
    labels = np.random.default_rng(3).permutation(labels)
    model = tune_classifier(table, labels, roles, trials=4)
    scores = predict_table(model, table, roles=roles)
    assert 0.3 < roc_auc_score(labels[400:], scores.mean) < 0.7


def test_bytes_are_the_same_in_another_process():
    code = (
        "import numpy as np, hashlib\n"
        "from sklearn.ensemble import HistGradientBoostingClassifier as H\n"
        "from skywright.learn.estimators import dump_estimator\n"
        "junk = [object() for _ in range({junk})]\n"
        "x = np.random.default_rng(0).normal(size=(99, 3))\n"
        "model = H(max_iter=4, random_state=0).fit(x, x[:, 0] > 0)\n"
        "print(hashlib.sha256(dump_estimator(model)).hexdigest())\n"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", code.replace("{junk}", str(junk))],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for junk in (1, 100_000)
    ]
    assert runs[0] == runs[1]


def test_the_copy_decides_alike(tuned):
    estimator = load_estimator(tuned[0].estimator)
    x = np.random.default_rng(4).normal(size=(50, 4))
    again = load_estimator(dump_estimator(estimator))
    np.testing.assert_array_equal(again.decision_function(x), estimator.decision_function(x))


class Evil:
    """A type that no list of trusted types has."""


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (skops.io.dumps(Evil()), "not trusted"),
        (skops.io.dumps({"f": np.frompyfunc}), "not trusted"),
        (skops.io.dumps(LogisticRegression()), "is a LogisticRegression"),
        (b"cos\nsystem\n(S'true'\ntR.", "no skops file"),
    ],
)
def test_untrusted_bytes_are_refused(tuned, content, message):
    with pytest.raises(ValueError, match=message):
        predict_table(replace(tuned[0], estimator=content), _sample()[0])


def test_missing_features_and_models_are_named(tuned):
    table, labels, roles = _sample()
    del table["f1"]
    with pytest.raises(ValueError, match=r"lacks the features \['f1'\]"):
        predict_table(tuned[0], table)
    with pytest.raises(ValueError, match="find.predict applies nets"):
        predict_table(replace(tuned[0], estimator=b""), table)
    with pytest.raises(ValueError, match="one class only"):
        tune_classifier(table, np.zeros(500, dtype=int), roles, trials=1)


@pytest.mark.parametrize(
    ("field", "value"), [("left", 0), ("right", 10**8), ("feature_idx", 10**6)]
)
def test_trees_that_lead_astray_are_refused(tuned, field, value):
    estimator = load_estimator(tuned[0].estimator)
    nodes = estimator._predictors[0][0].nodes
    nodes[field][0] = value
    with pytest.raises(ValueError, match="lead astray"):
        load_estimator(dump_estimator(estimator))
