"""The Python interface of deeplenstronomy: `make_dataset` and what it returns."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from astropy.table import Table, vstack

from skywright.sky.deeplenstronomy.drawing import draw_lens_configuration
from skywright.sky.deeplenstronomy.model import Configuration, Simulation
from skywright.sky.deeplenstronomy.paths import headers_of, set_parameter
from skywright.sky.deeplenstronomy.reading import read_lens_configuration, read_plain
from skywright.sky.deeplenstronomy.rendering import render_lens_configuration

__all__ = ["Dataset", "make_dataset"]

BLOCK = 128  # images in memory at once
SAMPLE = 5
FORMATS = ("npy", "h5")


class Dataset:
    """A simulated data set; `make_dataset` fills it.

    Beside what is listed here it has ``CONFIGURATION_i_images`` (n, band, y, x) [count/s],
    ``CONFIGURATION_i_metadata`` (a `Table`) and ``CONFIGURATION_i_planes``
    (n, 4, band, y, x) [count/s], for each configuration.

    Parameters
    ----------
    config : path or mapping, optional
        If given, the data set is made from it.
    save, store : bool
        ``save_to_disk`` and ``store_in_memory`` of `make_dataset`.
    """

    name: str
    size: int
    outdir: str
    bands: list[str]
    seed: int
    configurations: list[str]
    config_dict: dict[str, Any]
    config_file: str | Path | None = None
    arguments: dict[str, Any]
    species_map: dict[str, str]
    parser: Simulation
    organizer: Simulation
    folder: Path

    def __init__(
        self, config: str | Path | Mapping[str, Any] | None = None, save: bool = False,
        store: bool = True,
    ) -> None:  # fmt: skip
        if config is not None:
            make_dataset(config, dataset=self, save_to_disk=save, store_in_memory=store)

    def update_param(self, new_param_dict: Mapping[str, Any], configuration: str) -> None:
        """Set parameters, by their column in the metadata, to new values.

        Raises
        ------
        KeyError
            The configuration has no such parameter.
        """
        for column, value in new_param_dict.items():
            set_parameter(self.config_dict, column, configuration, value, self.bands)

    def update_param_dist(
        self, new_param_dist_dict: Mapping[str, Mapping[str, Any]], configuration: str
    ) -> None:
        """Draw parameters from new distributions, given as ``{name: …, parameters: {…}}``.

        Raises
        ------
        KeyError
            The configuration has no such parameter.
        """
        for column, law in new_param_dist_dict.items():
            drawn = {"NAME": law["name"], "PARAMETERS": dict(law["parameters"])}
            value = {"DISTRIBUTION": drawn}
            set_parameter(self.config_dict, column, configuration, value, self.bands)

    def regenerate(self, **make_dataset_args: Any) -> None:
        """Make the data set again from ``config_dict``, with the arguments it was made with.

        Parameters
        ----------
        **make_dataset_args
            Arguments that are to change.
        """
        arguments = self.arguments | make_dataset_args
        make_dataset(self.config_dict, dataset=self, **(arguments | {"survey": None}))

    def search(self, param_name: str) -> dict[str, list[str]]:
        """Return the headers by which a table of a user sets a parameter, object by object."""
        return headers_of(self.parser, param_name)


def make_dataset(
    config: str | Path | Mapping[str, Any],
    dataset: Dataset | None = None,
    save_to_disk: bool = False,
    store_in_memory: bool = True,
    verbose: bool = False,
    store_sample: bool = False,
    image_file_format: str = "npy",
    survey: str | None = None,
    return_planes: bool = False,
    skip_image_generation: bool = False,
    solve_lens_equation: bool = False,
    *,
    random_seed: int | None = None,
    compat: bool = False,
    device: str = "cpu",
) -> Dataset:
    """Make a data set from a configuration file of deeplenstronomy.

    Parameters
    ----------
    config : path or mapping
        A YAML file in deeplenstronomy's format, or what such a file holds.
    dataset : Dataset, optional
        One to be filled anew.
    save_to_disk : bool
        Write ``CONFIGURATION_i_images`` and ``…_metadata.csv`` into OUTDIR.
    store_in_memory, store_sample : bool
        Keep all images, or the first five, as attributes.
    verbose : bool
        Print how far the work is.
    image_file_format : "npy" or "h5"
        Of the images that are written.
    survey : str, optional
        As for `read_lens_configuration`.
    return_planes : bool
        Keep light of lens, source, point sources, and noise by themselves as well.
    skip_image_generation : bool
        Draw the metadata alone.
    solve_lens_equation : bool
        Add positions of the images of the source's middle to the metadata.
    random_seed : int, optional
        For a file without SEED; drawn, and kept as ``seed``, if left out.
    compat : bool
        As for `read_lens_configuration`.
    device : str
        Where images are rendered.

    Returns
    -------
    dataset : Dataset

    Raises
    ------
    ConfigurationError
        The configuration is wrong.
    ValueError
        Arguments exclude each other, or one is not known.
    """
    if solve_lens_equation and skip_image_generation:
        raise ValueError("solve_lens_equation needs images: leave skip_image_generation out")
    if image_file_format not in FORMATS:
        raise ValueError(f"image_file_format is {image_file_format!r}, expected npy or h5")
    arguments = {k: v for k, v in locals().items() if k not in ("config", "dataset")}
    found = dataset if dataset is not None else Dataset()
    simulation = _describe(found, config, arguments)
    folder = _output_folder(simulation) if save_to_disk else None
    for configuration in simulation.configurations:
        table = draw_lens_configuration(simulation, configuration.label, seed=found.seed)
        if skip_image_generation:
            arrays: dict[str, Any] = {}
        else:
            open_array = _opener(folder, configuration.label, image_file_format, simulation.name,
                                 keep=store_in_memory or store_sample)  # fmt: skip
            arrays, table = _render(table, simulation, configuration, arguments, open_array)
        if folder is not None:
            table.write(folder / f"{configuration.label}_metadata.csv", format="ascii.csv",
                        overwrite=True)  # fmt: skip
        _keep(found, configuration.label, arrays, table, arguments)
    return found


def _describe(
    dataset: Dataset, config: str | Path | Mapping[str, Any], arguments: dict[str, Any]
) -> Simulation:
    """Read the configuration, and note in the data set what it says."""
    survey, compat = arguments["survey"], arguments["compat"]
    folder: Path | None = getattr(dataset, "folder", None)
    simulation = read_lens_configuration(config, survey=survey, compat=compat, folder=folder)
    dataset.config_dict = read_plain(config, survey, compat, folder)
    if not isinstance(config, Mapping):
        dataset.config_file, dataset.folder = config, Path(config).parent
    seed = simulation.seed if simulation.seed is not None else arguments["random_seed"]
    dataset.seed = secrets.randbelow(2**31) if seed is None else seed
    dataset.arguments = arguments
    dataset.name, dataset.size = simulation.name, simulation.size
    dataset.outdir, dataset.bands = simulation.outdir, list(simulation.bands)
    dataset.configurations = [c.label for c in simulation.configurations]
    sections = dataset.config_dict["SPECIES"].items()
    dataset.species_map = {section["NAME"]: key for key, section in sections}
    dataset.parser = dataset.organizer = simulation
    return simulation


def _output_folder(simulation: Simulation) -> Path:
    if not simulation.outdir:
        raise ValueError("the file has no DATASET.PARAMETERS.OUTDIR to write to")
    folder = Path(simulation.outdir)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


OpenArray = Callable[[str, tuple[int, ...]], Any]


def _opener(folder: Path | None, label: str, form: str, name: str, *, keep: bool) -> OpenArray:
    """Return what makes an array to be filled: in memory, or in the file it is written to."""

    def in_file(what: str, shape: tuple[int, ...]) -> Any:
        assert folder is not None
        path = folder / f"{label}_{what}.{form}"
        if form == "npy":
            return np.lib.format.open_memmap(path, "w+", np.float32, shape)
        return h5py.File(path, "w").create_dataset(name, shape, np.float32)

    def in_memory(what: str, shape: tuple[int, ...]) -> Any:
        return np.empty(shape, np.float32)

    return in_memory if folder is None else in_file


def _render(
    table: Table,
    simulation: Simulation,
    configuration: Configuration,
    arguments: dict[str, Any],
    open_array: OpenArray,
) -> tuple[dict[str, Any], Table]:
    """Render block by block into arrays; return them, and the rows with what was found."""
    bands = simulation.bands
    ids = np.asarray(table[f"OBJID-{bands[0]}"])
    pixels = int(simulation.image["numPix"])  # type: ignore[arg-type]
    shape = (len(bands), pixels, pixels)
    arrays = {"images": open_array("images", (len(table), *shape))}
    if arguments["return_planes"]:
        arrays["planes"] = open_array("planes", (len(table), 4, *shape))
    tables = []
    done = 0
    while done < len(table):
        end = int(np.searchsorted(ids, ids[done] + BLOCK))
        block = render_lens_configuration(
            table[done:end],
            simulation,
            return_planes=arguments["return_planes"],
            solve_lens_equation=arguments["solve_lens_equation"],
            device=arguments["device"],
        )
        arrays["images"][done:end] = block.flux
        if block.planes is not None:
            arrays["planes"][done:end] = block.planes
        tables.append(block.table)
        done = end
        if arguments["verbose"]:
            print(f"{configuration.label}: {done} of {len(table)} images")
    return arrays, vstack(tables, metadata_conflicts="silent")


def _keep(
    dataset: Dataset, label: str, arrays: dict[str, Any], table: Table, arguments: dict[str, Any]
) -> None:
    """Set the attributes of a configuration, and close the files."""
    rows = slice(None) if arguments["store_in_memory"] else slice(SAMPLE)
    wanted = arguments["store_in_memory"] or arguments["store_sample"]
    if wanted:
        setattr(dataset, f"{label}_metadata", table[rows])
    for what, array in arrays.items():
        if wanted:
            setattr(dataset, f"{label}_{what}", np.array(array[rows]))
        if isinstance(array, np.memmap):
            array.flush()
        elif isinstance(array, h5py.Dataset):
            array.file.close()
