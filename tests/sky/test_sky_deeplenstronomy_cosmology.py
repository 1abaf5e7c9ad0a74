"""Cosmologies of files of deeplenstronomy: four kinds, and one of each image where it is drawn."""

import copy

import numpy as np
import pytest
from astropy.constants import c
from astropy.cosmology import FlatLambdaCDM, FlatwCDM, LambdaCDM, wCDM

from skywright.sky import (
    draw_lens_configuration,
    read_lens_configuration,
    render_lens_configuration,
)
from skywright.sky.deeplenstronomy import ConfigurationError
from skywright.sky.deeplenstronomy.cosmologies import has_distances

SEED = 5
ARCSEC = np.rad2deg(1) * 3600
MASS = "PLANE_1-OBJECT_1-MASS_PROFILE_1"
KINDS = {
    "FlatLambdaCDM": (FlatLambdaCDM, {}),
    "LambdaCDM": (LambdaCDM, {"Ode0": 0.9}),
    "FlatwCDM": (FlatwCDM, {"w0": -0.7}),
    "wCDM": (wCDM, {"Ode0": 0.5, "w0": -1.2}),
}


def drawn(name, **parameters):
    return {"DISTRIBUTION": {"NAME": name, "PARAMETERS": parameters}}


@pytest.fixture
def config(make_lens_config):
    return make_lens_config()


@pytest.fixture
def varied(config):
    """Return a configuration each of whose images has a cosmology of its own."""
    numbers = {
        "H0": drawn("uniform", minimum=60, maximum=80),
        "Om0": drawn("uniform", minimum=0.1, maximum=0.5),
        "Ode0": 0.9,
        "w0": drawn("uniform", minimum=-1.2, maximum=-0.8),
    }
    config["COSMOLOGY"] = {"NAME": "wCDM", "PARAMETERS": numbers}
    return config


def draw(simulation, images=20):
    return draw_lens_configuration(simulation, "CONFIGURATION_1", range(images), seed=SEED)


def own(row):
    """Return the cosmology of a row as the configuration would state it."""
    return {name: float(row[f"{name}-g"]) for name in ("H0", "Om0", "Ode0", "w0")}


def radius(universe, near, far):
    """Return the Einstein radius [arcsec] of a sphere of 230 km/s."""
    distance = universe.angular_diameter_distance
    ratio = (distance(near, far) / distance(far)).value
    return 4 * np.pi * (230 / c.to_value("km/s")) ** 2 * ratio * ARCSEC


def alone(varied, row):
    """Return the configuration with the cosmology of one row for all."""
    fixed = copy.deepcopy(varied)
    fixed["COSMOLOGY"]["PARAMETERS"] = own(row)
    return read_lens_configuration(fixed)


@pytest.mark.parametrize("kind", KINDS)
def test_radii_and_lengths_are_those_of_the_named_cosmology(config, kind):
    make, more = KINDS[kind]
    config["COSMOLOGY"] = {"NAME": kind, "PARAMETERS": {"H0": 65, "Om0": 0.35, **more}}
    profile = config["SPECIES"]["GALAXY_1"]["MASS_PROFILE_1"]
    profile.update(NAME="SIS", PARAMETERS={"sigma_v": 230})
    point = config["SPECIES"]["POINTSOURCE_1"]["PARAMETERS"]
    point.update(sep=8.0, sep_unit="kpc", angle=0.0)
    table = draw(read_lens_configuration(config))
    universe = make(H0=65, Om0=0.35, **more)
    z, far = table["PLANE_1-REDSHIFT-g"], table["PLANE_2-REDSHIFT-g"]
    np.testing.assert_allclose(table[f"{MASS}-theta_E-g"], radius(universe, z, far), rtol=1e-7)
    away = np.hypot(table["PLANE_2-OBJECT_2-ra-g"], table["PLANE_2-OBJECT_2-dec-g"])
    scale = universe.arcsec_per_kpc_proper(far).value
    np.testing.assert_allclose(away, 8.0 * scale, rtol=1e-7)
    assert set(table["NAME-r"]) == {kind}


def test_each_image_has_its_own_and_bands_share_it(varied):
    profile = varied["SPECIES"]["GALAXY_1"]["MASS_PROFILE_1"]
    profile.update(NAME="SIS", PARAMETERS={"sigma_v": 230})
    table = draw(read_lens_configuration(varied))
    assert len(set(table["H0-g"])) == len(table)
    assert (table["w0-g"] == table["w0-r"]).all()
    z = table["PLANE_1-REDSHIFT-g"][0], table["PLANE_2-REDSHIFT-g"][0]
    for row in table[::7]:
        assert row[f"{MASS}-theta_E-g"] == pytest.approx(radius(wCDM(**own(row)), *z), rel=1e-7)


def test_light_follows_the_cosmology_of_its_row(varied):
    planes = varied["GEOMETRY"]["CONFIGURATION_1"]
    planes["PLANE_3"] = copy.deepcopy(planes["PLANE_2"])
    planes["PLANE_2"]["PARAMETERS"]["REDSHIFT"] = 0.5
    planes["PLANE_3"]["PARAMETERS"]["REDSHIFT"] = 2.0
    planes["PLANE_2"].pop("OBJECT_2")
    simulation = read_lens_configuration(varied)
    table = draw(simulation, 3)
    whole = render_lens_configuration(table, simulation, return_planes=True)
    for row in range(3):
        fixed = alone(varied, table[row])
        one = render_lens_configuration(table[row : row + 1], fixed, return_planes=True)
        np.testing.assert_allclose(whole.planes[row, :3], one.planes[0, :3], rtol=1e-5, atol=1e-6)
    stray = table[:1].copy()
    stray["Om0-g"] = table["Om0-g"][1]
    other = render_lens_configuration(stray, simulation, return_planes=True)
    assert np.abs(other.planes[0, :3] - whole.planes[0, :3]).max() > 1e-3


def test_delays_are_those_of_the_row(varied, monkeypatch):
    def flat(model, days, redshift, bands, cosmology, *, rng, folder=None):
        return np.full((len(days), len(bands)), 21.0)

    monkeypatch.setattr("skywright.sky.light_curve_magnitudes", flat)
    varied["SPECIES"]["GALAXY_1"]["MASS_PROFILE_1"] = {
        "NAME": "SIS",
        "PARAMETERS": {"theta_E": 1.0},
    }
    varied["SPECIES"]["POINTSOURCE_1"]["MODEL"] = "flat"
    varied["SPECIES"]["POINTSOURCE_1"]["PARAMETERS"].update(sep=0.2, sep_unit="arcsec", angle=0.0)
    varied["SURVEY"]["PARAMETERS"]["num_exposures"] = 1
    varied["GEOMETRY"]["CONFIGURATION_1"]["TIMESERIES"] = {
        "NITES": [0, 5],
        "OBJECTS": ["SUPERNOVA"],
    }
    simulation = read_lens_configuration(varied)
    found = render_lens_configuration(draw(simulation, 3), simulation).table[::2]
    late = found["PLANE_2-OBJECT_2-tdshift_2-g"]
    for row, delay in zip(found, late, strict=True):
        near, far = row["PLANE_1-REDSHIFT-g"], row["PLANE_2-REDSHIFT-g"]
        d = wCDM(**own(row)).angular_diameter_distance
        # Schneider, Ehlers & Falco 1992: 2 theta_E beta (1 + z) D_l D_s / (c D_ls)
        days = (1 + near) * d(near) * d(far) / d(near, far) / c * 2 * 0.2 / ARCSEC**2
        assert delay == pytest.approx(days.to_value("d"), rel=1e-3)


def test_tables_set_a_cosmology(config, tmp_path):
    (tmp_path / "hubble.txt").write_text("H0 Om0-g WEIGHT\n67 0.32 1\n73 0.25 3\n")
    config["DISTRIBUTIONS"] = {
        "USERDIST_1": {"FILENAME": str(tmp_path / "hubble.txt"), "MODE": "sample"}
    }
    table = draw(read_lens_configuration(config), 200)
    pairs = set(zip(table["H0-r"].tolist(), table["Om0-r"].tolist(), strict=True))
    assert pairs == {(67.0, 0.32), (73.0, 0.25)}


def test_a_cosmology_without_all_redshifts_is_drawn_again(varied):
    varied["COSMOLOGY"]["PARAMETERS"] |= {
        "Om0": drawn("uniform", minimum=0.0, maximum=0.3),
        "Ode0": drawn("uniform", minimum=0.5, maximum=1.6),
    }
    table = draw(read_lens_configuration(varied), 300)
    values = {name: np.asarray(table[f"{name}-g"]) for name in ("Om0", "Ode0", "w0")}
    assert has_distances(values).all()
    assert values["Ode0"].max() > 1.1


def test_a_closed_universe_has_its_antipode_behind_all_redshifts():
    dark = np.array([1.2, 1.45, 1.6])
    for kept, ode in zip(has_distances({"Om0": np.full(3, 0.3), "Ode0": dark}), dark, strict=True):
        universe = LambdaCDM(70, 0.3, ode, Tcmb0=0)
        reach = universe.comoving_distance(1100) / universe.hubble_distance
        assert kept == (np.sqrt(-universe.Ok0) * reach < np.pi)


def test_what_never_has_redshifts_is_refused_before_work(varied):
    varied["COSMOLOGY"]["PARAMETERS"] |= {"Om0": drawn("delta_function", value=0.01), "Ode0": 1.9}
    with pytest.raises(ValueError, match="the cosmology never had all redshifts"):
        draw(read_lens_configuration(varied), 1)


@pytest.mark.parametrize("kind", [["wCDM"], 3, "Planck18", None, {"wCDM": 1}])
def test_other_names_are_refused(config, kind):
    config["COSMOLOGY"]["NAME"] = kind
    with pytest.raises(ConfigurationError, match=r"COSMOLOGY\.NAME: got"):
        read_lens_configuration(config)
