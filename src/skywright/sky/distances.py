"""Angular diameter distances to redshifts and between them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from astropy.cosmology import FLRW

__all__ = ["Cosmology", "angular_distances"]

Cosmology: TypeAlias = FLRW | Sequence[FLRW]  # one for all systems, or one for each


def angular_distances(
    near: np.ndarray, far: np.ndarray, cosmology: Cosmology
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return angular diameter distances to two redshifts and between them.

    Parameters
    ----------
    near, far : (system,)
        Redshifts.
    cosmology : FLRW, or sequence of FLRW
        One for all systems, whose distances are worked out once for each different redshift; or
        one for each system.

    Returns
    -------
    d_near, d_far, d_between : (system,) [Mpc]
        The last is 0 where ``near`` is not in front.

    Raises
    ------
    ValueError
        A redshift lies beyond the antipode of a closed universe.

    References
    ----------
    Hogg 1999, arXiv:astro-ph/9905116, eqs. 16 and 18; between redshifts, eq. 16 of the difference
    of distances along the line of sight: eq. 19 ends at the equator of a closed universe.
    """
    if not isinstance(cosmology, FLRW):
        near, far, _ = np.broadcast_arrays(near, far, np.empty(len(cosmology)))
        rows: Any = zip(near, far, cosmology, strict=True)
        parts = np.reshape([angular_distances(*row) for row in rows], (len(near), 3))
        return parts[:, 0], parts[:, 1], parts[:, 2]
    near, far = np.broadcast_arrays(near, far)
    different, place = np.unique(np.stack((near, far)), return_inverse=True)
    curvature, unit = float(cosmology.Ok0), 1.0  # Mpc; the radius of curvature where there is one
    if curvature:
        unit = cosmology.hubble_distance.to_value("Mpc") / np.sqrt(abs(curvature))
    angle = np.asarray(cosmology.comoving_distance(different).to_value("Mpc")) / unit
    if curvature < 0 and (angle >= np.pi).any():
        raise ValueError(
            f"a redshift of {different[angle >= np.pi][0]:g} lies beyond the antipode of this "
            "closed universe: lower the dark energy or the matter"
        )
    at_near, at_far = angle[place].reshape(2, *near.shape)
    between = np.where(far > near, at_far - at_near, 0.0)
    parts = np.stack((at_near, at_far, between))
    across = unit * (np.sinh(parts) if curvature > 0 else np.sin(parts) if curvature else parts)
    return across[0] / (1 + near), across[1] / (1 + far), across[2] / (1 + far)
