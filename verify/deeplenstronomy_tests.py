"""deeplenstronomy's own tests and published configurations, against our reader and engine.

Takes a checkout of deeplenstronomy as its first argument, or from ``DEEPLENSTRONOMY``; nothing is
written there. Its test modules run in a package of its names (``deeplenstronomy_shim``), for
every set of keywords of its ``test_all.py``. Its configurations are run as they are, in their full
size, by ``skywright run``; with ``--compat`` where they are refused without.
"""

from __future__ import annotations

import ast
import contextlib
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pyarrow.parquet as pq
import yaml
from pytest_outcomes import outcomes
from record import record
from run_recipe import run

from skywright.sky.deeplenstronomy import ConfigurationError, read_lens_configuration

SHIM = Path(__file__).parent / "deeplenstronomy_shim"
MODULES = (  # run for every set of keywords
    "test_existance_and_attributes.py",
    "test_expected_outputs.py",
    "test_expected_behaviors_fixed.py",
    "test_expected_behaviors_configurations.py",
)
SINGLE = ("test_make_dataset.py", "test_make_dataset_from_dict.py")
# Tests that cannot pass where a known fault is mended
BY_DESIGN = {
    "test_no_save_load_of_sim_dicts": "expects 24 of 25 images: the first one was dropped",
}
RUNS = {  # and what they need on the command line
    "demo.yaml": "",
    "demo_cosmology.yaml": "",
    "demo_distributions.yaml": "",
    "example.yaml": "--survey des",
    "ztf_demo.yaml": "",
    "demo_timeseries.yaml": "",
    "des_example.yaml": "",
    "hst_demo.yaml": "",
    "config.yaml": "",
}
INCOMPLETE = {  # and what stands in the message
    "temp.yaml": "SPECIES: is missing",
    "fake_config.yaml": "SURVEY.PARAMETERS.seeing: is missing",
}
OF_SURVEYS = {"des_example.yaml": "des", "hst_demo.yaml": "hst", "ztf_demo.yaml": "ztf"}
IMAGE = ("exposure_time", "numPix", "pixel_scale", "psf_type", "read_noise", "ccd_gain")
SURVEY = ("seeing", "magnitude_zero_point", "sky_brightness", "num_exposures")
DES = "g,r,i,z,Y"


def main() -> None:
    given = [*sys.argv[1:2], os.environ.get("DEEPLENSTRONOMY", "")][0]
    if not given:
        print("needs a checkout of github.com/deepskies/deeplenstronomy: give its path as "
              "argument, or in DEEPLENSTRONOMY; nothing was measured")  # fmt: skip
        return
    checkout = Path(given).resolve()
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        tests, lost = run_tests(checkout, place)
        runs = run_configurations(checkout, place)
    figures = {
        "tests": tests,
        "do_not_pass": lost,
        "configurations": runs,
        "refused_in_so_many_places": refuse_incomplete(checkout),
        "surveys_as_they_were_written": compare_surveys(checkout),
    }
    print(*(f"{key}: {value}" for key, value in figures.items()), sep="\n")
    record("deeplenstronomy-tests", figures)
    assert "?" not in lost.values(), "a test fails that should pass"


def find(checkout: Path, name: str) -> Path:
    """Return a file of the checkout: one beside the tests, else that of the least depth."""
    found = sorted(checkout.rglob(name), key=lambda file: (len(file.parts), file))
    found.sort(key=lambda file: file.parent.name != "test")
    if not found:
        raise SystemExit(f"{checkout} has no {name}: it is no checkout of deeplenstronomy")
    return found[0]


def problems_of(file: Path, **options: Any) -> list[str]:
    """Return what is wrong with a configuration."""
    try:
        read_lens_configuration(file, **options)
    except ConfigurationError as error:
        return str(error).splitlines()
    return []


def run_tests(checkout: Path, place: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """Run the test modules; return how many pass for each set of keywords, and which do not."""
    shutil.copytree(SHIM, place / "deeplenstronomy")
    # an old backport that no longer installs; the standard library has all of it
    (place / "unittest2.py").write_text("from unittest import *\nfrom unittest import main\n")
    here = place / "test"
    here.mkdir()
    for name in (*MODULES, *SINGLE, "config.yaml"):
        shutil.copy(find(checkout, name), here)
    (place / "Notebooks").mkdir()
    shutil.copytree(find(checkout, "demo.yaml").parent, place / "Notebooks" / "data")
    compat = "1" if problems_of(here / "config.yaml") else ""
    counts: dict[str, Any] = {}
    lost: dict[str, str] = {}
    for number, words, names in batches(find(checkout, "test_all.py")):
        shutil.rmtree(here / "TestResults", ignore_errors=True)
        (here / "status.txt").write_text(str(number))
        found = outcomes([here / name for name in names], place, cwd=here, SHIM_COMPAT=compat)
        passed = [test for test, state in found.items() if state == "PASSED"]
        counts[words] = {"pass": len(passed), "of": len(found)}
        for test in found.keys() - set(passed):
            name = re.split(r"::|\[", test)[-1]
            lost[f"{test.rpartition('/')[2]} ({words})"] = BY_DESIGN.get(name, "?")
    return counts, lost


def batches(file: Path) -> Iterator[tuple[int, str, tuple[str, ...]]]:
    """Yield number and words of each set of keywords in ``test_all.py``, and the modules to run."""
    for node in ast.parse(file.read_text()).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "kwargs_sets":
            sets = ast.literal_eval(node.value)
    for number, keywords in sets.items():
        words = ", ".join(f"{key}={value}" for key, value in keywords.items()) or "no keyword"
        yield number, words, MODULES
    yield 0, "random_seed=42, from file and dict", SINGLE


def run_configurations(checkout: Path, place: Path) -> dict[str, Any]:
    """Run each published configuration; compare images and columns with what the file says."""
    figures: dict[str, Any] = {}
    for name, options in RUNS.items():
        file = find(checkout, name)
        home = home_of(file)
        words = options.split()
        start = [str(file.relative_to(home)), "--workspace", str(place / "store"), "--seed", "1"]
        refused = run(*start, *words, "--dry-run", cwd=home, check=False)["exit"]
        words += ["--compat"] if refused else []
        out = place / "runs" / name
        done = run(*start, *words, "-o", str(out), cwd=home)
        figures[name] = {"options": " ".join(words), **look(file, out), "seconds": done["wall"]}
    return figures


def compare_surveys(checkout: Path) -> list[str]:
    """Compare files that ``survey=`` once wrote with what it lays over them now."""
    for name, survey in OF_SURVEYS.items():
        file = find(checkout, name)
        with contextlib.chdir(home_of(file)):
            written = read_lens_configuration(file, compat=True)
            laid = read_lens_configuration(file, compat=True, survey=survey)
        assert (written.image, written.survey, written.bands) == (
            laid.image, laid.survey, laid.bands
        ), f"{name} is not what survey={survey} means"  # fmt: skip
    return list(OF_SURVEYS.values())


def home_of(file: Path) -> Path:
    """Return where the names in a file start: the folder of the notebooks, or its own."""
    return file.parent.parent if file.parent.name == "data" else file.parent


def look(file: Path, out: Path) -> dict[str, Any]:
    """Count images, rows and columns of a run; each has to be what the file says."""
    sections = yaml.safe_load(file.read_text())
    size = sections["DATASET"]["PARAMETERS"]["SIZE"]
    images, columns = 0, 0
    for label, geometry in sections["GEOMETRY"].items():
        nights = len(geometry.get("TIMESERIES", {"NITES": [0]})["NITES"])
        wanted = int(size * geometry["FRACTION"]) * nights
        table = pq.read_table(out / "artefacts" / f"{label}.complete" / "table.parquet")
        with h5py.File(out / "artefacts" / f"{label}_images" / "images.h5") as cubes:
            flux = np.asarray(cubes["image/flux"])
        assert len(flux) == len(table) == wanted, (file, label, len(flux), len(table), wanted)
        assert np.isfinite(flux).all()
        lacking = published_columns(sections, label) - set(table.column_names)
        assert not lacking, (file, label, sorted(lacking))
        images += len(flux)
        columns = max(columns, len(table.column_names))
    return {"images": images, "columns": columns}


def published_columns(sections: Mapping[str, Any], label: str) -> set[str]:
    """Return the columns that deeplenstronomy writes for a configuration, worked out anew.

    The delays of lensed images, which it numbers from zero, are left out.
    """
    geometry = sections["GEOMETRY"][label]
    survey = sections.get("SURVEY", {"PARAMETERS": {"BANDS": DES}})["PARAMETERS"]
    kinds = {species["NAME"]: species for species in sections["SPECIES"].values()}
    paths = {"OBJID", "POINTING", "BACKGROUND_IDX", "NAME", *IMAGE, *SURVEY}
    paths |= {"CONFIGURATION_LABEL", "CONFIGURATION_NAME", "NUMBER_OF_PLANES"}
    paths |= {*sections["COSMOLOGY"]["PARAMETERS"], "NUMBER_OF_NOISE_SOURCES"}
    varying = geometry.get("TIMESERIES", {"OBJECTS": []})["OBJECTS"]
    for key, inside in geometry.items():
        if key.startswith("NOISE_SOURCE"):
            paths |= {f"{key}-{name}" for name in ("NAME", *kinds[inside]["PARAMETERS"])}
        if not key.startswith("PLANE"):
            continue
        paths |= {f"{key}-NUMBER_OF_OBJECTS", f"{key}-REDSHIFT"}
        for place, name in inside.items():
            if place.startswith("OBJECT"):
                paths |= {f"{key}-{place}-{path}" for path in object_paths(kinds[name])}
                if name in varying:
                    more = ("nite", "peaknite", "id", "type", "magnitude_measured")
                    paths |= {f"{key}-{place}-{path}" for path in more}
    return {f"{path}-{band}" for path in paths for band in survey["BANDS"].split(",")}


def object_paths(species: Mapping[str, Any]) -> set[str]:
    """Return what deeplenstronomy writes of one object."""
    paths = {"NAME", "HOST", "REDSHIFT", *species.get("PARAMETERS", {})}
    paths |= {f"NUMBER_OF_{kind}_PROFILES" for kind in ("LIGHT", "MASS", "SHEAR")}
    if species.get("HOST") == "Foreground":
        paths |= {"ra_image", "dec_image"}
    elif "HOST" in species:
        paths |= {"ra", "dec", "sep", "sep_unit"}
    for key, profile in species.items():
        if "_PROFILE_" in key:
            names = {"NAME", *profile["PARAMETERS"]}
            names |= {"theta_E"} if "sigma_v" in names else set()
            paths |= {f"{key}-{name}" for name in names}
    return paths


def refuse_incomplete(checkout: Path) -> dict[str, int]:
    """Read fragments and files of older formats; return in how many places each is wrong."""
    found = {}
    for name, says in INCOMPLETE.items():
        file = find(checkout, name)
        lines = problems_of(file, compat=True)
        assert all(line.startswith(f"{file}:") for line in lines)
        assert any(says in line for line in lines), lines
        found[name] = len(lines)
    return found


if __name__ == "__main__":
    main()
