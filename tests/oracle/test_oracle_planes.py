"""Images, positions, magnifications and delays behind several planes against lenstronomy."""

import numpy as np
import pytest

pytest.importorskip("lenstronomy")

import lenstronomy_planes as oracle

from skywright import sky

pytestmark = [
    pytest.mark.oracle,
    # lenstronomy's own calls of numpy and astropy
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Use ``angular_diameter_distance"),
    pytest.mark.filterwarnings("ignore:Cosmology is provided"),
]


def render(system, **changes):
    scale, fwhm = oracle.single.SURVEYS[system["survey"]]
    planes = oracle.our_planes(system)
    planes[1] |= changes
    image = sky.render_planes(
        planes, cosmology=oracle.COSMOLOGY, pixels=48, scale=scale, psf=sky.gaussian_psf(fwhm)
    )
    return image[0, 0].numpy()


@pytest.mark.parametrize("seed", range(8))
def test_images_of_three_planes(seed):
    system = oracle.draw_planes(np.random.default_rng([3, seed]))
    truth, image = oracle.reference_image(system, 48), render(system)
    assert np.abs(image - truth).max() / truth.max() < 0.02
    assert image.sum() == pytest.approx(truth.sum(), rel=3e-3)


def test_the_oracle_sees_a_mass_in_another_plane():
    system = oracle.draw_planes(np.random.default_rng([3, 0]))
    truth = oracle.reference_image(system, 48, supersample=5)
    near = system["redshifts"][0]
    assert np.abs(render(system, redshift=near) - truth).max() / truth.max() > 0.02


@pytest.mark.parametrize("seed", range(6))
def test_points_behind_two_lenses(seed):
    system = oracle.draw_planes(np.random.default_rng([3, seed]))
    near, mid, far = system["redshifts"]
    source = 0.5 * system["source"]["x0"], 0.5 * system["source"]["y0"]
    lenses = [system["lens"], system["middle"]]
    planes = sky.arrange_planes(lenses, [near, mid], far, oracle.COSMOLOGY)
    found = sky.image_positions(*source, planes, reach=4.0, step=0.1, faintest=0.05)
    late = sky.time_delays(found[0][0], found[1][0], lenses, [near, mid], far, oracle.COSMOLOGY)[
        0
    ].numpy()
    x, y, mu = (v[0, 0].numpy() for v in found)
    model, arguments = oracle.lens_model(system)
    back = model.ray_shooting(x, y, arguments)
    np.testing.assert_allclose(np.hypot(back[0] - source[0], back[1] - source[1]), 0, atol=1e-7)
    np.testing.assert_allclose(mu, model.magnification(x, y, arguments), rtol=1e-4)
    arrival = model.arrival_time(x, y, arguments)
    np.testing.assert_allclose(late, arrival - arrival.min(), atol=1e-5, rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("SIE", {"theta_E": 1.2, "e1": 0.15, "e2": -0.08}),
        ("EPL", {"theta_E": 1.1, "gamma": 1.8, "e1": 0.1, "e2": 0.1}),
        ("NFW", {"Rs": 5.0, "alpha_Rs": 3.0}),
        ("POINT_MASS", {"theta_E": 1.0}),
        ("HERNQUIST", {"sigma0": 1.0, "Rs": 1.5}),
        ("TNFW", {"Rs": 4.0, "alpha_Rs": 2.5, "r_trunc": 8.0}),
    ],
)
def test_delays_behind_one_lens(name, parameters):
    lens = [sky.mass_part(name, parameters), sky.mass_part("SHEAR", {"gamma1": 0.03, "gamma2": 0})]
    model = oracle.LensModel([name, "SHEAR"], z_lens=0.5, z_source=1.7, cosmo=oracle.COSMOLOGY)
    x, y, mu = sky.image_positions(0.12, 0.07, lens, reach=4.0, step=0.2)
    late = sky.time_delays(x[0], y[0], lens, 0.5, 1.7, oracle.COSMOLOGY)[0].numpy()
    arguments = [parameters, {"gamma1": 0.03, "gamma2": 0}]
    arrival = model.arrival_time(x[0, 0].numpy(), y[0, 0].numpy(), arguments)
    assert mu.shape[-1] > 1
    np.testing.assert_allclose(late, arrival - arrival.min(), rtol=1e-4, atol=1e-4)
