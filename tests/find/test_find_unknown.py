"""The alarm at rows unlike the training, and the quantiles of boosted trees."""

import numpy as np
import pytest
from astropy.table import QTable
from sklearn.metrics import roc_auc_score

from skywright.data import artefacts
from skywright.find import find_unknown, predict_quantiles
from skywright.learn import fit_density, fit_quantiles


def _table(x):
    columns = {f"x{i}": x[:, i] for i in range(x.shape[1])}
    return QTable({"object_id": np.arange(len(x)), **columns})


def _draw(n, rng, low=0.0, high=1.0):
    x = rng.normal(size=(n, 4))
    return np.column_stack([rng.uniform(low, high, n), x[:, 0], x[:, 0] + 0.1 * x[:, 1], x[:, 2:]])


@pytest.fixture(scope="module")
def density():
    rng = np.random.default_rng(0)
    roles = np.array(["train"] * 2000 + ["validation"] * 1000 + ["test"] * 500)
    return fit_density(_table(_draw(3500, rng)), roles, components=2), rng


def test_rows_beyond_a_range_or_off_a_correlation_are_found(density):
    model, rng = density
    inside, beyond = _draw(1000, rng), _draw(1000, rng, 1.1, 1.5)
    turned = _draw(1000, rng)
    turned[:, 2] = -turned[:, 1]  # each feature keeps its range
    known = find_unknown(model, _table(inside))
    assert 0.003 < known["unknown"].mean() < 0.025
    for strange in (beyond, turned):
        found = find_unknown(model, _table(strange))
        both = np.concatenate([known["surprise"], found["surprise"]])
        assert roc_auc_score(np.repeat([0, 1], 1000), both) > 0.93
    assert find_unknown(model, _table(beyond))["unknown"].mean() > 0.95


def test_what_is_not_finite_is_unknown_and_a_density_survives_saving(density, tmp_path):
    model, rng = density
    rows = _draw(5, rng)
    rows[2, 0] = np.nan
    found = find_unknown(model, _table(rows))
    assert found["surprise"][2] == np.inf
    assert found["unknown"][2]
    artefacts.save(model, tmp_path)
    again = find_unknown(artefacts.load(tmp_path), _table(rows))
    assert np.array_equal(found["surprise"], again["surprise"])


def test_only_training_rows_shape_the_density():
    rng = np.random.default_rng(1)
    x = _draw(600, rng)
    roles = np.array(["train"] * 300 + ["validation"] * 200 + ["test"] * 100)
    changed = x.copy()
    changed[roles == "test"] = np.nan
    first, second = (fit_density(_table(v), roles, components=2) for v in (x, changed))
    assert all(np.array_equal(v, second.weights[k]) for k, v in first.weights.items())
    with pytest.raises(ValueError, match="expected at least 2 of each"):
        fit_density(_table(x), np.full(600, "train"))


def test_quantiles_follow_the_noise_and_survive_saving(tmp_path, monkeypatch):
    monkeypatch.setattr("skywright.learn.quantiles.MOST_TREES", 40)
    rng = np.random.default_rng(2)
    x = rng.uniform(-1, 1, (1600, 2))
    noise = np.where(x[:, 1] > 0, 1.0, 0.2)
    y = 3 * x[:, 0] + noise * rng.normal(size=1600)
    roles = np.array(["train"] * 800 + ["validation"] * 300 + ["test"] * 500)
    model = fit_quantiles(_table(x), y, roles, trials=2, rng=rng)
    assert len(model.history["validation_loss"]) == 2
    artefacts.save(model, tmp_path)
    said = predict_quantiles(artefacts.load(tmp_path), _table(x), roles=roles)
    test = roles == "test"
    assert (np.diff(said.samples, axis=1) >= 0).all()
    inside = (y[test] > said.samples[:, 6]) & (y[test] < said.samples[:, 57])
    assert np.mean(inside) == pytest.approx(0.8, abs=0.08)
    loud = noise[test] == 1
    assert np.median(said.aleatoric[loud]) > 1.5 * np.median(said.aleatoric[~loud])
    assert said.epistemic is None
    with pytest.raises(ValueError, match="no density"):
        find_unknown(model, _table(x))
