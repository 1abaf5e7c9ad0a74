"""Inside halos: definitions, concentrations, NFW profiles, what they deflect, and places."""

import astropy.units as u
import numpy as np
import pytest
import torch
from astropy import constants
from astropy.cosmology import FlatLambdaCDM, LambdaCDM, Planck18
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from skywright.sky import (
    convergence,
    convert_halo_mass,
    draw_concentrations,
    draw_nfw_positions,
    draw_nfw_radii,
    halo_concentration,
    halo_radius,
    nfw,
    nfw_density,
    nfw_enclosed_mass,
    nfw_lens,
    nfw_surface_density,
)
from skywright.sky.halos.border import colossus_cosmology
from skywright.sky.halos.definitions import threshold_density

pytest.importorskip("colossus")

COSMOLOGY = FlatLambdaCDM(H0=70, Om0=0.3, Ob0=0.05)
MATTER_ALONE = FlatLambdaCDM(H0=70, Om0=1.0)
DEFINITIONS = ("200m", "200c", "500c", "2500c", "vir")


@pytest.fixture
def rng():
    return np.random.default_rng(5)


def test_thresholds():
    critical = (3 * MATTER_ALONE.H(1.0) ** 2 / (8 * np.pi * constants.G)).to_value("Msun / kpc3")
    for name, factor in {"200m": 200, "500c": 500, "vir": 18 * np.pi**2}.items():
        assert threshold_density(1.0, MATTER_ALONE, name) == pytest.approx(factor * critical)
    # Bryan & Norman 1998, fig. 1: 101 for a flat universe with 0.3 of matter
    today = threshold_density(0.0, COSMOLOGY, "vir") / threshold_density(0.0, COSMOLOGY, "200c")
    assert today * 200 == pytest.approx(101, abs=0.5)


@pytest.mark.oracle
@pytest.mark.parametrize("before", DEFINITIONS)
@pytest.mark.parametrize("after", DEFINITIONS)
def test_conversion(before, after):
    from colossus.halo.mass_defs import changeMassDefinition
    from colossus.halo.mass_so import M_to_R

    mass, c, z = np.geomspace(1e11, 1e15, 5), np.geomspace(2, 20, 5), 0.4
    found, ratio = convert_halo_mass(mass, c, z, COSMOLOGY, before, after)
    with colossus_cosmology(COSMOLOGY, 0.8, 0.96) as made:
        new, radius, new_c = changeMassDefinition(mass * made.h, c, z, before, after)
        old = M_to_R(mass * made.h, z, before)
    np.testing.assert_allclose(found, new / 0.7, rtol=1e-4)
    np.testing.assert_allclose(ratio, new_c, rtol=1e-4)
    sizes = halo_radius(mass, z, COSMOLOGY, mass_definition=before)
    np.testing.assert_allclose(sizes.to_value("kpc"), old / 0.7, rtol=2e-4)
    del radius


@settings(max_examples=60, deadline=None)
@given(
    st.floats(8, 16),
    st.floats(0.05, 60),
    st.floats(0, 8),
    st.sampled_from(DEFINITIONS),
    st.sampled_from(DEFINITIONS),
)
def test_conversion_there_and_back(log_mass, c, z, one, other):
    mass, ratio = convert_halo_mass(10**log_mass, c, z, COSMOLOGY, one, other)
    again, c_again = convert_halo_mass(mass, ratio, z, COSMOLOGY, other, one)
    assert again == pytest.approx(10**log_mass, rel=1e-8)
    assert c_again == pytest.approx(c, rel=1e-8)
    denser = threshold_density(z, COSMOLOGY, other) > threshold_density(z, COSMOLOGY, one)
    if one != other:
        assert (mass < 10**log_mass) == denser


def test_profile_is_its_integrals():
    mass, c, whole = 3e13, 6.0, 700 * u.kpc
    scale = 700 / c

    def density(r):
        return nfw_density(r * u.kpc, mass, c, whole).value

    for end in (0.05, 80.0, 700.0, 2000.0):
        inside = integrate.quad(lambda r: 4 * np.pi * r**2 * density(r), 0, end, epsrel=1e-10)[0]
        found = nfw_enclosed_mass(end * u.kpc, mass, c, whole)
        assert found.to_value("Msun") == pytest.approx(inside, rel=1e-7)
    assert nfw_enclosed_mass(whole, mass, c, whole).value == pytest.approx(mass)
    for r in (0.01 * scale, 0.5 * scale, scale, 1.0003 * scale, 1.02 * scale, 7 * scale):
        sight = integrate.quad(lambda t, r=r: density(np.hypot(r, np.sinh(t))) * np.cosh(t), 0, 25,
                               epsrel=1e-11, limit=200)[0]  # fmt: skip
        found = nfw_surface_density(r * u.kpc, mass, c, whole).to_value("Msun / kpc2")
        assert found == pytest.approx(2 * sight, rel=1e-7)


@pytest.mark.oracle
@pytest.mark.filterwarnings("ignore:Use:astropy.utils.exceptions.AstropyDeprecationWarning")
@pytest.mark.parametrize("cosmology", [COSMOLOGY, LambdaCDM(H0=70, Om0=0.3, Ode0=0.9, Ob0=0.05)])
def test_lens(cosmology):
    lens_cosmo = pytest.importorskip("lenstronomy.Cosmo.lens_cosmo")
    mass, c = 4e13, 5.5
    radius_s, alpha_s = nfw_lens(mass, c, 0.4, 1.7, cosmology, mass_definition="200c")
    oracle = lens_cosmo.LensCosmo(0.4, 1.7, cosmo=cosmology)
    if cosmology is COSMOLOGY:  # the critical density of lenstronomy is that of a flat universe
        angle, deflection = oracle.nfw_physical2angle(M=mass, c=c)
        assert radius_s.value == pytest.approx(angle, rel=2e-3)
        assert alpha_s.value == pytest.approx(deflection, rel=2e-3)
    # kappa of the deflector is the surface density over the critical one
    x = torch.linspace(0.3, 40, 60, dtype=torch.float64)
    y = torch.zeros_like(x)
    lens = {"deflector": nfw, "radius_s": radius_s.value, "alpha_s": alpha_s.value}
    kappa = convergence(x, y, lens).numpy()
    to_lens = cosmology.angular_diameter_distance(0.4)
    r = (x.numpy() * u.arcsec * to_lens).to("kpc", u.dimensionless_angles())
    size = halo_radius(mass, 0.4, cosmology, mass_definition="200c")
    surface = nfw_surface_density(r, mass, c, size)
    ratio = cosmology.angular_diameter_distance(1.7) / (
        to_lens * cosmology.angular_diameter_distance_z1z2(0.4, 1.7)
    )
    critical = constants.c**2 / (4 * np.pi * constants.G) * ratio
    np.testing.assert_allclose(kappa, (surface / critical).to_value(""), rtol=1e-6)


@pytest.mark.oracle
def test_concentration_as_published():
    mass = np.geomspace(1e11, 1e15, 7)
    for z in (0.0, 1.0):
        # Duffy et al. 2008, table 1, all halos, NFW, z = 0-2
        for name, (a, b, power) in {
            "200c": (5.71, -0.084, -0.47),
            "vir": (7.85, -0.081, -0.71),
            "200m": (10.14, -0.081, -1.01),
        }.items():
            true = a * (mass * 0.7 / 2e12) ** b * (1 + z) ** power
            found = halo_concentration(mass, z, COSMOLOGY, model="duffy08", mass_definition=name)
            np.testing.assert_allclose(found, true, rtol=1e-3)


@pytest.mark.oracle
@pytest.mark.parametrize("model", ["diemer19", "ludlow16", "klypin16_nu", "prada12"])
@pytest.mark.parametrize("definition", ["200m", "500c"])
def test_concentration_in_other_definitions(model, definition):
    from colossus.halo.concentration import concentration

    mass, z = np.geomspace(2e11, 8e14, 6), 0.3
    found = halo_concentration(mass, z, COSMOLOGY, model=model, mass_definition=definition)
    with colossus_cosmology(COSMOLOGY, 0.8102, 0.9665) as made:
        true, _ = concentration(mass * made.h, definition, z, model=model, range_return=True)
    np.testing.assert_allclose(found, true, rtol=3e-3)


def test_scatter_of_concentrations(rng):
    mass, z = np.full(40_000, 1e13), np.full(40_000, 0.2)
    median = halo_concentration(1e13, 0.2, Planck18)
    drawn = np.log10(draw_concentrations(mass, z, Planck18, scatter=0.16, rng=rng))
    assert stats.kstest(drawn, stats.norm(np.log10(median), 0.16).cdf).pvalue > 1e-3
    none = draw_concentrations(mass[:5], z[:5], Planck18, scatter=0.0, rng=rng)
    np.testing.assert_allclose(none, median, rtol=1e-12)


@pytest.mark.parametrize("c", [0.1, 4.0, 30.0])
def test_radii_follow_the_mass(c, rng):
    def shape(x):
        return np.log1p(x) - x / (1 + x)

    radius = draw_nfw_radii(np.full(100_000, c), rng=rng)
    assert stats.kstest(radius, lambda r: shape(c * r) / shape(c)).pvalue > 1e-3
    assert radius.max() <= 1


def test_radii_near_the_centre_keep_their_digits():
    class Given:
        def random(self, shape):
            return np.geomspace(1e-14, 0.999, *shape)

    radius = draw_nfw_radii(np.full(400, 5.0), rng=Given())
    x = 5 * radius
    mass = np.where(x < 1e-3, x**2 / 2 - 2 * x**3 / 3 + 3 * x**4 / 4, np.log1p(x) - x / (1 + x))
    share = mass / (np.log(6) - 5 / 6)
    np.testing.assert_allclose(share, Given().random((400,)), rtol=1e-6)


def test_positions_have_no_direction(rng):
    n = 50_000
    x, y, z = draw_nfw_positions(np.full(n, 2.0) * u.Mpc, np.full(n, 7.0), rng=rng)
    radius = np.sqrt(x**2 + y**2 + z**2)
    assert radius.unit == u.Mpc
    for axis in (x, y, z):
        cosine = (axis / radius).value
        assert stats.kstest(cosine, stats.uniform(-1, 2).cdf).pvalue > 1e-3
    pairs = np.corrcoef([x.value, y.value, z.value]) - np.eye(3)
    assert np.abs(pairs).max() < 5 / np.sqrt(n)


@pytest.mark.parametrize(
    ("step", "says"),
    [
        (lambda r: halo_radius(1e12, 0.0, Planck18, mass_definition="fof"), "has no radius"),
        (lambda r: halo_radius(1e12, 0.0, Planck18, mass_definition="0c"), "has no radius"),
        (lambda r: halo_radius(np.nan, 0.0, Planck18), "finite and positive"),
        (lambda r: convert_halo_mass(1e12, 0.0, 0.0, Planck18, "200m", "200c"), "concentrations"),
        (lambda r: nfw_density(0 * u.kpc, 1e12, 5.0, 200 * u.kpc), "radii"),
        (lambda r: nfw_density(1.0, 1e12, 5.0, 200 * u.kpc), "not convertible"),
        (lambda r: nfw_lens(1e12, 5.0, 0.5, 0.5, Planck18), "behind"),
        (lambda r: nfw_lens(1e12, 5.0, 0.0, 0.5, Planck18), "behind"),
        (lambda r: draw_nfw_radii(np.array([-1.0]), rng=r), "concentrations"),
        (lambda r: draw_nfw_positions([2.0, 3.0], np.ones(2), rng=r), "a length"),
        (lambda r: halo_concentration(1e12, 0.0, Planck18, model="x"), "there are bullock01"),
        (
            lambda r: halo_concentration(1e12, 0.0, Planck18, mass_definition="fof"),
            "does not go with",
        ),
        (lambda r: halo_concentration(1e12, 0.0, COSMOLOGY, model="klypin16_m"), "colossus says"),
        (lambda r: halo_concentration(1e16, 3.0, Planck18, model="bullock01"), "no value"),
        (lambda r: draw_concentrations(1e12, 0.0, Planck18, scatter=-0.1, rng=r), "scatter"),
    ],
)
def test_refusals(step, says, rng):
    with pytest.raises((ValueError, TypeError), match=says):
        step(rng)
