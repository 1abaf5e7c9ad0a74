"""Deflections of further masses: cored, truncated, flattened in their potential, or far away.

Conventions are those of `skywright.sky.deflectors`. A mass that is flattened in its potential
depends on sqrt(q x'^2 + y'^2 / q) alone, as `skywright.sky.nfw` does.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from skywright.sky.deflectors import Number, rotate
from skywright.sky.light import sersic_b

__all__ = [
    "chameleon",
    "constant",
    "flexion",
    "gaussian_mass",
    "gaussian_masses",
    "hernquist",
    "matrix",
    "nie",
    "power_law_potential",
    "pseudo_jaffe",
    "sersic_mass",
    "sheet",
    "truncated_sis",
]

Deflection = tuple[Tensor, Tensor]


def constant(x: Tensor, y: Tensor, shift_x: Number, shift_y: Number) -> Deflection:
    """Deflect everywhere by the same angle (``shift_x``, ``shift_y``) [angle]."""
    return shift_x + 0 * x, shift_y + 0 * y


def sheet(x: Tensor, y: Tensor, kappa: Number, x0: Number = 0.0, y0: Number = 0.0) -> Deflection:
    """Deflect by a uniform sheet of convergence ``kappa`` [1]."""
    return kappa * (x - x0), kappa * (y - y0)


def matrix(
    x: Tensor,
    y: Tensor,
    xx: Number,
    xy: Number,
    yx: Number,
    yy: Number,
    x0: Number = 0.0,
    y0: Number = 0.0,
) -> Deflection:
    """Deflect linearly in the position: the derivatives [1] of the deflection are constant."""
    u, v = x - x0, y - y0
    return xx * u + xy * v, yx * u + yy * v


def flexion(
    x: Tensor,
    y: Tensor,
    xxx: Number,
    xxy: Number,
    xyy: Number,
    yyy: Number,
    x0: Number = 0.0,
    y0: Number = 0.0,
) -> Deflection:
    """Deflect by a potential with constant third derivatives [1/angle].

    References
    ----------
    Bacon et al. 2006, MNRAS 365, 414, eq. 5.
    """
    u, v = x - x0, y - y0
    ax = xxx * u * u / 2 + xxy * u * v + xyy * v * v / 2
    ay = xxy * u * u / 2 + xyy * u * v + yyy * v * v / 2
    return ax, ay


def nie(
    x: Tensor,
    y: Tensor,
    theta_e: Number,
    core: Number,
    q: Number = 1.0,
    phi: Number = 0.0,
    x0: Number = 0.0,
    y0: Number = 0.0,
) -> Deflection:
    """Deflect by an isothermal ellipsoid with a core.

    Parameters
    ----------
    x, y : (...) [angle]
        Image-plane coordinates.
    theta_e : [angle]
        Einstein radius that it would have without a core.
    core : [angle]
        The convergence is theta_e / 2 / sqrt(core^2 + q x'^2 + y'^2 / q).
    q, phi, x0, y0 : [1], [rad], [angle], [angle]
        Axis ratio, position angle and centre.

    Returns
    -------
    ax, ay : (...) [angle]
        Deflection.

    References
    ----------
    Keeton & Kochanek 1998, ApJ 495, 157, eqs. 6 and 7 (arXiv:astro-ph/9705194).
    """
    q, phi, core = (torch.as_tensor(p, dtype=x.dtype, device=x.device) for p in (q, phi, core))
    u, v = rotate(x - x0, y - y0, phi)
    s = core / q.sqrt()
    # As in `sie`: the round lens is reached through a flattening of 3e-4.
    f = (1 - q * q).clamp_min(1e-7).sqrt()
    tiny = torch.finfo(x.dtype).tiny
    psi = (q * q * (s * s + u * u) + v * v).clamp_min(tiny).sqrt()
    strength = theta_e * q.sqrt() / f
    au = strength * torch.atan(f * u / (psi + s))
    av = strength * torch.atanh((f * v / (psi + q * q * s)).clamp(-1 + 1e-7, 1 - 1e-7))
    return rotate(au, av, -phi)


def chameleon(
    x: Tensor,
    y: Tensor,
    theta_e: Number,
    core: Number,
    cutoff: Number,
    q: Number = 1.0,
    phi: Number = 0.0,
    x0: Number = 0.0,
    y0: Number = 0.0,
) -> Deflection:
    """Deflect by a cored isothermal ellipsoid minus one with a larger core.

    References
    ----------
    Dutton et al. 2011, MNRAS 417, 1621, eq. A1.
    """
    inner = nie(x, y, theta_e, core, q, phi, x0, y0)
    outer = nie(x, y, theta_e, cutoff, q, phi, x0, y0)
    return inner[0] - outer[0], inner[1] - outer[1]


def _flattened(
    x: Tensor,
    y: Tensor,
    ellipse: tuple[Number, Number, Number, Number],
    slope: Callable[[Tensor], Tensor],
) -> Deflection:
    """Deflect by a potential of s^2 = q x'^2 + y'^2 / q; ``slope`` is its derivative over s."""
    q, phi, x0, y0 = ellipse
    q, phi = (torch.as_tensor(p, dtype=x.dtype, device=x.device) for p in (q, phi))
    u, v = rotate(x - x0, y - y0, phi)
    s = (q * u * u + v * v / q).clamp_min(torch.finfo(x.dtype).tiny ** 0.5).sqrt()
    strength = slope(s)
    return rotate(strength * q * u, strength * v / q, -phi)


def power_law_potential(
    x: Tensor,
    y: Tensor,
    theta_e: Number,
    slope: Number = 2.0,
    q: Number = 1.0,
    phi: Number = 0.0,
    x0: Number = 0.0,
    y0: Number = 0.0,
) -> Deflection:
    """Deflect by a power law that is flattened in its potential.

    Parameters are those of `skywright.sky.epl`.

    References
    ----------
    Barkana 1998, ApJ 502, 531, section 2 (arXiv:astro-ph/9802002).
    """
    q, theta_e, gamma = (
        torch.as_tensor(p, dtype=x.dtype, device=x.device) for p in (q, theta_e, slope)
    )
    return _flattened(
        x, y, (q, phi, x0, y0), lambda s: q ** (gamma - 2) * (s / theta_e) ** (1 - gamma)
    )


def truncated_sis(
    x: Tensor,
    y: Tensor,
    theta_e: Number,
    cutoff: Number,
    x0: Number = 0.0,
    y0: Number = 0.0,
) -> Deflection:
    """Deflect by an isothermal sphere whose deflection falls to 0 between 1 and 2 ``cutoff``."""

    def slope(s: Tensor) -> Tensor:
        return theta_e * (2 - s / cutoff).clamp(0.0, 1.0) / s

    return _flattened(x, y, (1.0, 0.0, x0, y0), slope)


def pseudo_jaffe(
    x: Tensor,
    y: Tensor,
    kappa: Number,
    core: Number,
    cutoff: Number,
    q: Number = 1.0,
    phi: Number = 0.0,
    x0: Number = 0.0,
    y0: Number = 0.0,
) -> Deflection:
    """Deflect by a pseudo-Jaffe mass, flattened in its potential.

    ``kappa`` [1] is the convergence at the centre, times (1 + core / cutoff) where that is not
    small; the three-dimensional density falls as r^-2 from ``core`` and as r^-4 from ``cutoff``.

    References
    ----------
    Eliasdottir et al. 2007, arXiv:0710.5636, eqs. A3 and A20.
    """

    def slope(s: Tensor) -> Tensor:
        # sqrt(a^2 + s^2) - a, without the loss of digits at small s
        inner, outer = (s * s / ((a * a + s * s).sqrt() + a) for a in (core, cutoff))
        return 2 * kappa * core * cutoff / (cutoff - core) * (inner - outer) / (s * s)

    return _flattened(x, y, (q, phi, x0, y0), slope)


def hernquist(
    x: Tensor,
    y: Tensor,
    kappa: Number,
    radius_s: Number,
    q: Number = 1.0,
    phi: Number = 0.0,
    x0: Number = 0.0,
    y0: Number = 0.0,
) -> Deflection:
    """Deflect by a Hernquist mass, flattened in its potential.

    ``kappa`` [1] is scale density times ``radius_s`` [angle], over the critical density.

    References
    ----------
    Keeton 2001, arXiv:astro-ph/0102341, eqs. 48 and 50: this is the slope of the potential.
    """

    def slope(s: Tensor) -> Tensor:
        return 2 * kappa * _ratio(s / radius_s)

    return _flattened(x, y, (q, phi, x0, y0), slope)


def _ratio(t: Tensor) -> Tensor:
    """Return (F - 1) / (1 - t^2), F being arccosh(1 / t) / sqrt(1 - t^2) and its continuation."""
    d = 1 - t * t
    level = d.abs() < (1e-3 if t.dtype == torch.float64 else 3e-2)
    root = torch.where(level, torch.ones_like(d), d.abs()).sqrt()
    f = torch.where(d > 0, torch.log((1 + root) / t), torch.atan(root)) / root
    around_one = 1 / 3 + d / 5 + d**2 / 7 + d**3 / 9
    return torch.where(level, around_one, (f - 1) / torch.where(level, torch.ones_like(d), d))


def gaussian_mass(
    x: Tensor,
    y: Tensor,
    mass: Number,
    sigma: Number,
    q: Number = 1.0,
    phi: Number = 0.0,
    x0: Number = 0.0,
    y0: Number = 0.0,
) -> Deflection:
    """Deflect by a Gaussian of convergence, flattened in its potential.

    ``mass`` [angle^2] is the convergence integrated over the plane, ``sigma`` [angle] the
    standard deviation.
    """
    mass, sigma = (torch.as_tensor(p, dtype=x.dtype, device=x.device) for p in (mass, sigma))

    def slope(s: Tensor) -> Tensor:
        return -torch.expm1(-(s * s) / (2 * sigma * sigma)) * mass / (torch.pi * s * s)

    return _flattened(x, y, (q, phi, x0, y0), slope)


def gaussian_masses(
    x: Tensor,
    y: Tensor,
    q: Number = 1.0,
    phi: Number = 0.0,
    x0: Number = 0.0,
    y0: Number = 0.0,
    **terms: Number,
) -> Deflection:
    """Deflect by the sum of several of `gaussian_mass`: ``mass_0, sigma_0, mass_1, …``."""
    parts = [
        gaussian_mass(x, y, terms[f"mass_{i}"], terms[f"sigma_{i}"], q, phi, x0, y0)
        for i in range(len(terms) // 2)
    ]
    return torch.stack([p[0] for p in parts]).sum(0), torch.stack([p[1] for p in parts]).sum(0)


def sersic_mass(
    x: Tensor,
    y: Tensor,
    kappa: Number,
    radius: Number,
    n: Number = 4.0,
    q: Number = 1.0,
    phi: Number = 0.0,
    x0: Number = 0.0,
    y0: Number = 0.0,
) -> Deflection:
    """Deflect by a Sersic mass, flattened in its potential.

    ``kappa`` [1] is the convergence at ``radius`` [angle], which holds half of the mass.

    References
    ----------
    Cardone 2004, A&A 415, 839, eq. 11.
    """
    kappa, radius, n = (torch.as_tensor(p, dtype=x.dtype) for p in (kappa, radius, n))
    b = sersic_b(n)
    total = 2 * kappa * n * radius**2 * torch.exp(b - 2 * n * b.log() + torch.lgamma(2 * n))

    def slope(s: Tensor) -> Tensor:
        mass: Tensor = torch.special.gammainc(2 * n, b * (s / radius) ** (1 / n))
        return total * mass / (s * s)

    return _flattened(x, y, (q, phi, x0, y0), slope)
