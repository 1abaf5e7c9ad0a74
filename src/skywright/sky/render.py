"""Render lensed and unlensed light through one and the same code."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from skywright.sky.lensing import Lens, masses, trace
from skywright.sky.light import sersic
from skywright.sky.psf import PointSpread, blur

__all__ = ["render"]

Light = Mapping[str, Any] | Sequence[Mapping[str, Any]] | None
Rays = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


def render(
    lens: Lens,
    source: Light,
    *,
    pixels: int,
    scale: float,
    psf: PointSpread,
    lens_light: Light = None,
    accuracy: float = 0.005,
    device: str | torch.device = "cpu",
    dtype: torch.dtype = torch.float64,
) -> Tensor:
    """Render images of many systems in all bands.

    Parameters
    ----------
    lens : mapping, sequence of mappings, or None
        Deflectors, see `skywright.sky.lensing.deflect`; parameters of shape (system,) or numbers.
        None leaves the source unlensed.
    source : mapping, or sequence of mappings
        Light behind the lens. Each mapping is one profile: key ``profile`` holds its function out
        of `skywright.sky.light` (left out: `sersic`), key ``amplitude`` the total unlensed flux
        of shape (system, component, band) [any unit of flux], other keys its parameters
        (system,) or (system, component), in the unit of ``scale``.
    pixels : int
        Rows and columns; the origin of the coordinates is the centre of the stamp.
    scale : float [angle]
        Size of a pixel.
    psf : PointSpread
        Point spread function.
    lens_light : mapping, or sequence of mappings, optional
        Light in front of the lens, never deflected.
    accuracy : float [1]
        Aimed largest residual over the peak of the image.
    device, dtype
        Where and in which precision the work is done.

    Returns
    -------
    image : (system, band, y, x)
        Flux per pixel, in the unit of ``amplitude``, integrated over the pixel; light that the
        point spread function carries in from outside the stamp is included.
    """
    margin = math.ceil(1.5 * float(psf.fwhm.max()) / scale)
    supersample = 3
    axis = (
        (torch.arange((pixels + 2 * margin) * supersample, device=device, dtype=dtype) + 0.5)
        / (supersample)
        - pixels / 2
        - margin
    )
    y, x = torch.meshgrid(axis * scale, axis * scale, indexing="ij")
    x, y = x[None], y[None]

    def tensors(part: Mapping[str, Any], axes: int) -> dict[str, Any]:
        return {k: _parameter(v, axes, device, dtype) for k, v in part.items()}

    deflectors = [tensors(mass, 0) for mass in masses(lens)]
    rays = trace(x, y, deflectors) if deflectors else (x, y)
    fine = 0
    for light, (u, v) in ((source, rays), (lens_light, (x, y))):
        for part in masses(light):
            parameters = tensors(
                {k: w for k, w in part.items() if k not in ("profile", "amplitude")}, 1
            )
            amplitude = torch.as_tensor(part["amplitude"], device=device, dtype=dtype)
            brightness = part.get("profile", sersic)(u[:, None], v[:, None], **parameters)
            fine = fine + torch.einsum(
                "scyx,scb->sbyx",
                brightness.expand(len(amplitude), *brightness.shape[1:]),
                amplitude,
            )
    return blur(fine * (scale / supersample) ** 2, psf, scale, supersample, margin)


def _parameter(value: Any, axes: int, device: Any, dtype: torch.dtype) -> Any:
    if callable(value):
        return value
    value = torch.as_tensor(value, device=device, dtype=dtype)
    if value.ndim == 0:
        return value
    if axes and value.ndim == 1:
        value = value[:, None]
    return value[..., None, None]
