"""Samplers of populations against analytic distributions; seeds are fixed, so p-values are too."""

import astropy.units as u
import mpmath
import numpy as np
import pytest
from astropy.cosmology import FlatLambdaCDM
from scipy import integrate, stats
from scipy.special import gammaincinv

from skywright.sky.populations import detection, ellipticities, luminosities, redshifts, sizes
from skywright.sky.populations.redshifts import redshifts_from_comoving_density
from skywright.sky.populations.schechter import schechter
from skywright.sky.populations.special import gammaincc, upper_gamma
from skywright.sky.populations.spectra import dirichlet_coefficients
from skywright.sky.populations.stellar_masses import (
    schechter_smf,
    schechter_smf_mass,
    schechter_vdf,
)

N = 100_000
LOWEST = 1e-3
COSMOLOGY = FlatLambdaCDM(H0=70, Om0=0.3)


@pytest.fixture
def rng():
    return np.random.default_rng(20)


def gamma_share(a, low, high):
    """Return the distribution function of x**(a - 1) e**-x between two limits."""

    def share(x):
        inside = upper_gamma(a, low) - upper_gamma(a, np.clip(x, low, high))
        return inside / (upper_gamma(a, low) - upper_gamma(a, high))

    return share


def test_upper_gamma_for_all_orders(rng):
    whole = rng.integers(-5, 1, 60)
    near = whole + 10.0 ** rng.uniform(-9, -3, 60) * rng.choice([-1, 1], 60)
    a = np.concatenate([rng.uniform(-5, 3, 200), whole, near])
    x = 10 ** rng.uniform(-6, 1.7, len(a))
    truth = [float(mpmath.gammainc(order, low)) for order, low in zip(a, x, strict=True)]
    np.testing.assert_allclose(upper_gamma(a, x), truth, rtol=1e-9)
    # the ends
    assert gammaincc([1.2, -1.2, 0.0, -2.0], np.inf).tolist() == [0, 0, 0, 0]
    assert gammaincc([0.5, 0.0, -1.0, -0.5, -1.5], 0.0).tolist() == [1, 0, 0, -np.inf, np.inf]
    assert gammaincc(-2.0, 0.3) == 0
    assert gammaincc(-0.5, 0.3) == pytest.approx(
        float(mpmath.gammainc(-0.5, 0.3, regularized=True))
    )


@pytest.mark.parametrize(("a", "x"), [(1.0, -1.0), (0.0, 0.0), (-0.5, 0.0)])
def test_upper_gamma_refuses_what_diverges(a, x):
    with pytest.raises(ValueError, match="positive"):
        upper_gamma(a, x)


@pytest.mark.parametrize("alpha", [-1.7, -1.3, -1.0, -0.5, 0.0, 0.8, 2.5])
@pytest.mark.parametrize(("low", "high"), [(1e-3, 1e2), (0.5, 3.0), (2.0, 50.0)])
def test_schechter_draws(alpha, low, high, rng):
    draws = schechter(alpha, low, high, size=N, scale=2.0, rng=rng)
    assert draws.min() >= 2 * low
    assert draws.max() <= 2 * high
    assert stats.kstest(draws / 2, gamma_share(alpha + 1, low, high)).pvalue > LOWEST


def test_slopes_and_limits_of_each_galaxy(rng):
    alpha, low = np.repeat([-1.4, -0.5, 0.5], N), np.tile([0.01, 0.1], 3 * N // 2)
    draws = schechter(alpha, low, 10.0, rng=rng)
    for slope in (-1.4, -0.5, 0.5):
        for limit in (0.01, 0.1):
            share = gamma_share(slope + 1, limit, 10.0)
            chosen = (alpha == slope) & (low == limit)
            assert stats.kstest(draws[chosen], share).pvalue > LOWEST


def test_far_out_only_the_exponential_counts(rng):
    draws = schechter(-1.3, 900.0, 1000.0, size=N, rng=rng)
    # x**-1.3 hardly changes over the few units that are drawn
    tilted = stats.expon(scale=1 / (1 + 1.3 / 900))
    assert stats.kstest(draws - 900, tilted.cdf).pvalue > LOWEST
    with pytest.raises(ValueError, match="so far out"):
        schechter(0.5, 900.0, 1000.0, rng=rng)


@pytest.mark.parametrize(("alpha", "low", "high"), [(-1.2, 1.0, 1.0), (-1.2, 0.0, 1.0), (0, -1, 1)])
def test_schechter_refuses_what_cannot_be_drawn(alpha, low, high, rng):
    with pytest.raises(ValueError, match="x_min"):
        schechter(alpha, low, high, rng=rng)


@pytest.mark.parametrize(
    ("z_median", "alpha", "beta"), [(1.0, 0.0, 1.0), (0.7, 2.0, 1.5), (1.2, 1.0, 2.0)]
)
def test_smail(z_median, alpha, beta, rng):
    k = (alpha + 1) / beta
    scale = z_median / gammaincinv(k, 0.5) ** (1 / beta)
    draws = redshifts.smail(z_median, alpha, beta, size=N, rng=rng)
    assert stats.kstest(draws, stats.gengamma(k, beta, scale=scale).cdf).pvalue > LOWEST
    assert redshifts.smail(np.ones(4), alpha, beta, rng=rng).shape == (4,)


def counts(density, low, high, area=1 * u.deg**2):
    """Return the number of objects between two redshifts by quadrature."""

    def rate(z):
        volume = COSMOLOGY.differential_comoving_volume(z).to_value("Mpc3 / sr")
        return density(z) * volume * area.to_value("sr")

    return integrate.quad(rate, low, high, limit=200)[0]


def test_a_coarse_grid_makes_no_staircase(rng):
    grid = np.linspace(0, 2, 21)
    area = 1 * u.deg**2
    z = redshifts_from_comoving_density(grid, np.full(21, 1e-2), area, COSMOLOGY, rng=rng)
    at = np.linspace(0, 2, 101)
    true = np.array([counts(lambda _: 1e-2, 0, end) for end in at])
    found = np.searchsorted(np.sort(z), at) / len(z)
    assert np.abs(found - true / true[-1]).max() < 1.63 / np.sqrt(len(z))
    assert abs(len(z) - true[-1]) < 4 * np.sqrt(true[-1])
    exact = redshifts_from_comoving_density(
        grid, np.full(21, 1e-2), area, COSMOLOGY, noise=False, rng=rng
    )
    assert len(exact) == pytest.approx(true[-1], rel=1e-4)


@pytest.mark.parametrize("slope", [-1.3, lambda z: -1.1 - 0.3 * z])
def test_luminosity_function(slope, rng):
    z, magnitude = luminosities.schechter_lf(
        np.linspace(0.0, 1.5, 16), lambda z: -20.5 - z, 3e-3, slope, 23.0, 0.5 * u.deg**2,
        COSMOLOGY, noise=False, rng=rng,
    )  # fmt: skip
    alpha = slope if callable(slope) else (lambda _: slope)

    def density(z):
        x = 10 ** (-0.4 * (23 - COSMOLOGY.distmod(z).value + 20.5 + z))
        return 3e-3 * float(upper_gamma(alpha(z) + 1, x))

    expected = counts(density, 1e-6, 1.5, 0.5 * u.deg**2)
    assert abs(len(z) - expected) <= max(1, 2e-4 * expected)
    x = 10 ** (-0.4 * (magnitude + 20.5 + z))
    low = 10 ** (-0.4 * (23 - COSMOLOGY.distmod(z).value + 20.5 + z))
    assert (x >= low * (1 - 1e-9)).all()
    a = np.broadcast_to(alpha(z), z.shape) + 1
    share = 1 - (upper_gamma(a, x) / upper_gamma(a, low))
    assert stats.kstest(share, "uniform").pvalue > LOWEST


def test_k_correction_moves_the_limit_to_the_observed_band(rng):
    given = (np.linspace(0, 1, 11), -20.5, 3e-3, -1.2, 22.0, 0.2 * u.deg**2, COSMOLOGY)
    plain, _ = luminosities.schechter_lf(*given, rng=rng)
    z, magnitude = luminosities.schechter_lf(*given, k_correction=lambda z: 2 * z, rng=rng)
    assert len(z) < 0.7 * len(plain)
    assert (magnitude + COSMOLOGY.distmod(z).value + 2 * z).max() <= 22 + 1e-9


def test_stellar_masses(rng):
    z, mass = schechter_smf(
        np.linspace(0, 1, 11), 1e11, 2e-3, -1.3, 1e9, 1e13, 0.1 * u.deg**2, COSMOLOGY, rng=rng
    )
    share = gamma_share(-0.3, 1e-2, 1e2)
    assert stats.kstest(mass / 1e11, share).pvalue > LOWEST
    expected = counts(
        lambda _: 2e-3 * float(upper_gamma(-0.3, 1e-2) - upper_gamma(-0.3, 1e2)), 0, 1,
        0.1 * u.deg**2,
    )  # fmt: skip
    assert abs(len(z) - expected) < 4 * np.sqrt(expected)
    lighter = schechter_smf_mass(z, -1.3, 1e10 * (1 + z), 1e8, 1e12, rng=rng)
    assert lighter.shape == z.shape


def test_velocity_dispersions(rng):
    sigma = schechter_vdf(2.32, 2.67, 161.0, 50.0, 400.0, size=N, rng=rng)
    a = 2.32 / 2.67
    share = gamma_share(a, (50 / 161) ** 2.67, (400 / 161) ** 2.67)
    assert stats.kstest((sigma / 161) ** 2.67, share).pvalue > LOWEST


def test_numbers_give_numbers(rng):
    assert np.isscalar(redshifts.smail(1.0, 2.0, 1.5, rng=rng))
    assert np.isscalar(ellipticities.beta_ellipticity(0.3, 4.0, rng=rng))
    assert np.isscalar(ellipticities.triaxial_axis_ratio(0.8, 0.5, rng=rng))
    z = redshifts_from_comoving_density([0, 1, 2], 1e-3, 0.01 * u.deg**2, COSMOLOGY, rng=rng)
    assert z.ndim == 1


@pytest.mark.parametrize("area", [10.0, 10 * u.deg, None])
def test_an_area_has_to_be_a_solid_angle(area, rng):
    with pytest.raises(TypeError, match="solid angle"):
        redshifts_from_comoving_density([0, 1], [1, 1], area, COSMOLOGY, rng=rng)


@pytest.mark.parametrize(
    ("grid", "density"), [([1, 0], [1, 1]), ([0], [1]), ([0, 1], [1, -1]), ([0, 1], [1, np.nan])]
)
def test_bad_grids_are_refused(grid, density, rng):
    with pytest.raises(ValueError, match="ascending|finite"):
        redshifts_from_comoving_density(grid, density, 1 * u.deg**2, COSMOLOGY, rng=rng)


def test_sizes(rng):
    magnitude = np.full(N, -20.0)
    late = sizes.late_type_lognormal_size(magnitude, 0.21, 0.53, -1.31, -20.52, 0.48, 0.25, rng=rng)
    mean = 0.4 * 0.21 * 20 - 1.31 + 0.32 * np.log10(1 + 10 ** (-0.4 * 0.52))
    scatter = 0.25 + 0.23 / (1 + 10 ** (-0.8 * 0.52))
    ln = stats.norm(mean * np.log(10), scatter)
    assert stats.kstest(np.log(late.to_value("kpc")), ln.cdf).pvalue > LOWEST
    early = sizes.early_type_lognormal_size(magnitude, 0.6, -4.63, -20.52, 0.48, 0.25, rng=rng)
    ln = stats.norm((0.4 * 0.6 * 20 - 4.63) * np.log(10), scatter)
    assert stats.kstest(np.log(early.to_value("kpc")), ln.cdf).pvalue > LOWEST
    linear = sizes.linear_lognormal_size(magnitude, -0.24, -4.63, 0.45, rng=rng)
    ln = stats.norm((0.24 * 20 - 4.63) * np.log(10), 0.45)
    assert stats.kstest(np.log(linear.to_value("kpc")), ln.cdf).pvalue > LOWEST


def test_angular_sizes():
    angle = sizes.angular_size(5 * u.kpc, 0.5, COSMOLOGY)
    distance = COSMOLOGY.angular_diameter_distance(0.5)
    assert angle.to_value("rad") == pytest.approx((5 * u.kpc / distance).to_value(""), rel=1e-6)
    with pytest.raises(u.UnitsError):
        sizes.angular_size(5 * u.s, 0.5, COSMOLOGY)


def test_beta_ellipticities(rng):
    drawn = ellipticities.beta_ellipticity(0.3, 4.0, size=N, rng=rng)
    assert stats.kstest(drawn, stats.beta(1.2, 2.8).cdf).pvalue > LOWEST


def test_an_oblate_spheroid_seen_from_all_sides(rng):
    # q^2 = cos^2 i + q0^2 sin^2 i, and cos i is uniform
    q = ellipticities.triaxial_axis_ratio(1.0, 0.3, size=N, rng=rng)
    cos = np.sqrt((q**2 - 0.09) / (1 - 0.09))
    assert stats.kstest(cos, "uniform").pvalue > LOWEST
    prolate = ellipticities.triaxial_axis_ratio(0.5, 0.5, size=N, rng=rng)
    # seen along its long axis a prolate spheroid is round, from the side 1 : 2
    sin2 = (1 / prolate**2 - 1) / (1 / 0.25 - 1)
    assert stats.kstest(1 - np.sqrt(1 - np.clip(sin2, 0, 1)), "uniform").pvalue > LOWEST


def test_ryden_ellipticities(rng):
    flat = ellipticities.ryden04_ellipticity(0.2, 1e-6, -20.0, 1e-6, size=N, rng=rng)
    q = (1 - flat) / (1 + flat)
    cos = np.sqrt(np.clip((q**2 - 0.04) / 0.96, 0, 1))
    assert stats.kstest(cos, "uniform").pvalue > LOWEST
    drawn = ellipticities.ryden04_ellipticity(0.222, 0.057, -1.85, 0.89, size=N, rng=rng)
    assert drawn.min() >= 0
    assert drawn.max() <= 1


def test_dirichlet_coefficients(rng):
    first, second = np.array([1.0, 2.0, 4.0]), np.array([3.0, 1.0, 0.5])
    for z, alpha in ((0.0, first), (1.0, second), (0.5, np.sqrt(first * second))):
        drawn = dirichlet_coefficients(np.full(N, z), first, second, rng=rng)
        for i in range(3):
            marginal = stats.beta(alpha[i], alpha.sum() - alpha[i])
            assert stats.kstest(drawn[:, i], marginal.cdf).pvalue > LOWEST
    heavy = dirichlet_coefficients(np.zeros(9), first, second, weight=[1, 0, 0], rng=rng)
    np.testing.assert_allclose(heavy, np.tile([1, 0, 0], (9, 1)))
    with pytest.raises(ValueError, match="one number a template"):
        dirichlet_coefficients(0.1, first, second[:2], rng=rng)
    with pytest.raises(ValueError, match="3 numbers"):
        dirichlet_coefficients(0.1, first, second, weight=[1, 2], rng=rng)


def test_magnitude_errors():
    at_limit = detection.magnitude_error_rykoff(22.0, 22.0, 22.5, 4.0, 1.0)
    time, limit = np.exp(4 + 1.0), 10**0.2
    noise = (limit / 10) ** 2 * time - limit
    expected = 2.5 / np.log(10) * np.sqrt((1 + noise / limit) / (limit * time))
    assert at_limit == pytest.approx(expected)
    assert expected == pytest.approx(0.1086, abs=1e-4)  # signal to noise 10
    assert detection.magnitude_error_rykoff(40.0, 22.0, 22.5, 4.0, 1.0, error_limit=3.0) == 3


def test_completeness():
    found = detection.logistic_completeness_function(np.array([23.0, 24.0, 25.0]), 23.0, 24.0)
    np.testing.assert_allclose(found, [0.95, 0.5, 0.05])


def test_luminosities_and_magnitudes_are_inverse():
    magnitude = np.array([-21.0, 4.8])
    luminosity = luminosities.luminosity_from_absolute_magnitude(magnitude, "Lsun_V")
    assert luminosity[1] == pytest.approx(1)
    back = luminosities.absolute_magnitude_from_luminosity(luminosity, "Lsun_V")
    np.testing.assert_allclose(back, magnitude)
    assert luminosities.luminosity_from_absolute_magnitude(-2.5) == pytest.approx(10)
    with pytest.raises(KeyError, match="Lsun_B"):
        luminosities.luminosity_from_absolute_magnitude(magnitude, "Lsun_K")


@pytest.mark.parametrize(
    ("area", "error"),
    [(10.0, TypeError), (3 * u.s, u.UnitsError), (-1 * u.deg**2, ValueError),
     (np.nan * u.deg**2, ValueError), (5e4 * u.deg**2, ValueError)],
)  # fmt: skip
def test_areas_that_are_none_are_refused(area, error, rng):
    with pytest.raises(error, match="sky_area is"):
        redshifts_from_comoving_density([0.1, 0.2], 1e-3, area, COSMOLOGY, rng=rng)
