"""``skywright run`` on configurations of deeplenstronomy."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from skywright.cli import app
from skywright.data import artefacts
from skywright.data.tables import read_table
from skywright.sky import draw_lens_configuration, simulate_lenses
from skywright.sky.deeplenstronomy import is_lens_configuration, lens_recipe

SMALL = Path(__file__).parents[1] / "sky" / "small_lenses.yaml"
COMMAND = Path(sys.executable).parent / "skywright"


@pytest.fixture
def config(tmp_path, monkeypatch):
    """Two configurations under a name that tells nothing; seeing and redshift are drawn."""
    found = yaml.safe_load(SMALL.read_text())
    found["SURVEY"]["PARAMETERS"]["seeing"] = uniform(0.7, 1.4)
    first = found["GEOMETRY"]["CONFIGURATION_1"]
    first["PLANE_1"]["PARAMETERS"]["REDSHIFT"] = uniform(0.2, 0.6)
    second = {**first, "NAME": "OTHERS", "FRACTION": 0.35}
    found["GEOMETRY"]["CONFIGURATION_2"] = second
    (tmp_path / "notes.txt").write_text(yaml.safe_dump(found))
    monkeypatch.chdir(tmp_path)
    return found


def uniform(low, high):
    return {"DISTRIBUTION": {"NAME": "uniform", "PARAMETERS": {"minimum": low, "maximum": high}}}


def call(*arguments, workers="0"):
    result = CliRunner().invoke(app, ["run", *map(str, arguments), "--workers", workers])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert "Traceback" not in result.stdout + result.stderr
    return result


def digests(result):
    assert result.exit_code == 0, result.stderr
    return {name: node["digest"] for name, node in json.loads(result.stdout)["nodes"].items()}


def test_run_folder_holds_images_and_rows_of_every_configuration(config):
    result = call("notes.txt", "-o", "out", "--seed", 4)
    assert result.exit_code == 0
    for label, count in (("CONFIGURATION_1", 5), ("CONFIGURATION_2", 3)):
        with h5py.File(f"out/artefacts/{label}_images/images.h5") as file:
            assert list(file["object_id"][:]) == list(range(count))
            assert {"band", "flux"} <= set(file["image"])
        images = artefacts.load(Path(f"out/artefacts/{label}_images"))
        wanted = simulate_lenses("notes.txt", label, seed=4)
        np.testing.assert_array_equal(images[:].flux, wanted.flux)
        table = read_table(f"out/artefacts/{label}.complete/table.parquet")
        assert len(table) == count
        drawn = draw_lens_configuration("notes.txt", label, seed=4)
        assert table.colnames == drawn.colnames
        np.testing.assert_array_equal(table["seeing-g"], drawn["seeing-g"])


def test_table_file_gets_rows_and_no_image_is_made(config):
    result = call("notes.txt", "rows.parquet", "--json")
    nodes = json.loads(result.stdout)["nodes"]
    assert not [name for name in nodes if name.endswith("_images")]
    assert len(read_table("rows_CONFIGURATION_2.parquet")) == 3
    call("notes.txt", "-o", "rows.hdf5")
    with h5py.File("rows.hdf5") as file:
        assert {"CONFIGURATION_1", "CONFIGURATION_2"} <= set(file["tables"])


def test_set_changes_the_file_by_path(config):
    result = call("notes.txt", "-o", "out", "--set", "DATASET.PARAMETERS.SIZE=20", "--set",
                  "IMAGE.PARAMETERS.numPix=20", "--set", "DATASET.PARAMETERS.SEED=9")  # fmt: skip
    assert result.exit_code == 0
    images = artefacts.load(Path("out/artefacts/CONFIGURATION_2_images"))
    assert images.flux.shape == (7, 2, 20, 20)
    table = artefacts.load(Path("out/artefacts/CONFIGURATION_2.complete"))
    np.testing.assert_array_equal(
        table["seeing-g"],
        draw_lens_configuration("notes.txt", "CONFIGURATION_2", range(7), seed=9)["seeing-g"],
    )


def test_a_seed_changes_all_and_survey_lays_conditions_over(config):
    first = digests(call("notes.txt", "--json"))
    assert first == digests(call("notes.txt", "--json", "--seed", 0))
    second = digests(call("notes.txt", "--json", "--seed", 1))
    assert not {v for k, v in first.items() if "numbers" not in k} & set(second.values())
    call("notes.txt", "-o", "des", "--survey", "des", "--set", "IMAGE.PARAMETERS.numPix=16")
    images = artefacts.load(Path("des/artefacts/CONFIGURATION_1_images"))
    assert images.bands == ("g", "r", "i", "z", "Y")
    assert images.flux.shape[-1] == 16


def test_the_same_bits_for_any_number_of_workers_and_any_block(config):
    wanted = digests(call("notes.txt", "--json", "--workspace", "a"))
    for workers in ("1", "2"):
        again = call("notes.txt", "--json", "--workspace", workers, workers=workers)
        assert digests(again) == wanted
    Path("blocks.yml").write_text(lens_recipe("notes.txt", rows=2))
    assert digests(call("blocks.yml", "--json", "--workspace", "b")) == wanted


def test_killed_run_goes_on_with_the_blocks_it_has(config):
    changes = {"DATASET.PARAMETERS.SIZE": 300}
    Path("many.yml").write_text(lens_recipe("notes.txt", rows=10, changes=changes))
    command = [COMMAND, "run", "many.yml", "--workers", "1", "--json"]
    process = subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL)
    while len(list(Path(".skywright").rglob("images.h5"))) < 4:
        assert process.poll() is None
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    before = {f: f.stat().st_mtime_ns for f in Path(".skywright").rglob("images.h5")}
    resumed = digests(call("many.yml", "--json"))
    kept = [f for f, time in before.items() if f.exists() and f.stat().st_mtime_ns == time]
    assert len(kept) >= len(before) - 1  # but for the block in flight
    whole = call("notes.txt", "--set", "DATASET.PARAMETERS.SIZE=300", "--json", "--workspace", "b")
    assert digests(whole) == resumed


def test_a_table_that_is_named_counts(config):
    table = Path("magnitudes.txt")
    table.write_text("mag\n19\n20\n")
    drawn = {"NAME": "catalogue", "PARAMETERS": {"file": "magnitudes.txt", "column": "mag"}}
    light = config["SPECIES"]["GALAXY_1"]["LIGHT_PROFILE_1"]["PARAMETERS"]
    light["magnitude"] = {"DISTRIBUTION": drawn}
    Path("notes.txt").write_text(yaml.safe_dump(config))
    first = digests(call("notes.txt", "--json"))
    table.write_text("mag\n21\n22\n")
    second = digests(call("notes.txt", "--json"))
    assert first["CONFIGURATION_1_images"] != second["CONFIGURATION_1_images"]


def test_all_that_is_wrong_is_told_at_once(config):
    config["DATASET"]["PARAMETERS"]["SIZE"] = "some"
    config["SPECIES"]["GALAXY_1"]["MASS_PROFILE_1"]["PARAMETERS"]["theta_e"] = 1
    config["GEOMETRY"]["CONFIGURATION_2"]["FRACTION"] = 1.5
    Path("notes.txt").write_text(yaml.safe_dump(config))
    result = call("notes.txt")
    assert result.exit_code == 2
    lines = result.stderr.removeprefix("skywright: ").splitlines()
    paths = [line.split(": ")[1] for line in lines]
    assert paths == [
        "DATASET.PARAMETERS.SIZE",
        "GEOMETRY.CONFIGURATION_2.FRACTION",
        "SPECIES.GALAXY_1.MASS_PROFILE_1.PARAMETERS.theta_e",
    ]
    assert all(line.startswith("notes.txt:") for line in lines)
    assert not Path(".skywright").exists()
    told = json.loads(call("notes.txt", "--json").stdout)
    assert told["ok"] is False
    assert "theta_e" in told["error"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--set", "DATASET.PARAMETERS.SIZ=3"], "did you mean 'SIZE'"),
        (["--set", "SPECIES.GALAXY_9.NAME=x"], "SPECIES has no 'GALAXY_9'"),
        (["--set", "DATASET.NAME.x=3"], "DATASET.NAME has no 'x'"),
        (["--set", "DATASET.PARAMETERS.SIZE=0"], "got 0, expected a whole number"),
        (["--set", "DATASET.PARAMETERS.SIZE"], "expected name=value"),
        (["--set", "nothing=3"], "no parameter or node 'nothing'"),
        (
            ["--set", "GEOMETRY.CONFIGURATION_1.PLANE_2.PARAMETERS.REDSHIFT=0.1"],
            "order of redshift",
        ),
        (["--set", "IMAGE.PARAMETERS.exposure_time=1e-300"], "expected a number from 1e-06"),
        (["--preset", "small"], "has none; use --set"),
        (["--survey", "nowhere"], "expected one of des"),
        (["--no-compat"], "No such option"),
        (["--compat", "0.0.1.7"], "--compat takes no version"),
        (["-o", "rows.csv"], ".csv is not written"),
    ],
)
def test_wrong_commands_are_exit_2(config, arguments, message):
    result = call("notes.txt", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr.replace("\n", " ")


@pytest.mark.parametrize("flag", ["--compat", "--compat-0.0.1.7"])
def test_compat_takes_what_an_old_version_took(config, flag):
    del config["SPECIES"]["GALAXY_2"]["MASS_PROFILE_1"]
    Path("notes.txt").write_text(yaml.safe_dump(config))
    refused = call("notes.txt", "--dry-run")
    assert refused.exit_code == 2
    assert "--compat" in refused.stderr
    assert call("notes.txt", "--dry-run", flag).exit_code == 0


def test_dry_run_and_graph_leave_nothing(config):
    assert "CONFIGURATION_2_images" in call("notes.txt", "--dry-run").stdout
    graph = call("notes.txt", "--graph").stdout
    assert '"CONFIGURATION_1_numbers" -> "CONFIGURATION_1_images"' in graph
    assert not list(Path(".skywright").glob("runs/*"))


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("DATASET: {}\nSPECIES: {}", True),
        ("GEOMETRY: 3\nIMAGE:", True),
        ("DATASET: !numpy.arange [3]", False),
        ("tables: {SPECIES: {}, GEOMETRY: {}}", False),
        ("[DATASET, SPECIES]", False),
        ("", False),
        ("DATASET: [\nSPECIES", False),
    ],
)
def test_a_configuration_is_known_by_its_sections(tmp_path, text, is_one):
    file = tmp_path / "deeplenstronomy.yaml"
    file.write_text(text)
    assert is_lens_configuration(file) is is_one


def test_survey_is_refused_for_recipes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("recipe.yml").write_text("x: !numpy.arange [3]\n")
    result = call("recipe.yml", "--survey", "des")
    assert result.exit_code == 2
    assert "--survey is for configurations of deeplenstronomy" in result.stderr
    assert call("recipe.yml").exit_code == 0
