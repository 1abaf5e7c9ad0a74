"""Layers whose weights are normal distributions, trained with noise of its own for each row."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from torch import Tensor, nn

from skywright.nets.mlp import MLP, layer_sizes

__all__ = ["FlipoutMLP"]


class FlipoutMLP(nn.Module):
    """Fully connected layers with a normal distribution over every weight.

    In training, weights are drawn once a batch and turned about by random signs that differ from
    row to row; in evaluation each weight is its mean. `draw` gives a network of the posterior.

    Parameters
    ----------
    inputs, outputs, width, layers
        As for `MLP`.
    spread : float
        Standard deviation that the posterior of every weight starts with.
    prior : float
        Standard deviation of the prior, a normal distribution around 0.

    References
    ----------
    Wen et al. 2018, arXiv:1803.04386, eq. 4; Blundell et al. 2015, arXiv:1505.05424, eq. 2.

    Examples
    --------
    >>> net = FlipoutMLP(inputs=13)
    >>> sorted(net.penalties())
    ['kl']
    """

    def __init__(
        self,
        inputs: int,
        outputs: int = 2,
        width: int = 100,
        layers: int = 3,
        spread: float = 0.01,
        prior: float = 1.0,
    ) -> None:
        super().__init__()
        self.options = {"inputs": inputs, "outputs": outputs, "width": width, "layers": layers}
        sizes = layer_sizes(inputs, width, layers)
        self.hidden = nn.ModuleList(
            [_Flipout(a, b, spread, prior) for a, b in zip(sizes[:-1], sizes[1:], strict=True)]
        )
        self.head = _Flipout(sizes[-1], outputs, spread, prior)

    def forward(self, rows: Tensor) -> Tensor:
        """Map rows (n, inputs) to predictions (n, outputs)."""
        for layer in self.hidden:
            rows = layer(rows).relu()
        out: Tensor = self.head(rows)
        return out

    def penalties(self) -> dict[str, Tensor]:
        """Return the divergence from the prior [nat], to be divided by the training rows."""
        layers = [*self.hidden, self.head]
        return {"kl": torch.stack([layer.divergence() for layer in layers]).sum()}

    def draw(self, generator: torch.Generator) -> MLP:
        """Draw a network from the posterior of the weights."""
        net = MLP(**self.options)
        with torch.no_grad():
            for mine, plain in zip([*self.hidden, self.head], [*net.hidden, net.head], strict=True):
                noise = torch.randn(mine.weight.shape, generator=generator)
                plain.weight.copy_(mine.weight + mine.log_spread.exp() * noise)
                plain.bias.copy_(mine.bias)
        return net.eval()


class _Flipout(nn.Linear):
    """A linear layer with a mean and a spread of each weight; the bias is one number."""

    def __init__(self, inputs: int, outputs: int, spread: float, prior: float) -> None:
        super().__init__(inputs, outputs)
        self.prior = prior
        self.log_spread = nn.Parameter(torch.full((outputs, inputs), math.log(spread)))

    def forward(self, rows: Tensor) -> Tensor:
        mean = super().forward(rows)
        if not self.training:
            return mean
        change = self.log_spread.exp() * torch.randn_like(self.weight)
        signs_in = torch.randint_like(rows, 2) * 2 - 1
        signs_out = torch.randint_like(mean, 2) * 2 - 1
        return mean + F.linear(rows * signs_in, change) * signs_out

    def divergence(self) -> Tensor:
        """Return KL(posterior || prior) of two normals, summed over the weights."""
        ratio = (2 * self.log_spread).exp() / self.prior**2
        return 0.5 * (ratio - ratio.log() - 1 + (self.weight / self.prior) ** 2).sum()
