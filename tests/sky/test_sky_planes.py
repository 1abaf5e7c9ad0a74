"""Several lens planes, potentials and delays, against analytic truth."""

import warnings

import numpy as np
import pytest
import torch
from astropy.cosmology import FlatLambdaCDM, LambdaCDM
from hypothesis import given, settings
from hypothesis import strategies as st

from skywright import sky
from skywright.sky.distances import angular_distances
from skywright.sky.lensing import deflect
from skywright.sky.potentials import potential
from skywright.sky.profiles import deflections as d

COSMOLOGY = FlatLambdaCDM(70, 0.3)
ONE = torch.ones(1, 1, 1, dtype=torch.float64)
STAMP = {"pixels": 40, "scale": 0.2, "psf": sky.gaussian_psf(0.6)}
LENS = {"theta_e": 1.2, "q": 0.7, "phi": 0.4, "gamma1": 0.03}
SOURCE = {"amplitude": ONE, "radius": 0.3, "n": 2.0, "x0": 0.1, "y0": -0.05}
GALAXY = {"amplitude": 3 * ONE, "radius": 0.6, "n": 4.0, "q": 0.8}


def distance(near, far, cosmology=COSMOLOGY):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # astropy renames this method
        return cosmology.angular_diameter_distance_z1z2(near, far).value


def render_planes(planes, **changes):
    return sky.render_planes(planes, **({"cosmology": COSMOLOGY} | STAMP | changes))


def test_two_planes_are_the_lens_and_its_source():
    image = render_planes(
        [
            {"redshift": 0.5, "lens": LENS, "light": GALAXY},
            {"redshift": 1.5, "lens": {"theta_e": 9.0}, "light": SOURCE},
        ]
    )
    assert torch.equal(image, sky.render(LENS, SOURCE, lens_light=GALAXY, **STAMP))


def test_planes_at_one_redshift_are_one_plane():
    other = {"deflector": sky.sis, "theta_e": 0.4, "x0": 0.9, "y0": 0.3}
    planes = [
        {"redshift": 0.5, "lens": LENS, "light": GALAXY},
        {"redshift": [0.5], "lens": other},
        {"redshift": 1.5, "light": SOURCE},
    ]
    image = render_planes(planes)
    single = sky.render([LENS, other], SOURCE, lens_light=GALAXY, **STAMP)
    torch.testing.assert_close(image, single, atol=1e-10, rtol=1e-8)


def test_an_empty_plane_changes_nothing():
    planes = [{"redshift": 0.5, "lens": LENS}, {"redshift": 1.5, "light": SOURCE}]
    image = render_planes([planes[0], {"redshift": 0.9}, planes[1]])
    torch.testing.assert_close(image, render_planes(planes))


def test_light_in_the_middle_is_lensed_as_far_as_it_is_behind():
    # Reduced for redshift 2, the lens bends light from redshift 0.9 by less.
    light = [SOURCE, {"profile": None, "amplitude": ONE, "x0": 0.2, "y0": 0.1}]
    image = render_planes(
        [
            {"redshift": 0.3, "lens": {"deflector": sky.sis, "theta_e": 1.5}},
            {"redshift": 0.9, "light": light},
            {"redshift": 2.0, "light": SOURCE | {"amplitude": 0 * ONE}},
        ]
    )
    factor = distance(0.3, 0.9) * distance(0, 2.0) / distance(0, 0.9) / distance(0.3, 2.0)
    lens = {"deflector": sky.sis, "theta_e": 1.5 * float(factor)}
    torch.testing.assert_close(image, sky.render(lens, light, **STAMP), atol=1e-9, rtol=1e-6)


def test_systems_of_a_batch_have_their_own_redshifts():
    z = np.array([[0.3, 0.5], [0.8, 0.5], [1.5, 2.5]])
    mass = {"theta_e": torch.tensor([0.3, 0.5]), "x0": 0.5}

    def planes(rows):
        part = mass | {"theta_e": mass["theta_e"][rows]}
        return [
            {"redshift": z[0, rows], "lens": LENS},
            {"redshift": z[1, rows], "lens": part, "light": GALAXY},
            {
                "redshift": z[2, rows],
                "light": [SOURCE, SOURCE | {"profile": None, "radius": 1}][:1],
            },
        ]

    whole = render_planes(planes(slice(None)))
    for i in range(2):
        alone = render_planes(planes(slice(i, i + 1)))
        torch.testing.assert_close(alone[0], whole[i], atol=1e-10, rtol=1e-8)


def test_single_precision_is_enough():
    planes = [
        {"redshift": [0.3, 0.4], "lens": LENS},
        {"redshift": 0.8, "lens": {"theta_e": 0.3, "x0": 0.5}, "light": GALAXY},
        {"redshift": 2.0, "light": SOURCE},
    ]
    double, single = (render_planes(planes, dtype=t) for t in (torch.float64, torch.float32))
    assert single.dtype == torch.float32
    assert float((single - double).abs().max() / double.max()) < 1e-4


def test_every_image_of_a_point_behind_planes_has_its_magnification():
    masses = [
        {"deflector": sky.sis, "theta_e": 1.5},
        {"deflector": sky.sis, "theta_e": 0.4, "x0": 0.5, "y0": 0.2},
    ]
    planes = sky.arrange_planes(masses, [0.3, 0.8], 2.0, COSMOLOGY)
    x, y, mu = sky.image_positions(0.2, 0.1, planes, reach=4.0, step=0.1)
    back_x, back_y = sky.trace(x[0, 0], y[0, 0], planes)
    assert np.allclose(back_x, 0.2, atol=1e-8)
    assert np.allclose(back_y, 0.1, atol=1e-8)
    assert len(mu[0, 0]) >= 2
    point = {"profile": None, "amplitude": ONE, "x0": 0.2, "y0": 0.1}
    image = render_planes(
        [
            {"redshift": 0.3, "lens": masses[0]},
            {"redshift": 0.8, "lens": masses[1]},
            {"redshift": 2.0, "light": point},
        ],
        pixels=60,
    )
    assert float(image.sum()) == pytest.approx(float(mu.abs().sum()), rel=2e-3)


@pytest.mark.parametrize(
    "cosmology",
    [COSMOLOGY, LambdaCDM(70, 0.3, 0.5), LambdaCDM(70, 0.4, 0.8), LambdaCDM(70, 0.3, 1.4)],
)
def test_distances_like_astropy(cosmology):
    near, far = np.array([0.2, 0.5, 1.0, 2.0]), np.array([0.5, 0.5, 3.0, 1.0])
    found = angular_distances(near, far, cosmology)
    between = distance(near, far, cosmology) * (far > near)
    truth = distance(0 * near, near, cosmology), distance(0 * far, far, cosmology), between
    for ours, true in zip(found, truth, strict=True):
        np.testing.assert_allclose(ours, true, rtol=1e-8, atol=1e-6)


def test_beyond_the_antipode_of_a_closed_universe_there_is_no_answer():
    closed = LambdaCDM(70, 0.3, 1.6)  # its antipode is at a redshift of about 3.7
    assert angular_distances(np.array([1.0]), np.array([3.0]), closed)[2][0] > 0
    with pytest.raises(ValueError, match="a redshift of 4 lies beyond the antipode"):
        angular_distances(np.array([1.0]), np.array([4.0]), closed)


def test_distances_in_as_many_cosmologies_as_systems():
    several = [COSMOLOGY, LambdaCDM(70, 0.3, 0.5), COSMOLOGY]
    near, far = np.array([0.2]), np.array([0.5, 1.0, 0.1])
    found = angular_distances(near, far, several)
    for i, one in enumerate(several):
        alone = angular_distances(near, far[i : i + 1], one)
        assert [d[i] for d in found] == [d[0] for d in alone]
    with pytest.raises(ValueError, match="broadcast"):
        angular_distances(np.ones(2), np.ones(2), several)
    assert [d.shape for d in angular_distances(near, np.empty(0), [])] == [(0,)] * 3


DEFLECTORS = {
    "sie": {"deflector": sky.sie, "theta_e": 1.3, "q": 0.6, "phi": 0.7},
    "sie and shear": {"theta_e": 1.3, "q": 0.6, "phi": 0.7, "gamma1": 0.1, "gamma2": -0.05},
    "epl": {"deflector": sky.epl, "theta_e": 1.3, "slope": 1.7, "q": 0.6, "phi": 0.7},
    "sis": {"deflector": sky.sis, "theta_e": 1.1},
    "point": {"deflector": sky.point_mass, "theta_e": 1.1},
    "nfw": {"deflector": sky.nfw, "radius_s": 1.7, "alpha_s": 0.9, "q": 0.8, "phi": 0.2},
    "shear": {"deflector": sky.shear, "gamma1": 0.1, "gamma2": -0.05},
    "sheet": {"deflector": d.sheet, "kappa": 0.2},
    "power law": {"deflector": d.power_law_potential, "theta_e": 1.1, "slope": 2.3, "q": 0.7},
    "cored": {"deflector": d.nie, "theta_e": 1.1, "core": 0.3, "q": 0.7, "phi": 0.3},
    "hernquist": {"deflector": d.hernquist, "kappa": 0.5, "radius_s": 1.2, "q": 0.8},
    "jaffe": {"deflector": d.pseudo_jaffe, "kappa": 0.9, "core": 0.2, "cutoff": 2.0},
    "gaussian": {"deflector": d.gaussian_mass, "mass": 1.0, "sigma": 0.8, "q": 0.7},
    "sersic": {"deflector": d.sersic_mass, "kappa": 0.4, "radius": 0.9, "n": 3.0},
}


@pytest.mark.parametrize("name", ["sie", "epl", "sis", "point", "power law", "cored"])
def test_no_mass_no_deflection(name):
    x, y = torch.tensor([0.5, 2.0], dtype=torch.float64), torch.tensor([0.1, 0.0])
    for component in deflect(x, y.double(), DEFLECTORS[name] | {"theta_e": 0.0}):
        assert torch.equal(component, torch.zeros(2, dtype=torch.float64))


@pytest.mark.parametrize("name", DEFLECTORS)
def test_the_gradient_of_the_potential_is_the_deflection(name):
    lens = DEFLECTORS[name] | ({} if name == "shear" else {"x0": 0.13, "y0": -0.07})
    axis = torch.linspace(-2.9, 3.1, 8, dtype=torch.float64)
    x, y = (w.clone().requires_grad_() for w in torch.meshgrid(axis, axis, indexing="xy"))
    ax, ay = torch.autograd.grad(potential(x, y, lens).sum(), (x, y))
    true_x, true_y = deflect(x.detach(), y.detach(), lens)
    torch.testing.assert_close(ax, true_x, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(ay, true_y, atol=1e-4, rtol=1e-4)


@settings(max_examples=30, deadline=None)
@given(st.floats(0.3, 2.0), st.floats(0.05, 0.9), st.floats(0.1, 0.8), st.floats(1.0, 3.0))
def test_delay_behind_a_sphere(theta, share, z_lens, z_source):
    beta = share * theta
    delay = sky.time_delays(
        [theta + beta, beta - theta],
        [0.0, 0.0],
        {"deflector": sky.sis, "theta_e": theta},
        z_lens,
        z_source,
        COSMOLOGY,
    )
    # Schneider, Ehlers & Falco 1992, eq. 8.36: 2 theta_E beta times the time-delay distance / c.
    scale = distance(0, z_lens) * distance(0, z_source) / distance(z_lens, z_source)
    day = (1 + z_lens) * scale * 2 * theta * beta * (np.pi / 180 / 3600) ** 2
    assert float(delay[0]) == 0
    assert float(delay[1]) == pytest.approx(day * 3.0856775815e19 / 299792.458 / 86400, rel=1e-6)


def test_planes_at_one_redshift_delay_as_one():
    other = {"deflector": sky.sis, "theta_e": 0.4, "x0": 0.9, "y0": 0.3}
    x, y, mu = sky.image_positions(0.1, 0.05, [LENS, other], reach=4.0, step=0.1)
    one = sky.time_delays(x[0], y[0], [LENS, other], 0.5, 1.5, COSMOLOGY)
    two = sky.time_delays(x[0], y[0], [[LENS], [other]], [0.5, 0.5], 1.5, COSMOLOGY)
    assert mu.shape[-1] >= 4
    torch.testing.assert_close(one, two, atol=1e-9, rtol=1e-9)


def test_delays_of_a_batch_keep_missing_images_apart():
    lens = {"theta_e": torch.tensor([1.0, 0.3]), "q": 0.8}
    x, y, mu = sky.image_positions(
        torch.tensor([0.05, 0.5]), torch.zeros(2), lens, reach=2, step=0.1
    )
    delay = sky.time_delays(x, y, lens, 0.5, np.array([1.5, 2.0]), COSMOLOGY)
    assert torch.equal(delay.isnan(), mu == 0)
    assert torch.equal(delay.nan_to_num(1e9).amin(-1), torch.zeros(2, 1, dtype=torch.float64))


@pytest.mark.parametrize(
    ("planes", "message"),
    [
        ([], "no planes"),
        ([{"light": SOURCE}], "expected redshift"),
        ([{"redshift": 0.5, "lenses": LENS}], "expected redshift"),
        ([{"redshift": -0.5, "light": SOURCE}], "positive"),
        ([{"redshift": float("nan"), "light": SOURCE}], "positive"),
        ([{"redshift": 1.5, "lens": LENS}, {"redshift": 0.5, "light": SOURCE}], "descend"),
        ([{"redshift": 0.5, "lens": LENS}, {"redshift": 1.5}], "no light"),
        (
            [{"redshift": [0.5, 0.6], "lens": LENS}, {"redshift": 1.0}]
            + [{"redshift": 1.5, "light": SOURCE | {"radius": torch.ones(3)}}],
            "systems",
        ),
    ],
)
def test_planes_without_meaning_are_refused(planes, message):
    with pytest.raises(ValueError, match=message):
        render_planes(planes)


def test_other_bad_input_is_refused():
    with pytest.raises(ValueError, match="not behind the lens"):
        sky.time_delays([1.0], [0.0], LENS, 0.5, 0.5, COSMOLOGY)
    with pytest.raises(ValueError, match="descend"):
        sky.time_delays([1.0], [0.0], LENS, 0.5, 0.3, COSMOLOGY)
    with pytest.raises(ValueError, match="2 planes of masses and 1 redshifts"):
        sky.arrange_planes([LENS, LENS], [0.5], 1.0, COSMOLOGY)
