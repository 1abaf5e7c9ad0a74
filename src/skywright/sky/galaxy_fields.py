"""Small fields of a ground-based survey, each around a galaxy that could be a lens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import astropy.units as u
import numpy as np
import torch
from astropy.table import QTable

from skywright.data import Survey, Tile
from skywright.sky.field import without_pixel
from skywright.sky.noise import add_noise, correlate
from skywright.sky.psf import gaussian_psf
from skywright.sky.rendering import render
from skywright.sky.surveys import SURVEYS, SurveyName, draw_conditions, survey_value

__all__ = ["simulate_fields"]

EARLY, LATE = 4.0, 1.0  # Sersic indices: de Vaucouleurs for the galaxy, discs around it
SMALLEST = 0.1  # half-light radius [pixel] below which a galaxy is a point to everybody
OFF_CENTRE = 0.5  # pixels: cutouts are centred to the nearest pixel


def simulate_fields(
    galaxies: QTable,
    neighbours: QTable,
    *,
    n: int,
    area: u.Quantity,
    seeing: Mapping[str, u.Quantity | str],
    rng: np.random.Generator,
    survey: SurveyName = "des",
    magnitude: tuple[float, float] = (17.0, 20.0),
    pixels: int = 91,
    zero_point: float = 30.0,
    crowding: float = 1.0,
    correlation: float = 0.0,
    batch: int = 64,
    progress: Callable[[float], None] | None = None,
) -> Survey:
    """Simulate ``n`` fields with a galaxy in the middle, neighbours, and the noise of a survey.

    Galaxies become lenses in proportion to their cross-section, which is the square of the
    Einstein radius, the fourth power of the velocity dispersion and so about the luminosity
    (Faber & Jackson 1976, ApJ 204, 668): the galaxy in the middle is drawn with that chance. The
    number of exposures and the brightness of the sky differ from field to field and band to band
    as they do in the survey; the seeing is one for all fields, because what is painted on them has
    one point spread function.

    Parameters
    ----------
    galaxies : QTable
        Early-type galaxies: ``M_r``, ``mag_<band>`` [AB mag], ``angular_size`` [angle] (half-light
        radius along the major axis), ``ellipticity`` ((1 - q) / (1 + q)).
    neighbours : QTable
        The galaxies of a patch of sky of size ``area``, with the same columns but ``M_r``.
    n : int
        Number of fields.
    area : Quantity [deg2]
        Sky that ``neighbours`` were drawn for.
    seeing : mapping
        Band -> full width at half maximum of a star, pixel included, as ``'1.1 arcsec'``. Its
        bands are those of the images.
    rng : Generator
        Source of randomness.
    survey : str
        Whose noise: a key of `skywright.sky.surveys.SURVEYS`.
    magnitude : (bright, faint) [AB mag]
        Range of the galaxy in the middle, in r.
    pixels : int
        Side of a field.
    zero_point : float [AB mag]
        Magnitude of one count in the images.
    crowding : float
        How much denser than the sky the surroundings are: massive galaxies live in groups.
    correlation : float [pixel]
        Standard deviation of the Gaussian that ties the noise of neighbouring pixels together, as
        resampling does in a coadd; the noise of single pixels stays what it is. 0: independent.
    batch : int
        Fields rendered at once.
    progress : callable, optional
        Is told the fraction done.

    Returns
    -------
    Survey
        One tile a field, sky subtracted, in counts.

    Raises
    ------
    ValueError
        A band, column or galaxy is missing, or a number has no meaning.
    """
    bands = _bands(seeing, survey)
    tile_area = (pixels * SURVEYS[survey].scale * u.arcsec) ** 2
    _check(galaxies, neighbours, bands, n, magnitude)
    if not (crowding >= 0 and correlation >= 0):
        raise ValueError(f"got crowding {crowding} and correlation {correlation}; expected >= 0")
    middle = _choose(galaxies, n, magnitude, rng)[:, None]
    mean = crowding * len(neighbours) * float(tile_area / area)
    rows, there = _deal(n, mean, len(neighbours), rng)
    light = [
        _light(galaxies, middle, np.ones((n, 1)), bands, survey) | {"n": EARLY},
        _light(neighbours, rows, there, bands, survey) | {"n": LATE},
    ]
    for part, reach in zip(light, (OFF_CENTRE, pixels / 2), strict=True):
        shape = part["radius"].shape
        part |= {name: rng.uniform(-reach, reach, shape) for name in ("x0", "y0")}
        part["phi"] = rng.uniform(0, np.pi, shape)
    night = _conditions(survey, bands, n, rng)
    fwhm = _widths(seeing, survey)
    flux = np.empty((n, len(bands), pixels, pixels), dtype=np.float32)
    for start in range(0, n, batch):
        some = slice(start, min(start + batch, n))
        flux[some] = _expose(light, night, some, fwhm, pixels, survey, correlation, rng)
        if progress is not None:
            progress(some.stop / n)
    flux *= 10 ** (0.4 * (zero_point - night["zero_point"]))[..., None, None]
    return Survey(
        tiles=tuple(Tile(f"simulated field {i}", (pixels, pixels), flux[i]) for i in range(n)),
        bands=bands,
        unit=u.ct,
        scale=SURVEYS[survey].scale * u.arcsec,
        zero_point=dict.fromkeys(bands, float(zero_point)),
    )


def _bands(seeing: Mapping[str, Any], survey: str) -> tuple[str, ...]:
    if survey not in SURVEYS:
        raise ValueError(f"survey is {survey!r}; expected one of {', '.join(SURVEYS)}")
    known, bands = SURVEYS[survey].bands, tuple(seeing)
    if not bands or set(bands) - set(known):
        raise ValueError(f"seeing has the bands {bands}; expected some of {known} of {survey}")
    return bands


def _widths(seeing: Mapping[str, Any], survey: str) -> np.ndarray:
    """Return the seeing as (band,) [pixel]."""
    fwhm = np.array([u.Quantity(width).to_value(u.arcsec) for width in seeing.values()])
    if not (np.isfinite(fwhm) & (fwhm > 0)).all():
        raise ValueError(f"seeing is {dict(seeing)}; expected positive angles, as '1.1 arcsec'")
    return np.asarray(fwhm / SURVEYS[survey].scale)


def _check(
    galaxies: QTable,
    neighbours: QTable,
    bands: tuple[str, ...],
    n: int,
    magnitude: tuple[float, float],
) -> None:
    if n < 1:
        raise ValueError(f"n is {n}; expected at least one field")
    magnitudes = [f"mag_{band}" for band in bands]
    for name, table, more in (
        ("galaxies", galaxies, ["M_r", "mag_r"]),
        ("neighbours", neighbours, []),
    ):
        needed = {*magnitudes, "angular_size", "ellipticity", *more}
        if missing := sorted(needed - set(table.colnames)):
            raise ValueError(f"the {name} lack the columns {missing}; they have {table.colnames}")
    if not magnitude[0] < magnitude[1]:
        raise ValueError(f"magnitude is {magnitude}; expected (bright, faint)")


def _choose(
    galaxies: QTable, n: int, magnitude: tuple[float, float], rng: np.random.Generator
) -> np.ndarray:
    """Draw the rows of the galaxies in the middle, in proportion to their luminosity."""
    seen = np.asarray(galaxies["mag_r"])
    fits = (seen >= magnitude[0]) & (seen <= magnitude[1])
    if not fits.any():
        raise ValueError(
            f"none of {len(galaxies)} galaxies has a magnitude in r of {magnitude[0]:g} to "
            f"{magnitude[1]:g}: draw them from more sky, or widen the range"
        )
    luminosity = np.where(fits, 10 ** (-0.4 * np.asarray(galaxies["M_r"], dtype=float)), 0.0)
    return rng.choice(len(galaxies), n, p=luminosity / luminosity.sum())


def _deal(
    n: int, mean: float, count: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return rows of neighbours (n, most) and whether each is there, Poisson around ``mean``."""
    number = rng.poisson(mean, n)
    most = max(int(number.max()), 1)
    rows = rng.integers(max(count, 1), size=(n, most))
    return rows, (np.arange(most) < number[:, None]).astype(float)


def _light(
    table: QTable, rows: np.ndarray, there: np.ndarray, bands: tuple[str, ...], survey: str
) -> dict[str, Any]:
    """Return size, shape and rates [electron/s] of galaxies as the renderer takes them."""
    if not len(table):
        return {"radius": np.ones(rows.shape), "amplitude": np.zeros((*rows.shape, len(bands)))}
    zero_points = np.array([survey_value(survey, "zero_point", band, 0.5) for band in bands])
    magnitudes = np.stack([np.asarray(table[f"mag_{band}"], dtype=float) for band in bands], -1)
    rates = 10 ** (-0.4 * (magnitudes - zero_points))
    radius = u.Quantity(table["angular_size"]).to_value(u.arcsec) / SURVEYS[survey].scale
    q = (1 - np.asarray(table["ellipticity"])) / (1 + np.asarray(table["ellipticity"]))
    return {
        "radius": np.maximum(radius, SMALLEST)[rows],
        "q": np.clip(q, 0.1, 1.0)[rows],
        "amplitude": rates[rows] * there[..., None],
    }


def _conditions(
    survey: SurveyName, bands: tuple[str, ...], n: int, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Draw what the noise depends on, (n, band) each."""
    drawn = draw_conditions(survey, n, rng=rng)
    chosen = [SURVEYS[survey].bands.index(band) for band in bands]
    names = ("zero_point", "exposure_time", "exposures", "sky")
    return {name: drawn[name][:, chosen] for name in names}


def _expose(
    light: list[dict[str, Any]],
    night: dict[str, np.ndarray],
    part: slice,
    fwhm: np.ndarray,
    pixels: int,
    survey: SurveyName,
    correlation: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """Render some fields and add their noise, (field, band, y, x) [electron/s]."""
    scene = [{name: _rows(v, part) for name, v in values.items()} for values in light]
    psf = gaussian_psf(torch.as_tensor(without_pixel(fwhm)))
    image = render(None, None, lens_light=scene, pixels=pixels, scale=1.0, psf=psf)
    constants = SURVEYS[survey]
    here = {name: torch.as_tensor(values[part]) for name, values in night.items()}
    noisy = add_noise(image, rng, scale=constants.scale, read_noise=constants.read_noise, **here)
    noiseless = image.numpy()
    return np.asarray(noiseless + correlate(noisy.numpy() - noiseless, correlation))


def _rows(value: Any, part: slice) -> Any:
    return value[part] if isinstance(value, np.ndarray) else value
