"""The shift suite: every perturbation by its name, with the severities at which it is tried."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from skywright.data import Images
from skywright.sky.perturbations.compression import compress_jpeg, quantise
from skywright.sky.perturbations.detector import add_cosmic_rays, kill_pixels
from skywright.sky.perturbations.framing import crop_border, turn
from skywright.sky.perturbations.light import (
    raise_background,
    shift_colour,
    shift_zero_point,
    shorten_exposure,
)
from skywright.sky.perturbations.seeing import broaden_psf

__all__ = ["KINDS", "SEVERITIES", "UNITS", "perturb", "shift_suite"]

KINDS: dict[str, Callable[..., Images]] = {
    "depth": shorten_exposure,
    "psf": broaden_psf,
    "background": raise_background,
    "zero_point": shift_zero_point,
    "colour": shift_colour,
    "dead_pixels": kill_pixels,
    "cosmic_rays": add_cosmic_rays,
    "crop": crop_border,
    "rotation": turn,
    "quantisation": quantise,
    "jpeg": compress_jpeg,
}
UNITS = {
    "depth": "exposure time over that of the images",
    "psf": "FWHM added in quadrature [arcsec]",
    "background": "added sky [unit per pixel]",
    "zero_point": "fainter by [mag]",
    "colour": "first minus last band redder by [mag]",
    "dead_pixels": "share of the pixels",
    "cosmic_rays": "hits per megapixel and band",
    "crop": "border cut away [pixel]",
    "rotation": "angle [deg]",
    "quantisation": "step [rms of the background]",
    "jpeg": "100 minus quality",
}
# For ground-based cutouts of some 50 pixels. The sky of "background" depends on the unit of the
# images: it has no severities of its own.
SEVERITIES: dict[str, tuple[float, ...]] = {
    "depth": (0.8, 0.5, 0.25, 0.1),
    "psf": (0.3, 0.6, 0.9, 1.2),
    "zero_point": (0.05, 0.1, 0.3, 1.0),
    "colour": (0.05, 0.1, 0.3, 1.0),
    "dead_pixels": (0.001, 0.01, 0.05, 0.1),
    "cosmic_rays": (50.0, 200.0, 1000.0, 5000.0),
    "crop": (2.0, 4.0, 8.0, 12.0),
    "rotation": (15.0, 45.0, 90.0, 180.0),
    "quantisation": (0.25, 1.0, 2.0, 5.0),
    "jpeg": (5.0, 25.0, 50.0, 90.0),
}


def perturb(
    images: Images,
    kind: str,
    severity: float,
    rng: np.random.Generator,
    gain: float | Sequence[float] | None = None,
) -> Images:
    """Perturb images in the units of the detector.

    Parameters
    ----------
    images : Images
        Cutouts above the level of the sky.
    kind : str
        One of ``depth`` (exposure time over that of the images), ``psf`` (FWHM added in
        quadrature [arcsec]), ``background`` (added sky [unit per pixel]), ``zero_point`` [mag],
        ``colour`` [mag], ``dead_pixels`` (share), ``cosmic_rays`` [1/megapixel], ``crop``
        [pixel], ``rotation`` [deg], ``quantisation`` [rms], ``jpeg`` (100 minus quality).
    severity : float
        How strong, in the unit of its kind.
    rng : Generator
        Source of randomness.
    gain : float or (band,) [electron per unit], optional
        Electrons per unit of flux, of the whole exposure; needed by ``depth``, ``background``
        and ``cosmic_rays`` of images that are not in electrons.

    Returns
    -------
    Images
        Same objects, same size.

    Examples
    --------
    >>> import astropy.units as u
    >>> flux = np.zeros((1, 2, 8, 8), dtype=np.float32)
    >>> bright = Images(flux + 100, ("g", "r"), u.electron, 0.2 * u.arcsec, np.arange(1))
    >>> faint = perturb(bright, "zero_point", 2.5, np.random.default_rng(0))
    >>> float(faint.flux.mean())
    10.0
    """
    if kind not in KINDS:
        raise ValueError(f"kind is {kind!r}; expected one of {', '.join(KINDS)}")
    bad = int((~np.isfinite(images.flux)).any(axis=(1, 2, 3)).sum())
    if bad:
        raise ValueError(
            f"{bad} of {len(images)} images have pixels that are not finite; expected none: fill "
            "them or leave those images out"
        )
    function = KINDS[kind]
    options: dict[str, Any] = {}
    if "gain" in inspect.signature(function).parameters:
        options["gain"] = None if gain is None else np.asarray(gain, dtype=float)
    return function(images, float(severity), rng=rng, **options)


def shift_suite(
    images: Images,
    rng: np.random.Generator,
    *,
    severities: Mapping[str, Sequence[float]] = SEVERITIES,
    gain: float | Sequence[float] | None = None,
) -> Iterator[tuple[str, float, Images]]:
    """Yield ``(kind, severity, images)`` of every perturbation, one at a time in memory.

    Parameters
    ----------
    images, rng, gain
        As for `perturb`. All severities of a kind draw the same random numbers, as far as they
        need the same, so that a curve is smoother than its points are sure.
    severities : mapping
        Kind -> severities.
    """
    seeds = rng.integers(2**63, size=len(severities))
    for seed, (kind, values) in zip(seeds, severities.items(), strict=True):
        for severity in values:
            drawn = np.random.default_rng(seed)
            yield kind, float(severity), perturb(images, kind, severity, drawn, gain)
