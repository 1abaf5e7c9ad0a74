"""Batches of rows that are in memory: order drawn from one generator."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

__all__ = ["RowBatches"]


class RowBatches:
    """Iterate over rows of numbers and their targets.

    Parameters
    ----------
    inputs : (n, feature) float32
        Scaled rows.
    targets : (n,) float32
        Scaled targets.
    batch : int
        Largest number of rows in a batch; batches differ by one row at most.
    generator : torch.Generator, optional
        Draws the order. None: rows in order.
    """

    def __init__(
        self, inputs: Tensor, targets: Tensor, batch: int, generator: torch.Generator | None = None
    ) -> None:
        self.inputs, self.targets, self.generator = inputs, targets, generator
        self.pieces = max(1, -(-len(inputs) // batch))

    def __len__(self) -> int:
        return self.pieces

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        if self.generator is None:
            order = torch.arange(len(self.inputs))
        else:
            order = torch.randperm(len(self.inputs), generator=self.generator)
        for part in torch.tensor_split(order, self.pieces):
            yield self.inputs[part], self.targets[part]
