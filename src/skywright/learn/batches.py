"""Batches of cutouts: order, reading and augmentation, all drawn from one generator."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from skywright.data import Images
from skywright.learn.scaling import scale_images

__all__ = ["Batches", "augment", "turn"]

PRELOAD_BYTES = 2_000_000_000
_CHUNK = 1024
_CHUNKS_IN_MEMORY = 8


class Batches:
    """Iterate over chosen rows of `Images` as scaled batches.

    A small set is scaled once and kept; a large one is read from disk in chunks of consecutive
    rows, which are drawn in random order and mixed a few at a time. Where several processes
    train together, all draw the same batches and each takes its share of every one.

    Parameters
    ----------
    images : Images
        All cutouts.
    rows : (m,) int
        The rows to iterate over, ascending.
    labels : (n,) float
        Label of every row of ``images``.
    batch : int
        Largest number of images in a batch; batches differ by one image at most.
    generator : torch.Generator, optional
        Draws the order and the augmentation. None: rows in order, untouched.
    shift : int [pixel]
        Largest shift of the augmentation along each axis.
    preload : int [byte], optional
        Sets up to this size are kept in memory; `PRELOAD_BYTES` by default.
    """

    def __init__(
        self,
        images: Images,
        rows: np.ndarray,
        labels: np.ndarray,
        batch: int,
        generator: torch.Generator | None = None,
        shift: int = 0,
        preload: int | None = None,
    ) -> None:
        self.images, self.rows, self.batch = images, rows, batch
        self.labels = torch.from_numpy(np.asarray(labels, dtype=np.float32))
        self.generator, self.shift = generator, shift
        size = 4 * len(rows) * int(np.prod(images.flux.shape[1:]))
        kept = size <= (PRELOAD_BYTES if preload is None else preload)
        chunk = len(rows) if kept else _CHUNK
        self.chunks = [rows[i : i + chunk] for i in range(0, len(rows), chunk)]
        self.kept = self._read(rows) if kept else None

    def __len__(self) -> int:
        return sum(_pieces(sum(map(len, pool)), self.batch) for pool in self._pools(None))

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for pool in self._pools(self.generator):
            rows = np.concatenate(pool)
            values = self.kept if self.kept is not None else self._read(rows)
            order = torch.arange(len(rows))
            if self.generator is not None:
                order = torch.randperm(len(rows), generator=self.generator)
            for part in torch.tensor_split(order, _pieces(len(rows), self.batch)):
                images, labels = values[part], self.labels[rows[part.numpy()]]
                if self.generator is None:
                    yield images, labels
                else:
                    images = augment(images, self.generator, self.shift)
                    yield images[_rank() :: _ranks()], labels[_rank() :: _ranks()]

    def _pools(self, generator: torch.Generator | None) -> list[list[np.ndarray]]:
        """Group the chunks that are in memory together, in this epoch's order."""
        order = list(range(len(self.chunks)))
        if generator is not None and len(order) > 1:
            order = torch.randperm(len(order), generator=generator).tolist()
        chunks = [self.chunks[i] for i in order]
        return [chunks[i : i + _CHUNKS_IN_MEMORY] for i in range(0, len(chunks), _CHUNKS_IN_MEMORY)]

    def _read(self, rows: np.ndarray) -> Tensor:
        """Read and scale rows, chunk by chunk."""
        parts = [
            scale_images(self.images[rows[i : i + _CHUNK]]) for i in range(0, len(rows), _CHUNK)
        ]
        return torch.from_numpy(np.concatenate(parts))


def augment(images: Tensor, generator: torch.Generator, shift: int = 0) -> Tensor:
    """Turn, mirror and shift every image at random.

    Parameters
    ----------
    images : (n, band, y, x)
        A batch; not changed.
    generator : torch.Generator
        Source of the randomness.
    shift : int [pixel]
        Largest shift along each axis; pixels that leave on one side are lost, and the edge is
        repeated on the other.
    """
    n = len(images)
    views = torch.randint(0, 8, (n,), generator=generator)
    moves = torch.randint(-shift, shift + 1, (n, 2), generator=generator)
    square = images.shape[-1] == images.shape[-2]
    out = torch.empty_like(images)
    for view in range(8):
        chosen = views == view
        # an odd quarter turn would change the shape of a cutout that is not square
        out[chosen] = turn(images[chosen], view if square else view & ~1)
    if shift == 0:
        return out
    ny, nx = images.shape[-2:]
    y = (torch.arange(ny) + moves[:, :1]).clamp(0, ny - 1)
    x = (torch.arange(nx) + moves[:, 1:]).clamp(0, nx - 1)
    return out[torch.arange(n)[:, None, None], :, y[:, :, None], x[:, None, :]].permute(0, 3, 1, 2)


def turn(images: Tensor, view: int) -> Tensor:
    """Return one of the eight views (0 to 7) of a square: quarter turns, then mirrored ones."""
    turned = torch.rot90(images, view % 4, (-2, -1))
    return turned.flip(-1) if view >= 4 else turned


def _pieces(rows: int, batch: int) -> int:
    """Return the number of nearly equal batches that hold ``rows``."""
    return max(1, -(-rows // batch))


def _ranks() -> int:
    """Return how many processes train together."""
    return torch.distributed.get_world_size() if torch.distributed.is_initialized() else 1


def _rank() -> int:
    """Return the number of this process among them."""
    return torch.distributed.get_rank() if torch.distributed.is_initialized() else 0
