"""How the documentation is built: Sphinx, MyST, and tables made from docs/measured/*.json."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

from skywright import __version__

project = "skywright"
author = "The skywright developers"
copyright = "2026, the skywright developers"
release = version = __version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.mathjax",
    "sphinx_copybutton",
    "measured",
]
exclude_patterns = ["_build", "_ext", "measured"]
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

html_theme = "furo"
html_title = f"skywright {version}"
html_static_path = []
# Pages open without a network; only formulas would ask for MathJax.
templates_path = []

default_role = "py:obj"
autodoc_member_order = "bysource"
autodoc_typehints = "none"
napoleon_google_docstring = False
napoleon_numpy_docstring = True
napoleon_use_rtype = False
suppress_warnings = ["config.cache"]
