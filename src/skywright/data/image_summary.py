"""A few numbers of each image that say whether it is of the kind that a model was trained on."""

from __future__ import annotations

import numpy as np

from skywright.data.images import Images

__all__ = ["image_summary"]


def image_summary(images: Images) -> tuple[np.ndarray, list[str]]:
    """Return depth, brightness, concentration and correlation of the noise, band by band.

    Few and smooth, so that the hull of the training images means something: pixel statistics by
    the hundred make every new image an outsider.

    Parameters
    ----------
    images : Images
        Cutouts; read in blocks.

    Returns
    -------
    (n, 4 * band)
    names : list of str
        ``noise`` (log10 of the rms), ``light`` (asinh of the summed flux over rms), ``peak``
        (asinh of the brightest pixel over rms), ``smoothness`` (correlation of neighbouring
        pixels in the outer eighth), each with its band.
    """
    parts = [_summary(np.asarray(block.flux, dtype=float)) for block in images.blocks()]
    kinds = ("noise", "light", "peak", "smoothness")
    return np.concatenate(parts), [f"{kind} {band}" for kind in kinds for band in images.bands]


def _summary(flux: np.ndarray) -> np.ndarray:
    edge = max(2, flux.shape[-1] // 8)
    rim = np.concatenate([flux[..., :edge], flux[..., -edge:]], axis=-1)
    middle = np.median(rim, axis=(2, 3), keepdims=True)
    rms = 1.4826 * np.median(np.abs(rim - middle), axis=(2, 3), keepdims=True)
    rms = np.where(rms > 0, rms, 1.0)
    signal = (flux - middle) / rms
    calm = np.clip(np.concatenate([signal[..., :edge], signal[..., -edge:]], axis=-1), -3, 3)
    smooth = (calm[..., 1:, :] * calm[..., :-1, :]).mean(axis=(2, 3)) / (calm**2).mean(axis=(2, 3))
    columns = [
        np.log10(rms[..., 0, 0]),
        np.arcsinh(signal.sum(axis=(2, 3))),
        np.arcsinh(signal.max(axis=(2, 3))),
        smooth,
    ]
    return np.concatenate(columns, axis=1)
