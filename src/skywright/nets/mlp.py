"""A plain network for rows of numbers."""

from __future__ import annotations

from torch import Tensor, nn

__all__ = ["MLP", "layer_sizes"]


class MLP(nn.Module):
    """Fully connected layers with ReLU between them.

    What the outputs mean is up to the likelihood that it is fitted with: for ``normal`` two a
    value, the mean and what the standard deviation is made from.

    Parameters
    ----------
    inputs : int
        Numbers in a row.
    outputs : int
        Numbers predicted for each row.
    width : int
        Units of a hidden layer.
    layers : int
        Hidden layers.

    Examples
    --------
    >>> import torch
    >>> net = MLP(inputs=13)
    >>> tuple(net(torch.zeros(4, 13)).shape)
    (4, 2)
    """

    def __init__(self, inputs: int, outputs: int = 2, width: int = 100, layers: int = 3) -> None:
        super().__init__()
        sizes = layer_sizes(inputs, width, layers)
        self.hidden = nn.ModuleList(
            [nn.Linear(a, b) for a, b in zip(sizes[:-1], sizes[1:], strict=True)]
        )
        self.head = nn.Linear(sizes[-1], outputs)

    def forward(self, rows: Tensor) -> Tensor:
        """Map rows (n, inputs) to predictions (n, outputs)."""
        for layer in self.hidden:
            rows = layer(rows).relu()
        out: Tensor = self.head(rows)
        return out


def layer_sizes(inputs: int, width: int, layers: int) -> list[int]:
    """Return the sizes from the inputs to the last hidden layer."""
    if min(inputs, width, layers) < 1:
        raise ValueError(
            f"inputs {inputs}, width {width}, layers {layers}; expected numbers above 0"
        )
    return [inputs] + [width] * layers
