"""Regression nets: ensembles in one pass, posteriors, what is recorded, what is refused."""

import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
import torch
from astropy.table import QTable

from skywright.data import artefacts
from skywright.data.splits import digest_rows
from skywright.find import predict_quantiles, predict_regression
from skywright.learn import fit_quantiles, fit_regression, laplace, list_warnings
from skywright.learn.drawn_nets import load_members
from skywright.learn.likelihoods import LIKELIHOODS
from skywright.learn.members import Members, member_state
from skywright.nets import MLP, ConcreteDropoutMLP, FlipoutMLP, ResNet

SMALL = {"options": {"width": 16, "layers": 2}, "epochs": 3, "batch": 64, "seed": 3}


@pytest.fixture(scope="module")
def rows():
    """y = a x0 with noise 0.1 or 0.5, as x1 says; 600 train, 200 validate, 400 test."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1200, 3))
    noise = np.where(x[:, 1] > 0, 0.5, 0.1)
    y = 20 + 3 * x[:, 0] + noise * rng.normal(size=1200)
    roles = np.array(["train"] * 600 + ["validation"] * 200 + ["test"] * 400)
    columns = {f"x{i}": 5 + 2 * x[:, i] for i in range(3)}
    return QTable({"object_id": np.arange(1200), **columns}), y, roles, noise


def _fit(rows, net=MLP, **changes):
    data, values, roles, _ = rows
    return fit_regression(net, data=data, values=values, roles=roles, **(SMALL | changes))


@pytest.fixture(scope="module")
def ensemble(rows):
    return _fit(rows, members=3, epochs=30)


def test_noise_is_read_off_the_input(rows, ensemble):
    data, values, roles, noise = rows
    said = predict_regression(ensemble, data, roles=roles)
    test = roles == "test"
    assert np.sqrt(np.mean((said.mean - values[test]) ** 2)) < 0.5
    loud = noise[test] == 0.5
    assert np.median(said.aleatoric[loud]) > 1.5 * np.median(said.aleatoric[~loud])
    assert (said.epistemic > 0).all()


def test_strangers_are_flagged_by_nets_and_by_quantiles(rows, ensemble):
    data, values, roles, _ = rows
    trees = fit_quantiles(data[::6], values[::6], roles[::6], trials=1)
    strange = data.copy()
    strange["x2"][:7] = 100.0
    for predict, model in ((predict_regression, ensemble), (predict_quantiles, trees)):
        flags = predict(model, strange).in_domain
        assert not flags[:7].any()
        assert flags[7:].mean() > 0.9


def test_an_ensemble_in_one_pass_is_its_members_one_by_one(rows):
    data, values, roles, _ = rows
    torch.manual_seed(0)
    nets = [MLP(3, width=8, layers=2) for _ in range(3)]
    together = Members(nets)
    x, y = torch.randn(200, 3), torch.randn(200)
    terms = LIKELIHOODS["normal"].terms
    optimizers = [torch.optim.AdamW(n.parameters(), lr=0.01) for n in (*nets, together)]
    for step in range(20):
        part = slice(10 * step, 10 * step + 10)
        for optimizer in optimizers:
            optimizer.zero_grad()
        for net in nets:
            terms(net(x[part]), y[part])["nll"].backward()
        terms(together(x[part])[0], y[part])["nll"].sum().backward()
        for optimizer in optimizers:
            optimizer.step()
    for i, net in enumerate(nets):
        for name, value in member_state(together.state_dict(), i).items():
            torch.testing.assert_close(value, net.state_dict()[name], atol=1e-5, rtol=1e-4)


def test_one_member_is_the_member_exactly(rows, ensemble):
    data, _, roles, _ = rows
    alone = ensemble.config | {"net": ensemble.config["net"] | {"members": 1}}
    one = type(ensemble)(alone, {k: v[1:2] for k, v in ensemble.weights.items()})
    said = predict_regression(one, data, roles=roles)
    inputs = torch.from_numpy(
        np.stack(
            [
                (np.asarray(data[f"x{i}"]) - ensemble.config["scaling"]["inputs"]["mean"][i])
                / ensemble.config["scaling"]["inputs"]["sd"][i]
                for i in range(3)
            ],
            axis=1,
        )[roles == "test"]
    ).float()
    padded = torch.zeros(1024, 3)
    padded[:400] = inputs
    with torch.inference_mode():
        mean, variance, _ = LIKELIHOODS["normal"].moments(load_members(ensemble)[1](padded))
    target = ensemble.config["scaling"]["target"]
    assert np.array_equal(said.mean, target["mean"] + target["sd"] * mean[:400].double().numpy())
    sd = np.sqrt(variance[:400].double().numpy())
    assert np.array_equal(said.aleatoric, target["sd"] * sd)
    assert (said.epistemic == 0).all()


@pytest.mark.parametrize("net", [MLP, ConcreteDropoutMLP, FlipoutMLP])
def test_blocks_joined_equal_the_whole(rows, net):
    data = rows[0]
    model = _fit(rows, net, epochs=1, members=2)
    whole = predict_regression(model, data, draws=4, batch=100)
    for name in ("mean", "aleatoric", "epistemic"):
        joined = np.concatenate(
            [
                getattr(predict_regression(model, data[a:b], draws=4, batch=100), name)
                for a, b in ((0, 130), (130, 1200))
            ]
        )
        assert np.array_equal(joined, getattr(whole, name)), name


def test_what_the_rule_book_reads(rows, ensemble):
    gradients = ensemble.config["training"]["gradients"]
    steps = 30 * -(-600 // 64)
    assert gradients["step"] == [0, steps // 2, steps - 1]
    assert all(v > 0 for v in gradients["nll"])
    assert gradients["fresh"] == pytest.approx(gradients["accumulated"], rel=1e-5)
    assert ensemble.config["scaling"]["rows_sha256"] == digest_rows(np.arange(600))
    train = np.asarray(rows[0]["x1"])[:600]
    assert ensemble.config["scaling"]["inputs"]["mean"][1] == pytest.approx(train.mean())
    assert json.dumps(ensemble.config)
    kl = _fit(rows, FlipoutMLP, epochs=1).config["training"]["gradients"]["kl"]
    assert len(kl) == 3
    assert min(kl) > 0


def test_saved_and_read_it_says_the_same(rows, ensemble, tmp_path):
    artefacts.save(ensemble, tmp_path)
    again = artefacts.load(tmp_path)
    first, second = (predict_regression(m, rows[0]) for m in (ensemble, again))
    assert np.array_equal(first.mean, second.mean)
    assert np.array_equal(first.epistemic, second.epistemic)
    assert "Regressor" in ensemble.card


def test_same_seed_same_bits_and_test_rows_are_never_read(rows):
    data, values, roles, _ = rows
    first = _fit(rows, FlipoutMLP)
    changed = data.copy()
    changed["x0"][roles == "test"] = np.nan
    second = _fit((changed, np.where(roles == "test", np.nan, values), roles, None), FlipoutMLP)
    for name, value in first.weights.items():
        assert np.array_equal(value, second.weights[name]), name
    assert first.history == second.history
    assert first.config == second.config
    assert any(not np.array_equal(v, _fit(rows, FlipoutMLP, seed=4).weights[k])
               for k, v in first.weights.items())  # fmt: skip


KILLED = """
import os, signal, sys
from pathlib import Path
import numpy as np
from astropy.table import QTable
from skywright.learn import fit_regression
from skywright.nets import ConcreteDropoutMLP

def kill(done):
    if done > 0.45:
        os.kill(os.getpid(), signal.SIGKILL)

data = np.load(sys.argv[1])
table = QTable({n: data[n] for n in ("object_id", "x0", "x1", "x2")})
fit_regression(ConcreteDropoutMLP, data=table, values=data["values"], roles=data["roles"],
               options={"width": 16, "layers": 2}, epochs=4, batch=64, seed=3, members=2,
               scratch=Path(sys.argv[2]), progress=kill)
"""


def test_killed_after_epoch_two_ends_with_the_same_bits(rows, tmp_path):
    data, values, roles, _ = rows
    columns = {name: np.asarray(data[name]) for name in data.colnames}
    np.savez(tmp_path / "data.npz", values=values, roles=roles, **columns)
    command = [sys.executable, "-c", KILLED, tmp_path / "data.npz", tmp_path]
    done = subprocess.run(command, env=os.environ | {"OMP_NUM_THREADS": "1"}, check=False)
    assert done.returncode == -signal.SIGKILL
    told = []
    resumed = _fit(rows, ConcreteDropoutMLP, epochs=4, members=2, scratch=tmp_path,
                   progress=told.append)  # fmt: skip
    assert told == pytest.approx([3 / 4, 1])
    whole = _fit(rows, ConcreteDropoutMLP, epochs=4, members=2)
    for name, value in whole.weights.items():
        assert np.array_equal(value, resumed.weights[name]), name
    assert whole.config == resumed.config
    assert whole.history == resumed.history


def test_a_collapsed_dropout_is_said(rows):
    healthy = _fit(rows, ConcreteDropoutMLP, epochs=1)
    assert list_warnings(healthy)["warnings"].tolist() == [""]
    options = {"width": 16, "layers": 2, "rate": 1e-5}
    model = _fit(rows, ConcreteDropoutMLP, epochs=1, options=options)
    assert np.max(model.config["training"]["dropout"]) < 1e-3
    assert "Dropout collapsed" in list_warnings(model)["warnings"][0]
    assert "Dropout collapsed" in model.card
    said = predict_regression(model, rows[0], draws=5)
    assert np.median(said.epistemic) < 0.01 * np.median(said.aleatoric)


def test_evidential_moments_are_those_of_its_distribution(rows):
    outputs = torch.tensor([[0.3, 1.0, 2.0, 0.5]], dtype=torch.float64)
    mean, aleatoric, epistemic = LIKELIHOODS["evidential"].moments(outputs)
    nu, alpha, beta = np.log1p(np.exp([1.0, 2.0, 0.5])) + [1e-3, 1 + 1e-3, 1e-6]
    rng = np.random.default_rng(0)
    variance = beta / rng.gamma(alpha, size=2_000_000)
    assert float(aleatoric) == pytest.approx(variance.mean(), rel=0.02)
    drawn = 0.3 + np.sqrt(variance / nu) * rng.normal(size=len(variance))
    assert float(epistemic) == pytest.approx(drawn.var(), rel=0.03)
    from scipy.stats import t

    scale = np.sqrt(beta * (1 + nu) / (nu * alpha))
    nll = LIKELIHOODS["evidential"].terms(outputs, torch.tensor([1.1], dtype=torch.float64))["nll"]
    assert float(nll) == pytest.approx(-t(2 * alpha, 0.3, scale).logpdf(1.1), rel=1e-9)
    said = predict_regression(_fit(rows, likelihood="evidential"), rows[0])
    assert (said.epistemic > 0).all()
    assert float(mean) == 0.3


def test_laplace_of_a_linear_model_is_bayesian_regression():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(400, 2))
    y = 1 + x @ [2.0, -1.0] + 0.5 * rng.normal(size=400)
    data = QTable({"object_id": np.arange(400), "a": x[:, 0], "b": x[:, 1]})
    roles = np.array(["train"] * 300 + ["validation"] * 100)
    model = fit_regression(MLP, data=data, values=y, roles=roles, epochs=20, batch=50,
                           options={"width": 12, "layers": 1})  # fmt: skip
    widened = laplace(model, data=data, values=y, roles=roles)
    few = roles.copy()
    few[:270] = "unused"
    small = laplace(
        fit_regression(MLP, data=data, values=y, roles=few, epochs=60, batch=10,
                       options={"width": 12, "layers": 1}),
        data=data, values=y, roles=few,
    )  # fmt: skip
    first, second = (predict_regression(m, data, draws=200) for m in (widened, small))
    assert (first.epistemic > 0).all()
    assert np.median(second.epistemic) > 1.7 * np.median(first.epistemic)
    assert np.allclose(first.mean, predict_regression(model, data).mean, atol=0.1)
    with pytest.raises(ValueError, match="expected the same 300 rows"):
        laplace(model, data=data, values=y, roles=few)


def test_an_ensemble_of_convolutions_learns_radii(arcs):
    images, _, roles, radius = arcs
    model = fit_regression(ResNet, data=images, values=radius, roles=roles, members=2, epochs=8,
                           batch=32, options={"width": 8})  # fmt: skip
    said = predict_regression(model, images, roles=roles, batch=64)
    assert np.corrcoef(said.mean, radius[roles == "test"])[0, 1] > 0.5
    assert (said.epistemic > 0).all()
    with pytest.raises(ValueError, match="bands"):
        predict_regression(model, type(images)(
            flux=images.flux[:, :2], bands=("g", "r"), unit=images.unit, scale=images.scale,
            object_id=images.object_id))  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"likelihood": "poisson"}, "expected one of"),
        ({"members": 0}, "at least 1 member"),
        ({"values": np.zeros(1200)}, "nothing to learn"),
        ({"values": np.full(1200, np.nan)}, "values are NaN or infinite"),
        ({"values": np.zeros(3)}, "give one for each row"),
        ({"roles": np.full(1200, "train")}, "no row has the role 'validation'"),
    ],
)
def test_unusable_arguments_are_refused(rows, changes, message):
    data, values, roles, _ = rows
    given = {"data": data, "values": values, "roles": roles} | changes
    with pytest.raises(ValueError, match=message):
        fit_regression(MLP, **given)


def test_features_that_are_not_finite_are_refused(rows, ensemble):
    bad = rows[0].copy()
    bad["x2"][7] = np.nan
    with pytest.raises(ValueError, match=r"features \['x2'\] are NaN"):
        _fit((bad, *rows[1:]))
    with pytest.raises(ValueError, match="first: row 7"):
        predict_regression(ensemble, bad)


def test_a_model_of_another_kind_is_refused(rows, monkeypatch):
    monkeypatch.setattr("skywright.learn.quantiles.MOST_TREES", 3)
    data, values, roles, _ = rows
    trees = fit_quantiles(data, values, roles, trials=1)
    with pytest.raises(ValueError, match="no regression nets"):
        predict_regression(trees, data)
