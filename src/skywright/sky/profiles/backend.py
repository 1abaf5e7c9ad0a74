"""Rare profiles by lenstronomy, behind the same functions as ours. It is imported here alone."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from skywright.sky.profiles.names import LISTS, SHARES

__all__ = ["lenstronomy_light", "lenstronomy_mass"]

Values = Mapping[str, Tensor]
Group = tuple[dict[str, Any], Any]
# Where its present name differs from the published one.
RENAMED = {
    "CNFW_ELLIPSE": "CNFW_ELLIPSE_POTENTIAL",
    "GAUSSIAN": "GAUSSIAN_POTENTIAL",
    "CURVED_ARC": "CURVED_ARC_SPP",
}
CENTRES = {"center_x": "x0", "center_y": "y0", "ra_0": "x0", "dec_0": "y0"}
WHOLE = ("m", "n_max", "n_scales", "n_pixels", "parity")
NODES = 400  # of a Gauss-Legendre rule along the radius, for the flux of shapelets
UNBOUND = ("UNIFORM", "POWER_LAW", "NIE")


def lenstronomy_mass(name: str, values: Values) -> dict[str, Any]:
    """Return a deflector that asks lenstronomy, system by system, and its parameters.

    Derivatives of the deflection are lenstronomy's, so magnifications and image positions work
    as for any other mass.
    """
    if name == "NumericalAlpha":
        raise ValueError("NumericalAlpha is a class of one's own; expected a profile with a name")
    if name == "NFW_MC":
        raise ValueError(
            "NFW_MC depends on redshifts and on the cosmology; expected NFW: make Rs and alpha_Rs "
            "of logM and concentration with skywright.sky.nfw_angles"
        )
    make = _lenstronomy("LensModel.profile_list_base").lens_class
    profile = make(RENAMED.get(name, name))
    fixed, numbers = _split(name, values)

    theirs = {ours: k for k, ours in _names(values).items()}

    def deflect(x: Tensor, y: Tensor, **parameters: Tensor) -> tuple[Tensor, Tensor]:
        groups = _groups(parameters, theirs, fixed)
        found: tuple[Tensor, Tensor] = _Deflection.apply(  # type: ignore[no-untyped-call]
            *_spread(x, y, parameters),
            lambda u, v: _ask(profile.derivatives, u, v, groups, 2),
            lambda u, v: _ask(profile.hessian, u, v, groups, 4),
        )
        return found

    return {"deflector": deflect, **numbers}


def lenstronomy_light(name: str, values: Values) -> tuple[dict[str, Any], Tensor]:
    """Return a profile that asks lenstronomy, its parameters, and its flux (1 or system,)."""
    if name in UNBOUND:
        raise ValueError(f"light of {name} has no finite total flux, so a magnitude says nothing")
    if name in ("SLIT_STARLETS", "SLIT_STARLETS_GEN2"):
        raise ValueError(f"{name} are coefficients of a fit on pixels; expected INTERPOL: an image")
    make = _lenstronomy("LightModel.light_model").LightModel
    function = make([name]).func_list[0].function
    fixed, numbers = _split(name, values)
    if name not in SHARES:
        fixed["amp"] = 1.0

    theirs = {ours: k for k, ours in _names(values).items()}

    def brightness(x: Tensor, y: Tensor, **parameters: Tensor) -> Tensor:
        groups = _groups(parameters, theirs, fixed)
        return _ask(function, *_spread(x, y, parameters), groups, 1)[0]

    flux = _image_flux(values) if name == "INTERPOL" else _shapelet_flux(brightness, values)
    if not bool((flux > 0).all()):
        raise ValueError(f"light of {name} has the total flux {float(flux.min()):g}; expected > 0")
    return {"profile": brightness, **numbers}, flux


def _lenstronomy(module: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its own source
        try:
            return importlib.import_module(f"lenstronomy.{module}")
        except ImportError as error:
            raise ImportError(
                "this profile is computed by lenstronomy, which is not installed; "
                'pip install "skywright[lenstronomy]"'
            ) from error


def _names(values: Values) -> dict[str, str]:
    """Return our names of parameters: a trailing underscore keeps theirs from meaning ours."""
    return {k: CENTRES.get(k, f"{k}_") for k in values}


def _split(name: str, values: Values) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Separate lists, which all systems share, from numbers, of which each has its own."""
    lists = [k for k in LISTS.get(name, ()) if k in values]
    several = [k for k in lists if len(values[k]) > 1 and values[k].ndim == 2 and k != "image"]
    if several and name not in ("INTERPOL", "INTERPOL_SCALED"):
        raise ValueError(f"{several[0]} of {name} differs between systems; expected one list")
    fixed = {
        k: values[k].numpy().squeeze(0) if len(values[k]) == 1 else values[k].numpy() for k in lists
    }
    names = _names(values)
    return fixed, {names[k]: v for k, v in values.items() if k not in lists}


def _spread(x: Tensor, y: Tensor, parameters: Values) -> tuple[Tensor, Tensor]:
    shape = np.broadcast_shapes(x.shape, y.shape, *(p.shape for p in parameters.values()))
    return x.expand(shape), y.expand(shape)


def _groups(parameters: Values, theirs: Mapping[str, str], fixed: Mapping[str, Any]) -> list[Group]:
    """Return the different systems: their parameters, and which rows of coordinates they have."""
    columns = [p.detach().double().cpu().reshape(-1).numpy() for p in parameters.values()]
    rows = np.stack(np.broadcast_arrays(*columns), -1) if columns else np.zeros((1, 0))
    different, which = np.unique(rows, axis=0, return_inverse=True)
    groups: list[Group] = []
    for i, row in enumerate(different):
        named = {theirs[k]: v for k, v in zip(parameters, row.tolist(), strict=True)}
        named = {k: round(v) if k in WHOLE else v for k, v in named.items()}
        mine = slice(None) if len(different) == 1 else np.flatnonzero(which == i)
        groups.append(({**named, **fixed}, mine))
    return groups


def _ask(
    function: Callable[..., Any], x: Tensor, y: Tensor, groups: list[Group], count: int
) -> tuple[Tensor, ...]:
    """Return the ``count`` arrays that a function of lenstronomy gives, group by group."""
    u, v = (w.detach().double().cpu().numpy() for w in (x, y))
    found = np.empty((count, *u.shape))
    for named, mine in groups:
        answer = function(u[mine].ravel(), v[mine].ravel(), **named)
        found[:, mine] = np.reshape(answer, (count, *u[mine].shape))
    return tuple(torch.as_tensor(values, dtype=x.dtype, device=x.device) for values in found)


class _Deflection(torch.autograd.Function):
    """A deflection whose derivatives come from elsewhere."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, y: Tensor, value: Callable[..., Any], derivatives: Callable[..., Any]
    ) -> tuple[Tensor, ...]:
        ctx.save_for_backward(x, y)
        ctx.derivatives = derivatives
        found: tuple[Tensor, ...] = value(x, y)
        return found

    @staticmethod
    def backward(ctx: Any, along_x: Tensor, along_y: Tensor) -> tuple[Any, ...]:
        xx, xy, yx, yy = ctx.derivatives(*ctx.saved_tensors)
        return along_x * xx + along_y * yx, along_x * xy + along_y * yy, None, None


def _image_flux(values: Values) -> Tensor:
    return values["image"].sum() * values["scale"] ** 2


def _shapelet_flux(brightness: Callable[..., Tensor], values: Values) -> Tensor:
    """Integrate over the plane in polar coordinates, to 1e-4 of the flux of positive light."""
    names = _names(values)
    numbers = {names[k]: v for k, v in values.items() if k != "amp"}
    order = int(values["n_max"].max())
    size = 40 * (order + 1) * values["beta"]
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    t = torch.as_tensor((nodes + 1) / 2)
    angle = torch.arange(4 * order + 8) * (2 * torch.pi / (4 * order + 8))
    # r = size t^2 puts the nodes where the light is.
    r = size[:, None, None] * t[:, None] ** 2
    share = torch.as_tensor(weights / 2) * 2 * t
    along = {k: v[:, None, None] for k, v in numbers.items()}
    x, y = r * angle.cos() + along["x0"], r * angle.sin() + along["y0"]
    light = brightness(x, y, **along)
    return (light.mean(-1) * 2 * torch.pi * r[..., 0] * size[:, None] * share).sum(-1)
