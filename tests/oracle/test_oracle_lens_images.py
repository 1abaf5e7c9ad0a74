"""Images, deflections and image positions against lenstronomy and caustics."""

import warnings

import numpy as np
import pytest
import torch

pytest.importorskip("lenstronomy")

import lenstronomy_images as oracle
from lenstronomy.LensModel.lens_model import LensModel
from lenstronomy.LensModel.Solver.lens_equation_solver import LensEquationSolver

from skywright import sky
from skywright.sky.images_of_points import image_positions
from skywright.sky.lensing import deflect

pytestmark = [
    pytest.mark.oracle,
    # lenstronomy's own call of numpy.fft
    pytest.mark.filterwarnings("ignore:`axes` should not be `None`:DeprecationWarning"),
]
PIXELS = 64


def render(system, pixels=PIXELS, **options):
    scale, fwhm = oracle.SURVEYS[system["survey"]]
    if system["psf"] == "gaussian":
        psf = sky.gaussian_psf(fwhm)
    elif system["psf"] == "moffat":
        psf = sky.moffat_psf(fwhm, oracle.BETA)
    else:
        kernel = oracle.cell_kernel("pixel", fwhm, scale / 3)
        psf = sky.pixel_psf(torch.as_tensor(kernel), scale, 3)
    light = [
        {**system[name], "amplitude": torch.full((1, 1, 1), system[name]["amplitude"])}
        for name in ("source", "lens_light")
    ]
    image = sky.render(
        system["lens"],
        light[0],
        pixels=pixels,
        scale=scale,
        psf=psf,
        lens_light=light[1],
        **options,
    )
    return image[0, 0].double().numpy()


@pytest.fixture(scope="module")
def residuals():
    rng = np.random.default_rng(20)
    rows = []
    for _ in range(20):
        system = oracle.draw_system(rng)
        truth, image = oracle.reference_image(system, PIXELS), render(system)
        worst = np.abs(image - truth).max() / truth.max()
        rows.append((worst, abs(image.sum() / truth.sum() - 1)))
    return np.array(rows)


def test_images_of_twenty_systems(residuals):
    assert np.median(residuals[:, 0]) < 0.01
    assert np.quantile(residuals[:, 0], 0.95) < 0.02


def test_flux_of_twenty_systems(residuals):
    assert residuals[:, 1].max() < 0.003


def test_the_oracle_sees_a_shifted_lens():
    system = oracle.draw_system(np.random.default_rng(3))
    truth = oracle.reference_image(system, PIXELS, supersample=5)
    system["lens"]["theta_e"] *= 1.05
    assert np.abs(render(system) - truth).max() / truth.max() > 0.02


DEFLECTORS = {
    "SIE": (
        "EPL",
        {"theta_E": 1.3, "gamma": 2.0},
        sky.sie,
        {"theta_e": 1.3, "q": 0.6, "phi": 0.7},
    ),
    "EPL": (
        "EPL",
        {"theta_E": 1.3, "gamma": 1.7},
        sky.epl,
        {"theta_e": 1.3, "slope": 1.7, "q": 0.6, "phi": 0.7},
    ),
    "steep EPL": (
        "EPL",
        {"theta_E": 0.8, "gamma": 2.4},
        sky.epl,
        {"theta_e": 0.8, "slope": 2.4, "q": 0.6, "phi": 0.7},
    ),
    "SIS": ("SIS", {"theta_E": 1.1}, sky.sis, {"theta_e": 1.1}),
    "point": ("POINT_MASS", {"theta_E": 1.1}, sky.point_mass, {"theta_e": 1.1}),
    "NFW": ("NFW", {"Rs": 1.7, "alpha_Rs": 0.9}, sky.nfw, {"radius_s": 1.7, "alpha_s": 0.9}),
}


def grid():
    axis = torch.linspace(-2.9, 3.1, 41, dtype=torch.float64)
    return torch.meshgrid(axis, axis, indexing="xy")


@pytest.mark.parametrize("name", DEFLECTORS)
def test_deflection_and_convergence_like_lenstronomy(name):
    theirs, arguments, ours, parameters = DEFLECTORS[name]
    if "q" in parameters:
        e1, e2 = oracle.ellipticities(parameters["q"], parameters["phi"])
        arguments = {**arguments, "e1": e1, "e2": e2}
    arguments = {**arguments, "center_x": 0.13, "center_y": -0.07}
    model = LensModel([theirs])
    x, y = grid()
    true_x, true_y = model.alpha(x.numpy().ravel(), y.numpy().ravel(), [arguments])
    lens = {"deflector": ours, **parameters, "x0": 0.13, "y0": -0.07}
    ax, ay = deflect(x, y, lens)
    np.testing.assert_allclose(ax.numpy().ravel(), true_x, atol=2e-6)
    np.testing.assert_allclose(ay.numpy().ravel(), true_y, atol=2e-6)
    if theirs != "POINT_MASS":
        kappa = model.kappa(x.numpy().ravel(), y.numpy().ravel(), [arguments])
        np.testing.assert_allclose(
            sky.convergence(x, y, lens).numpy().ravel(), kappa, rtol=1e-5, atol=2e-6
        )


def test_shear_like_lenstronomy():
    x, y = grid()
    true = LensModel(["SHEAR"]).alpha(
        x.numpy(), y.numpy(), [{"gamma1": 0.03, "gamma2": -0.05, "ra_0": 0.2, "dec_0": 0.1}]
    )
    ours = sky.shear(x, y, 0.03, -0.05, 0.2, 0.1)
    for a, b in zip(ours, true, strict=True):
        np.testing.assert_allclose(a.numpy(), b, atol=1e-12)


def test_elliptical_halo_like_lenstronomy():
    # Theirs: potential of sqrt((1 - e) x^2 + (1 + e) y^2), that is c (q x^2 + y^2 / q).
    q, phi, e = 0.8, 0.7, (1 - 0.8**2) / (1 + 0.8**2)
    c = np.sqrt(1 - e**2)
    e1, e2 = oracle.ellipticities(q, phi)
    strength = {"Rs": 1.7, "alpha_Rs": 0.9, "e1": e1, "e2": e2}
    model = LensModel(["NFW_ELLIPSE_POTENTIAL"])
    x, y = grid()
    true = model.alpha(x.numpy().ravel(), y.numpy().ravel(), [strength])
    for modulus in (e, np.hypot(e1, e2)):  # which of the two conventions the version follows
        c = np.sqrt(1 - modulus**2)
        q = np.sqrt((1 - modulus) / (1 + modulus))
        ours = sky.nfw(x, y, 1.7 / np.sqrt(c), 0.9 * np.sqrt(c), q, phi)
        if np.allclose(ours[0].numpy().ravel(), true[0], atol=2e-6):
            break
    np.testing.assert_allclose(ours[0].numpy().ravel(), true[0], atol=2e-6)
    np.testing.assert_allclose(ours[1].numpy().ravel(), true[1], atol=2e-6)


def test_deflection_like_caustics():
    pytest.importorskip("caustics")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecations of caustics' own imports
        from caustics.lenses import func
    x, y = grid()
    q, phi, b = 0.6, 0.7, 1.3
    arguments = [torch.tensor(p, dtype=torch.float64) for p in (0.1, 0.2, q, phi, b)]
    true = func.reduced_deflection_angle_sie(*arguments, x, y, torch.tensor(0.0))
    ours = sky.sie(x, y, b, q, phi, 0.1, 0.2)
    for a, t in zip(ours, true, strict=True):
        torch.testing.assert_close(a, t, atol=1e-6, rtol=0)


@pytest.mark.parametrize("kind", ["sie", "nfw"])
def test_positions_and_magnifications(kind):
    rng = np.random.default_rng(5)
    for _ in range(10):
        ours, model, arguments = oracle.draw_lens(kind, rng)
        source = rng.uniform(-0.25, 0.25, 2)
        x, y = LensEquationSolver(model).image_position_from_source(
            *source, arguments, min_distance=0.02, search_window=7, precision_limit=1e-10
        )
        true = model.magnification(x, y, arguments)
        seen = np.abs(true) > 1e-3
        found = image_positions(*source, ours, reach=3.5, step=0.2)
        image_x, image_y, mu = (v[0, 0].numpy() for v in found)
        assert len(mu) == seen.sum()
        for a, b, m in zip(x[seen], y[seen], true[seen], strict=True):
            i = np.argmin(np.hypot(image_x - a, image_y - b))
            assert np.hypot(image_x[i] - a, image_y[i] - b) < 0.02 * 0.2
            if abs(m) < 30:  # away from caustics
                assert mu[i] == pytest.approx(m, rel=0.01)
