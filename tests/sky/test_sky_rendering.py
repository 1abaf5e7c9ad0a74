"""The renderer: flux, pixels, point spread, batches, bad input."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import dblquad
from scipy.special import gammainc, gammaincinv
from scipy.stats import norm

from skywright import sky
from skywright.sky.light import sersic_b

ONE = torch.ones(1, 1, 1, dtype=torch.float64)
SMALL = {"pixels": 40, "scale": 0.2, "psf": sky.gaussian_psf(0.6)}


def light(**changes):
    return {"amplitude": ONE, "radius": 0.5, "n": 1.0, "q": 0.7, "phi": 0.4} | changes


def random_scene(systems, bands, seed=0):
    rng = np.random.default_rng(seed)

    def draw(low, high, *shape):
        return torch.as_tensor(rng.uniform(low, high, (systems, *shape)))

    lens = {"theta_e": draw(0.8, 1.5), "q": draw(0.6, 0.9), "phi": draw(0, 3), "gamma1": 0.02}
    source = {
        "amplitude": draw(0.5, 2, 3, bands),
        "radius": draw(0.05, 0.4, 3),
        "n": draw(0.6, 4, 3),
        "x0": draw(-0.3, 0.3, 3),
        "y0": draw(-0.3, 0.3, 3),
    }
    galaxy = {"amplitude": draw(1, 5, 1, bands), "radius": draw(0.5, 1.0), "n": 4.0, "q": lens["q"]}
    return lens, source, galaxy


@pytest.mark.parametrize("n", [0.3, 0.5, 1.0, 4.0, 8.0])
def test_half_of_the_flux_lies_within_the_radius(n):
    b = float(sersic_b(torch.tensor(n, dtype=torch.float64)))
    assert b == pytest.approx(gammaincinv(2 * n, 0.5), rel=1e-8)
    assert gammainc(2 * n, b) == pytest.approx(0.5, abs=1e-8)


@pytest.mark.parametrize(
    ("profile", "parameters"),
    [
        (sky.sersic, {"radius": 0.6, "n": 1.5}),
        (sky.ring, {"radius": 0.9, "width": 0.2}),
        (sky.ring, {"radius": 0.1, "width": 0.4}),
        (sky.spiral, {"radius": 0.6, "arms": 2.0, "contrast": 0.9}),
    ],
)
def test_profiles_have_unit_flux(profile, parameters):
    def brightness(radius, angle):
        x, y = radius * np.cos(angle), radius * np.sin(angle)
        point = torch.tensor([x], dtype=torch.float64), torch.tensor([y], dtype=torch.float64)
        return radius * float(profile(*point, q=0.9, phi=0.3, **parameters))

    if profile is sky.spiral:  # winds without end at the centre: sum rings of many points
        radius = torch.linspace(0, 8, 8001, dtype=torch.float64)[:, None] + 5e-4
        angle = torch.linspace(0, 2 * torch.pi, 65, dtype=torch.float64)[:-1]
        values = profile(radius * angle.cos(), radius * angle.sin(), **parameters)
        total = float((values.mean(1) * 2 * torch.pi * radius[:, 0] * 1e-3).sum())
    else:
        total = dblquad(brightness, 0, 2 * np.pi, 0, 12, epsabs=1e-6)[0]
    assert total == pytest.approx(1, abs=2e-3)


@settings(max_examples=15, deadline=None)
@given(
    st.floats(0.05, 0.6), st.floats(0.5, 4), st.floats(0.4, 1), st.floats(-1, 1), st.floats(-1, 1)
)
def test_amplitude_is_total_flux(radius, n, q, x0, y0):
    part = light(radius=radius, n=n, q=q, x0=x0, y0=y0)
    image = sky.render(None, part, pixels=100, scale=0.2, psf=sky.gaussian_psf(0.7))
    outside = 1 - gammainc(2 * n, gammaincinv(2 * n, 0.5) * (9 / (radius / q**0.5)) ** (1 / n))
    assert float(image.sum()) == pytest.approx(1, abs=4e-3 + outside)


def test_pixels_integrate_a_gaussian_source_and_a_gaussian_psf():
    # A Sersic profile of index 1/2 is a Gaussian; two Gaussians make a third.
    sigma, fwhm, scale = 0.31, 0.9, 0.263
    radius = sigma * np.sqrt(2 * np.log(2))
    part = light(radius=radius, n=0.5, q=1.0, x0=0.1, y0=-0.2)
    image = sky.render(None, part, pixels=21, scale=scale, psf=sky.gaussian_psf(fwhm))
    width = np.hypot(sigma, fwhm / np.sqrt(8 * np.log(2)))
    edges = (np.arange(22) - 10.5) * scale
    across, along = (np.diff(norm.cdf(edges, centre, width)) for centre in (0.1, -0.2))
    truth = along[:, None] * across
    np.testing.assert_allclose(image[0, 0], truth, atol=2e-3 * truth.max())


@pytest.mark.parametrize("kind", ["gaussian", "moffat", "pixel"])
def test_a_point_shows_the_psf_integrated_over_pixels_once(kind):
    fwhm, beta, x0, y0 = 2.5, 3.0, 0.3, -0.2

    def brightness(y, x):
        r2 = (x - x0) ** 2 + (y - y0) ** 2
        if kind == "moffat":
            alpha = fwhm / 2 / np.sqrt(2 ** (1 / beta) - 1)
            return (beta - 1) / (np.pi * alpha**2) * (1 + r2 / alpha**2) ** -beta
        sigma = fwhm / np.sqrt(8 * np.log(2))
        return np.exp(-0.5 * r2 / sigma**2) / (2 * np.pi * sigma**2)

    psf = {
        "gaussian": lambda: sky.gaussian_psf(fwhm),
        "moffat": lambda: sky.moffat_psf(fwhm, beta),
        "pixel": lambda: sky.pixel_psf(_gaussian_cells(fwhm, 3), 1.0, 3),
    }[kind]()
    point = {"profile": None, "amplitude": ONE, "x0": x0, "y0": y0}
    image = sky.render(None, point, pixels=15, scale=1.0, psf=psf)[0, 0]
    for row, column in ((7, 7), (6, 8), (9, 7), (5, 5)):
        x, y = column - 7.0, row - 7.0
        truth = dblquad(brightness, x - 0.5, x + 0.5, y - 0.5, y + 0.5)[0]
        assert float(image[row, column]) == pytest.approx(truth, abs=3e-3 * float(image.max()))


def _gaussian_cells(fwhm, oversampling):
    edges = (np.arange(48) - 23.5) / oversampling
    line = np.diff(norm.cdf(edges, 0, fwhm / np.sqrt(8 * np.log(2))))
    return torch.as_tensor(line[:, None] * line)


@pytest.mark.parametrize("oversampling", [1, 3, 5])
def test_a_kernel_of_a_gaussian_blurs_like_the_gaussian(oversampling):
    part = light(radius=0.9, n=3.0, x0=0.37, y0=-1.2)
    kernel = sky.pixel_psf(_gaussian_cells(3.0, oversampling), 1.0, oversampling)
    images = [
        sky.render(None, part, pixels=31, scale=1.0, psf=psf)
        for psf in (sky.gaussian_psf(3.0), kernel)
    ]
    assert float((images[0] - images[1]).abs().max() / images[0].max()) < 6e-3


def test_a_lens_without_mass_is_no_lens():
    part = light(n=3.0, x0=0.4)
    images = [sky.render(lens, part, **SMALL) for lens in (None, {"theta_e": 0.0})]
    torch.testing.assert_close(*images, atol=1e-4, rtol=0)
    front = sky.render({"theta_e": 1.0}, None, lens_light=part, **SMALL)
    torch.testing.assert_close(front, images[0])


def test_lensed_flux_is_unlensed_flux_times_magnification():
    # A small source where the magnification hardly changes, seen twice.
    lens = {"theta_e": 1.0}
    part = light(radius=0.02, n=0.5, q=1.0, x0=0.5)
    image = sky.render(lens, part, pixels=60, scale=0.1, psf=sky.gaussian_psf(0.3))
    assert float(image.sum()) == pytest.approx(2 / 0.5, rel=5e-3)


def test_a_lensed_point_is_a_tiny_lensed_source():
    lens = {"theta_e": 1.2, "q": 0.7, "phi": 0.5}
    point = {"profile": None, "amplitude": ONE, "x0": 0.1, "y0": 0.15}
    images = [
        sky.render(lens, part, pixels=50, scale=0.1, psf=sky.gaussian_psf(0.3), accuracy=1e-3)
        for part in (point, light(radius=0.003, n=0.5, q=1.0, x0=0.1, y0=0.15))
    ]
    assert float((images[0] - images[1]).abs().max() / images[0].max()) < 0.02


def test_turning_the_scene_turns_the_image():
    lens = {"theta_e": 1.2, "q": 0.7, "phi": 0.5, "gamma1": 0.04, "gamma2": 0.01}
    part = light(x0=0.2, y0=-0.1)
    image = sky.render(lens, part, **SMALL)
    turned = sky.render(
        lens | {"phi": 0.5 + np.pi / 2, "gamma1": -0.04, "gamma2": -0.01},
        light(x0=0.1, y0=0.2, phi=0.4 + np.pi / 2),
        **SMALL,
    )
    # x grows along columns, y along rows: a quarter turn takes (x, y) to (-y, x).
    torch.testing.assert_close(turned, image.transpose(-1, -2).flip(-1), atol=1e-6, rtol=1e-4)


def test_one_system_is_the_same_alone_and_in_a_batch():
    lens, source, galaxy = random_scene(5, 2)
    psf = sky.gaussian_psf([0.6, 0.8])
    whole = sky.render(lens, source, lens_light=galaxy, pixels=40, scale=0.2, psf=psf)
    for i in range(5):
        rows = [
            {k: v[i : i + 1] if torch.is_tensor(v) else v for k, v in part.items()}
            for part in (lens, source, galaxy)
        ]
        alone = sky.render(*rows[:2], lens_light=rows[2], pixels=40, scale=0.2, psf=psf)
        torch.testing.assert_close(alone[0], whole[i], atol=1e-12, rtol=1e-10)


def test_blocks_of_a_large_batch_do_not_show(monkeypatch):
    import sys

    lens, source, galaxy = random_scene(7, 1)
    whole = sky.render(lens, source, lens_light=galaxy, **SMALL)
    monkeypatch.setattr(sys.modules["skywright.sky.rendering"], "CACHE", 1)
    torch.testing.assert_close(sky.render(lens, source, lens_light=galaxy, **SMALL), whole)


def test_bands_have_their_own_psf_and_amplitude():
    lens, source, _ = random_scene(2, 3)
    psf = sky.moffat_psf([0.5, 0.7, 0.9], 2.5)
    image = sky.render(lens, source, pixels=40, scale=0.2, psf=psf)
    for band, fwhm in enumerate((0.5, 0.7, 0.9)):
        one = source | {"amplitude": source["amplitude"][..., band : band + 1]}
        alone = sky.render(lens, one, pixels=40, scale=0.2, psf=sky.moffat_psf(fwhm, 2.5))
        torch.testing.assert_close(
            image[:, band], alone[:, 0], atol=5e-3 * float(image.max()), rtol=0
        )


def test_a_shape_may_differ_between_bands():
    radius = torch.tensor([[[0.3, 0.6]]], dtype=torch.float64)
    amplitude = torch.tensor([[[1.0, 2.0]]], dtype=torch.float64)
    image = sky.render(None, light(amplitude=amplitude, radius=radius), **SMALL)
    for band, (size, flux) in enumerate(((0.3, 1.0), (0.6, 2.0))):
        alone = sky.render(None, light(radius=size), **SMALL)
        torch.testing.assert_close(image[0, band], flux * alone[0, 0])


def test_every_system_may_have_its_own_seeing():
    part = light(amplitude=torch.ones(2, 1, 1), radius=0.4)
    psf = sky.gaussian_psf([[0.6], [0.9]])
    image = sky.render(None, part, pixels=40, scale=0.2, psf=psf)
    for i, fwhm in enumerate((0.6, 0.9)):
        alone = sky.render(
            None, light(radius=0.4), pixels=40, scale=0.2, psf=sky.gaussian_psf(fwhm)
        )
        torch.testing.assert_close(image[i], alone[0], atol=2e-4 * float(image.max()), rtol=0)


def test_single_precision_is_enough():
    lens, source, galaxy = random_scene(3, 1)
    double = sky.render(lens, source, lens_light=galaxy, **SMALL)
    single = sky.render(lens, source, lens_light=galaxy, dtype=torch.float32, **SMALL)
    assert float((single - double).abs().max() / double.max()) < 1e-4


def test_a_thin_ring_is_resolved():
    part = {"profile": sky.ring, "amplitude": ONE, "radius": 1.6, "width": 0.06, "x0": 0.03}
    images = [sky.render(None, part, accuracy=accuracy, **SMALL) for accuracy in (0.005, 1e-4)]
    assert float((images[0] - images[1]).abs().max() / images[1].max()) < 5e-3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"q": 0.0}, "0 < q <= 1"),
        ({"q": 1.2}, "0 < q <= 1"),
        ({"radius": -0.1}, "positive length"),
        ({"n": 20.0}, "Sersic index"),
        ({"x0": float("nan")}, "NaN"),
        ({"amplitude": torch.ones(1)}, "expected \\(system, component, band\\)"),
        ({"amplitude": torch.ones(1, 1, 3), "radius": torch.ones(1, 1, 2)}, "numbers of bands"),
        ({"radius": torch.ones(2), "phi": torch.ones(3)}, "numbers of systems"),
    ],
)
def test_light_without_meaning_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        sky.render(None, light(**change), **SMALL)


@pytest.mark.parametrize(
    ("lens", "message"),
    [
        ({"theta_e": -1.0}, "zero or a positive angle"),
        ({"theta_e": 1.0, "q": -0.5}, "0 < q <= 1"),
        ({"theta_e": float("inf")}, "NaN or infinity"),
        ({"theta_e": torch.ones(1, 2)}, "list of mappings"),
        ({"deflector": sky.epl, "theta_e": 1.0, "slope": 3.0}, "slope"),
    ],
)
def test_a_lens_without_meaning_is_refused(lens, message):
    with pytest.raises(ValueError, match=message):
        sky.render(lens, light(), **SMALL)


def test_other_bad_input_is_refused():
    with pytest.raises(ValueError, match="no light"):
        sky.render({"theta_e": 1.0}, None, **SMALL)
    with pytest.raises(ValueError, match="no amplitude"):
        sky.render(None, {"radius": 1.0}, **SMALL)
    with pytest.raises(ValueError, match="bands"):
        sky.render(
            None,
            light(amplitude=torch.ones(1, 1, 3)),
            pixels=9,
            scale=1.0,
            psf=sky.gaussian_psf([2.0, 3.0]),
        )
    with pytest.raises(TypeError, match="radus"):
        sky.render(None, {"amplitude": ONE, "radus": 1.0}, **SMALL)
    with pytest.raises(TypeError, match="expected mappings"):
        sky.render(None, [1.0], **SMALL)
    with pytest.raises(ValueError, match="accuracy"):
        sky.render(None, light(), accuracy=0.5, **SMALL)
    with pytest.raises(ValueError, match="positive number and size"):
        sky.render(None, light(), pixels=40, scale=0.0, psf=sky.gaussian_psf(1.0))


def test_a_psf_without_meaning_is_refused():
    with pytest.raises(ValueError, match="fwhm"):
        sky.gaussian_psf([1.0, -1.0])
    with pytest.raises(ValueError, match="beta > 1"):
        sky.moffat_psf(1.0, 0.9)
    with pytest.raises(ValueError, match="odd y and x"):
        sky.pixel_psf(torch.ones(4, 5), 1.0)
    with pytest.raises(ValueError, match="NaN or no positive sum"):
        sky.pixel_psf(torch.full((3, 3), torch.nan), 1.0)
