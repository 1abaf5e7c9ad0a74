"""Lens planes at several redshifts, and light from all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from skywright.sky.distances import Cosmology, angular_distances
from skywright.sky.lensing import Masses, Planes
from skywright.sky.parts import Light, read_light, read_masses
from skywright.sky.psf import PointSpread
from skywright.sky.rendering import draw_scene

__all__ = ["arrange_planes", "render_planes"]

KEYS = ("redshift", "lens", "light")


def arrange_planes(
    lenses: Sequence[Masses],
    z_lens: Sequence[Any],
    z_source: Any,
    cosmology: Cosmology,
    *,
    z_reference: Any = None,
) -> Planes:
    """Put masses into planes of their redshifts, in front of one source.

    Parameters
    ----------
    lenses : sequence of mappings, or of sequences of mappings
        The masses of each plane, the nearest first, as for `skywright.sky.deflect`.
    z_lens : sequence of (system,) or numbers
        Redshift of each plane.
    z_source : (system,) or number
        Redshift of the source.
    cosmology : FLRW, or sequence of FLRW
        Distances; one for all systems, or one for each.
    z_reference : (system,) or number, optional
        The source redshift that the strengths of masses (``theta_e``) refer to: a deflection
        reduced for it. Left out, ``z_source``.

    Returns
    -------
    planes : Planes
        For `trace`, `magnification` and `image_positions`.

    Raises
    ------
    ValueError
        Redshifts are not positive, or not in ascending order.

    Examples
    --------
    Two isothermal spheres one behind the other; light at redshift 2 in a line with both.

    >>> from astropy.cosmology import FlatLambdaCDM
    >>> from skywright.sky import sis, trace
    >>> masses = [{"deflector": sis, "theta_e": 1.0}, {"deflector": sis, "theta_e": 0.5}]
    >>> planes = arrange_planes(masses, [0.4, 1.0], 2.0, FlatLambdaCDM(70, 0.3))
    >>> x, _ = trace(torch.tensor([1.4]), torch.tensor([0.0]), planes)
    >>> round(float(x[0]), 3)
    -0.1
    """
    if len(lenses) != len(z_lens):
        raise ValueError(f"got {len(lenses)} planes of masses and {len(z_lens)} redshifts")
    redshifts = _read_redshifts([*z_lens, z_source])
    reference = redshifts[-1] if z_reference is None else _read_redshifts([z_reference])[0]
    weights = _weights(redshifts, reference, cosmology)
    return Planes(tuple(lenses), tuple(tuple(row) for row in weights))


def render_planes(
    planes: Sequence[Mapping[str, Any]],
    *,
    cosmology: Cosmology,
    pixels: int,
    scale: float,
    psf: PointSpread,
    accuracy: float = 0.005,
    device: str | torch.device = "cpu",
    dtype: torch.dtype = torch.float64,
) -> Tensor:
    """Render systems with masses and light at several redshifts.

    Light in a plane is deflected by the masses of all nearer planes, which see each other
    through the ones in front. With two planes the image is that of `render`.

    Parameters
    ----------
    planes : sequence of mappings
        The nearest first. Keys: ``redshift`` of shape (system,) or a number; ``lens``, masses as
        for `render`, whose strengths refer to a source in the last plane; ``light``, as
        ``source`` of `render`, points among it. Masses in the last plane deflect nothing.
    cosmology : FLRW, or sequence of FLRW
        Distances between the planes; one for all systems, or one for each.
    pixels, scale, psf, accuracy, device, dtype
        As for `render`.

    Returns
    -------
    image : (system, band, y, x)
        Flux per pixel, in the unit of ``amplitude``.

    Raises
    ------
    ValueError
        Redshifts are not ascending, a parameter has no meaning, or the shapes disagree.

    Examples
    --------
    >>> from astropy.cosmology import FlatLambdaCDM
    >>> from skywright.sky import gaussian_psf
    >>> galaxy = {"amplitude": torch.ones(1, 1, 1), "radius": 0.2}
    >>> image = render_planes(
    ...     [
    ...         {"redshift": 0.3, "lens": {"theta_e": 1.5}},
    ...         {"redshift": 0.9, "lens": {"theta_e": 0.3}, "light": galaxy},
    ...         {"redshift": 2.0, "light": galaxy},
    ...     ],
    ...     cosmology=FlatLambdaCDM(70, 0.3), pixels=40, scale=0.2, psf=gaussian_psf(0.6),
    ... )
    >>> image.shape
    torch.Size([1, 1, 40, 40])
    """
    like = torch.empty(0, device=device, dtype=dtype)
    for plane in planes:
        unknown = [key for key in plane if key not in KEYS]
        if unknown or "redshift" not in plane:
            raise ValueError(f"a plane has the keys {list(plane)}; expected {', '.join(KEYS)}")
    if not planes:
        raise ValueError("got no planes; expected at least one with light")
    redshifts = _read_redshifts([plane["redshift"] for plane in planes])
    masses = [read_masses(plane.get("lens"), like) for plane in planes]
    weights = _weights(redshifts, redshifts[-1], cosmology)
    cast = [[None if w is None else w.to(like) for w in row] for row in weights]
    light: Light = []
    for i, plane in enumerate(planes):
        light += read_light(plane.get("light"), i if any(masses[:i]) else 0, like)
    scene = Planes(tuple(masses[:-1]), tuple(tuple(row) for row in cast))
    return draw_scene(scene, light, like, pixels=pixels, scale=scale, psf=psf, accuracy=accuracy)


def _read_redshifts(redshifts: Sequence[Any]) -> list[np.ndarray]:
    """Return redshifts as arrays (1 or system,), in ascending order or not at all."""
    read = [np.atleast_1d(np.asarray(z, dtype=float)) for z in redshifts]
    for z in read:
        if z.ndim != 1 or not bool((np.isfinite(z) & (z > 0)).all()):
            raise ValueError(f"redshift is {z.tolist()}; expected positive numbers, (system,)")
    for near, far in zip(read[:-1], read[1:], strict=True):
        if bool((near > far).any()):
            raise ValueError("redshifts descend from one plane to the next; sort the planes")
    return read


def _weights(
    redshifts: list[np.ndarray], reference: np.ndarray, cosmology: Cosmology
) -> list[list[Tensor | None]]:
    """Return the factor of the deflection by plane i for the position in plane j + 1.

    It is D_ij D_r / (D_j D_ir) with the reference r, and 1, exactly, where r is j.
    """
    last = len(redshifts) - 1
    rows: list[list[Tensor | None]] = []
    for j in range(1, last + 1):
        row: list[Tensor | None] = []
        for i in range(j):
            if redshifts[j] is reference and bool((redshifts[i] < reference).all()):
                row.append(None)
                continue
            _, d_j, d_ij = angular_distances(redshifts[i], redshifts[j], cosmology)
            _, d_r, d_ir = angular_distances(redshifts[i], reference, cosmology)
            behind = (d_ij > 0) & (d_ir > 0)
            factor = np.where(behind, d_ij * d_r / (d_j * np.where(behind, d_ir, 1.0)), 0.0)
            row.append(torch.as_tensor(factor))
        rows.append(row)
    return rows
