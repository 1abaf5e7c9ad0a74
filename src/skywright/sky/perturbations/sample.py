"""The shift suite on a sample of images, as one stack that a net judges in one go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import astropy.units as u
import numpy as np
from astropy.table import QTable

from skywright.data import Images
from skywright.data.open_survey import by_band
from skywright.sky.perturbations.electrons import background_rms, electrons_per_unit
from skywright.sky.perturbations.suite import SEVERITIES, shift_suite

__all__ = ["perturb_sample"]

SKY = 1e4  # electrons in a pixel, of a broad-band exposure of minutes


def perturb_sample(
    images: Images,
    rng: np.random.Generator,
    *,
    n: int = 200,
    severities: Mapping[str, Sequence[float]] = SEVERITIES,
    background: Sequence[float] = (1.0, 4.0),
    gain: float | Sequence[float] | Mapping[str, float] | None = None,
) -> dict[str, Any]:
    """Perturb some images in every way and at every severity.

    Parameters
    ----------
    images : Images
        Cutouts.
    rng : Generator
        Chooses the images and draws the perturbations.
    n : int
        How many of them; all when there are fewer.
    severities : mapping
        Kind -> severities, in the units of `perturb`.
    background : sequence of float
        Added sky over that which the noise of these images stands for: counts mean something else
        in every survey.
    gain : float, (band,) or {band: float} [electron per unit], optional
        As for `perturb`. Where it is unknown, as of a picture, images are taken to be limited by
        the sky, with 10,000 electrons of it in a pixel.

    Returns
    -------
    dict
        ``images``: the stack, numbered from 0 in ``object_id``; ``key``: table with ``object_id``,
        ``original`` (identifier of the image), ``row`` (its row in ``images``), ``kind`` and
        ``severity``.
    """
    by_number = _of_bands(gain, images.bands)
    rows = np.sort(rng.permutation(len(images))[:n])
    sample = images[rows]
    rms = np.median(background_rms(sample), axis=(0, 2, 3))
    if by_number is None and not sample.unit.is_equivalent(u.electron):
        by_number = (np.sqrt(SKY) / rms).tolist()
    electrons = electrons_per_unit(sample, None if by_number is None else np.asarray(by_number))
    sky = float(np.mean(rms**2 * electrons[:, 0, 0]))
    wanted = {**severities, "background": [share * sky for share in background]}
    stack, key = [], []
    for kind, severity, perturbed in shift_suite(sample, rng, severities=wanted, gain=by_number):
        stack.append(np.asarray(perturbed.flux, dtype=np.float32))
        key += [(int(one), int(row), kind, severity)
                for one, row in zip(sample.object_id, rows, strict=True)]  # fmt: skip
    original, row, kinds, strengths = (np.array(column) for column in zip(*key, strict=True))
    repeats = len(stack)
    found = replace(
        sample,
        flux=np.concatenate(stack),
        object_id=np.arange(len(key)),
        **{name: _repeated(getattr(sample, name), repeats)
           for name in ("ra", "dec", "variance", "mask", "noise_excess")},
    )  # fmt: skip
    table = QTable({"object_id": np.arange(len(key)), "original": original, "row": row,
                    "kind": kinds, "severity": strengths})  # fmt: skip
    return {"images": found, "key": table}


def _of_bands(
    gain: float | Sequence[float] | Mapping[str, float] | None, bands: tuple[str, ...]
) -> float | Sequence[float] | None:
    """Return a gain that is given by name in the order of the bands."""
    if isinstance(gain, Mapping):
        return list(by_band(gain, bands, "gain", None).values())
    return gain


def _repeated(value: Any, times: int) -> Any:
    return None if value is None else np.concatenate([np.asarray(value[:])] * times)
