"""Deflectors and ray tracing: closed forms, symmetries, image positions."""

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from skywright import sky
from skywright.sky.deflectors import rotate
from skywright.sky.images_of_points import image_positions
from skywright.sky.lensing import deflect, jacobian

PLANE = st.floats(-3, 3).filter(lambda v: abs(v) > 1e-3)
MASSES = [
    {"deflector": sky.sie, "theta_e": 1.1, "q": 0.6},
    {"deflector": sky.epl, "theta_e": 1.1, "slope": 1.8, "q": 0.6},
    {"deflector": sky.nfw, "radius_s": 2.0, "alpha_s": 0.8, "q": 0.8},
]


def tensor(*values):
    return [torch.tensor(v, dtype=torch.float64) for v in values]


@settings(max_examples=50, deadline=None)
@given(PLANE, PLANE)
def test_sphere_deflects_by_its_einstein_radius(x, y):
    ax, ay = sky.sis(*tensor(x, y), 1.3)
    assert float(torch.hypot(ax, ay)) == pytest.approx(1.3, rel=1e-9)
    assert float(ax) * y == pytest.approx(float(ay) * x, abs=1e-9)


@settings(max_examples=50, deadline=None)
@given(PLANE, PLANE)
def test_round_lenses_agree(x, y):
    x, y = tensor(x, y)
    expected = sky.sis(x, y, 1.3)
    for found in (sky.sie(x, y, 1.3), sky.epl(x, y, 1.3), sky.sie_shear(x, y, 1.3)):
        torch.testing.assert_close(found, expected, atol=2e-7, rtol=0)


@settings(max_examples=25, deadline=None)
@given(PLANE, PLANE, st.floats(0, 3), st.sampled_from(MASSES))
def test_turning_a_lens_turns_its_deflection(x, y, phi, mass):
    x, y = tensor(x, y)
    upright = deflect(*rotate(x, y, phi), mass)
    turned = deflect(x, y, {**mass, "phi": phi})
    torch.testing.assert_close(rotate(*turned, phi), upright, atol=1e-9, rtol=0)


@settings(max_examples=25, deadline=None)
@given(PLANE, PLANE, st.sampled_from(MASSES))
def test_deflection_has_no_curl(x, y, mass):
    _, xy, yx, _ = jacobian(*tensor(x, y), mass)
    assert float(xy) == pytest.approx(float(yx), abs=1e-8)


def test_convergence_of_an_ellipsoid():
    x, y = tensor([0.4, 1.5], [0.9, -0.3])
    lens = {"deflector": sky.sie, "theta_e": 1.2, "q": 0.7}
    expected = 1.2 / 2 / torch.sqrt(0.7 * x**2 + y**2 / 0.7)
    torch.testing.assert_close(sky.convergence(x, y, lens), expected, atol=1e-9, rtol=1e-6)


def test_area_within_a_critical_curve_does_not_depend_on_axis_ratio():
    angle = torch.linspace(0, 2 * torch.pi, 4001, dtype=torch.float64)[:-1]
    for q in (0.4, 1.0):
        # The critical curve of an isothermal ellipsoid has convergence 1/2.
        radius = 1.2 / torch.sqrt(q * angle.cos() ** 2 + angle.sin() ** 2 / q)
        x, y = radius * angle.cos(), radius * angle.sin()
        mass = {"deflector": sky.sie, "theta_e": 1.2, "q": q}
        assert float(sky.magnification(x, y, mass).abs().min()) > 1e4
        assert float((radius**2).mean()) == pytest.approx(1.2**2, rel=1e-6)


def test_masses_add_up():
    x, y = tensor(0.7, -0.4)
    one, two = {"theta_e": 1.0, "q": 0.7}, {"deflector": sky.point_mass, "theta_e": 0.3, "x0": 1.0}
    both = deflect(x, y, [one, two])
    for total, a, b in zip(both, deflect(x, y, one), deflect(x, y, two), strict=True):
        torch.testing.assert_close(total, a + b)


def test_nothing_deflects_nothing():
    x, y = tensor(0.7, -0.4)
    assert deflect(x, y, None) == (0.0, 0.0)


def test_halo_is_smooth_where_its_formula_changes():
    for dtype, limit in ((torch.float64, 1e-9), (torch.float32, 2e-4)):
        for join in (0.02, 0.15, 1.0):
            x = torch.tensor(join, dtype=dtype) * torch.tensor([1 - 1e-6, 1 + 1e-6], dtype=dtype)
            ax, _ = sky.nfw(x, torch.zeros_like(x), 1.0, 1.0)
            slope = float((x[1] - x[0]).abs()) * 8
            assert float((ax[1] - ax[0]).abs()) < slope + limit


@settings(deadline=None)
@given(st.floats(0.1, 1), st.floats(-1.5, 1.5))
def test_ellipticity_and_axis_ratio_are_inverse(q, phi):
    back_q, back_phi = sky.axis_ratio(*sky.ellipticity(*tensor(q, phi)))
    assert float(back_q) == pytest.approx(q, rel=1e-9)
    if q < 0.999:
        assert float(back_phi) == pytest.approx(phi, abs=1e-6)


@settings(max_examples=20, deadline=None)
@given(st.floats(0.05, 0.9), st.floats(0, 6))
@example(0.5, 2.220446049250313e-16)  # on an edge of cells, but for rounding
def test_images_of_a_sphere(distance, angle):
    x, y = distance * np.cos(angle), distance * np.sin(angle)
    image_x, image_y, mu = image_positions(x, y, {"theta_e": 1.0}, reach=2.5, step=0.13)
    radius = np.sort(torch.hypot(image_x[0, 0], image_y[0, 0]).numpy())
    np.testing.assert_allclose(radius, [1 - distance, 1 + distance], atol=1e-6)
    np.testing.assert_allclose(mu[0, 0].numpy(), [1 + 1 / distance, 1 - 1 / distance], rtol=1e-5)


def test_images_of_many_sources_at_once_and_one_by_one():
    rng = np.random.default_rng(1)
    x, y = (torch.as_tensor(rng.uniform(-0.3, 0.3, (5, 2))) for _ in range(2))
    q = torch.as_tensor(rng.uniform(0.5, 0.9, 5))
    together = image_positions(x, y, {"theta_e": 1.0, "q": q}, reach=2.0, step=0.2)
    for i in range(5):
        for j in range(2):
            mass = {"theta_e": 1.0, "q": q[i]}
            alone = image_positions(x[i, j], y[i, j], mass, reach=2.0, step=0.2)
            count = alone[0].shape[-1]
            for a, b in zip(alone, together, strict=True):
                torch.testing.assert_close(a[0, 0], b[i, j, :count], atol=1e-8, rtol=1e-6)
            assert not together[2][i, j, count:].any()


def test_a_source_far_outside_has_one_image():
    assert (
        image_positions(2.0, 0.0, {"theta_e": 0.5, "q": 0.7}, reach=4, step=0.2)[0].shape[-1] == 1
    )
