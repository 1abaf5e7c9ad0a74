"""Random numbers that belong to an image, whatever block or worker it is drawn in."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

__all__ = ["image_rng", "image_uniforms"]

SMALLEST = 2.0**-54  # zero would lie infinitely far out in a normal distribution


def image_rng(seed: int, configuration: int, image: int, *purpose: int) -> np.random.Generator:
    """Return the generator of one image.

    Parameters
    ----------
    seed : int
        SEED of the data set.
    configuration, image : int
        Number of the configuration, from one, and of the image in it, from zero.
    purpose : int
        Tells streams of one image apart.
    """
    sequence = np.random.SeedSequence([seed, configuration, image, *purpose])
    return np.random.Generator(np.random.Philox(sequence))


def image_uniforms(
    seed: int, configuration: int, images: Iterable[int], attempt: int, count: int
) -> np.ndarray:
    """Return uniform numbers for the parameters of images.

    Returns
    -------
    (image, count)
        Between 0 and 1, both left out.
    """
    rows = [image_rng(seed, configuration, int(i), 0, attempt).random(count) for i in images]
    return np.maximum(np.reshape(rows, (len(rows), count)), SMALLEST)
