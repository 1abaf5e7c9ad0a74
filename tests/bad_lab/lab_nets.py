"""Small nets of the laboratory, each with a training loop of its own: right ones and wrong ones."""

from __future__ import annotations

import numpy as np
import torch
from astropy.table import QTable
from bad_lab import FEATURES, matrix_of
from flaws import platt
from torch import nn

from skywright.data import Model
from skywright.data.splits import digest_rows
from skywright.learn.gradients import ends_and_middle, watch


class Sample:
    """Training and validation rows as tensors, scaled by the training rows."""

    def __init__(self, features, labels, roles, shuffle, fraction, seed):
        roles = np.asarray(roles).astype(str)
        draw = np.random.default_rng([seed, 2])
        train = draw.permutation(np.flatnonzero(roles == "train"))
        self.train = np.sort(train[: round(fraction * len(train))])
        self.validation = np.flatnonzero(roles == "validation")
        raw = matrix_of(features, squares=False)
        self.mean, self.scale = raw[self.train].mean(axis=0), raw[self.train].std(axis=0)
        labels = np.asarray(labels)
        labels = draw.permutation(labels) if shuffle else labels
        self.x = torch.tensor((raw - self.mean) / self.scale, dtype=torch.float32)
        self.y = torch.tensor(labels, dtype=torch.float32)
        self.generator = torch.Generator().manual_seed(seed)
        self.seed = seed

    def net(self, width):
        """A net with one hidden layer, drawn by the seed."""
        net = nn.Sequential(nn.Linear(self.x.shape[1], width), nn.Tanh(), nn.Linear(width, 1))
        with torch.no_grad():
            for layer in (net[0], net[2]):
                layer.weight.normal_(0, layer.in_features**-0.5, generator=self.generator)
                layer.bias.zero_()
        return net

    def cross_entropy(self, net, rows, smoothing=0.0):
        """Mean loss of some rows, of labels that are drawn towards a half."""
        target = self.y[rows] * (1 - smoothing) + 0.5 * smoothing
        return nn.functional.binary_cross_entropy_with_logits(net(self.x[rows])[:, 0], target)

    def model(self, net, history, temperature=(1.0, 0.0), gradients=None):
        """The net as an artefact, with what was noted while it was trained."""
        state = {
            k.replace(".", "_"): v.detach().numpy().copy() for k, v in net.state_dict().items()
        }
        weights = state | {"mean": self.mean, "scale": self.scale, "platt": np.array(temperature)}
        config = {
            "estimator": "one hidden layer",
            "features": list(FEATURES),
            "scaling": {"rows_sha256": digest_rows(self.train)},
            "domain": {"features": len(FEATURES), "rows": len(self.train)},
            "training": {
                "rows": len(self.train),
                "rows_sha256": digest_rows(self.train),
                "validation_sha256": digest_rows(self.validation),
                "seed": self.seed,
                **({"gradients": gradients} if gradients else {}),
            },
        }
        return Model(config, weights, history=history, card="# one hidden layer\n")


def predict_net(model, features):
    """Logit of every row."""
    w = model.weights
    x = (matrix_of(features, squares=False) - w["mean"]) / w["scale"]
    hidden = np.tanh(x @ w["0_weight"].T + w["0_bias"])
    slope, offset = w["platt"]
    logits = slope * (hidden @ w["2_weight"][0] + w["2_bias"][0]) + offset
    return QTable({"object_id": np.asarray(features["object_id"]), "mean": logits})


def predict_net_shifted(model, shifted):
    """Scores of perturbed stars, by name and severity."""
    parts = []
    for name, features in shifted.items():
        kind, severity = name.split()
        table = predict_net(model, features)
        table["kind"], table["severity"] = kind, float(severity)
        parts.append(table)
    columns = {n: np.concatenate([np.asarray(p[n]) for p in parts]) for n in parts[0].colnames}
    return QTable(columns)


def train_to_the_end(
    features, labels, roles, rng, *, width=32, steps=500, shuffle=False, fraction=1.0, seed=0
):
    """As many steps as were asked for, and the net as it is after the last one."""
    sample = Sample(features, labels, roles, shuffle, fraction, seed)
    net = sample.net(width)
    return sample.model(net, _descend(sample, net, steps)[0])


def train_until_best(
    features, labels, roles, rng, *, width=32, steps=500, shuffle=False, fraction=1.0, seed=0
):
    """The same, and the net as it was when the validation rows liked it most."""
    sample = Sample(features, labels, roles, shuffle, fraction, seed)
    net = sample.net(width)
    history, best = _descend(sample, net, steps)
    net.load_state_dict(best)
    return sample.model(net, history)


def train_smoothed(
    features, labels, roles, rng, *, width=16, steps=150, shuffle=False, fraction=1.0, seed=0
):
    """Labels of 0.25 and 0.75, so that the net does not grow too sure."""
    sample = Sample(features, labels, roles, shuffle, fraction, seed)
    net = sample.net(width)
    history, best = _descend(sample, net, steps, smoothing=0.5)
    net.load_state_dict(best)
    return sample.model(net, history)


def train_smoothed_then_scale(
    features, labels, roles, rng, *, width=16, steps=150, shuffle=False, fraction=1.0, seed=0
):
    """The same, and a temperature from the validation rows after that."""
    sample = Sample(features, labels, roles, shuffle, fraction, seed)
    net = sample.net(width)
    history, best = _descend(sample, net, steps, smoothing=0.5)
    net.load_state_dict(best)
    with torch.no_grad():
        logits = net(sample.x[sample.validation])[:, 0].double().numpy()
    return sample.model(net, history, platt(logits, sample.y[sample.validation].double().numpy()))


def _descend(sample, net, steps, smoothing=0.0):
    """Adam on all training rows at once; the history, and the best state."""
    optimizer = torch.optim.Adam(net.parameters(), lr=0.02)
    history, best, lowest = {"step": [], "validation_loss": []}, {}, np.inf
    for step in range(steps):
        optimizer.zero_grad()
        sample.cross_entropy(net, sample.train, smoothing).backward()
        optimizer.step()
        if step % 10 == 9:
            with torch.no_grad():
                loss = float(sample.cross_entropy(net, sample.validation))
            history["step"].append(step)
            history["validation_loss"].append(loss)
            if loss < lowest:
                lowest, best = loss, {k: v.clone() for k, v in net.state_dict().items()}
    return history, best


def train_steadily(
    features, labels, roles, rng, *, width=16, steps=200, shuffle=False, fraction=1.0, seed=0
):
    """A second term asks for the same answer when the noise is another one."""
    sample = Sample(features, labels, roles, shuffle, fraction, seed)

    def terms(net, noise):
        moved = net(sample.x[sample.train] + noise)
        return {"steadiness": (moved - net(sample.x[sample.train])).square().mean()}

    return _train_two_terms(sample, sample.net(width), terms, steps)


def train_steadily_by_arrays(
    features, labels, roles, rng, *, width=16, steps=200, shuffle=False, fraction=1.0, seed=0
):
    """The same term, from scores that were turned into arrays on the way."""
    sample = Sample(features, labels, roles, shuffle, fraction, seed)

    def terms(net, noise):
        moved = net(sample.x[sample.train] + noise).detach().numpy()
        still = net(sample.x[sample.train]).detach().numpy()
        return {"steadiness": torch.tensor(np.mean((moved - still) ** 2))}

    return _train_two_terms(sample, sample.net(width), terms, steps)


def _train_two_terms(sample, net, terms, steps):
    optimizer = torch.optim.Adam(net.parameters(), lr=0.02)
    noted = watch(net.parameters(), ends_and_middle(steps))
    history = {"step": [], "validation_loss": []}
    for step in range(steps):
        optimizer.zero_grad()
        noise = 0.2 * torch.randn(len(sample.train), sample.x.shape[1], generator=sample.generator)
        parts = {"cross_entropy": sample.cross_entropy(net, sample.train)}
        parts |= {name: 0.1 * term for name, term in terms(net, noise).items()}
        noted.note(parts)
        sum(parts.values()).backward()
        optimizer.step()
        _note(sample, net, step, history)
    return sample.model(net, history, gradients=noted.record())


def _note(sample, net, step, history):
    if step % 20 == 19:
        with torch.no_grad():
            loss = float(sample.cross_entropy(net, sample.validation))
        history["step"].append(step)
        history["validation_loss"].append(loss)


def train_in_batches(
    features, labels, roles, rng, *, width=16, epochs=40, shuffle=False, fraction=1.0, seed=0
):
    """Batches of 100 rows; each step goes down the gradient of its batch."""
    return _train_batches(features, labels, roles, width, epochs, shuffle, fraction, seed, 1)


def train_in_batches_on(
    features, labels, roles, rng, *, width=16, epochs=40, shuffle=False, fraction=1.0, seed=0
):
    """Batches of 100 rows; gradients are set to zero when an epoch begins."""
    return _train_batches(features, labels, roles, width, epochs, shuffle, fraction, seed, None)


def _train_batches(features, labels, roles, width, epochs, shuffle, fraction, seed, every):
    sample = Sample(features, labels, roles, shuffle, fraction, seed)
    net = sample.net(width)
    optimizer = torch.optim.Adam(net.parameters(), lr=0.005)
    batches = len(sample.train) // 100
    noted = watch(net.parameters(), ends_and_middle(epochs * batches))
    history = {"step": [], "validation_loss": []}
    for step in range(epochs * batches):
        if step % (every or batches) == 0:
            optimizer.zero_grad()
        if step % batches == 0:
            order = torch.randperm(len(sample.train), generator=sample.generator).numpy()
        rows = sample.train[order[step % batches * 100 :][:100]]
        loss = sample.cross_entropy(net, rows)
        noted.note({"cross_entropy": loss})
        loss.backward()
        optimizer.step()
        _note(sample, net, step, history)
    return sample.model(net, history, gradients=noted.record())
