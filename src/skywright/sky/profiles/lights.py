"""From light under its published name to a profile of ours, conventions converted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from skywright.sky.lensing import axis_ratio
from skywright.sky.light import ring, sersic, spiral
from skywright.sky.profiles import brightness as b
from skywright.sky.profiles.backend import lenstronomy_light
from skywright.sky.profiles.names import known_name
from skywright.sky.profiles.reading import read_parameters

__all__ = ["NATIVE_LIGHTS", "light_part"]

Values = dict[str, Tensor]
Part = dict[str, Any]


def light_part(name: str, parameters: Mapping[str, Any], flux: Any) -> Part:
    """Turn light under its published name into ``source`` or ``lens_light`` of `render`.

    Parameters
    ----------
    name : str
        A name out of `LIGHT_PROFILES`, as in lenstronomy, or out of `OWN_LIGHTS`.
    parameters : mapping of (system,) or number
        As in lenstronomy, without ``amp``: angles in arcsec, ``e1``, ``e2`` of modulus
        (1 - q) / (1 + q). ``R_sersic`` is the radius that holds half of the flux.
    flux : (system, band)
        Total unlensed flux, in any unit.

    Returns
    -------
    part : dict
        A profile, its parameters and its amplitude.

    Raises
    ------
    ValueError
        Unknown profile or parameter, a missing one, or a value without meaning; a profile whose
        light has no finite sum.
    ImportError
        lenstronomy is needed and not installed.

    Examples
    --------
    >>> part = light_part("SERSIC", {"R_sersic": 0.5, "n_sersic": 1.0}, [[10.0, 12.0]])
    >>> part["amplitude"].shape  # system, component, band
    torch.Size([1, 1, 2])
    """
    name = known_name("light", name)
    values = read_parameters("light", name, parameters)
    amplitude = torch.as_tensor(flux, dtype=torch.float64)
    if amplitude.ndim != 2 or not bool(torch.isfinite(amplitude).all()):
        raise ValueError(
            f"flux has shape {tuple(amplitude.shape)}; expected finite numbers (system, band)"
        )
    if name in NATIVE_LIGHTS:
        part = NATIVE_LIGHTS[name](values)
        shares = part.pop("shares", torch.ones(1, 1, dtype=torch.float64))
        return part | {"amplitude": amplitude[:, None] * shares[..., None]}
    part, total = lenstronomy_light(name, values)
    return part | {"amplitude": (amplitude / total[:, None])[:, None]}


def _centre(p: Values) -> Part:
    return {"x0": p["center_x"], "y0": p["center_y"]}


def _ellipse(p: Values) -> Part:
    if "e1" not in p:
        return _centre(p)
    q, phi = axis_ratio(p["e1"], p["e2"])
    return {"q": q, "phi": phi, **_centre(p)}


def _sersic(p: Values) -> Part:
    return {"profile": sersic, "radius": p["R_sersic"], "n": p["n_sersic"], **_ellipse(p)}


def _ring(p: Values) -> Part:
    return {"profile": ring, "radius": p["R_ring"], "width": p["width"], **_ellipse(p)}


def _spiral(p: Values) -> Part:
    arms = {name: p[name] for name in ("arms", "pitch", "contrast", "turn")}
    return {"profile": spiral, "radius": p["R_sersic"], **arms, **_ellipse(p)}


def _core_sersic(p: Values) -> Part:
    sizes = {"radius": p["R_sersic"], "core": p["Rb"], "n": p["n_sersic"], "inner": p["gamma"]}
    flux = b.core_sersic_flux(*_together(*sizes.values()))
    return {"profile": b.core_sersic, **sizes, "flux": flux, **_ellipse(p)}


def _gaussian(p: Values) -> Part:
    return {"profile": b.gaussian, "sigma": p["sigma"], **_ellipse(p)}


def _gaussians(p: Values) -> Part:
    """Make one component of each Gaussian; ``amp`` is the share of the flux."""
    amp, sigma = _together(p["amp"], p["sigma"])
    if not bool((amp >= 0).all() & (amp.sum(-1) > 0).all()):
        raise ValueError("amp of several Gaussians has no positive sum; expected shares of flux")
    shape = {"profile": b.gaussian, "sigma": sigma, **_ellipse(p)}
    return shape | {"shares": amp / amp.sum(-1, keepdim=True)}


def _hernquist(p: Values) -> Part:
    return {"profile": b.hernquist_light, "radius_s": p["Rs"], **_ellipse(p)}


def _pseudo_jaffe(p: Values) -> Part:
    """Convert: lenstronomy's radius here is that of `masses`, sqrt(c) of ours."""
    ellipse = _ellipse(p)
    q = ellipse.get("q", torch.ones(1, dtype=torch.float64))
    root = (2 * q / (1 + q * q)).sqrt()
    core, cutoff = torch.minimum(p["Ra"], p["Rs"]), torch.maximum(p["Ra"], p["Rs"])
    sizes = {"core": core / root, "cutoff": torch.maximum(cutoff, core + 2e-8) / root}
    return {"profile": b.pseudo_jaffe_light, **sizes, **ellipse}


def _chameleons(p: Values, suffixes: tuple[str, ...], weights: list[Tensor]) -> Part:
    """Make one component of each chameleon."""
    many: dict[str, list[Tensor]] = {k: [] for k in ("core", "cutoff", "q", "phi", "share")}
    for s, weight in zip(suffixes, weights, strict=True):
        w_c, w_t = p[f"w_c{s}"], p[f"w_t{s}"]
        if bool((w_t <= w_c).any()):
            raise ValueError(f"w_t{s} is not larger than w_c{s}; expected a cut-off outside")
        q, phi = axis_ratio(p[f"e1{s}"], p[f"e2{s}"])
        core, cutoff = w_c * 2 / (1 + q), w_t * 2 / (1 + q)
        # lenstronomy's amp is a deflection at 1 arcsec; flux is what is left of it far away
        near = _deflection_at_1(w_c) - _deflection_at_1(w_t)
        for k, v in zip(many, (core, cutoff, q, phi, weight * (cutoff - core) / near), strict=True):
            many[k].append(v)
    columns = {k: torch.stack(_together(*v), -1) for k, v in many.items()}
    share = columns.pop("share")
    shares = share / share.sum(-1, keepdim=True)
    return {"profile": b.pseudo_jaffe_light, **columns, **_centre(p), "shares": shares}


def _together(*values: Tensor) -> list[Tensor]:
    shape = np.broadcast_shapes(*(v.shape for v in values))
    return [v.expand(shape) for v in values]


def _deflection_at_1(core: Tensor) -> Tensor:
    return (1 + core * core).sqrt() - core


def _double(p: Values) -> Part:
    first = 1 / (1 + 1 / p["ratio"])
    return _chameleons(p, ("1", "2"), [first, 1 - first])


def _triple(p: Values) -> Part:
    first = 1 / (1 + 1 / p["ratio12"] + 1 / p["ratio13"])
    return _chameleons(p, ("1", "2", "3"), [first, first / p["ratio12"], first / p["ratio13"]])


NATIVE_LIGHTS: Mapping[str, Callable[[Values], Part]] = MappingProxyType(
    {
        "SERSIC": _sersic,
        "SERSIC_ELLIPSE": _sersic,
        "CORE_SERSIC": _core_sersic,
        "GAUSSIAN": _gaussian,
        "GAUSSIAN_ELLIPSE": _gaussian,
        "MULTI_GAUSSIAN": _gaussians,
        "MULTI_GAUSSIAN_ELLIPSE": _gaussians,
        "ELLIPSOID": lambda p: {"profile": b.disc, "radius": p["radius"], **_ellipse(p)},
        "HERNQUIST": _hernquist,
        "HERNQUIST_ELLIPSE": _hernquist,
        "PJAFFE": _pseudo_jaffe,
        "PJAFFE_ELLIPSE": _pseudo_jaffe,
        "CHAMELEON": lambda p: _chameleons(p, ("",), [torch.ones_like(p["w_c"])]),
        "DOUBLE_CHAMELEON": _double,
        "TRIPLE_CHAMELEON": _triple,
        "RING": _ring,
        "SPIRAL": _spiral,
    }
)
