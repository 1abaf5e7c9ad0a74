"""Surface brightness of further galaxies; conventions are those of `skywright.sky.light`."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from skywright.sky.deflectors import Number, rotate
from skywright.sky.light import sersic_b

__all__ = [
    "core_sersic",
    "core_sersic_flux",
    "disc",
    "gaussian",
    "hernquist_light",
    "pseudo_jaffe_light",
]

SHARPNESS = 3.0  # of the break of a cored Sersic profile
NODES = 200  # of a Gauss-Legendre rule in the logarithm of the radius
DECADES = 6.0  # below and above the half-light radius


def _squared(x: Tensor, y: Tensor, ellipse: tuple[Number, Number, Number, Number]) -> Tensor:
    """Return s^2 = q x'^2 + y'^2 / q, never 0."""
    q, phi, x0, y0 = ellipse
    u, v = rotate(x - x0, y - y0, phi)
    return (q * u * u + v * v / q).clamp_min(1e-24)


def gaussian(
    x: Tensor,
    y: Tensor,
    sigma: Number,
    q: Number = 1.0,
    phi: Number = 0.0,
    x0: Number = 0.0,
    y0: Number = 0.0,
) -> Tensor:
    """Return a Gaussian of flux 1 with the standard deviation ``sigma`` [angle]."""
    squared = _squared(x, y, (q, phi, x0, y0))
    return torch.exp(-squared / (2 * sigma * sigma)) / (2 * math.pi * sigma * sigma)


def disc(
    x: Tensor,
    y: Tensor,
    radius: Number,
    q: Number = 1.0,
    phi: Number = 0.0,
    x0: Number = 0.0,
    y0: Number = 0.0,
) -> Tensor:
    """Return flux 1, uniform within an ellipse of ``radius`` [angle]."""
    inside = _squared(x, y, (q, phi, x0, y0)) <= radius * radius
    return inside.to(x.dtype) / (math.pi * radius * radius)


def pseudo_jaffe_light(
    x: Tensor,
    y: Tensor,
    core: Number,
    cutoff: Number,
    q: Number = 1.0,
    phi: Number = 0.0,
    x0: Number = 0.0,
    y0: Number = 0.0,
) -> Tensor:
    """Return a pseudo-Jaffe profile, or chameleon, of flux 1.

    Parameters
    ----------
    x, y : (...) [angle]
        Coordinates.
    core, cutoff : [angle]
        Brightness is that of an isothermal mass with the core ``core`` less one with ``cutoff``.
    q, phi, x0, y0 : [1], [rad], [angle], [angle]
        Axis ratio, position angle and centre.

    Returns
    -------
    brightness : (...) [1/angle^2]

    References
    ----------
    Eliasdottir et al. 2007, arXiv:0710.5636, eq. A3; Dutton et al. 2011, MNRAS 417, 1621.
    """
    squared = _squared(x, y, (q, phi, x0, y0))
    inner, outer = ((squared + a * a).rsqrt() for a in (core, cutoff))
    return (inner - outer) / (2 * math.pi * (cutoff - core))


def hernquist_light(
    x: Tensor,
    y: Tensor,
    radius_s: Number,
    q: Number = 1.0,
    phi: Number = 0.0,
    x0: Number = 0.0,
    y0: Number = 0.0,
) -> Tensor:
    """Return a projected Hernquist profile of flux 1 with the scale radius ``radius_s`` [angle].

    References
    ----------
    Hernquist 1990, ApJ 356, 359, eq. 32.
    """
    t2 = _squared(x, y, (q, phi, x0, y0)) / (radius_s * radius_s)
    d = 1 - t2
    level = d.abs() < (1e-3 if x.dtype == torch.float64 else 3e-2)
    away = torch.where(level, torch.ones_like(d), d)
    root = away.abs().sqrt()
    f = torch.where(d > 0, torch.log((1 + root) / t2.sqrt()), torch.atan(root)) / root
    around_one = 4 / 15 + 8 * d / 35 + 4 * d * d / 21
    shape = torch.where(level, around_one, ((2 + t2) * f - 3) / (away * away))
    return shape / (2 * math.pi * radius_s * radius_s)


def core_sersic(
    x: Tensor,
    y: Tensor,
    radius: Number,
    core: Number,
    n: Number,
    inner: Number,
    flux: Number,
    q: Number = 1.0,
    phi: Number = 0.0,
    x0: Number = 0.0,
    y0: Number = 0.0,
) -> Tensor:
    """Return a Sersic profile that turns into a power law inside a core, over its ``flux``.

    Parameters
    ----------
    x, y : (...) [angle]
        Coordinates.
    radius, n : [angle], [1]
        Half-light radius and index of the Sersic profile outside.
    core, inner : [angle], [1]
        Radius of the break, and the slope of the power law inside.
    flux : [angle^2]
        What `core_sersic_flux` gives, so that the profile has flux 1.
    q, phi, x0, y0 : [1], [rad], [angle], [angle]
        Axis ratio, position angle and centre.

    Returns
    -------
    brightness : (...) [1/angle^2]

    References
    ----------
    Trujillo et al. 2004, AJ 127, 1917, eq. 5, with the sharpness 3.
    """
    n = torch.as_tensor(n, dtype=x.dtype, device=x.device)
    r = _squared(x, y, (q, phi, x0, y0)).sqrt()
    return _core_sersic_shape(r, radius, core, n, inner) / flux


def _core_sersic_shape(r: Tensor, radius: Number, core: Number, n: Tensor, inner: Number) -> Tensor:
    a = SHARPNESS
    outside = (r**a + core**a) ** (1 / (a * n)) / radius ** (1 / n)
    return (1 + (core / r) ** a) ** (inner / a) * torch.exp(-sersic_b(n) * (outside - 1))


def core_sersic_flux(radius: Tensor, core: Tensor, n: Tensor, inner: Tensor) -> Tensor:
    """Integrate `core_sersic` over the plane, to 1e-6.

    Parameters
    ----------
    radius, core, n, inner : (...) [angle], [angle], [1], [1]
        Its parameters.

    Returns
    -------
    flux : (...) [angle^2]

    Raises
    ------
    ValueError
        If the power law is so steep that its flux is infinite.
    """
    if bool((inner >= 2).any()):
        raise ValueError(f"inner slope is {float(inner.max()):g}; flux is finite below 2 only")
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    span = DECADES * math.log(10)
    log_r = torch.as_tensor(nodes) * span
    r = radius[..., None] * torch.exp(log_r)
    shape = _core_sersic_shape(r, *(p[..., None] for p in (radius, core, n, inner)))
    flux: Tensor = (2 * math.pi * r * r * shape * torch.as_tensor(weights) * span).sum(-1)
    return flux
