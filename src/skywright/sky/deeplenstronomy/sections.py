"""DATASET, IMAGE and SURVEY: what holds for all images."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from skywright.sky.deeplenstronomy.document import Item, Problems, guess, show, words
from skywright.sky.deeplenstronomy.model import Value
from skywright.sky.deeplenstronomy.values import Bounds, Reader, number, text

__all__ = [
    "SECTIONS",
    "one_of",
    "parameters_of",
    "read_bands",
    "read_dataset",
    "read_section",
]

SECTIONS = ("DATASET", "COSMOLOGY", "IMAGE", "SURVEY", "SPECIES", "GEOMETRY")
OF_SURVEY = ("IMAGE", "SURVEY")
OPTIONAL = ("DISTRIBUTIONS", "BACKGROUNDS")

SEED = Bounds(0, 2**32 - 1, whole=True)
SIZE = Bounds(1, 100_000_000, whole=True)
MAGNITUDE = Bounds(-100, 200)
IMAGE = {
    "exposure_time": Bounds(1e-6, 1e9),
    "numPix": Bounds(1, 10_000, whole=True),
    "pixel_scale": Bounds(0, 1e4, above=True),
    "read_noise": Bounds(0, 1e6),
    "ccd_gain": Bounds(0, 1e6, above=True),
}
IMAGE_OPTIONAL = {
    "supersampling_factor": Bounds(1, 100, whole=True),
    "supersampling_kernel_size": Bounds(1, 1000, whole=True),
    "point_source_supersampling_factor": Bounds(1, 100, whole=True),
    "convolution_kernel_size": Bounds(1, 1000, whole=True),
}
TEXTS = {
    "psf_type": ("GAUSSIAN",),
    "data_count_unit": ("e-", "ADU"),
    "compute_mode": ("regular", "adaptive"),
}
FLAGS = ("supersampling_convolution",)
SURVEY = {
    "seeing": Bounds(0, 1000, above=True),
    "magnitude_zero_point": MAGNITUDE,
    "sky_brightness": MAGNITUDE,
    "num_exposures": Bounds(1, 1e6),
}
FIXED = ("numPix", "pixel_scale")


def check_sections(root: Item, problems: Problems) -> None:
    """Note sections that lack, and those that mean nothing."""
    for name in SECTIONS:
        if name not in root.value:
            other = "; --survey, in Python survey=, brings it" if name in OF_SURVEY else ""
            problems.add(root, f"is missing{guess(name, root.value)}{other}", name)
    problems.known(root, (*SECTIONS, *OPTIONAL), "a configuration")


def read_dataset(item: Item | None, problems: Problems) -> tuple[str, int | None, str, int | None]:
    """Return name, size, output folder and seed of the data set."""
    if item is None or not problems.mapping(item, "a mapping of NAME and PARAMETERS"):
        return "", None, "", None
    problems.known(item, ("NAME", "PARAMETERS", "SEED"), "DATASET")
    name = text(problems.need(item, "NAME", "a name"), "a name", problems)
    parameters = problems.need(item, "PARAMETERS", "a mapping of SIZE")
    if parameters is None or not problems.mapping(parameters, "a mapping of SIZE and OUTDIR"):
        return name or "", None, "", None
    problems.known(parameters, ("SIZE", "OUTDIR", "SEED"), "DATASET.PARAMETERS")
    size = number(problems.need(parameters, "SIZE", str(SIZE)), SIZE, problems)
    outdir = parameters.get("OUTDIR")
    folder = "" if outdir is None else text(outdir, "the name of a folder", problems)
    if folder and "\0" in folder and outdir is not None:
        problems.add(outdir, "holds a zero byte, expected the name of a folder")
    # the configuration of deeplenstronomy's own tests has it one level up
    seed = number(parameters.get("SEED") or item.get("SEED"), SEED, problems)
    return name or "", None if size is None else int(size), folder or "", _whole(seed)


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)


def read_bands(item: Item | None, problems: Problems) -> tuple[str, ...]:
    """Return the names of the bands, which everything else is read with."""
    parameters = None if item is None else item.get("PARAMETERS")
    bands = None if parameters is None else parameters.get("BANDS")
    if bands is None:
        return ()
    names = [part.strip() for part in str(bands.value).split(",")]
    plain = all(name.isalnum() and name.isascii() for name in names)
    if not isinstance(bands.value, str) or not plain or len(set(names)) != len(names):
        problems.add(bands, f"got {show(bands.value)}, expected different bands with commas: g,r,i")
        return ()
    return tuple(names)


def read_section(
    item: Item | None, which: str, reader: Reader
) -> tuple[Mapping[str, Value], Item | None]:
    """Return the parameters of IMAGE or SURVEY, and the item that holds them."""
    problems = reader.problems
    need = IMAGE if which == "IMAGE" else SURVEY
    texts = TEXTS if which == "IMAGE" else {}
    more = IMAGE_OPTIONAL if which == "IMAGE" else {}
    flags = FLAGS if which == "IMAGE" else ()
    others = (*texts, *more, *flags) if which == "IMAGE" else ("BANDS",)
    parameters = parameters_of(item, (*need, *others), problems)
    if parameters is None:
        return {}, None
    for name in (*need, "psf_type" if which == "IMAGE" else "BANDS"):
        problems.need(parameters, name, str(need.get(name, "a text")))
    found: dict[str, Value | None] = {}
    for name, child in parameters.value.items():
        if name in FIXED:
            found[name] = number(child, need[name], problems)
        elif name in need or name in more:
            found[name] = reader.value(child, (need | more)[name])
        elif name in texts:
            found[name] = one_of(child, texts[name], problems)
        elif name in flags:
            found[name] = child.value
    return {name: value for name, value in found.items() if value is not None}, parameters


def one_of(item: Item, allowed: tuple[str, ...], problems: Problems) -> str | None:
    """Return a text that is one of a few; anything else is a problem."""
    if item.value in allowed:
        return str(item.value)
    close = guess(str(item.value), allowed)
    problems.add(item, f"got {show(item.value)}, expected {words(allowed)}{close}")
    return None


def parameters_of(item: Item | None, names: Iterable[str], problems: Problems) -> Item | None:
    """Return the item PARAMETERS of a section, whose keys are among ``names``."""
    if item is None or not problems.mapping(item, "a mapping of PARAMETERS"):
        return None
    problems.known(item, ("PARAMETERS", "NAME"), "this section")
    parameters = problems.need(item, "PARAMETERS", "a mapping")
    if parameters is None or not problems.mapping(parameters, "a mapping of numbers"):
        return None
    problems.known(parameters, names, "this section")
    return parameters
