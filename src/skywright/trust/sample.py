"""The rows that are judged, and the named subsets whose recall is asked for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from astropy.table import QTable

from skywright.trust.committee import column
from skywright.trust.completeness import SNR_EDGES, THETA_EDGES, in_bins

__all__ = ["BRIGHT_SNR", "BRIGHT_THETA", "Sample", "bin_name", "impostors", "lenses", "read_sample"]

BRIGHT_SNR = 20.0
BRIGHT_THETA = 3.0


@dataclass(frozen=True)
class Sample:
    """Truth as bare arrays, one entry a painted cutout.

    Parameters
    ----------
    object_id, groups : (n,) int
        Identifier of the cutout and of the galaxy under it.
    labels : (n,) bool
        Whether it is a lens.
    kinds : (n,) str
        What was painted.
    theta : (n,) [FWHM of the PSF]
        Einstein radius.
    snr : (n,)
        Arc S/N.
    prevalence, budget : float
        Lenses per galaxy of the survey, and share of its galaxies that can be inspected.
    """

    object_id: np.ndarray
    groups: np.ndarray
    labels: np.ndarray
    kinds: np.ndarray
    theta: np.ndarray
    snr: np.ndarray
    prevalence: float
    budget: float

    def galaxies(self, rows: np.ndarray) -> int:
        """Return the number of independent galaxies behind some rows."""
        return len(np.unique(self.groups[rows]))


def read_sample(truth: QTable, prevalence: float, budget: float) -> Sample:
    """Return the sample that a table of painted systems describes.

    Raises
    ------
    ValueError
        When identifiers repeat, or one class is missing.
    """
    labels = column(truth, "label").astype(bool)
    ids = column(truth, "object_id").astype(np.int64)
    if len(np.unique(ids)) != len(ids):
        raise ValueError("object_id repeats in the truth; expected one row per painted cutout")
    if labels.all() or not labels.any():
        raise ValueError(
            f"{int(labels.sum())} lenses among {len(labels)} rows; expected both lenses and others"
        )
    return Sample(
        object_id=ids,
        groups=column(truth, "group").astype(np.int64),
        labels=labels,
        kinds=column(truth, "kind").astype(str),
        theta=column(truth, "theta_e_fwhm").astype(float),
        snr=column(truth, "snr").astype(float),
        prevalence=float(prevalence),
        budget=float(budget),
    )


def lenses(sample: Sample) -> dict[str, np.ndarray]:
    """Return the lenses whose recall is reported: result name -> rows."""
    lens = sample.labels
    bright = (sample.snr > BRIGHT_SNR) & (sample.theta > BRIGHT_THETA)
    faint = (sample.snr >= SNR_EDGES[0]) & (sample.snr < SNR_EDGES[1])
    rows = {"recall": lens, "recall_bright": lens & bright, "recall_faint": lens & faint}
    for name, values, edges in (
        ("snr", sample.snr, SNR_EDGES),
        ("theta", sample.theta, THETA_EDGES),
    ):
        for low, high, inside in zip(edges[:-1], edges[1:], in_bins(values, edges), strict=True):
            rows[bin_name(name, low, high)] = lens & inside
    return {name: mask for name, mask in rows.items() if mask.any()}


def impostors(sample: Sample) -> dict[str, np.ndarray]:
    """Return the negatives of each kind: result name of the false-positive rate -> rows."""
    others = ~sample.labels
    return {
        f"false_positive_rate_{kind}": others & (sample.kinds == kind)
        for kind in np.unique(sample.kinds[others])
    }


def bin_name(name: str, low: float, high: float) -> str:
    """Return the result name of the recall in one bin.

    Examples
    --------
    >>> bin_name("snr", 2.0, 5.0)
    'recall_snr_2_5'
    """
    return f"recall_{name}_{low:g}_{high:g}"
