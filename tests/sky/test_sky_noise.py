"""Noise of coadds against closed forms."""

import numpy as np
import pytest
import torch

from skywright.sky.noise import add_noise, nanojansky, noise_variance, sky_rate

DES_LIKE = {
    "sky": torch.tensor([22.2, 20.0]),
    "zero_point": torch.tensor([26.6, 26.5]),
    "exposure_time": 90.0,
    "exposures": 7,
    "scale": 0.263,
    "read_noise": 7.0,
    "gain": 1.5,
}


def generators():
    return [np.random.default_rng(1), torch.Generator().manual_seed(1)]


@pytest.mark.parametrize("rng", generators())
def test_rms_of_empty_stamps(rng):
    noisy = add_noise(torch.zeros(200, 2, 40, 40, dtype=torch.float64), rng, **DES_LIKE)
    for band, (sky, zero) in enumerate(((22.2, 26.6), (20.0, 26.5))):
        total = 1.5 * 90 * 7
        electrons = 10 ** (-0.4 * (sky - zero)) * 0.263**2 * total + 7 * 7.0**2
        values = noisy[:, band].numpy()
        assert values.std() == pytest.approx(np.sqrt(electrons) / total, rel=0.02)
        assert abs(values.mean()) < 5 * values.std() / np.sqrt(values.size)


@pytest.mark.parametrize("rng", generators())
def test_variance_of_a_source_is_its_rate_over_the_total_exposure(rng):
    rates = torch.logspace(0, 4, 9, dtype=torch.float64)[:, None, None, None]
    settings = DES_LIKE | {"sky": 40.0, "zero_point": 26.0, "read_noise": 0.0}
    noisy = add_noise(rates.expand(9, 1, 200, 200), rng, **settings)
    slope = noisy.var((1, 2, 3)) / noisy.mean((1, 2, 3))
    np.testing.assert_allclose(slope, 1 / (1.5 * 90 * 7), rtol=0.03)


def test_stated_variance_is_the_drawn_one():
    image = torch.full((2, 200, 200), 30.0, dtype=torch.float64)
    noisy = add_noise(image, np.random.default_rng(2), **DES_LIKE)
    stated = noise_variance(image, **DES_LIKE)
    np.testing.assert_allclose(noisy.var((1, 2)), stated.mean((1, 2)), rtol=0.03)
    np.testing.assert_allclose(noisy.mean((1, 2)), 30.0, rtol=1e-2)


def test_same_seed_same_noise():
    image = torch.zeros(1, 2, 8, 8)
    a, b = (add_noise(image, np.random.default_rng(5), **DES_LIKE) for _ in range(2))
    assert torch.equal(a, b)


def test_units():
    assert nanojansky(31.4 - 2.5) == pytest.approx(10)
    assert sky_rate(22.0, 22.0, 0.5) == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"exposure_time": 0.0}, "exposure_time"),
        ({"exposures": -1}, "exposures"),
        ({"gain": float("nan")}, "gain"),
        ({"read_noise": -1.0}, "no negatives"),
        ({"scale": 0.0}, "scale"),
    ],
)
def test_settings_without_meaning_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        add_noise(torch.zeros(2, 4, 4), np.random.default_rng(0), **(DES_LIKE | change))
