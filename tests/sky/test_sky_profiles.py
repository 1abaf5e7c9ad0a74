"""Published profiles: names, flux, bad input, and what happens without lenstronomy."""

import builtins
import math
import subprocess
import sys

import numpy as np
import pytest
import torch
from scipy.integrate import quad

from skywright import sky
from skywright.sky.lensing import convergence
from skywright.sky.profiles import (
    ALIASES,
    LIGHT_PROFILES,
    MASS_PROFILES,
    light_part,
    mass_part,
    parameter_names,
)
from skywright.sky.profiles import deflections as d

STAMP = {"pixels": 40, "scale": 0.2, "psf": sky.gaussian_psf(0.6)}


def test_the_whitelist_is_complete():
    assert len(MASS_PROFILES) == 60
    assert len(LIGHT_PROFILES) == 24
    assert set(ALIASES["mass"].values()) <= set(MASS_PROFILES)


def test_names_need_neither_torch_nor_lenstronomy():
    code = (
        "import sys; from skywright.sky.profiles import parameter_names as p; p('mass', 'SIE');"
        "print('torch' in sys.modules, 'lenstronomy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_names_of_today_mean_the_published_ones():
    assert parameter_names("mass", "NFW_ELLIPSE_POTENTIAL") == parameter_names(
        "mass", "NFW_ELLIPSE"
    )


@pytest.mark.parametrize(
    ("kind", "name", "message"),
    [
        ("mass", "SIEE", "did you mean SIE"),
        ("light", "SERSIC_ELIPSE", "did you mean SERSIC_ELLIPSE"),
        ("light", "qwerty", "there are GAUSSIAN"),
        ("dust", "SIE", "expected 'mass' or 'light'"),
    ],
)
def test_unknown_names_are_refused(kind, name, message):
    with pytest.raises(ValueError, match=message):
        parameter_names(kind, name)


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("SIE", {"theta_E": 1.0, "e1": 0.1}, "lacks e2"),
        ("SIE", {"theta_e": 1.0, "e1": 0.1, "e2": 0.0}, "did you mean theta_E"),
        ("SIE", {"theta_E": "one", "e1": 0.1, "e2": 0.0}, "expected numbers"),
        ("SIE", {"theta_E": float("nan"), "e1": 0.1, "e2": 0.0}, "NaN"),
        ("SIE", {"theta_E": 1.0, "e1": 0.8, "e2": 0.8}, "less than 1"),
        ("SIS", {"theta_E": [[1.0]]}, "one number a system"),
        ("SIS", {"theta_E": []}, "empty"),
        ("NFW", {"Rs": 0.0, "alpha_Rs": 1.0}, "positive"),
        ("CHAMELEON", {"alpha_1": 1, "w_c": 2, "w_t": 1, "e1": 0, "e2": 0}, "cut-off"),
        ("SPEMD", {"theta_E": 1, "gamma": 2, "s_scale": 0.1, "e1": 0, "e2": 0}, "core"),
        ("NumericalAlpha", {}, "class"),
        ("NFW_MC", {"logM": 13.0, "concentration": 5.0}, "nfw_angles"),
    ],
)
def test_masses_without_meaning_are_refused(name, parameters, message):
    with pytest.raises(ValueError, match=message):
        mass_part(name, parameters)


@pytest.mark.parametrize(
    ("name", "parameters", "flux", "message"),
    [
        ("SERSIC", {"R_sersic": 1.0}, [[1.0]], "lacks n_sersic"),
        ("SERSIC", {"R_sersic": -1.0, "n_sersic": 1.0}, [[1.0]], "positive"),
        ("SERSIC", {"R_sersic": 1.0, "n_sersic": 1.0}, [1.0], "system, band"),
        ("SERSIC", {"R_sersic": 1.0, "n_sersic": 1.0}, [[math.inf]], "finite"),
        ("SERSIC", {"amp": 1.0, "R_sersic": 1.0, "n_sersic": 1.0}, [[1.0]], "no parameter 'amp'"),
        ("UNIFORM", {}, [[1.0]], "no finite total flux"),
        ("POWER_LAW", {"gamma": 2.0, "e1": 0, "e2": 0}, [[1.0]], "no finite total flux"),
        ("MULTI_GAUSSIAN", {"amp": [1.0, -2.0], "sigma": [0.1, 0.2]}, [[1.0]], "shares"),
        (
            "CORE_SERSIC",
            {"R_sersic": 1, "Rb": 0.1, "n_sersic": 4, "gamma": 2.5, "e1": 0, "e2": 0},
            [[1.0]],
            "finite below 2",
        ),
    ],
)
def test_lights_without_meaning_are_refused(name, parameters, flux, message):
    with pytest.raises(ValueError, match=message):
        light_part(name, parameters, flux)


def test_without_lenstronomy_the_extra_is_named(monkeypatch):
    real = builtins.__import__

    def without(name, *rest, **named):
        if name.startswith("lenstronomy"):
            raise ImportError(name)
        return real(name, *rest, **named)

    for name in [m for m in sys.modules if m.startswith("lenstronomy")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(builtins, "__import__", without)
    monkeypatch.setitem(sys.modules, "lenstronomy", None)
    with pytest.raises(ImportError, match=r"skywright\[lenstronomy\]"):
        mass_part("TNFW", {"Rs": 1.0, "alpha_Rs": 1.0, "r_trunc": 3.0})


ELLIPSE = {"e1": 0.15, "e2": -0.1}
LIGHTS = {
    "GAUSSIAN": {"sigma": 0.3},
    "GAUSSIAN_ELLIPSE": {"sigma": 0.3, **ELLIPSE},
    "ELLIPSOID": {"radius": 0.8, **ELLIPSE},
    "MULTI_GAUSSIAN": {"amp": [1.0, 0.4], "sigma": [0.2, 0.5]},
    "MULTI_GAUSSIAN_ELLIPSE": {"amp": [1.0, 0.4], "sigma": [0.2, 0.5], **ELLIPSE},
    "SERSIC": {"R_sersic": 0.4, "n_sersic": 1.5},
    "SERSIC_ELLIPSE": {"R_sersic": 0.4, "n_sersic": 1.5, **ELLIPSE},
    "CORE_SERSIC": {"R_sersic": 0.4, "Rb": 0.1, "n_sersic": 1.5, "gamma": 0.5, **ELLIPSE},
}


@pytest.mark.parametrize("name", LIGHTS)
def test_an_image_holds_the_flux_that_was_asked_for(name):
    part = light_part(name, LIGHTS[name], [[2.0, 3.0], [4.0, 5.0]])
    image = sky.render(None, part, **STAMP)
    torch.testing.assert_close(
        image.sum((-1, -2)),
        torch.tensor([[2.0, 3.0], [4.0, 5.0]], dtype=torch.float64),
        rtol=1e-2 if name == "ELLIPSOID" else 2e-3,  # a sharp edge between samples
        atol=0,
    )


WIDE = {
    "HERNQUIST": ({"Rs": 0.4}, ("radius_s",)),
    "PJAFFE": ({"Ra": 0.1, "Rs": 0.8}, ("core", "cutoff")),
    "CHAMELEON": ({"w_c": 0.1, "w_t": 0.8, "e1": 0.0, "e2": 0.0}, ("core", "cutoff")),
}


@pytest.mark.parametrize("name", WIDE)
def test_the_whole_plane_holds_the_flux_of_wide_profiles(name):
    parameters, sizes = WIDE[name]
    part = light_part(name, parameters, [[1.0]])
    shape = {size: float(part[size].flatten()[0]) for size in sizes}

    def ring(log_r):
        r = torch.tensor([math.exp(log_r)], dtype=torch.float64)
        value = part["profile"](r, torch.zeros_like(r), **shape)
        return float(value[0]) * 2 * math.pi * float(r[0]) ** 2

    assert quad(ring, -14, 14, limit=200)[0] == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize(
    ("lens", "kappa"),
    [
        (
            {"deflector": d.sersic_mass, "kappa": 0.4, "radius": 0.8, "n": 2.0},
            lambda r: 0.4 * np.exp(-3.6720607488 * ((r / 0.8) ** 0.5 - 1)),
        ),
        (
            {"deflector": d.gaussian_mass, "mass": 1.0, "sigma": 0.8},
            lambda r: np.exp(-(r**2) / 1.28) / (2 * np.pi * 0.64),
        ),
        (
            {"deflector": d.nie, "theta_e": 1.0, "core": 0.3},
            lambda r: 0.5 / np.sqrt(0.09 + r**2),
        ),
        ({"deflector": d.sheet, "kappa": 0.25}, lambda r: 0.25 + 0 * r),
        ({"deflector": d.matrix, "xx": 0.2, "xy": 0.1, "yx": 0.1, "yy": 0.1}, lambda r: 0.15),
        ({"deflector": d.flexion, "xxx": 0.2, "xxy": 0.0, "xyy": 0.1, "yyy": 0.0}, None),
        ({"deflector": d.constant, "shift_x": 0.2, "shift_y": 0.1}, lambda r: 0 * r),
    ],
)
def test_convergence_is_what_the_profile_says(lens, kappa):
    x = torch.tensor([0.1, 0.5, 0.9, 2.0, 4.0], dtype=torch.float64)
    found = convergence(x, 0 * x, lens).numpy()
    expected = 0.15 * x.numpy() if kappa is None else kappa(x.numpy())
    np.testing.assert_allclose(found, np.broadcast_to(expected, 5), rtol=1e-6, atol=1e-9)


def test_a_mass_beyond_its_truncation_is_a_point_or_nothing():
    x, y = torch.tensor([30.0], dtype=torch.float64), torch.zeros(1, dtype=torch.float64)
    gone, _ = d.truncated_sis(x, y, 1.0, 5.0)
    point, _ = d.gaussian_mass(x, y, math.pi, 0.5)
    assert float(gone) == 0
    assert float(point) == pytest.approx(1 / 30)


def test_systems_have_their_own_parameters():
    parts = {
        "lens": mass_part("SIE", {"theta_E": [1.0, 1.4], "e1": 0.1, "e2": [0.0, 0.1]}),
        "source": light_part("SERSIC", {"R_sersic": 0.3, "n_sersic": [1.0, 2.0]}, [[1.0], [2.0]]),
    }
    whole = sky.render(parts["lens"], parts["source"], **STAMP)
    alone = sky.render(
        mass_part("SIE", {"theta_E": 1.4, "e1": 0.1, "e2": 0.1}),
        light_part("SERSIC", {"R_sersic": 0.3, "n_sersic": 2.0}, [[2.0]]),
        **STAMP,
    )
    torch.testing.assert_close(whole[1], alone[0], atol=1e-12, rtol=1e-9)
