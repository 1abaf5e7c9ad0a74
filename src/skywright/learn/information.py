"""A lower bound on mutual information in many dimensions, by nets that are judged on other rows."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

__all__ = ["estimate_information"]

WIDTH, FEATURES = 64, 32
CHECKED = 0.2  # of the rows of a fold's training that choose the epoch
FEWEST = 200
IN_FOLD = 10  # rows at least
FAR = 10.0  # spreads from the mean; what is farther counts as this far: no net extrapolates
JUDGED = 1024  # rows at a time: all pairs of 30,000 rows would be 4 GB
RATE, DECAY = 2e-3, 1e-4
UNITS = {"nat": 1.0, "bit": 1 / math.log(2)}


def estimate_information(
    x: np.ndarray,
    y: np.ndarray,
    *,
    unit: str = "nat",
    folds: int = 3,
    epochs: int = 60,
    patience: int = 8,
    batch: int = 256,
    device: str = "cpu",
    seed: int = 0,
) -> dict[str, Any]:
    """Estimate a lower bound on the mutual information of two sets of columns by InfoNCE.

    A critic learns to tell the partner of ``x`` among the ``y`` of a batch. How well it does among
    rows that it was not trained on bounds the information from below (van den Oord et al. 2018,
    arXiv:1807.03748, equation 8; Poole et al. 2019, arXiv:1905.06922); the bound never exceeds
    the logarithm of the number of those rows. Each row is judged by the critic of the fold that
    left it out. For one column each, `skywright.trust.mutual_information` is better.

    Parameters
    ----------
    x, y : (n, dimension), (n, other)
        Row by row; (n,) counts as one column. Outliers shrink all else: take logarithms or ranks.
    unit : str
        ``nat`` or ``bit``.
    folds : int
        Critics, each trained on the rows of the other folds.
    epochs, patience : int
        Of training at most, and without gain on rows set aside before it stops.
    batch : int
        Rows among which the partner is sought in training.
    device : str
        Of torch.
    seed : int
        Of folds, critics and batches.

    Returns
    -------
    dict
        ``value`` and its ``error`` (of the mean over rows, for these critics), ``low`` and
        ``high`` one error from it, ``unit``, ``n``, ``most`` (the largest possible value).

    Raises
    ------
    ValueError
        Samples cannot be used.

    Examples
    --------
    >>> draw = np.random.default_rng(0)
    >>> x = draw.normal(size=(600, 2))
    >>> y = x + draw.normal(size=(600, 2))
    >>> found = estimate_information(x, y, epochs=10)  # the truth is log(2) = 0.69
    >>> bool(0.3 < found["value"] < 0.8)
    True
    """
    if unit not in UNITS:
        raise ValueError(f"unit is {unit!r}; expected one of {', '.join(UNITS)}")
    first, second = _check("x", x), _check("y", y)
    n = len(first)
    if len(second) != n:
        raise ValueError(f"x has {n} rows and y has {len(second)}: give pairs, row by row")
    if n < FEWEST:
        raise ValueError(f"there are {n} rows; expected at least {FEWEST} to train and to judge")
    if not 2 <= folds <= n // IN_FOLD:
        raise ValueError(
            f"folds is {folds}; expected 2 to {n // IN_FOLD}: one trains, and {IN_FOLD} rows judge"
        )
    if min(epochs, batch) < 1:
        raise ValueError(f"epochs is {epochs} and batch is {batch}; expected at least 1")
    rng = np.random.default_rng(seed)
    fold = rng.permutation(np.arange(n) % folds)
    gains = np.empty(n)
    for k in range(folds):
        pairs = [_scale(values, fold != k).to(device) for values in (first, second)]
        critic = _train(pairs, fold != k, epochs, patience, batch, int(rng.integers(2**31)))
        gains[fold == k] = _judge(critic, *(p[torch.from_numpy(fold == k)] for p in pairs))
    scale = UNITS[unit]
    value, error = scale * float(gains.mean()), scale * float(gains.std(ddof=1)) / math.sqrt(n)
    return {
        "value": value,
        "error": error,
        "low": max(value - error, 0.0),
        "high": max(value + error, 0.0),
        "unit": unit,
        "n": n,
        "most": scale * math.log(int((fold == 0).sum())),
    }


def _check(name: str, values: np.ndarray) -> np.ndarray:
    plain = np.ma.asarray(getattr(values, "value", values))
    if plain.dtype.kind not in "buif":
        raise ValueError(f"{name} holds {plain.dtype}; expected an array of numbers")
    array = np.ma.filled(plain.astype(float), np.nan)
    array = array[:, None] if array.ndim == 1 else array
    if array.ndim != 2:
        raise ValueError(f"{name} has shape {array.shape}; expected (n, dimension)")
    if not np.isfinite(array).all():
        row = int(np.flatnonzero(~np.isfinite(array).all(axis=1))[0])
        raise ValueError(f"row {row} of {name} is not finite: leave such rows out of x and y")
    constant = np.flatnonzero(np.ptp(array, axis=0) == 0)
    if len(constant):
        raise ValueError(f"column {constant[0]} of {name} is constant: leave it out")
    return array


def _scale(values: np.ndarray, train: np.ndarray) -> Tensor:
    """Return values in units of the spread of the training rows."""
    spread = values[train].std(axis=0)
    scaled = (values - values[train].mean(axis=0)) / np.where(spread > 0, spread, 1)
    return torch.from_numpy(np.clip(scaled, -FAR, FAR).astype(np.float32))


class _Critic(nn.Module):
    """The product of features of x and of y: one pass over the rows gives every pair."""

    def __init__(self, size: int, other: int) -> None:
        super().__init__()
        self.first, self.second = (_layers(s, FEATURES) for s in (size, other))
        self.bias = _layers(other, 1)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the score of every pair: (row of x, row of y)."""
        product = self.first(x) @ self.second(y).T / math.sqrt(FEATURES)
        scores: Tensor = product + self.bias(y).T
        return scores


def _layers(size: int, features: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(size, WIDTH), nn.SiLU(), nn.Linear(WIDTH, WIDTH), nn.SiLU(),
        nn.Linear(WIDTH, features),
    )  # fmt: skip


def _train(
    pairs: list[Tensor], train: np.ndarray, epochs: int, patience: int, batch: int, seed: int
) -> _Critic:
    """Return the critic of the epoch that judged the rows set aside best."""
    device = pairs[0].device
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        critic = _Critic(pairs[0].shape[1], pairs[1].shape[1]).to(device)
    generator = torch.Generator().manual_seed(seed)
    rows = torch.from_numpy(np.flatnonzero(train))
    rows = rows[torch.randperm(len(rows), generator=generator)]
    checked = int(CHECKED * len(rows))
    aside, rows = rows[:checked], rows[checked:]
    optimizer = torch.optim.AdamW(critic.parameters(), lr=RATE, weight_decay=DECAY)
    best, weights, waited = -math.inf, critic.state_dict(), 0
    for _ in range(epochs):
        for some in torch.split(rows[torch.randperm(len(rows), generator=generator)], batch):
            loss = -_gain(critic(pairs[0][some], pairs[1][some])).mean()
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
        gain = float(_judge(critic, pairs[0][aside], pairs[1][aside]).mean())
        waited = 0 if gain > best else waited + 1
        if waited == 0:
            best = gain
            weights = {k: v.detach().clone() for k, v in critic.state_dict().items()}
        elif waited == patience:
            break
    critic.load_state_dict(weights)
    return critic


def _gain(scores: Tensor, first: int = 0) -> Tensor:
    """Return log(n x softmax) of the true partner of each row; its mean is the bound.

    Rows may be a part of all n, from row ``first`` on.
    """
    return scores.diagonal(first) - scores.logsumexp(dim=1) + math.log(scores.shape[1])


def _judge(critic: _Critic, x: Tensor, y: Tensor) -> np.ndarray:
    with torch.no_grad():
        gains = [
            _gain(critic(x[rows], y), int(rows[0]))
            for rows in torch.split(torch.arange(len(x)), JUDGED)
        ]
        return torch.cat(gains).cpu().numpy().astype(float)
