"""From a configuration file to images in one step, for recipes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import astropy.units as u
import numpy as np
from astropy.table import Table

from skywright.data.images import Images
from skywright.sky.deeplenstronomy.drawing import draw_lens_configuration
from skywright.sky.deeplenstronomy.model import Simulation
from skywright.sky.deeplenstronomy.reading import read_lens_configuration
from skywright.sky.deeplenstronomy.rendering import render_lens_configuration, sky_variance
from skywright.sky.noise import nanojansky
from skywright.sky.surveys import SurveyName

__all__ = ["images_of", "simulate_lenses"]


def simulate_lenses(
    config: Path,
    configuration: str = "CONFIGURATION_1",
    images: Iterable[int] | None = None,
    *,
    seed: int | None = None,
    survey: SurveyName | None = None,
    compat: bool = False,
    changes: Mapping[str, Any] | None = None,
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
    survey, compat
        As for `read_lens_configuration`.
    changes : mapping, optional
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
    simulation = read_lens_configuration(config, survey=survey, compat=compat, changes=changes)
    table = draw_lens_configuration(simulation, configuration, images, seed=seed)
    flux = render_lens_configuration(table, simulation, device=device).flux
    return images_of(flux, table, simulation)


def images_of(flux: np.ndarray, table: Table, simulation: Simulation) -> Images:
    """Return rendered count rates of drawn rows as images in nJy, with the variance of empty sky.

    Parameters
    ----------
    flux : (n, band, y, x) [count/s]
        From `render_lens_configuration`.
    table, simulation
        What they show.
    """
    bands = simulation.bands
    zero = np.stack([np.asarray(table[f"magnitude_zero_point-{b}"], dtype=float) for b in bands], 1)
    count = nanojansky(zero)[..., None, None]
    scale = float(simulation.image["pixel_scale"])  # type: ignore[arg-type]
    variance = sky_variance(table, simulation)
    return Images(
        flux=(flux * count).astype(np.float32),
        variance=None if variance is None else (variance * count**2).astype(np.float32),
        bands=bands,
        unit=u.nJy,
        scale=scale * u.arcsec,
        object_id=np.asarray(table[f"OBJID-{bands[0]}"]),
        psf_fwhm=_same_seeing(simulation, scale),
    )


def _same_seeing(simulation: Simulation, scale: float) -> np.ndarray | None:
    """Return the seeing of each band [pixel] if all images share it: else it is in the table."""
    seeing = simulation.survey.get("seeing")
    tables = [name for table in simulation.distributions for name in table.names]
    if not isinstance(seeing, (int, float)) or any("seeing" in name for name in tables):
        return None
    return np.full(len(simulation.bands), seeing / scale)
