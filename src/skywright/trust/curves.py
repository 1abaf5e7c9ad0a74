"""Learning curves: over epochs, and over the share of the galaxies that a net was trained on."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy.table import QTable

from skywright.trust.calibration import prior_correct
from skywright.trust.committee import column, committee
from skywright.trust.measures import measure, summarise
from skywright.trust.resampling import estimate
from skywright.trust.sample import Sample

__all__ = ["as_columns", "judge_fractions"]


def as_columns(table: QTable) -> dict[str, list[Any]]:
    """Return the columns of a table as plain lists, with None where a number is missing.

    Examples
    --------
    >>> as_columns(QTable({"epoch": [0, 1], "loss": [0.7, float("nan")]}))
    {'epoch': [0, 1], 'loss': [0.7, None]}
    """
    columns = {}
    for name in table.colnames:
        values = column(table, name)
        missing = ~np.isfinite(values) if values.dtype.kind == "f" else np.zeros(len(values), bool)
        columns[name] = [
            None if gone else value for value, gone in zip(values.tolist(), missing, strict=True)
        ]
    return columns


def judge_fractions(
    fractions: dict[str, QTable],
    net: QTable,
    sample: Sample,
    counts: np.ndarray,
    training_prevalence: float,
) -> dict[str, dict[str, Any]]:
    """Judge nets trained on part of the galaxies, and what the last step of data still gained.

    Parameters
    ----------
    fractions : dict of QTable
        Share of the training galaxies ("0.5") -> scores, one net a fold: ``object_id``, ``mean``.
    net : QTable
        Scores of the nets trained on all of them; of several seeds the first counts, so that one
        net is compared with one net.
    sample, counts
        The truth and its resamples.
    training_prevalence : float
        Share of lenses at which the logits were calibrated.

    Returns
    -------
    dict
        ``data_25_percent.recall`` and ``.auroc`` and so on; ``data_gain``, the paired difference
        of recall between the two largest fractions: an interval above zero says that more data
        would still help.
    """
    if "seed" in net.colnames:
        net = net[column(net, "seed") == column(net, "seed").min()]
    parts = {float(share): scores for share, scores in fractions.items()} | {1.0: net}
    results: dict[str, dict[str, Any]] = {}
    recalls = []
    for part, scores in sorted(parts.items()):
        logits = committee(scores, sample.object_id)
        values = measure(
            prior_correct(logits, training_prevalence, sample.prevalence), sample, counts
        )
        judged = summarise({name: values[name] for name in ("recall", "auroc")}, sample)
        results |= {
            f"data_{100 * part:g}_percent.{name}": {**result, "fraction": part}
            for name, result in judged.items()
        }
        recalls.append(values["recall"])
    results["data_gain"] = estimate(
        recalls[-1] - recalls[-2], n=len(sample.labels), n_groups=len(np.unique(sample.groups))
    )
    return results
