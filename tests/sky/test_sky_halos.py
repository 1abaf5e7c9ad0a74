"""How many halos there are: against published equations evaluated with scipy alone."""

import os
import subprocess
import sys
import threading

import astropy.units as u
import numpy as np
import pytest
from astropy.cosmology import (
    FlatLambdaCDM,
    Flatw0waCDM,
    FlatwCDM,
    LambdaCDM,
    Planck18,
    w0wzCDM,
)
from halo_truth import Truth
from scipy import integrate, stats

from skywright.sky import (
    draw_halos,
    draw_subhalos,
    halo_bias,
    halo_mass_function,
    halo_number_density,
    subhalo_mass_function,
)
from skywright.sky.halos.border import colossus_cosmology

pytest.importorskip("colossus")

COSMOLOGY = FlatLambdaCDM(H0=70, Om0=0.3, Ob0=0.05)
POWER = {"sigma8": 0.81, "ns": 0.96}
LOWEST = 1e-3


@pytest.fixture(scope="module")
def truth():
    return Truth()


@pytest.fixture
def rng():
    return np.random.default_rng(11)


@pytest.mark.oracle
def test_tinker08(truth):
    mass = np.geomspace(1e10, 1e15, 31)
    z = np.array([0.0, 0.5, 1.0, 2.0])
    found = halo_mass_function(mass, z, COSMOLOGY, **POWER)
    true = [truth.tinker08(mass, redshift) for redshift in z]
    np.testing.assert_allclose(found, true, rtol=3e-3)
    assert np.sqrt(np.mean((found / true - 1) ** 2)) < 5e-4  # colossus left to itself: 0.001
    assert halo_mass_function(1e12, 0.0, COSMOLOGY, **POWER).shape == ()
    assert halo_mass_function(mass, 0.0, COSMOLOGY, **POWER).shape == (31,)


@pytest.mark.oracle
@pytest.mark.parametrize("z", [0.0, 1.0])
def test_press_schechter_and_sheth_tormen(truth, z):
    mass = np.geomspace(1e10, 1e15, 31)
    collapse = 1.68647  # 3/5 (3 pi / 2)^(2/3), of a universe of matter

    def press74(sigma):
        nu = collapse / sigma
        return np.sqrt(2 / np.pi) * nu * np.exp(-(nu**2) / 2)

    def sheth99(sigma):
        nu2 = 0.707 * (collapse / sigma) ** 2
        return 0.3222 * np.sqrt(2 * nu2 / np.pi) * (1 + nu2**-0.3) * np.exp(-nu2 / 2)

    for model, f in {"press74": press74, "sheth99": sheth99}.items():
        found = halo_mass_function(mass, z, COSMOLOGY, model=model, mass_definition="fof", **POWER)
        np.testing.assert_allclose(found, truth.scaled(f, mass, z), rtol=4e-3, err_msg=model)


@pytest.mark.oracle
def test_bias_of_tinker10(truth):
    mass, z = np.geomspace(1e11, 1e15, 9), 0.5
    nu, y = 1.68647 / truth.sigma(mass, z), np.log10(200)
    fall = np.exp(-((4 / y) ** 4))
    big_a, a = 1 + 0.24 * y * fall, 0.44 * y - 0.88
    c = 0.019 + 0.107 * y + 0.19 * fall
    true = 1 - big_a * nu**a / (nu**a + 1.68647**a) + 0.183 * nu**1.5 + c * nu**2.4
    np.testing.assert_allclose(halo_bias(mass, z, COSMOLOGY, **POWER), true, rtol=2e-3)


def test_number_density_is_the_integral(truth, rng):
    masses, redshifts = 10 ** rng.uniform(11, 15, 30), rng.uniform(0, 1.5, 30)
    found = halo_number_density(masses, redshifts, COSMOLOGY, **POWER)
    for mass, z, n in zip(masses, redshifts, found, strict=True):
        log_mass = np.linspace(np.log(mass), np.log(1e17), 2001)
        true = integrate.simpson(truth.tinker08(np.exp(log_mass), z), x=log_mass)
        assert n == pytest.approx(true, rel=4e-3)


@pytest.mark.parametrize("order", ["all", "first"])
def test_number_density_with_subhalos(truth, order):
    least, z = 1e12, 0.2
    log_mass = np.linspace(np.log(least), np.log(1e16), 400)
    mean = [
        integrate.quad(lambda x: subhalo_mass_function(np.exp(x), order=order), low, 0)[0]
        for low in np.log(least) - log_mass
    ]
    density = truth.tinker08(np.exp(log_mass), z)
    true = integrate.simpson(density * (1 + np.array(mean)), x=log_mass)
    found = halo_number_density(least, z, COSMOLOGY, subhalos=order, **POWER)
    assert found == pytest.approx(true, rel=4e-3)


def test_every_model_of_colossus_can_be_had():
    from colossus.lss.mass_function import models

    for name, entry in models.items():
        definition = {"*": "200m", "sp-apr-p*": "sp-apr-p50"}.get(entry.mdefs[0], entry.mdefs[0])
        n = halo_mass_function([1e12, 1e13], 0.1, COSMOLOGY, model=name, mass_definition=definition)
        assert (np.isfinite(n) & (n > 0)).all(), name
        assert n[0] == pytest.approx(2.5e-3, rel=0.6), name


@pytest.mark.parametrize(
    "cosmology",
    [
        LambdaCDM(H0=70, Om0=0.3, Ode0=0.6, Ob0=0.05),
        FlatwCDM(H0=70, Om0=0.3, w0=-0.8, Ob0=0.05),
        Flatw0waCDM(H0=70, Om0=0.3, w0=-0.9, wa=0.2, Ob0=0.05),
    ],
)
def test_growth_in_other_cosmologies(cosmology):
    def slopes(log_a, state):
        z, step = np.exp(-log_a) - 1, 1e-4
        ahead, behind = (
            cosmology.efunc(np.exp(-log_a + step) - 1),
            cosmology.efunc(np.exp(-log_a - step) - 1),
        )
        drag = 2 - (np.log(ahead) - np.log(behind)) / (2 * step)
        return [state[1], 1.5 * cosmology.Om(z) * state[0] - drag * state[1]]

    ends = integrate.solve_ivp(
        slopes, [np.log(1e-3), 0], [1e-3, 1e-3], t_eval=[np.log(0.5), 0], rtol=1e-8, atol=1e-12
    ).y[0]
    with colossus_cosmology(cosmology, 0.8, 0.96) as made:
        assert made.growthFactor(1.0) == pytest.approx(ends[0] / ends[1], rel=3e-3)
        assert made.Ez(0.7) == pytest.approx(cosmology.efunc(0.7), rel=1e-3)


def test_colossus_is_left_as_it_was():
    from colossus.cosmology import cosmology as library

    mine = library.Cosmology(
        name="mine", Om0=0.2, Ob0=0.04, H0=60, sigma8=0.7, ns=1.0, persistence=""
    )
    before, library.current_cosmo = library.current_cosmo, mine
    try:
        halo_mass_function(1e12, 0.0, COSMOLOGY)
        with pytest.raises(ValueError, match="9000m"):
            halo_mass_function(1e12, 0.0, COSMOLOGY, mass_definition="9000m")
        assert library.getCurrent() is mine
    finally:
        library.current_cosmo = before


def test_no_files(tmp_path):
    code = (
        "from skywright.sky import halo_concentration, halo_mass_function as n\n"
        "from astropy.cosmology import Planck18\n"
        "n(1e12, 0.0, Planck18); halo_concentration(1e12, 0.0, Planck18)"
    )
    subprocess.run(
        [sys.executable, "-c", code], check=True, env={**os.environ, "HOME": str(tmp_path)}
    )
    assert not (tmp_path / ".colossus").exists()


def test_threads_do_not_see_each_other():
    values = np.linspace(0.7, 0.9, 4)
    alone = [halo_mass_function(1e14, 0.0, COSMOLOGY, sigma8=s) for s in values]
    together = [None] * len(values)

    def work(i):
        together[i] = halo_mass_function(1e14, 0.0, COSMOLOGY, sigma8=values[i])

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(values))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    np.testing.assert_array_equal(together, alone)
    assert len(np.unique(together)) == len(values)


def expected_counts(truth, z_edges, log_edges, area):
    """Integrate the true mass function over bins of a light cone by Gauss-Legendre quadrature."""
    x, w = np.polynomial.legendre.leggauss(8)
    counts = np.zeros((len(z_edges) - 1, len(log_edges) - 1))
    for i, (z0, z1) in enumerate(zip(z_edges[:-1], z_edges[1:], strict=True)):
        for node, weight in zip((z0 + z1 + (z1 - z0) * x) / 2, w * (z1 - z0) / 2, strict=True):
            volume = COSMOLOGY.differential_comoving_volume(node).to_value("Mpc3 / sr")
            for j, (m0, m1) in enumerate(zip(log_edges[:-1], log_edges[1:], strict=True)):
                mass = np.exp((m0 + m1 + (m1 - m0) * x) / 2)
                inside = (truth.tinker08(mass, node) * w).sum() * (m1 - m0) / 2
                counts[i, j] += weight * volume * area.to_value("sr") * inside
    return counts


@pytest.mark.parametrize("nodes", [2, 41])
def test_light_cone(truth, rng, nodes):
    area = 20 * u.deg**2
    z, mass = draw_halos(
        np.linspace(0.1, 0.9, nodes), 3e12, 1e16, area, COSMOLOGY, rng=rng, **POWER
    )
    assert z.min() >= 0.1
    assert z.max() <= 0.9
    assert mass.min() >= 3e12
    z_edges = np.linspace(0.1, 0.9, 6)
    log_edges = np.log([3e12, 5e12, 1e13, 3e13, 1e14, 2e14, 1e16])
    found = np.histogram2d(z, np.log(mass), [z_edges, log_edges])[0]
    true = expected_counts(truth, z_edges, log_edges, area)
    chi2 = ((found - true) ** 2 / true).sum()
    assert stats.chi2(true.size).sf(chi2) > LOWEST
    assert true.min() > 5
    assert len(z) > 30_000


def test_light_cone_without_noise_and_in_order(truth):
    def draw(**more):
        return draw_halos(
            [0.2, 0.4], 1e13, 1e15, 10 * u.deg**2, COSMOLOGY, rng=np.random.default_rng(1), **more
        )

    z, _ = draw(noise=False, **POWER)
    true = expected_counts(truth, [0.2, 0.4], np.log(np.geomspace(1e13, 1e15, 6)), 10 * u.deg**2)
    assert len(z) == pytest.approx(true.sum(), rel=2e-3)
    for one, two in zip(draw(), draw(), strict=True):
        np.testing.assert_array_equal(one, two)


def test_masses_between_two_nodes(rng, monkeypatch):
    # far apart, the line between nodes can be told from the nodes and from other mixtures
    monkeypatch.setattr("skywright.sky.halos.light_cone._REDSHIFT_STEP", 9.0)
    z, mass = draw_halos([0.2, 2.2], 3e12, 1e15, 30 * u.deg**2, COSMOLOGY, rng=rng, **POWER)
    log_mass = np.linspace(np.log(3e12), np.log(1e15), 2001)
    near, far = halo_mass_function(np.exp(log_mass), [0.2, 2.2], COSMOLOGY, **POWER)
    for low in (0.4, 1.0, 1.7):
        share = (low + 0.05 - 0.2) / 2
        below = integrate.cumulative_simpson(
            (1 - share) * near + share * far, x=log_mass, initial=0
        )
        chosen = np.log(mass[(z > low) & (z < low + 0.1)])
        assert len(chosen) > 2000
        share_below = np.interp(np.sort(chosen), log_mass, below / below[-1])
        assert stats.kstest(share_below, "uniform").pvalue > LOWEST


def test_masses_make_no_staircase(truth, rng):
    _, mass = draw_halos([0.30, 0.31], 1e11, 1e15, 200 * u.deg**2, COSMOLOGY, rng=rng, **POWER)
    log_mass = np.linspace(np.log(1e11), np.log(1e15), 4001)
    density = truth.tinker08(np.exp(log_mass), 0.305)
    share = integrate.cumulative_simpson(density, x=log_mass, initial=0)
    assert len(mass) > 30_000

    def cdf(m):
        return np.interp(np.log(m), log_mass, share / share[-1])

    assert stats.kstest(mass, cdf).pvalue > LOWEST


@pytest.mark.parametrize("order", ["all", "first"])
def test_subhalos(rng, order):
    host, mass = draw_subhalos(np.repeat([1e13, 1e14, 5e10], [4000, 1000, 9]), 1e11, order=order,
                               rng=rng)  # fmt: skip
    for low, first, count in ((1e11 / 1e13, 0, 4000), (1e11 / 1e14, 4000, 1000)):
        chosen = mass[(host >= first) & (host < first + count)]
        ratio = chosen / (1e11 / low)

        def below(x, low=low):
            f = subhalo_mass_function
            return integrate.quad(lambda t: f(np.exp(t), order=order), np.log(low), np.log(x))[0]

        mean = below(1.0) * count
        assert abs(len(chosen) - mean) < 4 * np.sqrt(mean)
        at = np.geomspace(low, 1, 60)
        share = np.array([below(x) for x in at]) / below(1.0)
        cdf = np.searchsorted(np.sort(ratio), at, side="right") / len(ratio)
        assert np.abs(cdf - share).max() < 1.95 / np.sqrt(len(ratio))
    assert host.max() < 5000  # the last hosts are too light
    counts = np.bincount(host, minlength=4000)[:4000]
    assert counts.var() / counts.mean() == pytest.approx(1, abs=5 * np.sqrt(2 / 4000))


def test_two_published_subhalo_counts_agree():
    # what fell in inside of what fell in: the first order folded with itself, all orders added
    depth = np.linspace(0, np.log(1e4), 4001)
    first = subhalo_mass_function(np.exp(-depth), order="first")
    total, folded, step = first.copy(), first, depth[1]
    for _ in range(6):
        ends = (folded[0] * first + first[0] * folded) / 2
        folded = (np.convolve(folded, first)[: len(depth)] - ends) * step
        total += folded
    within = (depth > np.log(5)) & (depth < np.log(1e3))
    fit = subhalo_mass_function(np.exp(-depth), order="all")
    np.testing.assert_allclose(total[within], fit[within], rtol=0.11)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"model": "tinker09"}, "there are press74, sheth99"),
        ({"model": "sheth99"}, "'200m' does not go with .* it takes fof"),
        ({"mass_definition": "fof"}, "any overdensity"),
        ({"mass_definition": "many"}, "does not go with"),
        ({"mass_definition": "many", "model": "watson13"}, "it takes fof, any overdensity"),
        ({"mass_definition": "sp", "model": "diemer20"}, "it takes sp-apr-mn"),
        ({"mass_definition": "50m"}, "colossus says"),
        ({"sigma8": -0.8}, "sigma8 is -0.8"),
        ({"ns": np.nan}, "ns is nan"),
        ({"cosmology": FlatLambdaCDM(H0=70, Om0=0.3)}, "no baryons"),
        ({"cosmology": w0wzCDM(H0=70, Om0=0.3, Ode0=0.7)}, "w0wzCDM; expected LambdaCDM"),
        ({"cosmology": "Planck18"}, "str; expected"),
        ({"mass": [1e12, np.nan]}, "finite and positive"),
        ({"mass": -1e12}, "finite and positive"),
        ({"mass": 1e12 * u.kpc}, "not convertible"),
        ({"redshift": -0.1}, "not negative"),
    ],
)
def test_mass_function_refuses(change, says):
    arguments = {"mass": 1e12, "redshift": 0.0, "cosmology": Planck18} | change
    with pytest.raises(ValueError, match=says):
        halo_mass_function(**arguments)


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"m_min": 1e16, "m_max": 1e12}, ValueError, "ascending"),
        ({"m_min": np.array([1e12, 1e13])}, ValueError, "two numbers"),
        ({"redshift": [0.5, 0.1]}, ValueError, "ascending"),
        ({"redshift": [0.5]}, ValueError, "ascending"),
        ({"sky_area": 10.0}, TypeError, "solid angle"),
        ({"sky_area": 10 * u.m}, TypeError, "solid angle"),
    ],
)
def test_light_cone_refuses(change, error, says, rng):
    arguments = {
        "redshift": [0.1, 0.2], "m_min": 1e13, "m_max": 1e16, "sky_area": 1 * u.deg**2,
        "cosmology": Planck18, "rng": rng,
    } | change  # fmt: skip
    with pytest.raises(error, match=says):
        draw_halos(**arguments)


def test_without_colossus(monkeypatch):
    monkeypatch.setitem(sys.modules, "colossus.cosmology", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'skywright\[sky\]'"):
        halo_mass_function(1e12, 0.0, Planck18)


def test_other_refusals(rng):
    with pytest.raises(ValueError, match="'second'; expected one of 'first', 'all'"):
        subhalo_mass_function(0.1, order="second")
    with pytest.raises(ValueError, match="at most 1"):
        subhalo_mass_function([0.1, 1.1])
    with pytest.raises(ValueError, match="there are cole89"):
        halo_bias(1e12, 0.0, Planck18, model="tinker08")
    with pytest.raises(ValueError, match="less than 1e17"):
        halo_number_density(1e17, 0.0, Planck18)
    with pytest.raises(ValueError, match="finite and positive"):
        draw_subhalos([1e13, 0.0], 1e11, rng=rng)
    with pytest.raises(ValueError, match="one mass"):
        draw_subhalos([1e13, 1e13], [1e11, 1e12], rng=rng)
    host, mass = draw_subhalos([], 1e11, rng=rng)
    assert len(host) == len(mass) == 0
    assert halo_bias([], 0.0, Planck18).shape == (0,)
    assert halo_mass_function([], [0.0, 1.0], Planck18).shape == (2, 0)
