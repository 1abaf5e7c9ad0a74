"""The module that Lightning calls for regression: several nets at once, term by term."""

from __future__ import annotations

import torch
from torch import Tensor

from skywright.learn.likelihoods import Likelihood
from skywright.learn.loop import Loop
from skywright.learn.members import Members

__all__ = ["Regressor"]


class Regressor(Loop):
    """Nets that share batches, each with the loss of a likelihood and its own penalties.

    The losses of the members are added up: no weight belongs to two of them, so each is trained
    as it would be alone.

    Parameters
    ----------
    members : Members
        The nets.
    likelihood : Likelihood
        What their outputs mean.
    rows : int
        Training rows, over which penalties are shared out.
    learning_rate, weight_decay, steps
        As for `Loop`.
    """

    def __init__(
        self,
        members: Members,
        likelihood: Likelihood,
        rows: int,
        learning_rate: float,
        weight_decay: float,
        steps: int,
    ) -> None:
        super().__init__(members, learning_rate, weight_decay, steps)
        self.likelihood, self.rows = likelihood, rows

    def training_step(self, batch: tuple[Tensor, Tensor], _: int) -> Tensor:
        """Return the loss of one batch, added up over terms and members."""
        inputs, target = batch
        outputs, penalties = self.net(inputs)
        terms = self.likelihood.terms(outputs, target)
        terms |= {name: value / self.rows for name, value in penalties.items()}
        self.gradients.note({name: value.sum() for name, value in terms.items()})
        for name, value in terms.items():
            self.keep(f"train_{name}", value.mean(), len(target))
        loss = torch.stack(list(terms.values())).sum(dim=0)
        self.keep("train_loss", loss.mean(), len(target))
        return loss.sum()

    def validation_step(self, batch: tuple[Tensor, Tensor], _: int) -> None:
        """Log the mean negative log likelihood of the members on one batch."""
        inputs, target = batch
        outputs, _penalties = self.net(inputs)
        self.keep(
            "validation_loss", self.likelihood.terms(outputs, target)["nll"].mean(), len(target)
        )
