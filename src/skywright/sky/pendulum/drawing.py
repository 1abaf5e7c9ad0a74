"""Pendulums whose lengths and periods are measured with noise."""

from __future__ import annotations

import astropy.units as u
import numpy as np
from astropy.table import QTable, vstack

__all__ = [
    "GRAVITY",
    "LENGTH",
    "LENGTH_ERROR",
    "LEAST_NOISE",
    "SWINGS",
    "draw_pendulum_tests",
    "draw_pendulums",
    "pendulum_inputs",
    "scatter_of_swings",
]

GRAVITY = (5.0, 15.0)  # [m/s2]
LENGTH = (0.2, 0.8)  # [m]
ANGLE = (5.0, 15.0)  # [deg]
MASS = (0.02, 0.1)  # [kg]
LENGTH_ERROR = 0.02  # of the length
LEAST_NOISE = 0.01  # of a period
SWINGS = 10
# lengths and gravities of the sets that a net is tested on: first as in training, then not
TESTS = {
    "calibration": (LENGTH, GRAVITY),
    "inside": (LENGTH, GRAVITY),
    "length 0.8-1.2": ((0.8, 1.2), GRAVITY),
    "length 1.2-1.6": ((1.2, 1.6), GRAVITY),
    "gravity 10-25": (LENGTH, (10.0, 25.0)),
}


def draw_pendulums(
    n: int,
    *,
    rng: np.random.Generator,
    widest: float = 0.2,
    length: tuple[float, float] = LENGTH,
    gravity: tuple[float, float] = GRAVITY,
    validation: float = 0.1,
) -> QTable:
    """Draw pendulums, time ten swings of each, and measure their lengths.

    Every pendulum has its own noise: the relative error of a period is drawn between 1 % and
    ``widest``, so a net has to read the uncertainty off the scatter of the ten.

    Parameters
    ----------
    n : int
        Pendulums.
    rng : Generator
        For all draws.
    widest : float
        Largest relative noise of a period.
    length : (low, high) [m]
        Range of the true lengths.
    gravity : (low, high) [m/s2]
        Range of what is to be inferred.
    validation : float
        Share of rows with the role ``validation``; the others are ``train``.

    Returns
    -------
    QTable
        Measured: ``angle``, ``length``, ``mass``, ``period_0`` … ``period_9``. True: ``gravity``,
        ``true_length``, ``noise``. Also ``object_id`` and ``role``.

    Raises
    ------
    ValueError
        When there are no pendulums, or ``widest`` is not above the least noise.

    References
    ----------
    Caldeira & Nord 2020, arXiv:2004.10710, section 3.1 and the code that was published with it.

    Examples
    --------
    >>> drawn = draw_pendulums(4, rng=np.random.default_rng(0))
    >>> len(drawn), drawn["period_0"].unit
    (4, Unit("s"))
    """
    if n < 1 or not 0 <= validation < 1:
        raise ValueError(f"n is {n}, validation {validation}; expected n above 0 and a share")
    if not widest > LEAST_NOISE:
        raise ValueError(f"widest is {widest}; expected more than the least noise, {LEAST_NOISE}")
    g, true = rng.uniform(*gravity, n), rng.uniform(*length, n)
    noise = rng.uniform(LEAST_NOISE, widest, n)
    period = 2 * np.pi * np.sqrt(true / g)
    times = period[:, None] * (1 + noise[:, None] * rng.normal(size=(n, SWINGS)))
    role = np.where(np.arange(n) < round(validation * n), "validation", "train")
    return QTable(
        {
            "object_id": np.arange(n),
            "role": role.astype("<U10"),
            "angle": rng.uniform(*ANGLE, n) * u.deg,
            "length": true * (1 + LENGTH_ERROR * rng.normal(size=n)) * u.m,
            "mass": rng.uniform(*MASS, n) * u.kg,
            **{f"period_{i}": times[:, i] * u.s for i in range(SWINGS)},
            "gravity": g * u.m / u.s**2,
            "true_length": true * u.m,
            "noise": noise,
        }
    )


def draw_pendulum_tests(
    n: int, *, rng: np.random.Generator, widest: float = 0.2, first: int = 0
) -> QTable:
    """Draw sets to test on: two like the training, and three beyond it.

    Parameters
    ----------
    n : int
        Pendulums of ``calibration`` and of ``inside``; the other sets have half as many.
    rng : Generator
        For all draws.
    widest : float
        As in `draw_pendulums`.
    first : int
        Identifier of the first pendulum: how many others there are already.

    Returns
    -------
    QTable
        As from `draw_pendulums`; ``role`` names the set. In ``gravity 10-25`` half of the range
        is that of the training.
    """
    parts = []
    for name, (length, gravity) in TESTS.items():
        size = n if (length, gravity) == (LENGTH, GRAVITY) else max(n // 2, 1)
        part = draw_pendulums(size, rng=rng, widest=widest, length=length, gravity=gravity)
        part["role"] = np.full(size, name)
        parts.append(part)
    tests = vstack(parts)
    tests["object_id"] = first + np.arange(len(tests))
    return tests


def pendulum_inputs(pendulums: QTable, *, role: str | None = None) -> QTable:
    """Return what an observer knows: ``object_id`` and the 13 measured numbers.

    Parameters
    ----------
    pendulums : QTable
        From `draw_pendulums`.
    role : str, optional
        The role to look at; None takes all rows.
    """
    if role is not None:
        pendulums = pendulums[np.asarray(pendulums["role"]) == role]
    periods = [f"period_{i}" for i in range(SWINGS)]
    return pendulums[["object_id", "angle", "length", "mass", *periods]]


def scatter_of_swings(pendulums: QTable) -> np.ndarray:
    """Return the relative scatter of the ten periods of each pendulum, as an observer sees it."""
    times = np.stack([pendulums[f"period_{i}"].to_value(u.s) for i in range(SWINGS)], axis=1)
    return np.asarray(times.std(axis=1, ddof=1) / times.mean(axis=1))
