"""When the images of one event arrive: time delays behind one lens plane or several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from astropy import constants
from astropy import units as u
from torch import Tensor

from skywright.sky.distances import Cosmology, angular_distances
from skywright.sky.lensing import Masses, Planes, crossings, map_parameters
from skywright.sky.planes import arrange_planes
from skywright.sky.potentials import potential

__all__ = ["time_delays"]

ARCSEC = np.pi / 180 / 3600
MPC_IN_DAYS = float((u.Mpc / constants.c).to_value(u.day))


def time_delays(
    x: Any,
    y: Any,
    lens: Masses | Sequence[Masses],
    z_lens: Any,
    z_source: Any,
    cosmology: Cosmology,
    *,
    z_reference: Any = None,
) -> Tensor:
    """Return how much later than the first each image arrives.

    Parameters
    ----------
    x, y : (system, ..., image) or (image,) [arcsec]
        Where the images of one source are seen, as `image_positions` gives them; NaN where there
        is no image.
    lens : mapping, sequence of mappings, or sequence of these
        Masses of the lens, lengths in arcsec; for several planes a sequence with the masses of
        each, the nearest first.
    z_lens : (system,) or number, or a sequence of these
        Redshift of the lens; for several planes a list of the redshift of each.
    z_source : (system,) or number
        Redshift of the source.
    cosmology : FLRW, or sequence of FLRW
        Distances; one for all systems, or one for each.
    z_reference : (system,) or number, optional
        As for `arrange_planes`.

    Returns
    -------
    delay : as ``x`` [day]
        0 for the first image, NaN where there is no image.

    Raises
    ------
    ValueError
        Redshifts are not positive or not in ascending order, or the source is in no plane
        behind the lens.

    References
    ----------
    Schneider, Ehlers & Falco 1992, Gravitational Lenses, eqs. 5.45 and 9.14.

    Examples
    --------
    Two images of a source 0.2 arcsec off the axis of an isothermal sphere.

    >>> from astropy.cosmology import FlatLambdaCDM
    >>> delay = time_delays([1.2, -0.8], [0.0, 0.0], {"theta_e": 1.0}, 0.5, 1.5,
    ...                     FlatLambdaCDM(70, 0.3))
    >>> [round(float(day), 1) for day in delay]
    [0.0, 37.3]
    """
    several = isinstance(z_lens, (list, tuple))
    lenses: Sequence[Any] = lens if several and isinstance(lens, Sequence) else [lens]
    redshifts = [
        np.atleast_1d(np.asarray(z, dtype=float)) for z in (z_lens if several else [z_lens])
    ]
    z_source = np.atleast_1d(np.asarray(z_source, dtype=float))
    reference = z_source if z_reference is None else np.atleast_1d(np.asarray(z_reference, float))
    planes = arrange_planes(lenses, redshifts, z_source, cosmology, z_reference=reference)
    if bool((redshifts[-1] >= z_source).any()):
        raise ValueError("the source is not behind the lens; expected z_source > z_lens")
    x, y = (torch.as_tensor(w, dtype=torch.float64) for w in (x, y))
    late = _arrival(x, y, planes, [*redshifts, z_source], reference, cosmology)
    first = late.nan_to_num(torch.inf).amin(-1, keepdim=True)
    return late - first


def _arrival(
    x: Tensor,
    y: Tensor,
    planes: Planes,
    redshifts: list[np.ndarray],
    reference: np.ndarray,
    cosmology: Cosmology,
) -> Tensor:
    """Return the time [day] that light needs longer than on a straight line."""
    axes = (1,) * (x.ndim - 1)

    def column(value: Any) -> Tensor:
        read = torch.as_tensor(value, dtype=torch.float64)
        return read.reshape(*(read.shape or (1,)), *axes) if x.ndim > 1 else read.reshape(-1)

    planes = map_parameters(planes, column)
    places = crossings(x, y, planes)
    late = torch.zeros_like(x)
    for i, masses in enumerate(planes.masses):
        (u, v), (beyond_u, beyond_v) = places[i], places[i + 1]
        near, far, between = angular_distances(redshifts[i], redshifts[i + 1], cosmology)
        _, full, behind = angular_distances(redshifts[i], reference, cosmology)
        stretch = (1 + redshifts[i]) * near * MPC_IN_DAYS * ARCSEC**2
        path = ((u - beyond_u) ** 2 + (v - beyond_v) ** 2) / 2
        late = late + column(stretch * _ratio(far, between)) * path
        late = late - column(stretch * _ratio(full, behind)) * potential(u, v, masses)
    return late


def _ratio(far: np.ndarray, between: np.ndarray) -> np.ndarray:
    """Return far / between, 0 where planes are at one redshift: no way lies between them."""
    apart = between > 0
    return np.where(apart, far / np.where(apart, between, 1.0), 0.0)
