"""What the outputs of a regression net mean: the loss of each reading, and its moments."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from torch import Tensor

__all__ = ["LIKELIHOODS", "Likelihood"]

FLOOR = 1e-3  # of a scaled standard deviation
EVIDENCE_WEIGHT = 0.01


@dataclass(frozen=True)
class Likelihood:
    """A reading of the outputs.

    Parameters
    ----------
    outputs : int
        Numbers it needs for each row.
    terms : callable
        From outputs (…, n, outputs) and target (n,) to the terms of the loss, (…) each; the
        first is the negative log likelihood.
    moments : callable
        From outputs to mean, aleatoric variance and epistemic variance, (…, n) each.
    """

    outputs: int
    terms: Callable[[Tensor, Tensor], dict[str, Tensor]]
    moments: Callable[[Tensor], tuple[Tensor, Tensor, Tensor]]


def _normal(outputs: Tensor) -> tuple[Tensor, Tensor]:
    return outputs[..., 0], FLOOR + F.softplus(outputs[..., 1])


def _normal_terms(outputs: Tensor, target: Tensor) -> dict[str, Tensor]:
    mean, sd = _normal(outputs)
    nll = 0.5 * ((target - mean) / sd) ** 2 + sd.log() + 0.5 * math.log(2 * math.pi)
    return {"nll": nll.mean(-1)}


def _normal_moments(outputs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    mean, sd = _normal(outputs)
    return mean, sd**2, torch.zeros_like(mean)


def _evidential(outputs: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return mean, nu, alpha and beta of a normal inverse gamma distribution."""
    nu, alpha, beta = F.softplus(outputs[..., 1:]).unbind(-1)
    return outputs[..., 0], nu + FLOOR, alpha + 1 + FLOOR, beta + FLOOR**2


def _evidential_terms(outputs: Tensor, target: Tensor) -> dict[str, Tensor]:
    """Return eq. 8 and 9 of Amini et al. 2020, arXiv:1910.02600."""
    mean, nu, alpha, beta = _evidential(outputs)
    omega = 2 * beta * (1 + nu)
    miss = target - mean
    nll = (
        0.5 * torch.log(math.pi / nu)
        - alpha * omega.log()
        + (alpha + 0.5) * (miss**2 * nu + omega).log()
        + torch.lgamma(alpha)
        - torch.lgamma(alpha + 0.5)
    )
    evidence = EVIDENCE_WEIGHT * miss.abs() * (2 * nu + alpha)
    return {"nll": nll.mean(-1), "evidence": evidence.mean(-1)}


def _evidential_moments(outputs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return eq. 5 of Amini et al. 2020: E[mu], E[sigma2], Var[mu]."""
    mean, nu, alpha, beta = _evidential(outputs)
    aleatoric = beta / (alpha - 1)
    return mean, aleatoric, aleatoric / nu


LIKELIHOODS = {
    "normal": Likelihood(2, _normal_terms, _normal_moments),
    "evidential": Likelihood(4, _evidential_terms, _evidential_moments),
}
