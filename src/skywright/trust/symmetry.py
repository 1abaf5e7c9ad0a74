"""Whether predictions stay where the world does not change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from skywright.trust.resampling import wilson

__all__ = ["judge_symmetry"]


def judge_symmetry(
    predictions: np.ndarray,
    transformed: Mapping[str, np.ndarray],
    *,
    tolerance: float,
    scale: float | None = None,
) -> dict[str, dict[str, Any]]:
    """Compare predictions with those of the same objects turned, mirrored, moved or reordered.

    Parameters
    ----------
    predictions : (n,) or (n, output)
        Of the objects as they are: logits, probabilities or numbers.
    transformed : mapping
        Name of the symmetry -> predictions of the transformed objects, brought back where the
        answer itself turns: row i is about the same object. Rotation, parity, translation, order
        of the inputs, another unit of the same flux.
    tolerance : float
        Largest rms change, in units of ``scale``, that passes: 1e-4 for a net that is built
        symmetric, 0.1 for one that learned to be.
    scale : float, optional
        By default the standard deviation of the predictions over the objects, so that a net that
        always says the same has no scale and is refused.

    Returns
    -------
    dict of dict
        Per symmetry ``rms`` and ``largest`` change in units of ``scale``; ``flipped``, the share
        of objects whose class changes (sign of one output, largest of several), with its Wilson
        interval ``flipped_low``, ``flipped_high``; ``tolerance``; ``passed``; ``n``.
    """
    before = np.asarray(predictions, dtype=float)
    scale = float(before.std()) if scale is None else scale
    if not scale > 0:
        raise ValueError(
            "all predictions are equal: any symmetry holds, and nothing is learned; give scale=…"
        )
    results = {}
    for name, values in transformed.items():
        after = np.asarray(values, dtype=float)
        if after.shape != before.shape:
            raise ValueError(f"{name}: predictions of shape {after.shape}, expected {before.shape}")
        change = np.abs(after - before) / scale
        flipped = float((_class(after) != _class(before)).mean())
        low, high = wilson(flipped, len(before))
        rms = float(np.sqrt((change**2).mean()))
        results[name] = {
            "rms": rms,
            "largest": float(change.max()),
            "flipped": flipped,
            "flipped_low": low,
            "flipped_high": high,
            "tolerance": tolerance,
            "passed": rms <= tolerance,
            "n": len(before),
        }
    return results


def _class(values: np.ndarray) -> np.ndarray:
    if values.ndim == 1 or values.shape[1] == 1:
        return np.ravel(values) > 0
    return np.asarray(values.argmax(axis=1))
