"""Watch the gradients of a training: of each term of the loss, and whether old ones are left in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

__all__ = ["GradientWatch", "ends_and_middle", "watch"]


class GradientWatch:
    """Notes gradient norms at chosen steps of any loop; `watch` makes one.

    A loop calls `note` once a step, before the backward pass. Hooks then see the gradient that
    this pass brings (``fresh``) and what ``.grad`` holds after it (``accumulated``): they differ
    where a loop forgets to zero its gradients. A loop that adds up several passes on purpose
    differs too, and has to say so.

    Parameters
    ----------
    parameters : iterable of Tensor
        Leaves whose gradients are watched.
    at : sequence of int
        Steps to note, counted from 0.
    """

    def __init__(self, parameters: Iterable[Tensor], at: Sequence[int]) -> None:
        self.parameters = [p for p in parameters if p.requires_grad]
        self.at = set(at)
        self.steps = 0
        self.noted: dict[str, list[float]] = {}
        self._armed = False
        self._squares: dict[str, list[Tensor]] = {"fresh": [], "accumulated": []}
        leaves: list[Any] = self.parameters  # torch leaves its hooks without types
        for parameter in leaves:
            parameter.register_hook(self._fresh)
            parameter.register_post_accumulate_grad_hook(self._accumulated)

    def note(self, terms: dict[str, Tensor]) -> None:
        """Count a step; at the chosen ones note the gradient of each term.

        Parameters
        ----------
        terms : dict of scalar Tensor
            The terms whose sum is about to be passed backward; their graph is kept.
        """
        self._close()
        step, self.steps = self.steps, self.steps + 1
        if step not in self.at:
            return
        self._add("step", float(step))
        for name, term in terms.items():
            self._add(name, self._norm_of(term))
        self._armed = True

    def record(self) -> dict[str, list[float]]:
        """Return what was noted: ``step``, a list for each term, ``fresh`` and ``accumulated``."""
        self._close()
        return {name: list(values) for name, values in self.noted.items()}

    def state_dict(self) -> dict[str, Any]:
        """Return what a resumed training needs to go on."""
        return {"steps": self.steps, "noted": self.record()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self.steps, self.noted = state["steps"], dict(state["noted"])

    def _norm_of(self, term: Tensor) -> float:
        if not term.requires_grad:
            return 0.0
        gradients = torch.autograd.grad(term, self.parameters, retain_graph=True, allow_unused=True)
        squares = [g.detach().square().sum() for g in gradients if g is not None]
        return float(torch.stack(squares).sum().sqrt()) if squares else 0.0

    def _fresh(self, gradient: Tensor) -> None:
        if self._armed:
            self._squares["fresh"].append(gradient.detach().square().sum())

    def _accumulated(self, parameter: Tensor) -> None:
        if self._armed and parameter.grad is not None:
            self._squares["accumulated"].append(parameter.grad.detach().square().sum())

    def _close(self) -> None:
        """Turn what the hooks saw in the last noted pass into two norms."""
        if not self._armed:
            return
        self._armed = False
        for name, squares in self._squares.items():
            self._add(name, float(torch.stack(squares).sum().sqrt()) if squares else 0.0)
            squares.clear()

    def _add(self, name: str, value: float) -> None:
        self.noted.setdefault(name, []).append(value)


def watch(parameters: Iterable[Tensor], at: Sequence[int]) -> GradientWatch:
    """Watch the gradients of parameters at some steps.

    Parameters
    ----------
    parameters : iterable of Tensor
        As from ``net.parameters()``.
    at : sequence of int
        Steps to note, counted from 0; see `ends_and_middle`.

    Examples
    --------
    >>> weight = torch.tensor([2.0], requires_grad=True)
    >>> gradients = watch([weight], at=[0, 1])
    >>> for _ in range(2):  # never zeroed
    ...     terms = {"square": (weight**2).sum(), "nothing": 0 * weight.sum()}
    ...     gradients.note(terms)
    ...     sum(terms.values()).backward()
    >>> gradients.record()["square"], gradients.record()["nothing"]
    ([4.0, 4.0], [0.0, 0.0])
    >>> gradients.record()["fresh"], gradients.record()["accumulated"]
    ([4.0, 4.0], [4.0, 8.0])
    """
    return GradientWatch(parameters, at)


def ends_and_middle(steps: int) -> list[int]:
    """Return the first, the middle and the last of so many steps.

    Examples
    --------
    >>> ends_and_middle(100)
    [0, 50, 99]
    """
    return sorted({0, steps // 2, max(steps - 1, 0)})
