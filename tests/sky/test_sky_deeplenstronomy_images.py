"""Images of files of deeplenstronomy against formulas and lenstronomy, and `make_dataset`."""

import copy
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from astropy.cosmology import FlatLambdaCDM
from astropy.table import Table
from scipy import stats

from skywright.sky import (
    draw_lens_configuration,
    read_lens_configuration,
    render_lens_configuration,
    simulate_lenses,
)
from skywright.sky.deeplenstronomy import Dataset, make_dataset

COSMOLOGY = FlatLambdaCDM(H0=70, Om0=0.3)
RATE = 10 ** (-0.4 * (21 - 30))  # count/s of magnitude 21
DEMO = Path(os.environ.get("SKYWRIGHT_DATA", "")) / "deeplenstronomy" / "demo.yaml"
REAL = DEMO.parents[1] / "strong_lenses" / "des_background_images"
needs_data = pytest.mark.skipif(not DEMO.is_file(), reason="needs SKYWRIGHT_DATA")


@pytest.fixture
def config(make_lens_config):
    return make_lens_config()


def made(config, images=2, **options):
    simulation = read_lens_configuration(config)
    table = draw_lens_configuration(simulation, "CONFIGURATION_1", range(images), seed=5)
    return render_lens_configuration(table, simulation, **options)


def darken(config):
    """Leave out galaxies: their light is of magnitude 99."""
    for name in ("GALAXY_1", "GALAXY_2"):
        config["SPECIES"][name]["LIGHT_PROFILE_1"]["PARAMETERS"]["magnitude"] = 99
    return config


def isothermal(config, theta=1.0, beta=0.2):
    """Put the point source behind an isothermal sphere, of which all is known."""
    config["SPECIES"]["GALAXY_1"]["MASS_PROFILE_1"] = {
        "NAME": "SIS",
        "PARAMETERS": {"theta_E": theta},
    }
    config["SPECIES"]["POINTSOURCE_1"]["PARAMETERS"] |= {"sep": beta, "angle": 0.0}
    config["IMAGE"]["PARAMETERS"]["numPix"] = 48
    return darken(config)


def test_planes_add_up_and_all_images_of_a_point_are_seen(config):
    images = made(isothermal(config), return_planes=True, solve_lens_equation=True)
    np.testing.assert_allclose(images.planes.sum(1), images.flux, atol=1e-3)
    points = images.planes[:, 2].sum((-2, -1))
    # |mu| of both images of an isothermal sphere add up to 2 theta_E / beta
    np.testing.assert_allclose(points, RATE * 2 / 0.2, rtol=0.01)
    np.testing.assert_allclose(images.planes[:, 0], 0, atol=1e-6)
    assert images.table["num_source_images-g"][0] >= 1


def test_the_noise_of_an_empty_image_is_that_of_its_exposures(config):
    images = made(darken(config), 40, return_planes=True)
    time, sky = 90 * 10, 10 ** (-0.4 * (23.5 - 30)) * 0.263**2
    expected = np.sqrt(sky / time + 10 * 7**2 / time**2)
    corner = images.planes[:, 3, :, :5]  # away from the point source
    assert corner.std() == pytest.approx(expected, rel=0.03)
    assert corner.mean() == pytest.approx(0, abs=5 * expected / np.sqrt(corner.size))


def test_counts_of_adu_are_noisier_by_the_gain(config):
    darken(config)
    config["IMAGE"]["PARAMETERS"]["data_count_unit"] = "ADU"
    images = made(config, 40, return_planes=True)
    electrons = 90 * 10 * 6.083
    sky = 10 ** (-0.4 * (23.5 - 30)) * 0.263**2
    expected = np.sqrt(sky / electrons + 10 * 7**2 / electrons**2)
    assert images.planes[:, 3, :, :5].std() == pytest.approx(expected, rel=0.03)


def test_noise_of_its_own_kind_is_added(config):
    darken(config)
    config["SPECIES"]["NOISE_1"] = {"NAME": "POISSON_NOISE", "PARAMETERS": {"mean": 2.0}}
    config["GEOMETRY"]["CONFIGURATION_1"]["NOISE_SOURCE_1"] = "POISSON_NOISE"
    noise = made(config, 20, return_planes=True).planes[:, 3, :, :5]
    assert noise.mean() == pytest.approx(2.0, rel=0.03)
    assert noise.var() == pytest.approx(2.0, rel=0.05)


def test_real_backgrounds_bring_their_own_noise(config, make_backgrounds):
    folder = make_backgrounds(3, 20)
    config["BACKGROUNDS"] = {"PATH": str(folder), "CONFIGURATIONS": ["CONFIGURATION_1"]}
    config["SPECIES"]["POINTSOURCE_1"]["PARAMETERS"]["magnitude"] = 99
    images = made(darken(config), 12, return_planes=True)
    number = np.asarray(images.table["BACKGROUND_IDX-g"], dtype=float)
    assert len(set(number)) > 1
    middle = images.flux[:, :, 6:8, 6:26]
    np.testing.assert_allclose(middle[:, 0], number[:, None, None] * np.ones((2, 20)), atol=0.02)
    np.testing.assert_allclose(middle[:, 1] - middle[:, 0], 100, atol=0.03)
    assert (images.flux[:, :, :5, :5] == 0).all()  # padded with zeros, and no noise
    assert "none was simulated" in images.note


def test_an_image_is_the_same_in_any_block(config):
    config["SURVEY"]["PARAMETERS"]["seeing"] = {"DISTRIBUTION": {"NAME": "des_seeing"}}
    simulation = read_lens_configuration(config)
    table = draw_lens_configuration(simulation, "CONFIGURATION_1", range(6), seed=5)
    whole = render_lens_configuration(table, simulation).flux
    parts = [render_lens_configuration(table[rows], simulation).flux
             for rows in (slice(0, 1), slice(1, 5), slice(5, 6))]  # fmt: skip
    assert (np.concatenate(parts) == whole).all()
    assert not (whole[0] == whole[1]).all()


def test_shapes_may_differ_between_bands(config, tmp_path):
    config["SPECIES"]["GALAXY_1"]["LIGHT_PROFILE_1"]["PARAMETERS"]["magnitude"] = 15
    (tmp_path / "radius.txt").write_text(
        "PLANE_1-OBJECT_1-LIGHT_PROFILE_1-R_sersic-g WEIGHT\n0.3 1\n"
    )
    file = str(tmp_path / "radius.txt")
    config["DISTRIBUTIONS"] = {"USERDIST_1": {"FILENAME": file, "MODE": "sample"}}
    g, r = made(config, 1, return_planes=True).planes[0, 0]
    assert g.max() > 2 * r.max()
    assert g.sum() == pytest.approx(r.sum(), rel=0.15)


def test_delays_of_a_varying_source(config, monkeypatch):
    """A step in brightness is seen first in the outer, then in the inner image."""
    import skywright.sky

    def step(model, days, redshift, bands, cosmology, *, rng, folder=None):
        return np.where(np.asarray(days)[:, None] < 0, 99.0, 21.0) + np.zeros(len(bands))

    monkeypatch.setattr(skywright.sky, "light_curve_magnitudes", step, raising=False)
    isothermal(config)
    config["SURVEY"]["PARAMETERS"]["num_exposures"] = 1
    config["SPECIES"]["POINTSOURCE_1"]["MODEL"] = "user_step"
    near, far = (COSMOLOGY.angular_diameter_distance(z).to_value("m") for z in (0.3, 1.0))
    between = far - near * 1.3 / 2.0
    # images at beta +- theta_E; Schneider, Ehlers & Falco 1992, eq. 8.36
    arcsec = np.pi / 180 / 3600
    delay = 1.3 * near * far / between / 299792458 * 2 * 1.0 * 0.2 * arcsec**2 / 86400
    nites = [-1.0, 0.5 * delay, delay - 0.1, delay + 0.1]
    config["GEOMETRY"]["CONFIGURATION_1"]["TIMESERIES"] = {
        "NITES": nites,
        "OBJECTS": ["SUPERNOVA"],
    }
    images = made(config, 2, return_planes=True)
    flux = images.planes[:, 2, 0].sum((-2, -1)).reshape(2, 4) / RATE
    np.testing.assert_allclose(flux, [[0, 6, 6, 10]] * 2, atol=0.1)
    prefix = "PLANE_2-OBJECT_2"
    np.testing.assert_allclose(images.table[f"{prefix}-tdshift_2-g"], delay, rtol=0.005)
    np.testing.assert_allclose(
        images.table[f"{prefix}-magnitude_shift_1-g"], -2.5 * np.log10(6), atol=0.01
    )


@pytest.mark.oracle
def test_images_agree_with_lenstronomy(config):
    pytest.importorskip("lenstronomy")
    from lenstronomy.Data.imaging_data import ImageData
    from lenstronomy.Data.psf import PSF
    from lenstronomy.ImSim.image_model import ImageModel
    from lenstronomy.LensModel.lens_model import LensModel
    from lenstronomy.LightModel.light_model import LightModel

    lens = config["SPECIES"]["GALAXY_1"]
    lens["SHEAR_PROFILE_1"] = {"NAME": "SHEAR", "PARAMETERS": {"gamma1": 0.05, "gamma2": -0.02}}
    source = config["SPECIES"]["GALAXY_2"]["LIGHT_PROFILE_1"]
    source["PARAMETERS"] |= {"center_x": 0.1, "center_y": -0.05}
    images = made(config, 1, return_planes=True)
    half = (32 - 1) / 2 * 0.263
    data = ImageData(np.zeros((32, 32)), ra_at_xy_0=-half, dec_at_xy_0=-half,
                     transform_pix2angle=np.eye(2) * 0.263)  # fmt: skip
    model = ImageModel(
        data,
        PSF("GAUSSIAN", fwhm=0.9, truncation=5, pixel_size=0.263),
        LensModel(["SIE", "SHEAR"]),
        LightModel(["SERSIC"]),
        LightModel(["SERSIC_ELLIPSE"]),
        kwargs_numerics={"supersampling_factor": 9, "supersampling_convolution": True},
    )
    centre = {"center_x": 0, "center_y": 0}

    def light(name, parameters):
        rest = {k: v for k, v in parameters.items() if k != "magnitude"} | (
            {} if "center_x" in parameters else centre
        )
        whole = LightModel([name]).total_flux([rest | {"amp": 1.0}])[0]
        return [rest | {"amp": 10 ** (-0.4 * (parameters["magnitude"] - 30)) / whole}]

    truth = model.image(
        [lens["MASS_PROFILE_1"]["PARAMETERS"] | centre, {"gamma1": 0.05, "gamma2": -0.02}],
        light("SERSIC", source["PARAMETERS"]),
        light("SERSIC_ELLIPSE", lens["LIGHT_PROFILE_1"]["PARAMETERS"]),
    )
    ours = images.planes[0, :2, 0].sum(0)
    assert np.abs(ours - truth).max() < 0.02 * truth.max()
    assert ours.sum() == pytest.approx(truth.sum(), rel=0.01)


# ---- the interface of deeplenstronomy


def test_a_data_set_has_what_is_documented(config):
    data = make_dataset(config, return_planes=True, random_seed=3)
    assert (data.name, data.size, data.outdir, data.bands) == ("small", 10, "out", ["g", "r"])
    assert data.configurations == ["CONFIGURATION_1"]
    assert data.species_map == {
        "LENS": "GALAXY_1",
        "SOURCE": "GALAXY_2",
        "SUPERNOVA": "POINTSOURCE_1",
    }
    assert data.CONFIGURATION_1_images.shape == (5, 2, 32, 32)
    assert data.CONFIGURATION_1_planes.shape == (5, 4, 2, 32, 32)
    assert len(data.CONFIGURATION_1_metadata) == 5
    assert data.seed == 3
    again = Dataset(config | {"DATASET": copy.deepcopy(config["DATASET"])})
    assert again.CONFIGURATION_1_images.shape == (5, 2, 32, 32)
    sample = make_dataset(config, store_in_memory=False, store_sample=True, random_seed=3)
    assert (sample.CONFIGURATION_1_images == data.CONFIGURATION_1_images[:5]).all()
    empty = make_dataset(config, store_in_memory=False)
    assert not hasattr(empty, "CONFIGURATION_1_images")
    drawn = make_dataset(config, skip_image_generation=True)
    assert not hasattr(drawn, "CONFIGURATION_1_images")
    assert len(drawn.CONFIGURATION_1_metadata) == 5


@pytest.mark.parametrize("form", ["npy", "h5"])
def test_files_hold_the_data_set(config, tmp_path, form, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = make_dataset(
        config, save_to_disk=True, image_file_format=form, return_planes=True, random_seed=4
    )
    folder = tmp_path / "out"
    assert sorted(path.name for path in folder.iterdir()) == [
        f"CONFIGURATION_1_images.{form}",
        "CONFIGURATION_1_metadata.csv",
        f"CONFIGURATION_1_planes.{form}",
    ]
    for what in ("images", "planes"):
        path = folder / f"CONFIGURATION_1_{what}.{form}"
        if form == "npy":
            found = np.load(path)
        else:
            with h5py.File(path) as file:
                found = file["small"][:]
        assert (found == getattr(data, f"CONFIGURATION_1_{what}")).all()
    rows = Table.read(folder / "CONFIGURATION_1_metadata.csv")
    assert rows.colnames == data.CONFIGURATION_1_metadata.colnames
    np.testing.assert_allclose(rows["PLANE_2-REDSHIFT-g"], 1.0)


def test_parameters_are_updated_and_images_made_again(config):
    data = make_dataset(config, skip_image_generation=True, random_seed=1)
    law = {"name": "uniform", "parameters": {"minimum": 20, "maximum": 21}}
    light = "PLANE_2-OBJECT_1-LIGHT_PROFILE_1-magnitude"
    data.update_param_dist({f"{light}-g": law}, "CONFIGURATION_1")
    new = {"PLANE_1-REDSHIFT-g": 0.4, "seeing": 1.1, "PLANE_2-OBJECT_2-magnitude": 23, "SIZE": 20}
    data.update_param(new, "CONFIGURATION_1")
    data.regenerate()
    table = data.CONFIGURATION_1_metadata
    assert len(table) == 10
    assert len(set(table[f"{light}-g"])) == 10
    assert set(table["PLANE_1-REDSHIFT-r"]) == {0.4}
    assert set(table["seeing-r"]) == {1.1}
    assert set(table["PLANE_2-OBJECT_2-magnitude-r"]) == {23}
    with pytest.raises(KeyError, match="did you mean 'theta_E'"):
        data.update_param({"PLANE_1-OBJECT_1-MASS_PROFILE_1-theta": 1}, "CONFIGURATION_1")
    with pytest.raises(KeyError, match="no CONFIGURATION_4"):
        data.update_param({"seeing": 1}, "CONFIGURATION_4")


def test_headers_for_tables_are_found(config, tmp_path):
    data = make_dataset(config, skip_image_generation=True)
    found = data.search("magnitude")
    assert found["SUPERNOVA"] == [
        "CONFIGURATION_1-PLANE_2-OBJECT_2-magnitude-g",
        "CONFIGURATION_1-PLANE_2-OBJECT_2-magnitude-r",
    ]
    header = found["LENS"][0]
    (tmp_path / "table.txt").write_text(f"{header} WEIGHT\n17 1\n")
    config["DISTRIBUTIONS"] = {
        "USERDIST_1": {"FILENAME": str(tmp_path / "table.txt"), "MODE": "sample"}
    }
    table = make_dataset(config, skip_image_generation=True).CONFIGURATION_1_metadata
    assert set(table[header.partition("-")[2]]) == {17.0}


def test_wrong_arguments_are_refused(config):
    with pytest.raises(ValueError, match="leave skip_image_generation out"):
        make_dataset(config, skip_image_generation=True, solve_lens_equation=True)
    with pytest.raises(ValueError, match="expected npy or h5"):
        make_dataset(config, image_file_format="fits")
    del config["DATASET"]["PARAMETERS"]["OUTDIR"]
    with pytest.raises(ValueError, match="no DATASET.PARAMETERS.OUTDIR"):
        make_dataset(config, save_to_disk=True)


def test_images_of_a_recipe_are_calibrated(config, tmp_path):
    import yaml

    isothermal(config)
    file = tmp_path / "small.yaml"
    file.write_text(yaml.safe_dump(config))
    images = simulate_lenses(file, seed=3)
    assert images.flux.shape == (5, 2, 48, 48)
    assert images.unit == "nJy"
    # AB magnitude 21 is 10^(-0.4 (21 - 31.4)) nJy, seen ten times
    assert images.flux.sum((-2, -1)).mean() == pytest.approx(10 ** (0.4 * 10.4) * 10, rel=0.05)
    np.testing.assert_allclose(images.psf_fwhm, 0.9 / 0.263)


def test_steps_of_a_recipe_give_rows_and_images(tmp_path):
    from skywright.flow import RecipeError, load, run

    file = Path(__file__).parent / "small_lenses.yaml"
    recipe = tmp_path / "lenses.yml"
    which = "images: [0, 1, 2], seed: 3, configuration: CONFIGURATION_1"
    recipe.write_text(
        f"images: !skywright.sky.simulate_lenses {{config: {file}, {which}}}\n"
        "tables:\n  rows:\n    .init: !skywright.sky.draw_lens_configuration "
        f"{{config: {file}, {which}}}\n"
    )
    run(load(recipe, only="rows"), workspace=tmp_path / "space", out=tmp_path / "rows.fits")
    assert len(Table.read(tmp_path / "rows.fits")) == 3
    run(load(recipe, only="images"), workspace=tmp_path / "space")
    recipe.write_text(f"a: !skywright.sky.deeplenstronomy.make_dataset {{config: {file}}}\n")
    with pytest.raises(RecipeError, match="not among the steps"):  # it may write anywhere
        load(recipe)


def test_rows_do_not_wait_for_torch():
    code = (
        "import sys; from skywright.sky import draw_lens_configuration as draw; "
        f"draw({str(Path(__file__).parent / 'small_lenses.yaml')!r}, 'CONFIGURATION_1', seed=1); "
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# ---- published files, unchanged

# what deeplenstronomy calls the columns of the first configuration of its tests
UPSTREAM = (Path(__file__).parent / "deeplenstronomy_columns.txt").read_text().split()


@needs_data
def test_the_published_demonstration_runs_unchanged():
    before = hashlib.sha256(DEMO.read_bytes()).digest()
    simulation = read_lens_configuration(DEMO)
    for configuration in simulation.configurations:
        table = draw_lens_configuration(simulation, configuration.label, seed=1)
        assert len(table) == 25
        images = render_lens_configuration(table[:1], simulation)
        assert images.flux.shape == (1, 5, 100, 100)
        assert np.isfinite(images.flux).all()
    table = draw_lens_configuration(simulation, "CONFIGURATION_1", seed=1)
    lacking = [f"{n}-{b}" for n in UPSTREAM for b in "grizY" if f"{n}-{b}" not in table.colnames]
    assert not lacking
    assert hashlib.sha256(DEMO.read_bytes()).digest() == before


@needs_data
def test_published_tables_and_backgrounds(tmp_path):
    text = (
        DEMO.read_text()
        + f"""
DISTRIBUTIONS:
    USERDIST_1: {{FILENAME: "{DEMO.parent}/high_z_galaxy_colors_config_1.txt", MODE: sample}}
    USERDIST_2: {{FILENAME: "{DEMO.parent}/seeing.txt", MODE: interpolate, STEP: 20}}
BACKGROUNDS: {{PATH: "{REAL}", CONFIGURATIONS: [CONFIGURATION_2]}}
"""
    )
    text = text.replace("theta_E: 1.0", "sigma_v: {DISTRIBUTION: {NAME: uniform, "
                        "PARAMETERS: {minimum: 150, maximum: 300}}}", 1)  # fmt: skip
    file = tmp_path / "more.yaml"
    file.write_text(text)
    simulation = read_lens_configuration(file)
    table = draw_lens_configuration(simulation, "CONFIGURATION_1", range(300), seed=2)
    published = Table.read(DEMO.parent / "high_z_galaxy_colors_config_1.txt", format="ascii")
    z = np.asarray(published["CONFIGURATION_1-PLANE_2-OBJECT_1-REDSHIFT"])
    assert set(table["PLANE_2-REDSHIFT-g"]) <= set(z)
    row = np.argmax(z == table["PLANE_2-REDSHIFT-g"][0])
    for band in "grizY":
        name = f"PLANE_1-OBJECT_1-LIGHT_PROFILE_1-magnitude-{band}"
        assert table[name][0] == published[f"CONFIGURATION_1-{name}"][row]
    assert stats.describe(table["seeing-g"]).minmax[0] >= 0.5
    table = draw_lens_configuration(simulation, "CONFIGURATION_2", range(100), seed=2)
    path = "PLANE_1-OBJECT_1-MASS_PROFILE_1-sigma_v"
    known = np.asarray(Table.read(REAL / "map.txt", format="ascii")[f"CONFIGURATION_2-{path}-g"])
    sigma = np.asarray(table[f"{path}-g"])
    expected = np.abs(sigma[:, None] - known).min(axis=1)
    np.testing.assert_allclose(np.abs(sigma - known[table["BACKGROUND_IDX-g"]]), expected)
    images = render_lens_configuration(table[:1], simulation)
    assert np.isfinite(images.flux).all()
