"""The nets that a fitted regression model stands for: its members, or draws from its posterior."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from skywright.data import Model
from skywright.learn.nets_as_models import load_net

__all__ = ["drawn_nets", "load_members"]

FACTOR = "laplace.factor"


def load_members(model: Model) -> list[nn.Module]:
    """Return the nets of a model made by `skywright.learn.fit_regression`, ready to predict.

    Raises
    ------
    ValueError
        When the model is of another kind, or its weights do not fit.
    """
    if "likelihood" not in model.config or not model.weights:
        raise ValueError(
            "the model holds no regression nets; expected one made by skywright.learn."
            "fit_regression (find.predict applies classifiers, find.predict_values trees)"
        )
    stacked = {k: v for k, v in model.weights.items() if k != FACTOR}
    return [
        load_net(Model(model.config, {k: v[i] for k, v in stacked.items()}))
        for i in range(int(model.config["net"]["members"]))
    ]


def drawn_nets(model: Model, draws: int) -> list[nn.Module]:
    """Return deterministic nets whose spread is what the fit does not know.

    Draws come from the model's own seed, so that every block of rows meets the same nets.

    Parameters
    ----------
    model : Model
        Made by `skywright.learn.fit_regression` or `skywright.learn.laplace`.
    draws : int
        Nets to draw from each member; a member that has no posterior is itself.
    """
    generator = torch.Generator().manual_seed(int(model.config["training"]["seed"]))
    nets = []
    for i, member in enumerate(load_members(model)):
        draw: Any = getattr(member, "draw", None)
        if FACTOR in model.weights:
            factor = torch.from_numpy(np.array(model.weights[FACTOR][i]))
            nets += [_moved(member, factor, generator) for _ in range(draws)]
        elif draw is not None:
            nets += [draw(generator) for _ in range(draws)]
        else:
            nets.append(member)
    return nets


def _moved(net: nn.Module, factor: Tensor, generator: torch.Generator) -> nn.Module:
    """Return a copy whose weights of the mean are drawn from their posterior."""
    moved: Any = copy.deepcopy(net)
    change = factor @ torch.randn(factor.shape[1], generator=generator, dtype=factor.dtype)
    with torch.no_grad():
        moved.head.weight[0] += change[:-1].float()
        moved.head.bias[0] += change[-1].float()
    built: nn.Module = moved
    return built
