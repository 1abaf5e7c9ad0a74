"""How far a change of the images moves them in the inner space of a net."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.spatial.distance import pdist

from skywright.trust.resampling import bootstrap_groups, estimate

__all__ = ["latent_distance"]


def latent_distance(
    clean: np.ndarray,
    changed: np.ndarray,
    labels: np.ndarray,
    rng: np.random.Generator,
    *,
    groups: np.ndarray | None = None,
    resamples: int = 1000,
) -> dict[str, Any]:
    """Return the mean shift in units of the mean distance between the centres of the classes.

    Latents have no unit: a net whose latents are ten times as large has raw distances ten times as
    large, and is no less robust. In these units 1 means a shift as far as another class.

    Parameters
    ----------
    clean, changed : (n, latent)
        Of each image before and after.
    labels : (n,)
        True classes, two or more; their centres are those of the clean images.
    rng : Generator
        For the bootstrap.
    groups : (n,), optional
        Independent unit behind each row.
    resamples : int
        Bootstrap resamples; the centres are resampled with the shifts.

    Returns
    -------
    dict
        ``value, low, high`` (95 %), ``n``, ``n_groups``.
    """
    clean, changed = np.asarray(clean, dtype=float), np.asarray(changed, dtype=float)
    if clean.shape != changed.shape or clean.ndim != 2:
        raise ValueError(
            f"latents of shapes {clean.shape} and {changed.shape}; expected (n, latent)"
        )
    classes, index = np.unique(labels, return_inverse=True)
    if len(classes) < 2:
        raise ValueError(f"one class ({classes[0]}) has no distance to another; expected two")
    groups = np.arange(len(clean)) if groups is None else groups
    counts = bootstrap_groups(groups, resamples, rng).astype(float)
    shift = counts @ np.linalg.norm(changed - clean, axis=1) / counts.sum(axis=1)
    member = np.eye(len(classes))[index]
    between = np.full(len(counts), np.nan)
    for i, row in enumerate(counts):
        mass = row @ member
        if (mass > 0).all():
            between[i] = pdist((member * row[:, None]).T @ clean / mass[:, None]).mean()
    return estimate(shift / between, n=len(clean), n_groups=len(np.unique(groups)))
