"""Accuracy, or any other figure, against the severity of what was done to the images."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from skywright.trust.drawing import COLOURS, svg
from skywright.trust.resampling import bootstrap_groups, estimate

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["accuracy", "judge_shift", "shift_figure"]

Metric = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def accuracy(scores: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the share of rows whose class is right.

    Parameters
    ----------
    scores : (n,) or (n, class)
        Logits of the positive class (above 0: positive), or scores of all classes.
    labels : (n,) int
        Class of each row, from 0.
    weights : (…, n)
        Weights of the rows.
    """
    said = scores > 0 if scores.ndim == 1 else scores.argmax(axis=1)
    return np.asarray(weights @ (said == labels) / weights.sum(axis=-1))


def judge_shift(
    clean: np.ndarray,
    shifted: Mapping[str, Mapping[float, np.ndarray]],
    labels: np.ndarray,
    rng: np.random.Generator,
    *,
    metric: Metric = accuracy,
    groups: np.ndarray | None = None,
    resamples: int = 1000,
) -> list[dict[str, Any]]:
    """Judge what is left of a figure under every perturbation and severity.

    Parameters
    ----------
    clean : (n,) or (n, class)
        Predictions of the images as they are.
    shifted : mapping
        Kind -> severity -> predictions of the same images, in the same order, perturbed.
    labels : (n,)
        Truth.
    rng : Generator
        For the bootstrap.
    metric : callable
        ``metric(predictions, labels, weights (…, n)) -> (…)``, as `accuracy` or
        `skywright.trust.auroc`.
    groups : (n,), optional
        Independent unit behind each row.
    resamples : int
        Bootstrap resamples; all predictions are judged on the same, so that changes are paired.

    Returns
    -------
    list of dict
        ``kind``, ``severity``; ``value, low, high`` (95 %); ``change, change_low, change_high``,
        from the clean images; ``n``, ``n_groups``. The first row is of kind "clean".
    """
    groups = np.arange(len(labels)) if groups is None else groups
    counts = bootstrap_groups(groups, resamples, rng).astype(float)
    size: dict[str, Any] = {"n": len(labels), "n_groups": len(np.unique(groups))}
    before = metric(np.asarray(clean), labels, counts)
    # accuracy is a share of rows, whose interval must not vanish when all are right
    share = metric is accuracy
    rows = [{"kind": "clean", "severity": None, **estimate(before, proportion=share, **size)}]
    for kind, curve in shifted.items():
        for severity, predictions in curve.items():
            if len(predictions) != len(labels):
                raise ValueError(
                    f"{len(predictions)} predictions at {kind} {severity} for {len(labels)} labels"
                )
            after = metric(np.asarray(predictions), labels, counts)
            change = estimate(after - before, **size)
            row = {"kind": kind, "severity": severity, **estimate(after, proportion=share, **size)}
            row |= {"change": change["value"]}
            rows.append(row | {f"change_{end}": change[end] for end in ("low", "high")})
    return rows


def shift_figure(
    rows: list[dict[str, Any]], kind: str, *, unit: str = "severity", name: str = "accuracy"
) -> str:
    """Return an SVG of one kind's curve with its intervals, and the clean value as a band.

    Parameters
    ----------
    rows : list of dict
        From `judge_shift`.
    kind : str
        Which perturbation.
    unit, name : str
        Labels of the axes.
    """
    clean = next(row for row in rows if row["kind"] == "clean")
    curve = sorted((r for r in rows if r["kind"] == kind), key=lambda r: r["severity"])
    if not curve:
        known = sorted({row["kind"] for row in rows} - {"clean"})
        raise ValueError(f"no curve of kind {kind!r}; expected one of {', '.join(known)}")

    def draw(axes: Axes) -> None:
        x = np.array([row["severity"] for row in curve])
        value = np.array([row["value"] for row in curve])
        ends = [value - [r["low"] for r in curve], [r["high"] for r in curve] - value]
        axes.axhspan(clean["low"], clean["high"], color=COLOURS["muted"], alpha=0.2, lw=0)
        axes.axhline(clean["value"], color=COLOURS["muted"], lw=0.8, label="unperturbed")
        axes.errorbar(x, value, np.abs(ends), color=COLOURS["net"], marker="o", label=kind)
        if x.min() > 0 and x.max() / x.min() > 20:
            axes.set_xscale("log")
        axes.set(xlabel=unit, ylabel=name)
        axes.legend(loc="best")

    return svg(draw)
