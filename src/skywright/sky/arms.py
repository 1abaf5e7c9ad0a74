"""Surface brightness of rings and spiral arms that stand alone, without the disc under them."""

from __future__ import annotations

import torch
from torch import Tensor

from skywright.sky.deflectors import Number, rotate

__all__ = ["arms_profile"]


def arms_profile(
    x: Tensor,
    y: Tensor,
    radius: Number,
    spread: Number,
    arms: Number = 1.0,
    sharpness: Number = 0.0,
    pitch: Number = 0.3,
    turn: Number = 0.0,
    q: Number = 1.0,
    phi: Number = 0.0,
    x0: Number = 0.0,
    y0: Number = 0.0,
) -> Tensor:
    """Return the surface brightness of logarithmic arms, 1 at the brightest points.

    Across the arms brightness falls as a von Mises function of azimuth, along them as a Gaussian
    in the logarithm of the radius. A pitch of pi/2 does not wind: the pattern is then a ring with
    ``arms`` knots, and a smooth one at sharpness 0.

    Parameters
    ----------
    x, y : (...) [angle]
        Coordinates.
    radius, spread : [angle], [1]
        Radius of the brightest line, and standard deviation of ln(radius) about it.
    arms, sharpness : [1], [1]
        Whole number of arms, and the concentration of each (0: none, 10: narrow).
    pitch, turn : [rad], [rad]
        Angle between an arm and a circle, its sign the winding; azimuth of an arm at ``radius``.
    q, phi, x0, y0 : [1], [rad], [angle], [angle]
        Axis ratio, position angle and centre, as in `skywright.sky.light`.

    Returns
    -------
    brightness : (...) [1]

    References
    ----------
    Binney & Tremaine 2008, Galactic Dynamics, section 6.1.3 (logarithmic spirals).
    """
    q, pitch = (torch.as_tensor(p, dtype=x.dtype, device=x.device) for p in (q, pitch))
    u, v = rotate(x - x0, y - y0, phi)
    u, v = u * q.sqrt(), v / q.sqrt()
    squared = (u * u + v * v).clamp_min(torch.finfo(x.dtype).tiny)
    stretch = torch.log(squared / torch.as_tensor(radius, dtype=x.dtype) ** 2) / 2
    azimuth = torch.atan2(v, u) - turn - stretch / torch.tan(pitch)
    across = sharpness * (torch.cos(arms * azimuth) - 1)
    return torch.exp(across - 0.5 * (stretch / spread) ** 2)
