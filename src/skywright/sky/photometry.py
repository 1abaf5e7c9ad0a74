"""Signal to noise and effective area of painted light: the algebra behind the selection function.

Arc S/N is ``sqrt(sum (f / sigma)^2)`` over the bands and pixels of the cutout, the signal to noise
of a filter that knows the arc's shape, where ``sigma`` is the local rms of the real background
times ``noise_excess``, by which noise that pixels and bands share is larger than their own
(`skywright.data.measure_noise_excess`).
The galaxy's own photon noise is left out of ``sigma`` on purpose: the number then says how bright
an arc is, not how well it hides.
"""

from __future__ import annotations

import numpy as np

__all__ = ["arc_snr", "effective_area", "mean_radius", "scale_to_snr"]


def arc_snr(
    light: np.ndarray, variance: np.ndarray, noise_excess: np.ndarray | None = None
) -> np.ndarray:
    """Return the signal to noise of painted light.

    Parameters
    ----------
    light : (n, band, y, x) [flux]
        Noiseless light, zero where nothing was painted.
    variance : (n, band, 1 or y, 1 or x) [flux^2]
        Background variance; see ``Images.variance``.
    noise_excess : (n,), optional
        See ``Images.noise_excess``; without it pixels and bands are taken as independent.

    Returns
    -------
    (n,)
        ``sqrt(sum f^2 / variance) / noise_excess``.

    Examples
    --------
    >>> import numpy as np
    >>> arc_snr(np.full((1, 1, 2, 2), 3.0), np.full((1, 1, 1, 1), 4.0))
    array([3.])
    """
    # Divided first: in units such as erg/s/cm2 the square of either underflows.
    ratio = light / np.sqrt(variance)
    snr = np.sqrt((ratio**2).sum(axis=(1, 2, 3), dtype=np.float64))
    return np.asarray(snr if noise_excess is None else snr / noise_excess)


def scale_to_snr(
    light: np.ndarray,
    variance: np.ndarray,
    snr: np.ndarray,
    noise_excess: np.ndarray | None = None,
) -> np.ndarray:
    """Scale light so that `arc_snr` equals ``snr``; a row with ``snr`` 0 becomes 0.

    Parameters
    ----------
    light : (n, band, y, x)
        Light of any amplitude.
    variance, noise_excess
        As for `arc_snr`.
    snr : (n,)
        Wanted signal to noise.

    Returns
    -------
    (n, band, y, x) [flux]
        Light in the unit of the square root of ``variance``.
    """
    now = arc_snr(light, variance, noise_excess)
    if np.any((now == 0) & (snr > 0)):
        rows = np.flatnonzero((now == 0) & (snr > 0))
        raise ValueError(
            f"no light falls into the cutout of rows {rows[:5].tolist()} (of {len(rows)}): the "
            "Einstein radius is too large for the cutout; use larger cutouts or a smaller radius"
        )
    factor = np.divide(snr, now, out=np.zeros(len(now)), where=now > 0)
    return np.asarray(light * factor[:, None, None, None].astype(light.dtype))


def effective_area(light: np.ndarray) -> np.ndarray:
    """Return the number of pixels that the light is spread over, ``(sum f)^2 / sum f^2``.

    Two shapes with one total flux have one S/N on a constant background if, and only if, they
    have one effective area.

    Parameters
    ----------
    light : (n, y, x)
        One plane of light per row.

    Returns
    -------
    (n,) [pixel]
        Effective area.

    Examples
    --------
    >>> import numpy as np
    >>> effective_area(np.array([[[1.0, 1.0], [0.0, 0.0]]]))
    array([2.])
    """
    total = light.sum(axis=(1, 2), dtype=np.float64)
    return np.asarray(total**2 / (light**2).sum(axis=(1, 2), dtype=np.float64))


def mean_radius(light: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the mean distance of the light from a point.

    Parameters
    ----------
    light : (n, y, x)
        One plane of light per row.
    x, y : (n,) [pixel]
        The point, counted from the centre of the plane.

    Returns
    -------
    (n,) [pixel]
        Mean radius weighted with the light.
    """
    half = (np.array(light.shape[1:]) - 1) / 2
    rows, columns = np.indices(light.shape[1:], dtype=np.float32)
    dx = columns - half[1] - np.asarray(x, dtype=np.float32)[:, None, None]
    dy = rows - half[0] - np.asarray(y, dtype=np.float32)[:, None, None]
    return np.asarray((light * np.hypot(dx, dy)).sum(axis=(1, 2)) / light.sum(axis=(1, 2)))
