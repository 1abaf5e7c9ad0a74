"""What an estimate of information says: value, error, interval, and the chance of independence."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

__all__ = ["UNITS", "Information", "make_information", "scale_of"]

UNITS = {"nat": 1.0, "bit": float(1 / np.log(2))}


@dataclass(frozen=True)
class Information:
    """An estimate with its 68 % interval.

    Parameters
    ----------
    value : float
        The estimate.
    error : float
        Standard deviation over bootstrap resamples; with a warning it holds the difference too.
    low, high : float
        ``value`` less and plus one ``error``; ``low`` is not below 0, and an estimate below 0 has
        the interval of 0, so that none is empty. Close to independence the interval holds the
        truth more often than 68 % of times.
    p_value : float
        The chance of so much dependence among independent data; NaN where it was not tested.
    unit : str
        ``nat`` or ``bit``.
    n : int
        Rows.
    bias : float
        What the correction has taken away; 0 without it.
    warning : str
        Why the estimate should not be trusted; empty where nothing speaks against it.
    details : dict
        Components of the mixture, transform, and what else the estimator decided.
    """

    value: float
    error: float
    low: float
    high: float
    p_value: float
    unit: str
    n: int
    bias: float = 0.0
    warning: str = ""
    details: dict[str, Any] = field(default_factory=dict)


def scale_of(unit: str) -> float:
    """Return how many ``unit`` are a nat, or say which units there are."""
    if unit not in UNITS:
        raise ValueError(f"unit is {unit!r}; expected one of {', '.join(UNITS)}")
    return UNITS[unit]


def make_information(
    value: float,
    error: float,
    plain: float,
    p_value: float,
    unit: str,
    n: int,
    *,
    unseen: float = 0.0,
    **details: Any,
) -> Information:
    """Return the result in ``unit`` of numbers in nats.

    ``plain`` is the uncorrected value, ``unseen`` what neighbours see more.
    """
    scale = scale_of(unit)
    warning = ""
    if unseen > 0:
        warning = (
            f"distances to neighbours see {unseen * scale:.2g} {unit} more than Gaussian mixtures "
            "do: the density may have an edge or fine structure that they cannot follow. The "
            "error was widened to hold it; compare neighbour_information"
        )
    return Information(
        value=float(value * scale),
        error=float(error * scale),
        low=float(max(value - error, 0.0) * scale),
        high=float((max(value, 0.0) + error) * scale),
        p_value=float(p_value),
        unit=unit,
        n=n,
        bias=float((plain - value) * scale),
        warning=warning,
        details=details,
    )
