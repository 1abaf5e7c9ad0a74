"""Deflection angles of single mass distributions, as pure functions on tensors.

Conventions of every function here: coordinates and lengths share one angular unit (arcsec or
pixel alike); ``phi`` [rad] is the position angle of the major axis, counter-clockwise from +x;
``q`` = minor over major axis; ``theta_e`` of an elliptical lens is its Einstein radius on the
intermediate axis, so that the convergence depends on sqrt(q x'^2 + y'^2 / q) alone and the area
inside the critical curve does not depend on ``q`` (lenstronomy's convention). Parameters
broadcast against the coordinates.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

__all__ = ["epl", "nfw", "point_mass", "shear", "sie", "sie_shear", "sis"]

Number = Tensor | float


def rotate(x: Tensor, y: Tensor, phi: Number) -> tuple[Tensor, Tensor]:
    """Return the coordinates in axes turned by ``phi`` [rad] counter-clockwise."""
    phi = torch.as_tensor(phi, dtype=x.dtype, device=x.device)
    cos, sin = torch.cos(phi), torch.sin(phi)
    return x * cos + y * sin, y * cos - x * sin


def sie(
    x: Tensor,
    y: Tensor,
    theta_e: Number,
    q: Number = 1.0,
    phi: Number = 0.0,
    x0: Number = 0.0,
    y0: Number = 0.0,
) -> tuple[Tensor, Tensor]:
    """Deflect by a singular isothermal ellipsoid.

    Parameters
    ----------
    x, y : (...) [angle]
        Image-plane coordinates.
    theta_e : [angle]
        Einstein radius on the intermediate axis.
    q, phi, x0, y0 : [1], [rad], [angle], [angle]
        Axis ratio, position angle and centre.

    Returns
    -------
    ax, ay : (...) [angle]
        Deflection.

    References
    ----------
    Kormann, Schneider & Bartelmann 1994, A&A 284, 285, eq. 27a.
    """
    q, phi = (torch.as_tensor(p, dtype=x.dtype, device=x.device) for p in (q, phi))
    cos, sin = torch.cos(phi), torch.sin(phi)
    dx, dy = x - x0, y - y0
    u, v = dx * cos + dy * sin, dy * cos - dx * sin
    # The limit q -> 1 is reached through f -> 3e-4, where the error is f^2 / 3 = 3e-8.
    f = (1 - q * q).clamp_min(1e-7).sqrt()
    scaled = f * torch.addcmul(v * v, q * q * u, u).clamp_min(torch.finfo(x.dtype).tiny).rsqrt()
    strength = theta_e * q.sqrt() / f
    au = strength * torch.atan(u * scaled)
    # Rounding may lift f v / psi to 1 on the minor axis of a very flat lens.
    av = strength * torch.atanh((v * scaled).clamp(-1 + 1e-7, 1 - 1e-7))
    return au * cos - av * sin, au * sin + av * cos


def epl(
    x: Tensor,
    y: Tensor,
    theta_e: Number,
    slope: Number = 2.0,
    q: Number = 1.0,
    phi: Number = 0.0,
    x0: Number = 0.0,
    y0: Number = 0.0,
) -> tuple[Tensor, Tensor]:
    """Deflect by an elliptical power law, density proportional to radius^-slope.

    Parameters
    ----------
    x, y : (...) [angle]
        Image-plane coordinates.
    theta_e, q, phi, x0, y0 : [angle], [1], [rad], [angle], [angle]
        As for `sie`.
    slope : [1]
        Three-dimensional density slope, between 1 and 3; 2 is isothermal.

    Returns
    -------
    ax, ay : (...) [angle]
        Deflection.

    References
    ----------
    Tessore & Metcalf 2015, A&A 580, A79, eqs. 13 and 29 (arXiv:1507.01819).
    """
    slope, q, theta_e = (
        torch.as_tensor(p, dtype=x.dtype, device=x.device) for p in (slope, q, theta_e)
    )
    t = slope - 1
    u, v = rotate(x - x0, y - y0, phi)
    radius = (q * q * u * u + v * v).sqrt().clamp_min(torch.finfo(x.dtype).tiny ** 0.5)
    # Elliptical angle, then the series in f exp(2 i angle) term by term.
    cos, sin = q * u / radius, v / radius
    cos2, sin2 = cos * cos - sin * sin, 2 * cos * sin
    f = (1 - q) / (1 + q)
    term = cos, sin
    total = cos, sin
    for n in range(1, _terms(float(f.max()), x.dtype)):
        ratio = -f * (2 * n - (2 - t)) / (2 * n + (2 - t))
        term = (
            ratio * (cos2 * term[0] - sin2 * term[1]),
            ratio * (cos2 * term[1] + sin2 * term[0]),
        )
        total = total[0] + term[0], total[1] + term[1]
    b = theta_e * q.sqrt()
    strength = 2 / (1 + q) * b**t * radius ** (1 - t)
    au, av = strength * total[0], strength * total[1]
    return rotate(au, av, -torch.as_tensor(phi, dtype=x.dtype, device=x.device))


def _terms(f: float, dtype: torch.dtype) -> int:
    """Return how many terms of a geometric series in ``f`` reach the rounding error."""
    if f < 1e-9:
        return 1
    return min(400, math.ceil(math.log(torch.finfo(dtype).eps * (1 - f)) / math.log(f)) + 1)


def shear(
    x: Tensor,
    y: Tensor,
    gamma1: Number,
    gamma2: Number = 0.0,
    x0: Number = 0.0,
    y0: Number = 0.0,
) -> tuple[Tensor, Tensor]:
    """Deflect by an external shear.

    Parameters
    ----------
    x, y : (...) [angle]
        Image-plane coordinates.
    gamma1, gamma2 : [1]
        Shear components; gamma1 > 0 stretches along x.
    x0, y0 : [angle]
        Where the deflection is zero.

    Returns
    -------
    ax, ay : (...) [angle]
        Deflection.

    References
    ----------
    Schneider, Kochanek & Wambsganss 2006, Gravitational Lensing, part 1, eq. 54.
    """
    u, v = x - x0, y - y0
    return gamma1 * u + gamma2 * v, gamma2 * u - gamma1 * v


def sie_shear(
    x: Tensor,
    y: Tensor,
    theta_e: Number,
    q: Number = 1.0,
    phi: Number = 0.0,
    x0: Number = 0.0,
    y0: Number = 0.0,
    gamma1: Number = 0.0,
    gamma2: Number = 0.0,
) -> tuple[Tensor, Tensor]:
    """Deflect by a singular isothermal ellipsoid and an external shear about its centre.

    Parameters are those of `sie` and `shear`.
    """
    ax, ay = sie(x, y, theta_e, q, phi, x0, y0)
    sx, sy = shear(x, y, gamma1, gamma2, x0, y0)
    return ax + sx, ay + sy


def sis(
    x: Tensor, y: Tensor, theta_e: Number, x0: Number = 0.0, y0: Number = 0.0
) -> tuple[Tensor, Tensor]:
    """Deflect by a singular isothermal sphere: ``theta_e`` [angle] towards its centre.

    References
    ----------
    Schneider, Kochanek & Wambsganss 2006, part 1, eq. 46.
    """
    u, v = x - x0, y - y0
    radius = torch.hypot(u, v).clamp_min(torch.finfo(x.dtype).tiny ** 0.5)
    return theta_e * u / radius, theta_e * v / radius


def point_mass(
    x: Tensor, y: Tensor, theta_e: Number, x0: Number = 0.0, y0: Number = 0.0
) -> tuple[Tensor, Tensor]:
    """Deflect by a point mass: ``theta_e**2 / radius`` [angle].

    References
    ----------
    Schneider, Kochanek & Wambsganss 2006, part 1, eq. 30.
    """
    u, v = x - x0, y - y0
    squared = (u * u + v * v).clamp_min(torch.finfo(x.dtype).tiny ** 0.5)
    strength = torch.as_tensor(theta_e, dtype=x.dtype, device=x.device) ** 2 / squared
    return strength * u, strength * v


def nfw(
    x: Tensor,
    y: Tensor,
    radius_s: Number,
    alpha_s: Number,
    q: Number = 1.0,
    phi: Number = 0.0,
    x0: Number = 0.0,
    y0: Number = 0.0,
) -> tuple[Tensor, Tensor]:
    """Deflect by a Navarro-Frenk-White halo, elliptical in its potential.

    Parameters
    ----------
    x, y : (...) [angle]
        Image-plane coordinates.
    radius_s : [angle]
        Scale radius.
    alpha_s : [angle]
        Deflection at the scale radius, 4 (1 - ln 2) kappa_s radius_s, of the spherical halo.
    q : [1]
        Axis ratio of the potential, which depends on sqrt(q x'^2 + y'^2 / q) alone.
    phi, x0, y0 : [rad], [angle], [angle]
        Position angle and centre.

    Returns
    -------
    ax, ay : (...) [angle]
        Deflection.

    References
    ----------
    Bartelmann 1996, A&A 313, 697, eq. 7-9; Golse & Kneib 2002, A&A 390, 821, eqs. 5 and 6.
    """
    q = torch.as_tensor(q, dtype=x.dtype, device=x.device)
    u, v = rotate(x - x0, y - y0, phi)
    s = ((q * u * u + v * v / q).sqrt() / radius_s).clamp_min(1e-12)
    strength = alpha_s / radius_s / (1 - math.log(2)) * _nfw_mass(s) / (s * s)
    return rotate(
        strength * q * u,
        strength * v / q,
        -torch.as_tensor(phi, dtype=x.dtype, device=x.device),
    )


def _nfw_mass(s: Tensor) -> Tensor:
    """Return ln(s/2) + arccosh(1/s)/sqrt(1-s^2) and its continuation to s > 1."""
    d = 1 - s * s
    level = d.abs() < (1e-3 if s.dtype == torch.float64 else 3e-2)
    root = torch.where(level, torch.ones_like(d), d.abs()).sqrt()
    inner = torch.log((1 + root) / s) / root
    outer = torch.atan(root) / root
    around_one = 1 + d / 3 + d**2 / 5 + d**3 / 7 + d**4 / 9
    mass = torch.log(s / 2) + torch.where(level, around_one, torch.where(d > 0, inner, outer))
    # Where s is small the logarithms cancel: the expansion in s^2 keeps the digits.
    t = s * s
    log = torch.log(2 / s)
    expansion = t * ((log - 0.5) / 2 + t * ((12 * log - 7) / 32 + t * (60 * log - 37) / 192))
    return torch.where(s < (0.02 if s.dtype == torch.float64 else 0.15), expansion, mass)
