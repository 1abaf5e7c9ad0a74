"""Several nets of one architecture as one module, whose weights are stacked and trained at once."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap

__all__ = ["Members", "member_state"]

_DOT = "|"  # names of parameters may not hold dots


class Members(nn.Module):
    """Nets that differ in their weights alone, evaluated together by `torch.func.vmap`.

    Parameters
    ----------
    nets : list of Module
        At least one; all of one architecture.
    """

    def __init__(self, nets: list[nn.Module]) -> None:
        super().__init__()
        parameters, buffers = stack_module_state(nets)
        for name, value in parameters.items():
            self.register_parameter(name.replace(".", _DOT), nn.Parameter(value.detach()))
        for name, value in buffers.items():
            self.register_buffer(name.replace(".", _DOT), value)
        # in a tuple, so that it is no part of this module and its weights stay without memory
        self.skeleton = (_Probe(copy.deepcopy(nets[0])).to("meta"),)

    def forward(self, inputs: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Map inputs (n, …) to outputs (member, n, output) and penalties (member,)."""
        skeleton = self.skeleton[0].train(self.training)
        parameters = {_inner(name): value for name, value in self.named_parameters()}
        buffers = {_inner(name): value for name, value in self.named_buffers()}

        def one(parameters: Any, buffers: Any) -> Any:
            return functional_call(skeleton, (parameters, buffers), (inputs,))

        out: tuple[Tensor, dict[str, Tensor]] = vmap(one, randomness="different")(
            parameters, buffers
        )
        return out


class _Probe(nn.Module):
    """A net that also returns what its weights cost, if they cost anything."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, inputs: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        penalties: Any = getattr(self.net, "penalties", dict)
        return self.net(inputs), penalties()


def _inner(name: str) -> str:
    return f"net.{name.replace(_DOT, '.')}"


def member_state(state: dict[str, Any], member: int) -> dict[str, Tensor]:
    """Return the state of one net from the stacked state of all."""
    return {name.replace(_DOT, "."): torch.as_tensor(v)[member] for name, v in state.items()}
