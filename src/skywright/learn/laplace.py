"""A posterior over the last layer of a fitted net, after the fact."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from astropy.table import QTable
from scipy.optimize import minimize_scalar
from torch import Tensor, nn

from skywright.data import Images, Model
from skywright.data.splits import digest_rows
from skywright.learn.card import write_card
from skywright.learn.drawn_nets import FACTOR, load_members
from skywright.learn.likelihoods import LIKELIHOODS
from skywright.learn.regression_data import make_batches
from skywright.learn.rows import check_values

__all__ = ["laplace"]


def laplace(model: Model, *, data: QTable | Images, values: np.ndarray, roles: np.ndarray) -> Model:
    """Give a net a normal posterior over the last-layer weights of its mean.

    The curvature is that of the normal likelihood on the training rows, at the noise that the net
    promises; the precision of the prior is the one of most evidence. Everything below the last
    layer, and the noise, stay as they are.

    Parameters
    ----------
    model : Model
        Made by `fit_regression` with the likelihood ``normal``, of a net whose last layer is
        ``head``.
    data, values, roles
        Those that the model was fitted on.

    Returns
    -------
    Model
        The same weights, and a factor of the posterior covariance.

    Raises
    ------
    ValueError
        When the rows are not those that the model was fitted on, or the net has no linear head.

    References
    ----------
    Daxberger et al. 2021, arXiv:2106.14806, section 3; MacKay 1992, Neural Comp. 4, 415 (the
    evidence).
    """
    values = np.asarray(getattr(values, "value", values), dtype=float)
    training = model.config["training"]
    rows = check_values(len(data), values, roles)["train"]
    if digest_rows(rows) != training["rows_sha256"] or model.config["likelihood"] != "normal":
        raise ValueError(
            f"{len(rows)} training rows and the likelihood {model.config['likelihood']!r}; "
            f"expected the same {training['rows']} rows as in the fit, and 'normal'"
        )
    factors, precisions = [], []
    for net in load_members(model):
        if not isinstance(getattr(net, "head", None), nn.Linear):
            raise ValueError(f"{type(net).__name__} has no linear layer named head")
        curvature = _curvature(net, make_batches(data, values, rows, model.config, 1024))
        head: Any = net.head
        mode = torch.cat([head.weight[0], head.bias[:1]]).detach().double().numpy()
        factor, precision = _posterior(curvature, mode)
        factors.append(factor)
        precisions.append(precision)
    config = model.config | {"training": training | {"prior_precision": precisions}}
    weights = {**model.weights, FACTOR: np.stack(factors)}
    return replace(model, config=config, weights=weights, card=write_card(config))


@torch.inference_mode()
def _curvature(net: nn.Module, batches: Any) -> np.ndarray:
    """Return the sum of outer products of features and 1, over the promised variance."""
    seen: list[Tensor] = []
    head: Any = net.head
    hook = head.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    total = torch.zeros(head.in_features + 1, head.in_features + 1, dtype=torch.float64)
    try:
        for inputs, _ in batches:
            _mean, variance, _none = LIKELIHOODS["normal"].moments(net(inputs))
            features = seen.pop().double()
            features = torch.cat([features, torch.ones(len(features), 1)], dim=1)
            total += features.T @ (features / variance.double()[:, None])
    finally:
        hook.remove()
    return np.asarray(total.numpy())


def _posterior(curvature: np.ndarray, mode: np.ndarray) -> tuple[np.ndarray, float]:
    """Return a factor of the covariance, and the precision of the prior of most evidence."""
    values, vectors = np.linalg.eigh(curvature)
    values = np.maximum(values, 0)

    def lack(log_precision: float) -> float:
        precision = np.exp(log_precision)
        spread = np.log(values + precision).sum() - len(mode) * log_precision
        return float(precision * (mode**2).sum() + spread)

    best = float(np.exp(minimize_scalar(lack, bounds=(-10, 15), method="bounded").x))
    return vectors / np.sqrt(values + best), best
