"""Labels that say nothing: the control that shows what a split or a feature gives away."""

from __future__ import annotations

import numpy as np

__all__ = ["shuffle_labels"]


def shuffle_labels(
    labels: np.ndarray,
    rng: np.random.Generator,
    *,
    shuffle: bool = True,
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

    Examples
    --------
    >>> labels = np.array([0, 0, 0, 1, 1])
    >>> sorted(shuffle_labels(labels, np.random.default_rng(0)).tolist())
    [0, 0, 0, 1, 1]
    """
    labels = np.asarray(labels)
    return labels[rng.permutation(len(labels))] if shuffle else labels
