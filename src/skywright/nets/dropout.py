"""Dropout whose rates are learned: an approximate posterior over networks."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from skywright.nets.mlp import MLP, layer_sizes

__all__ = ["ConcreteDropoutMLP"]


class ConcreteDropoutMLP(nn.Module):
    """Fully connected layers, the inputs of each but the first dropped out at a learned rate.

    In training, units are dropped softly, which lets the rates have gradients; in evaluation
    nothing is dropped. `draw` gives one of the networks that the rates describe.

    Parameters
    ----------
    inputs, outputs, width, layers
        As for `MLP`.
    rate : float
        Rate that every layer starts with.
    temperature : float
        Of the soft decision; 0 would be a hard one.

    References
    ----------
    Gal, Hron & Kendall 2017, arXiv:1705.07832, eq. 5 (soft decision) and eq. 3 and 4 (penalty,
    here without that of the weights).

    Examples
    --------
    >>> net = ConcreteDropoutMLP(inputs=13)
    >>> [round(rate, 2) for rate in net.rates()]
    [0.1, 0.1, 0.1]
    """

    def __init__(
        self,
        inputs: int,
        outputs: int = 2,
        width: int = 100,
        layers: int = 3,
        rate: float = 0.1,
        temperature: float = 0.1,
    ) -> None:
        super().__init__()
        if not 0 < rate < 1:
            raise ValueError(f"rate is {rate}; expected a share between 0 and 1")
        self.options = {"inputs": inputs, "outputs": outputs, "width": width, "layers": layers}
        self.temperature = temperature
        sizes = layer_sizes(inputs, width, layers)
        self.hidden = nn.ModuleList(
            [nn.Linear(a, b) for a, b in zip(sizes[:-1], sizes[1:], strict=True)]
        )
        self.head = nn.Linear(width, outputs)
        self.odds = nn.Parameter(torch.full((layers,), math.log(rate / (1 - rate))))

    def forward(self, rows: Tensor) -> Tensor:
        """Map rows (n, inputs) to predictions (n, outputs)."""
        following = [*list(self.hidden)[1:], self.head]
        rows = self.hidden[0](rows).relu()
        for i, layer in enumerate(following):
            if self.training:
                rows = self._drop(rows, self.odds[i])
            rows = layer(rows) if layer is self.head else layer(rows).relu()
        return rows

    def penalties(self) -> dict[str, Tensor]:
        """Return what the rates cost [nat], to be divided by the number of training rows."""
        rate = torch.sigmoid(self.odds)
        entropy = -(rate * rate.log() + (1 - rate) * (1 - rate).log())
        return {"dropout": -self.head.in_features * entropy.sum()}

    def rates(self) -> list[float]:
        """Return the share of units that each layer drops."""
        return [float(rate) for rate in torch.sigmoid(self.odds.detach())]

    def draw(self, generator: torch.Generator) -> MLP:
        """Draw a network: the same units are dropped whatever the row."""
        net = MLP(**self.options)
        net.load_state_dict({k: v for k, v in self.state_dict().items() if k != "odds"})
        following: list[Any] = [*list(net.hidden)[1:], net.head]
        with torch.no_grad():
            for rate, layer in zip(self.rates(), following, strict=True):
                kept = torch.rand(layer.in_features, generator=generator) >= rate
                layer.weight.mul_(kept / (1 - rate))
        return net.eval()

    def _drop(self, rows: Tensor, odds: Tensor) -> Tensor:
        noise = torch.rand_like(rows).clamp(1e-7, 1 - 1e-7)
        dropped = torch.sigmoid((odds + noise.log() - (1 - noise).log()) / self.temperature)
        return rows * (1 - dropped) / (1 - torch.sigmoid(odds))
