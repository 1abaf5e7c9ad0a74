"""Nets to artefacts and back: weights as numpy arrays, architecture as a dotted path."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from skywright.data import Model
from skywright.learn.batches import turn

__all__ = ["arrays_of", "build_net", "load_net", "logits_of", "name_of"]

_ROOM = "skywright.nets"


def name_of(net: type[nn.Module]) -> str:
    """Return the dotted path of an architecture of `skywright.nets`.

    Raises
    ------
    ValueError
        When the class lives elsewhere: a model that others load may only name this package.
    """
    room, name = net.__module__, net.__qualname__
    if not f"{room}.".startswith(f"{_ROOM}.") or "." in name:
        raise ValueError(
            f"{room}.{name} is not an architecture of {_ROOM}: put the class there, since a saved "
            "model names its net by that path"
        )
    return f"{room}.{name}"


def load_net(model: Model) -> nn.Module:
    """Build the net of a model with its weights, ready to predict.

    Parameters
    ----------
    model : Model
        With ``config["net"] = {"path": …, "options": {…}}`` and weights.

    Raises
    ------
    ValueError
        When the path leads out of `skywright.nets`, or weights do not fit the net.
    """
    described = model.config.get("net")
    if not described or not model.weights:
        raise ValueError(
            "the model has no net and weights; expected one made by skywright.learn.fit "
            "(find.predict_table applies classical models)"
        )
    return build_net(described, model.weights).eval()


def build_net(described: dict[str, Any], weights: dict[str, np.ndarray] | None = None) -> nn.Module:
    """Build the net of ``{"path": …, "options": {…}}``, with random weights unless some are given.

    Raises
    ------
    ValueError
        When the path leads out of `skywright.nets`, or weights do not fit the net.
    """
    room, _, name = str(described["path"]).rpartition(".")
    if not f"{room}.".startswith(f"{_ROOM}.") or name.startswith("_"):
        raise ValueError(f"net {described['path']!r} is refused: only {_ROOM} may be named")
    net = getattr(importlib.import_module(room), name, None)
    if not (isinstance(net, type) and issubclass(net, nn.Module) and net.__module__ == room):
        raise ValueError(f"net {described['path']!r} is refused: no architecture is defined there")
    built: nn.Module = net(**described["options"])
    if weights is None:
        return built
    state = {key: torch.from_numpy(np.array(value)) for key, value in weights.items()}
    try:
        built.load_state_dict(state)
    except RuntimeError as error:
        raise ValueError(f"the weights do not fit {described['path']}: {error}") from error
    return built


def arrays_of(weights: dict[str, Any]) -> dict[str, np.ndarray]:
    """Return a state dictionary as numpy arrays."""
    return {key: value.detach().cpu().numpy().copy() for key, value in weights.items()}


@torch.inference_mode()
def logits_of(net: nn.Module, images: Tensor, views: int) -> np.ndarray:
    """Return the logit of each image (n, band, y, x), averaged over its first ``views`` turns.

    A lens turned is the same lens: the eight views of a square differ by chance alone.
    """
    total = torch.zeros(len(images))
    for view in range(views):
        total += net(turn(images, view).contiguous())[:, 0]
    return np.asarray((total / views).numpy(), dtype=np.float64)
