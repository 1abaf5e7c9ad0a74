"""Rates, events, mergers and their masses against integrals; seeds are fixed."""

import astropy.units as u
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats
from sky_transients import (
    COSMOLOGY,
    MEASURED_CC,
    MEASURED_IA,
    mass_distribution,
    seen_per_year,
    start,
)

from skywright.sky.transients import compact_masses, rates
from skywright.sky.transients.events import draw_events
from skywright.sky.transients.mergers import draw_directions, draw_mergers

LOWEST = 1e-3
AREA = 30 * u.deg**2


@pytest.fixture
def rng():
    return np.random.default_rng(5)


@pytest.mark.parametrize("law", [rates.dilday10_ia_rate, rates.frohmaier19_ia_rate])
def test_laws_of_type_ia_pass_through_what_was_measured(law):
    for z, rate, error in MEASURED_IA:
        assert abs(float(law(z)) * 1e5 - rate) < 2 * error


def test_core_collapse_passes_through_what_was_measured():
    for z, rate, error in MEASURED_CC:
        assert abs(float(rates.core_collapse_rate(z)) * 1e5 - rate) < 2 * error


def test_supernovae_per_solar_mass_are_the_stars_of_a_salpeter_function():
    stars = np.diff(np.array([8.0, 40.0]) ** -1.35)[0] / -1.35
    mass = np.diff(np.array([0.1, 100.0]) ** -0.35)[0] / -0.35
    per_mass = rates.core_collapse_rate(1.0) / rates.madau14_star_formation_rate(1.0)
    assert float(per_mass) == pytest.approx(stars / mass, rel=0.01)


def test_star_formation_peaks_at_redshift_two():
    z = np.linspace(0, 8, 8001)
    density = rates.madau14_star_formation_rate(z)
    assert z[density.argmax()] == pytest.approx(1.86, abs=0.02)  # Madau & Dickinson, section 5
    assert density[0] == pytest.approx(0.015, rel=0.01)


def test_rates_of_mergers():
    assert float(rates.gwtc3_black_hole_rate(0.2)) == pytest.approx(28.3e-9)
    ratio = rates.gwtc3_black_hole_rate(1.0) / rates.gwtc3_black_hole_rate(0.0)
    assert float(ratio) == pytest.approx(2**2.9)
    assert rates.gwtc3_neutron_star_rate([0.0, 3.0]) == pytest.approx(105.5e-9)


@pytest.mark.parametrize("z", [-0.1, np.nan, np.inf])
def test_rates_refuse_bad_redshifts(z):
    with pytest.raises(ValueError, match="redshifts have to be"):
        rates.core_collapse_rate(z)


def test_events_follow_a_rate(rng):
    end = 0.9
    events = draw_events([0, 0.4, end], rates.frohmaier19_ia_rate, AREA, 2, COSMOLOGY, rng=rng)
    expected = 2 * seen_per_year(rates.frohmaier19_ia_rate, 0, end, AREA)
    assert abs(len(events) - expected) < 4 * np.sqrt(expected)
    at = np.linspace(0, end, 61)
    steps = [
        seen_per_year(rates.frohmaier19_ia_rate, *ends, AREA)
        for ends in zip(at[:-1], at[1:], strict=True)
    ]
    share = np.append(0, np.cumsum(steps)) / np.sum(steps)
    result = stats.kstest(events["z"], lambda z: np.interp(z, at, share))
    assert result.pvalue > LOWEST
    days = (events["mjd_peak"] - 60000 * u.d) / (2 * u.yr)
    assert stats.kstest(days.to_value(""), "uniform").pvalue > LOWEST
    assert len(set(events["event_id"])) == len(events)


@settings(max_examples=15, deadline=None)
@given(
    slope=st.floats(-2, 4),
    low=st.floats(0, 0.3),
    width=st.floats(0.05, 1),
    nodes=st.integers(2, 9),
    years=st.floats(0.1, 20),
)
def test_the_number_of_events_is_the_integral(slope, low, width, nodes, years):
    def rate(z):
        return 3e-5 * (1 + np.asarray(z)) ** slope

    grid = np.linspace(low, low + width, nodes)
    drawn = draw_events(
        grid, rate, AREA, years * u.yr, COSMOLOGY, noise=False, rng=np.random.default_rng(0)
    )
    expected = years * seen_per_year(rate, low, low + width, AREA)
    assert abs(len(drawn) - expected) <= 1 + 1e-3 * expected
    assert ((drawn["z"] >= low) & (drawn["z"] <= low + width)).all()


def test_rates_of_every_form_are_one(rng):
    grid = np.linspace(0, 0.5, 6)
    forms = [2e-5, np.full(6, 2e-5), 20_000 / u.Gpc**3 / u.yr, lambda z: np.full(len(z), 2e-5)]
    given = (AREA, 365.25 * u.d, COSMOLOGY)
    counts = [len(draw_events(grid, form, *given, noise=False, rng=rng)) for form in forms]
    assert len(set(counts)) == 1
    assert counts[0] == pytest.approx(seen_per_year(lambda _: 2e-5, 0, 0.5, AREA), abs=1)


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"duration": 3 * u.m}, u.UnitConversionError, "length"),
        ({"duration": -1}, ValueError, "not negative"),
        ({"duration": np.nan}, ValueError, "finite"),
        ({"start": np.inf}, ValueError, "finite"),
        ({"rate": 1e-5 / u.m**3}, u.UnitConversionError, "not convertible"),
        ({"rate": -1e-5}, ValueError, "negative"),
        ({"rate": [1e-5, np.nan]}, ValueError, "finite"),
        ({"rate": lambda z: z * np.nan}, ValueError, "finite"),
        ({"sky_area": 10.0}, TypeError, "solid angle"),
        ({"redshift": [0.5, 0.1]}, ValueError, "ascending"),
        ({"redshift": [0.5]}, ValueError, "ascending"),
    ],
)
def test_bad_events_are_refused(change, error, says, rng):
    given = {"redshift": [0, 1], "rate": 1e-5, "sky_area": AREA, "duration": 1}
    with pytest.raises(error, match=says):
        draw_events(**given | change, cosmology=COSMOLOGY, rng=rng)


def test_no_time_no_events(rng):
    assert len(draw_events([0, 1], 1e-5, AREA, 0, COSMOLOGY, rng=rng)) == 0


@pytest.mark.parametrize(
    "given",
    [{}, {"delta_m": 0.0}, {"peak_share": 1.0, "mu": 8.0}, {"alpha": 1.0, "beta": -1.0}],
)
def test_masses_of_black_holes(given, rng):
    first, second = compact_masses.power_law_peak_masses(20_000, **given, rng=rng)
    names = {"delta_m": "delta", "peak_share": "share"}
    changed = {names.get(k, k): v for k, v in given.items() if k != "beta"}
    m, share = mass_distribution(**changed)
    assert stats.kstest(first, lambda x: np.interp(x, m, share)).pvalue > LOWEST
    # the lighter mass of each pair, mapped to its own distribution below the heavier
    rows = slice(0, 3000)
    delta, beta = given.get("delta_m", 4.8), given.get("beta", 1.1)
    grid = np.linspace(5.1, first[rows], 4001)
    integral = integrate.cumulative_trapezoid(
        grid**beta * start(grid, 5.1, delta), grid, axis=0, initial=0
    )
    place = [
        np.interp(x, grid[:, i], integral[:, i] / integral[-1, i])
        for i, x in enumerate(second[rows])
    ]
    assert stats.kstest(place, "uniform").pvalue > LOWEST


def test_masses_of_neutron_stars(rng):
    first, second = compact_masses.uniform_neutron_star_masses(20_000, rng=rng)
    assert (first >= second).all()
    both = np.concatenate([first, second])
    assert stats.kstest(both, stats.uniform(1.0, 1.5).cdf).pvalue > LOWEST
    pair = compact_masses.gaussian_neutron_star_masses(20_000, rng=rng)
    assert stats.kstest(np.concatenate(pair), stats.norm(1.33, 0.09).cdf).pvalue > LOWEST


@pytest.mark.parametrize(
    ("step", "bad"),
    [
        ("power_law_peak_masses", {"m_min": 0.0}),
        ("power_law_peak_masses", {"m_max": 1.0}),
        ("power_law_peak_masses", {"sigma": 0.0}),
        ("power_law_peak_masses", {"delta_m": -1.0}),
        ("power_law_peak_masses", {"peak_share": np.nan}),
        ("uniform_neutron_star_masses", {"low": 3.0}),
        ("gaussian_neutron_star_masses", {"std": 1.0}),
    ],
)
def test_bad_masses_are_refused(step, bad, rng):
    with pytest.raises(ValueError, match="expected"):
        getattr(compact_masses, step)(5, **bad, rng=rng)


def test_mergers_over_the_sky(rng):
    found = draw_mergers(
        np.linspace(0, 1, 5), rates.gwtc3_black_hole_rate, compact_masses.power_law_peak_masses,
        3 * u.yr, COSMOLOGY, rng=rng,
    )  # fmt: skip
    expected = 3 * seen_per_year(rates.gwtc3_black_hole_rate, 0, 1, 4 * np.pi * u.sr)
    assert abs(len(found) - expected) < 4 * np.sqrt(expected)
    for turned in (np.sin(found["dec"]), np.cos(found["inclination"])):
        assert stats.kstest(turned.value, stats.uniform(-1, 2).cdf).pvalue > LOWEST
    assert stats.kstest(found["ra"].value / 360, "uniform").pvalue > LOWEST
    distance = COSMOLOGY.luminosity_distance(found["z"][:5])
    np.testing.assert_allclose(found["luminosity_distance"][:5], distance)


def test_a_part_of_the_sky_has_its_share(rng):
    given = ([0.0, 0.5], 1e-6, compact_masses.uniform_neutron_star_masses, 1, COSMOLOGY)
    found = draw_mergers(*given, ra=(-10, 20), dec=(0, 30), noise=False, rng=rng)
    area = np.deg2rad(30) * 0.5 * u.sr
    assert len(found) == pytest.approx(seen_per_year(lambda _: 1e-6, 0, 0.5, area), abs=1)
    ra, dec = found["ra"].value, found["dec"].value
    assert (((ra >= 350) | (ra <= 20)) & (dec >= 0) & (dec <= 30)).all()


@pytest.mark.parametrize(
    "limits", [{"ra": (20, 10)}, {"ra": (0, 400)}, {"dec": (10, 10)}, {"dec": (-100, 0)}]
)
def test_bad_parts_of_the_sky_are_refused(limits, rng):
    with pytest.raises(ValueError, match="ascending limits"):
        draw_directions(3, **limits, rng=rng)
