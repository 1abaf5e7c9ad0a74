"""Which pixels a net looked at: gradients along a path, by captum."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from skywright.data import Images, Model, draw_groups
from skywright.find.predict import check_domain, chosen_rows, convert
from skywright.learn.nets_as_models import load_net
from skywright.learn.scaling import scale_images

__all__ = ["attribute", "attribute_net", "attribute_sample", "randomise_weights"]

METHODS = ("integrated_gradients", "saliency", "input_x_gradient")


def attribute(
    model: Model,
    images: Images,
    *,
    method: str = "integrated_gradients",
    target: int = 0,
    steps: int = 32,
    batch: int = 64,
) -> np.ndarray:
    """Attribute the output of a net to the pixels of images.

    Parameters
    ----------
    model : Model
        Made by `skywright.learn.fit`.
    images : Images
        Cutouts that the model accepts.
    method, target, steps, batch
        As for `attribute_net`.

    Returns
    -------
    (n, band, y, x)
        In the unit of the output for each pixel as the net sees it: arcsinh of signal over noise,
        whose zero is the sky.
    """
    factor = check_domain(model, images)
    net, softening = load_net(model), float(model.config["scaling"]["softening"])
    maps = []
    for block in images.blocks(batch):
        scaled = scale_images(convert(block, factor), softening)
        maps.append(attribute_net(net, scaled, target, method=method, steps=steps, batch=batch))
    return np.concatenate(maps)


def attribute_sample(
    model: Model,
    images: Images,
    rng: np.random.Generator,
    *,
    labels: np.ndarray,
    roles: np.ndarray,
    groups: np.ndarray,
    role: str = "test",
    n: int = 10,
    steps: int = 32,
) -> dict[str, np.ndarray]:
    """Attribute the answer for a few positives, by the net and by one of random weights.

    Parameters
    ----------
    model : Model
        Made by `skywright.learn.fit`.
    images : Images
        Cutouts that the model accepts.
    rng : Generator
        Chooses the images and shuffles the weights.
    labels : (m,) int
        1 where there is something to look at.
    roles : (m,) str
        Role of each image.
    groups : (m,)
        Object behind each image; no two of one object are chosen.
    role : str
        The role to look at: rows that the net has not learned from.
    n : int
        How many images.
    steps : int
        As for `attribute_net`.

    Returns
    -------
    dict
        ``object_id`` and ``group`` (n,); ``inputs``, ``maps`` and ``randomised`` (n, band, y, x):
        what the net sees, its attributions, and those of `randomise_weights`.
    """
    rows = chosen_rows(len(images), roles, role)
    rows = np.sort(draw_groups(rows[np.asarray(labels)[rows] == 1], groups, n, rng))
    sample = images[rows]
    softening = float(model.config["scaling"]["softening"])
    random = randomise_weights(model, rng)
    return {
        "object_id": np.asarray(sample.object_id),
        "group": np.asarray(groups)[rows],
        "inputs": scale_images(convert(sample, check_domain(model, images)), softening),
        "maps": attribute(model, sample, steps=steps),
        "randomised": attribute(random, sample, steps=steps),
    }


def attribute_net(
    net: nn.Module,
    inputs: np.ndarray,
    targets: int | np.ndarray = 0,
    *,
    method: str = "integrated_gradients",
    steps: int = 32,
    batch: int = 64,
) -> np.ndarray:
    """Attribute an output of a net to its inputs.

    Parameters
    ----------
    net : nn.Module
        From (n, band, y, x) to (n, output), in evaluation mode.
    inputs : (n, band, y, x) float
        As the net takes them; 0 is the level of the sky.
    targets : int or (n,) int
        Output that is explained, of each image.
    method : {"integrated_gradients", "saliency", "input_x_gradient"}
        Gradients along the way from the sky to the image, which add up to the change of the output
        (Sundararajan, Taly & Yan 2017, arXiv:1703.01365, eq. 1); the gradient; gradient times
        input.
    steps : int
        Points along the way.
    batch : int
        Images at a time.

    Returns
    -------
    (n, band, y, x)
        Signed.
    """
    # needed for this alone, and slow to import
    from captum import attr

    if method not in METHODS:
        raise ValueError(f"method is {method!r}; expected one of {', '.join(METHODS)}")
    options: dict[str, Any] = {}
    if method == "integrated_gradients":
        explain, options = attr.IntegratedGradients(net), {"n_steps": steps}
    elif method == "saliency":
        explain, options = attr.Saliency(net), {"abs": False}
    else:
        explain = attr.InputXGradient(net)
    chosen = np.broadcast_to(np.asarray(targets), len(inputs))
    maps = []
    for start in range(0, len(inputs), batch):
        x = torch.from_numpy(np.array(inputs[start : start + batch], dtype=np.float32))
        target = torch.from_numpy(np.array(chosen[start : start + batch], dtype=np.int64))
        found: Tensor = explain.attribute(x.requires_grad_(), target=target, **options)
        maps.append(found.detach().numpy())
    return np.concatenate(maps)


def randomise_weights(model: Model, rng: np.random.Generator) -> Model:
    """Return the model with random weights, for the sanity check of attributions.

    Every weight is shuffled within its tensor: its law stays, what it learned goes. Running means
    and variances of normalisation stay.

    Parameters
    ----------
    model : Model
        Made by `skywright.learn.fit`.
    rng : Generator
        Shuffles.

    References
    ----------
    Adebayo et al. 2018, arXiv:1810.03292, section 3.
    """
    weights = dict(model.weights)
    for name, _ in load_net(model).named_parameters():
        value = np.asarray(weights[name])
        weights[name] = rng.permutation(value.ravel()).reshape(value.shape)
    return replace(model, weights=weights)
