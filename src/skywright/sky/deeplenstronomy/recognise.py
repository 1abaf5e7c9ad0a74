"""Tell a configuration of deeplenstronomy from a recipe, by what stands at its left margin."""

from __future__ import annotations

from pathlib import Path

import yaml

from skywright.data.marked_yaml import MarkedError, compose, read_text

__all__ = ["SECTIONS", "is_lens_configuration"]

SECTIONS = ("DATASET", "COSMOLOGY", "IMAGE", "SURVEY", "SPECIES", "GEOMETRY")
LEAST = 2  # sections: one might be the name of a variable


def is_lens_configuration(file: str | Path) -> bool:
    """Tell whether a file is a configuration of deeplenstronomy, right or wrong.

    Its name does not count: at least two of the sections of the format stand at the top level.

    Parameters
    ----------
    file : path
        Any file; what is no YAML is none.

    Examples
    --------
    >>> is_lens_configuration("no such file")
    False
    """
    try:
        node = compose(read_text(file), str(file))
    except MarkedError:
        return False
    if not isinstance(node, yaml.MappingNode):
        return False
    keys = {key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)}
    return len(keys.intersection(SECTIONS)) >= LEAST
