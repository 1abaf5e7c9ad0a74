"""Lenses of a population against closed formulas and lenstronomy; seeds are fixed."""

import astropy.units as u
import numpy as np
import pytest
from astropy.cosmology import FlatLambdaCDM, LambdaCDM
from astropy.table import QTable
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats
from scipy.special import gamma, gammainc

from skywright.sky.lens_population.deflectors import (
    draw_deflectors,
    galaxy_deflectors,
    velocity_dispersion,
)
from skywright.sky.lens_population.einstein_radii import distance_ratio, einstein_radius
from skywright.sky.lens_population.isothermal import (
    isothermal_images,
    multiple_image_area,
    multiple_image_reach,
)
from skywright.sky.lens_population.pairs import draw_lenses

COSMOLOGY = FlatLambdaCDM(H0=70, Om0=0.3)
LIGHT = 299792.458
LOWEST = 1e-3
CHOI = {"alpha": 2.32, "beta": 2.67, "star": 161.0, "phi": 8.0e-3 * 0.7**3}


@pytest.fixture
def rng():
    return np.random.default_rng(11)


def spheres(n, z=0.5, sigma=250.0, q=1.0):
    zero = np.zeros(n)
    return QTable(
        {
            "z": np.full(n, z),
            "sigma_v": np.full(n, sigma) * u.km / u.s,
            "q": np.full(n, q),
            "phi": zero * u.rad,
            "gamma1": zero,
            "gamma2": zero,
        }
    )


def points(z):
    z = np.atleast_1d(z)
    return QTable({"z": z, "angular_size": np.full(len(z), 1e-4) * u.arcsec, "ellipticity": 0 * z})


def isothermal_depth(z_s):
    """Return the lensed share of the sky: Gott, Park & Lee 1989, for spheres of constant density.

    tau = (16 pi^3 / 30) n <sigma^4> / c^4 D^3 in a flat universe, with the moment of Choi 2007.
    """
    moment = CHOI["star"] ** 4 * gamma((CHOI["alpha"] + 4) / CHOI["beta"])
    moment /= gamma(CHOI["alpha"] / CHOI["beta"])
    distance = COSMOLOGY.comoving_distance(z_s).to_value("Mpc")
    return 16 * np.pi**3 / 30 * CHOI["phi"] * moment / LIGHT**4 * distance**3


def test_the_closed_form_is_the_integral():
    """The truth of other tests, against quadrature of the velocity dispersion function."""

    def rate(sigma, z):
        x = sigma / CHOI["star"]
        density = CHOI["phi"] * x ** CHOI["alpha"] * np.exp(-(x ** CHOI["beta"])) / sigma
        density *= CHOI["beta"] / gamma(CHOI["alpha"] / CHOI["beta"])
        ratio = 1 - (COSMOLOGY.comoving_distance(z) / COSMOLOGY.comoving_distance(1.5)).to_value("")
        volume = COSMOLOGY.differential_comoving_volume(z).to_value("Mpc3/sr")
        return density * volume * np.pi * (4 * np.pi * (sigma / LIGHT) ** 2 * ratio) ** 2

    found = integrate.dblquad(rate, 1e-3, 1.5, 1.0, 800.0, epsrel=1e-4)[0]
    assert found == pytest.approx(isothermal_depth(1.5), rel=1e-3)
    # of the order that is published: 1e-3 for quasars at redshift 2 (Turner et al. 1984 on)
    assert 3e-4 < isothermal_depth(2.0) < 3e-3


def test_population_of_spheres(rng):
    """Number, lens redshifts and dispersions of what is drawn, against their formulas."""
    z_s, area, sources = 2.0, 40 * u.deg**2, 40_000
    deflectors = draw_deflectors(
        np.linspace(0.0, z_s, 101), area, COSMOLOGY, sigma_min=1.0, sigma_max=900.0, rng=rng
    )
    deflectors["q"], deflectors["gamma1"], deflectors["gamma2"] = 1.0, 0.0, 0.0
    behind = points(np.full(sources, z_s))
    found = draw_lenses(deflectors, behind, 2 * u.deg**2, COSMOLOGY, rng=rng)
    expected = isothermal_depth(z_s) * sources / 2 * 40
    assert abs(len(found) - expected) < 4 * np.sqrt(expected)
    # chi^2 (1 - chi / chi_s)^2: a beta distribution
    chi = COSMOLOGY.comoving_distance(found["z_l"]) / COSMOLOGY.comoving_distance(z_s)
    assert stats.kstest(chi.to_value(""), stats.beta(3, 3).cdf).pvalue > LOWEST
    x = (found["sigma_v"].value / CHOI["star"]) ** CHOI["beta"]
    order = (CHOI["alpha"] + 4) / CHOI["beta"]
    assert stats.kstest(x, lambda y: gammainc(order, y)).pvalue > LOWEST
    # evenly within the Einstein radius, and theta_e itself
    offset = np.hypot(found["x"], found["y"]) / found["theta_e"]
    assert stats.kstest(offset.to_value("") ** 2, "uniform").pvalue > LOWEST
    np.testing.assert_allclose(found["separation"], 2 * found["theta_e"], rtol=1e-4)
    np.testing.assert_allclose(
        found["theta_e"].to_value("rad"),
        4 * np.pi * (found["sigma_v"].value / LIGHT) ** 2 * (1 - chi.to_value("")),
        rtol=1e-6,
    )


def test_source_redshifts_follow_the_depth(rng):
    deflectors = draw_deflectors(
        np.linspace(0.0, 3.0, 151), 20 * u.deg**2, COSMOLOGY, sigma_min=1.0, sigma_max=900.0,
        rng=rng,
    )  # fmt: skip
    deflectors["q"], deflectors["gamma1"], deflectors["gamma2"] = 1.0, 0.0, 0.0
    z_s = rng.uniform(0.3, 3.0, 20_000)
    found = draw_lenses(deflectors, points(z_s), 1 * u.deg**2, COSMOLOGY, rng=rng)
    at = np.linspace(0.3, 3.0, 2000)
    share = integrate.cumulative_simpson(isothermal_depth(at), x=at, initial=0)
    drawn = stats.kstest(found["z_s"], lambda z: np.interp(z, at, share / share[-1]))
    assert drawn.pvalue > LOWEST


def test_number_is_linear_in_area_and_in_sources(rng):
    deflectors, behind = spheres(50_000), points(np.full(1000, 2.0))
    theta = einstein_radius(250.0, 0.5, 2.0, COSMOLOGY).to_value("deg")
    for degrees in (0.1, 1.0):
        drawn = draw_lenses(deflectors, behind, degrees * u.deg**2, COSMOLOGY, rng=rng)
        expected = 50_000 * 1000 / degrees * np.pi * theta**2
        assert abs(len(drawn) - expected) < 4 * np.sqrt(expected)


@pytest.mark.parametrize(("q", "gamma1"), [(0.25, 0.0), (0.5, 0.2), (0.9, -0.3)])
def test_ellipsoids_lens_by_their_area(q, gamma1, rng):
    """What thinning leaves is the area, which lenstronomy confirms below."""
    n = 40_000
    deflectors = spheres(n, q=q)
    deflectors["gamma1"] = gamma1
    deflectors["phi"] = rng.uniform(0, np.pi, n) * u.rad
    found = draw_lenses(deflectors, points(np.full(100, 2.0)), 1e-2 * u.deg**2, COSMOLOGY, rng=rng)
    theta = einstein_radius(250.0, 0.5, 2.0, COSMOLOGY).to_value("deg")
    # shear along all directions of the mass
    angle = np.linspace(0, np.pi, 50, endpoint=False)
    area = multiple_image_area(q, gamma1 * np.cos(2 * angle), gamma1 * np.sin(2 * angle)).mean()
    expected = n * 100 / 1e-2 * area * theta**2
    assert abs(len(found) - expected) < 4 * np.sqrt(expected)


@pytest.mark.parametrize(("q", "g1", "g2"), [(0.8, 0.0, 0.0), (0.3, 0.0, 0.0), (0.5, -0.2, 0.1)])
def test_cross_section_against_lenstronomy(q, g1, g2):
    """Count the sources on a fine grid for which lenstronomy finds several images.

    It leaves out images next to the singular centre. There is one for each source that lies within
    the curve onto which a tiny circle around the centre is traced.
    """
    pytest.importorskip("lenstronomy")
    from lenstronomy.LensModel.lens_model import LensModel
    from lenstronomy.LensModel.Solver.lens_equation_solver import LensEquationSolver
    from matplotlib.path import Path

    model = LensModel(["SIE", "SHEAR"])
    solver = LensEquationSolver(model)
    lens = [
        {"theta_E": 1.0, "e1": (1 - q) / (1 + q), "e2": 0.0, "center_x": 0.0, "center_y": 0.0},
        {"gamma1": g1, "gamma2": g2, "ra_0": 0.0, "dec_0": 0.0},
    ]
    angle = np.linspace(0, 2 * np.pi, 400)
    cut = model.ray_shooting(1e-6 * np.cos(angle), 1e-6 * np.sin(angle), lens)
    reach = multiple_image_reach(*(np.array([v]) for v in (q, g1, g2, 0.0)))[0]
    count = 44
    axis = reach * ((np.arange(count) + 0.5) / count * 2 - 1)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    several = Path(np.transpose(cut)).contains_points(grid)
    for i in np.flatnonzero(~several):
        images, _ = solver.image_position_analytical(*grid[i], lens, arrival_time_sort=False)
        several[i] = len(images) > 1
    # an even grid errs only along the edge of the region
    area = several.sum() * (2 * reach / count) ** 2
    assert multiple_image_area(q, g1, g2)[0] == pytest.approx(area, rel=0.012)


def test_images_against_lenstronomy(rng):
    pytest.importorskip("lenstronomy")
    from lenstronomy.LensModel.lens_model import LensModel
    from lenstronomy.LensModel.Solver.lens_equation_solver import LensEquationSolver

    model = LensModel(["SIE", "SHEAR"])
    solver = LensEquationSolver(model)
    n = 150
    q, phi = rng.uniform(0.3, 0.98, n), rng.uniform(0, np.pi, n)
    g1, g2 = rng.normal(0, 0.05, (2, n))
    x, y = rng.uniform(-0.7, 0.7, (2, n))
    _, _, mu = isothermal_images(x, y, q, phi, g1, g2)
    for i in range(n):
        e = (1 - q[i]) / (1 + q[i])
        lens = [
            {"theta_E": 1.0, "e1": e * np.cos(2 * phi[i]), "e2": e * np.sin(2 * phi[i]),
             "center_x": 0.0, "center_y": 0.0},
            {"gamma1": g1[i], "gamma2": g2[i], "ra_0": 0.0, "dec_0": 0.0},
        ]  # fmt: skip
        image_x, image_y = solver.image_position_analytical(x[i], y[i], lens)
        assert len(image_x) == (mu[i] != 0).sum()
        truth = np.sort(np.abs(model.magnification(image_x, image_y, lens)))[::-1]
        np.testing.assert_allclose(np.abs(mu[i][mu[i] != 0]), truth, rtol=2e-3)


@given(
    x=st.floats(-1.5, 1.5),
    y=st.floats(-1.5, 1.5),
    q=st.floats(0.2, 1.0),
    phi=st.floats(-4, 4),
    g1=st.floats(-0.15, 0.15),
    g2=st.floats(-0.15, 0.15),
)
@settings(max_examples=150, deadline=None)
def test_multiple_images_lie_within_reach_and_come_in_known_numbers(x, y, q, phi, g1, g2):
    reach = multiple_image_reach(*(np.array([v]) for v in (q, g1, g2, phi)))[0]
    image_x, image_y, mu = isothermal_images(*(np.array([v]) for v in (x, y, q, phi, g1, g2)))
    count = int((mu != 0).sum())
    assert count in (1, 2, 3, 4)
    if count > 1:
        assert np.hypot(x, y) <= reach
    turned = isothermal_images(*(np.array([v]) for v in (-x, -y, q, phi, g1, g2)))
    np.testing.assert_allclose(np.sort(mu), np.sort(turned[2]), rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("cosmology", [COSMOLOGY, LambdaCDM(70, 0.3, 0.5), LambdaCDM(70, 0.4, 0.9)])
def test_distances_in_any_geometry(cosmology, rng):
    z_l, z_s = np.sort(rng.uniform(0.05, 4.0, (2, 40)), axis=0)
    # the distance between two redshifts is that along the line of sight, bent as space is
    root = np.sqrt(complex(cosmology.Ok0)) + 1e-12
    near, far = (
        root * (cosmology.comoving_distance(z) / cosmology.hubble_distance).to_value("")
        for z in (z_l, z_s)
    )
    truth = (np.sinh(far - near) / np.sinh(far)).real
    np.testing.assert_allclose(distance_ratio(z_l, z_s, cosmology), truth, rtol=1e-8, atol=1e-12)
    many = np.tile(z_l, 40), np.tile(z_s, 40)  # enough for splines
    np.testing.assert_allclose(distance_ratio(*many, cosmology)[:40], truth, rtol=1e-7, atol=1e-9)
    assert (distance_ratio(z_s, z_l, cosmology) == 0).all()


def test_magnification_of_a_disc_behind_a_point_like_sphere(rng):
    """Of a small source it is that of a point, 2 / offset for a sphere."""
    found = draw_lenses(
        spheres(20_000), points(np.full(100, 2.0)), 0.01 * u.deg**2, COSMOLOGY, rng=rng
    )
    offset = (np.hypot(found["x"], found["y"]) / found["theta_e"]).to_value("")
    far = offset > 0.1
    np.testing.assert_allclose(found["magnification"][far], 2 / offset[far], rtol=2e-3)


def test_velocity_dispersions_of_galaxies(rng):
    n = 20_000
    galaxies = QTable(
        {
            "z": np.full(n, 0.5),
            "M_r": np.full(n, -22.425) * u.mag,
            "ellipticity": np.full(n, 0.1),
            "mag_r": np.full(n, 19.0),
        }
    )
    made = galaxy_deflectors(galaxies, rng=rng)
    # faded by 0.425 mag to today's -22, where the relation gives 184.5 km/s
    log = np.log10(made["sigma_v"].value)
    assert stats.kstest(log, stats.norm(np.log10(184.5), 0.07).cdf).pvalue > LOWEST
    assert made["mag_r"][0] == 19.0
    assert "sigma_v" not in galaxies.colnames
    # the curve bends: the brightest gain less
    steps = np.diff(np.log10(velocity_dispersion(np.array([-20.0, -21.0, -22.0, -23.0]))))
    assert (steps > 0).all()
    assert (np.diff(steps) < 0).all()


def test_axis_ratios_of_the_velocity_dispersion_function(rng):
    drawn = draw_deflectors(np.linspace(0.1, 1.0, 10), 20 * u.deg**2, COSMOLOGY, rng=rng)
    chosen = np.abs(drawn["sigma_v"].value - 150) < 2
    scale = 0.378 - 0.000572 * 150
    law = stats.rayleigh(scale=scale)
    flat = 1 - drawn["q"][chosen]
    assert flat.max() <= 0.8
    assert stats.kstest(flat, lambda e: law.cdf(e) / law.cdf(0.8)).pvalue > LOWEST


def test_columns_come_along(rng):
    deflectors, behind = spheres(3000), points(np.full(10, 2.0))
    deflectors["mag_i"] = np.arange(3000.0)
    behind["mag_i"] = np.arange(10.0) * u.mag
    found = draw_lenses(deflectors, behind, 1e-4 * u.deg**2, COSMOLOGY, rng=rng)
    assert len(found) > 20
    np.testing.assert_array_equal(found["lens_mag_i"], found["deflector"])
    np.testing.assert_array_equal(found["source_mag_i"].value, found["source"])
    again = draw_lenses(
        deflectors, behind, 1e-4 * u.deg**2, COSMOLOGY, rng=np.random.default_rng(4)
    )
    twice = draw_lenses(
        deflectors, behind, 1e-4 * u.deg**2, COSMOLOGY, rng=np.random.default_rng(4)
    )
    for name in again.colnames:
        np.testing.assert_array_equal(again[name], twice[name])


@pytest.mark.parametrize("empty", ["deflectors", "sources", "before"])
def test_nothing_to_lens(empty, rng):
    deflectors = spheres(0 if empty == "deflectors" else 5)
    z_s = 0.3 if empty == "before" else 2.0
    behind = points(np.full(0 if empty == "sources" else 5, z_s))
    found = draw_lenses(deflectors, behind, 1 * u.deg**2, COSMOLOGY, rng=rng)
    assert len(found) == 0
    assert {"theta_e", "magnification", "source_q"} <= set(found.colnames)


@pytest.mark.parametrize(
    ("where", "column", "value", "message"),
    [
        ("deflectors", "sigma_v", np.nan * u.km / u.s, "holds nan in row 0"),
        ("deflectors", "sigma_v", -5 * u.km / u.s, "holds -5.0"),
        ("deflectors", "sigma_v", 200 * u.kg, "is in kg; expected km / s"),
        ("deflectors", "q", 1.5, "from 0.05 to 1"),
        ("deflectors", "gamma1", 2.0, "from -0.9 to 0.9"),
        ("sources", "angular_size", 1 * u.kpc, "is in kpc"),
        ("sources", "ellipticity", 1.2, "from 0 to 1"),
        ("sources", "z", -1.0, "from 0"),
    ],
)
def test_bad_columns_are_refused(where, column, value, message, rng):
    tables = {"deflectors": spheres(3), "sources": points(np.full(3, 2.0))}
    size = np.ones(3)
    tables[where][column] = value * size
    with pytest.raises(ValueError, match=message):
        draw_lenses(tables["deflectors"], tables["sources"], 1 * u.deg**2, COSMOLOGY, rng=rng)


def test_missing_columns_and_areas_are_refused(rng):
    deflectors, behind = spheres(3), points(np.full(3, 2.0))
    with pytest.raises(TypeError, match="solid angle"):
        draw_lenses(deflectors, behind, 3.0, COSMOLOGY, rng=rng)
    with pytest.raises(ValueError, match="positive area"):
        draw_lenses(deflectors, behind, 0 * u.deg**2, COSMOLOGY, rng=rng)
    del behind["ellipticity"]
    with pytest.raises(ValueError, match="there is no column 'ellipticity'"):
        draw_lenses(deflectors, behind, 1 * u.deg**2, COSMOLOGY, rng=rng)
    with pytest.raises(ValueError, match="M_r"):
        galaxy_deflectors(QTable({"z": [0.1]}), rng=rng)
    with pytest.raises(ValueError, match="two ascending numbers"):
        draw_deflectors(
            [0.1, 1.0], 1 * u.deg**2, COSMOLOGY, sigma_min=300.0, sigma_max=200.0, rng=rng
        )
