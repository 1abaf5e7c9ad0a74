"""The one fit loop for nets."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from skywright.data import Images, Model
from skywright.learn.batches import Batches
from skywright.learn.calibration import temperature
from skywright.learn.card import write_card
from skywright.learn.domain import describe_images, describe_training
from skywright.learn.nets_as_models import arrays_of, load_net, logits_of, name_of
from skywright.learn.rows import check_rows, take_share
from skywright.learn.scaling import SOFTENING, noise_source

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
        Seeds the weights, the order and the augmentation.
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
        When lengths differ, a class or role is missing, pixels are not finite, or ``scratch``
        holds another training.
    """
    rows = check_rows(len(images), labels, roles)
    rows["train"] = take_share(rows["train"], groups, fraction, seed)
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
        "domain": describe_images(images) | (domain or {}),
        "training": describe_training(rows, labels, fraction, seed) | schedule,
    }
    hardware = {"accelerator": accelerator, "devices": devices, "num_nodes": nodes}
    with contextlib.ExitStack() as stack:
        folder = scratch or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        stack.enter_context(_deterministic(seed, accelerator, threads))
        kept = _train(net, images, rows, labels, config, hardware, folder, progress)
    best = kept["best"]
    config["training"]["best_epoch"] = best["epoch"]
    model = Model(config, arrays_of(best["weights"]), history=kept["history"])
    return _calibrate(model, images, rows["validation"], np.asarray(labels))


def _train(
    net: type[nn.Module],
    images: Images,
    rows: dict[str, np.ndarray],
    labels: np.ndarray,
    config: dict[str, Any],
    hardware: dict[str, Any],
    folder: Path,
    progress: Callable[[float], None] | None,
) -> dict[str, Any]:
    """Run Lightning, or go on where an interrupted run stopped; return the keeper's state."""
    # Lightning takes seconds to import: only a training pays for it
    from skywright.learn.loop import Classifier, Keeper, read_state, train

    training = config["training"]
    path, settings = folder / "last.ckpt", _settings(config, images)
    state = read_state(path, settings)
    if state is None or not state["finished"]:
        generator = torch.Generator().manual_seed(training["seed"])
        batches = Batches(
            images,
            rows["train"],
            labels,
            training["batch"],
            generator,
            training["shift"],
        )
        checks = Batches(images, rows["validation"], labels, 256)
        module = Classifier(
            net(**config["net"]["options"]),
            training["learning_rate"],
            training["weight_decay"],
            training["epochs"] * len(batches),
        )
        keeper = Keeper(path, generator, settings, progress)
        train(module, batches, checks, keeper, training, hardware, state is not None)
        state = read_state(path, settings)
    if state is None or not state["best"]["weights"]:
        raise RuntimeError(
            "training gave no finite validation loss: lower learning_rate, and look at the pixels"
        )
    return state


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


@contextlib.contextmanager
def _deterministic(seed: int, accelerator: str, threads: int) -> Iterator[None]:
    """Seed torch, fix its threads and ask for deterministic algorithms; put all back afterwards."""
    threads_before = torch.get_num_threads()
    before = torch.are_deterministic_algorithms_enabled()
    warn = torch.is_deterministic_algorithms_warn_only_enabled()
    memory: Any = torch.utils.deterministic  # its attribute is a property of the module
    fill_before = memory.fill_uninitialized_memory
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        torch.set_num_threads(threads)
        # a few operations on GPUs have no deterministic form: there it is asked for, not forced
        torch.use_deterministic_algorithms(True, warn_only=accelerator != "cpu")
        # every value is written before it is read: filling each new tensor only costs time
        memory.fill_uninitialized_memory = False
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(before, warn_only=warn)
            memory.fill_uninitialized_memory = fill_before
            torch.set_num_threads(threads_before)
