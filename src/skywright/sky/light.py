"""Surface brightness of galaxies and of what looks like arcs, as pure functions on tensors.

Each profile is a function ``profile(x, y, **parameters)`` that returns surface brightness per
square angle of a source with total flux 1. Lengths are in the unit of the coordinates, ``phi``
[rad] is counter-clockwise from +x, and an elliptical radius is sqrt(q x'^2 + y'^2 / q), so that
``radius`` lies on the intermediate axis and flux does not depend on ``q``.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from skywright.sky.deflectors import Number, rotate

__all__ = ["ring", "sersic", "sersic_b", "sersic_law", "sersic_terms", "spiral"]

SMALLEST = 1e-37  # what a squared distance may be before its logarithm is taken


def sersic_b(n: Tensor) -> Tensor:
    """Return b_n, for which the Sersic radius holds half of the flux.

    Parameters
    ----------
    n : (...) [1]
        Sersic index between 0.3 and 10.

    Returns
    -------
    b : (...) [1]
        Solution of P(2 n, b) = 1/2, P being the regularised incomplete gamma function, to 1e-9
        in float64: the series, good to 1e-4 for n > 0.5, and two steps of Newton.

    References
    ----------
    Ciotti & Bertin 1999, A&A 352, 447, eq. 18.

    Examples
    --------
    >>> round(float(sersic_b(torch.tensor(4.0, dtype=torch.float64))), 6)
    7.669249
    """
    b = 2 * n - 1 / 3 + 4 / (405 * n) + 46 / (25515 * n**2) + 131 / (1148175 * n**3)
    b = b - 2194697 / (30690717750 * n**4)
    for _ in range(2):
        density = torch.exp((2 * n - 1) * torch.log(b) - b - torch.lgamma(2 * n))
        b = b - (torch.special.gammainc(2 * n, b) - 0.5) / density
    return b


def sersic(
    x: Tensor,
    y: Tensor,
    radius: Number,
    n: Number = 1.0,
    q: Number = 1.0,
    phi: Number = 0.0,
    x0: Number = 0.0,
    y0: Number = 0.0,
) -> Tensor:
    """Return the surface brightness of an elliptical Sersic profile of flux 1.

    Parameters
    ----------
    x, y : (...) [angle]
        Coordinates.
    radius : [angle]
        Half-light radius on the intermediate axis.
    n : [1]
        Sersic index: 0.5 Gaussian, 1 exponential, 4 de Vaucouleurs.
    q, phi, x0, y0 : [1], [rad], [angle], [angle]
        Axis ratio, position angle and centre.

    Returns
    -------
    brightness : (...) [1/angle^2]

    References
    ----------
    Sersic 1968; Graham & Driver 2005, PASA 22, 118, eqs. 1 and 4.
    """
    tensors = (torch.as_tensor(p, dtype=x.dtype, device=x.device) for p in (radius, n, q, phi))
    return sersic_law(x, y, **sersic_terms(*tensors), x0=x0, y0=y0)


def sersic_terms(
    radius: Tensor, n: Tensor | float = 1.0, q: Tensor | float = 1.0, phi: Tensor | float = 0.0
) -> dict[str, Tensor]:
    """Return what `sersic_law` needs out of the parameters of `sersic`.

    A renderer that evaluates one profile at many points works this out once.
    """
    n, q, phi = (torch.as_tensor(p, dtype=radius.dtype, device=radius.device) for p in (n, q, phi))
    b = sersic_b(n)
    log_flux = (
        math.log(2 * math.pi) + 2 * radius.log() + n.log() - 2 * n * b.log() + torch.lgamma(2 * n)
    )
    cos, sin = torch.cos(phi) / radius, torch.sin(phi) / radius
    return {
        "xx": q * cos * cos + sin * sin / q,
        "xy": 2 * (q - 1 / q) * sin * cos,
        "yy": q * sin * sin + cos * cos / q,
        "half": 0.5 / n,
        "log_b": torch.log2(b * math.log2(math.e)),
        "log_centre": -log_flux * math.log2(math.e),
    }


def sersic_law(
    x: Tensor,
    y: Tensor,
    xx: Tensor,
    xy: Tensor,
    yy: Tensor,
    half: Tensor,
    log_b: Tensor,
    log_centre: Tensor,
    x0: Number = 0.0,
    y0: Number = 0.0,
) -> Tensor:
    """Return 2^(log_centre - 2^log_b s^half) of the quadratic form s in the distance.

    Powers of two are the cheapest there are.
    """
    dx, dy = x - x0, y - y0
    squared = dx * (xx * dx + xy * dy) + yy * dy * dy
    power = torch.addcmul(log_b, half, squared.clamp_min(SMALLEST).log2_())
    return torch.exp2(log_centre - torch.exp2(power))


def ring(
    x: Tensor,
    y: Tensor,
    radius: Number,
    width: Number,
    q: Number = 1.0,
    phi: Number = 0.0,
    x0: Number = 0.0,
    y0: Number = 0.0,
) -> Tensor:
    """Return the surface brightness of a ring with a Gaussian cross-section and flux 1.

    Parameters
    ----------
    x, y : (...) [angle]
        Coordinates.
    radius, width : [angle]
        Radius of the brightest line and standard deviation across it.
    q, phi, x0, y0 : [1], [rad], [angle], [angle]
        Axis ratio, position angle and centre.

    Returns
    -------
    brightness : (...) [1/angle^2]
    """
    radius, width, q = (
        torch.as_tensor(p, dtype=x.dtype, device=x.device) for p in (radius, width, q)
    )
    u, v = rotate(x - x0, y - y0, phi)
    r = (q * u * u + v * v / q).sqrt()
    z = radius / (width * math.sqrt(2))
    # The integral of exp(-(r - r0)^2 / 2 w^2) 2 pi r dr from 0 to infinity.
    flux = (
        2
        * math.pi
        * width
        * (width * torch.exp(-z * z) + radius * math.sqrt(math.pi / 2) * (1 + torch.erf(z)))
    )
    return torch.exp(-0.5 * ((r - radius) / width) ** 2) / flux


def spiral(
    x: Tensor,
    y: Tensor,
    radius: Number,
    arms: Number = 2.0,
    pitch: Number = 0.35,
    contrast: Number = 0.8,
    turn: Number = 0.0,
    q: Number = 1.0,
    phi: Number = 0.0,
    x0: Number = 0.0,
    y0: Number = 0.0,
) -> Tensor:
    """Return the surface brightness of an exponential disc with logarithmic arms and flux 1.

    Parameters
    ----------
    x, y : (...) [angle]
        Coordinates.
    radius : [angle]
        Half-light radius of the disc on the intermediate axis.
    arms, pitch : [1], [rad]
        Whole number of arms, and the angle at which they open; its sign is their winding.
    contrast, turn : [1], [rad]
        Modulation between 0 and 1, and the angle of an arm at ``radius``.
    q, phi, x0, y0 : [1], [rad], [angle], [angle]
        Axis ratio, position angle and centre of the disc.

    Returns
    -------
    brightness : (...) [1/angle^2]
        The modulation averages to zero on each ellipse, so that flux stays 1.

    References
    ----------
    Binney & Tremaine 2008, Galactic Dynamics, eq. 6.2 (logarithmic spiral).
    """
    radius, q, pitch = (
        torch.as_tensor(p, dtype=x.dtype, device=x.device) for p in (radius, q, pitch)
    )
    u, v = rotate(x - x0, y - y0, phi)
    u, v = u * q.sqrt(), v / q.sqrt()
    squared = (u * u + v * v).clamp_min(torch.finfo(x.dtype).tiny)
    angle = torch.atan2(v, u) - turn
    winding = torch.log(squared / radius**2) / (2 * torch.tan(pitch))
    disc = sersic(u, v, radius, 1.0)
    return disc * (1 + contrast * torch.cos(arms * (angle - winding)))
