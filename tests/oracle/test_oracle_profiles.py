"""Every profile of the whitelist, and NFW halos, against lenstronomy."""

import warnings

import numpy as np
import pytest
import torch

pytest.importorskip("lenstronomy")

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # syntax warnings of lenstronomy's own modules
    from lenstronomy.Cosmo.lens_cosmo import LensCosmo
    from lenstronomy.LensModel.lens_model import LensModel
    from lenstronomy.LensModel.profile_list_base import lens_class
    from lenstronomy.LightModel.light_model import LightModel

from astropy import units as u
from astropy.cosmology import FlatLambdaCDM

from skywright import sky
from skywright.sky.lensing import deflect, jacobian, map_parameters
from skywright.sky.profiles import ALIASES, MASS_PROFILES, light_part, mass_part
from skywright.sky.profiles.masses import NATIVE_MASSES

pytestmark = [
    pytest.mark.oracle,
    # lenstronomy's own calls of numpy
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::SyntaxWarning"),
    pytest.mark.filterwarnings("ignore:Use ``angular_diameter_distance"),
]

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


def grid():
    axis = torch.linspace(-2.9, 3.1, 21, dtype=torch.float64)
    x, y = torch.meshgrid(axis, axis, indexing="xy")
    return x.flatten(), y.flatten()


def parameters_of(name):
    several = {"amp": [1.0, 0.5], "sigma": [0.3, 0.8]} if name.startswith("MULTI_") else {}
    return {k: (VALUES | several)[k] for k in MASS_PROFILES[name]}


def theirs(name, parameters):
    profile = lens_class({"PEMD": "EPL"}.get(name, PRESENT.get(name, name)))
    x, y = (w.numpy().copy() for w in grid())
    values = {k: np.array(v) if isinstance(v, list) else v for k, v in parameters.items()}
    return profile.derivatives(x, y, **values)


@pytest.mark.parametrize("name", [name for name in MASS_PROFILES if name not in APART])
def test_deflection_like_lenstronomy(name):
    parameters = parameters_of(name)
    ours = deflect(*grid(), mass_part(name, parameters))
    size = max(np.abs(component).max() for component in theirs(name, parameters))
    for a, b in zip(ours, theirs(name, parameters), strict=True):
        np.testing.assert_allclose(a.numpy(), b, atol=1e-6 * size)


def test_most_of_the_whitelist_is_native():
    assert len(NATIVE_MASSES) >= 30


def test_interpolated_deflections_like_lenstronomy():
    axis = np.linspace(-4, 4, 41)
    x, y = np.meshgrid(axis, axis)
    psi = 0.5 * np.hypot(x, y + 0.1)
    slope_y, slope_x = np.gradient(psi, axis, axis)
    tables = {"grid_interp_x": axis, "grid_interp_y": axis, "f_": psi}
    tables |= {"f_x": slope_x, "f_y": slope_y}
    tables |= {k: np.zeros_like(psi) for k in ("f_xx", "f_yy", "f_xy")}
    ours = deflect(*grid(), mass_part("INTERPOL", tables))
    for a, b in zip(ours, theirs("INTERPOL", tables), strict=True):
        np.testing.assert_allclose(a.numpy(), b, atol=1e-12)


@pytest.mark.parametrize("name", ["TNFW", "DOUBLE_CHAMELEON", "CNFW_ELLIPSE", "MULTIPOLE"])
def test_the_back_end_differentiates(name):
    parameters = parameters_of(name)
    x, y = grid()
    found = jacobian(x, y, mass_part(name, parameters))
    hessian = lens_class(PRESENT.get(name, name)).hessian(x.numpy(), y.numpy(), **parameters)
    for a, b, one in zip(found, hessian, (1, 0, 0, 1), strict=True):
        np.testing.assert_allclose(a.numpy(), one - b, atol=1e-10)


def test_the_back_end_takes_every_system_by_itself():
    values = {"Rs": [1.5, 2.5, 1.5], "alpha_Rs": [0.9, 1.2, 0.9], "r_trunc": [3.0, 3.0, 4.0]}
    part = map_parameters(mass_part("TNFW", values), lambda value: value[:, None]).masses[0]
    x, y = grid()
    ax, _ = deflect(x.expand(3, -1), y.expand(3, -1), part)
    for i in range(3):
        one = {k: v[i] for k, v in values.items()}
        true = LensModel(["TNFW"]).alpha(x.numpy(), y.numpy(), [one])
        np.testing.assert_allclose(ax[i].numpy(), true[0], atol=1e-12)


def test_a_rare_lens_from_end_to_end():
    # A very wide truncation is none: the image is that of a native halo.
    source = light_part("SERSIC", {"R_sersic": 0.3, "n_sersic": 1.0}, [[1.0]])
    stamp = {"pixels": 40, "scale": 0.2, "psf": sky.gaussian_psf(0.6)}
    shape = {"Rs": 3.0, "alpha_Rs": 2.5}
    rare = sky.render(mass_part("TNFW", shape | {"r_trunc": 3e4}), source, **stamp)
    known = sky.render(mass_part("NFW", shape), source, **stamp)
    assert float((rare - known).abs().max() / known.max()) < 2e-3


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


@pytest.mark.parametrize("name", LIGHTS)
def test_brightness_like_lenstronomy(name):
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
    scale = (ours * true).sum() / (true * true).sum()
    np.testing.assert_allclose(ours, scale * true, atol=1e-8 * ours.max())


@pytest.mark.parametrize("name", ["SHAPELETS", "SHAPELETS_POLAR", "SHAPELETS_POLAR_EXP"])
def test_flux_of_shapelets(name):
    part = light_part(name, LIGHTS[name], [[1.0]])
    axis = torch.linspace(-12, 12, 1201, dtype=torch.float64)
    x, y = torch.meshgrid(axis, axis, indexing="xy")
    shape = {k: v for k, v in part.items() if k not in ("profile", "amplitude")}
    total = part["profile"](x.flatten(), y.flatten(), **shape).sum() * 0.02**2
    assert float(total * part["amplitude"]) == pytest.approx(1, abs=1e-3)


def test_halos_like_lenstronomy():
    cosmology = FlatLambdaCDM(70, 0.3)
    theirs = LensCosmo(0.5, 1.5, cosmology)
    true = theirs.nfw_physical2angle(1e13, 5.0)
    ours = sky.nfw_angles(1e13 * u.Msun, 5.0, 0.5, 1.5, cosmology)
    np.testing.assert_allclose(ours, true, rtol=1e-3)
