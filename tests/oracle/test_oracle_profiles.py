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

import lenstronomy_profiles as oracle
from astropy import units as u
from astropy.cosmology import FlatLambdaCDM

from skywright import sky
from skywright.sky.lensing import deflect, jacobian, map_parameters
from skywright.sky.profiles import MASS_PROFILES, light_part, mass_part
from skywright.sky.profiles.masses import NATIVE_MASSES

pytestmark = [
    pytest.mark.oracle,
    # lenstronomy's own calls of numpy
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::SyntaxWarning"),
    pytest.mark.filterwarnings("ignore:Use ``angular_diameter_distance"),
]


@pytest.mark.parametrize("name", [name for name in MASS_PROFILES if name not in oracle.APART])
def test_deflection_like_lenstronomy(name):
    parameters = oracle.parameters_of(name)
    ours = deflect(*oracle.grid(), mass_part(name, parameters))
    size = max(np.abs(component).max() for component in oracle.theirs(name, parameters))
    for a, b in zip(ours, oracle.theirs(name, parameters), strict=True):
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
    ours = deflect(*oracle.grid(), mass_part("INTERPOL", tables))
    for a, b in zip(ours, oracle.theirs("INTERPOL", tables), strict=True):
        np.testing.assert_allclose(a.numpy(), b, atol=1e-12)


@pytest.mark.parametrize("name", ["TNFW", "DOUBLE_CHAMELEON", "CNFW_ELLIPSE", "MULTIPOLE"])
def test_the_back_end_differentiates(name):
    parameters = oracle.parameters_of(name)
    x, y = oracle.grid()
    found = jacobian(x, y, mass_part(name, parameters))
    hessian = lens_class(oracle.PRESENT.get(name, name)).hessian(x.numpy(), y.numpy(), **parameters)
    for a, b, one in zip(found, hessian, (1, 0, 0, 1), strict=True):
        np.testing.assert_allclose(a.numpy(), one - b, atol=1e-10)


def test_the_back_end_takes_every_system_by_itself():
    values = {"Rs": [1.5, 2.5, 1.5], "alpha_Rs": [0.9, 1.2, 0.9], "r_trunc": [3.0, 3.0, 4.0]}
    part = map_parameters(mass_part("TNFW", values), lambda value: value[:, None]).masses[0]
    x, y = oracle.grid()
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


@pytest.mark.parametrize("name", oracle.LIGHTS)
def test_brightness_like_lenstronomy(name):
    ours, true = oracle.brightness(name)
    np.testing.assert_allclose(ours, true, atol=1e-8 * ours.max())


@pytest.mark.parametrize("name", ["SHAPELETS", "SHAPELETS_POLAR", "SHAPELETS_POLAR_EXP"])
def test_flux_of_shapelets(name):
    part = light_part(name, oracle.LIGHTS[name], [[1.0]])
    axis = torch.linspace(-12, 12, 1201, dtype=torch.float64)
    x, y = torch.meshgrid(axis, axis, indexing="xy")
    shape = {k: v for k, v in part.items() if k not in ("profile", "amplitude")}
    total = part["profile"](x.flatten(), y.flatten(), **shape).sum() * 0.02**2
    assert float(total * part["amplitude"]) == pytest.approx(1, abs=1e-3)


def test_halos_like_lenstronomy():
    cosmology = FlatLambdaCDM(70, 0.3)
    halos = LensCosmo(0.5, 1.5, cosmology)
    true = halos.nfw_physical2angle(1e13, 5.0)
    ours = sky.nfw_angles(1e13 * u.Msun, 5.0, 0.5, 1.5, cosmology)
    np.testing.assert_allclose(ours, true, rtol=1e-3)
