"""A fitted model as data: the artefact `Model`, without any learning library."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

__all__ = ["Model"]


@dataclass(frozen=True)
class Model:
    """What a fit leaves behind; nothing in it can run code when it is loaded.

    On disk it is a folder: ``model.safetensors`` (weights of a net) or ``estimator.skops``
    (a classical model, read with a fixed list of trusted types), ``config.json``, ``history.csv``
    and ``README.md``, the model card.

    Parameters
    ----------
    config : dict
        Dotted path inside ``skywright.nets`` and its JSON arguments under ``net``; bands, units,
        pixel scale, scaling, temperature and priors; for a classical model the feature names.
    weights : dict of arrays
        State of the net; empty for a classical model.
    estimator : bytes
        The classical model in skops format; empty for a net.
    history : dict of columns
        Learning curves (one row an epoch) or the trials of a search (one row a trial).
    card : str
        Model card in Markdown: what it is for, the domain of validity, what it was fitted on.
    """

    config: dict[str, Any]
    weights: dict[str, np.ndarray] = field(default_factory=dict)
    estimator: bytes = b""
    history: dict[str, list[Any]] = field(default_factory=dict)
    card: str = ""
