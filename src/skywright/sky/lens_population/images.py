"""Rows of a population of lenses as images of a survey."""

from __future__ import annotations

from typing import Any

import astropy.units as u
import numpy as np
import torch
from astropy.table import QTable
from torch import Tensor

from skywright.data import Images
from skywright.sky.deflectors import sie_shear
from skywright.sky.lens_population.checks import check_columns, checked_column, checked_magnitudes
from skywright.sky.noise import add_noise, nanojansky, noise_variance
from skywright.sky.psf import gaussian_psf
from skywright.sky.rendering import render
from skywright.sky.surveys import SURVEYS, SurveyName, draw_conditions, survey_value

__all__ = ["render_lenses"]

NOISE = ("zero_point", "exposure_time", "exposures", "sky")
ROUNDEST = 0.05  # axis ratio below which light is drawn as if it had this one


def render_lenses(
    lenses: QTable,
    survey: SurveyName,
    *,
    pixels: int = 64,
    noise: bool = True,
    rng: np.random.Generator,
) -> Images:
    """Render lenses as a survey sees them, each under conditions drawn for it.

    Sources are exponential discs. Lenses have the light of de Vaucouleurs' law where the table
    holds its magnitudes, else none. Truth is the table itself, row by row.

    Parameters
    ----------
    lenses : QTable
        From `draw_lenses`. Bands are those of the survey with magnitudes ``source_mag_BAND``;
        light of the lens needs ``lens_mag_BAND``, ``lens_angular_size``, ``lens_ellipticity``
        and ``lens_phi_light``.
    survey : str
        A key of `skywright.sky.surveys.SURVEYS`.
    pixels : int
        Side of a cutout.
    noise : bool
        Whether images have noise.
    rng : Generator
        Source of randomness.

    Returns
    -------
    Images
        Flux [nJy] with the sky subtracted, and the variance of the sky.

    Raises
    ------
    ValueError
        There is no such survey, no band with magnitudes, or a column holds what it must not.
    """
    conditions = draw_conditions(survey, len(lenses), rng=rng)
    check_columns(lenses, "object_id")
    chosen = [
        (number, band)
        for number, band in enumerate(SURVEYS[survey].bands)
        if f"source_mag_{band}" in lenses.colnames
    ]
    if not chosen:
        raise ValueError(
            f"the lenses have no magnitudes in a band of {survey}; expected a column as "
            f"source_mag_{SURVEYS[survey].bands[0]} beside {', '.join(lenses.colnames)}"
        )
    numbers, bands = zip(*chosen, strict=True)
    given = {name: torch.as_tensor(v[:, numbers]) for name, v in conditions.items()}
    scale = SURVEYS[survey].scale
    flux = _noiseless(lenses, bands, pixels, scale, given["seeing"])
    # counts are electrons, which is what the zero points are of
    unit = nanojansky(given["zero_point"])[..., None, None]
    sensor: dict[str, Any] = {name: given[name] for name in NOISE}
    sensor |= {"scale": scale, "read_noise": SURVEYS[survey].read_noise}
    variance = noise_variance(torch.zeros_like(flux[..., :1, :1]), **sensor) * unit**2
    if noise:
        flux = add_noise(flux / unit, rng, **sensor) * unit
    return Images(
        flux=flux.numpy().astype(np.float32),
        bands=bands,
        unit=u.nJy,
        scale=scale * u.arcsec,
        object_id=np.asarray(lenses["object_id"], dtype=np.int64),
        variance=variance.numpy().astype(np.float32),
        # of median seeing, the same for every block of rows
        psf_fwhm=np.array([survey_value(survey, "seeing", b, 0.5) for b in bands]) / scale,
    )


def _noiseless(
    lenses: QTable, bands: tuple[str, ...], pixels: int, scale: float, seeing: Tensor
) -> Tensor:
    """Return images [nJy] without noise (n, band, y, x)."""
    if not len(lenses):
        return torch.zeros(0, len(bands), pixels, pixels, dtype=torch.float64)
    mass: dict[str, Any] = {"deflector": sie_shear}
    for name, unit in (("theta_e", u.arcsec), ("q", u.one), ("phi", u.rad)):
        mass[name] = torch.as_tensor(checked_column(lenses, name, unit))
    for name in ("gamma1", "gamma2"):
        mass[name] = torch.as_tensor(checked_column(lenses, name))
    source = {
        "amplitude": _fluxes(lenses, "source", bands),
        "radius": torch.as_tensor(checked_column(lenses, "source_angular_size", u.arcsec)),
        "q": torch.as_tensor(checked_column(lenses, "source_q", low=0.0)).clamp_min(ROUNDEST),
        "phi": torch.as_tensor(checked_column(lenses, "source_phi", u.rad)),
        "x0": torch.as_tensor(checked_column(lenses, "x", u.arcsec)),
        "y0": torch.as_tensor(checked_column(lenses, "y", u.arcsec)),
    }
    return render(
        mass,
        source,
        pixels=pixels,
        scale=scale,
        psf=gaussian_psf(seeing),
        lens_light=_lens_light(lenses, bands),
    )


def _lens_light(lenses: QTable, bands: tuple[str, ...]) -> dict[str, Any] | None:
    if not any(name.startswith("lens_mag_") for name in lenses.colnames):
        return None
    e = torch.as_tensor(checked_column(lenses, "lens_ellipticity", low=0.0, high=1.0))
    return {
        "amplitude": _fluxes(lenses, "lens", bands),
        "radius": torch.as_tensor(checked_column(lenses, "lens_angular_size", u.arcsec)),
        "n": 4.0,
        "q": ((1 - e) / (1 + e)).clamp_min(ROUNDEST),
        "phi": torch.as_tensor(checked_column(lenses, "lens_phi_light", u.rad)),
    }


def _fluxes(lenses: QTable, whose: str, bands: tuple[str, ...]) -> Tensor:
    """Return fluxes [nJy] without lensing (n, 1, band)."""
    columns = [checked_magnitudes(lenses, f"{whose}_mag_{band}") for band in bands]
    return torch.as_tensor(nanojansky(np.stack(columns, axis=-1)))[:, None]
