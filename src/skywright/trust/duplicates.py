"""What a split must never share: a pixel of the sky, a cutout, or its background."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from skywright.data import Images

__all__ = ["duplicates", "shared_pixels"]


def shared_pixels(
    x: np.ndarray,
    y: np.ndarray,
    roles: np.ndarray,
    size: int,
    tile: np.ndarray | None = None,
) -> dict[str, Any]:
    """Find test cutouts that share a pixel of the sky with one a net has learned from.

    Parameters
    ----------
    x, y : (n,) [pixel]
        Centres of the cutouts.
    roles : (n,) str
        ``train`` and ``validation`` are learned from, ``test`` is judged.
    size : int
        Side of a cutout in pixels.
    tile : (n,), optional
        Image each cutout is from; cutouts of different tiles share nothing.

    Returns
    -------
    dict
        ``value``, ``low``, ``high``: number of such test cutouts; ``passed`` when none; ``n``.

    Examples
    --------
    >>> x = np.array([0.0, 40.0, 200.0])
    >>> shared_pixels(x, np.zeros(3), np.array(["train", "test", "test"]), 48)["value"]
    1
    """
    tiles = np.zeros(len(x)) if tile is None else np.asarray(tile)
    centres = np.rint(np.stack([x, y], axis=1))
    learned, judged = _sides(roles)
    touched = 0
    for one in np.unique(tiles):
        near, far = learned & (tiles == one), judged & (tiles == one)
        if near.any() and far.any():
            distance, _ = cKDTree(centres[near]).query(centres[far], p=np.inf)
            touched += int((distance < size).sum())
    return _count(touched, int(judged.sum()))


def duplicates(images: Images, roles: np.ndarray, *, agreement: float = 0.5) -> dict[str, Any]:
    """Find test cutouts whose pixels, or whose background, a net has learned from.

    Identical pixels are found by hash. The same sky under another painting is found by its noise:
    the signs of the second differences around the rim agree, while those of two different
    backgrounds agree by chance alone.

    Parameters
    ----------
    images : Images
        Cutouts.
    roles : (n,) str
        As for `shared_pixels`.
    agreement : float
        Correlation of the signs above which two backgrounds are one.

    Returns
    -------
    dict
        As `shared_pixels`; ``identical`` is the number with the same hash.
    """
    learned, judged = _sides(roles)
    hashes, signs = [], []
    for block in images.blocks():
        flux = np.ascontiguousarray(block.flux)
        hashes += [hashlib.blake2b(one.tobytes(), digest_size=16).hexdigest() for one in flux]
        signs.append(_background_signs(flux))
    marks = np.array(hashes)
    same = np.isin(marks[judged], marks[learned])
    sign = np.concatenate(signs)
    alike = _most_alike(sign[judged], sign[learned]) > agreement
    return {**_count(int((same | alike).sum()), int(judged.sum())), "identical": int(same.sum())}


def _sides(roles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    names = np.asarray(roles).astype(str)
    return np.isin(names, ["train", "validation"]), names == "test"


def _count(found: int, n: int) -> dict[str, Any]:
    return {"value": found, "low": found, "high": found, "n": n, "passed": found == 0}


def _background_signs(flux: np.ndarray, most: int = 1024) -> np.ndarray:
    """Return unit vectors of the signs of the Laplacian outside 0.6 of the half side."""
    image = flux.astype(np.float32).mean(axis=1)
    laplacian = (
        image[:, :-2, 1:-1]
        + image[:, 2:, 1:-1]
        + image[:, 1:-1, :-2]
        + image[:, 1:-1, 2:]
        - 4 * image[:, 1:-1, 1:-1]
    )
    ny, nx = laplacian.shape[1:]
    distance = np.hypot(np.arange(ny)[:, None] - (ny - 1) / 2, np.arange(nx) - (nx - 1) / 2)
    rim = np.flatnonzero(distance.ravel() > 0.3 * min(ny, nx))
    rim = rim[:: max(1, len(rim) // most)]
    signs = np.sign(laplacian.reshape(len(flux), -1)[:, rim])
    return np.asarray(signs / np.maximum(np.linalg.norm(signs, axis=1, keepdims=True), 1))


def _most_alike(a: np.ndarray, b: np.ndarray, rows: int = 1024) -> np.ndarray:
    """Return the largest scalar product of each row of ``a`` with the rows of ``b``."""
    if len(b) == 0:
        return np.zeros(len(a))
    best = [(a[start : start + rows] @ b.T).max(axis=1) for start in range(0, len(a), rows)]
    return np.concatenate(best) if best else np.zeros(0)
