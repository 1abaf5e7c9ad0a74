"""One example of every published profile, and what lenstronomy makes of it."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import torch
from torch import Tensor

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # syntax warnings of lenstronomy's own modules
    from lenstronomy.LensModel.profile_list_base import lens_class
    from lenstronomy.LightModel.light_model import LightModel

from skywright.sky.profiles import ALIASES, MASS_PROFILES, light_part

# One value for every parameter of every mass.
VALUES = {
    "theta_E": 1.1, "e1": 0.1, "e2": -0.2, "center_x": 0.13, "center_y": -0.07, "gamma": 2.2,
    "s_scale": 0.2, "gamma1": 0.03, "gamma2": -0.05, "ra_0": 0.2, "dec_0": 0.1,
    "gamma_ext": 0.05, "psi_ext": 0.7, "kappa": 0.1, "g1": 0.01, "g2": 0.02, "g3": -0.01,
    "g4": 0.03, "F1": 0.01, "F2": 0.02, "G1": -0.01, "G2": 0.03, "r_trunc": 1.3, "b": 1.1,
    "s": 0.1, "q": 0.7, "alpha_1": 0.7, "w_c": 0.2, "w_t": 1.1, "ratio": 1.3, "ratio12": 1.2,
    "ratio13": 2.0, "w_c1": 0.2, "w_t1": 1.1, "e11": 0.1, "e21": 0.05, "w_c2": 0.1,
    "w_t2": 2.0, "e12": -0.1, "e22": 0.1, "w_c3": 0.3, "w_t3": 0.8, "e13": 0.0, "e23": 0.2,
    "Rs": 1.7, "alpha_Rs": 0.9, "r_core": 0.3, "k_eff": 0.4, "R_sersic": 0.8,
    "n_sersic": 2.5, "sigma0": 0.4, "Ra": 0.3, "amp": 1.1, "sigma": 0.6, "sigma_x": 0.6,
    "sigma_y": 0.8, "scale_factor": 1.2, "alpha_x": 0.1, "alpha_y": -0.2, "theta_c": 0.3,
    "mu_r": 1.1, "mu_t": 2.0, "parity": 1, "phi_G": 0.4, "com_x": 0.5, "com_y": 0.1,
    "phi_dipole": 0.4, "coupling": 0.1, "tangential_stretch": 5.0, "radial_stretch": 1.1,
    "curvature": 0.8, "direction": 0.3, "coeff": 0.01, "d_r": 0.5, "d_phi": 0.5,
    "lambda_approx": 0.9, "m": 4, "a_m": 0.05, "phi_m": 0.3, "r_E": 1.0, "f_xx": 0.1,
    "f_yy": -0.05, "f_xy": 0.02, "f_yx": 0.02, "kappa_0": 0.1, "slope": 8.0,
    "coeffs": [0.01, 0.02, 0.01], "beta": 0.5, "r_s": 1.0, "a": 3.0, "rho_s": 1.0,
}  # fmt: skip
PRESENT = {old: new for new, old in ALIASES["mass"].items()} | {"GAUSSIAN_KAPPA": "GAUSSIAN"}
# Their SERSIC has another b_n, PEMD and SPEMD need Fortran; NFW_MC is `nfw_angles`.
APART = ("SERSIC", "SERSIC_ELLIPSE_POTENTIAL", "SPEMD", "INTERPOL", "INTERPOL_SCALED") + (
    "NumericalAlpha",
    "NFW_MC",
)


def grid() -> tuple[Tensor, Tensor]:
    """Return points, flat."""
    axis = torch.linspace(-2.9, 3.1, 21, dtype=torch.float64)
    x, y = torch.meshgrid(axis, axis, indexing="xy")
    return x.flatten(), y.flatten()


def parameters_of(name: str) -> dict[str, Any]:
    """Return an example of a mass."""
    several = {"amp": [1.0, 0.5], "sigma": [0.3, 0.8]} if name.startswith("MULTI_") else {}
    return {k: (VALUES | several)[k] for k in MASS_PROFILES[name]}


def theirs(name: str, parameters: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Return the deflection by lenstronomy."""
    profile = lens_class({"PEMD": "EPL"}.get(name, PRESENT.get(name, name)))
    x, y = (w.numpy().copy() for w in grid())
    values = {k: np.array(v) if isinstance(v, list) else v for k, v in parameters.items()}
    return profile.derivatives(x, y, **values)


ELLIPSE = {"e1": 0.15, "e2": -0.1, "center_x": 0.1, "center_y": 0.05}
CENTRE = {"center_x": 0.1, "center_y": 0.05}
CHAMELEON = {k: VALUES[k] for k in MASS_PROFILES["TRIPLE_CHAMELEON"] if k != "alpha_1"}
LIGHTS = {
    "GAUSSIAN": {"sigma": 0.4, **CENTRE},
    "GAUSSIAN_ELLIPSE": {"sigma": 0.4, **ELLIPSE},
    "ELLIPSOID": {"radius": 0.9, **ELLIPSE},
    "MULTI_GAUSSIAN": {"amp": [1.0, 0.5], "sigma": [0.3, 0.8], **CENTRE},
    "MULTI_GAUSSIAN_ELLIPSE": {"amp": [1.0, 0.5], "sigma": [0.3, 0.8], **ELLIPSE},
    "HERNQUIST": {"Rs": 0.6, **CENTRE},
    "HERNQUIST_ELLIPSE": {"Rs": 0.6, **ELLIPSE},
    "PJAFFE": {"Ra": 0.2, "Rs": 1.5, **CENTRE},
    "PJAFFE_ELLIPSE": {"Ra": 0.2, "Rs": 1.5, **ELLIPSE},
    "CHAMELEON": {"w_c": 0.2, "w_t": 1.5, **ELLIPSE},
    "DOUBLE_CHAMELEON": {
        k: v for k, v in (CHAMELEON | {"ratio": 1.3}).items() if k[-1] != "3" and "ratio1" not in k
    },
    "TRIPLE_CHAMELEON": CHAMELEON,
    "SHAPELETS": {"amp": [1.0, 0.1, 0.2], "n_max": 1, "beta": 0.4, **CENTRE},
    "SHAPELETS_POLAR": {"amp": [1.0, 0.1, 0.2], "n_max": 1, "beta": 0.4, **CENTRE},
    "SHAPELETS_POLAR_EXP": {"amp": [1.0, 0.1, 0.2, 0.1], "n_max": 1, "beta": 0.2, **CENTRE},
    "INTERPOL": {"image": np.ones((5, 5)), "scale": 0.2, "phi_G": 0.3, **CENTRE},
}


def brightness(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return our surface brightness, and lenstronomy's at the same flux."""
    parameters = LIGHTS[name]
    part = light_part(name, parameters, [[1.0]])
    x, y = grid()
    shape = {k: v for k, v in part.items() if k not in ("profile", "amplitude")}
    components = [
        amplitude
        * part["profile"](x, y, **{k: v[:, i] if v.ndim > 1 else v for k, v in shape.items()})
        for i, amplitude in enumerate(part["amplitude"][0, :, 0])
    ]
    ours = torch.stack(components).sum(0).numpy()
    values = {k: np.array(v) if isinstance(v, list) else v for k, v in parameters.items()}
    if "amp" not in parameters:
        values["amp"] = 1.0
    true = LightModel([name]).func_list[0].function(x.numpy().copy(), y.numpy().copy(), **values)
    return ours, true * (ours * true).sum() / (true * true).sum()
