"""Labels that say nothing: the control that shows what a split or a feature gives away."""

from __future__ import annotations

import numpy as np

__all__ = ["shuffle_labels"]


def shuffle_labels(
    labels: np.ndarray,
    rng: np.random.Generator,
    *,
    shuffle: bool = True,
    seed: int = 0,
) -> np.ndarray:
    """Return the labels in random order; as they are when ``shuffle`` is false.

    Parameters
    ----------
    labels : (n,)
        One a row.
    rng : Generator
        Source of randomness.
    shuffle : bool
        Whether to do it.
    seed : int
        Each has an order of its own. Sweep it with the seeds of the models: those that learned the
        same nonsense end off chance on the same side, however many they are.

    Examples
    --------
    >>> labels = np.array([0, 0, 0, 1, 1])
    >>> sorted(shuffle_labels(labels, np.random.default_rng(0)).tolist())
    [0, 0, 0, 1, 1]
    """
    labels = np.asarray(labels)
    order = np.random.default_rng([int(rng.integers(2**32)), seed])
    return labels[order.permutation(len(labels))] if shuffle else labels
