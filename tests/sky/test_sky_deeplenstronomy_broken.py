"""Broken and hostile configurations: each is refused with file, line and path; nothing runs.

The files are in ``deeplenstronomy_broken/``, each of a class of its own, which its first line
states; the second states the line and path that have to be reported, the third a part of the
message.
"""

import contextlib
import copy
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st

from skywright.sky.deeplenstronomy.document import ConfigurationError
from skywright.sky.deeplenstronomy.reading import read_lens_configuration

FOLDER = Path(__file__).parent / "deeplenstronomy_broken"
BROKEN = sorted(FOLDER.glob("*.yaml"))
WATCHED = ("os.system", "subprocess.Popen", "os.exec", "os.posix_spawn", "compile", "exec")


SEEN, WATCHING = [], [False]


def watch(event, arguments):
    if WATCHING[0] and (
        event in WATCHED or event == "open" and set(str(arguments[1])) & set("wa+x")
    ):
        SEEN.append((event, arguments))


b"x".decode("utf-8-sig")  # its import runs code
sys.addaudithook(watch)


def refused(config, **options):
    """Read what is broken; fail if anything is run, compiled or written."""
    SEEN.clear()
    WATCHING[0] = True
    try:
        read_lens_configuration(config, **options)
    except ConfigurationError as error:
        return error
    finally:
        WATCHING[0] = False
        assert not SEEN
    raise AssertionError(f"{config} was read")


def header(path):
    lines = [line.removeprefix("# ") for line in path.read_text().split("\n")[:3]]
    line, _, where = lines[1].partition(" ")
    return int(line), where, lines[2]


def test_there_are_enough_of_them():
    assert len(BROKEN) >= 40
    assert len({path.read_text().split("\n")[0] for path in BROKEN}) == len(BROKEN)


@pytest.mark.parametrize("path", BROKEN, ids=lambda p: p.stem)
def test_broken_configuration_is_refused_with_its_line(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    line, where, says = header(path)
    error = refused(path)
    start = f"{path}:{line}: {where}: " if where else f"{path}:{line}: "
    found = [p for p in str(error).split("\n") if p.startswith(start) and says in p]
    assert found, str(error)
    assert "Traceback" not in str(error)
    assert "\x1b" not in str(error)
    assert all(problem.mark and problem.message for problem in error.problems)
    assert str(error) == "\n".join(map(str, error.problems))
    assert not os.listdir(tmp_path)


GOOD = """
DATASET: {NAME: few, PARAMETERS: {SIZE: 4}}
COSMOLOGY: {PARAMETERS: {H0: 70, Om0: 0.3}}
IMAGE:
    PARAMETERS: {exposure_time: 90, numPix: 8, pixel_scale: 0.3, psf_type: GAUSSIAN,
                 read_noise: 7, ccd_gain: 6}
SURVEY:
    PARAMETERS: {BANDS: "g,r", seeing: 0.9, magnitude_zero_point: 30, sky_brightness: 23,
                 num_exposures: 1}
SPECIES:
    GALAXY_1:
        NAME: A
        LIGHT_PROFILE_1: {NAME: SERSIC, PARAMETERS: {magnitude: 20, R_sersic: 1e-1, n_sersic: 1}}
        MASS_PROFILE_1: {NAME: SIS, PARAMETERS: {theta_E: 1}}
GEOMETRY:
    CONFIGURATION_1:
        NAME: x
        FRACTION: 1
        PLANE_1: {OBJECT_1: A, PARAMETERS: {REDSHIFT: 0.3}}
        PLANE_2: {OBJECT_1: A, PARAMETERS: {REDSHIFT: 1}}
BACKGROUNDS: {PATH: sky, CONFIGURATIONS: [CONFIGURATION_1]}
"""


@pytest.fixture
def sky(tmp_path):
    """Return a good configuration with backgrounds, and their folder."""
    (tmp_path / "sky").mkdir()
    for band in "gr":
        fits.writeto(tmp_path / "sky" / f"{band}.fits", np.zeros((3, 9, 9), dtype=np.float32))
    file = tmp_path / "good.yaml"
    file.write_text(GOOD)
    assert read_lens_configuration(file).backgrounds.count == 3
    return file, tmp_path / "sky"


def flat(folder):
    fits.writeto(folder / "g.fits", np.zeros((9, 9)), overwrite=True)


def short(folder):
    fits.writeto(folder / "g.fits", np.zeros((2, 9, 9)), overwrite=True)


def spoiled(folder):
    fits.writeto(folder / "g.fits", np.full((3, 9, 9), np.nan), overwrite=True)


def cut(folder):
    whole = (folder / "g.fits").read_bytes()
    (folder / "g.fits").write_bytes(whole[:3000])


def no_image(folder):
    (folder / "g.fits").write_bytes(b"this is no image")


def long_map(folder):
    (folder / "map.txt").write_text("PLANE_1-REDSHIFT-g\n" + "1\n" * 4)


def misspelt_map(folder):
    name = "CONFIGURATION_1-PLANE_1-OBJECT_1-MASS_PROFILE_1-sigma-g"
    (folder / "map.txt").write_text(f"{name}\n1\n2\n3\n")


def ragged_map(folder):
    (folder / "map.txt").write_text("PLANE_1-REDSHIFT-g PLANE_2-REDSHIFT-g\n1\n2\n3\n")


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (flat, "expected (image, y, x)"),
        (short, "different numbers of images (g: 2, r: 3)"),
        (spoiled, "NaN or infinity"),
        (cut, "cannot be read as FITS"),
        (no_image, "cannot be read as FITS"),
        (long_map, "different numbers of images"),
        (ragged_map, "map.txt:2: has 1 values for 2 columns"),
        (misspelt_map, "map.txt:1: CONFIGURATION_1 has no parameter"),
    ],
)
@pytest.mark.filterwarnings("ignore::astropy.utils.exceptions.AstropyUserWarning")
def test_broken_backgrounds_are_refused(spoil, says, sky):
    file, folder = sky
    spoil(folder)
    error = refused(file)
    assert str(error).startswith(f"{file}:21: BACKGROUNDS.PATH: ")
    assert says in str(error)


CADENCES = {
    "no pointing": ("REFERENCE_MJD: 5\n", "POINTING_1: is missing"),
    "no band": ("POINTING_1:\n    g: [1, 2]\n", "POINTING_1.r: is missing"),
    "unequal": ("POINTING_1:\n    g: [1, 2]\n    r: [1]\n", "bands have 1, 2 dates"),
    "text": ("POINTING_1:\n    g: [1, x]\n    r: [1, 2]\n", "POINTING_1.g[1]: got 'x'"),
    "tab": ("POINTING_1:\n\tg: [1, 2]\n", "holds a tab"),
    "no YAML": ("POINTING_1: [", "not YAML"),
}


@pytest.mark.parametrize("name", CADENCES)
def test_broken_cadence_files_are_refused(name, sky):
    file, folder = sky
    content, says = CADENCES[name]
    (folder.parent / "cadence.yaml").write_text(content)
    text = GOOD.replace(
        "GEOMETRY:", "    POINTSOURCE_1: {NAME: P, HOST: A, MODEL: flat, PARAMETERS: "
        "{magnitude: 20}}\nGEOMETRY:"
    ).replace("{OBJECT_1: A, PARAMETERS: {REDSHIFT: 1}}",
              "{OBJECT_1: A, OBJECT_2: P, PARAMETERS: {REDSHIFT: 1}}\n"
              "        TIMESERIES: {NITES: cadence.yaml, OBJECTS: [P]}")  # fmt: skip
    file.write_text(text)
    error = refused(file)
    assert f"{folder.parent / 'cadence.yaml'}:" in str(error)
    assert says in str(error)


def test_all_problems_are_told_at_once(sky):
    file, _ = sky
    file.write_text(GOOD.replace("SIZE: 4", "SIZE: x").replace("FRACTION: 1", "FRACTION: 2"))
    error = refused(file)
    assert [problem.path for problem in error.problems] == [
        "DATASET.PARAMETERS.SIZE",
        "GEOMETRY.CONFIGURATION_1.FRACTION",
    ]
    assert [problem.mark.line for problem in error.problems] == [2, 18]


def test_a_configuration_without_lines_is_refused_with_its_path():
    error = refused({"DATASET": {"NAME": 7}})
    assert "DATASET.NAME: got 7, expected a name" in str(error)


def test_files_that_are_no_files(tmp_path):
    for name in (tmp_path, tmp_path / "nowhere.yaml", "/dev/zero", "a\0b"):
        assert f"{name}:1: ".replace("\0", "\N{REPLACEMENT CHARACTER}") in str(refused(name))
    (tmp_path / "binary.yaml").write_bytes(b"DATASET: \xff\xfe")
    assert "is not UTF-8" in str(refused(tmp_path / "binary.yaml"))
    (tmp_path / "long.yaml").write_bytes(b"#" * 1_100_000)
    assert "larger than" in str(refused(tmp_path / "long.yaml"))


def test_unknown_surveys(sky):
    with pytest.raises(ValueError, match="did you mean 'lsst'"):
        read_lens_configuration(sky[0], survey="lst")


def nodes(value, path=()):
    """Return the way to every key and list entry of nested dicts and lists."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    found = []
    for key, child in inner:
        found.append((*path, key))
        if isinstance(child, (dict, list)):
            found += nodes(child, (*path, key))
    return found


ODD = [None, True, "", "None", "x", -1, 0, 1e400, float("nan"), 10**30, [], {}, [1], {"a": 1}]
ODD += [{"DISTRIBUTION": v} for v in (None, {}, [], {"NAME": "normal"}, {"NAME": 7})]
ODD += [{"INPUT": 3}, {"INPUT": "nowhere"}, [[1, 2]], "\0", "x" * 5000, "../..", "CONFIGURATION_1"]


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_whatever_stands_anywhere_is_refused_or_read(make_lens_config, data):
    config = make_lens_config()
    config["GEOMETRY"]["CONFIGURATION_1"]["TIMESERIES"] = {"NITES": [0], "OBJECTS": ["SUPERNOVA"]}
    config["DISTRIBUTIONS"] = {"USERDIST_1": {"FILENAME": "none.txt", "MODE": "sample", "STEP": 5}}
    config["BACKGROUNDS"] = {"PATH": "nowhere", "CONFIGURATIONS": ["CONFIGURATION_1"]}
    config["SPECIES"]["GALAXY_1"]["SPECIAL"] = {"make_redder": ["LIGHT_PROFILE_1-1"]}
    for _ in range(data.draw(st.integers(1, 3))):
        *way, last = data.draw(st.sampled_from(nodes(config)))
        place = config
        for key in way:
            place = place[key]
        if data.draw(st.booleans()) or isinstance(place, list):
            place[last] = copy.deepcopy(data.draw(st.sampled_from(ODD)))
        elif data.draw(st.booleans()):
            del place[last]
        else:
            place[data.draw(st.sampled_from(["GALAXY_9", "PLANE_0", "x", "", "NAME"]))] = 1
    with contextlib.suppress(ConfigurationError):  # any other error fails
        read_lens_configuration(config)
