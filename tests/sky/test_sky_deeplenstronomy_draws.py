"""What is drawn from files of deeplenstronomy, against scipy, astropy and plain numpy."""

import copy

import astropy.units as u
import numpy as np
import pytest
import yaml
from astropy.cosmology import FlatLambdaCDM
from astropy.table import Table
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from skywright.data.tables import write_table
from skywright.sky import draw_lens_configuration, read_lens_configuration
from skywright.sky.deeplenstronomy.backgrounds import fit_to
from skywright.sky.deeplenstronomy.document import ConfigurationError
from skywright.sky.deeplenstronomy.draws import LAWS
from skywright.sky.deeplenstronomy.survey_draws import SURVEY_LAWS, survey_bands, survey_draws

LOWEST = 1e-3
N = 20_000
GALAXY = "PLANE_2-OBJECT_1-LIGHT_PROFILE_1"
COSMOLOGY = FlatLambdaCDM(H0=70, Om0=0.3)


def drawn(name, **parameters):
    return {"DISTRIBUTION": {"NAME": name, "PARAMETERS": parameters or None}}


@pytest.fixture
def config(make_lens_config):
    return make_lens_config()


def draw(config, images=200, label="CONFIGURATION_1", **options):
    simulation = read_lens_configuration(config, **options)
    return draw_lens_configuration(simulation, label, range(images), seed=5)


SCIPY = {
    "uniform": ({"minimum": -1, "maximum": 3}, stats.uniform(-1, 4)),
    "normal": ({"mean": 2, "std": 3}, stats.norm(2, 3)),
    "lognormal": ({"mean": 0.5, "sigma": 0.4}, stats.lognorm(0.4, scale=np.exp(0.5))),
    "loguniform": ({"minimum": 0.1, "maximum": 100}, stats.loguniform(0.1, 100)),
}


@pytest.mark.parametrize("name", SCIPY)
def test_laws_follow_scipy(name):
    parameters, law = SCIPY[name]
    u = np.random.default_rng(1).random(N)
    np.testing.assert_allclose(LAWS[name](u, **parameters), law.ppf(u), rtol=1e-9)


def test_laws_that_scipy_does_not_have():
    u = np.random.default_rng(2).random(N)
    whole = LAWS["uniform_int"](u, minimum=2, maximum=5)
    counts = np.unique(whole, return_counts=True)
    assert counts[0].tolist() == [2, 3, 4, 5]
    assert stats.chisquare(counts[1]).pvalue > LOWEST
    ring = LAWS["symmetric_uniform_annulus"](u, r1=1, r2=3)
    assert ((np.abs(ring) >= 1) & (np.abs(ring) <= 3)).all()
    assert stats.binomtest(int((ring > 0).sum()), N).pvalue > LOWEST
    assert stats.kstest(np.abs(ring), stats.uniform(1, 2).cdf).pvalue > LOWEST
    assert (LAWS["delta_function"](u, value=7) == 7).all()


@pytest.mark.parametrize("name", SURVEY_LAWS)
def test_conditions_of_surveys(name):
    u = np.sort(np.random.default_rng(3).random(2000))
    for band in survey_bands(name):
        values = survey_draws(name, u, band)
        assert np.isfinite(values).all()
        assert (np.diff(values) >= 0).all()
        low, high = {"sky_brightness": (15, 26), "magnitude_zero_point": (20, 35)}.get(
            next((k for k in ("sky_brightness", "magnitude_zero_point") if name.endswith(k)), ""),
            (0.3, 10_000),
        )
        assert low < values[0] <= values[-1] < high


def test_published_conditions_of_lsst_and_of_des():
    u = np.full(1, 0.5)
    assert survey_draws("lsst_num_exposures", u, "r", coadd_years=5) == 230
    assert survey_draws("lsst_magnitude_zero_point", u, "Y") == 26.58
    assert survey_draws("des_exposure_time", u, "Y") == 45
    shares = np.array([0.040, 0.113, 0.267, 0.311, 0.178, 0.062, 0.019, 0.007, 0.003])
    many = survey_draws("des_num_exposures", np.random.default_rng(4).random(N), "g")
    found = np.bincount(many.astype(int), minlength=10)[1:]
    assert stats.chisquare(found, shares / shares.sum() * N).pvalue > LOWEST


def test_every_parameter_is_drawn_as_its_law_says(config):
    parameters = config["SPECIES"]["GALAXY_2"]["LIGHT_PROFILE_1"]["PARAMETERS"]
    parameters |= {
        "magnitude": drawn("normal", mean=21, std=0.5),
        "R_sersic": drawn("lognormal", mean=-1, sigma=0.3),
        "center_x": drawn("uniform", minimum=-0.3, maximum=0.3),
    }
    config["SURVEY"]["PARAMETERS"]["seeing"] = drawn("des_seeing")
    table = draw(config, 4000)
    values = {k: np.asarray(table[f"{GALAXY}-{k}-g"]) for k in parameters}
    assert stats.kstest(values["magnitude"], stats.norm(21, 0.5).cdf).pvalue > LOWEST
    assert stats.kstest(np.log(values["R_sersic"]), stats.norm(-1, 0.3).cdf).pvalue > LOWEST
    assert stats.kstest(values["center_x"], stats.uniform(-0.3, 0.6).cdf).pvalue > LOWEST
    for a, b in (("magnitude", "R_sersic"), ("magnitude", "center_x"), ("R_sersic", "center_x")):
        assert stats.spearmanr(values[a], values[b]).pvalue > LOWEST
    # bands share what is drawn of an object; conditions are of each band
    assert (table[f"{GALAXY}-magnitude-g"] == table[f"{GALAXY}-magnitude-r"]).all()
    assert stats.spearmanr(table["seeing-g"], table["seeing-r"]).pvalue > LOWEST


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 5000), min_size=1, max_size=12), st.integers(0, 2**32 - 1))
def test_any_rows_in_any_order_are_the_same(make_lens_config, rows, seed):
    config = make_lens_config()
    config["GEOMETRY"]["CONFIGURATION_1"]["PLANE_2"]["PARAMETERS"]["REDSHIFT"] = drawn(
        "uniform", minimum=0.1, maximum=1.5
    )
    simulation = read_lens_configuration(config)
    together = draw_lens_configuration(simulation, "CONFIGURATION_1", rows, seed=seed)
    for place, row in enumerate(rows):
        alone = draw_lens_configuration(simulation, "CONFIGURATION_1", [row], seed=seed)
        assert all(alone[name][0] == together[name][place] for name in alone.colnames)


def test_configurations_and_seeds_differ(config):
    config["SPECIES"]["GALAXY_2"]["LIGHT_PROFILE_1"]["PARAMETERS"]["magnitude"] = drawn(
        "uniform", minimum=20, maximum=22
    )
    config["GEOMETRY"]["CONFIGURATION_2"] = copy.deepcopy(config["GEOMETRY"]["CONFIGURATION_1"])
    simulation = read_lens_configuration(config)
    name = f"{GALAXY}-magnitude-g"
    columns = [
        draw_lens_configuration(simulation, label, range(50), seed=seed)[name]
        for label in ("CONFIGURATION_1", "CONFIGURATION_2")
        for seed in (1, 2)
    ]
    assert len({tuple(column) for column in columns}) == 4


@pytest.mark.parametrize(("size", "fraction"), [(10, 0.25), (60, 1.0), (7, 0.5), (1000, 0.333)])
def test_the_number_of_images_is_exact(config, size, fraction):
    config["DATASET"]["PARAMETERS"]["SIZE"] = size
    config["GEOMETRY"]["CONFIGURATION_1"]["FRACTION"] = fraction
    table = draw_lens_configuration(read_lens_configuration(config), "CONFIGURATION_1", seed=1)
    assert len(table) == int(size * fraction)
    assert table["OBJID-g"].tolist() == list(range(len(table)))


def test_planes_are_drawn_until_they_are_in_order(config):
    planes = config["GEOMETRY"]["CONFIGURATION_1"]
    planes["PLANE_1"]["PARAMETERS"]["REDSHIFT"] = drawn("uniform", minimum=0.1, maximum=1)
    planes["PLANE_2"]["PARAMETERS"]["REDSHIFT"] = drawn("uniform", minimum=0.1, maximum=1)
    table = draw(config, 3000)
    near, far = (np.asarray(table[f"PLANE_{p}-REDSHIFT-g"]) for p in (1, 2))
    assert len(table) == 3000
    assert (near < far).all()
    # the smaller and larger of two uniform numbers
    assert stats.kstest((far - 0.1) / 0.9, stats.beta(2, 1).cdf).pvalue > LOWEST
    assert stats.kstest((near - 0.1) / 0.9, stats.beta(1, 2).cdf).pvalue > LOWEST
    assert (table["PLANE_2-OBJECT_1-REDSHIFT-g"] == far).all()


def test_planes_that_are_never_in_order_are_refused(config):
    planes = config["GEOMETRY"]["CONFIGURATION_1"]
    planes["PLANE_1"]["PARAMETERS"]["REDSHIFT"] = drawn("uniform", minimum=2, maximum=3)
    planes["PLANE_2"]["PARAMETERS"]["REDSHIFT"] = drawn("uniform", minimum=0.1, maximum=1)
    with pytest.raises(ValueError, match="CONFIGURATION_1: .* never in order of redshift"):
        draw(config, 10_000)


def test_draws_without_meaning_are_drawn_again(config):
    parameters = config["SPECIES"]["GALAXY_2"]["LIGHT_PROFILE_1"]["PARAMETERS"]
    parameters["R_sersic"] = drawn("normal", mean=0.2, std=0.2)
    radius = np.asarray(draw(config, 3000)[f"{GALAXY}-R_sersic-g"])
    assert stats.kstest(radius, stats.truncnorm(-1, np.inf, 0.2, 0.2).cdf).pvalue > LOWEST
    parameters["R_sersic"] = drawn("normal", mean=-9, std=0.1)
    with pytest.raises(ValueError, match="R_sersic was never a number above 0"):
        draw(config)


def test_velocity_dispersions_become_einstein_radii(config):
    parameters = config["SPECIES"]["GALAXY_1"]["MASS_PROFILE_1"]["PARAMETERS"]
    del parameters["theta_E"]
    parameters["sigma_v"] = drawn("uniform", minimum=150, maximum=300)
    table = draw(config, 20)
    prefix = "PLANE_1-OBJECT_1-MASS_PROFILE_1"
    near, far = COSMOLOGY.comoving_distance([0.3, 1.0]).value
    ratio = 1 - near / far  # D_ls / D_s without curvature
    expected = 4 * np.pi * (table[f"{prefix}-sigma_v-g"] / 299792.458) ** 2 * ratio * 206264.806
    np.testing.assert_allclose(table[f"{prefix}-theta_E-g"], expected, rtol=1e-6)


def test_points_stand_beside_their_hosts(config):
    host = config["SPECIES"]["GALAXY_2"]["LIGHT_PROFILE_1"]["PARAMETERS"]
    host |= {"center_x": 0.2, "center_y": -0.1}
    point = config["SPECIES"]["POINTSOURCE_1"]["PARAMETERS"]
    table = draw(config, 500)
    prefix = "PLANE_2-OBJECT_2"
    dx, dy = table[f"{prefix}-ra-g"] - 0.2, table[f"{prefix}-dec-g"] + 0.1
    np.testing.assert_allclose(np.hypot(dx, dy), 0.3)
    turn = np.arctan2(dy, dx) % (2 * np.pi)
    assert stats.kstest(turn, stats.uniform(0, 2 * np.pi).cdf).pvalue > LOWEST
    point |= {"sep": 5.0, "sep_unit": "kpc", "angle": 0.0}
    table = draw(config, 3)
    expected = 5.0 * COSMOLOGY.arcsec_per_kpc_proper(1.0).value
    np.testing.assert_allclose(table[f"{prefix}-ra-g"], 0.2 + expected, rtol=1e-6)
    np.testing.assert_allclose(table[f"{prefix}-dec-g"], -0.1)
    config["SPECIES"]["POINTSOURCE_1"]["PARAMETERS"] = {"magnitude": 20}
    table = draw(config, 3)
    assert table[f"{prefix}-sep-g"].tolist() == [0, 0, 0]
    np.testing.assert_allclose(table[f"{prefix}-ra-g"], 0.2)


def test_foreground_stars_stand_anywhere(config):
    config["SPECIES"]["POINTSOURCE_1"] |= {"HOST": "Foreground", "PARAMETERS": {"magnitude": 18}}
    table = draw(config, 3000)
    half = 32 * 0.263 / 2
    for axis in ("ra_image", "dec_image"):
        law = stats.uniform(-half, 2 * half)
        assert stats.kstest(table[f"PLANE_2-OBJECT_2-{axis}-g"], law.cdf).pvalue > LOWEST


def test_special_functions_edit_magnitudes(config):
    galaxy = config["SPECIES"]["GALAXY_2"]
    galaxy["LIGHT_PROFILE_1"]["PARAMETERS"]["magnitude"] = 21
    galaxy["SPECIAL"] = {"brighten_everything": ["LIGHT_PROFILE_1-2.5"]}
    config["SURVEY"]["PARAMETERS"]["BANDS"] = "g,r,i,z,Y"
    bands = "grizY"

    def magnitudes():
        table = draw(config, 1)
        return [round(float(table[f"{GALAXY}-magnitude-{b}"][0]), 6) for b in bands]

    assert magnitudes() == [18.5] * 5
    galaxy["SPECIAL"] = {"make_blueer": ["LIGHT_PROFILE_1-1"]}
    assert magnitudes() == [20, 20.5, 21, 21, 21]
    galaxy["SPECIAL"] = {"MAKE_REDDER": ["LIGHT_PROFILE_1-1"]}
    assert magnitudes() == [21, 21, 20.5, 20, 19.5]
    assert float(draw(config, 1)["PLANE_1-OBJECT_1-LIGHT_PROFILE_1-magnitude-Y"][0]) == 19


# ---- tables of users


def user_table(config, folder, text, mode, **more):
    (folder / "user.txt").write_text(text)
    config["DISTRIBUTIONS"] = {"USERDIST_1": {"FILENAME": "user.txt", "MODE": mode} | more}
    return config


def test_rows_of_a_table_keep_their_correlations(config, tmp_path):
    text = (
        f"CONFIGURATION_1-PLANE_2-OBJECT_1-REDSHIFT {GALAXY}-magnitude-g {GALAXY}-magnitude-r "
        "PLANE_1-OBJECT_1-LIGHT_PROFILE_1-R_sersic WEIGHT\n"
        "0.5 20 21 1.5 1\n0.6 22 23 2.5 3\n0.7 24 25 3.5 0\n"
    )
    table = draw(user_table(config, tmp_path, text, "sample"), 2000, folder=tmp_path)
    z = np.asarray(table["PLANE_2-REDSHIFT-g"])
    assert set(z) == {0.5, 0.6}
    assert stats.binomtest(int((z == 0.5).sum()), 2000, 0.25).pvalue > LOWEST
    first = z == 0.5
    assert (table[f"{GALAXY}-magnitude-g"] == np.where(first, 20, 22)).all()
    assert (table[f"{GALAXY}-magnitude-r"] == np.where(first, 21, 23)).all()
    for band in "gr":  # no suffix: all bands
        name = f"PLANE_1-OBJECT_1-LIGHT_PROFILE_1-R_sersic-{band}"
        assert (table[name] == np.where(first, 1.5, 2.5)).all()


def test_a_table_for_another_configuration_sets_nothing(config, tmp_path):
    config["GEOMETRY"]["CONFIGURATION_2"] = copy.deepcopy(config["GEOMETRY"]["CONFIGURATION_1"])
    text = f"CONFIGURATION_2-{GALAXY}-magnitude-g WEIGHT\n30 1\n"
    config = user_table(config, tmp_path, text, "sample")
    assert set(draw(config, folder=tmp_path)[f"{GALAXY}-magnitude-g"]) == {21.0}
    other = draw(config, label="CONFIGURATION_2", folder=tmp_path)
    assert set(other[f"{GALAXY}-magnitude-g"]) == {30.0}
    assert set(other[f"{GALAXY}-magnitude-r"]) == {21.0}


def test_weights_are_interpolated_on_a_grid(config, tmp_path):
    text = "seeing WEIGHT\n1.0 2\n0.5 0\n1.5 0\n"
    table = draw(user_table(config, tmp_path, text, "interpolate", STEP=11), 5000, folder=tmp_path)
    nodes = np.linspace(0.5, 1.5, 11)
    weights = np.interp(nodes, [0.5, 1.0, 1.5], [0, 2, 0])
    found = [int((np.abs(np.asarray(table["seeing-g"]) - x) < 1e-9).sum()) for x in nodes[1:-1]]
    assert sum(found) == 5000
    expected = weights[1:-1] / weights.sum() * 5000
    assert stats.chisquare(found, expected).pvalue > LOWEST


def test_weights_are_interpolated_in_two_dimensions(config, tmp_path):
    corners = [(x, y) for x in (0.2, 0.4) for y in (20, 22)]
    lines = "".join(f"{x} {y} {1 + 3 * (y == 22)}\n" for x, y in corners)
    text = f"{GALAXY}-R_sersic {GALAXY}-magnitude WEIGHT\n{lines}"
    table = draw(user_table(config, tmp_path, text, "interpolate", STEP=3), 4000, folder=tmp_path)
    # weights rise linearly with the magnitude: 1, 2.5, 4
    found = [int((table[f"{GALAXY}-magnitude-g"] == m).sum()) for m in (20, 21, 22)]
    assert stats.chisquare(found, np.array([1, 2.5, 4]) / 7.5 * 4000).pvalue > LOWEST


def test_rows_are_taken_one_after_the_other(config, tmp_path):
    text = "seeing WEIGHT\n0.7 1\n0.8 1\n0.9 1\n"
    table = draw(user_table(config, tmp_path, text, "iterate"), 7, folder=tmp_path)
    assert table["seeing-r"].tolist() == [0.7, 0.8, 0.9, 0.7, 0.8, 0.9, 0.7]


def test_params_stand_in_for_the_header(config, tmp_path):
    text = "a WEIGHT\n0.7 1\n"
    config = user_table(config, tmp_path, text, "sample", PARAMS=["seeing", "WEIGHT"])
    assert set(draw(config, folder=tmp_path)["seeing-g"]) == {0.7}


@pytest.mark.parametrize("suffix", ["parquet", "ecsv", "csv", "fits", "txt"])
def test_parameters_of_a_catalogue_share_its_rows(config, tmp_path, suffix):
    z = np.linspace(0.5, 1.5, 40)
    rows = Table({"z": z, "r_mag": 18 + 4 * z})
    file = tmp_path / f"galaxies.{suffix}"
    if suffix == "parquet":
        write_table(rows, file)
    else:
        forms = {"ecsv": "ascii.ecsv", "csv": "ascii.csv", "txt": "ascii.basic", "fits": "fits"}
        rows.write(file, format=forms[suffix])
    of = {"file": file.name}
    config["GEOMETRY"]["CONFIGURATION_1"]["PLANE_2"]["PARAMETERS"]["REDSHIFT"] = drawn(
        "catalogue", column="z", **of
    )
    parameters = config["SPECIES"]["GALAXY_2"]["LIGHT_PROFILE_1"]["PARAMETERS"]
    parameters["magnitude"] = drawn("catalogue", column="r_mag", **of)
    table = draw(config, 1000, folder=tmp_path)
    found = np.asarray(table["PLANE_2-REDSHIFT-g"])
    np.testing.assert_allclose(table[f"{GALAXY}-magnitude-g"], 18 + 4 * found, rtol=1e-6)
    counts = np.unique(found, return_counts=True)[1]
    assert len(counts) == 40
    assert stats.chisquare(counts).pvalue > LOWEST


def test_columns_of_a_catalogue_come_in_the_unit_of_the_parameter(config, tmp_path):
    size = (0.4 * u.arcsec).to_value(u.rad)
    rows = Table({"size": [size], "sigma": [200.0]}, units={"size": "rad", "sigma": "km/s"})
    write_table(rows, tmp_path / "sizes.parquet")
    parameters = config["SPECIES"]["GALAXY_2"]["LIGHT_PROFILE_1"]["PARAMETERS"]
    parameters["R_sersic"] = drawn("catalogue", file="sizes.parquet", column="size")
    table = draw(config, 3, folder=tmp_path)
    np.testing.assert_allclose(table[f"{GALAXY}-R_sersic-g"], 0.4)
    parameters["R_sersic"] = drawn("catalogue", file="sizes.parquet", column="sigma")
    with pytest.raises(ConfigurationError, match="none for R_sersic"):
        draw(config, 3, folder=tmp_path)


# ---- real backgrounds


def test_the_nearest_background_is_taken(config, make_backgrounds):
    folder = make_backgrounds(3, 9)
    path = "PLANE_1-OBJECT_1-MASS_PROFILE_1-theta_E"
    (folder / "map.txt").write_text(f"CONFIGURATION_1-{path}-g other\n0.5 1\n1.0 1\n2.0 1\n")
    config["BACKGROUNDS"] = {"PATH": str(folder), "CONFIGURATIONS": ["CONFIGURATION_1"]}
    config["SPECIES"]["GALAXY_1"]["MASS_PROFILE_1"]["PARAMETERS"]["theta_E"] = drawn(
        "uniform", minimum=0.2, maximum=2.5
    )
    table = draw(config, 300)
    theta = np.asarray(table[f"{path}-g"])
    expected = np.argmin(np.abs(theta[:, None] - [0.5, 1.0, 2.0]), axis=1)
    assert table["BACKGROUND_IDX-g"].tolist() == expected.tolist()
    config["BACKGROUNDS"]["ITERATE"] = True
    table = draw(config, 5)
    assert table["BACKGROUND_IDX-g"].tolist() == [0, 1, 2, 0, 1]
    assert table[f"{path}-g"].tolist() == [0.5, 1.0, 2.0, 0.5, 1.0]


def test_any_background_is_taken_without_a_map(config, make_backgrounds):
    config["BACKGROUNDS"] = {
        "PATH": str(make_backgrounds(4, 9)),
        "CONFIGURATIONS": ["CONFIGURATION_1"],
    }
    counts = np.bincount(draw(config, 2000)["BACKGROUND_IDX-g"], minlength=4)
    assert stats.chisquare(counts).pvalue > LOWEST


@pytest.mark.parametrize("have", [(5, 5), (6, 9), (10, 4), (7, 7)])
def test_backgrounds_are_cropped_and_padded(have):
    image = np.random.default_rng(1).random((2, 3, *have))
    fitted = fit_to(image, 7)
    assert fitted.shape == (2, 3, 7, 7)
    middle = [slice(max(0, (n - 7) // 2), max(0, (n - 7) // 2) + min(n, 7)) for n in have]
    assert fitted.sum() == pytest.approx(image[..., middle[0], middle[1]].sum())


# ---- dialects and published files


def test_what_0_0_1_7_took_is_taken_when_asked(config, tmp_path):
    del config["SPECIES"]["GALAXY_2"]["MASS_PROFILE_1"]
    plane = config["GEOMETRY"]["CONFIGURATION_1"]
    plane["PLANE_1"] = plane.pop("PLANE_2")
    with pytest.raises(ConfigurationError, match=r"MASS_PROFILE_1(.|\n)*at least 2"):
        read_lens_configuration(config)
    assert len(draw(config, 4, compat=True)) == 4
    file = tmp_path / "twice.yaml"
    file.write_text(yaml.safe_dump(config) + "\nIMAGE: " + yaml.safe_dump(
        {"PARAMETERS": config["IMAGE"]["PARAMETERS"] | {"numPix": 64}}, default_flow_style=True
    ))  # fmt: skip
    assert read_lens_configuration(file, compat=True).image["numPix"] == 64


def test_inputs_are_put_in_their_place(config, tmp_path):
    (tmp_path / "survey.yaml").write_text(yaml.safe_dump(config["SURVEY"]))
    config["SURVEY"] = {"INPUT": "survey.yaml"}
    (tmp_path / "main.yaml").write_text(yaml.safe_dump(config))
    assert read_lens_configuration(tmp_path / "main.yaml").bands == ("g", "r")


def test_surveys_are_laid_over_in_memory(config, tmp_path):
    file = tmp_path / "main.yaml"
    file.write_text(yaml.safe_dump(config))
    found = read_lens_configuration(file, survey="lsst")
    assert found.bands == ("u", "g", "r", "i", "z", "Y")
    assert found.image["pixel_scale"] == 0.2
    assert [path.name for path in tmp_path.iterdir()] == ["main.yaml"]
    table = draw_lens_configuration(found, "CONFIGURATION_1", range(3), seed=1)
    assert table["num_exposures-r"].tolist() == [460, 460, 460]


def test_a_survey_stands_in_for_sections_that_are_not_there(config):
    del config["IMAGE"], config["SURVEY"]
    parameters = config["SPECIES"]["GALAXY_2"]["LIGHT_PROFILE_1"]
    parameters["NAME"] = "SERSIC_ELLIPSE"
    parameters["PARAMETERS"] |= {
        "e1": drawn("uniform", minimum=-0.3, maximum=0.3),
        "e2": drawn("uniform", minimum=-1, maximum=1),
    }
    table = draw(config, 500, survey="des")
    assert np.hypot(table[f"{GALAXY}-e1-i"], table[f"{GALAXY}-e2-i"]).max() < 0.9
    assert 0.8 < np.median(table["seeing-i"]) < 1.0  # DES: 0.88 arcsec


def test_times_and_conditions_of_a_series(config, monkeypatch):
    import skywright.sky

    def rising(model, days, redshift, bands, cosmology, *, rng, folder=None):
        return 20 + np.asarray(days)[:, None] / 10 + np.arange(len(bands)) + 0 * rng.random()

    monkeypatch.setattr(skywright.sky, "light_curve_magnitudes", rising, raising=False)
    config["SURVEY"]["PARAMETERS"] |= {"num_exposures": 1, "seeing": drawn("des_seeing")}
    config["SPECIES"]["POINTSOURCE_1"]["MODEL"] = "flat"
    config["GEOMETRY"]["CONFIGURATION_1"]["TIMESERIES"] = {
        "NITES": [-10, 0, 20],
        "OBJECTS": ["SUPERNOVA"],
        "PEAK": drawn("uniform", minimum=-5, maximum=5),
    }
    table = draw(config, 4)
    prefix = "PLANE_2-OBJECT_2"
    assert table["OBJID-g"].tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]
    assert table[f"{prefix}-nite-r"].tolist() == [-10, 0, 20] * 4
    peak = np.asarray(table[f"{prefix}-peaknite-g"])
    assert len(np.unique(peak)) == 4
    expected = 20 + (table[f"{prefix}-nite-g"] - peak) / 10
    np.testing.assert_allclose(table[f"{prefix}-magnitude-g"], expected)
    np.testing.assert_allclose(table[f"{prefix}-magnitude-r"], expected + 1)
    assert len(np.unique(table["seeing-g"])) == 12
    alone = draw_lens_configuration(read_lens_configuration(config), "CONFIGURATION_1", [2], seed=5)
    assert all((alone[name] == table[name][6:9]).all() for name in alone.colnames)


def test_pointings_of_a_cadence_file(config, tmp_path, monkeypatch):
    import skywright.sky

    def flat(model, days, redshift, bands, cosmology, *, rng, folder=None):
        return np.full((len(days), len(bands)), 21.0)

    monkeypatch.setattr(skywright.sky, "light_curve_magnitudes", flat, raising=False)
    cadence = {
        "REFERENCE_MJD": 56000,
        "POINTING_1": {"g": [56001, 56003], "r": [56002, 56004]},
        "POINTING_2": {"g": [56005], "r": [56006]},
    }
    (tmp_path / "cadence.yaml").write_text(yaml.safe_dump(cadence))
    config["SURVEY"]["PARAMETERS"]["num_exposures"] = 1
    config["SPECIES"]["POINTSOURCE_1"]["MODEL"] = "flat"
    series = {"NITES": "cadence.yaml", "OBJECTS": ["SUPERNOVA"]}
    config["GEOMETRY"]["CONFIGURATION_1"]["TIMESERIES"] = series
    table = draw(config, 60, folder=tmp_path)
    for row in table:
        dates = cadence[str(row["POINTING-g"])]
        assert row["PLANE_2-OBJECT_2-nite-g"] in dates["g"]
        assert row["PLANE_2-OBJECT_2-nite-r"] in dates["r"]
    firsts = {i: p for i, p in zip(table["OBJID-g"], table["POINTING-g"], strict=True)}
    assert 15 < sum(p == "POINTING_1" for p in firsts.values()) < 45


def test_a_seed_is_needed(config):
    with pytest.raises(ValueError, match="give a seed"):
        draw_lens_configuration(read_lens_configuration(config), "CONFIGURATION_1")
    with pytest.raises(KeyError, match="there is CONFIGURATION_1"):
        draw(config, label="CONFIGURATION_7")
