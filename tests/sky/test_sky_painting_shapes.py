import numpy as np
import pytest
import torch

from skywright.sky import arc_snr, arms_profile, effective_area
from skywright.sky.photometry import mean_radius, scale_to_snr


def plane(n=201, half=20.0):
    axis = torch.linspace(-half, half, n, dtype=torch.float64)
    return axis[None, :].expand(n, n), axis[:, None].expand(n, n)


def test_a_spiral_winds_logarithmically():
    x, y = plane()
    radius, pitch = 8.0, 0.4
    light = arms_profile(x, y, radius, 0.4, arms=2, sharpness=20.0, pitch=pitch, turn=0.3)
    # Along r = R exp(tan(pitch) (azimuth - turn)) the arm is at its ridge.
    azimuth = torch.linspace(-0.5, 1.5, 9, dtype=torch.float64)
    along = radius * torch.exp(np.tan(pitch) * (azimuth - 0.3))
    ridge = arms_profile(
        along * torch.cos(azimuth), along * torch.sin(azimuth), radius, 0.4, 2, 20.0, pitch, 0.3
    )
    envelope = torch.exp(-0.5 * (torch.log(along / radius) / 0.4) ** 2)
    np.testing.assert_allclose(ridge, envelope, rtol=1e-9)
    # Two arms: the pattern is the same after half a turn.
    np.testing.assert_allclose(light, light.flip(0, 1), atol=1e-9)


def test_a_ring_is_elliptical_like_its_galaxy():
    x, y = plane()
    light = arms_profile(x, y, 8.0, 0.05, sharpness=0.0, pitch=np.pi / 2, q=0.5, phi=0.0)
    peak = x[light > 0.9]
    assert float(peak.max()) == pytest.approx(8 / np.sqrt(0.5), abs=0.5)
    assert float(y[light > 0.9].max()) == pytest.approx(8 * np.sqrt(0.5), abs=0.4)


def test_area_of_a_gaussian_is_four_pi_sigma_squared():
    x, y = (w.numpy() for w in plane(81, 40.0))
    light = np.exp(-(x**2 + y**2) / (2 * 3.0**2))[None]
    assert effective_area(light)[0] == pytest.approx(4 * np.pi * 9, rel=1e-4)
    assert mean_radius(light, [0.0], [0.0])[0] == pytest.approx(3 * np.sqrt(np.pi / 2), rel=2e-3)


def test_flux_snr_and_area_are_two_facts_not_three():
    rng = np.random.default_rng(0)
    light = rng.random((1, 1, 12, 12))
    variance = np.full((1, 1, 1, 1), 2.5)
    snr = arc_snr(light, variance)[0]
    assert light.sum() ** 2 / (snr**2 * 2.5) == pytest.approx(effective_area(light[:, 0])[0])


def test_snr_does_not_depend_on_the_unit():
    rng = np.random.default_rng(0)
    light = rng.random((1, 1, 12, 12)).astype(np.float32)
    variance = np.full((1, 1, 1, 1), 2.5)
    for unit in (1e-25, 1e25):
        tiny = arc_snr((light * unit).astype(np.float32), variance * unit**2)
        assert tiny == pytest.approx(arc_snr(light, variance), rel=1e-5)


def test_light_outside_the_cutout_is_refused():
    nothing = np.zeros((2, 1, 4, 4), dtype=np.float32)
    with pytest.raises(ValueError, match="no light falls into the cutout"):
        scale_to_snr(nothing, np.ones((2, 1, 1, 1)), np.array([0.0, 5.0]))
    quiet = scale_to_snr(nothing, np.ones((2, 1, 1, 1)), np.zeros(2))
    assert not quiet.any()
