"""SkyPy's own tests against our steps: which pass, and why the others do not.

The tests of the installed SkyPy 0.5.5 are copied into a package that has its names, made from
`skywright.flow.aliases.SKYPY` (and for its pipeline the few lines in ``skypy_shim``, which hand the
jobs to our engine). Steps get a random generator that is seeded by their number of calls. The same
tests are run against SkyPy itself.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from importlib.metadata import distribution
from pathlib import Path

from pytest_outcomes import outcomes
from record import record

from skywright.flow.aliases import SKYPY

INSTALLED = Path(str(distribution("skypy").locate_file("skypy")))
SHIM = Path(__file__).parent / "skypy_shim"
STEP = """
def _seeded(step):
    parameters = inspect.signature(step).parameters
    if "rng" not in parameters or isinstance(step, type):
        return step
    count = itertools.count()

    @functools.wraps(step)
    def seeded(*args, **kwargs):
        kwargs.setdefault("rng", numpy.random.default_rng(next(count)))
        return step(*args, **kwargs)

    return seeded
"""
# Tests that cannot pass where SkyPy's known faults are mended, and tests of how it talks
BY_DESIGN = {
    "test_schechter_lf_magnitude": "expects that slopes which differ between galaxies are refused",
    "test_kcorrect_metallicity": "expects one metallicity of a whole catalogue",
    "test_kcorrect_star_formation_rates": "expects one young mass of a whole catalogue",
    "test_schechter_lf": "expects that slopes which differ between galaxies are refused",
    "test_schechter_smf": "the same, of masses",
    "test_skypy": "skywright run takes an unknown suffix for a run folder, and no empty tables",
    "test_logging": "log lines of SkyPy",
}


def build(folder: Path) -> None:
    """Write the package ``skypy`` into a folder: our steps, SkyPy's tests and their data."""
    root = folder / "skypy"
    for test in INSTALLED.rglob("tests"):
        shutil.copytree(test, root / test.relative_to(INSTALLED))
    modules: dict[str, list[str]] = {}
    for published, ours in SKYPY.items():
        modules.setdefault(published.rpartition(".")[0], []).append(
            f"{published.rpartition('.')[2]} = _seeded(skywright.sky.{ours.rpartition('.')[2]})"
        )
    packages = {"skypy", "skypy.galaxies", "skypy.utils"}
    for module in modules | dict.fromkeys(packages, []):
        packages |= {m.rpartition(".")[0] for m in modules if m.startswith(f"{module}.")} & {module}
    for module in {*modules, *packages}:
        path = folder / module.replace(".", "/")
        path = path / "__init__.py" if module in packages else path.with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = ["import functools, inspect, itertools, numpy, skywright.sky", STEP]
        lines += modules.get(module, [])
        if module == "skypy.galaxies.spectrum":
            lines += ["kcorrect = skywright.sky.KCorrectTemplates()"]
        if module == "skypy.utils.photometry":
            lines += [
                "HAS_SPECLITE = True",
                "from skywright.sky.populations.luminosities import *",
                "from skywright.sky.populations.luminosities import luminosity_in_band",
            ]
        if module == "skypy.utils.special":
            # a private function of SkyPy: poles are where our function of them vanishes
            lines += ["def _is_gamma_pole(a):\n    return gammaincc(a, 1.0) == 0"]
        path.write_text("\n".join([*lines, "__version__ = '0.5.5'"]))
    pipeline = root / "pipeline"
    for file in SHIM.glob("*.py"):
        shutil.copy(file, pipeline / file.name)
    (pipeline / "scripts").mkdir()
    (pipeline / "scripts" / "__init__.py").write_text("skypy = None\n")


def short(found: dict[str, str]) -> dict[str, str]:
    """Return outcomes under the paths in SkyPy's package."""
    return {k.partition("skypy/")[2] or k: v for k, v in found.items()}


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        ours, theirs = Path(name) / "ours", Path(name) / "theirs"
        build(ours)
        shutil.copytree(INSTALLED, theirs / "skypy")
        published = short(outcomes([theirs / "skypy"], theirs))
        found = short(outcomes([ours / "skypy"], ours))
    passing = [test for test, state in published.items() if state == "PASSED"]
    kept = [test for test in passing if found.get(test) == "PASSED"]
    lost = sorted(set(passing) - set(kept))
    reasons = {t: BY_DESIGN.get(re.split(r"::|\[", t)[1], "?") for t in lost}
    figures = {"pass_skypy": len(passing), "pass_ours": len(kept), "do_not_pass": reasons}
    print(*(f"{test}: {why}" for test, why in reasons.items()), sep="\n")
    print(len(kept), "of", len(passing))
    record("skypy-tests", figures)
    assert "?" not in reasons.values(), "a test fails that should pass"


if __name__ == "__main__":
    main()
