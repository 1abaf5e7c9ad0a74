"""Read what a caller describes as lens and light into tensors, refusing what has no meaning."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from skywright.sky.deflectors import sie_shear
from skywright.sky.lensing import Planes, map_parameters
from skywright.sky.light import sersic, sersic_law, sersic_terms
from skywright.sky.profiles.brightness import disc

__all__ = ["Light", "Mass", "Part", "read_light", "read_masses", "take"]

Description = Mapping[str, Any] | Sequence[Mapping[str, Any]] | None
Mass = Mapping[str, Any]

# name -> (lowest, highest, may the lowest be reached, in words)
BOUNDS = {
    "q": (0.0, 1.0, False, "0 < q <= 1"),
    "radius": (0.0, torch.inf, False, "a positive length"),
    "width": (0.0, torch.inf, False, "a positive length"),
    "radius_s": (0.0, torch.inf, False, "a positive length"),
    "sigma": (0.0, torch.inf, False, "a positive length"),
    "core": (0.0, torch.inf, True, "zero or a positive length"),
    "cutoff": (0.0, torch.inf, False, "a positive length"),
    "theta_e": (0.0, torch.inf, True, "zero or a positive angle"),
    "n": (0.3, 10.0, True, "a Sersic index between 0.3 and 10"),
    "slope": (1.05, 2.95, True, "a slope between 1.05 and 2.95"),
}


EDGE = 0.05  # radii of a disc with a sharp edge: samples that see how large it is


@dataclass(frozen=True)
class Part:
    """Light of one profile.

    Parameters
    ----------
    profile : callable or None
        Surface brightness; None for point sources.
    parameters : mapping of (system, component)
        Arguments of the profile.
    amplitude : (system, component, band)
        Total unlensed flux.
    behind : int
        How many planes deflect it.
    finest : (system, component) [angle], optional
        Width of samples that resolves the centre.
    widest : float [angle]
        Width of samples that resolves an edge away from the centre.
    """

    profile: Callable[..., Tensor] | None
    parameters: dict[str, Tensor]
    amplitude: Tensor
    behind: int
    finest: Tensor | None = None
    widest: float = math.inf


Light = list[Part]


def read_masses(lens: Description, like: Tensor) -> list[Mass]:
    """Return deflectors, and their parameters as tensors of shape (1 or system,)."""
    found: list[Mass] = []
    for mass in _each(lens, "lens"):
        values = dict(mass)
        deflector = values.pop("deflector", sie_shear)
        tensors = {name: _tensor(name, value, like) for name, value in values.items()}
        deep = [name for name, value in tensors.items() if value.ndim > 1]
        if deep:
            raise ValueError(
                f"{deep[0]} of the lens has shape {tuple(tensors[deep[0]].shape)}; expected "
                "(system,): give several masses as a list of mappings"
            )
        shaped = {name: _to_axes(value, 1) for name, value in tensors.items()}
        found.append({"deflector": deflector, **shaped})
    return found


def read_light(light: Description, behind: int, like: Tensor) -> Light:
    """Return parts with parameters of shape (1 or system, component)."""
    return [_read_part(part, behind, like) for part in _each(light, "light")]


def _read_part(part: Mapping[str, Any], behind: int, like: Tensor) -> Part:
    values = dict(part)
    profile = values.pop("profile", sersic)
    if "amplitude" not in values:
        raise ValueError(f"light with {sorted(values)} has no amplitude; expected its total flux")
    amplitude = _tensor("amplitude", values.pop("amplitude"), like)
    if amplitude.ndim != 3:
        raise ValueError(
            f"amplitude has shape {tuple(amplitude.shape)}; expected (system, component, band): "
            "add the missing axes, of length 1 if need be"
        )
    tensors = {name: _tensor(name, value, like) for name, value in values.items()}
    _agree({"amplitude": amplitude, **tensors})
    if any(value.ndim == 3 for value in tensors.values()):
        return _worked_out(_shape_per_band(Part(profile, tensors, amplitude, behind)), like)
    tensors = {name: _to_axes(value, 2) for name, value in tensors.items()}
    return _worked_out(Part(profile, tensors, amplitude, behind), like)


def _shape_per_band(part: Part) -> Part:
    """Turn a profile whose shape differs between bands into one component for each band."""
    tensors = {name: _to_axes(value, 3) for name, value in part.parameters.items()}
    shape = np.broadcast_shapes(part.amplitude.shape, *(v.shape for v in tensors.values()))
    amplitude = torch.diag_embed(part.amplitude.expand(shape)).flatten(1, 2)
    tensors = {name: value.expand(shape).flatten(1, 2) for name, value in tensors.items()}
    return replace(part, parameters=tensors, amplitude=amplitude)


def _worked_out(part: Part, like: Tensor) -> Part:
    """Bring parameters to (1 or system, component), with what can be computed once."""
    tensors, profile = dict(part.parameters), part.profile
    centre = {name: tensors.pop(name, like.new_zeros(1, 1)) for name in ("x0", "y0")}
    finest = None
    if profile is sersic:
        profile, terms = sersic_law, sersic_terms(**tensors)
        finest, tensors = _finest(tensors, part.behind > 0), terms
    tensors = {name: _to_axes(value, 2) for name, value in (tensors | centre).items()}
    components = max([part.amplitude.shape[1], *(v.shape[1] for v in tensors.values())])
    tensors = {name: value.expand(-1, components) for name, value in tensors.items()}
    amplitude = part.amplitude.expand(-1, components, -1)
    widest = EDGE * float(tensors["radius"].min()) if profile is disc else math.inf
    return Part(profile, tensors, amplitude, part.behind, finest, widest)


def _finest(parameters: Mapping[str, Tensor], behind: bool) -> Tensor:
    """Return the width of samples over which a Sersic core may be uniform.

    The steeper the profile, the smaller the cusp; the rates were found by comparison with finer
    samples. A lens draws the cusp out into a ridge, of which more is close to the middle.
    """
    radius = parameters["radius"]
    one = torch.ones_like(radius)
    steepness = -(1.25 if behind else 1.0) * parameters.get("n", one)
    return 0.1 * radius * parameters.get("q", one).sqrt() * steepness.exp()


def take(rows: slice | Tensor, lens: Planes, light: Light) -> tuple[Planes, Light]:
    """Return some systems of a scene; what is the same for all systems has one row."""

    def rows_of(value: Tensor) -> Tensor:
        return value if len(value) == 1 else value[rows]

    parts = [
        replace(
            part,
            parameters={name: rows_of(value) for name, value in part.parameters.items()},
            amplitude=rows_of(part.amplitude),
            finest=None if part.finest is None else rows_of(part.finest),
        )
        for part in light
    ]
    return map_parameters(lens, rows_of), parts


def _agree(tensors: Mapping[str, Tensor]) -> None:
    """Refuse parameters of different numbers of systems, components or bands."""
    for axis, what in enumerate(("systems", "components", "bands")):
        sizes = {name: t.shape[axis] for name, t in tensors.items() if t.ndim > axis}
        several = {name: size for name, size in sizes.items() if size != 1}
        if len(set(several.values())) > 1:
            raise ValueError(f"light has different numbers of {what}: {several}; expected one")


def _each(description: Description, name: str) -> list[Mapping[str, Any]]:
    if description is None:
        return []
    parts = [description] if isinstance(description, Mapping) else list(description)
    wrong = [part for part in parts if not isinstance(part, Mapping)]
    if wrong:
        raise TypeError(
            f"{name} holds a {type(wrong[0]).__name__}; expected mappings of parameters"
        )
    return parts


def _to_axes(value: Tensor, axes: int) -> Tensor:
    """Append axes of length 1: the first axis is always the system."""
    return value.reshape(*(value.shape or (1,)), *(1,) * (axes - max(value.ndim, 1)))


def _tensor(name: str, value: Any, like: Tensor) -> Tensor:
    tensor = torch.as_tensor(value, dtype=like.dtype, device=like.device)
    if not bool(torch.isfinite(tensor).all()):
        raise ValueError(f"{name} holds NaN or infinity; leave out systems that have no {name}")
    low, high, reached, words = BOUNDS.get(name, (-torch.inf, torch.inf, True, ""))
    fine = (tensor >= low if reached else tensor > low) & (tensor <= high)
    if not bool(fine.all()):
        raise ValueError(f"{name} is {float(tensor[~fine].flatten()[0]):g}; expected {words}")
    return tensor
