"""A net as a plain function, for judges that know no models."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from skywright.data import Images, Model
from skywright.find.predict import check_domain, convert
from skywright.learn.nets_as_models import load_net, logits_of
from skywright.learn.scaling import scale_images

__all__ = ["make_input_scorer", "make_scorer"]


def make_scorer(model: Model) -> Callable[[Images], np.ndarray]:
    """Return a function from images to the logits that `skywright.find.predict` gives them.

    Parameters
    ----------
    model : Model
        Made by `skywright.learn.fit`; its net is loaded once.

    Returns
    -------
    callable
        `Images` -> (n,), calibrated, at the prevalence of the training sample.
    """
    net, views = load_net(model), int(model.config["views"])
    softening = float(model.config["scaling"]["softening"])
    temperature = float(model.config["temperature"])

    def scores(images: Images) -> np.ndarray:
        seen = scale_images(convert(images, check_domain(model, images)), softening)
        return logits_of(net, torch.from_numpy(seen), views) / temperature

    return scores


def make_input_scorer(model: Model) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function from what a net sees to its output, which `attribute` explains.

    Parameters
    ----------
    model : Model
        Made by `skywright.learn.fit`; its net is loaded once.

    Returns
    -------
    callable
        (n, band, y, x), as scaled for the net -> (n,), of the image as it stands, not turned.
    """
    net = load_net(model)

    def scores(inputs: np.ndarray) -> np.ndarray:
        return logits_of(net, torch.from_numpy(np.asarray(inputs, dtype=np.float32)), 1)

    return scores
