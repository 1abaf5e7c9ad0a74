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

    References
    ----------
    Hogg 1999, arXiv:astro-ph/9905116, eqs. 16, 18 and 19.
    """
    if not isinstance(cosmology, FLRW):
        near, far, _ = np.broadcast_arrays(near, far, np.empty(len(cosmology)))
        rows: Any = zip(near, far, cosmology, strict=True)
        parts = np.reshape([angular_distances(*row) for row in rows], (len(near), 3))
        return parts[:, 0], parts[:, 1], parts[:, 2]
    near, far = np.broadcast_arrays(near, far)
    different, place = np.unique(np.stack((near, far)), return_inverse=True)
    transverse = np.asarray(cosmology.comoving_transverse_distance(different).to_value("Mpc"))
    m_near, m_far = transverse[place].reshape(2, *near.shape)
    curvature = cosmology.Ok0 / cosmology.hubble_distance.to_value("Mpc") ** 2
    between = m_far * np.sqrt(1 + curvature * m_near**2)
    between = between - m_near * np.sqrt(1 + curvature * m_far**2)
    behind = np.where(far > near, between, 0.0) / (1 + far)
    return m_near / (1 + near), m_far / (1 + far), behind
