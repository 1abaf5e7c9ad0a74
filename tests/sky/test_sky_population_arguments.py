"""Arguments that make no sense are refused, with what was got and what was expected."""

import astropy.units as u
import numpy as np
import pytest
from astropy.cosmology import Planck18
from astropy.table import QTable

from skywright import flow
from skywright.sky import (
    draw_halos,
    expected_lenses,
    galaxy_deflectors,
    power_law_peak_masses,
    render_lenses,
    select_lenses,
)
from skywright.sky.lens_population.checks import checked_column
from skywright.sky.populations.ellipticities import beta_ellipticity
from skywright.sky.populations.filter_names import known_filters
from skywright.sky.populations.luminosities import schechter_lf
from skywright.sky.surveys import SURVEYS, SurveyName

GRID = np.linspace(0, 1, 11)


@pytest.fixture
def rng():
    return np.random.default_rng(3)


@pytest.mark.parametrize("name", ["alpha", "beta", "m_min", "m_max", "delta_m", "mu", "sigma"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_masses_without_a_distribution_are_not_drawn_for_ever(name, value, rng):
    with pytest.raises(ValueError, match=f"{name} {value}.*expected finite"):
        power_law_peak_masses(3, **{name: value}, rng=rng)


def test_a_peak_outside_the_limits_is_refused(rng):
    with pytest.raises(ValueError, match="nothing of the peak"):
        power_law_peak_masses(3, mu=-1000.0, rng=rng)
    power_law_peak_masses(3, mu=-1000.0, peak_share=0.0, rng=rng)


@pytest.mark.parametrize(
    "options", [{"scatter": np.nan}, {"evolution": np.nan}, {"scatter": np.inf}]
)
def test_relations_with_nan_are_refused(options, rng):
    red = QTable({"z": [0.3], "M_r": [-22.5] * u.mag, "ellipticity": [0.1]})
    with pytest.raises(ValueError, match="finite numbers"):
        galaxy_deflectors(red, rng=rng, **options)


@pytest.mark.parametrize(
    ("ratio", "total"), [(1.2, 3), (np.nan, 3), (0.3, 0), (0.3, np.nan), (0, 3)]
)
def test_beta_ellipticity_needs_a_mean_between_0_and_1(ratio, total, rng):
    with pytest.raises(ValueError, match="e_ratio is .*expected a mean between 0 and 1"):
        beta_ellipticity(ratio, total, size=3, rng=rng)


@pytest.mark.parametrize("unit", [u.mag, u.ABmag])
def test_limits_may_have_their_unit(unit):
    def draw(*, limit, bright):
        return schechter_lf(
            GRID, bright, 3e-3, -1.3, limit, 0.1 * u.deg**2, Planck18,
            rng=np.random.default_rng(1),
        )  # fmt: skip

    wanted = draw(limit=22.0, bright=-20.5)
    found = draw(limit=22.0 * unit, bright=-20.5 * u.mag)
    for a, b in zip(wanted, found, strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(u.UnitTypeError, match="m_lim is 22.0 Jy; expected AB magnitudes"):
        draw(limit=22.0 * u.Jy, bright=-20.5)


@pytest.mark.parametrize("options", [{"snr": np.nan}, {"magnification": np.nan}, {"snr": -1.0}])
def test_criteria_with_nan_are_refused(options):
    with pytest.raises(ValueError, match="expected numbers from 0 up"):
        select_lenses(QTable({"z": [1.0]}), "des", **options)


def test_a_catalogue_without_units_or_ids_is_refused(rng):
    table = QTable({"sigma_v": [200.0], "mag": [20.0], "source_mag_i": [20.0]})
    with pytest.raises(ValueError, match="'sigma_v' has no unit; expected km / s"):
        checked_column(table, "sigma_v", u.km / u.s)
    assert checked_column(table, "mag", u.mag) == 20.0
    with pytest.raises(ValueError, match="no column 'object_id'"):
        render_lenses(table, "lsst", rng=rng)
    with pytest.raises(ValueError, match="no column 'deflector'"):
        expected_lenses(table, 1 * u.deg**2)


def test_more_halos_than_memory_holds_are_refused_before_they_are_drawn(rng):
    with pytest.raises(ValueError, match=r"about \d.*e\+\d+ halos above 1e\+08 Msun are expected"):
        draw_halos([0.0, 2.0], 1e8, 1e15, 40000 * u.deg**2, Planck18, rng=rng)


RECIPE = """
cosmology: !astropy.cosmology.Planck18
parameters: {name: NAME}
made: !numpy.ones [3]
found: CALL
"""


@pytest.mark.parametrize(
    ("name", "call", "right", "wrong"),
    [
        ("survey", "select_lenses {lenses: $made, conditions: $name}", "lsst", "lst"),
        ("survey", "select_lenses {lenses: $made, conditions: $name}", "{i: [26, 0.7]}", "[i]"),
        ("surveys", "expected_lenses {lenses: $made, sky_area: 1 deg2, surveys: $name}",
         "[des, lsst]", "[des, lst]"),
        ("survey", "render_lenses {lenses: $made, survey: $name}", "des", "dse"),
        ("filters", "kcorrect.absolute_magnitudes {coefficients: $made, filters: $name}",
         "[lsst2023-g, 'sdss2010-*']", "lsst2023-q"),
    ],
)  # fmt: skip
def test_a_misspelt_survey_or_filter_is_refused_at_load(tmp_path, name, call, right, wrong):
    module = "skypy.galaxies.spectrum" if name == "filters" else "skywright.sky"
    file = tmp_path / "recipe.yml"
    text = RECIPE.replace("CALL", f"!{module}.{call}")
    file.write_text(text.replace("NAME", right))
    flow.load(file)
    file.write_text(text.replace("NAME", wrong))
    with pytest.raises(flow.RecipeError, match=r"recipe.yml:\d.*expected"):
        flow.load(file)


def test_names_of_surveys_and_filters():
    assert set(SurveyName.__args__) == set(SURVEYS)
    assert known_filters("decam2014-r")
    assert not known_filters("/etc/passwd")
    assert not known_filters(["lsst2023-g", 3])
