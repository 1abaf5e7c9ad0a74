"""``deeplenstronomy.input_reader``: a configuration as plain dicts, read by our reader."""

import os

from skywright.sky.deeplenstronomy.reading import read_plain

__all__ = ["Parser"]


class Parser:
    """A configuration under ``config_dict``."""

    def __init__(self, config, survey=None):
        compat = bool(os.environ.get("SHIM_COMPAT"))
        self.config_dict = read_plain(config, survey, compat, None)
