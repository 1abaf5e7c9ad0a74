"""Read the parameters of a published profile into tensors, refusing what has no meaning."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from skywright.sky.profiles.names import DEFAULTS, LISTS, parameter_names

__all__ = ["read_parameters"]

POSITIVE = ("R_sersic", "R_ring", "Rs", "sigma", "sigma_x", "sigma_y", "radius", "width") + (
    "beta",
    "scale",
    "r_trunc",
)


def read_parameters(kind: str, name: str, parameters: Mapping[str, Any]) -> dict[str, Tensor]:
    """Return all parameters of a profile as tensors of (1 or system,), or (…, term) for lists.

    Parameters
    ----------
    kind, name : str
        As for `parameter_names`.
    parameters : mapping
        What the caller gave.

    Raises
    ------
    ValueError
        A parameter is unknown, missing, not a number, or has no meaning.
    """
    known = parameter_names(kind, name)
    for given in parameters:
        if given not in known:
            close = difflib.get_close_matches(str(given), known, 1)
            hint = f"did you mean {close[0]}?" if close else f"expected {', '.join(known)}"
            raise ValueError(f"{name} has no parameter {given!r}; {hint}")
    missing = [k for k in known if k not in parameters and k not in DEFAULTS]
    if missing:
        raise ValueError(f"{name} lacks {', '.join(missing)}; expected {', '.join(known)}")
    lists = LISTS.get(name, ())
    values = {k: _tensor(name, k, parameters.get(k, DEFAULTS.get(k)), k in lists) for k in known}
    _check_ellipse(name, values)
    return values


def _tensor(name: str, parameter: str, value: Any, is_list: bool) -> Tensor:
    try:
        tensor = torch.as_tensor(np.asarray(value, dtype=float), dtype=torch.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{parameter} of {name} is {value!r}; expected numbers") from error
    if not tensor.numel():
        raise ValueError(f"{parameter} of {name} is empty; expected one number a system")
    if not bool(torch.isfinite(tensor).all()):
        raise ValueError(f"{parameter} of {name} holds NaN or infinity; expected finite numbers")
    if parameter in POSITIVE and not bool((tensor > 0).all()):
        raise ValueError(f"{parameter} of {name} is {float(tensor.min()):g}; expected it positive")
    if is_list:
        return tensor if tensor.ndim > 1 else tensor.reshape(1, -1)
    if tensor.ndim > 1:
        raise ValueError(
            f"{parameter} of {name} has shape {tuple(tensor.shape)}; expected one number a system"
        )
    return tensor.reshape(-1)


def _check_ellipse(name: str, values: Mapping[str, Tensor]) -> None:
    """Refuse ellipticities that no ellipse has."""
    for first in [k for k in values if k.startswith("e1")]:
        second = "e2" + first[2:]
        modulus = torch.hypot(values[first], values[second])
        if bool((modulus >= 1).any()):
            raise ValueError(
                f"{first}, {second} of {name} have modulus {float(modulus.max()):.3g}; expected "
                "less than 1: it is (1 - q) / (1 + q)"
            )
