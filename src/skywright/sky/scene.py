"""From a row of the truth table to light: arcs and impostors go through one renderer."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from astropy.table import QTable

from skywright.sky.arms import arms_profile
from skywright.sky.psf import PointSpread
from skywright.sky.rendering import render

__all__ = ["ARM", "CLUMP", "MASS", "painted_shapes"]

MASS = ("theta_e", "q_lens", "phi_lens", "gamma1", "gamma2", "x_galaxy", "y_galaxy")
CLUMP = ("x", "y", "radius", "n", "q", "phi", "flux")  # columns clump_x, …, each (n, clump)
ARM = ("radius", "spread", "arms", "sharpness", "pitch", "turn", "q", "phi")  # arm_radius, …
WOUND = ("ring", "spiral")
ACCURACY = 0.02  # of the peak: far below the noise at S/N 100, and twice as fast as 0.005


def painted_shapes(
    systems: QTable, *, pixels: int, psf: PointSpread, batch: int = 64
) -> np.ndarray:
    """Render the light of each system without colour and at an arbitrary amplitude.

    Parameters
    ----------
    systems : QTable
        See `draw_systems`.
    pixels : int
        Side of the stamp.
    psf : PointSpread
        Point spread function, in pixels.
    batch : int
        Systems that are rendered at once.

    Returns
    -------
    (n, plane, y, x) float32
        One plane per band of ``psf``; zero for untouched galaxies.
    """
    kind = np.asarray(systems["kind"]).astype(str)
    planes = psf.fwhm.shape[-1]
    light = np.zeros((len(systems), planes, pixels, pixels), dtype=np.float32)
    lensed, wound = kind == "lens", np.isin(kind, WOUND)
    unlensed = ~lensed & ~wound & (kind != "untouched")
    for group, scene in ((lensed, _lensed), (wound, _wound), (unlensed, _unlensed)):
        # Systems of few clumps go together: a clump without flux would cost as much as any.
        rows = np.flatnonzero(group)
        rows = rows[np.argsort(_count_clumps(systems[rows]), kind="stable")]
        for start in range(0, len(rows), batch):
            chosen = rows[start : start + batch]
            lens, source = scene(systems[chosen])
            image = render(
                lens,
                source,
                pixels=pixels,
                scale=1.0,
                psf=psf,
                accuracy=ACCURACY,
                dtype=torch.float32,
            )
            light[chosen] = image.clamp_min(0).numpy()
    return light


def _lensed(systems: QTable) -> tuple[Any, Any]:
    mass = {name.removesuffix("_lens"): _tensor(systems, name) for name in MASS[:5]}
    mass |= {"x0": _tensor(systems, "x_galaxy"), "y0": _tensor(systems, "y_galaxy")}
    return mass, _clumps(systems)


def _unlensed(systems: QTable) -> tuple[Any, Any]:
    return None, _clumps(systems)


def _wound(systems: QTable) -> tuple[Any, Any]:
    shape = {name: _tensor(systems, f"arm_{name}") for name in ARM}
    shape |= {"x0": _tensor(systems, "x_galaxy"), "y0": _tensor(systems, "y_galaxy")}
    # The profile has peak 1 whatever its size; amplitude is set by the signal to noise alone.
    return None, {"profile": arms_profile, "amplitude": torch.ones(len(systems), 1, 1), **shape}


def _clumps(systems: QTable) -> dict[str, Any]:
    """Return the clumps in one plane: a system has one colour, so bands differ in PSF alone."""
    count = int(_count_clumps(systems).max())
    parts = {name: _tensor(systems, f"clump_{name}")[:, :count] for name in CLUMP}
    parts["x0"], parts["y0"] = parts.pop("x"), parts.pop("y")
    return {"amplitude": parts.pop("flux")[..., None], **parts}


def _count_clumps(systems: QTable) -> np.ndarray:
    """Return how many clumps have flux; they come first."""
    return np.asarray((np.asarray(systems["clump_flux"]) > 0).sum(axis=1))


def _tensor(systems: QTable, name: str) -> torch.Tensor:
    return torch.as_tensor(np.array(systems[name], dtype=np.float32))
