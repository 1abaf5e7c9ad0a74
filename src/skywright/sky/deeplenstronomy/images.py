"""From a configuration file to images in one step, for recipes: `simulate_lenses`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import astropy.units as u
import numpy as np

from skywright.data.images import Images
from skywright.sky.deeplenstronomy.drawing import draw_lens_configuration
from skywright.sky.deeplenstronomy.reading import read_lens_configuration
from skywright.sky.deeplenstronomy.rendering import render_lens_configuration
from skywright.sky.noise import nanojansky

__all__ = ["simulate_lenses"]


def simulate_lenses(
    config: Path,
    configuration: str = "CONFIGURATION_1",
    images: Iterable[int] | None = None,
    *,
    seed: int | None = None,
    survey: str | None = None,
    compat: str | None = None,
    device: str = "cpu",
) -> Images:
    """Simulate the images of one configuration of a file of deeplenstronomy.

    What they show is the table of `draw_lens_configuration` with the same arguments.

    Parameters
    ----------
    config : path
        The file.
    configuration : str
        Label of one of its configurations.
    images : iterable of int, optional
        Numbers of the images, from zero; all if left out.
    seed : int, optional
        Stands in for SEED of the file.
    survey, compat : str, optional
        As for `read_lens_configuration`.
    device : str
        Where images are rendered.

    Returns
    -------
    images : Images [nJy]
        ``object_id`` is the number of the image.

    Raises
    ------
    ConfigurationError
        The file is wrong.
    """
    simulation = read_lens_configuration(config, survey=survey, compat=compat)
    table = draw_lens_configuration(simulation, configuration, images, seed=seed)
    made = render_lens_configuration(table, simulation, device=device)
    bands = simulation.bands
    zero = np.stack([np.asarray(table[f"magnitude_zero_point-{b}"], dtype=float) for b in bands], 1)
    scale = float(simulation.image["pixel_scale"])  # type: ignore[arg-type]
    flux = made.flux * nanojansky(zero)[..., None, None]
    seeing = np.mean([table[f"seeing-{band}"] for band in bands], axis=1)
    return Images(
        flux=flux.astype(np.float32),
        bands=bands,
        unit=u.nJy,
        scale=scale * u.arcsec,
        object_id=np.asarray(table[f"OBJID-{bands[0]}"]),
        psf_fwhm=seeing / scale,
    )
