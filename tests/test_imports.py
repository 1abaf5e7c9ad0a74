"""What importing costs, and that every name a room shows is there."""

import importlib
import pkgutil
import subprocess
import sys

import pytest

import skywright

HEAVY = {"torch", "lightning", "matplotlib", "sklearn", "skimage", "scipy", "astropy", "numpy"}
ROOMS = sorted(module.name for module in pkgutil.iter_modules(skywright.__path__) if module.ispkg)
MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(skywright.__path__, "skywright.")
    if not module.name.endswith(".serve.worker")
)


def loaded_after(code):
    """Return the heavy packages that a fresh Python has loaded after ``code``."""
    tail = f"; import sys; print(*sorted({HEAVY} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code + tail], capture_output=True, text=True, check=True
    )
    return set(done.stdout.splitlines()[-1].split())


def test_the_package_alone_is_light():
    assert loaded_after("import skywright") == set()


def test_help_needs_no_science():
    code = """
import sys
sys.argv = ["skywright", "--help"]
from skywright.cli import app
try:
    app()
except SystemExit:
    pass
"""
    assert loaded_after(f"exec({code!r})") == set()


@pytest.mark.parametrize("room", ["data", "trust"])
def test_judges_and_artefacts_do_not_load_torch(room):
    assert not loaded_after(f"import skywright.{room}") & {"torch", "lightning", "matplotlib"}


@pytest.mark.parametrize("name", MODULES)
def test_every_public_name_is_there(name):
    module = importlib.import_module(name)
    missing = [item for item in getattr(module, "__all__", []) if not hasattr(module, item)]
    assert not missing


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_say_what_they_are(room):
    assert importlib.import_module(f"skywright.{room}").__doc__
