"""Ray tracing through lens planes: deflection of several masses, convergence, magnification."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from skywright.sky.deflectors import sie_shear

__all__ = [
    "Planes",
    "axis_ratio",
    "convergence",
    "crossings",
    "deflect",
    "ellipticity",
    "front",
    "jacobian",
    "magnification",
    "map_parameters",
    "trace",
]

Masses = Mapping[str, Any] | Sequence[Mapping[str, Any]] | None


@dataclass(frozen=True)
class Planes:
    """Masses in several planes in front of a source; made by `skywright.sky.arrange_planes`.

    Parameters
    ----------
    masses : tuple of masses
        Those of each plane, the nearest first, with deflections reduced for the source.
    weights : tuple of tuples of (system,) [1]
        ``weights[j][i]``: how much the deflection in plane i counts for the position in plane
        j + 1, the last of which is the source. None is 1.
    """

    masses: tuple[Masses, ...]
    weights: tuple[tuple[Tensor | None, ...], ...]


Lens = Masses | Planes


def deflect(x: Tensor, y: Tensor, lens: Masses) -> tuple[Tensor, Tensor]:
    """Add up the deflections of all masses in one plane.

    Parameters
    ----------
    x, y : (...) [angle]
        Image-plane coordinates.
    lens : mapping, or a sequence of them
        Parameters of one deflector each. Key ``deflector`` holds its function out of
        `skywright.sky.deflectors`; left out, it is `sie_shear`. None deflects nothing.

    Returns
    -------
    ax, ay : (...) [angle]
        Deflection.
    """
    ax, ay = torch.zeros_like(x), torch.zeros_like(y)
    for mass in masses(lens):
        parameters = dict(mass)
        deflector = parameters.pop("deflector", sie_shear)
        dx, dy = deflector(x, y, **parameters)
        ax, ay = ax + dx, ay + dy
    return ax, ay


def masses(lens: Masses) -> list[Mapping[str, Any]]:
    """Return the deflectors of a plane as a list."""
    if lens is None:
        return []
    return [lens] if isinstance(lens, Mapping) else list(lens)


def in_planes(lens: Lens) -> Planes:
    """Return a lens as planes; masses alone are one plane."""
    return lens if isinstance(lens, Planes) else Planes((lens,), ((None,),))


def front(lens: Planes, count: int) -> Planes:
    """Return the first ``count`` planes, for a source in the one behind them."""
    return Planes(lens.masses[:count], lens.weights[:count])


def map_parameters(lens: Lens, change: Callable[[Any], Any]) -> Planes:
    """Return a lens whose parameters and weights all went through ``change``."""
    planes = in_planes(lens)
    changed = tuple(
        [{k: v if callable(v) else change(v) for k, v in mass.items()} for mass in masses(plane)]
        for plane in planes.masses
    )
    weights = tuple(tuple(None if w is None else change(w) for w in row) for row in planes.weights)
    return Planes(changed, weights)


def crossings(x: Tensor, y: Tensor, lens: Lens) -> list[tuple[Tensor, Tensor]]:
    """Follow rays back through all planes.

    Parameters
    ----------
    x, y : (...) [angle]
        Where the light is seen.
    lens : mapping, sequence of mappings, or Planes
        As for `deflect`, or several planes.

    Returns
    -------
    places : list of (x, y) [angle]
        Where the rays cross each plane, the nearest first, and the source at last.

    References
    ----------
    Schneider, Ehlers & Falco 1992, Gravitational Lenses, eq. 9.7; Petkova, Metcalf & Giocoli
    2014, MNRAS 445, 1954, eq. 9.
    """
    planes = in_planes(lens)
    places = [(x, y)]
    bends: list[tuple[Tensor, Tensor]] = []
    for plane, weights in zip(planes.masses, planes.weights, strict=True):
        bends.append(deflect(*places[-1], plane))
        u, v = x, y
        for (ax, ay), weight in zip(bends, weights, strict=True):
            u, v = (u - ax, v - ay) if weight is None else (u - weight * ax, v - weight * ay)
        places.append((u, v))
    return places


def trace(x: Tensor, y: Tensor, lens: Lens) -> tuple[Tensor, Tensor]:
    """Return where in the source plane the light seen at (x, y) comes from [angle]."""
    return crossings(x, y, lens)[-1]


def jacobian(x: Tensor, y: Tensor, lens: Lens) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Differentiate the source position by the image position.

    Parameters
    ----------
    x, y : (...) [angle]
        Image-plane coordinates.
    lens : mapping, sequence of mappings, or Planes
        As for `crossings`.

    Returns
    -------
    xx, xy, yx, yy : (...) [1]
        Derivatives of the source x by image x, of x by y, of y by x, of y by y; exact, by
        automatic differentiation.
    """
    with torch.enable_grad():
        x, y = (x + 0 * y).detach().requires_grad_(), (y + 0 * x).detach().requires_grad_()
        source_x, source_y = trace(x, y, lens)
        # A ray depends on its own position alone: the gradient of a sum holds all derivatives.
        xx, xy = torch.autograd.grad(
            source_x.sum(), (x, y), retain_graph=True, materialize_grads=True
        )
        yx, yy = torch.autograd.grad(source_y.sum(), (x, y), materialize_grads=True)
    return xx, xy, yx, yy


def convergence(x: Tensor, y: Tensor, lens: Lens) -> Tensor:
    """Return the convergence [1] at image positions: half the divergence of the deflection."""
    xx, _, _, yy = jacobian(x, y, lens)
    return 1 - (xx + yy) / 2


def magnification(x: Tensor, y: Tensor, lens: Lens) -> Tensor:
    """Return the signed magnification [1] at image positions; negative at saddle points."""
    xx, xy, yx, yy = jacobian(x, y, lens)
    return 1 / (xx * yy - xy * yx)


def ellipticity(q: Tensor, phi: Tensor) -> tuple[Tensor, Tensor]:
    """Turn axis ratio and position angle [rad] into e1, e2 with modulus (1 - q) / (1 + q).

    Examples
    --------
    >>> e1, e2 = ellipticity(torch.tensor(0.5), torch.tensor(0.0))
    >>> round(float(e1), 4), float(e2)
    (0.3333, 0.0)
    """
    modulus = (1 - q) / (1 + q)
    return modulus * torch.cos(2 * phi), modulus * torch.sin(2 * phi)


def axis_ratio(e1: Tensor, e2: Tensor) -> tuple[Tensor, Tensor]:
    """Turn e1, e2 into axis ratio and position angle [rad]: the inverse of `ellipticity`."""
    modulus = torch.hypot(e1, e2)
    return (1 - modulus) / (1 + modulus), torch.atan2(e2, e1) / 2
