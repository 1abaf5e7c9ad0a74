"""Recall for lenses as the survey would hold them: Einstein radii that follow the light."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from astropy.table import QTable

from skywright.trust.measures import measure, summarise
from skywright.trust.resampling import bootstrap_groups
from skywright.trust.sample import Sample

__all__ = ["judge_forecast"]


def judge_forecast(
    truth: QTable,
    logits: np.ndarray,
    sample: Sample,
    sample_logits: np.ndarray,
    resamples: int,
    rng: np.random.Generator,
) -> dict[str, dict[str, Any]]:
    """Judge forecast lenses against the negatives of the main sample.

    The negatives are shared, so that a budget means the same for both and only the lenses differ.

    Parameters
    ----------
    truth : QTable
        Forecast systems; rows that are not lenses are left out.
    logits : (row,)
        Their logits at the survey's prevalence.
    sample, sample_logits
        The main sample and its logits.
    resamples : int
        Bootstrap resamples of the galaxies.
    rng : Generator
        For the bootstrap.

    Returns
    -------
    dict
        ``forecast.recall``, ``forecast.auroc`` and their kin.
    """
    lens = np.asarray(truth["label"]).astype(bool)
    if not lens.any():
        raise ValueError("no lens in the forecast; expected rows with label 1")
    negative = ~sample.labels
    # `read_sample` asks for both classes; the negatives come from the main sample.
    columns = ("object_id", "group", "label", "kind", "theta_e_fwhm", "snr")
    joint = QTable({name: np.asarray(truth[name])[lens] for name in columns})
    joined = replace(
        sample,
        object_id=np.append(np.asarray(joint["object_id"]), sample.object_id[negative]),
        groups=np.append(np.asarray(joint["group"]), sample.groups[negative]),
        labels=np.append(np.ones(lens.sum(), bool), np.zeros(negative.sum(), bool)),
        kinds=np.append(np.asarray(joint["kind"]).astype(str), sample.kinds[negative]),
        theta=np.append(np.asarray(joint["theta_e_fwhm"]), sample.theta[negative]),
        snr=np.append(np.asarray(joint["snr"]), sample.snr[negative]),
    )
    counts = bootstrap_groups(joined.groups, resamples, rng)
    scores = np.append(logits[lens], sample_logits[negative])
    results = summarise(measure(scores, joined, counts), joined)
    wanted = ("recall", "auroc", "purity", "tpr10")
    return {
        f"forecast.{name}": result
        for name, result in results.items()
        if name in wanted or name.startswith("recall_")
    }
