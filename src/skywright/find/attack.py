"""Change every pixel a little, down the gradient: projected gradient descent."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

__all__ = ["attack_gradient"]


class _OnFlux(nn.Module):
    """A net that takes flux: divides by the noise and takes the arcsinh before."""

    def __init__(self, net: nn.Module, rms: Tensor, softening: float) -> None:
        super().__init__()
        self.net, self.rms, self.softening = net, rms, softening

    def forward(self, flux: Tensor, rows: slice) -> Tensor:
        out: Tensor = self.net(torch.asinh(flux / self.rms[rows] / self.softening))
        return out


def attack_gradient(
    net: nn.Module,
    flux: np.ndarray,
    labels: np.ndarray,
    rms: np.ndarray,
    rng: torch.Generator,
    *,
    electrons: float | None = None,
    gain: float | np.ndarray | None = None,
    snr: float | None = None,
    softening: float = 1.0,
    steps: int = 20,
    batch: int = 128,
) -> np.ndarray:
    """Return images changed so that a net errs, each pixel within a budget.

    Parameters
    ----------
    net : nn.Module
        From scaled images (n, band, y, x) to (n, class), or (n, 1) of two classes; in evaluation
        mode.
    flux : (n, band, y, x) [unit]
        Images.
    labels : (n,) int
        True classes.
    rms : (n or 1, band, 1 or y, 1 or x) [unit]
        Noise of the background.
    rng : torch.Generator
        Draws where within the budget the search starts.
    electrons : float [electron], optional
        Largest change of a pixel; needs ``gain``.
    gain : float or (band,) [electron per unit]
        Electrons per unit of flux.
    snr : float, optional
        Largest change of a pixel over its noise; give this or ``electrons``.
    softening : float
        Of the arcsinh with which the net sees signal over noise.
    steps : int
        Gradient steps, each 2.5 / ``steps`` of the budget.
    batch : int
        Images at a time.

    Returns
    -------
    (n, band, y, x) float32 [unit]
        No pixel differs by more than the budget.

    References
    ----------
    Madry et al. 2018, arXiv:1706.06083, section 2.1 (gradient of the flux here, so that the budget
    is one of the detector and not of the display).
    """
    budget = _budget(flux.shape[1], rms, electrons, gain, snr)
    bound = np.broadcast_to(budget, flux.shape).astype(np.float32)
    noise = np.broadcast_to(rms, flux.shape).astype(np.float32)
    seen = _OnFlux(net, torch.from_numpy(np.array(noise)), softening)
    changed = np.empty(flux.shape, dtype=np.float32)
    for start in range(0, len(flux), batch):
        rows = slice(start, start + batch)
        clean = torch.from_numpy(np.array(flux[rows], dtype=np.float32))
        limit = torch.from_numpy(np.array(bound[rows]))
        truth = torch.from_numpy(np.array(labels[rows], dtype=np.int64))
        change = (2 * torch.rand(clean.shape, generator=rng) - 1) * limit
        for _ in range(steps):
            change.requires_grad_()
            loss = _loss(seen(clean + change, rows), truth)
            (gradient,) = torch.autograd.grad(loss, change)
            with torch.no_grad():
                change = change + 2.5 / steps * limit * gradient.sign()
                change = torch.maximum(torch.minimum(change, limit), -limit)
        changed[rows] = (clean + change).numpy()
    return changed


def _loss(out: Tensor, truth: Tensor) -> Tensor:
    if out.shape[1] == 1:
        target = truth.to(out.dtype)
        return nn.functional.binary_cross_entropy_with_logits(out[:, 0], target, reduction="sum")
    return nn.functional.cross_entropy(out, truth, reduction="sum")


def _budget(
    bands: int,
    rms: np.ndarray,
    electrons: float | None,
    gain: float | np.ndarray | None,
    snr: float | None,
) -> np.ndarray:
    """Return the largest change [unit], in a shape that spreads over the images."""
    if (electrons is None) == (snr is None):
        raise ValueError("give the budget either as electrons=… with gain=…, or as snr=…")
    if snr is not None:
        return np.asarray(snr * np.asarray(rms))
    if gain is None:
        raise ValueError("a budget in electrons; expected gain=… [electron per unit] with it")
    factor = np.broadcast_to(np.asarray(gain, dtype=float), (bands,))
    assert electrons is not None
    return np.asarray((electrons / factor)[:, None, None])
