"""Lensing potentials of the deflectors, up to a constant: what delays light besides its path."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from skywright.sky.deflectors import (
    Number,
    epl,
    nfw,
    point_mass,
    rotate,
    shear,
    sie,
    sie_shear,
    sis,
)
from skywright.sky.lensing import Masses, masses
from skywright.sky.profiles.deflections import matrix, power_law_potential, sheet

__all__ = ["potential"]

NODES = 64  # of a Gauss-Legendre rule from the centre of a mass outwards


def potential(x: Tensor, y: Tensor, lens: Masses) -> Tensor:
    """Add up the lensing potentials of all masses in one plane.

    Parameters
    ----------
    x, y : (...) [angle]
        Image-plane coordinates.
    lens : mapping, or a sequence of them
        As for `skywright.sky.lensing.deflect`.

    Returns
    -------
    psi : (...) [angle^2]
        Its gradient is the deflection. A constant is free and differs from mass to mass.

    Examples
    --------
    >>> round(float(potential(torch.tensor(3.0), torch.tensor(4.0), {"theta_e": 2.0})), 4)
    10.0
    """
    psi = torch.zeros_like(x)
    for mass in masses(lens):
        parameters = dict(mass)
        deflector = parameters.pop("deflector", sie_shear)
        of_mass = POTENTIALS.get(deflector)
        if of_mass is None:
            psi = psi + _integrated(x, y, deflector, parameters)
        else:
            psi = psi + of_mass(x, y, **parameters)
    return psi


def _of_degree(
    deflector: Callable[..., tuple[Tensor, Tensor]], degree: float
) -> Callable[..., Tensor]:
    """Return the potential of a deflector, homogeneous about its centre: Euler's theorem."""

    def of_mass(x: Tensor, y: Tensor, **parameters: Any) -> Tensor:
        ax, ay = deflector(x, y, **parameters)
        u, v = x - parameters.get("x0", 0.0), y - parameters.get("y0", 0.0)
        psi: Tensor = (u * ax + v * ay) / degree
        return psi

    return of_mass


def _power_law(deflector: Callable[..., tuple[Tensor, Tensor]]) -> Callable[..., Tensor]:
    def of_mass(x: Tensor, y: Tensor, slope: Number = 2.0, **parameters: Any) -> Tensor:
        return _of_degree(deflector, 1.0)(x, y, slope=slope, **parameters) / (3 - slope)

    return of_mass


def _sie_shear(
    x: Tensor, y: Tensor, gamma1: Number = 0.0, gamma2: Number = 0.0, **ellipsoid: Any
) -> Tensor:
    centre = {name: ellipsoid.get(name, 0.0) for name in ("x0", "y0")}
    outside = POTENTIALS[shear](x, y, gamma1=gamma1, gamma2=gamma2, **centre)
    return POTENTIALS[sie](x, y, **ellipsoid) + outside


def _point_mass(
    x: Tensor, y: Tensor, theta_e: Number, x0: Number = 0.0, y0: Number = 0.0
) -> Tensor:
    squared = ((x - x0) ** 2 + (y - y0) ** 2).clamp_min(torch.finfo(x.dtype).tiny)
    return theta_e * theta_e * squared.log() / 2


def _nfw(
    x: Tensor,
    y: Tensor,
    radius_s: Number,
    alpha_s: Number,
    q: Number = 1.0,
    phi: Number = 0.0,
    x0: Number = 0.0,
    y0: Number = 0.0,
) -> Tensor:
    """Return 2 kappa_s radius_s^2 (ln^2(s / 2) - arccosh^2(1 / s)).

    References
    ----------
    Keeton 2001, arXiv:astro-ph/0102341, eq. 54.
    """
    u, v = rotate(x - x0, y - y0, phi)
    s = ((q * u * u + v * v / q).sqrt() / radius_s).clamp_min(1e-12)
    inner = torch.acosh((1 / s).clamp_min(1.0)) ** 2
    outer = -(torch.acos((1 / s).clamp_max(1.0)) ** 2)
    strength = alpha_s * radius_s / (2 * (1 - math.log(2)))
    return strength * (torch.log(s / 2) ** 2 - torch.where(s < 1, inner, outer))


def _integrated(
    x: Tensor,
    y: Tensor,
    deflector: Callable[..., tuple[Tensor, Tensor]],
    parameters: Mapping[str, Any],
) -> Tensor:
    """Integrate the deflection from the centre of a mass along straight lines."""
    nodes, weights = (
        torch.as_tensor(values, dtype=x.dtype, device=x.device)
        for values in np.polynomial.legendre.leggauss(NODES)
    )
    # Squares of evenly spread numbers: most of what changes is close to the centre.
    t = (nodes + 1) / 2
    share = weights * t
    x0, y0 = parameters.get("x0", 0.0), parameters.get("y0", 0.0)
    u, v = x - x0, y - y0
    psi = torch.zeros_like(u)
    for step, weight in zip(t * t, share, strict=True):
        ax, ay = deflector(x0 + step * u, y0 + step * v, **parameters)
        psi = psi + weight * (ax * u + ay * v)
    return psi


POTENTIALS: Mapping[Callable[..., Any], Callable[..., Tensor]] = MappingProxyType(
    {
        sie: _of_degree(sie, 1.0),
        sis: _of_degree(sis, 1.0),
        epl: _power_law(epl),
        power_law_potential: _power_law(power_law_potential),
        shear: _of_degree(shear, 2.0),
        sheet: _of_degree(sheet, 2.0),
        matrix: _of_degree(matrix, 2.0),
        sie_shear: _sie_shear,
        point_mass: _point_mass,
        nfw: _nfw,
    }
)
