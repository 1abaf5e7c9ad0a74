"""How large a stored model is: the numbers that it holds."""

from __future__ import annotations

import math
import zipfile
from pathlib import Path

from safetensors import safe_open

from skywright.trust.rules.pickles import numpy_header

__all__ = ["count_numbers"]


def count_numbers(model: Path) -> int:
    """Return how many numbers the weights of a net and the arrays of an estimator hold together.

    Parameters
    ----------
    model : Path
        Folder of a `skywright.data.Model`; buffers of a net, as running means, count like weights,
        and of a tree every field of every node.
    """
    total = 0
    if (model / "model.safetensors").is_file():
        with safe_open(model / "model.safetensors", framework="numpy") as weights:
            names = weights.keys()
            total += sum(math.prod(weights.get_slice(name).get_shape()) for name in names)
    if (model / "estimator.skops").is_file():
        with zipfile.ZipFile(model / "estimator.skops") as packed:
            for name in packed.namelist():
                if name.endswith(".npy"):
                    with packed.open(name) as member:
                        shape, kind = numpy_header(member)
                    total += math.prod(shape) * len(kind.names or (kind,))
    return total
