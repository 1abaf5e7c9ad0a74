"""The one fit loop for nets."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from skywright.data import Images, Model, artefacts
from skywright.learn.batches import Batches
from skywright.learn.calibration import temperature
from skywright.learn.card import write_card
from skywright.learn.domain import describe_images, describe_training, image_hull
from skywright.learn.nets_as_models import (
    arrays_of,
    build_net,
    load_net,
    logits_of,
    name_of,
)
from skywright.learn.rows import check_rows, take_share
from skywright.learn.scaling import SOFTENING, noise_source
from skywright.learn.training import Made, run_loop

__all__ = ["fit"]

_VIEWS = 8


def fit(
    net: type[nn.Module],
    *,
    images: Images,
    labels: np.ndarray,
    roles: np.ndarray,
    options: dict[str, Any] | None = None,
    epochs: int = 15,
    seed: int = 0,
    batch: int = 64,
    learning_rate: float = 3e-3,
    weight_decay: float = 0.05,
    patience: int = 10,
    shift: int = 1,
    groups: np.ndarray | None = None,
    fraction: float = 1.0,
    start: Model | None = None,
    warm: bool = True,
    domain: dict[str, Any] | None = None,
    accelerator: str = "cpu",
    devices: int | str = 1,
    nodes: int = 1,
    threads: int = 1,
    scratch: Path | None = None,
    progress: Callable[[float], None] | None = None,
) -> Model:
    """Fit a binary classifier of images, calibrate it, and return it as data.

    Trained on rows with the role ``train``; the rows ``validation`` choose the epoch and the
    temperature; no other row is read. On a CPU the same arguments give the same bits, with or
    without an interruption. One image is divided by its own noise, so no scaling is fitted.

    Parameters
    ----------
    net : type
        Architecture of `skywright.nets`; it is called with ``bands`` and ``options``.
    images : Images
        Cutouts; read from disk in blocks when they are large.
    labels : (n,) int
        1 for the positive class, 0 otherwise.
    roles : (n,) str
        Role of each row.
    options : dict, optional
        JSON arguments of the architecture.
    epochs : int
        Passes over the training rows.
    seed : int
        Seeds the weights (without ``start``), the order and the augmentation.
    batch : int
        Images per optimiser step, over all devices.
    learning_rate, weight_decay : float
        Peak rate and decay of AdamW.
    patience : int
        Epochs without a better validation loss after which training ends.
    shift : int [pixel]
        Largest shift in the augmentation, beside turns and mirror images.
    groups : (n,), optional
        Galaxy of each row, for ``fraction``.
    fraction : float
        Share of the training galaxies to use, for learning curves.
    start : Model, optional
        Made by this function on other images, as simulated ones: training starts from its weights
        in place of random ones.
    warm : bool
        Whether ``start`` is used; without it one sees what it is worth.
    domain : dict, optional
        Further facts for the model card, as the ranges of Einstein radius and signal to noise.
    accelerator, devices, nodes
        Passed to Lightning's Trainer; several devices take their shares of each batch.
    threads : int
        Threads of the CPU, whatever the machine offers: sums in another order end in other bits.
    scratch : Path, optional
        Folder in which an interrupted training goes on; without it a temporary one is used.
    progress : callable, optional
        Called with the finished share after each epoch.

    Returns
    -------
    Model
        Weights of the best epoch; ``history`` holds the learning curves and gradient norms.

    Raises
    ------
    ValueError
        When lengths differ, a class or role is missing, pixels are not finite, ``start`` holds
        another net, or ``scratch`` holds another training.
    """
    rows = check_rows(len(images), labels, roles)
    start = start if warm else None
    rows["whole"] = rows["train"]
    rows["train"] = take_share(rows["whole"], groups, fraction, seed)
    schedule: dict[str, float] = {
        "epochs": epochs,
        "batch": batch,
        "patience": patience,
        "shift": shift,
        "threads": threads,
    }
    schedule |= {"learning_rate": learning_rate, "weight_decay": weight_decay}
    config: dict[str, Any] = {
        "net": {"path": name_of(net), "options": {"bands": len(images.bands), **(options or {})}},
        "scaling": {"softening": SOFTENING, "noise": noise_source(images), "fitted_rows": None},
        "views": _VIEWS if images.flux.shape[-1] == images.flux.shape[-2] else 1,
        "domain": describe_images(images)
        | {"hull": image_hull(images, rows["train"])}
        | (domain or {}),
        "training": describe_training(rows, labels, fraction, seed) | schedule,
    }
    config["training"] |= _describe_start(start, config)
    hardware = {"accelerator": accelerator, "devices": devices, "num_nodes": nodes}
    kept = _train(start, images, rows, labels, config, hardware, scratch, progress)
    best = kept["best"]
    config["training"] |= {"best_epoch": best["epoch"], "gradients": kept["gradients"]["noted"]}
    model = Model(config, arrays_of(best["weights"]), history=kept["history"])
    return _calibrate(model, images, rows["validation"], np.asarray(labels))


def _describe_start(start: Model | None, config: dict[str, Any]) -> dict[str, Any]:
    """Return what a training starts from, after a check that it is the same net on such images."""
    if start is None:
        return {}
    size = config["domain"]["size"]
    own = {**{name: config[name] for name in ("net", "scaling")}, "size": size}
    other = {name: start.config.get(name) for name in ("net", "scaling")}
    other["size"] = start.config.get("domain", {}).get("size")
    if own != other:
        raise ValueError(
            f"start holds the net {other}; expected {own}: fit it with the same net, options and "
            "bands, on images of the same size and with a variance alike"
        )
    told = start.config["training"]
    rows = [told[name] for name in ("rows_sha256", "whole_sha256", "validation_sha256")]
    return {
        "start_sha256": artefacts.digest(start),
        "start_rows": told["rows"],
        "start_rows_sha256": [*rows, *told.get("start_rows_sha256", [])],
    }


def _train(
    start: Model | None,
    images: Images,
    rows: dict[str, np.ndarray],
    labels: np.ndarray,
    config: dict[str, Any],
    hardware: dict[str, Any],
    scratch: Path | None,
    progress: Callable[[float], None] | None,
) -> dict[str, Any]:
    """Run the loop on images; return the keeper's state."""
    training = config["training"]

    def make(generator: torch.Generator) -> Made:
        from skywright.learn.loop import Classifier

        shift = training["shift"]
        batches = Batches(images, rows["train"], labels, training["batch"], generator, shift)
        checks = Batches(images, rows["validation"], labels, 256)
        module = Classifier(
            build_net(config["net"], None if start is None else start.weights),
            training["learning_rate"],
            training["weight_decay"],
            training["epochs"] * len(batches),
        )
        return module, batches, checks

    return run_loop(make, training, _settings(config, images), hardware, scratch, progress)


def _calibrate(model: Model, images: Images, rows: np.ndarray, labels: np.ndarray) -> Model:
    """Fit the temperature on the validation rows and write the card."""
    net = load_net(model)
    logits = [
        logits_of(net, batch, model.config["views"])
        for batch, _ in Batches(images, rows, labels, 256)
    ]
    config = model.config | {"temperature": temperature(np.concatenate(logits), labels[rows])}
    return replace(model, config=config, card=write_card(config))


def _settings(config: dict[str, Any], images: Images) -> str:
    """Return a text that differs between trainings that must not share a checkpoint."""
    described = {k: config[k] for k in ("net", "scaling", "training")}
    return json.dumps([described, list(images.flux.shape)], sort_keys=True)
