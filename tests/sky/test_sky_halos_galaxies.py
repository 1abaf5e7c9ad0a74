"""Galaxies in halos: abundance matching and occupation, against quadrature; and the recipe."""

from pathlib import Path

import astropy.units as u
import numpy as np
import pytest
from astropy.table import Table
from scipy import integrate, stats

from skywright.sky import draw_hod_galaxies, hod_occupation, match_abundance
from skywright.sky.halos.abundance import deconvolved, stellar_mass_function

RECIPE = Path(__file__).parent / "recipes" / "halos.yml"
PAGE = Path(__file__).parents[2] / "docs" / "halos.md"
BALDRY = [
    {"m_star": 10**10.66, "phi_star": 3.96e-3, "alpha": -0.35},
    {"m_star": 10**10.66, "phi_star": 0.79e-3, "alpha": -1.47},
]
HOD = {"m_min": 1e12, "sigma_log_m": 0.3, "m_0": 2e12, "m_1": 2e13, "alpha": 1.1}


@pytest.fixture
def rng():
    return np.random.default_rng(8)


def above(log_mass, schechter=BALDRY):
    """Return the number density of galaxies above a mass by quadrature of Schechter functions."""

    def per_dex(x):
        return sum(
            np.log(10) * s["phi_star"] * (r := 10**x / s["m_star"]) ** (s["alpha"] + 1) * np.exp(-r)
            for s in schechter
        )

    return integrate.quad(per_dex, log_mass, 13.0, epsrel=1e-10, limit=200)[0]


def test_without_scatter_densities_are_equal(rng):
    log_mass = np.array([6.5, 8.0, 10.0, 10.9, 11.6, 12.0])
    n = np.array([above(x) for x in log_mass])
    found = match_abundance(n, 0.3, BALDRY, scatter=0.0, rng=rng)
    np.testing.assert_allclose(np.log10(found), log_mass, atol=2e-4)


@pytest.mark.parametrize("scatter", [0.0, 0.15, 0.2, 0.3])
def test_stellar_mass_function_comes_out(scatter, rng):
    # halos evenly in the logarithm of their density, each for as many as a volume has of it
    ends = np.log([1e-10, 0.2])
    n = np.exp(np.linspace(*ends, 1_000_000))
    weight = n * (ends[1] - ends[0]) / len(n)
    log_mass = np.log10(match_abundance(n, 0.0, BALDRY, scatter=scatter, rng=rng))
    edges = np.arange(8.5, 11.75, 0.2)
    found, _ = np.histogram(log_mass, edges, weights=weight)
    errors = np.sqrt(np.histogram(log_mass, edges, weights=weight**2)[0])
    true = -np.diff([above(x) for x in edges])
    assert (errors < 0.08 * true).all()
    np.testing.assert_array_less(np.abs(found - true), 4 * errors + 1e-3 * true)


@pytest.mark.parametrize("scatter", [0.15, 0.2])
def test_scatter_is_what_was_asked_for(scatter, rng):
    n = np.repeat([above(x) for x in (9.0, 10.0, 10.8, 11.3)], 20_000)
    log_mass = np.log10(match_abundance(n, 0.0, BALDRY, scatter=scatter, rng=rng))
    spread = log_mass.reshape(4, -1).std(axis=1)
    np.testing.assert_allclose(spread, scatter, rtol=0.04)
    # more galaxies are lifted up than down: the heaviest halos have lighter ones than unscattered
    assert log_mass.reshape(4, -1).mean(axis=1)[3] < 11.3 - 0.05


def test_deconvolution_of_what_has_an_answer():
    x = np.linspace(-5, 5, 1001)
    sharp, wide = np.exp(-0.5 * (x / 0.4) ** 2), np.exp(-0.5 * (x / 0.5) ** 2) * 0.4 / 0.5
    found = deconvolved(wide, 0.3 / 0.01)
    near = np.abs(x) < 1.2
    np.testing.assert_allclose(found[near], sharp[near], rtol=0.02)


def test_evolving_stellar_mass_function(rng):
    growing = [{"m_star": lambda z: 10 ** (10.9 - 0.2 * z), "phi_star": 2e-3, "alpha": -1.3}]
    z = rng.uniform(0.0, 1.5, 200)
    log_mass = rng.uniform(8.5, 11.5, 200)
    now = [
        above(x, [{"m_star": 10 ** (10.9 - 0.2 * t), "phi_star": 2e-3, "alpha": -1.3}])
        for x, t in zip(log_mass, z, strict=True)
    ]
    found = match_abundance(now, z, growing, scatter=0.0, rng=rng)
    np.testing.assert_allclose(np.log10(found), log_mass, atol=2e-3)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"number_density": [1e-3, np.nan]}, "finite"),
        ({"number_density": -1e-3}, "not negative"),
        ({"redshift": np.nan}, "redshifts"),
        ({"scatter": -0.1}, "scatter is -0.1"),
        ({"scatter": np.nan}, "scatter is nan"),
        ({"schechter": []}, "schechter is .*expected a list"),
        ({"schechter": BALDRY[0]}, "expected a list of mappings"),
        ({"number_density": 1e-3 / u.kpc**2}, "not convertible"),
        ({"schechter": [BALDRY[0] | {"m_star": 1e10 * u.kpc}]}, "not convertible"),
        ({"schechter": [{"m_star": 1e10, "phi": 1e-3, "alpha": -1}]}, "each with m_star, phi_star"),
        ({"schechter": [{"m_star": -1e10, "phi_star": 1e-3, "alpha": -1}]}, "m_star is -1"),
        ({"schechter": [{"m_star": [1e10] * 2, "phi_star": 1e-3, "alpha": -1}]}, "a number"),
        (
            {
                "schechter": [{"m_star": 1e10, "phi_star": 1e-3, "alpha": 0.0}],
                "number_density": 2.0,
            },
            "2 halos per Mpc3 at redshift 0, but 0.001 galaxies",
        ),
    ],
)
def test_matching_refuses(change, says, rng):
    arguments = {"number_density": 1e-3, "redshift": 0.0, "schechter": BALDRY, "rng": rng} | change
    with pytest.raises(ValueError, match=says):
        match_abundance(**arguments)


def test_nothing_to_match(rng):
    assert match_abundance([], [], BALDRY, rng=rng).shape == (0,)
    assert stellar_mass_function(10.0, 0.0, BALDRY) == pytest.approx(
        (above(9.999) - above(10.001)) / 0.002, rel=1e-5
    )


def test_mean_occupation():
    mass = np.array([1e11, 1e12, 3e12, 1e14])
    central, satellites = hod_occupation(mass, **HOD)
    step = stats.norm.cdf((np.log10(mass) - 12) * np.sqrt(2) / 0.3)  # erf in terms of the normal
    np.testing.assert_allclose(central, step, rtol=1e-10)
    powers = np.array([0, 0, (1e12 / 2e13) ** 1.1, (9.8e13 / 2e13) ** 1.1])
    np.testing.assert_allclose(satellites, step * powers, rtol=1e-10)
    sharp, _ = hod_occupation(mass, **HOD | {"sigma_log_m": 0.0})
    assert sharp.tolist() == [0, 1, 1, 1]


def test_drawn_occupation(rng):
    count, parameters = 60_000, HOD | {"m_0": 1e11, "m_1": 2e12}
    for mass in (5e10, 8e11, 1.2e12, 6e13):
        halo, central = draw_hod_galaxies(np.full(count, mass), **parameters, rng=rng)
        mean, satellites = hod_occupation(mass, **parameters)
        has = np.bincount(halo[central], minlength=count)
        number = np.bincount(halo[~central], minlength=count)
        assert set(has) <= {0, 1}
        assert has.mean() == pytest.approx(mean, abs=4 * np.sqrt(mean * (1 - mean) / count) + 1e-9)
        spread = np.sqrt(number.var() / count)
        assert number.mean() == pytest.approx(satellites, abs=4 * spread + 1e-9)
        assert not number[has == 0].any()
        if satellites > 0.1:  # Poisson where there is a central
            with_central = number[has == 1]
            ratio = with_central.var() / with_central.mean()
            assert ratio == pytest.approx(1, abs=5 * np.sqrt(2 / len(with_central)))
    assert (np.diff(halo) >= 0).all()
    assert central[np.unique(halo, return_index=True)[1]].all()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"m_min": 0.0}, "m_min is 0.0"),
        ({"m_1": np.inf}, "m_1 is inf"),
        ({"m_0": -1.0}, "m_0 is -1.0"),
        ({"m_0": 1 * u.kpc}, "not convertible"),
        ({"sigma_log_m": np.nan}, "sigma_log_m is nan"),
        ({"alpha": -1.0}, "alpha is -1.0"),
        ({"mass": [1e12, 0.0]}, "finite and positive"),
    ],
)
def test_occupation_refuses(change, says, rng):
    arguments = {"mass": [1e12]} | HOD | change
    with pytest.raises(ValueError, match=says):
        hod_occupation(**arguments)
    with pytest.raises(ValueError, match=says):
        draw_hod_galaxies(**arguments, rng=rng)


def test_recipe(tmp_path):
    pytest.importorskip("colossus")
    from skywright.flow import load, run

    plan = load(RECIPE, set=["area=1 deg2"], seed=4)
    run(plan, workspace=tmp_path / "one", out=tmp_path / "one.fits", workers=1)
    run(plan, workspace=tmp_path / "two", out=tmp_path / "two.fits", workers=2)
    one, two = (Table.read(tmp_path / f"{name}.fits", hdu="halos") for name in ("one", "two"))
    for column in ("z", "mass", "concentration", "density", "stellar_mass"):
        np.testing.assert_array_equal(one[column], two[column])
        assert np.isfinite(one[column]).all()
    assert one["z"].min() >= 0.05
    assert one["mass"].min() >= 1e11
    assert stats.spearmanr(one["mass"], one["stellar_mass"]).statistic > 0.8
    heavy = one[one["mass"] > 3e12]
    assert np.median(np.log10(heavy["stellar_mass"])) == pytest.approx(10.9, abs=0.15)
    galaxies = Table.read(tmp_path / "one.fits", hdu="galaxies")
    np.testing.assert_array_equal(galaxies["z"], one["z"][galaxies["halo"]])
    assert 0.1 < 1 - galaxies["central"].mean() < 0.3


def test_page_shows_the_recipe():
    text = RECIPE.read_text()
    assert text.strip() in PAGE.read_text()


def test_code_of_the_page():
    pytest.importorskip("colossus")
    names = {}
    exec(PAGE.read_text().split("```python")[1].split("```")[0], names)
    hosts, number = len(names["mass"]), len(names["stars"])
    assert number == hosts + len(names["fell_in"])
    # as many galaxies per volume as the function has above the mass that most of them reach
    volume = names["Planck18"].comoving_volume(0.2).to_value("Mpc3") * 10 / (360**2 / np.pi)
    above_10_9 = (names["stars"] > 10**10.9).sum() / volume
    expected = above(10.9, names["schechter"])
    assert above_10_9 == pytest.approx(expected, abs=4 * np.sqrt(expected / volume))
