"""From a mass under its published name to a deflector of ours, conventions converted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor

from skywright.sky.deflectors import epl, nfw, point_mass, shear, sie, sis
from skywright.sky.lensing import axis_ratio
from skywright.sky.profiles import deflections as d
from skywright.sky.profiles.backend import lenstronomy_mass
from skywright.sky.profiles.names import known_name
from skywright.sky.profiles.reading import read_parameters

__all__ = ["NATIVE_MASSES", "mass_part"]

Values = dict[str, Tensor]
Part = dict[str, Any]


def mass_part(name: str, parameters: Mapping[str, Any]) -> Part:
    """Turn a mass under its published name into one for ``lens`` of `skywright.sky.render`.

    Parameters
    ----------
    name : str
        A name out of `MASS_PROFILES`, as in lenstronomy.
    parameters : mapping of (system,) or number
        As in lenstronomy: angles in arcsec, ``e1``, ``e2`` of modulus (1 - q) / (1 + q).
        Lists (``amp`` of several Gaussians) are the same for all systems, or (system, term).

    Returns
    -------
    part : dict
        A deflector and its parameters. Profiles that are not native call lenstronomy, which has
        to be installed.

    Raises
    ------
    ValueError
        Unknown profile or parameter, a missing one, or a value without meaning.
    ImportError
        lenstronomy is needed and not installed.

    Examples
    --------
    >>> part = mass_part("SIE", {"theta_E": 1.2, "e1": 0.1, "e2": 0.0})
    >>> sorted(part)
    ['deflector', 'phi', 'q', 'theta_e', 'x0', 'y0']
    >>> round(float(part["q"]), 4)
    0.8182
    """
    name = known_name("mass", name)
    values = read_parameters("mass", name, parameters)
    if name in NATIVE_MASSES:
        return NATIVE_MASSES[name](values)
    return lenstronomy_mass(name, values)


def _centre(p: Values) -> Part:
    names = ("ra_0", "dec_0") if "ra_0" in p else ("center_x", "center_y")
    return {"x0": p[names[0]], "y0": p[names[1]]}


def _ellipse(p: Values, e1: str = "e1", e2: str = "e2") -> Part:
    q, phi = axis_ratio(p[e1], p[e2])
    return {"q": q, "phi": phi, **_centre(p)}


def _potential_ellipse(p: Values) -> tuple[Part, Tensor]:
    """Return the ellipse of a potential, and c, by which the squares of radii differ.

    lenstronomy's radius is sqrt((1 - e) x'^2 + (1 + e) y'^2), e = (1 - q^2) / (1 + q^2), which is
    c (q x'^2 + y'^2 / q) with c = 2 q / (1 + q^2).
    """
    if "e1" not in p:
        return _centre(p), torch.ones(1, dtype=torch.float64)
    ellipse = _ellipse(p)
    q = ellipse["q"]
    return ellipse, 2 * q / (1 + q * q)


def _sie(p: Values) -> Part:
    return {"deflector": sie, "theta_e": p["theta_E"], **_ellipse(p)}


def _epl(p: Values) -> Part:
    ellipse = _ellipse(p) if "e1" in p else _centre(p)
    return {"deflector": epl, "theta_e": p["theta_E"], "slope": p["gamma"], **ellipse}


def _spemd(p: Values) -> Part:
    if bool((p.pop("s_scale").abs() > 1e-6).any()):
        raise ValueError("SPEMD has a core s_scale; expected 0: take NIE, or EPL without a core")
    return _epl(p)


def _spep(p: Values) -> Part:
    return {
        "deflector": d.power_law_potential,
        "theta_e": p["theta_E"],
        "slope": p["gamma"],
        **_ellipse(p),
    }


def _round(deflector: Callable[..., Any]) -> Callable[[Values], Part]:
    return lambda p: {"deflector": deflector, "theta_e": p["theta_E"], **_centre(p)}


def _shear(p: Values) -> Part:
    return {"deflector": shear, "gamma1": p["gamma1"], "gamma2": p["gamma2"], **_centre(p)}


def _shear_polar(p: Values) -> Part:
    gamma, angle = p.pop("gamma_ext"), 2 * p.pop("psi_ext")
    return _shear(p | {"gamma1": gamma * angle.cos(), "gamma2": gamma * angle.sin()})


def _flexion(p: Values) -> Part:
    names = zip(("xxx", "xxy", "xyy", "yyy"), ("g1", "g2", "g3", "g4"), strict=True)
    return {"deflector": d.flexion, **{ours: p[g] for ours, g in names}, **_centre(p)}


def _flexion_fg(p: Values) -> Part:
    f1, f2, g1, g2 = (p.pop(name) for name in ("F1", "F2", "G1", "G2"))
    thirds = {"g1": (3 * f1 + g1) / 2, "g2": (3 * f2 + g2) / 2}
    return _flexion(p | thirds | {"g3": (f1 - g1) / 2, "g4": (f2 - g2) / 2})


def _hessian(p: Values) -> Part:
    return {"deflector": d.matrix, **{k: p[f"f_{k}"] for k in ("xx", "xy", "yx", "yy")}} | _centre(
        p
    )


def _nie(p: Values) -> Part:
    return {"deflector": d.nie, "theta_e": p["theta_E"], "core": p["s_scale"], **_ellipse(p)}


def _nie_simple(p: Values) -> Part:
    """Convert 2 kappa = b (q^2 (s^2 + x^2) + y^2)^-1/2."""
    root = p["q"].sqrt()
    return {"deflector": d.nie, "theta_e": p["b"] / root, "core": p["s"] * root, "q": p["q"]}


def _chameleon(p: Values) -> Part:
    ellipse = _ellipse(p)
    if bool((p["w_t"] < p["w_c"]).any()):
        raise ValueError("w_t is smaller than w_c; expected a cut-off outside the core")
    # alpha_1 is the deflection at 1 arcsec, were the mass round.
    at_1 = _deflection_at_1(p["w_c"]) - _deflection_at_1(p["w_t"])
    widen = 2 / (1 + ellipse["q"])
    sizes = {"core": p["w_c"] * widen, "cutoff": p["w_t"] * widen}
    return {"deflector": d.chameleon, "theta_e": p["alpha_1"] / at_1, **sizes, **ellipse}


def _deflection_at_1(core: Tensor) -> Tensor:
    return (1 + core * core).sqrt() - core


def _pseudo_jaffe(p: Values) -> Part:
    ellipse, c = _potential_ellipse(p)
    core, cutoff = torch.minimum(p["Ra"], p["Rs"]), torch.maximum(p["Ra"], p["Rs"])
    sizes = {"core": core / c.sqrt(), "cutoff": torch.maximum(cutoff, core + 2e-8) / c.sqrt()}
    return {"deflector": d.pseudo_jaffe, "kappa": p["sigma0"] * c, **sizes, **ellipse}


def _hernquist(p: Values) -> Part:
    ellipse, c = _potential_ellipse(p)
    scaled = {"kappa": p["sigma0"] * c, "radius_s": p["Rs"] / c.sqrt()}
    return {"deflector": d.hernquist, **scaled, **ellipse}


def _nfw(p: Values) -> Part:
    ellipse, c = _potential_ellipse(p)
    scaled = {"alpha_s": p["alpha_Rs"] * c.sqrt(), "radius_s": p["Rs"] / c.sqrt()}
    return {"deflector": nfw, **scaled, **ellipse}


def _sersic(p: Values) -> Part:
    ellipse, c = _potential_ellipse(p)
    scaled = {"kappa": p["k_eff"] * c, "radius": p["R_sersic"] / c.sqrt(), "n": p["n_sersic"]}
    return {"deflector": d.sersic_mass, **scaled, **ellipse}


def _gaussian(p: Values) -> Part:
    ellipse, c = _potential_ellipse(p)
    return {
        "deflector": d.gaussian_mass,
        "mass": p["amp"],
        "sigma": p["sigma"] / c.sqrt(),
        **ellipse,
    }


def _gaussians(p: Values) -> Part:
    ellipse, c = _potential_ellipse(p)
    scaled = {
        "mass": p["amp"] * p["scale_factor"][:, None],
        "sigma": p["sigma"] / c.sqrt()[:, None],
    }
    terms = {f"{k}_{i}": v for k, all_ in scaled.items() for i, v in enumerate(all_.unbind(-1))}
    return {"deflector": d.gaussian_masses, **terms, **ellipse}


NATIVE_MASSES: Mapping[str, Callable[[Values], Part]] = MappingProxyType(
    {
        "SHIFT": lambda p: {
            "deflector": d.constant,
            "shift_x": p["alpha_x"],
            "shift_y": p["alpha_y"],
        },
        "SHEAR": _shear,
        "SHEAR_GAMMA_PSI": _shear_polar,
        "CONVERGENCE": lambda p: {"deflector": d.sheet, "kappa": p["kappa"], **_centre(p)},
        "HESSIAN": _hessian,
        "FLEXION": _flexion,
        "FLEXIONFG": _flexion_fg,
        "POINT_MASS": _round(point_mass),
        "SIS": _round(sis),
        "SIS_TRUNCATED": lambda p: _round(d.truncated_sis)(p) | {"cutoff": p["r_trunc"]},
        "SIE": _sie,
        "SPP": _epl,
        "EPL": _epl,
        "PEMD": _epl,
        "SPEMD": _spemd,
        "SPEP": _spep,
        "NIE": _nie,
        "NIE_SIMPLE": _nie_simple,
        "CHAMELEON": _chameleon,
        "PJAFFE": _pseudo_jaffe,
        "PJAFFE_ELLIPSE": _pseudo_jaffe,
        "HERNQUIST": _hernquist,
        "HERNQUIST_ELLIPSE": _hernquist,
        "NFW": _nfw,
        "NFW_ELLIPSE": _nfw,
        "SERSIC": _sersic,
        "SERSIC_ELLIPSE_POTENTIAL": _sersic,
        "GAUSSIAN_KAPPA": _gaussian,
        "GAUSSIAN_ELLIPSE_POTENTIAL": _gaussian,
        "MULTI_GAUSSIAN_KAPPA": _gaussians,
        "MULTI_GAUSSIAN_KAPPA_ELLIPSE": _gaussians,
    }
)
