"""Proper scores of probabilities, and what they are made of.

All take weights with leading axes, one row a resample, as the rest of the room does.
"""

from __future__ import annotations

import numpy as np

__all__ = [
    "brier",
    "brier_decomposition",
    "calibration_gap",
    "check_probability",
    "equal_mass_bins",
    "equal_width_bins",
    "log_loss",
]

_LEAST = 1e-12  # a probability of exactly zero for what happened would cost infinitely much


def check_probability(probability: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return probabilities with one column a class, refusing what are none.

    Parameters
    ----------
    probability : (n,) or (n, class)
        Of the positive class, or of every class.
    labels : (n,) int
        Class of each row, from 0.

    Returns
    -------
    (n, class)

    Raises
    ------
    ValueError
        When a value is no probability, rows do not sum to one, lengths differ, or a label has no
        column.
    """
    p = np.asarray(probability, dtype=float)
    if len(p) != len(labels):
        raise ValueError(f"{len(p)} probabilities for {len(labels)} labels")
    if not ((p >= 0) & (p <= 1)).all():
        raise ValueError(
            f"probabilities range from {p.min()} to {p.max()}; expected 0 to 1: logits need "
            "scipy.special.expit or softmax first"
        )
    p = np.stack([1 - p, p], axis=1) if p.ndim == 1 else p
    if not np.allclose(p.sum(axis=1), 1, atol=1e-4):
        raise ValueError("probabilities of the classes do not sum to one: divide by their sum")
    classes = np.unique(labels)
    if classes.min() < 0 or classes.max() >= p.shape[1]:
        raise ValueError(
            f"labels are {classes.tolist()}; expected the columns 0 to {p.shape[1] - 1}"
        )
    return p


def log_loss(probability: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the mean of minus the logarithm of the probability of what happened [nat].

    Parameters
    ----------
    probability : (n, class)
        From `check_probability`; below 1e-12 counts as 1e-12.
    labels : (n,) int
        Class of each row.
    weights : (…, n)
        Weights of the rows.

    Examples
    --------
    >>> p = np.array([[0.5, 0.5], [0.25, 0.75]])
    >>> round(float(log_loss(p, np.array([0, 1]), np.ones(2))), 4)
    0.4904
    """
    loss = -np.log(np.maximum(probability[np.arange(len(labels)), labels], _LEAST))
    return np.asarray(weights @ loss / weights.sum(axis=-1))


def brier(probability: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the mean squared error of the probability of a class.

    Parameters
    ----------
    probability, labels : (n,)
        Probability of the class, and 1 where it is the true one.
    weights : (…, n)
        Weights of the rows.

    References
    ----------
    Brier 1950, Monthly Weather Review 78, 1; for several classes his score is the sum over them
    (of two classes, twice this).
    """
    return np.asarray(weights @ (probability - labels) ** 2 / weights.sum(axis=-1))


def brier_decomposition(
    probability: np.ndarray, labels: np.ndarray, weights: np.ndarray, index: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Split the Brier score: it is reliability minus resolution plus uncertainty, exactly.

    Resolution is the generalised one, which holds the two terms within bins that Murphy's
    identity leaves out (Stephenson, Coelho & Jolliffe 2008, Weather and Forecasting 23, 752,
    eq. 8), so that the identity holds for any bins.

    Parameters
    ----------
    probability, labels, weights
        As for `brier`.
    index : (n,) int
        Bin of each row.

    Returns
    -------
    reliability, resolution, uncertainty : (…)
        Smaller, larger is better; uncertainty is that of the labels alone. Reliability is not
        free of the noise of its bins: it is above zero for a calibrated score too.
    """
    y = np.asarray(labels, dtype=float)
    member = np.eye(index.max() + 1)[index]
    total = weights.sum(axis=-1)
    mass = weights @ member
    filled = np.where(mass > 0, mass, 1.0)
    promised = (weights * probability) @ member / filled
    observed = (weights * y) @ member / filled
    base = (weights @ y / total)[..., None]
    reliability = (mass * (promised - observed) ** 2).sum(axis=-1) / total
    between = (mass * (observed - base) ** 2).sum(axis=-1) / total
    squared = (weights * probability**2).sum(axis=-1) / total
    variance_within = squared - (mass * promised**2).sum(axis=-1) / total
    together = (weights * probability * y).sum(axis=-1) / total
    covariance_within = together - (mass * promised * observed).sum(axis=-1) / total
    resolution = between - variance_within + 2 * covariance_within
    return reliability, resolution, base[..., 0] * (1 - base[..., 0])


def calibration_gap(
    probability: np.ndarray, labels: np.ndarray, weights: np.ndarray, index: np.ndarray
) -> np.ndarray:
    """Return the expected calibration error over given bins (Guo et al. 2017, eq. 3).

    The mean over rows of the distance between promised and observed share in the row's bin. It is
    above zero for calibrated scores too, by about 0.8 times the noise of a bin.

    Parameters
    ----------
    probability, labels, weights
        As for `brier`.
    index : (n,) int
        Bin of each row, from `equal_width_bins` (plain) or `equal_mass_bins` (adaptive).
    """
    member = np.eye(index.max() + 1)[index]
    gap = np.abs((weights * (probability - labels)) @ member).sum(axis=-1)
    return np.asarray(gap / weights.sum(axis=-1))


def equal_width_bins(probability: np.ndarray, bins: int = 15) -> np.ndarray:
    """Return the bin (n,) of each probability among ``bins`` of one width between 0 and 1."""
    return np.asarray(np.minimum((np.asarray(probability) * bins).astype(int), bins - 1))


def equal_mass_bins(
    probability: np.ndarray, weights: np.ndarray | None = None, bins: int = 15
) -> np.ndarray:
    """Return the bin (n,) of each probability among ``bins`` of equal weight (n,).

    Equal probabilities stay together, so that there may be fewer bins.

    Examples
    --------
    >>> equal_mass_bins(np.array([0.1, 0.9, 0.2, 0.3]), bins=2)
    array([0, 1, 0, 1])
    """
    values, inverse = np.unique(probability, return_inverse=True)
    mass = np.bincount(inverse, weights, minlength=len(values)).astype(float)
    middle = (np.cumsum(mass) - mass / 2) / mass.sum()
    index = np.minimum((middle * bins).astype(int), bins - 1)
    return np.asarray(np.unique(index, return_inverse=True)[1][inverse])
