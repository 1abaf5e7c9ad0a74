"""Fit regression nets that say how uncertain they are, one or many at once."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from astropy.table import QTable
from torch import nn

from skywright.data import Images, Model
from skywright.learn.card import write_card
from skywright.learn.domain import describe_rows
from skywright.learn.likelihoods import LIKELIHOODS
from skywright.learn.members import Members, member_state
from skywright.learn.nets_as_models import arrays_of, name_of
from skywright.learn.regression_data import describe_data, make_batches
from skywright.learn.rows import check_values, take_share
from skywright.learn.training import Made, run_loop

__all__ = ["COLLAPSED", "fit_regression"]

COLLAPSED = 1e-3  # a rate of dropout below which nothing is dropped


def fit_regression(
    net: type[nn.Module],
    *,
    data: QTable | Images,
    values: np.ndarray,
    roles: np.ndarray,
    options: dict[str, Any] | None = None,
    likelihood: str = "normal",
    members: int = 1,
    epochs: int = 40,
    seed: int = 0,
    batch: int = 256,
    learning_rate: float = 3e-3,
    weight_decay: float = 0.0,
    patience: int = 1000,
    shift: int = 1,
    groups: np.ndarray | None = None,
    fraction: float = 1.0,
    accelerator: str = "cpu",
    devices: int | str = 1,
    nodes: int = 1,
    threads: int = 1,
    scratch: Path | None = None,
    progress: Callable[[float], None] | None = None,
) -> Model:
    """Fit one net, or an ensemble in one pass, to a number with a heteroscedastic likelihood.

    Trained on rows with the role ``train``; the rows ``validation`` choose the epoch; no other row
    is read. On a CPU the same arguments give the same bits, with or without an interruption.
    Scaling is fitted on the training rows alone; their fingerprint is kept in
    ``config["scaling"]["rows_sha256"]``, and the gradient norm of each term of the loss, at the
    first, the middle and the last planned step, in ``config["training"]["gradients"]``.

    Parameters
    ----------
    net : type
        Architecture of `skywright.nets`; it is called with ``inputs`` (of a table) or ``bands``
        (of images), ``outputs`` and ``options``. One with ``penalties`` (a Bayesian net) has them
        added to its loss, divided by the number of training rows.
    data : QTable or Images
        Every column of a table but ``object_id`` is a feature.
    values : (n,)
        What is to be predicted; a unit is dropped.
    roles : (n,) str
        Role of each row.
    options : dict, optional
        JSON arguments of the architecture.
    likelihood : str
        ``normal`` (Nix & Weigend 1994) or ``evidential`` (Amini et al. 2020).
    members : int
        Nets to train; they differ in their first weights and share their batches.
    epochs, seed, batch, learning_rate, weight_decay, patience, groups, fraction
        As for `fit`.
    shift : int [pixel]
        Of the augmentation of images, as for `fit`.
    accelerator, devices, nodes, threads, scratch, progress
        As for `fit`.

    Returns
    -------
    Model
        For `skywright.find.predict_regression`; weights have a leading axis of members.

    Raises
    ------
    ValueError
        When lengths differ, a role is missing, numbers are not finite, the likelihood is not
        known, or ``scratch`` holds another training.

    References
    ----------
    Lakshminarayanan et al. 2017, arXiv:1612.01474 (ensembles).
    """
    if likelihood not in LIKELIHOODS or members < 1:
        raise ValueError(
            f"likelihood {likelihood!r}, members {members}; expected one of "
            f"{sorted(LIKELIHOODS)} and at least 1 member"
        )
    values = np.asarray(getattr(values, "value", values), dtype=float)
    rows = check_values(len(data), values, roles)
    rows["whole"] = rows["train"]
    rows["train"] = take_share(rows["whole"], groups, fraction, seed)
    described = describe_data(data, values, rows["train"])
    outputs = {"outputs": LIKELIHOODS[likelihood].outputs}
    schedule = {"epochs": epochs, "batch": batch, "patience": patience, "threads": threads}
    schedule |= {"shift": shift} if isinstance(data, Images) else {}
    rates = {"learning_rate": learning_rate, "weight_decay": weight_decay}
    config: dict[str, Any] = {
        "net": {"path": name_of(net), "members": members}
        | {"options": described.pop("first") | outputs | (options or {})},
        "likelihood": likelihood,
        **described,
        "training": describe_rows(rows, fraction, seed) | schedule | rates,
        "warnings": [],
    }
    hardware = {"accelerator": accelerator, "devices": devices, "num_nodes": nodes}
    kept = _train(net, data, values, rows, config, hardware, scratch, progress)
    config["training"] |= {
        "best_epoch": kept["best"]["epoch"],
        "gradients": kept["gradients"]["noted"],
    }
    return _finish(net, config, kept)


def _train(
    net: type[nn.Module],
    data: QTable | Images,
    values: np.ndarray,
    rows: dict[str, np.ndarray],
    config: dict[str, Any],
    hardware: dict[str, Any],
    scratch: Path | None,
    progress: Callable[[float], None] | None,
) -> dict[str, Any]:
    """Run the loop; return the keeper's state."""
    training = config["training"]

    def make(generator: torch.Generator) -> Made:
        from skywright.learn.regressor import Regressor

        batches, checks = (
            make_batches(data, values, rows[role], config, size, order)
            for role, size, order in (
                ("train", training["batch"], generator),
                ("validation", 1024, None),
            )
        )
        built = [net(**config["net"]["options"]) for _ in range(config["net"]["members"])]
        module = Regressor(
            Members(built),
            LIKELIHOODS[config["likelihood"]],
            len(rows["train"]),
            training["learning_rate"],
            training["weight_decay"],
            training["epochs"] * len(batches),
        )
        return module, batches, checks

    named = ("net", "likelihood", "scaling", "training")
    settings = json.dumps([{k: config[k] for k in named}, len(data)], sort_keys=True)
    return run_loop(make, training, settings, hardware, scratch, progress)


def _finish(net: type[nn.Module], config: dict[str, Any], kept: dict[str, Any]) -> Model:
    """Return the model, with a warning where dropout has learned to drop nothing."""
    weights = {k.replace("|", "."): v for k, v in arrays_of(kept["best"]["weights"]).items()}
    built: Any = net(**config["net"]["options"])
    if hasattr(built, "rates"):
        rates = []
        for member in range(config["net"]["members"]):
            built.load_state_dict(member_state(weights, member))
            rates.append(built.rates())
        config["training"]["dropout"] = rates
        if np.max(rates) < COLLAPSED:
            config["warnings"].append(
                f"Dropout collapsed: every rate is below {COLLAPSED:g} (largest "
                f"{np.max(rates):.1e}), so the draws are one and the same net, and what the fit "
                "does not know is reported as next to nothing."
            )
    return Model(config, weights, history=kept["history"], card=write_card(config))
