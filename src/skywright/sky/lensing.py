"""Ray tracing through one lens plane: deflection of several masses, convergence, magnification."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from skywright.sky.deflectors import sie_shear

__all__ = [
    "axis_ratio",
    "convergence",
    "deflect",
    "ellipticity",
    "jacobian",
    "magnification",
    "trace",
]

Lens = Mapping[str, Any] | Sequence[Mapping[str, Any]] | None


def deflect(x: Tensor, y: Tensor, lens: Lens) -> tuple[Tensor, Tensor]:
    """Add up the deflections of all masses of a lens.

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


def masses(lens: Lens) -> list[Mapping[str, Any]]:
    """Return the deflectors of a lens as a list."""
    if lens is None:
        return []
    return [lens] if isinstance(lens, Mapping) else list(lens)


def trace(x: Tensor, y: Tensor, lens: Lens) -> tuple[Tensor, Tensor]:
    """Return where in the source plane the light seen at (x, y) comes from [angle]."""
    ax, ay = deflect(x, y, lens)
    return x - ax, y - ay


def jacobian(x: Tensor, y: Tensor, lens: Lens) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Differentiate the source position by the image position.

    Parameters
    ----------
    x, y : (...) [angle]
        Image-plane coordinates.
    lens : mapping, or a sequence of them
        As for `deflect`.

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
        xx, xy = torch.autograd.grad(source_x.sum(), (x, y), retain_graph=True)
        yx, yy = torch.autograd.grad(source_y.sum(), (x, y))
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
